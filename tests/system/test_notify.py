"""NOTIFY (RFC 5465) through the front, with mail that comes by LMTP."""

import re
import socket
import time

from pair import PATIENCE, Pair, message

PAUSE = 0.5  # seconds in which the back end gathers changes of other folders


class Imap:
    """A session that says what it is told and reads what comes, whether it was asked for or not."""

    def __init__(self, pair, user="alice", password="secret-a"):
        plain = socket.create_connection(("localhost", pair.front.imaps_port), PATIENCE)
        self.socket = pair.tls().wrap_socket(plain, server_hostname="localhost")
        self.lines = self.socket.makefile("rb")
        self.line()
        self.say(f"LOGIN {user} {password}")

    def line(self):
        line = self.lines.readline()
        assert line.endswith(b"\r\n"), ("the connection ended", line)
        return line[:-2].decode()

    def say(self, text):
        """The untagged lines of a command that succeeds."""
        self.socket.sendall(f"t {text}\r\n".encode())
        untagged = []
        while not (line := self.line()).startswith("t "):
            untagged.append(line)
        assert line.startswith("t OK"), (text, line)
        return untagged

    def until(self, expression):
        """What comes by itself up to the line that matches."""
        lines = []
        while True:
            lines.append(self.line())
            if re.search(expression, lines[-1]):
                return lines


def test_deliveries_to_other_folders_are_told_together_while_no_command_runs():
    burst = 200
    with Pair() as pair:
        imap = Imap(pair)
        imap.say("SELECT Archive")
        assert any("STATUS INBOX (MESSAGES 0 " in line for line in imap.say(
            "NOTIFY SET STATUS (selected (MessageNew MessageExpunge)) "
            "(personal (MessageNew MessageExpunge))"))
        began = time.monotonic()
        for number in range(burst):
            pair.deliver("alice", message(f"m{number}"))
        lines = imap.until(rf"STATUS INBOX \(MESSAGES {burst} ")
        told = 1 + (time.monotonic() - began) / PAUSE
        assert all(line.startswith("* STATUS INBOX ") for line in lines), lines
        assert len(lines) <= told + 1, (len(lines), told)
        assert imap.say("NOOP") == []


def test_a_delivery_to_the_selected_folder_comes_with_what_is_to_be_fetched():
    with Pair() as pair:
        imap = Imap(pair)
        imap.say("SELECT INBOX")
        imap.say("NOTIFY SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge))")
        pair.deliver("alice", message("pushed"))
        assert "* 1 EXISTS" in imap.until(r"EXISTS")
        lines = imap.until(r"^\)$")
        assert lines[-4].startswith("* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {"), lines
        assert lines[-3] == "Subject: pushed", lines
        imap.socket.sendall(b"i IDLE\r\n")
        imap.until(r"^\+ ")
        pair.deliver("alice", message("in IDLE"))
        assert "Subject: in IDLE" in imap.until(r"^\)$")
        imap.socket.sendall(b"DONE\r\n")
        imap.until("^i OK")


def test_notification_of_names_reaches_another_session():
    with Pair() as pair:
        listener, other = Imap(pair), Imap(pair)
        listener.say("NOTIFY SET (personal (MailboxName SubscriptionChange))")
        other.say("CREATE Lists")
        listener.until(r'^\* LIST \(\\HasNoChildren\) "/" Lists$')
        other.say("RENAME Lists Groups")
        listener.until(r'^\* LIST \(\\HasNoChildren\) "/" Groups \("OLDNAME" \(Lists\)\)$')
        other.say("SUBSCRIBE Groups")
        listener.until(r'^\* LIST \(\\HasNoChildren \\Subscribed\) "/" Groups$')
