"""The servers that are compared: Dovecot 2.3 with mdbox, a Dovecot proxy in front of it, and the pair.

Each has `ports` (imap, imaps, pop3, pop3s, lmtp) and `processes` (ids whose CPU, with that of their
descendants, is the server's). All listen on loopback and keep their mail in folders side by side."""

import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "system"))
os.environ.setdefault("BUILD", "build")

import pair  # noqa: E402  (the system tests' programs and certificates)

DOVECOT = "/usr/sbin/dovecot"
USERS = 32
PASSWORD = "pw"
SERVICES = ("imap", "imaps", "pop3", "pop3s", "lmtp")


def free_ports():
    return {service: pair.free_port() for service in SERVICES}


def user_lines(proof, more, users=USERS):
    return "".join(f"u{number:03d}:{proof}{more}\n" for number in range(users))


def hashed_password():
    """One hash for all, since to hash those of many users takes as many times a tenth of a second."""
    done = subprocess.run(["openssl", "passwd", "-5", PASSWORD], check=True, capture_output=True, text=True)
    return "{CRYPT}" + done.stdout.strip()


ENGINES = {"mbedtls": "mbedTLS", "openssl": "OpenSSL"}


class OurPair:
    """Default settings. link: unix, or tcp with mutual TLS; connections: how many IMAP connections there may be, from
    any loopback address; users: how many; back_extra: more lines of the back end's configuration."""

    def __init__(self, deployment, engine, link="unix", connections=None, users=USERS, back_extra=""):
        self.name = f"pair, {ENGINES[engine]}" + (", TCP link" if link == "tcp" else "")
        self.folder = folder = f"{deployment.folder}/pair-{engine}-{link}"
        self.connections = connections
        os.makedirs(folder)
        self.ports = free_ports()
        address = f"unix:{folder}/link" if link == "unix" else f"127.0.0.1:{pair.free_port()}"
        proof = {"front": "", "back": ""} if link == "unix" else {
            side: self.certificate(deployment, engine, side) for side in ("front", "back")}
        self.back = deployment.add(pair.Program(pair.BACK, f"{folder}/back", (
            f"[backend]\nname = back1\ndata = {folder}/back/data\ntls_engine = {engine}\n"
            f"[link]\nlisten = {address}\n{proof['back']}"
            f"[directory]\ndefault_domain = {pair.DOMAIN}\n" +
            (f"[imap4be]\nmax_sessions_user = {connections}\n" if connections else "") + back_extra)))
        self.front = deployment.add(pair.Program(
            pair.FRONT, f"{folder}/front", self.front_settings(deployment.pki, engine, address, proof["front"])))
        for program, services in ((self.back, ("imap4be", "pop3be", "lmtpbe")),
                                  (self.front, ("imap4", "pop3", "lmtp"))):
            for service in services:
                program.admin("service", "enable", service)
        with open(os.path.join(folder, "pair-users"), "w") as file:
            file.write(user_lines(hashed_password(), "::::::", users))
        self.back.admin("user", "import", file.name)

    def front_settings(self, pki, engine, address, proof):
        listen = {service: f"127.0.0.1:{port}" for service, port in self.ports.items()}
        return (f"[front]\nname = front1\ndata = {self.folder}/front/data\ntls_engine = {engine}\n"
                f"[tls]\ncertificate = {pki}/server.crt\nkey = {pki}/server.key\n"
                f"[limits]\ntrusted_networks = 127.0.0.0/8\n" + (f"[link]\n{proof}" if proof else "") +
                f"[imap4]\nlisten = {listen['imap']}\nlisten_tls = {listen['imaps']}\nplaintext_auth = yes\n" +
                (f"max_connections = {self.connections}\n" if self.connections else "") +
                f"[pop3]\nlisten = {listen['pop3']}\nlisten_tls = {listen['pop3s']}\nplaintext_auth = yes\n"
                f"[lmtp]\nlisten = {listen['lmtp']}\n"
                f"[backend back1]\naddress = {address}\n")

    @staticmethod
    def certificate(deployment, engine, side):
        """Settings of the link's certificate of that side, which is issued by the way."""
        file = f"{engine}-{side}"
        deployment.issue(side, file, f"{side}1")
        return (f"certificate = {deployment.pki}/{file}.crt\nkey = {deployment.pki}/{file}.key\n"
                f"ca = {deployment.pki}/ca.crt\n")

    def start(self):
        for program in (self.back, self.front):
            program.start(lambda: program.admin("status", ok=None)[0] == 0)
        pair.wait_until(lambda: "link is up" in self.front.log(), "the link is up")

    @property
    def processes(self):
        return [self.back.process.pid, self.front.process.pid]

    def last_words(self):
        return "".join(program.log()[-2000:] for program in (self.front, self.back))

    def stop(self):
        self.front.stop()
        self.back.stop()

    @staticmethod
    def version():
        return subprocess.run([pair.FRONT, "--version"], capture_output=True, text=True).stdout.strip()


class Dovecot:
    """One Dovecot instance: with the mail itself, or a proxy for another one."""

    def __init__(self, deployment, name, behind=None):
        self.name = name
        self.behind = behind
        self.folder = os.path.join(deployment.folder, name.replace(" ", "-"))
        self.ports = free_ports()
        self.process = None
        os.makedirs(f"{self.folder}/state")
        self.config = os.path.join(self.folder, "dovecot.conf")
        with open(self.config, "w") as file:
            file.write(self.general(deployment.pki) + (self.proxy() if behind else self.storage()))

    def general(self, pki):
        """Logins in long-lived processes (Dovecot's high-performance mode), logins cached, no limits
        that a benchmark would meet. Its own defaults otherwise: mail_fsync is `optimized`."""
        listeners = "".join(
            f"service {service}-login {{\n service_count = 0\n process_min_avail = 2\n client_limit = 4000\n"
            f" inet_listener {service} {{\n  port = {self.ports[service]}\n }}\n"
            f" inet_listener {service}s {{\n  port = {self.ports[service + 's']}\n  ssl = yes\n }}\n}}\n"
            f"service {service} {{\n process_limit = 2000\n process_min_avail = 8\n service_count = 100\n}}\n"
            for service in ("imap", "pop3"))
        return (
            f"base_dir = {self.folder}/run\nstate_dir = {self.folder}/state\nlog_path = {self.folder}/log\n"
            f"instance_name = {self.name.replace(' ', '-')}\nprotocols = imap pop3 lmtp\nlisten = 127.0.0.1\n"
            f"ssl = yes\nssl_cert = <{pki}/server.crt\nssl_key = <{pki}/server.key\n"
            "disable_plaintext_auth = no\nauth_mechanisms = plain\nauth_cache_size = 10M\n"
            "auth_username_format = %Ln\nauth_failure_delay = 0\nfirst_valid_uid = 1\n"
            "login_trusted_networks = 127.0.0.0/8\nmail_max_userip_connections = 4000\n"
            "default_client_limit = 8000\ndefault_process_limit = 2000\n"
            f"{listeners}"
            "service lmtp {\n process_min_avail = 4\n process_limit = 64\n inet_listener lmtp {\n"
            f"  port = {self.ports['lmtp']}\n }}\n}}\n"
            "protocol lmtp {\n postmaster_address = postmaster@example.test\n}\n")

    def storage(self):
        with open(f"{self.folder}/users", "w") as file:
            file.write(user_lines(f"{{PLAIN}}{PASSWORD}", "::::::"))
        os.makedirs(f"{self.folder}/mail")
        import pwd
        owner = pwd.getpwnam("mail")
        os.chown(f"{self.folder}/mail", owner.pw_uid, owner.pw_gid)
        return (
            "mail_location = mdbox:~/mdbox\n"
            f"passdb {{\n driver = passwd-file\n args = {self.folder}/users\n}}\n"
            f"userdb {{\n driver = static\n args = uid=mail gid=mail home={self.folder}/mail/%n\n}}\n"
            "namespace inbox {\n inbox = yes\n}\n")

    def proxy(self):
        ports = self.behind.ports
        port = f"%{{if;%s;eq;imap;{ports['imap']};%{{if;%s;eq;pop3;{ports['pop3']};{ports['lmtp']}}}}}"
        return ("lmtp_proxy = yes\n"
                f"passdb {{\n driver = static\n args = nopassword=y proxy=y host=127.0.0.1 port={port}\n}}\n")

    def start(self):
        self.process = subprocess.Popen([DOVECOT, "-F", "-c", self.config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pair.wait_until(lambda: all(pair.connects(("127.0.0.1", port)) for port in self.ports.values()),
                        f"{self.name} listens")
        time.sleep(0.5)  # its waiting processes come up one after the other

    @property
    def processes(self):
        return [self.process.pid] + (self.behind.processes if self.behind else [])

    def last_words(self):
        with open(f"{self.folder}/log") as log:
            return log.read()[-2000:]

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(pair.PATIENCE)
            self.process = None

    @staticmethod
    def version():
        return subprocess.run([DOVECOT, "--version"], capture_output=True, text=True).stdout.strip()
