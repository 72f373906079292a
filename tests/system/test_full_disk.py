"""A disk that fills up: what can be recovered goes first, then mail is refused, and comes in again when
there is room. On a small tmpfs; only root can mount one."""

import hashlib
import os
import re
import subprocess

from pair import DOMAIN, Pair, message, wait_until

SIZE = "112m"
BODY = (b"x" * 76 + b"\r\n") * 6400  # about half a megabyte


def numbered(n):
    return message(f"number {n}", "") + hashlib.sha256(b"%d" % n).hexdigest().encode() + b"\r\n" + BODY


def subjects(imap):
    """{number: (uid, checksum of the message)} of all in INBOX."""
    imap.select("INBOX")
    found = {}
    for uid in imap.uid("SEARCH", "ALL")[1][0].split():
        whole = imap.uid("FETCH", uid, "(BODY.PEEK[])")[1][0][1]
        number = int(re.search(rb"^Subject: number (\d+)", whole, re.M).group(1))
        found[number] = (uid, hashlib.sha256(whole[whole.index(b"\r\n\r\n"):]).hexdigest())
    return found


def expunge(imap, numbers):
    there = subjects(imap)
    for number in numbers:
        imap.uid("STORE", there[number][0], "+FLAGS.SILENT", "(\\Deleted)")
    imap.expunge()


def body_sum(whole):
    return hashlib.sha256(whole[whole.index(b"\r\n\r\n"):]).hexdigest()


def test_recoverable_mail_goes_before_new_mail_is_refused_and_room_brings_service_back():
    if os.geteuid() != 0:
        return "skip: only root can mount a tmpfs"
    with Pair(users=(("alice", "secret-a"),), back_extra="databases = 1\ncompress = no\n",
              start=False) as pair:
        store = os.path.join(pair.back.folder, "data", "store")
        os.makedirs(store, exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", store]).returncode:
            return "skip: a tmpfs cannot be mounted here"
        try:
            pair.start()
            fill_up_and_recover(pair)
        finally:
            pair.front.stop()
            pair.back.stop()
            subprocess.run(["umount", store], check=True)


def fill_up_and_recover(pair):
    ledger = {}
    imap = pair.imap()

    def deliver(number):
        whole = numbered(number)
        refused = pair.deliver("alice", whole)
        if not refused:
            ledger[number] = body_sum(whole)
        return refused.get(f"alice@{DOMAIN}", b"")

    # more than the disk holds, nearly all of it deleted: room comes from what could be recovered
    for first in range(0, 220, 20):
        for number in range(first, first + 20):
            wait_until(lambda: not deliver(number), f"message {number} is taken")
            assert number > 0 or "nearly full" not in pair.back.log()
        gone = range(first + 1, first + 20)
        expunge(imap, gone)
        for number in gone:
            del ledger[number]
    log = pair.back.log()
    purged = re.search(r"db1: the disk is nearly full: (\d+) deleted messages \((\d+) bytes\) went for good", log)
    assert purged and int(purged.group(1)) > 0 and int(purged.group(2)) > 0, log[-3000:]
    refusal = log.find("bytes are left")
    assert refusal < 0 or purged.start() < refusal, "mail was refused before the recoverable went"

    # nothing is deleted any more: in the end mail is refused, for a while only. How much is taken before the first
    # refusal depends on how far purging and compaction are; they have to make room for more than 20
    number = 1000
    refused_append = False
    while not refused_append:
        while not (answer := deliver(number)):
            number += 1
        assert answer.startswith(b"452") or answer.startswith(b"451"), answer
        if number - 1000 <= 20:
            wait_until(lambda: not deliver(number), f"message {number} is taken")
            number += 1
            continue
        refused_append = imap.append("INBOX", None, None, numbered(number))[0] == "NO"
        if not refused_append:
            ledger[number] = body_sum(numbered(number))
            number += 1
    kept = [n for n in ledger if n >= 1000]
    assert len(kept) > 20, len(kept)

    # deletion works on the full disk, and gives the room back
    expunge(imap, kept)
    for n in kept:
        del ledger[n]
    wait_until(lambda: not deliver(2000), "mail is taken again")
    there = {n: checksum for n, (_, checksum) in subjects(imap).items()}
    assert there == ledger, (sorted(there), sorted(ledger))
    assert pair.back.admin("database", "check", "--fast")[0] == 0
    imap.logout()
