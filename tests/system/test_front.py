"""What stands before a login: TLS as the rule, limits, clear answers when nothing is behind."""

import base64
import imaplib
import socket
import ssl

from pair import DOMAIN, Failed, Pair, free_port, message, raw_session, wait_until


def exchange(connection, lines, text):
    connection.sendall(text)
    return lines.readline()


def test_credentials_are_refused_in_clear():
    with Pair() as pair:
        connection, lines = raw_session(pair.front.imap_port)
        assert b"LOGINDISABLED" in lines.readline()
        answer = exchange(connection, lines, b"a LOGIN alice secret-a\r\n")
        assert answer.startswith(b"a NO [PRIVACYREQUIRED]"), answer
        answer = exchange(connection, lines, b"b AUTHENTICATE PLAIN\r\n")
        assert answer.startswith(b"b NO [PRIVACYREQUIRED]"), answer
        connection, lines = raw_session(pair.front.pop3_port)
        lines.readline()
        assert exchange(connection, lines, b"USER alice\r\n").startswith(b"-ERR"), "USER in clear"
        assert exchange(connection, lines, b"AUTH PLAIN\r\n").startswith(b"-ERR"), "AUTH in clear"
    with Pair(front_sections={"imap4": "plaintext_auth = yes\n"}) as pair:
        connection, lines = raw_session(pair.front.imap_port)
        assert b"LOGINDISABLED" not in lines.readline()
        assert exchange(connection, lines, b"a LOGIN alice secret-a\r\n").startswith(b"a OK"), "asked for"


def test_clear_text_behind_starttls_closes_the_connection():
    with Pair() as pair:
        for port, command in ((pair.front.imap_port, b"a STARTTLS\r\nb NOOP\r\n"),
                              (pair.front.pop3_port, b"STLS\r\nNOOP\r\n")):
            connection, lines = raw_session(port)
            lines.readline()
            connection.sendall(command)
            rest = lines.read()
            assert b"b OK" not in rest and rest.count(b"+OK") <= 1, rest
        assert pair.imap().noop()[0] == "OK"


def test_old_tls_and_weak_ciphers_are_refused():
    with Pair() as pair:
        context = pair.tls()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        for weak in (context, pair.tls()):
            if weak is not context:
                weak.maximum_version = ssl.TLSVersion.TLSv1_2
                weak.set_ciphers("AES128-SHA:AES256-SHA256:ECDHE-ECDSA-AES128-SHA")
            try:
                imaplib.IMAP4_SSL("localhost", pair.front.imaps_port, ssl_context=weak)
                raise Failed("a weak handshake worked")
            except (ssl.SSLError, OSError):
                pass


def test_alpn_picks_the_protocol_or_refuses():
    with Pair() as pair:
        for offer, works in ((["imap"], True), (["http/1.1"], False), (None, True)):
            context = pair.tls()
            if offer:
                context.set_alpn_protocols(offer)
            try:
                with socket.create_connection(("localhost", pair.front.imaps_port)) as plain:
                    with context.wrap_socket(plain, server_hostname="localhost") as secured:
                        assert works and secured.recv(100).startswith(b"* OK")
                        assert secured.selected_alpn_protocol() == (offer[0] if offer else None)
            except ssl.SSLError:
                assert not works


def test_wrong_passwords_and_unknown_users_look_alike():
    with Pair() as pair:
        answers = set()
        for user, password in (("alice", "wrong"), ("nobody", "wrong"), ("alice", "")):
            imap = imaplib.IMAP4_SSL("localhost", pair.front.imaps_port, ssl_context=pair.tls())
            try:
                imap.login(user, password)
                raise Failed("got in")
            except imaplib.IMAP4.error as refused:
                answers.add(refused.args[0])
        assert len(answers) == 1 and b"AUTHENTICATIONFAILED" in answers.pop()
        for log in (pair.front.log(), pair.back.log()):
            assert "wrong" not in log.replace("wrong user or password", "").replace("wrong password", "")
            assert "secret-a" not in log


def test_sasl_forms():
    with Pair() as pair:
        plain = base64.b64encode(b"\0alice\0secret-a")
        other = base64.b64encode(b"bob\0alice\0secret-a")
        own = base64.b64encode(b"alice\0alice\0secret-a")

        def secured():
            connection = pair.tls().wrap_socket(
                socket.create_connection(("localhost", pair.front.imaps_port)), server_hostname="localhost")
            lines = connection.makefile("rb")
            lines.readline()
            return connection, lines

        for text in (plain, own):
            connection, lines = secured()
            assert exchange(connection, lines, b"a AUTHENTICATE PLAIN " + text + b"\r\n").startswith(b"a OK")
            connection, lines = secured()
            assert exchange(connection, lines, b"a AUTHENTICATE PLAIN\r\n").startswith(b"+")
            assert exchange(connection, lines, text + b"\r\n").startswith(b"a OK")
        connection, lines = secured()
        answer = exchange(connection, lines, b"a AUTHENTICATE PLAIN " + other + b"\r\n")
        assert answer.startswith(b"a NO [AUTHORIZATIONFAILED]"), answer
        connection, lines = secured()
        assert exchange(connection, lines, b"a AUTHENTICATE PLAIN\r\n").startswith(b"+")
        assert exchange(connection, lines, b"*\r\n").startswith(b"a BAD")
        assert exchange(connection, lines, b"b AUTHENTICATE LOGIN\r\n").startswith(b"+")
        assert exchange(connection, lines, base64.b64encode(b"alice") + b"\r\n").startswith(b"+")
        assert exchange(connection, lines, base64.b64encode(b"secret-a") + b"\r\n").startswith(b"b OK")
        connection, lines = secured()
        assert exchange(connection, lines, b"c AUTHENTICATE NTLM\r\n").startswith(b"c NO")
        # literals, and what is pipelined behind a login runs in order
        connection.sendall(b"d LOGIN {5+}\r\nalice {8+}\r\nsecret-a\r\ne NOOP\r\nf LOGOUT\r\n")
        rest = lines.read()
        assert rest.index(b"d OK") < rest.index(b"e OK") < rest.index(b"* BYE") < rest.index(b"f OK"), rest


def test_no_back_end_is_said_at_once():
    with Pair(start=False) as pair:
        pair.front.start()
        try:
            pair.imap()
            raise Failed("got in")
        except imaplib.IMAP4.error as refused:
            assert b"UNAVAILABLE" in refused.args[0], refused
        refused = pair.deliver("alice", message())
        assert refused[f"alice@{DOMAIN}"].startswith(b"451 4.3.0"), refused


def test_too_long_commands_are_refused():
    with Pair() as pair:
        connection, lines = raw_session(pair.front.imap_port)
        lines.readline()
        connection.sendall(b"a LOGIN " + b"x" * 20000 + b"\r\n")
        rest = lines.readline()
        assert rest.startswith((b"a BAD", b"* BAD", b"* BYE")), rest
        connection, lines = raw_session(pair.front.pop3_port)
        lines.readline()
        connection.sendall(b"USER " + b"x" * 20000 + b"\r\n")
        assert lines.readline().startswith(b"-ERR")


def test_connections_are_limited_for_each_address():
    with Pair(front_sections={"imap4": "max_connections_address = 3\n"}) as pair:
        held = [raw_session(pair.front.imap_port) for _ in range(3)]
        for _, lines in held:
            assert lines.readline().startswith(b"* OK")
        _, lines = raw_session(pair.front.imap_port)
        assert lines.readline().startswith(b"* BYE"), "the fourth"
        held[0][0].sendall(b"a LOGOUT\r\n")
        held[0][1].read()

        def again():
            _, fresh = raw_session(pair.front.imap_port)
            return fresh.readline().startswith(b"* OK")

        wait_until(again, "the place is free again")


def test_lmtp_from_elsewhere_needs_a_network_or_a_certificate():
    # ::1 and 127.0.0.1 are near; the PROXY header makes a connection look far.
    extra = "[limits]\nproxy_networks = 127.0.0.9\n"
    with Pair(front_extra=extra) as pair:
        def from_address(address):
            connection = socket.socket()
            connection.bind(("127.0.0.9", 0))
            connection.connect(("127.0.0.1", pair.front.lmtp_port))
            connection.sendall(f"PROXY TCP4 {address} 192.0.2.1 4000 24\r\n".encode())
            lines = connection.makefile("rb")
            assert lines.readline().startswith(b"220")
            return connection, lines

        def mail(connection, lines):
            connection.sendall(b"LHLO x\r\nMAIL FROM:<>\r\n")
            while (line := lines.readline()).startswith(b"250-"):
                pass
            assert line.startswith(b"250 "), line
            return lines.readline()

        connection, lines = from_address("192.0.2.77")
        assert mail(connection, lines).startswith(b"554 5.7.1")
        assert lines.readline() == b"", "the connection is closed"
        assert mail(*from_address("127.0.0.1")).startswith(b"250")

        pair.issue("front", "mta", "mta.example")
        for certificate in (False, True):
            connection, lines = from_address("192.0.2.77")
            connection.sendall(b"STARTTLS\r\n")
            assert lines.readline().startswith(b"220")
            context = pair.tls()
            if certificate:
                context.load_cert_chain(f"{pair.pki}/mta.crt", f"{pair.pki}/mta.key")
            secured = context.wrap_socket(connection, server_hostname="localhost")
            answer = mail(secured, secured.makefile("rb"))
            assert answer.startswith(b"250" if certificate else b"554 5.7.1"), (certificate, answer)


def test_certificates_are_reloaded_without_dropping_sessions():
    import signal
    with Pair() as pair:
        held = pair.imap()
        before = serial(pair)
        pair.issue("server", "server", "localhost", "--host=localhost", "--ip=127.0.0.1")
        pair.front.process.send_signal(signal.SIGHUP)
        wait_until(lambda: serial(pair) != before, "the new certificate is shown")
        assert held.noop()[0] == "OK"
        held.logout()


def serial(pair):
    with socket.create_connection(("localhost", pair.front.imaps_port)) as plain:
        with pair.tls().wrap_socket(plain, server_hostname="localhost") as secured:
            return secured.getpeercert()["serialNumber"]


def test_ipv6_is_served():
    port = free_port()
    with Pair(front_sections={"imap4": f"listen_tls = [::1]:{port}\n"}) as pair:
        with socket.create_connection(("::1", port)) as plain:
            context = pair.tls()
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                assert secured.recv(100).startswith(b"* OK")
