"""Plays the dialogues (README.md has their form) against a real front and a real back end, over TLS.

Arguments name files without their ending ("imap4/append"); none: all. The last line is
"dialogue: N passed, N failed"."""

import base64
import contextlib
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
        self.context = pair.tls()
        self.socket = socket.create_connection(("localhost", port), PATIENCE)
        self.lines = self.socket.makefile("rb")
        if secured:
            self.secure()

    def secure(self):
        """TLS begins; what the server sends in clear behind its answer would spoil the handshake."""
        self.socket = self.context.wrap_socket(self.socket, server_hostname="localhost")
        self.lines = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        """The next line without its CRLF; None at the end of the connection."""
        line = self.lines.readline()
        if not line:
            return None
        return line[:-2] if line.endswith(b"\r\n") else line

    def rest(self):
        """Whatever else the server has said by the time that it has seen our end of the connection."""
        with contextlib.suppress(OSError):  # the server may be the first to close
            socket.socket.shutdown(self.socket, socket.SHUT_WR)  # SSLSocket's own forgets the TLS
        with contextlib.suppress(OSError), self.socket:
            return self.lines.read()

    def until(self, *ends):
        while True:
            line = self.line()
            if line is None:
                raise Mismatch("the connection ended")
            if line.startswith(ends):
                return line


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
        if not (answer or b"").startswith(b"+OK"):
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
    """The bytes that a line stands for: <xHH> and <xHH*N> put in, then <base64:...>."""
    out = re.sub(rb"<x([0-9A-Fa-f]{2})(?:\*([0-9]+))?>",
                 lambda found: bytes([int(found[1], 16)]) * int(found[2] or 1), text)
    return re.sub(rb"<base64:([^>]*)>", lambda found: base64.b64encode(found[1]), out)


def pattern(text):
    parts = re.split(rb"(<any>|<number>)", text)
    kinds = {b"<any>": rb".*", b"<number>": rb"[0-9]+"}
    return re.compile(b"".join(kinds.get(part) or re.escape(octets(part)) for part in parts), re.S)


def deliver(pair, user, name):
    """Gives a file of messages/ to the account, octet for octet: BDAT needs no dots."""
    with open(os.path.join(HERE, "messages", name), "rb") as file:
        content = file.read()
    session = Session(pair, pair.front.lmtp_port, secured=False)
    session.send(f"LHLO mta.example.org\r\nMAIL FROM:<sender@example.org>\r\n"
                 f"RCPT TO:<{user}@{DOMAIN}>\r\nBDAT {len(content)} LAST\r\n".encode())
    session.send(content + b"QUIT\r\n")
    answers = session.lines.read().split(b"\r\n")
    session.socket.close()
    if [line[:4] for line in answers[-5:]] != [b"250 ", b"250 ", b"250 ", b"221 ", b""]:
        raise Mismatch(f"delivery of {name}: {answers}")


def direct(pair, user, line):
    """"# deliver: FILE" and "# admin: WORDS"; every other comment is one."""
    found = re.fullmatch(rb"# (deliver|admin): (.*)", line)
    if found is None:
        return
    words = octets(found[2]).decode().split()
    if found[1] == b"deliver":
        deliver(pair, user, *words)
    else:
        pair.back.admin(*words)


def expect_line(session, text, where):
    answer = session.line()
    if answer is None or not pattern(text).fullmatch(answer):
        raise Mismatch(f"{where}:\n  expected {text[:300]!r}\n  but got  {(answer or b'the end')[:300]!r}")


def expect_end(session, where):
    answer = session.line()
    if answer is not None:
        raise Mismatch(f"{where}:\n  expected the end\n  but got  {answer[:300]!r}")


def play_line(pair, sessions, opener, user, line, where):
    kind, text = line.split(b":", 1)
    who = kind[1:].rstrip(b"+") or b"1"
    if who not in sessions:
        sessions[who] = opener(pair, user)
    session, text = sessions[who], text[1:]
    if kind[:1] == b"C":
        session.send(octets(text) + (b"" if kind.endswith(b"+") else b"\r\n"))
    elif kind[:1] == b"S":
        expect_line(session, text, where)
    elif kind[:1] == b"E":
        expect_end(session, where)
    elif kind[:1] == b"H":
        session.secure()
    else:
        raise Mismatch(f"{where}: what is {line!r}?")


def play(pair, path, user):
    opener = OPENERS[os.path.basename(os.path.dirname(path))]
    sessions = {}
    with open(path, "rb") as file:
        script = file.read()
    if re.search(rb"^T[2-9]?:", script, re.M):
        return False  # needs the engine's own clock: the unit tests play it
    for word, value in ((b"<user>", user), (b"<domain>", DOMAIN), (b"<password>", PASSWORD)):
        script = script.replace(word, value.encode())
    for number, line in enumerate(script.split(b"\n"), 1):
        if line.startswith(b"#"):
            direct(pair, user, line)
        elif line:
            play_line(pair, sessions, opener, user, line, f"{path}:{number}")
    for who, session in sessions.items():
        rest = session.rest()
        if rest:
            raise Mismatch(f"{path}: session {who.decode()} said more: {rest[:300]!r}")
    return True


def main():
    names = sys.argv[1:] or sorted(os.path.relpath(path, HERE)[:-4]
                                   for path in glob.glob(os.path.join(HERE, "*", "*.txt")))
    passed, failed = 0, 0
    try:
        # which mechanisms bind to TLS depends on its engine: test_sasl.py
        with Pair(back_extra="message_size_limit = 1M\n", front_sections={"tls": "channel_binding = never\n"},
                  front_extra="[limits]\ntrusted_networks = 127.0.0.0/8, ::1\n") as pair:
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
