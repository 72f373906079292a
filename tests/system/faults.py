"""The nth call of a program to its disk fails: tests/torture/fail_nth.c, and how it is told."""

import mmap
import os
import struct

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHIM = os.path.join(ROOT, os.environ.get("BUILD", "build-test"), "torture", "fail_nth.so")
SIZE = 128


class Faults:
    """environment: for the program. below: the folder whose files are meant."""

    def __init__(self, path, below):
        with open(path, "wb") as file:
            file.write(bytes(SIZE))
        self.file = open(path, "r+b")
        self.memory = mmap.mmap(self.file.fileno(), SIZE)
        self.environment = {
            "LD_PRELOAD": SHIM, "FAIL_CONTROL": path, "FAIL_BELOW": below,
            # the sanitizer need not come first: the shim calls the kernel itself
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def arm(self, nth, error, times=1):
        """The nth call from now on fails, and the next ones up to times. error 0: a write is cut short."""
        self.memory[0:16] = struct.pack("4i", 0, times, error, 0)
        self.memory[0:4] = struct.pack("i", nth)

    def disarm(self):
        self.memory[0:4] = struct.pack("i", 0)

    def is_over(self):
        return struct.unpack("i", self.memory[0:4])[0] == 0 or struct.unpack("i", self.memory[4:8])[0] <= 0

    def met(self):
        return struct.unpack("i", self.memory[12:16])[0]

    def last(self):
        return self.memory[16:SIZE].split(b"\0")[0].decode(errors="replace")
