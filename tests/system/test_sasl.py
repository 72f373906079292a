"""Logins by SCRAM, with real clients, and what is told about users who do not exist."""

import base64
import imaplib
import json
import os
import poplib
import socket
import subprocess
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from pair import DOMAIN, Failed, Pair, wait_until
from scram import Scram, end_point
from test_tls import VERSIONS, is_built_in

MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1")
ENGINES = ("mbedtls", "openssl")
NO_DELAYS = "[limits]\nfailed_login_delay = 0\n"


def imap(front, tls):
    return imaplib.IMAP4_SSL("localhost", front.imaps_port, ssl_context=tls)


def refused(session, mechanism, scram):
    try:
        session.authenticate(mechanism, scram.answer)
    except imaplib.IMAP4.error as error:
        return str(error)
    raise Failed("let in")


def pop3(pair, mechanism, scram):
    session = poplib.POP3_SSL("localhost", pair.front.pop3s_port, context=pair.tls())
    try:
        answer = session._shortcmd(f"AUTH {mechanism}")
        while answer.startswith(b"+ "):
            message = scram.answer(base64.b64decode(answer[2:]))
            answer = session._shortcmd(base64.b64encode(message).decode())
    except poplib.error_proto as error:
        answer = error.args[0]
    return session, answer


def test_scram_logs_in_by_imap_and_pop3_and_logs_no_secret():
    with Pair() as pair:
        for mechanism in MECHANISMS:
            session = imap(pair.front, pair.tls())
            assert f"AUTH={mechanism}" in session.capabilities, session.capabilities
            assert session.authenticate(mechanism, Scram(mechanism, "ALICE", "secret-a").answer)[0] == "OK"
            assert session.select()[0] == "OK"
            session.logout()
            session, answer = pop3(pair, mechanism, Scram(mechanism, f"alice@{DOMAIN}", "secret-a"))
            assert answer.startswith(b"+OK maildrop"), answer
            session.quit()
            assert "AUTHENTICATIONFAILED" in refused(imap(pair.front, pair.tls()), mechanism,
                                                     Scram(mechanism, "alice", "wrong"))
            assert "AUTHORIZATIONFAILED" in refused(imap(pair.front, pair.tls()), mechanism,
                                                    Scram(mechanism, "alice", "secret-a", "bob"))
            assert pop3(pair, mechanism, Scram(mechanism, "alice", "x"))[1].startswith(b"-ERR [AUTH]")
        assert "SCRAM-SHA-256" in pair.back.log()
        for log in (pair.back.log(), pair.front.log()):
            assert "secret-a" not in log and "biws" not in log, "a credential is in a log"


def test_an_unknown_user_has_the_same_salt_after_both_programs_began_again():
    with Pair() as pair:
        def salts():
            found = []
            for user in ("nobody", "NOBODY", f"nobody@{DOMAIN}", "alice"):
                scram = Scram("SCRAM-SHA-256", user, "x")
                refused(imap(pair.front, pair.tls()), "SCRAM-SHA-256", scram)
                found.append(scram.salt)
            return found
        before = salts()
        assert before[0] == before[1] == before[2] != before[3], before
        pair.front.stop()
        pair.back.stop()
        pair.back.start()
        pair.front.start()
        pair.front.wait_for_links()
        assert salts() == before


def test_scram_is_not_offered_in_clear_nor_where_the_back_end_says_no():
    with Pair(start=False) as pair:
        config = os.path.join(pair.back.folder, "config")
        with open(config, encoding="utf-8") as file:
            text = file.read()
        with open(config, "w", encoding="utf-8") as file:
            file.write(text.replace("[directory]\n", "[directory]\nscram = no\n"))
        pair.start()
        session = imap(pair.front, pair.tls())
        assert not any("SCRAM" in word for word in session.capabilities), session.capabilities
        assert "CANNOT" in refused(session, "SCRAM-SHA-256", Scram("SCRAM-SHA-256", "alice", "secret-a"))
    with Pair() as pair:
        session = imaplib.IMAP4("localhost", pair.front.imap_port)
        assert not any("SCRAM" in word for word in session.capabilities), session.capabilities
        assert "PRIVACYREQUIRED" in refused(session, "SCRAM-SHA-256", Scram("SCRAM-SHA-256", "alice", "secret-a"))


def test_mbsync_logs_in_with_scram_by_the_cyrus_library():
    with Pair() as pair:
        for mechanism in MECHANISMS:
            config = os.path.join(pair.folder, "mbsyncrc")
            with open(config, "w", encoding="ascii") as file:
                file.write(f"IMAPStore far\nHost localhost\nPort {pair.front.imaps_port}\nUser alice\n"
                           f"Pass secret-a\nAuthMechs {mechanism}\nSSLType IMAPS\n"
                           f"CertificateFile {pair.pki}/ca.crt\n\n"
                           f"MaildirStore near\nPath {pair.folder}/mail/\nInbox {pair.folder}/mail/INBOX\n\n"
                           f"Channel all\nFar :far:\nNear :near:\n")
            os.makedirs(f"{pair.folder}/mail", exist_ok=True)
            done = subprocess.run(["mbsync", "-c", config, "-l", "all"], capture_output=True, text=True, timeout=60,
                                  check=False)
            assert done.returncode == 0, (done.stdout, done.stderr)
            assert mechanism in pair.back.log(), "another mechanism was used"


# ---- channel binding ----

def pairs(channel_binding):
    """A pair for each TLS engine that is built in."""
    for engine in filter(is_built_in, ENGINES):
        with Pair(engine=engine, front_sections={"tls": f"channel_binding = {channel_binding}\n"},
                  front_extra=NO_DELAYS) as pair:
            yield engine, pair


def at(pair, version):
    context = pair.tls()
    context.minimum_version = context.maximum_version = version
    return imap(pair.front, context)


def bound(session, mechanism, kind, data):
    """Logs in by binding to data; what the server answers."""
    scram = Scram(mechanism, "alice", "secret-a", flag=f"p={kind}", data=data)
    try:
        return session.authenticate(mechanism, scram.answer)[0]
    except imaplib.IMAP4.error as error:
        return str(error)


def test_a_login_binds_to_its_connection_and_to_no_other():
    for engine, pair in pairs("always"):
        certificate = end_point(pair.pki, "server.crt")
        for version in VERSIONS if engine == "openssl" else VERSIONS[:1]:
            for mechanism in ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"):
                session = at(pair, version)
                assert f"AUTH={mechanism}" in session.capabilities, session.capabilities
                assert bound(session, mechanism, "tls-server-end-point", certificate) == "OK"
                assert session.select()[0] == "OK"
                session.logout()
                for data in (certificate[::-1], b"", certificate + b"x"):
                    assert "AUTHENTICATIONFAILED" in bound(at(pair, version), mechanism, "tls-server-end-point", data)
                assert "AUTHENTICATIONFAILED" in bound(at(pair, version), mechanism, "tls-unknown", certificate)
        session, answer = pop3(pair, "SCRAM-SHA-256-PLUS", Scram(
            "SCRAM-SHA-256-PLUS", "alice", "secret-a", flag="p=tls-server-end-point", data=certificate))
        assert answer.startswith(b"+OK maildrop"), answer
        session.quit()


def test_a_client_that_was_told_there_is_no_binding_is_refused():
    for _, pair in pairs("always"):
        said = refused(imap(pair.front, pair.tls()), "SCRAM-SHA-256",
                       Scram("SCRAM-SHA-256", "alice", "secret-a", flag="y"))
        assert "AUTHENTICATIONFAILED" in said, said
        assert "channel binding" in pair.back.log()
    for _, pair in pairs("never"):
        session = imap(pair.front, pair.tls())
        assert not any("-PLUS" in word for word in session.capabilities), session.capabilities
        scram = Scram("SCRAM-SHA-256", "alice", "secret-a", flag="y")
        assert session.authenticate("SCRAM-SHA-256", scram.answer)[0] == "OK"
        assert "CANNOT" in bound(imap(pair.front, pair.tls()), "SCRAM-SHA-256-PLUS", "tls-server-end-point", b"")


def test_tls_unique_is_the_first_finished_of_full_and_resumed_handshakes():
    """Python tells its own tls-unique."""
    if not is_built_in("openssl"):
        return
    with Pair(engine="openssl", front_extra=NO_DELAYS) as pair:
        context = pair.tls()
        context.maximum_version = VERSIONS[0]
        with socket.create_connection(("localhost", pair.front.imaps_port)) as raw:
            with context.wrap_socket(raw, server_hostname="localhost") as first:
                first.recv(100)
                ticket = first.session
        for resumed in (None, ticket):
            with socket.create_connection(("localhost", pair.front.imaps_port)) as raw:
                with context.wrap_socket(raw, server_hostname="localhost", session=resumed) as link:
                    assert link.session_reused == (resumed is not None)
                    assert speak(link, link.get_channel_binding("tls-unique")).startswith(b"a OK")
            with socket.create_connection(("localhost", pair.front.imaps_port)) as raw:
                with context.wrap_socket(raw, server_hostname="localhost", session=resumed) as link:
                    assert speak(link, b"another one!").startswith(b"a NO [AUTHENTICATIONFAILED]")


def speak(link, data):
    """The whole of AUTHENTICATE over a bare connection; the tagged answer."""
    scram = Scram("SCRAM-SHA-256-PLUS", "alice", "secret-a", flag="p=tls-unique", data=data)
    lines = link.makefile("rb")
    lines.readline()
    link.sendall(b"a AUTHENTICATE SCRAM-SHA-256-PLUS\r\n")
    while (line := lines.readline()).startswith(b"+ "):
        link.sendall(base64.b64encode(scram.answer(base64.b64decode(line[2:]))) + b"\r\n")
    return line


def test_gsasl_binds_to_tls_1_3_by_the_library_of_gnu():
    """tls-exporter, from another TLS library than ours. Without a binding it would not get in: it may not
    say that it cannot bind where -PLUS is offered."""
    if not is_built_in("openssl"):
        return
    with Pair(engine="openssl") as pair:
        for mechanism in ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"):
            done = subprocess.run(
                ["gsasl", "--imap", "--connect", f"localhost:{pair.front.imap_port}", "--mechanism", mechanism,
                 "--authentication-id", "alice", "--authorization-id", "alice", "--password", "secret-a",
                 "--x509-ca-file", f"{pair.pki}/ca.crt", "--no-client-first"],
                input="", capture_output=True, text=True, timeout=60, check=False)
            assert "OK" in done.stdout and f"{mechanism}" in pair.back.log(), (done.stdout, done.stderr)
        assert "TLSv1.3" in pair.back.log()


# ---- application passwords ----

def plain_refused(pair, password, answer):
    session = imap(pair.front, pair.tls())
    try:
        session.login("alice", password)
    except imaplib.IMAP4.error as error:
        assert answer in str(error), error
        return
    raise Failed("let in")


def test_application_passwords_log_in_by_plain_until_they_are_revoked():
    with Pair(front_extra=NO_DELAYS) as pair:
        def make(name, *flags):
            made = json.loads(pair.back.admin("app-password", "add", "alice", name, *flags, "--json")[1])
            return made["password"]

        def shown():
            return {row["name"]: row for row in json.loads(pair.back.admin("app-password", "list", "alice", "--json")[1])}

        phone = make("Alice's phone", "--services=imap4")
        away = make("away", "--network=192.0.2.0/24")
        mail = make("reader", "--network=127.0.0.0/8", "--network=::1")
        assert len({phone, away, mail}) == 3 and len(phone.replace("-", "")) == 20
        assert not shown()["Alice's phone"]["last-used"]
        session = pair.imap("alice", phone)
        assert session.select()[0] == "OK"
        pair.imap("alice", phone.replace("-", "")).logout()
        pair.pop3("alice", mail).quit()
        try:
            pair.pop3("alice", phone)
            raise Failed("let in")
        except poplib.error_proto as error:
            assert b"[AUTH]" in error.args[0], error
        plain_refused(pair, away, "AUTHENTICATIONFAILED")
        assert "AUTHENTICATIONFAILED" in refused(imap(pair.front, pair.tls()), "SCRAM-SHA-256",
                                                 Scram("SCRAM-SHA-256", "alice", phone))
        rows = shown()
        assert rows["Alice's phone"]["last-used"] and rows["Alice's phone"]["last-address"] == "127.0.0.1"
        assert not rows["away"]["last-used"]
        pair.back.admin("app-password", "revoke", "alice", "Alice's phone")
        assert "Alice's phone" not in shown()
        plain_refused(pair, phone, "AUTHENTICATIONFAILED")
        wait_until(lambda: ended(session), "the session that it opened ends")
        assert pair.back.admin("app-password", "revoke", "alice", "Alice's phone", ok=None)[0] != 0
        pair.back.admin("user", "disable", "alice")
        plain_refused(pair, mail, "CONTACTADMIN")
        for log in (pair.back.log(), pair.front.log()):
            assert not any(secret in log for secret in (phone, away, mail)), "a credential is in a log"
        assert 'application password Alice\'s phone' in pair.back.log()


def ended(session):
    try:
        return session.noop()[0] != "OK"
    except (imaplib.IMAP4.abort, OSError):
        return True


# ---- certificates of clients ----

def certificate(pair, name, email):
    """Signed by the deployment's CA for a client, with a mail address."""
    base = os.path.join(pair.pki, name)
    with open(f"{base}.ext", "w", encoding="ascii") as file:
        file.write(f"subjectAltName=email:{email}\nextendedKeyUsage=clientAuth\n")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{base}.key",
            "-out", f"{base}.csr", "-subj", f"/CN={name}")
    openssl("x509", "-req", "-in", f"{base}.csr", "-CA", f"{pair.pki}/ca.crt", "-CAkey", f"{pair.pki}/ca.key",
            "-CAcreateserial", "-days", "3", "-extfile", f"{base}.ext", "-out", f"{base}.crt")
    return base


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)


def showing(pair, base=None):
    context = pair.tls()
    if base is not None:
        context.load_cert_chain(f"{base}.crt", f"{base}.key")
    return context


def external(session, identity=b""):
    try:
        return session.authenticate("EXTERNAL", lambda challenge: identity)[0]
    except imaplib.IMAP4.error as error:
        return str(error)


def test_a_client_certificate_logs_its_user_in():
    for engine in filter(is_built_in, ENGINES):
        with Pair(start=False, engine=engine, front_extra=NO_DELAYS,
                  front_sections={service: "client_certificates = optional\n" for service in ("imap4", "pop3")}) as pair:
            change(pair.front, "[tls]\n", f"[tls]\nclient_ca = {pair.pki}/ca.crt\n")
            change(pair.back, "[directory]\n", "[directory]\nexternal = email\n")
            alice = certificate(pair, "somebody", f"alice@{DOMAIN}")
            stranger = certificate(pair, "alice", "x@example.org")
            pair.start()
            session = imap(pair.front, showing(pair, alice))
            assert "AUTH=EXTERNAL" in session.capabilities, session.capabilities
            assert external(session) == "OK" and session.select()[0] == "OK"
            session.logout()
            session = imap(pair.front, showing(pair, alice))
            assert external(session, f"alice@{DOMAIN}".encode()) == "OK"
            assert "AUTHORIZATIONFAILED" in external(imap(pair.front, showing(pair, alice)), b"bob")
            assert "AUTHENTICATIONFAILED" in external(imap(pair.front, showing(pair, stranger)))
            session = imap(pair.front, showing(pair))
            assert "AUTH=EXTERNAL" not in session.capabilities, session.capabilities
            assert "CANNOT" in external(session)
            session.login("alice", "secret-a")
            pop = poplib.POP3_SSL("localhost", pair.front.pop3s_port, context=showing(pair, alice))
            assert pop._shortcmd("AUTH EXTERNAL =").startswith(b"+OK maildrop")
            pop.quit()
            pair.back.admin("user", "disable", "alice")
            assert "CONTACTADMIN" in external(imap(pair.front, showing(pair, alice)))
            assert "EXTERNAL, certificate SHA-256 " in pair.back.log()


def change(program, old, new):
    with open(program.config, encoding="utf-8") as file:
        text = file.read()
    assert old in text, text
    with open(program.config, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


# ---- tokens ----

ISSUER = "https://issuer.example"


class Issuer:
    """Signs tokens, and publishes its keys in a file."""

    def __init__(self, path):
        self.path = path
        self.renew("one")

    def renew(self, name):
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())
        with open(self.path + ".new", "w", encoding="ascii") as file:
            json.dump({"keys": [{**self.jwk(), "kid": name, "use": "sig", "alg": "ES256"}]}, file)
        os.replace(self.path + ".new", self.path)

    def jwk(self):
        numbers = self.key.public_key().public_numbers()
        x, y = (base64.urlsafe_b64encode(n.to_bytes(32, "big")).rstrip(b"=").decode() for n in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    def token(self, user, lifetime=600, **more):
        claims = {"iss": ISSUER, "aud": "mail", "email": f"{user}@{DOMAIN}", "exp": int(time.time()) + lifetime, **more}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": self.name})


def bearer(user, token):
    return f"n,a={user},\1host=localhost\1port=993\1auth=Bearer {token}\1\1".encode()


def xoauth2(user, token):
    return f"user={user}\1auth=Bearer {token}\1\1".encode()


def by_token(session, mechanism, message):
    """The outcome, and what a refused client was told before it."""
    told = []

    def answer(challenge):
        if not challenge:
            return message
        told.append(json.loads(challenge))
        return b"\1"

    try:
        return session.authenticate(mechanism, answer)[0], told
    except imaplib.IMAP4.error as error:
        return str(error), told


def test_a_token_of_the_issuer_logs_in_by_imap_and_pop3():
    for engine in filter(is_built_in, ENGINES):
        with Pair(start=False, engine=engine, front_extra=NO_DELAYS) as pair:
            issuer = Issuer(os.path.join(pair.folder, "keys.json"))
            change(pair.back, "[directory]\n", f"[oauth]\nissuer = {ISSUER}\nkeys = {issuer.path}\naudience = mail\n"
                   f"discovery = {ISSUER}/.well-known/openid-configuration\n[directory]\n")
            pair.start()
            assert f"keys of the tokens' issuer read from {issuer.path}: 1" in pair.back.log()
            good = issuer.token("alice")
            for mechanism, message in (("OAUTHBEARER", bearer), ("XOAUTH2", xoauth2)):
                session = imap(pair.front, pair.tls())
                assert f"AUTH={mechanism}" in session.capabilities, session.capabilities
                assert by_token(session, mechanism, message("alice", good)) == ("OK", [])
                assert session.select()[0] == "OK"
                session.logout()
                pop = poplib.POP3_SSL("localhost", pair.front.pop3s_port, context=pair.tls())
                initial = base64.b64encode(message(f"alice@{DOMAIN}", good)).decode()
                assert pop._shortcmd(f"AUTH {mechanism} {initial}").startswith(b"+OK maildrop")
                pop.quit()
                for bad in (issuer.token("alice", -600), issuer.token("alice", aud="other"), good[:-4] + "AAAA",
                            issuer.token("nobody"), "x", "x" * 9000):
                    outcome, told = by_token(imap(pair.front, pair.tls()), mechanism, message("alice", bad))
                    assert "AUTHENTICATIONFAILED" in outcome and len(told) == 1 and "status" in told[0], (outcome, told)
                outcome, told = by_token(imap(pair.front, pair.tls()), mechanism, message("bob", good))
                assert "AUTHORIZATIONFAILED" in outcome, outcome
            clear = imaplib.IMAP4("localhost", pair.front.imap_port)
            assert not any("OAUTH" in word for word in clear.capabilities), clear.capabilities
            assert "the token is refused: it has expired" in pair.back.log()
            issuer.renew("two")
            assert "AUTHENTICATIONFAILED" in by_token(imap(pair.front, pair.tls()), "OAUTHBEARER", bearer("alice", good))[0]
            assert by_token(imap(pair.front, pair.tls()), "OAUTHBEARER", bearer("alice", issuer.token("alice")))[0] == "OK"
            pair.back.admin("user", "disable", "alice")
            assert "CONTACTADMIN" in by_token(imap(pair.front, pair.tls()), "XOAUTH2",
                                              xoauth2("alice", issuer.token("alice")))[0]
            for log in (pair.back.log(), pair.front.log()):
                assert good not in log and good.split(".")[2] not in log, "a credential is in a log"


def test_a_token_refused_and_cancelled_counts_as_a_failed_login():
    with Pair(start=False) as pair:
        issuer = Issuer(os.path.join(pair.folder, "keys.json"))
        change(pair.back, "[directory]\n", f"[oauth]\nissuer = {ISSUER}\nkeys = {issuer.path}\naudience = mail\n[directory]\n")
        change(pair.front, "[backend ", "[limits]\nfailed_login_delay = 0\nmax_failed_logins = 2\n[backend ")
        pair.start()
        session = imap(pair.front, pair.tls())
        for _ in range(2):
            challenges = iter((bearer("alice", "x"), None))
            try:
                session.authenticate("OAUTHBEARER", lambda _: next(challenges))
                raise Failed("let in")
            except imaplib.IMAP4.error:
                pass
        wait_until(lambda: ended(session), "the connection ends after as many as are allowed")
