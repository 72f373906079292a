"""What the machine itself can do: measured before and after the servers, so that a busy neighbour shows."""

import os
import re
import socket
import subprocess
import threading
import time

BLOCK = 1 << 20


def syncs(folder, seconds=1.0):
    """fdatasync calls a second, each after 4 KiB appended to one file."""
    path, count = os.path.join(folder, "limit"), 0
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        os.write(fd, b"x" * 4096)
        os.fdatasync(fd)
        count += 1
    os.close(fd)
    os.unlink(path)
    return count / seconds


def sequential_write(folder, blocks=256):
    """MB/s of writing one file and syncing it."""
    path = os.path.join(folder, "limit")
    data = os.urandom(BLOCK)
    start = time.monotonic()
    with open(path, "wb", buffering=0) as file:
        for _ in range(blocks):
            file.write(data)
        os.fdatasync(file.fileno())
    took = time.monotonic() - start
    os.unlink(path)
    return blocks * BLOCK / 1e6 / took


def loopback(blocks=1000):
    """MB/s through one TCP connection on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def send():
            with socket.create_connection(server.getsockname()) as out:
                for _ in range(blocks):
                    out.sendall(bytes(BLOCK))

        thread = threading.Thread(target=send)
        start = time.monotonic()
        thread.start()
        connection, _ = server.accept()
        buffer = bytearray(BLOCK)
        with connection:
            while connection.recv_into(buffer):
                pass
        thread.join()
    return blocks * BLOCK / 1e6 / (time.monotonic() - start)


def crypto():
    """MB/s of AES-128-GCM in 16 KiB records, one thread of OpenSSL."""
    done = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1", "-bytes", "16384", "-evp", "aes-128-gcm"],
                          capture_output=True, text=True)
    found = re.search(r"^\+F:\d+:[^:]+:([\d.]+)", done.stdout, re.M)
    return float(found.group(1)) / 1e6 if found else 0.0


def measure(folder):
    return {
        "fdatasync/s": round(syncs(folder)),
        "sequential write, MB/s": round(sequential_write(folder)),
        "loopback TCP, MB/s": round(loopback()),
        "AES-128-GCM (OpenSSL), MB/s": round(crypto()),
    }
