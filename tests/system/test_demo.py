"""`make run`'s second half: the demo that a new user sees."""

import os
import re
import signal
import subprocess
import tempfile

from pair import BIN, ROOT, Failed, wait_until


class Demo:
    def __init__(self, folder, **variables):
        self.log = os.path.join(folder, "demo.log")
        self.data = os.path.join(folder, "data")
        self.output = open(self.log, "w")
        self.process = subprocess.Popen(
            [os.path.join(ROOT, "deploy", "demo")], stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=self.output, env={**os.environ, "BIN": BIN, "DIR": self.data, **variables},
            # a shell cannot trap what it was started to ignore, as everything behind an `&` is
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

        def ready():
            if self.process.poll() is not None:
                raise Failed(f"the demo ended:\n{self.text()}")
            return re.search("^READY", self.text(), re.M)

        wait_until(ready, "READY")

    def text(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def printed(self, word):
        return [line.strip() for line in self.text().splitlines() if line.strip().startswith(word)]

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            code = "it did not stop"
        assert code == 0, (code, self.text())
        self.output.close()
        assert "Sanitizer" not in self.text() and "runtime error" not in self.text(), self.text()


def pasted(line):
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=60)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def test_the_printed_lines_work_and_a_second_run_keeps_the_mail():
    with tempfile.TemporaryDirectory() as folder:
        base = str(next(b for b in range(30000, 60000, 1100) if all_free(b)))
        demo = Demo(folder, PORT_BASE=base)
        imap, pop3 = demo.printed("curl")
        assert b"Subject: Welcome" in pasted(imap)
        assert b"Subject: Welcome" in pasted(pop3)
        pasted(demo.printed("swaks")[0])
        assert os.stat(os.path.join(demo.data, "password")).st_mode & 0o777 == 0o600
        for line in demo.text().splitlines():
            if " status" in line:
                pasted(line.strip())
        second = subprocess.run([os.path.join(ROOT, "deploy", "demo")], capture_output=True, text=True,
                                env={**os.environ, "BIN": BIN, "DIR": folder + "/other", "PORT_BASE": base})
        assert second.returncode != 0 and "mailbox-backend" not in second.stdout
        assert "taken by cas-proxy" in second.stderr, second
        demo.stop()
        demo = Demo(folder, PORT_BASE=base)
        listing = pasted(imap.replace("/INBOX;MAILINDEX=1", "/INBOX?ALL"))
        assert b"* SEARCH 1 2 3 4" in listing, listing
        demo.stop()


def all_free(base):
    import socket
    for offset in (143, 993, 110, 995, 24):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", base + offset))
            except OSError:
                return False
    return True
