"""BODYSTRUCTURE, ENVELOPE and sections of messages as real programs write them, held against Python's parser."""

import email
import re

import corpus
from pair import DOMAIN, Lmtp, Pair

NESTED = (b"message", b"rfc822")


class Reader:
    """IMAP's lists, strings, literals and atoms as Python's; NIL is None."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def value(self):
        byte = self.data[self.at:self.at + 1]
        if byte == b"(":
            return self.items()
        if byte == b'"':
            match = re.compile(rb'"((?:[^"\\\r\n]|\\["\\])*)"').match(self.data, self.at)
            self.at = match.end()
            return re.sub(rb"\\(.)", rb"\1", match[1])
        if byte == b"{":
            match = re.compile(rb"\{(\d+)\}\r\n").match(self.data, self.at)
            self.at = match.end() + int(match[1])
            return self.data[match.end():self.at]
        match = re.compile(rb'[^() "{\[\r\n]+(?:\[[^\]]*\])?').match(self.data, self.at)
        self.at = match.end()
        return None if match[0] == b"NIL" else int(match[0]) if match[0].isdigit() else match[0]

    def items(self):
        result = []
        self.at += 1
        while self.data[self.at:self.at + 1] != b")":
            if self.data[self.at:self.at + 1] == b" ":
                self.at += 1
            else:
                result.append(self.value())
        self.at += 1
        return result


def fetch(imap, number, what):
    """One message's answer as {item: value}."""
    status, lines = imap.fetch(str(number), what)
    assert status == "OK", lines
    data = b"".join(b"\r\n".join(line) if isinstance(line, tuple) else line for line in lines)
    values = Reader(data[data.index(b"("):]).value()
    return dict(zip(values[::2], values[1::2]))


def parts_told(structure, prefix="", is_message=True):
    """(section, structure) of every part that is no multipart."""
    if isinstance(structure[0], list):
        for number, child in enumerate(structure):
            if not isinstance(child, list):
                break
            yield from parts_told(child, f"{prefix}{number + 1}.", False)
        return
    section = prefix + "1" if is_message else prefix[:-1]
    yield section, structure
    if (structure[0].lower(), structure[1].lower()) == NESTED:
        yield from parts_told(structure[8], section + ".")


def parts_parsed(message, prefix="", is_message=True):
    if message.get_content_maintype() == "multipart":
        for number, child in enumerate(message.get_payload()):
            yield from parts_parsed(child, f"{prefix}{number + 1}.", False)
        return
    section = prefix + "1" if is_message else prefix[:-1]
    yield section, message
    if message.get_content_type() == "message/rfc822":
        yield from parts_parsed(message.get_payload(0), section + ".")


def check_part(imap, number, section, told, parsed, raw):
    got = fetch(imap, number, f"(BODY.PEEK[{section}] BODY.PEEK[{section}.MIME] BODY.PEEK[{section}.HEADER] "
                              f"BODY.PEEK[{section}.TEXT])")
    body, mime, header, text = got.values()
    assert mime + body in raw
    assert (told[0] + b"/" + told[1]).lower().decode() == parsed.get_content_type()
    assert told[5].decode().lower() == str(parsed.get("Content-Transfer-Encoding", "7bit")).lower()
    assert told[6] == len(body)
    if (told[0].lower(), told[1].lower()) == NESTED:
        assert header + text == body and told[9] == body.count(b"\n")
        return
    assert header is None and text is None
    assert told[0].lower() != b"text" or told[7] == body.count(b"\n")
    if not parsed.is_multipart():
        assert parsed._payload.encode("ascii", "surrogateescape") == body


def check_message(imap, number, message):
    got = fetch(imap, number, "(RFC822.SIZE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODYSTRUCTURE ENVELOPE)")
    raw = got[b"BODY[]"]
    assert raw.endswith(message) and got[b"RFC822.SIZE"] == len(raw)
    assert got[b"BODY[HEADER]"] + got[b"BODY[TEXT]"] == raw
    parsed = email.message_from_string(raw.decode("ascii", "surrogateescape"))
    expected = dict(parts_parsed(parsed))
    told = dict(parts_told(got[b"BODYSTRUCTURE"]))
    assert list(told) == list(expected)
    for section in told:
        check_part(imap, number, section, told[section], expected[section], raw)
    subject = None if parsed["Subject"] is None else re.sub("\r?\n", "", str(parsed["Subject"])).strip().encode()
    assert got[b"ENVELOPE"][1] == subject


def test_real_messages_have_the_structure_that_python_finds():
    messages = corpus.messages()
    wrong = []
    with Pair() as pair:
        with Lmtp("127.0.0.1", pair.front.lmtp_port) as lmtp:
            for message in messages.values():
                assert not lmtp.deliver("sender@example.org", ["alice@" + DOMAIN], message)
        imap = pair.imap()
        imap.select()
        for number, (name, message) in enumerate(messages.items(), 1):
            try:
                check_message(imap, number, message)
            except AssertionError as problem:
                line = problem.__traceback__
                while line.tb_next is not None:
                    line = line.tb_next
                wrong.append(f"{name}: line {line.tb_lineno}")
    assert not wrong, wrong


def test_charset_converters_are_loaded_before_anybody_needs_them():
    with Pair() as pair:
        with open(f"/proc/{pair.back.process.pid}/maps") as maps:
            assert "/gconv/" in maps.read()
