"""IMAP's COMPRESS=DEFLATE through a real front and back."""

import zlib

from pair import Pair, raw_session


class Compressed:
    def __init__(self, connection):
        self.connection = connection
        self.deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.inflate = zlib.decompressobj(-15)
        self.read = b""

    def ask(self, text, end):
        self.connection.sendall(self.deflate.compress(text) + self.deflate.flush(zlib.Z_SYNC_FLUSH))
        while end not in self.read:
            raw = self.connection.recv(65536)
            assert raw, "the connection was closed"
            self.read += self.inflate.decompress(raw)
        answer, self.read = self.read, b""
        return answer


def test_messages_go_both_ways_compressed():
    body = b"Subject: large\r\n\r\n" + b"".join(b"%d line of text\r\n" % n for n in range(30000))
    with Pair(front_sections={"imap4": "plaintext_auth = yes\n"}) as pair:
        connection, lines = raw_session(pair.front.imap_port)
        lines.readline()
        connection.sendall(b"a LOGIN alice secret-a\r\n")
        assert b"COMPRESS=DEFLATE" in lines.readline()
        connection.sendall(b"b COMPRESS DEFLATE\r\n")
        assert lines.readline() == b"b OK COMPRESS completed\r\n"
        session = Compressed(connection)
        session.ask(b"c APPEND INBOX {%d+}\r\n" % len(body) + body + b"\r\n", b"\r\n")
        session.ask(b"d SELECT INBOX\r\n", b"d OK")
        assert body in session.ask(b"e FETCH 1 BODY.PEEK[]\r\n", b"e OK FETCH completed\r\n")
        assert session.ask(b"f LOGOUT\r\n", b"f OK").startswith(b"* BYE")
