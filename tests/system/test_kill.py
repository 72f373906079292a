"""kill -9 under load: what was answered is there, once and whole."""

import hashlib
import os
import random
import signal
import threading

from pair import DOMAIN, Failed, Lmtp, Pair

ROUNDS = int(os.environ.get("KILL_ROUNDS", "20"))
SENDERS = 4


class Ledger:
    """What was sent: text by number, and which numbers were answered 250."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = {}
        self.answered = set()

    def make(self, generator):
        with self.lock:
            number = len(self.sent)
            size = generator.choice((200, 2_000, 20_000, 400_000, 1_500_000 if number % 37 == 0 else 5_000))
            body = "".join(f"{generator.getrandbits(240):x}\r\n" for _ in range(size // 62))
            text = f"Subject: ledger {number}\r\nX-Number: {number}\r\n\r\n{body}".encode()
            self.sent[number] = hashlib.sha256(text).digest()
            return number, text

    def answer(self, number):
        with self.lock:
            self.answered.add(number)


def send_until_broken(pair, ledger, seed, answered_enough):
    generator = random.Random(seed)
    try:
        with Lmtp("127.0.0.1", pair.front.lmtp_port) as lmtp:
            while True:
                number, text = ledger.make(generator)
                if lmtp.deliver("s@example.org", [f"alice@{DOMAIN}"], text):
                    return
                ledger.answer(number)
                answered_enough.set()
    except (Failed, OSError):
        return  # the back end was killed: nothing that was not answered counts


def check(pair, ledger):
    """Goes through the inbox: each message whole, none twice, all answered ones there."""
    imap = pair.imap()
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
    imap.logout()
    missing = ledger.answered - seen
    assert not missing, f"answered 250 and lost: {sorted(missing)[:10]}"
    return seen


def test_kill_9_of_the_back_end_under_delivery_load():
    with Pair() as pair:
        ledger = Ledger()
        for round_number in range(ROUNDS):
            answered_enough = threading.Event()
            threads = [threading.Thread(target=send_until_broken,
                                        args=(pair, ledger, round_number * 100 + n, answered_enough))
                       for n in range(SENDERS)]
            for thread in threads:
                thread.start()
            assert answered_enough.wait(60)
            threading.Event().wait(random.Random(round_number).random() * 0.3)
            pair.back.stop(signal.SIGKILL)
            for thread in threads:
                thread.join(90)
            pair.back.start()
            pair.front.wait_for_links(round_number + 2)
            if round_number % 5 == 4:
                check(pair, ledger)
        check(pair, ledger)
        assert len(ledger.answered) >= ROUNDS
