"""POP3 as RFC 1939, 2449 and 6856 have it, where a client library would not go."""

from pair import DOMAIN, Pair, message, raw_session

NAME, PASSWORD = "jürgen", "pässwörd €"


class Pop:
    """A session that says what it is told, byte for byte."""

    def __init__(self, pair):
        self.connection, self.lines = raw_session(pair.front.pop3_port)
        self.line()

    def line(self):
        line = self.lines.readline()
        assert line.endswith(b"\r\n"), ("the connection ended", line)
        return line[:-2]

    def say(self, text):
        self.connection.sendall((text if isinstance(text, bytes) else text.encode()) + b"\r\n")
        return self.line()

    def many(self, text):
        """A command with a multi-line answer: its lines, dots undone."""
        first = self.say(text)
        assert first.startswith(b"+OK"), (text, first)
        lines = []
        while (line := self.line()) != b".":
            lines.append(line[1:] if line.startswith(b".") else line)
        return lines

    def log_in(self, user="alice", password="secret-a"):
        assert self.say(f"USER {user}").startswith(b"+OK")
        return self.say(f"PASS {password}")


PLAIN = "plaintext_auth = yes\n"
NO_LOCK = "[pop3be]\nlock = no\n"  # a session may end a moment after its client has left


def pop3_pair(back_extra="", users=(("alice", "secret-a"),)):
    return Pair(users=users, back_extra=back_extra, front_sections={"pop3": PLAIN})


def test_utf8_names_passwords_and_headers():
    international = "From: Jürgen <jo@example.org>\r\nSubject: Grüße\r\n\r\nhallo\r\n".encode()
    with pop3_pair(NO_LOCK, users=((NAME, PASSWORD),)) as pair:
        pair.back.admin("address", "add", NAME, f"jo@{DOMAIN}")
        pair.deliver("jo", international)
        pop = Pop(pair)
        assert b"UTF8 USER" in pop.many("CAPA")
        assert pop.log_in(NAME, "falsch").startswith(b"-ERR [AUTH]")
        assert pop.log_in("j\u0075\u0308rgen", PASSWORD).startswith(b"+OK")  # decomposed
        lines = pop.many("RETR 1")
        assert all(byte < 0x80 for line in lines for byte in line), lines
        assert b"Subject: =?utf-8?B?R3LDvMOfZQ==?=" in lines
        assert b" <jo@example.org>" in lines
        assert pop.say("QUIT").startswith(b"+OK")
        pop = Pop(pair)
        assert pop.say("UTF8").startswith(b"+OK")
        assert pop.log_in(NAME, PASSWORD).startswith(b"+OK")
        assert b"\r\n".join(pop.many("RETR 1") + [b""]).endswith(international)
        assert pop.say("QUIT").startswith(b"+OK")


def test_a_pipeline_of_any_length_is_answered_in_order():
    """RFC 2449 section 6.6: far more than the buffers on the way hold, before a line is read."""
    commands = 30_000
    with pop3_pair() as pair:
        for number in range(3):
            pair.deliver("alice", message(f"m{number}"))
        pop = Pop(pair)
        assert pop.log_in().startswith(b"+OK")
        text = b"".join(b"LIST %d\r\n" % (n % 3 + 1) for n in range(commands)) + b"QUIT\r\n"
        sent = 0
        pop.connection.setblocking(False)
        answers = b""
        while not answers.endswith(b"bye\r\n"):  # write whenever there is room, read whatever has come
            if sent < len(text):
                try:
                    sent += pop.connection.send(text[sent:sent + 65536])
                    continue
                except BlockingIOError:
                    pass
            pop.connection.setblocking(True)
            piece = pop.connection.recv(1 << 20)
            pop.connection.setblocking(False)
            assert piece, "the connection ended"
            answers += piece
        lines = answers.split(b"\r\n")
        assert len(lines) == commands + 2
        for n in range(commands):
            assert lines[n].startswith(b"+OK %d " % (n % 3 + 1)), (n, lines[n])


def test_a_login_too_soon_is_told_to_wait():
    with pop3_pair(back_extra="[pop3be]\nlogin_delay = 1h\n") as pair:
        pop = Pop(pair)
        assert b"LOGIN-DELAY 3600" in pop.many("CAPA")
        assert pop.log_in().startswith(b"+OK")
        assert b"LOGIN-DELAY 3600" in pop.many("CAPA")
        assert pop.say("QUIT").startswith(b"+OK")
        for _ in range(5):  # it is no failed login: nobody is cut off
            pop = Pop(pair)
            assert pop.log_in().startswith(b"-ERR [LOGIN-DELAY]")


def test_a_users_own_folder_and_order():
    with pop3_pair(NO_LOCK) as pair:
        for number in (1, 2):
            pair.deliver("alice", message(f"m{number}"))

        def subjects():
            pop = Pop(pair)
            first = pop.log_in()
            if not first.startswith(b"+OK"):
                return first
            count = int(pop.say("STAT").split()[1])
            return [line for n in range(count) for line in pop.many(f"TOP {n + 1} 0") if line.startswith(b"Subject")]

        assert subjects() == [b"Subject: m1", b"Subject: m2"]
        pair.back.admin("user", "set", "alice", "--pop3-order=newest-first")
        assert subjects() == [b"Subject: m2", b"Subject: m1"]
        pair.back.admin("user", "set", "alice", "--pop3-folder=No/Such")
        assert subjects().startswith(b"-ERR [SYS/PERM] ")
        pair.back.admin("user", "set", "alice", "--pop3-folder=archive/")
        assert subjects().startswith(b"-ERR [SYS/PERM] ")  # case counts
        pair.back.admin("user", "set", "alice", "--pop3-folder=Archive")
        assert subjects() == []
        shown = pair.back.admin("user", "show", "alice")[1]
        assert "newest-first" in shown and "Archive" in shown, shown
        pair.back.admin("user", "set", "alice", "--pop3-folder=default", "--pop3-order=default")
        assert subjects() == [b"Subject: m1", b"Subject: m2"]
        pair.back.admin("user", "set", "alice", "--pop3-order=sideways", ok=(2, 1))
        pair.back.admin("user", "set", "alice", "--pop3-folder=a//b", ok=(2, 1))
