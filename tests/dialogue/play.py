"""Plays the dialogues (README.md has their form) against a real front and a real back end, over TLS.

Arguments name files without their ending ("imap4/append"); none: all. The last line is
"dialogue: N passed, N failed"."""

import glob
import os
import re
import socket
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

from pair import DOMAIN, PATIENCE, Pair  # noqa: E402

PASSWORD = "dialogue-secret"


class Mismatch(Exception):
    pass


class Session:
    """One connection: reads whole lines, knows nothing of protocols."""

    def __init__(self, pair, port, secured=True):
        plain = socket.create_connection(("localhost", port), PATIENCE)
        self.socket = pair.tls().wrap_socket(plain, server_hostname="localhost") if secured else plain
        self.lines = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        line = self.lines.readline()
        return line[:-2] if line.endswith(b"\r\n") else line

    def until(self, *ends):
        while True:
            line = self.line()
            if line.startswith(ends):
                return line
            if not line:
                raise Mismatch("the connection ended")


def imap4(pair, user):
    session = Session(pair, pair.front.imaps_port)
    session.line()
    session.send(f"login LOGIN {user} {PASSWORD}\r\n".encode())
    answer = session.until(b"login ")
    if not answer.startswith(b"login OK"):
        raise Mismatch(f"login: {answer}")
    return session


def pop3(pair, user):
    session = Session(pair, pair.front.pop3s_port)
    session.line()
    for command in (f"USER {user}", f"PASS {PASSWORD}"):
        session.send(command.encode() + b"\r\n")
        answer = session.line()
        if not answer.startswith(b"+OK"):
            raise Mismatch(f"{command[:4]}: {answer}")
    return session


def greeted(port, secured):
    def connect(pair, user):
        session = Session(pair, getattr(pair.front, port), secured)
        session.line()
        return session
    return connect


# How a session of each folder begins.
OPENERS = {
    "imap4": imap4,
    "pop3": pop3,
    "lmtp": greeted("lmtp_port", False),
    "front-imap4": greeted("imaps_port", True),
    "front-pop3": greeted("pop3s_port", True),
    "clear-imap4": greeted("imap_port", False),
    "clear-pop3": greeted("pop3_port", False),
}


def octets(text):
    """The bytes that a line stands for: <xHH> and <xHH*N> put in."""
    out = re.sub(rb"<x([0-9A-Fa-f]{2})(?:\*([0-9]+))?>",
                 lambda found: bytes([int(found[1], 16)]) * int(found[2] or 1), text)
    return out


def pattern(text):
    parts = re.split(rb"(<any>|<number>)", text)
    kinds = {b"<any>": rb".*", b"<number>": rb"[0-9]+"}
    return re.compile(b"".join(kinds.get(part) or re.escape(octets(part)) for part in parts), re.S)


def play(pair, path, user):
    opener = OPENERS[os.path.basename(os.path.dirname(path))]
    sessions = {}
    with open(path, "rb") as file:
        script = file.read().split(b"\n")
    if any(re.match(rb"T[2-9]?: ?", line) for line in script):
        return False  # needs the engine's own clock: the unit tests play it
    for number, line in enumerate(script, 1):
        if not line or line.startswith(b"#"):
            continue
        kind, text = line.split(b":", 1)
        text = text[1:].replace(b"<user>", user.encode()).replace(b"<domain>", DOMAIN.encode()).replace(
            b"<password>", PASSWORD.encode())
        who = kind[1:].rstrip(b"+") or b"1"
        if who not in sessions:
            sessions[who] = opener(pair, user)
        if kind.startswith(b"C"):
            sessions[who].send(octets(text) + (b"" if kind.endswith(b"+") else b"\r\n"))
        elif kind.startswith(b"S"):
            answer = sessions[who].line()
            if not pattern(text).fullmatch(answer):
                raise Mismatch(f"{path}:{number}:\n  expected {text[:300]!r}\n  but got  {answer[:300]!r}")
        else:
            raise Mismatch(f"{path}:{number}: what is {line!r}?")
    for session in sessions.values():
        session.socket.close()
    return True


def main():
    names = sys.argv[1:] or sorted(os.path.relpath(path, HERE)[:-4]
                                   for path in glob.glob(os.path.join(HERE, "*", "*.txt")))
    passed, failed = 0, 0
    try:
        with Pair(front_extra="[limits]\ntrusted_networks = 127.0.0.0/8, ::1\n") as pair:
            for number, name in enumerate(names):
                user = f"d{number}"
                pair.back.add_user(user, PASSWORD)
                try:
                    if play(pair, os.path.join(HERE, name + ".txt"), user):
                        passed += 1
                        print(f"ok {name}", flush=True)
                    else:
                        print(f"left to the unit tests: {name}", flush=True)
                except Exception as problem:
                    failed += 1
                    print(f"not ok {name}: {problem}", flush=True)
                    if not isinstance(problem, (Mismatch, socket.timeout)):
                        traceback.print_exc()
    except Exception:
        failed += 1
        traceback.print_exc()
    print(f"dialogue: {passed} passed, {failed} failed", flush=True)
    return failed != 0


sys.exit(main())
