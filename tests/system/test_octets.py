"""A thousand messages of every shape come back octet for octet over IMAP and POP3."""

import random

from pair import Pair


def shapes():
    """Yields (name, bytes): hand-made corner cases first, then seeded random ones, 1,000 in all."""
    head = b"From: a@example.org\r\nSubject: s\r\n\r\n"
    fixed = {
        "one byte": b"x",
        "only an empty line": b"\r\n",
        "header without a body": b"Subject: x\r\n\r\n",
        "header without its empty line": b"Subject: x\r\n",
        "no final newline": head + b"last line without end",
        "bare LF": b"Subject: x\nFrom: a@b\n\nline\nline\n",
        "bare CR": head + b"one\rtwo\r\rthree\r",
        "CR LF mixed": head + b"a\r\nb\nc\rd\r\r\n\n\re\r\n",
        "NUL": head + b"a\0b\0\0\r\n\0",
        "only NULs": b"\0" * 5000,
        "dots": head + b".\r\n..\r\n...\r\n.x\r\n\r\n.\r\n",
        "dot at the start": b".\r\n" + head,
        "dot at the end": head + b"x\r\n.",
        "8-bit header": b"Subject: gr\xfc\xdfe \xe2\x82\xac\r\nFrom: \xff\xfe@x\r\n\r\n\x80\x81\r\n",
        "all bytes": head + bytes(range(256)) * 40,
        "huge line": head + b"y" * 1_500_000 + b"\r\n",
        "huge header line": b"Subject: " + b"z" * 300_000 + b"\r\n\r\nbody\r\n",
        "100,000 headers": b"".join(b"X-H%d: v\r\n" % n for n in range(100_000)) + b"\r\nbody\r\n",
        "no colon in the header": b"this is no header\r\n\r\nbody\r\n",
        "folded header": b"Subject: a\r\n\tb\r\n c\r\n \r\n\td\r\n\r\nbody\r\n",
        "From_ line": b"From x@y Tue Nov 24 10:00:00 2026\nSubject: x\n\nFrom here\n>From there\n",
        "empty multipart": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n",
        "unclosed multipart": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n",
        "boundary of 70": b"Content-Type: multipart/mixed; boundary=" + b"q" * 70 + b"\r\n\r\n--" + b"q" * 70 +
                          b"\r\n\r\nx\r\n--" + b"q" * 70 + b"--\r\n",
        "50 MB": head + bytes(random.Random(50).randbytes(1 << 20)) * 50,
        "8 MB of text": head + b"The quick brown fox jumps over the lazy dog.\r\n" * 180_000,
        "16-bit text": head + "ünïcödé\r\n".encode("utf-16") * 100,
    }
    nested = b"Subject: innermost\r\n\r\nend\r\n"
    for depth in range(120):
        nested = (b"Content-Type: message/rfc822\r\n\r\n" + nested if depth % 2 else
                  b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth) + nested +
                  b"\r\n--b%d--\r\n" % depth)
    fixed["deep nesting"] = nested
    fixed["5,000 parts"] = (b"Content-Type: multipart/mixed; boundary=p\r\n\r\n" +
                            b"--p\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 5000 + b"--p--\r\n")
    yield from fixed.items()
    generator = random.Random(2026)
    pieces = [b"\r\n", b"\n", b"\r", b"\0", b".", b"..", b"\r\n.\r\n", b": ", b"Subject: x", b"\t", b" ",
              b"Content-Type: multipart/mixed; boundary=b", b"--b", b"--b--", b"=?utf-8?q?=41?=", b"\xff\xfe",
              b"text", b"a" * 998, b"Content-Transfer-Encoding: base64\r\n\r\nAAAA=", b"(", b'"', b"\\"]
    for number in range(1000 - len(fixed)):
        count = generator.choice((1, 5, 50, 500))
        yield f"random {number}", b"".join(generator.choice(pieces) if generator.random() < 0.8 else
                                           generator.randbytes(generator.randrange(300))
                                           for _ in range(count)) or b"x"


def bdat(connection, reply, text):
    """CHUNKING carries any octets, in chunks whose borders fall anywhere."""
    step = max(1, min(len(text), 1 << 20) * 2 // 3)
    for start in range(0, len(text), step):
        chunk = text[start:start + step]
        last = b" LAST" if start + step >= len(text) else b""
        connection.sendall(b"BDAT %d%s\r\n" % (len(chunk), last) + chunk)
        assert reply().startswith(b"250"), "BDAT"


def test_every_shape_comes_back_octet_for_octet():
    from pair import DOMAIN, raw_session
    sent = list(shapes())
    assert len(sent) == 1000
    with Pair() as pair:
        connection, lines = raw_session(pair.front.lmtp_port)

        def reply():
            while True:
                line = lines.readline()
                assert line, "the LMTP connection ended"
                if line[3:4] != b"-":
                    return line

        def command(text, expect=b"250"):
            connection.sendall(text + b"\r\n")
            answer = reply()
            assert answer.startswith(expect), (text, answer)

        reply()
        command(b"LHLO shapes.example.org")
        for name, text in sent:
            command(b"MAIL FROM:<s@example.org> BODY=8BITMIME")
            command(f"RCPT TO:<alice@{DOMAIN}>".encode())
            bdat(connection, reply, text)
        command(b"QUIT", b"221")

        imap = pair.imap()
        assert imap.select("INBOX")[1] == [b"1000"]
        pop = pair.pop3()
        sizes = [int(line.split()[1]) for line in pop.list()[1]]
        imap_sizes = {}
        for line in imap.fetch("1:*", "(RFC822.SIZE)")[1]:
            number, rest = line.split(b" ", 1)
            imap_sizes[int(number)] = int(rest.split(b"RFC822.SIZE ")[1].rstrip(b")"))
        for number, (name, text) in enumerate(sent, 1):
            stored = imap.fetch(str(number), "(BODY.PEEK[])")[1][0][1]
            trace = stored.index(b"Received: ")
            assert stored.endswith(text) and trace < 200, f"IMAP changed: {name}"
            added = stored[:len(stored) - len(text)]
            assert added.startswith(b"Return-Path: <s@example.org>\r\n") and added.count(b"Received: ") == 1, added
            assert imap_sizes[number] == len(stored), f"RFC822.SIZE: {name}"
            got = retrieve(pop, number)
            expected = stored if stored.endswith(b"\r\n") else stored + b"\r\n"
            assert got == expected, f"POP3 changed: {name}"
            assert sizes[number - 1] == len(expected), f"POP3 size: {name}"
            if number <= 100 and len(stored) < 1 << 20:  # the corner cases and some of the others
                assert retrieve(pop, f"{number} 9999999", "TOP") == expected, f"TOP changed: {name}"
                top = retrieve(pop, f"{number} 0", "TOP")
                assert expected.startswith(top) or expected.startswith(top[:-2]), f"TOP 0 changed: {name}"
                assert top.startswith(added), f"TOP 0 lacks the header: {name}"
            # the structure of anything can be asked for, and partial fetches add up
            answer = imap.fetch(str(number), "(ENVELOPE BODYSTRUCTURE BODY.PEEK[TEXT]<0.10>)")
            assert answer[0] == "OK", f"structure: {name}"
            if len(stored) > 1 << 20:
                parts = b"".join(imap.fetch(str(number), f"(BODY.PEEK[]<{at}.{700_001}>)")[1][0][1]
                                 for at in range(0, len(stored), 700_001))
                assert parts == stored, f"partial: {name}"
        imap.logout()
        pop.quit()


def retrieve(pop, number, command="RETR"):
    """RETR with the dot-stuffing undone but every other octet kept (poplib drops line ends)."""
    pop._putcmd(f"{command} {number}")
    pop._getresp()
    out = []
    while True:
        line = pop.file.readline()
        assert line, "the POP3 connection ended"
        while not line.endswith(b"\r\n"):  # a bare LF in the message
            line += pop.file.readline()
        if line == b".\r\n":
            return b"".join(out)
        out.append(undot(line))


def undot(line):
    """Dot-stuffing is undone at the start of CRLF lines only."""
    return line[1:] if line.startswith(b".") else line
