"""Both TLS engines, with clients of either version and links between unlike ones."""

import imaplib
import poplib
import signal
import ssl
import subprocess
import tempfile

from pair import DOMAIN, FRONT, Back, Deployment, Front, Lmtp, free_port, message, wait_until

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
