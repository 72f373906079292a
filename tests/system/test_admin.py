"""The administrator's commands on stopped and running programs."""

import imaplib
import json
import os
import poplib
import subprocess

from pair import BACK, DOMAIN, FRONT, Failed, Pair, message, wait_until


def rows(program, *words):
    return json.loads(program.admin(*words, "--json")[1])


def refused(action, error, word):
    try:
        action()
    except error as problem:
        assert word in problem.args[0], problem
        return
    raise Failed(f"worked, and should have said {word}")


def test_services_are_off_until_enabled_and_switch_a_running_daemon():
    with Pair() as pair:
        pair.front.admin("service", "disable", "imap4", "--now")
        refused_connection = subprocess.run(["curl", "-sS", "--cacert", f"{pair.pki}/ca.crt",
                                             f"imaps://localhost:{pair.front.imaps_port}"], capture_output=True)
        assert refused_connection.returncode == 7, refused_connection
        pair.front.admin("service", "enable", "imap4", "--now")
        assert pair.imap().noop()[0] == "OK"
        pair.back.admin("service", "stop", "imap4be")
        refused(pair.imap, imaplib.IMAP4.error, b"UNAVAILABLE")
        pair.back.admin("service", "start", "imap4be")
        wait_until(lambda: pair.imap().noop()[0] == "OK", "imap4be serves again")
        code, said = pair.front.admin("service", "enable", "imap4be", ok=None)
        assert code != 0 and "imap4" in said, said
        code, said = pair.back.admin("service", "enable", "imap4", ok=None)
        assert code != 0 and "imap4be" in said, said


def test_users_and_addresses():
    with Pair() as pair:
        back = pair.back
        back.add_user("carol", "secret-c", "--quota=1M")
        back.admin("address", "add", "carol", f"Info@{DOMAIN}")
        pair.deliver(f"info@{DOMAIN}", message("to an alias"))
        for name in ("carol", "CAROL", f"carol@{DOMAIN}", f"{DOMAIN}\\carol", f"info@{DOMAIN}"):
            imap = pair.imap(name, "secret-c")
            assert imap.select("INBOX")[1] == [b"1"], name
            imap.logout()
        assert any(row["login"].startswith("carol") for row in rows(back, "user", "list"))
        back.admin("user", "passwd", "carol", "--password-stdin", secret="fresh\n")
        refused(lambda: pair.imap("carol", "secret-c"), imaplib.IMAP4.error, b"AUTHENTICATIONFAILED")
        held = pair.imap("carol", "fresh")
        back.admin("user", "disable", "carol")
        refused(lambda: pair.imap("carol", "fresh"), imaplib.IMAP4.error, b"disabled")

        def cut():
            try:
                held.noop()
                return False
            except (imaplib.IMAP4.abort, OSError):
                return True

        wait_until(cut, "a disabled user's session ends")
        back.admin("user", "enable", "carol")
        back.admin("user", "set", "carol", "--pop3=no")
        refused(lambda: pair.pop3("carol", "fresh"), poplib.error_proto, b"-ERR")
        assert pair.imap("carol", "fresh").noop()[0] == "OK"
        code, said = back.admin("user", "show", "nobody", ok=None)
        assert code == 4, (code, said)
        back.admin("user", "remove", "carol", "--yes")
        refused(lambda: pair.imap("carol", "fresh"), imaplib.IMAP4.error, b"AUTHENTICATIONFAILED")


def test_a_passwd_file_with_hashes_is_imported():
    import crypt
    with Pair() as pair:
        hashed = crypt.crypt("old-secret", crypt.mksalt(crypt.METHOD_SHA512))
        path = os.path.join(pair.folder, "passwd")
        with open(path, "w") as file:
            file.write(f"dave:{{SHA512-CRYPT}}{hashed}:::::\nerin:{hashed}:1000:1000::/home/erin:/bin/sh\n")
        pair.back.admin("user", "import", path)
        for user in ("dave", "erin"):
            assert pair.imap(user, "old-secret").noop()[0] == "OK"


def test_quota_is_kept():
    with Pair() as pair:
        pair.back.add_user("tiny", "secret-t", "--quota=20K")
        pair.deliver("tiny", message("fits", "x" * 10_000))
        refused = pair.deliver("tiny", message("does not fit", "x" * 15_000))
        assert refused[f"tiny@{DOMAIN}"].startswith(b"552 5.2.2"), refused
        imap = pair.imap("tiny", "secret-t")
        kind, text = imap.append("Sent", None, None, message("appended", "x" * 15_000))
        assert kind == "NO" and b"OVERQUOTA" in text[0], text
        imap.logout()


def test_maildir_and_mbox_are_imported():
    with Pair() as pair:
        box = os.path.join(pair.folder, "mbox")
        with open(box, "wb") as file:
            for number in range(3):
                file.write(b"From x@y Tue Nov 24 10:00:00 2026\n" +
                           message(f"from a box {number}", ">From here").replace(b"\r\n", b"\n") + b"\n")
        pair.back.admin("mailbox", "import", "alice", box, "--folder=Old")
        maildir = os.path.join(pair.folder, "Maildir")
        for part in ("new", "cur", "tmp"):
            os.makedirs(os.path.join(maildir, part))
        with open(os.path.join(maildir, "cur", "1.x.host:2,FS"), "wb") as file:
            file.write(message("from a Maildir"))
        pair.back.admin("mailbox", "import", "alice", maildir)
        imap = pair.imap()
        assert imap.select("Old")[1] == [b"3"]
        assert b"\nFrom here" in imap.fetch("1", "(BODY.PEEK[TEXT])")[1][0][1].replace(b"\r", b"") or \
            b"From here" in imap.fetch("1", "(BODY.PEEK[TEXT])")[1][0][1]
        assert imap.select("INBOX")[1] == [b"1"]
        assert imap.search(None, "FLAGGED", "SEEN")[1] == [b"1"]
        imap.logout()
        folders = {row["folder"]: row for row in rows(pair.back, "folder", "list", "alice")}
        assert int(folders["Old"]["messages"]) == 3, folders


def test_status_config_and_help():
    with Pair() as pair:
        held = pair.imap()
        for program in (pair.back, pair.front):
            assert program.admin("status")[1]
            assert rows(program, "status")
            program.admin("config", "check")
            program.admin("config", "show")
        for binary in (BACK, FRONT):
            sample = subprocess.run([binary, "config", "sample"], capture_output=True, text=True, check=True)
            assert "[" in sample.stdout
            usage = subprocess.run([binary, "--help"], capture_output=True, text=True, check=True)
            assert "service" in usage.stdout
            nonsense = subprocess.run([binary, "servce", "lst"], capture_output=True, text=True)
            assert nonsense.returncode == 2 and "service" in nonsense.stderr, nonsense
        with open(pair.back.config) as file:
            text = file.read().replace("map_size = 1G", "map_sise = 1G")
        with open(pair.back.config, "w") as file:
            file.write(text)
        code, said = pair.back.admin("config", "check", ok=None)
        assert code != 0 and "map_sise" in said and "map_size" in said, said
        held.logout()


def test_a_second_daemon_on_the_same_data_is_refused_by_pid():
    with Pair() as pair:
        second = subprocess.run([BACK, "--config", pair.back.config, "serve"], capture_output=True, text=True)
        assert second.returncode != 0 and str(pair.back.process.pid) in second.stderr, second
