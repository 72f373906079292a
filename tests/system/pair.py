"""Real fronts and backs for the system tests: started on loopback, in a folder of their own.

    with Pair() as pair:                     # one front, one back, link over a unix socket
        pair.add_user("alice", "secret")
        pair.deliver("alice", b"Subject: hello\r\n\r\nhi\r\n")
        imap = pair.imap("alice", "secret")

`Deployment` is the general form: any number of fronts and backs, with links by mutual TLS.
"""

import imaplib
import os
import poplib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(ROOT, os.environ.get("BUILD", "build-test"), "bin")
FRONT = os.path.join(BIN, "cas-proxy")
BACK = os.path.join(BIN, "mailbox-backend")
DOMAIN = "example.test"
LOOPS = 2      # of every program, whatever the machine has
ENGINE = os.environ.get("TLS_ENGINE", "auto")  # of programs for which a test names none
PATIENCE = 60  # seconds until a thing that must happen counts as never happening

imaplib._MAXLINE = 20_000_000
poplib._MAXLINE = 20_000_000


class Failed(Exception):
    pass


def wait_until(check, what):
    """Polls until check() is true; the time it took is nobody's business."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        result = check()
        if result:
            return result
        time.sleep(0.02)
    raise Failed(f"never happened: {what}")


def free_port(host="127.0.0.1"):
    with socket.socket() as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def connects(address):
    try:
        if isinstance(address, str):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(address)
        else:
            socket.create_connection(address, 5).close()
        return True
    except OSError:
        return False


class Program:
    """One daemon, its configuration and its administrator's command line."""

    def __init__(self, binary, folder, config, environment=None):
        self.binary = binary
        self.folder = folder
        self.config = os.path.join(folder, "config")
        self.log_path = os.path.join(folder, "log")
        self.environment = environment
        self.user = None  # of pwd, when not the tests' own
        self.wrapper = ()  # what runs the daemon, such as valgrind with its options
        self.process = None
        os.makedirs(folder, exist_ok=True)
        with open(self.config, "w") as file:
            file.write(config)

    def admin(self, *words, secret=None, ok=(0,)):
        """Runs an administrator's command; returns (exit code, stdout)."""
        command = [self.binary, "--config", self.config, *words]
        done = subprocess.run(command, input=secret, capture_output=True, text=True, timeout=PATIENCE * 2)
        if ok is not None and done.returncode not in ok:
            raise Failed(f"{' '.join(words)}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done.returncode, done.stdout + (done.stderr if ok is None else "")

    def start(self, ready):
        identity = {} if self.user is None else {
            "user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, self.binary, "--config", self.config, "serve"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={**os.environ, **(self.environment or {})}, **identity)

        def up():
            if self.process.poll() is not None:
                raise Failed(f"{self.binary} ended with {self.process.returncode}:\n{self.log()[-3000:]}")
            return ready()

        wait_until(up, f"{self.binary} is ready")

    def stop(self, kind=signal.SIGTERM, expect=0):
        if self.process is None:
            return
        self.process.send_signal(kind)
        code = self.process.wait(PATIENCE)
        self.process = None
        if kind == signal.SIGTERM and code != expect:
            raise Failed(f"{self.binary} ended with {code}:\n{self.log()[-6000:]}")

    def log(self):
        try:
            with open(self.log_path, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""


class Back(Program):
    def __init__(self, deployment, name, link, tls=False, extra="", environment=None, engine=ENGINE):
        folder = os.path.join(deployment.folder, name)
        self.name = name
        self.link = link
        self.control = os.path.join(folder, "data", "control")
        pki = deployment.pki
        os.makedirs(folder, exist_ok=True)
        certificates = (f"certificate = {pki}/{name}.crt\nkey = {pki}/{name}.key\nca = {pki}/ca.crt\n"
                        if tls else "")
        super().__init__(BACK, folder, (
            f"[backend]\nname = {name}\ndata = {folder}/data\nlog_level = debug\nloops = {LOOPS}\n"
            f"tls_engine = {engine}\n"
            f"[link]\nlisten = {link}\n{certificates}"
            f"[directory]\ndefault_domain = {DOMAIN}\n"
            f"[store]\nmap_size = 1G\n{extra}"), environment)

    def start(self):
        super().start(lambda: os.path.exists(self.control) and
                      self.admin("status", ok=None)[0] == 0)

    def add_user(self, user, password, *flags):
        self.admin("user", "add", user, "--password-stdin", *flags, secret=password + "\n")


class Front(Program):
    def __init__(self, deployment, name, backs, host="127.0.0.1", tls=False, extra="", sections=None,
                 engine=ENGINE):
        folder = os.path.join(deployment.folder, name)
        os.makedirs(folder, exist_ok=True)
        self.host = host
        self.backs = len(backs)
        self.control = os.path.join(folder, "data", "control")
        self.lmtp_socket = os.path.join(folder, "lmtp")
        self.imap_port, self.imaps_port, self.pop3_port, self.pop3s_port, self.lmtp_port = (
            free_port(host) for _ in range(5))
        pki = deployment.pki
        link = f"[link]\nca = {pki}/ca.crt\n" + (
            f"certificate = {pki}/{name}.crt\nkey = {pki}/{name}.key\n" if tls else "")
        backends = "".join(f"[backend {back.name}]\naddress = {back.link}\n" for back in backs)
        more = {"tls": "", "imap4": "", "pop3": "", "lmtp": "", **(sections or {})}
        super().__init__(FRONT, folder, (
            f"[front]\nname = {name}\ndata = {folder}/data\nlog_level = debug\nloops = {LOOPS}\n"
            f"tls_engine = {engine}\n"
            f"[tls]\ncertificate = {pki}/server.crt\nkey = {pki}/server.key\n{more['tls']}{link}"
            f"[imap4]\nlisten = {host}:{self.imap_port}\nlisten_tls = {host}:{self.imaps_port}\n{more['imap4']}"
            f"[pop3]\nlisten = {host}:{self.pop3_port}\nlisten_tls = {host}:{self.pop3s_port}\n{more['pop3']}"
            f"[lmtp]\nlisten = unix:{self.lmtp_socket}, {host}:{self.lmtp_port}\n{more['lmtp']}"
            f"{extra}{backends}"))

    def start(self):
        super().start(lambda: os.path.exists(self.control) and
                      self.admin("status", ok=None)[0] == 0)

    def wait_for_links(self, times=1):
        """Waits until each loop's links have come up so many times, counted from the first start."""
        wait_until(lambda: self.log().count("link is up") >= times * LOOPS * self.backs,
                   "the links are up")


class Deployment:
    """A folder with a private CA; fronts and backs are added to it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="mailpair-")
        self.pki = os.path.join(self.folder, "pki")
        self.programs = []
        self.issue_ca()

    def issue_ca(self):
        self.run_pki("init", self.pki)
        self.issue("server", "server", "localhost", "--host=localhost", "--ip=127.0.0.1")

    def run_pki(self, *words):
        subprocess.run([BACK, "pki", *words], check=True, capture_output=True, timeout=PATIENCE)

    def issue(self, role, file, name, *more):
        """A certificate for name; stored as file.crt and file.key in the PKI's folder."""
        self.run_pki("issue", self.pki, f"--role={role}", f"--name={name}", f"--out={file}", "--replace", *more)

    def tls(self):
        return ssl.create_default_context(cafile=os.path.join(self.pki, "ca.crt"))

    def add(self, program):
        self.programs.append(program)
        return program

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        failure = None
        for program in reversed(self.programs):
            try:
                program.stop()
            except Exception as problem:  # report the first, stop the others all the same
                failure = failure or problem
                if program.process is not None:
                    program.process.kill()
                    program.process.wait()
                    program.process = None
        reports = [program for program in self.programs
                   if "AddressSanitizer" in program.log() or "runtime error:" in program.log()
                   or "LeakSanitizer" in program.log()]
        if kind is not None or failure or reports:
            for program in self.programs:
                tail = program.log()[-(20000 if program in reports else 3000):]
                print(f"--- log of {program.binary} in {program.folder}\n{tail}")
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        if kind is None and (failure or reports):
            raise failure or Failed("a sanitizer spoke; see the log above")


class Pair(Deployment):
    """One front and one back side by side, all services on."""

    def __init__(self, users=(("alice", "secret-a"), ("bob", "secret-b")), back_extra="",
                 front_extra="", front_sections=None, start=True, engine=ENGINE):
        super().__init__()
        self.back = self.add(Back(self, "back1", f"unix:{self.folder}/link", extra=back_extra, engine=engine))
        self.front = self.add(Front(self, "front1", [self.back], extra=front_extra,
                                    sections=front_sections, engine=engine))
        self.users = dict(users)
        for service in ("imap4be", "pop3be", "lmtpbe"):
            self.back.admin("service", "enable", service)
        for service in ("imap4", "pop3", "lmtp"):
            self.front.admin("service", "enable", service)
        for user, password in users:
            self.back.add_user(user, password)
        if start:
            self.start()

    def start(self):
        self.back.start()
        self.front.start()
        self.front.wait_for_links()

    def __exit__(self, kind, value, trace):
        super().__exit__(kind, value, trace)

    def imap(self, user="alice", password=None):
        client = imaplib.IMAP4_SSL("localhost", self.front.imaps_port, ssl_context=self.tls())
        client.login(user, password or self.users[user])
        return client

    def pop3(self, user="alice", password=None):
        client = poplib.POP3_SSL("localhost", self.front.pop3s_port, context=self.tls())
        client.user(user)
        client.pass_(password or self.users[user])
        return client

    def deliver(self, users, message, sender="sender@example.org"):
        """Delivers to one or several users of the default domain; returns the refused ones."""
        users = [users] if isinstance(users, str) else users
        with Lmtp("127.0.0.1", self.front.lmtp_port) as lmtp:
            return lmtp.deliver(sender, [user if "@" in user else f"{user}@{DOMAIN}" for user in users],
                                message)


class Lmtp:
    """A client for RFC 2033: unlike smtplib's it reads the answer for each recipient after the message."""

    def __init__(self, host, port):
        self.connection, self.lines = raw_session(port, host)
        self.expect(b"220", self.answer())
        self.expect(b"250", self.command(b"LHLO tests.example.org"))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.command(b"QUIT")
        finally:
            self.connection.close()

    @staticmethod
    def expect(code, answer):
        if not answer.startswith(code):
            raise Failed(f"LMTP: expected {code}, got {answer}")

    def answer(self):
        while True:
            line = self.lines.readline()
            if not line:
                raise Failed("the LMTP connection ended")
            if line[3:4] != b"-":
                return line.rstrip(b"\r\n")

    def command(self, text):
        self.connection.sendall(text + b"\r\n")
        return self.answer()

    def deliver(self, sender, recipients, message):
        """Returns the refused recipients: {address: answer}."""
        self.expect(b"250", self.command(f"MAIL FROM:<{sender}> BODY=8BITMIME".encode()))
        refused, taken = {}, []
        for recipient in recipients:
            answer = self.command(f"RCPT TO:<{recipient}>".encode())
            if answer.startswith(b"250"):
                taken.append(recipient)
            else:
                refused[recipient] = answer
        if not taken:
            self.command(b"RSET")
            return refused
        self.expect(b"354", self.command(b"DATA"))
        self.connection.sendall((b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] +
                                (b"" if message.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        for recipient in taken:
            answer = self.answer()
            if not answer.startswith(b"250"):
                refused[recipient] = answer
        return refused


def raw_session(port, host="127.0.0.1"):
    """A plain socket with a line reader, for what no client library would send."""
    connection = socket.create_connection((host, port), PATIENCE)
    return connection, connection.makefile("rb")


def message(subject="hello", body="hi", **headers):
    lines = [f"From: Sender <sender@example.org>", f"To: alice@{DOMAIN}", f"Subject: {subject}",
             "Date: Tue, 24 Nov 2026 10:00:00 +0000", f"Message-ID: <{abs(hash((subject, body)))}@example.org>"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body + "\r\n").encode()
