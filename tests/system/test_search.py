"""The search index: finds what reading finds, while messages come, go and move."""

import glob
import os
import random

from pair import Pair, wait_until

WORDS = ["alpha", "brávo", "Charlie", "delta", "Straße", "foxtrot", "golf", "hotel", "india",
         "juliett", "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo"]


def mail(n, rng):
    text = " ".join(rng.choice(WORDS) for _ in range(12)) + f" number {n * 7919}.\r\n"
    return (f"From: a@example.org\r\nSubject: message {n}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: 8bit\r\n\r\n{text}").encode()


def found(imap, *criteria):
    return imap.uid("SEARCH", "CHARSET", "UTF-8", *criteria)[1][0].split()


def by_reading(texts, needle):
    return [uid for uid, text in sorted(texts.items(), key=lambda item: int(item[0]))
            if needle.casefold() in text.casefold()]


def texts_of(imap):
    texts = {}
    for part in imap.uid("FETCH", "1:*", "(BODY.PEEK[TEXT])")[1]:
        if isinstance(part, tuple):
            uid = part[0].split(b"UID ")[1].split()[0].rstrip(b")")
            texts[uid] = part[1].decode()
    return texts


def append(imap, count, rng, start):
    for n in range(start, start + count):
        assert imap.append("INBOX", None, None, mail(n, rng))[0] == "OK"


def assert_same(imap, needles):
    texts = texts_of(imap)
    for needle in needles:
        imap.literal = needle.encode()
        hits = found(imap, "BODY")
        assert hits == by_reading(texts, needle), needle
        imap.literal = needle.encode()
        rest = found(imap, "NOT", "BODY")
        assert len(rest) == len(texts) - len(hits), needle


def index_bytes(pair):
    files = glob.glob(os.path.join(pair.back.folder, "**", "search", "*", "*"), recursive=True)
    return sum(os.path.getsize(file) for file in files)


def test_searches_find_the_same_with_and_without_the_index():
    rng = random.Random(5)
    needles = ["brávo", "STRASSE", "number 7919.", "lima mike", "no such text", "go", "o r", "papa"]
    with Pair() as pair:
        imap = pair.imap()
        append(imap, 270, rng, 0)
        imap.select("INBOX")
        assert index_bytes(pair) == 0
        assert_same(imap, needles)
        wait_until(lambda: index_bytes(pair) > 0, "the index")
        assert_same(imap, needles)
        append(imap, 10, rng, 270)
        imap.noop()
        assert_same(imap, needles)
        imap.uid("STORE", "10:120", "+FLAGS", "\\Deleted")
        imap.expunge()
        pair.back.admin("mailbox", "recover", "alice", "--subject=message 1")
        imap.noop()
        assert_same(imap, needles)
        pair.back.stop()
        pair.back.start()
        pair.front.wait_for_links(2)
        imap = pair.imap()
        imap.select("INBOX")
        assert_same(imap, needles)
