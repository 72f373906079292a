"""A backup of a pair that takes mail, restored onto another: every message of its moment, once and whole."""

import hashlib
import json
import os
import re
import threading

from pair import DOMAIN, Failed, Lmtp, Pair

SENDERS = 3


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.sent = {}
        self.answered = set()
        self.stop = threading.Event()

    def send(self, port, first):
        """Numbers first, first + SENDERS … until stopped."""
        number = first
        try:
            with Lmtp("127.0.0.1", port) as lmtp:
                while not self.stop.is_set():
                    text = (f"Subject: ledger\r\nX-Number: {number}\r\n\r\n"
                            + f"line {number} of many\r\n" * (number * 7919 % 3000)).encode()
                    with self.lock:
                        self.sent[number] = hashlib.sha256(text).digest()
                    assert not lmtp.deliver("s@example.org", [f"alice@{DOMAIN}"], text)
                    with self.lock:
                        self.answered.add(number)
                    number += SENDERS
        except (Failed, OSError):
            if not self.stop.is_set():
                raise

    def now(self):
        with self.lock:
            return set(self.answered)


def numbers_in(imap, ledger):
    count = int(imap.select("INBOX", readonly=True)[1][0])
    seen = set()
    for first in range(1, count + 1, 50):
        for item in imap.fetch(f"{first}:{min(first + 49, count)}", "(BODY.PEEK[])")[1]:
            if not isinstance(item, tuple):
                continue
            text = item[1][item[1].index(b"Subject: ledger"):]
            number = int(text.split(b"X-Number: ")[1].split(b"\r\n")[0])
            assert number not in seen, f"message {number} is there twice"
            assert hashlib.sha256(text).digest() == ledger.sent[number], f"message {number} is not whole"
            seen.add(number)
    return seen


def inbox_status(pair):
    imap = pair.imap()
    answer = imap.status("INBOX", "(UIDNEXT UIDVALIDITY)")[1][0].decode()
    imap.logout()
    return {name: int(value) for name, value in re.findall(r"([A-Z]+) (\d+)", answer)}


def under_load(pair, ledger, work):
    threads = [threading.Thread(target=ledger.send, args=(pair.front.lmtp_port, n)) for n in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        return work()
    finally:
        ledger.stop.set()
        for thread in threads:
            thread.join()


def test_backup_of_a_pair_under_load_restored_onto_another():
    ledger = Ledger()
    with Pair() as pair:
        folder = os.path.join(pair.folder, "backups")
        os.mkdir(folder)

        def back_up():
            done = []
            for enough in (20, 60, 100):
                while len(ledger.now()) < enough:
                    pass
                before = ledger.now()
                done.append(json.loads(pair.back.admin("backup", "run", folder, "--json")[1]))
            return before, ledger.now(), done

        before, after, done = under_load(pair, ledger, back_up)
        assert all(row["whole"] for row in done)
        assert len(json.loads(pair.back.admin("backup", "list", folder, "--json")[1])) == 3
        for row in done:
            pair.back.admin("backup", "verify", folder, f"--backup={row['backup']}")
        code, text = pair.back.admin("backup", "restore", folder, ok=None)
        assert code != 0 and "running" in text, text
        told = inbox_status(pair)
        os.rename(folder, folder + "-kept")

        with Pair(start=False) as other:
            data = os.path.join(other.folder, "back1", "data")
            code, text = other.back.admin("backup", "restore", folder + "-kept", ok=None)
            assert code != 0 and "move it away" in text, text
            os.rename(f"{data}/directory", f"{data}/directory.old")
            other.back.admin("backup", "restore", folder + "-kept")
            other.start()
            restored = inbox_status(other)
            assert restored["UIDVALIDITY"] == told["UIDVALIDITY"]
            assert restored["UIDNEXT"] > told["UIDNEXT"]
            imap = other.imap()
            seen = numbers_in(imap, ledger)
            imap.logout()
            assert before <= seen, f"missing: {sorted(before - seen)[:10]}"
            assert len(seen - after) <= SENDERS, "more than what was on its way"
            assert not other.deliver("alice", b"Subject: later\r\n\r\nhi\r\n")
