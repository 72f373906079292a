"""Both TLS engines, with clients of either version and links between unlike ones."""

import base64
import imaplib
import os
import poplib
import re
import signal
import ssl
import subprocess
import tempfile

from pair import DOMAIN, FRONT, PATIENCE, Back, Deployment, Front, Lmtp, free_port, message, wait_until

LIBRARIES = {"mbedtls": "mbed TLS", "openssl": "OpenSSL"}
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def is_built_in(engine):
    """The program's own word, from a configuration of one line."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(f"[front]\ntls_engine = {engine}\n")
        file.flush()
        check = subprocess.run([FRONT, "--config", file.name, "config", "check"], capture_output=True,
                               text=True, check=False)
    return "not built in" not in check.stdout + check.stderr


class Line(Deployment):
    """A front and a back end with engines of their own, linked by mutual TLS."""

    def __init__(self, front_engine, back_engine):
        super().__init__()
        self.issue("back", "back1", "back1")
        self.issue("front", "front1", "front1")
        self.back = self.add(Back(self, "back1", f"127.0.0.1:{free_port()}", tls=True, engine=back_engine,
                                  extra="[lmtpbe]\nfronts = front1\n"))
        self.front = self.add(Front(self, "front1", [self.back], tls=True, engine=front_engine))
        for service in ("imap4", "pop3", "lmtp"):
            self.back.admin("service", "enable", service + "be")
            self.front.admin("service", "enable", service)
        self.back.add_user("alice", "secret-a")
        self.back.start()
        self.front.start()
        self.front.wait_for_links()

    def client(self, version):
        context = self.tls()
        context.minimum_version = context.maximum_version = version
        return context


def use(line, version):
    """Everything that TLS is under: from the first byte and after STARTTLS, small and large, both ways."""
    large = message("large", body="\r\n".join(f"{n:06} and more of it" for n in range(20000)))
    with imaplib.IMAP4_SSL("localhost", line.front.imaps_port, ssl_context=line.client(version)) as imap:
        found = imap.sock.version()
        imap.login("alice", "secret-a")
        assert imap.append("INBOX", None, None, large)[0] == "OK"
        count = imap.select("INBOX")[1][0].decode()
        assert imap.fetch(count, "(BODY.PEEK[])")[1][0][1] == large
    with imaplib.IMAP4("localhost", line.front.imap_port) as imap:
        imap.starttls(line.client(version))
        imap.login("alice", "secret-a")
        assert imap.select("INBOX")[0] == "OK"
    pop = poplib.POP3_SSL("localhost", line.front.pop3s_port, context=line.client(version))
    pop.user("alice")
    pop.pass_("secret-a")
    assert b"Subject: small" in pop.retr(1)[1]
    pop.quit()
    return found


def play(front_engine, back_engine):
    with Line(front_engine, back_engine) as line:
        assert LIBRARIES[front_engine] in line.front.log()
        assert LIBRARIES[back_engine] in line.back.log()
        with Lmtp("127.0.0.1", line.front.lmtp_port) as lmtp:
            assert lmtp.deliver("s@example.org", [f"alice@{DOMAIN}"], message("small")) == {}
        assert use(line, VERSIONS[0]) == "TLSv1.2"
        try:
            found = use(line, VERSIONS[1])
        except ssl.SSLError:
            found = None
        if front_engine == "openssl":
            assert found == "TLSv1.3"
        # certificates that are read again leave what runs alone, and serve what comes
        line.issue("server", "server", "localhost", "--host=localhost")
        line.front.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "certificates read again" in line.front.log(), "certificates are read again")
        assert use(line, VERSIONS[0]) == "TLSv1.2"


def test_openssl_carries_clients_and_links():
    if not is_built_in("openssl"):
        return "skip: without OpenSSL"
    play("openssl", "openssl")


def test_links_between_unlike_engines():
    if not (is_built_in("openssl") and is_built_in("mbedtls")):
        return "skip: there is one engine only"
    play("mbedtls", "openssl")
    play("openssl", "mbedtls")


class Resuming(Deployment):
    """Two fronts with one file of ticket keys, and sessions kept in files by openssl(1)."""

    def __init__(self, engine):
        super().__init__()
        self.keys = os.path.join(self.folder, "ticket-keys")
        self.rotate()
        self.back = self.add(Back(self, "back1", f"unix:{self.folder}/link"))
        self.fronts = [self.add(Front(self, name, [self.back], engine=engine,
                                      sections={"tls": f"ticket_keys = {self.keys}\n"}))
                       for name in ("front1", "front2")]
        self.back.start()
        for front in self.fronts:
            for service in ("imap4", "pop3"):
                front.admin("service", "enable", service)
            front.start()

    def rotate(self):
        subprocess.run([FRONT, "pki", "ticket-key", self.keys], check=True, capture_output=True)

    def reload(self, front):
        seen = front.log().count("certificates read again")
        front.process.send_signal(signal.SIGHUP)
        wait_until(lambda: front.log().count("certificates read again") > seen, "the keys are read again")

    def path(self, name):
        return os.path.join(self.folder, name)

    def connect(self, port, version, kept=None, goodbye="a1 LOGOUT"):
        """True when the session in the file kept was resumed. The new one goes to the file "session"."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, "-crlf", "-ign_eof",
                   "-sess_out", self.path("session")]
        if kept:
            command += ["-sess_in", self.path(kept)]
        said = subprocess.run(command, input=goodbye + "\n", capture_output=True, text=True,
                              timeout=PATIENCE, check=False).stdout
        assert "\nNew, " in said or "\nReused, " in said, said
        return "\nReused, " in said

    def tamper(self):
        """Changes one byte of the ticket; the session is otherwise as it was."""
        text = subprocess.run(["openssl", "sess_id", "-in", self.path("session"), "-noout", "-text"],
                              capture_output=True, text=True, check=True).stdout
        dump = re.findall(r"^ +[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -]){1,15}[0-9a-f]{2})", text.split(
            "TLS session ticket:")[1], re.MULTILINE)
        ticket = bytes.fromhex("".join(dump).replace("-", "").replace(" ", ""))
        with open(self.path("session")) as file:
            session = base64.b64decode("".join(file.read().splitlines()[1:-1]))
        assert session.count(ticket) == 1 and len(ticket) > 100
        at = session.index(ticket) + len(ticket) // 2
        session = session[:at] + bytes([session[at] ^ 1]) + session[at + 1:]
        with open(self.path("bad"), "w") as file:
            file.write("-----BEGIN SSL SESSION PARAMETERS-----\n" + base64.encodebytes(session).decode() +
                       "-----END SSL SESSION PARAMETERS-----\n")


def resume(engine, version):
    with Resuming(engine) as deployment:
        one, other = deployment.fronts
        assert not deployment.connect(one.imaps_port, version)
        assert deployment.connect(other.imaps_port, version, "session")
        deployment.tamper()
        assert not deployment.connect(one.imaps_port, version, "bad")
        assert deployment.connect(one.imaps_port, version, "session")
        assert not deployment.connect(one.pop3s_port, version, "session", "QUIT"), "another service"
        assert not deployment.connect(one.imaps_port, version)
        deployment.rotate()
        deployment.reload(one)
        assert deployment.connect(one.imaps_port, version, "session"), "the old key still opens"
        assert not deployment.connect(one.imaps_port, version), "a full handshake: the new key seals"
        assert not deployment.connect(other.imaps_port, version, "session"), "it does not know the new key yet"
        assert not deployment.connect(one.imaps_port, version)
        deployment.reload(other)
        assert deployment.connect(other.imaps_port, version, "session")
        other.stop()
        other.start()
        assert deployment.connect(other.imaps_port, version, "session"), "after a restart"


def test_sessions_are_resumed_at_another_front():
    if is_built_in("mbedtls"):
        resume("mbedtls", "-tls1_2")
    if is_built_in("openssl"):
        resume("openssl", "-tls1_3")
