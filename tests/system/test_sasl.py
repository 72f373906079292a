"""Logins by SCRAM, with real clients, and what is told about users who do not exist."""

import base64
import imaplib
import os
import poplib
import subprocess

from pair import DOMAIN, Failed, Pair
from scram import Scram

MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1")


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
