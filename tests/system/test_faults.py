"""The nth call to the disk fails, for a back end under delivery load: what was answered is there, once and
whole, what was refused is not, and service goes on."""

import errno
import imaplib
import os
import random
import threading

from faults import SHIM, Faults
from pair import DOMAIN, Failed, Lmtp, Pair, wait_until
from test_kill import Ledger, check

# In `make test` some of them; `make torture` wants all up to a bound.
BOUND = int(os.environ.get("FAULT_BOUND", "60"))
STEP = int(os.environ.get("FAULT_STEP", "7"))
CHECK_EVERY = 10
SENDERS = 2
ERRORS = ((errno.EIO, 1), (errno.ENOSPC, 1), (0, 1), (errno.EIO, 8), (errno.ENOSPC, 25))


class Load:
    """Deliveries without end; what was answered and what was refused stand in the ledger."""

    def __init__(self, pair):
        self.pair = pair
        self.ledger = Ledger()
        self.refused = set()
        self.answers = 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(n,)) for n in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def send(self, seed):
        generator = random.Random(seed)
        while not self.over.is_set():
            try:
                with Lmtp("127.0.0.1", self.pair.front.lmtp_port) as lmtp:
                    while not self.over.is_set():
                        number, text = self.ledger.make(generator)
                        if lmtp.deliver("s@example.org", [f"alice@{DOMAIN}"], text):
                            self.refused.add(number)
                            self.over.wait(0.05)  # as a mail server would, only longer
                            continue
                        self.ledger.answer(number)
                        self.answers += 1
            except (Failed, OSError):
                self.over.wait(0.05)  # the back end is starting

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(90)

    def check(self):
        seen = check(self.pair, self.ledger)
        assert not seen & self.refused, f"refused and there all the same: {sorted(seen & self.refused)[:10]}"


def run(pair, faults, load, nth, error, times):
    """One fault, and service after it."""
    faults.arm(nth, error, times)
    wait_until(faults.is_over, f"call {nth} was made")
    faults.disarm()
    before = load.answers
    wait_until(lambda: load.answers >= before + SENDERS + 1, f"service after {faults.last()} failed")


def sound(pair):
    code, said = pair.back.admin("database", "check", "--fast", ok=None)
    assert code == 0, said


def prepared():
    """A pair whose back end can be made to fail."""
    pair = Pair()
    pair.back.stop()
    store = os.path.join(pair.back.folder, "data", "store")
    faults = Faults(os.path.join(pair.folder, "faults"), store)
    pair.back.environment = faults.environment
    return pair, faults


def serves(pair):
    try:
        pair.imap().logout()
        return True
    except imaplib.IMAP4.error:
        return False


def restart(pair):
    pair.back.start()
    wait_until(lambda: serves(pair), "the back end serves")


def test_service_goes_on_after_any_call_to_the_disk_has_failed():
    pair, faults = prepared()
    with pair:
        restart(pair)
        load = Load(pair)
        try:
            wait_until(lambda: load.answers > 0, "the first answer")
            for count, nth in enumerate(range(1, BOUND + 1, STEP)):
                error, times = ERRORS[count % len(ERRORS)]
                run(pair, faults, load, nth, error, times)
                if count % CHECK_EVERY == CHECK_EVERY - 1:
                    sound(pair)
        finally:
            load.end()
        sound(pair)
        load.check()
        pair.back.stop()
        restart(pair)
        load.check()
        sound(pair)


def test_a_start_that_fails_at_any_call_to_the_disk_loses_nothing():
    pair, faults = prepared()
    with pair:
        restart(pair)
        load = Load(pair)
        wait_until(lambda: load.answers >= 10, "some answers")
        load.end()
        pair.back.stop()
        for nth in range(1, 20, 9 if STEP > 1 else 1):
            faults.arm(nth, errno.EIO)
            try:
                pair.back.start()
            except Failed:  # it said why and ended
                pair.back.process = None
            if pair.back.process is not None:
                pair.back.stop()
            faults.disarm()
        restart(pair)
        load.check()
        sound(pair)
