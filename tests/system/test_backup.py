"""Backups of a pair that takes mail, restored as a whole, a mailbox or a folder: every message of its moment,
once and whole."""

import glob
import hashlib
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import threading

from pair import DOMAIN, Failed, Lmtp, PATIENCE, Pair, message, wait_until

SENDERS = 3


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.sent = {}
        self.answered = set()
        self.stop = threading.Event()

    def send(self, port, first):
        """Numbers first, first + SENDERS … until stopped."""
        number = first
        try:
            with Lmtp("127.0.0.1", port) as lmtp:
                while not self.stop.is_set():
                    text = (f"Subject: ledger\r\nX-Number: {number}\r\n\r\n"
                            + f"line {number} of many\r\n" * (number * 7919 % 3000)).encode()
                    with self.lock:
                        self.sent[number] = hashlib.sha256(text).digest()
                    assert not lmtp.deliver("s@example.org", [f"alice@{DOMAIN}"], text)
                    with self.lock:
                        self.answered.add(number)
                    number += SENDERS
        except (Failed, OSError):
            if not self.stop.is_set():
                raise

    def now(self):
        with self.lock:
            return set(self.answered)


def numbers_in(imap, ledger, folder="INBOX"):
    count = int(imap.select(f'"{folder}"', readonly=True)[1][0])
    seen = set()
    for first in range(1, count + 1, 50):
        for item in imap.fetch(f"{first}:{min(first + 49, count)}", "(BODY.PEEK[])")[1]:
            if not isinstance(item, tuple):
                continue
            text = item[1][item[1].index(b"Subject: ledger"):]
            number = int(text.split(b"X-Number: ")[1].split(b"\r\n")[0])
            assert number not in seen, f"message {number} is there twice"
            assert hashlib.sha256(text).digest() == ledger.sent[number], f"message {number} is not whole"
            seen.add(number)
    return seen


def inbox_status(pair):
    imap = pair.imap()
    answer = imap.status("INBOX", "(UIDNEXT UIDVALIDITY)")[1][0].decode()
    imap.logout()
    return {name: int(value) for name, value in re.findall(r"([A-Z]+) (\d+)", answer)}


def under_load(pair, ledger, work):
    threads = [threading.Thread(target=ledger.send, args=(pair.front.lmtp_port, n)) for n in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        return work()
    finally:
        ledger.stop.set()
        for thread in threads:
            thread.join()


def test_backup_of_a_pair_under_load_restored_onto_another():
    ledger = Ledger()
    with Pair() as pair:
        folder = os.path.join(pair.folder, "backups")
        os.mkdir(folder)

        def back_up():
            done = []
            for enough in (20, 60, 100):
                while len(ledger.now()) < enough:
                    pass
                before = ledger.now()
                done.append(json.loads(pair.back.admin("backup", "run", folder, "--json")[1]))
            return before, ledger.now(), done

        before, after, done = under_load(pair, ledger, back_up)
        assert all(row["whole"] for row in done)
        assert len(json.loads(pair.back.admin("backup", "list", folder, "--json")[1])) == 3
        for row in done:
            pair.back.admin("backup", "verify", folder, f"--backup={row['backup']}")
        code, text = pair.back.admin("backup", "restore", folder, ok=None)
        assert code != 0 and "running" in text, text
        told = inbox_status(pair)
        os.rename(folder, folder + "-kept")

        with Pair(start=False) as other:
            data = os.path.join(other.folder, "back1", "data")
            code, text = other.back.admin("backup", "restore", folder + "-kept", ok=None)
            assert code != 0 and "move it away" in text, text
            os.rename(f"{data}/directory", f"{data}/directory.old")
            other.back.admin("backup", "restore", folder + "-kept")
            other.start()
            restored = inbox_status(other)
            assert restored["UIDVALIDITY"] == told["UIDVALIDITY"]
            assert restored["UIDNEXT"] > told["UIDNEXT"]
            imap = other.imap()
            seen = numbers_in(imap, ledger)
            imap.logout()
            assert before <= seen, f"missing: {sorted(before - seen)[:10]}"
            assert len(seen - after) <= SENDERS, "more than what was on its way"
            assert not other.deliver("alice", b"Subject: later\r\n\r\nhi\r\n")


# ---- one mailbox, one folder ----


def make_backups_folder(pair):
    folder = os.path.join(pair.folder, "backups")
    os.mkdir(folder)
    return folder


def back_up(pair, folder):
    return json.loads(pair.back.admin("backup", "run", folder, "--json")[1])


def restore(pair, folder, *flags, user="alice"):
    """The rows, by folder of the backup, and the sum of their numbers."""
    rows = json.loads(pair.back.admin("mailbox", "restore", user, folder, *flags, "--json")[1])
    total = {name: sum(row[name] for row in rows)
             for name in ("messages", "there", "restored", "flags", "removed", "failed")}
    return {row["folder"] or row["into"]: row for row in rows}, total


def marks(imap, folder):
    """What a client sees of a folder's messages, but for uids: by subject."""
    if imap.select(f'"{folder}"', readonly=True)[1] == [b"0"]:
        return {}
    found = {}
    for item in imap.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")[1]:
        if isinstance(item, tuple):
            head = item[0].decode()
            flags = set(re.search(r"FLAGS \(([^)]*)\)", head)[1].split()) - {"\\Recent"}
            date = re.search(r'INTERNALDATE "([^"]*)"', head)[1]
            subject = re.search(rb"Subject: (.*)\r\n", item[1])[1].decode()
            found.setdefault(subject, []).append((sorted(flags), date, hashlib.sha256(item[1]).hexdigest()))
    return {subject: sorted(entries) for subject, entries in found.items()}


def all_marks(imap, *folders):
    return {folder: marks(imap, folder) for folder in folders}


def fill_projects(imap):
    imap.create("Projects/Deep/Deeper")
    imap.subscribe("Projects/Deep")
    for number, (folder, flags) in enumerate((
            ("Projects", r"(\Seen)"), ("Projects", r"(\Flagged \Answered $Work later)"), ("Projects", None),
            ("Projects/Deep", r"(\Draft)"), ("Projects/Deep/Deeper", r"(later \Deleted)"))):
        imap.append(folder, flags, f'"0{number + 1}-Jan-2020 10:00:00 +0130"',
                    message(f"project {number}", "x" * 300_000 * number))
    imap.select("Projects")
    imap.copy("1:2", "Projects/Deep")
    imap.copy("1", "Projects")  # the same message twice in one folder


PROJECTS = ("Projects", "Projects/Deep", "Projects/Deep/Deeper")


def delete_projects(imap):
    imap.select("INBOX")
    for name in reversed(PROJECTS):
        assert imap.delete(name)[0] == "OK"


def test_mailbox_and_folder_restored_under_load_equal_the_ledger():
    ledger = Ledger()
    with Pair() as pair:
        folder = make_backups_folder(pair)
        imap = pair.imap()
        fill_projects(imap)
        projects = all_marks(imap, *PROJECTS)

        def work():
            while len(ledger.now()) < 60:
                pass
            before = ledger.now()
            backup = back_up(pair, folder)
            after = ledger.now()
            imap.select("INBOX")
            imap.store("1:40", "+FLAGS", r"(\Deleted)")
            imap.expunge()
            delete_projects(imap)
            rows, total = restore(pair, folder, "--folder=Projects", "--in-place", "--flags")
            assert total["restored"] == total["messages"] == 8 and not total["failed"], rows
            assert all(row["folder-was"] == "made" for row in rows.values())
            _, total = restore(pair, folder)  # beside, while mail comes
            assert total["restored"] == total["messages"] and not total["failed"]
            _, again = restore(pair, folder)
            assert again["restored"] == 0 and again["there"] == again["messages"] == total["messages"]
            _, inbox = restore(pair, folder, "--folder=INBOX", "--in-place")
            assert inbox["restored"] == 40 and inbox["removed"] == 0
            return before, after, backup

        before, after, backup = under_load(pair, ledger, work)
        assert all_marks(imap, *PROJECTS) == projects
        assert [line for line in imap.lsub()[1] if b"Projects" in line and b"Restored" not in line] == [
            b'() "/" Projects/Deep']
        moment = backup["backup"]
        beside = f"Restored/{moment[:4]}-{moment[4:6]}-{moment[6:8]} {moment[9:11]}.{moment[11:13]}"
        seen = numbers_in(imap, ledger, f"{beside}/INBOX")
        assert before <= seen, f"missing: {sorted(before - seen)[:10]}"
        assert len(seen - after) <= SENDERS, "more than what was on its way"
        here = numbers_in(imap, ledger)  # nothing that came since was lost, nothing came twice
        assert here == ledger.now(), sorted(ledger.now() ^ here)[:10]
        imap.logout()


def test_a_mailbox_is_made_exactly_what_it_was():
    with Pair() as pair:
        folder = make_backups_folder(pair)
        imap = pair.imap()
        for number in range(6):
            pair.deliver("alice", message(f"inbox {number}"))
        fill_projects(imap)
        before = all_marks(imap, "INBOX", *PROJECTS)
        back_up(pair, folder)
        imap.select("INBOX")
        imap.store("1:2", "+FLAGS", r"(\Deleted)")
        imap.expunge()
        imap.store("1:2", "+FLAGS", r"(\Seen later)")
        pair.deliver("alice", message("came since"))
        imap.rename("Projects", "Renamed")
        _, plan = restore(pair, folder, "--in-place", "--exact", "--dry-run")
        assert all_marks(imap, "INBOX")["INBOX"].keys() == {f"inbox {n}" for n in range(2, 6)} | {"came since"}
        _, done = restore(pair, folder, "--in-place", "--exact")
        assert plan == done
        assert done == {"messages": 14, "there": 4, "restored": 10, "flags": 2, "removed": 9, "failed": 0}
        assert all_marks(imap, "INBOX", *PROJECTS) == before
        assert not [line for line in imap.list()[1] if b"Renamed" in line]
        text = pair.back.admin("mailbox", "recover", "alice", "--list")[1]
        assert "came since" in text and text.count("project") == 8, text
        pair.back.admin("user", "set", "alice", "--recovery=0")
        code, text = pair.back.admin("mailbox", "restore", "alice", folder, "--in-place", "--exact", ok=None)
        assert code == 1 and "gone for good" in text, text
        pair.back.admin("user", "set", "alice", "--recovery=14d")
        pair.back.stop()  # and while the daemon is stopped
        _, done = restore(pair, folder, "--in-place", "--exact")
        assert done["there"] == done["messages"] == 14 and done["restored"] == done["removed"] == 0
        pair.back.admin("database", "check")
        pair.back.start()


def uidls(pair):
    pop3 = pair.pop3()
    found = [line.split()[1] for line in pop3.uidl()[1]]
    pop3.quit()
    return found


def test_clients_that_know_a_folder_see_a_restore_as_new_mail():
    with Pair() as pair:
        folder = make_backups_folder(pair)
        home = os.path.join(pair.folder, "mbsync")
        os.makedirs(f"{home}/mail")
        with open(f"{home}/rc", "w") as file:
            file.write(f"IMAPAccount a\nHost localhost\nPort {pair.front.imaps_port}\nUser alice\nPass secret-a\n"
                       f"SSLType IMAPS\nCertificateFile {pair.pki}/ca.crt\n\nIMAPStore far\nAccount a\n\n"
                       f"MaildirStore near\nPath {home}/mail/\nInbox {home}/mail/INBOX\nSubFolders Verbatim\n\n"
                       "Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSyncState *\n")

        def sync():
            subprocess.run(["mbsync", "-c", f"{home}/rc", "-a"], check=True, capture_output=True, timeout=PATIENCE,
                           env={**os.environ, "HOME": home})
            return sorted(re.search(r"Subject: (.*)", open(path).read())[1]
                          for path in glob.glob(f"{home}/mail/INBOX/*/*"))

        for number in range(12):
            pair.deliver("alice", message(f"inbox {number:02}"))
        names = [f"inbox {number:02}" for number in range(12)]
        assert sync() == names
        ids = uidls(pair)
        told = inbox_status(pair)
        watcher = pair.imap()
        watcher.select("INBOX")
        uids = watcher.uid("SEARCH", "ALL")[1][0].split()
        back_up(pair, folder)
        watcher.store("1:5", "+FLAGS", r"(\Deleted)")
        watcher.expunge()
        assert sync() == names[5:]
        _, total = restore(pair, folder, "--in-place")
        assert total["restored"] == 5
        watcher.noop()
        now = inbox_status(pair)
        assert now["UIDVALIDITY"] == told["UIDVALIDITY"]
        here = watcher.uid("SEARCH", "ALL")[1][0].split()
        assert here[:7] == uids[5:]  # no uid names another message than before
        assert all(int(uid) >= told["UIDNEXT"] for uid in here[7:]) and len(here) == 12
        assert sync() == names
        assert sorted(uidls(pair)) == sorted(ids)  # a POP3 client fetches nothing again
        watcher.logout()


def test_a_user_who_is_gone_comes_back_with_password_and_mail():
    with Pair() as pair, Pair(users=(("carol", "secret-c"),)) as other:
        folder = make_backups_folder(pair)
        pair.back.admin("address", "add", "alice", f"sales@{DOMAIN}", f"info@{DOMAIN}")
        pair.deliver("alice", message("for alice"))
        back_up(pair, folder)
        pair.back.admin("user", "remove", "alice", "--yes")
        code, text = pair.back.admin("mailbox", "restore", "alice", folder, "--in-place", ok=None)
        assert code == 4 and "--with-user" in text, text
        code, text = pair.back.admin("mailbox", "restore", "alice", folder, "--in-place", "--with-user", ok=None)
        assert code == 1 and "user restore" in text, text  # until then the account is kept
        _, total = restore(pair, folder, "--to=bob")
        assert total["restored"] == 1
        # where nobody knows her any more
        other.back.admin("address", "add", "carol", f"info@{DOMAIN}")
        _, total = restore(other, folder, "--in-place", "--with-user", "--dry-run")
        assert total["restored"] == 1 and other.back.admin("user", "show", "alice", ok=None)[0] == 4
        _, total = restore(other, folder, "--in-place", "--with-user")
        assert total["restored"] == 1
        imap = other.imap("alice", "secret-a")
        assert list(marks(imap, "INBOX")) == ["for alice"]
        imap.logout()
        assert not other.deliver(f"sales@{DOMAIN}", message("to an alias"))
        other.deliver(f"info@{DOMAIN}", message("taken meanwhile"))
        imap = other.imap("carol", "secret-c")
        assert list(marks(imap, "INBOX")) == ["taken meanwhile"]
        imap.logout()
        # and where another alice has the name
        other.back.admin("user", "remove", "alice", "--yes")
        other.back.add_user("alice", "secret-n")
        code, text = other.back.admin("mailbox", "restore", "alice", folder, "--in-place", "--with-user", ok=None)
        assert code == 1, text
        code, text = other.back.admin("mailbox", "restore", "alice", folder, "--in-place", ok=None)
        assert code == 1 and "another user" in text, text
        _, total = restore(other, folder, "--to=alice")
        assert total["restored"] == 1


def test_a_restore_keeps_to_the_quota_and_goes_on_when_it_is_raised():
    with Pair() as pair:
        folder = make_backups_folder(pair)
        imap = pair.imap()
        for number in range(40):
            imap.append("Sent", None, None, message(f"sent {number}", os.urandom(30_000).hex()))
        back_up(pair, folder)
        imap.select("Sent")
        imap.store("1:*", "+FLAGS", r"(\Deleted)")
        imap.expunge()
        pair.back.admin("user", "set", "alice", "--quota=1M")
        code, text = pair.back.admin("mailbox", "restore", "alice", folder, "--in-place", ok=None)
        assert code == 1 and "--ignore-quota" in text, text
        assert 10 <= len(marks(imap, "Sent")) <= 17
        _, total = restore(pair, folder, "--in-place", "--ignore-quota")
        assert total["there"] + total["restored"] == 40
        assert len(marks(imap, "Sent")) == 40
        imap.logout()


def test_damage_in_a_backup_is_told_and_the_rest_restored():
    with Pair(back_extra="compress = no\n") as pair:
        folder = make_backups_folder(pair)
        for number in range(3):
            pair.deliver("alice", message(f"inbox {number}", f"this is body {number}"))
        backup = back_up(pair, folder)
        segment, = glob.glob(f"{folder}/db1-*/segment-*")
        with open(segment, "r+b") as file:
            at = file.read().index(b"this is body 1")
            file.seek(at)
            file.write(b"T")
        code, text = pair.back.admin("mailbox", "restore", "alice", folder, ok=None)
        assert code == 1 and "damaged" in text and "2 of 3 messages restored" in text, text
        index = f"{folder}/{backup['backup']}/db1.index"
        with open(index, "r+b") as file:
            file.seek(9000)
            byte = file.read(1)
            file.seek(9000)
            file.write(bytes([byte[0] ^ 1]))
        code, text = pair.back.admin("mailbox", "restore", "alice", folder, "--into=again", ok=None)
        assert code == 1 and "checksum" in text, text
        pair.back.admin("status")


def test_a_backup_that_cannot_be_read_or_is_not_there_is_told():
    with Pair() as pair:
        folder = make_backups_folder(pair)
        code, text = pair.back.admin("mailbox", "restore", "alice", folder, ok=None)
        assert code == 4 and "no whole backup" in text, text
        code, text = pair.back.admin("mailbox", "restore", "alice", folder + "-not", ok=None)
        assert code == 4, text
        pair.deliver("alice", message())
        back_up(pair, folder)
        for flags in (["--in-place", "--into=x"], ["--exact"], ["--in-place", "--to=bob"], ["--into=.."]):
            code, text = pair.back.admin("mailbox", "restore", "alice", folder, *flags, ok=None)
            assert code == 2, text
        code, text = pair.back.admin("mailbox", "restore", "alice", folder, "--folder=Nothing", ok=None)
        assert code == 4 and "no folder Nothing" in text, text
        code, text = pair.back.admin("mailbox", "restore", "nobody", folder, ok=None)
        assert code == 4 and "nobody" in text, text


# ---- going on, and removing old ones ----


def names_in(pair, folder, code=0):
    rows = json.loads(pair.back.admin("backup", "list", folder, "--json", ok=(code,))[1])
    return [row["backup"] for row in rows if row["whole"]]


def follow(pair, folder, *flags):
    return subprocess.Popen([pair.back.binary, "--config", pair.back.config, "backup", "run", folder, *flags],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_following_outlives_the_daemon_and_old_backups_are_pruned():
    with Pair() as pair:
        folder = make_backups_folder(pair)
        pair.deliver("alice", message("first"))
        process = follow(pair, folder, "--follow=1s")
        try:
            wait_until(lambda: len(names_in(pair, folder)) >= 2, "two backups")
            pair.back.stop()
            told = iter(process.stdout.readline, "")
            wait_until(lambda: "no daemon answers" in next(told), "the tool misses the daemon")
            pair.back.start()
            pair.front.wait_for_links(2)
            pair.deliver("alice", message("second"))
            before = len(names_in(pair, folder))
            wait_until(lambda: len(names_in(pair, folder)) >= before + 2, "it goes on")
            process.send_signal(signal.SIGINT)
            rest = list(told)
            assert process.wait(PATIENCE) == 0 and rest[-1] == "stopped\n", rest
            assert all(re.fullmatch(r"(the daemon answers|  .*serve.*|backup \S+: \d+ messages, .*|stopped)\n", line)
                       for line in rest), rest
        finally:
            process.kill()
            process.wait()
        whole = names_in(pair, folder)
        plan = json.loads(pair.back.admin("backup", "prune", folder, "--keep=2", "--dry-run", "--json")[1])
        assert [row["backup"] for row in plan if row["fate"] == "kept"] == whole[-2:]
        assert names_in(pair, folder) == whole
        assert pair.back.admin("backup", "prune", folder, ok=None)[0] == 2
        pair.back.admin("backup", "prune", folder, "--keep=2")
        assert names_in(pair, folder) == whole[-2:]
        for name in whole[-2:]:
            pair.back.admin("backup", "verify", folder, f"--backup={name}")
        pair.back.admin("backup", "prune", folder, "--keep-daily=7", "--keep-weekly=4")
        assert names_in(pair, folder) == whole[-1:]
        _, total = restore(pair, folder)
        assert total["restored"] == 2
        code, text = pair.back.admin("backup", "run", folder + "-not", "--follow", ok=None)
        assert code == 4, text
        code, text = pair.back.admin("backup", "run", folder, "--follow=never", ok=None)
        assert code == 2 and "15m" not in text, text


def deliver_noise(pair, count, size=250_000):
    for number in range(count):
        assert not pair.deliver("alice", message(f"noise {number}", os.urandom(size // 2).hex()))


def test_a_full_disk_ends_a_backup_and_the_next_goes_on():
    with Pair() as pair:
        folder = make_backups_folder(pair)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", folder], capture_output=True).returncode:
            return "skip: no file system may be mounted here"
        try:
            deliver_noise(pair, 40)
            code, text = pair.back.admin("backup", "run", folder, ok=None)
            assert code == 1 and "No space left" in text, text
            assert names_in(pair, folder) == []
            assert not pair.deliver("alice", message("the service goes on"))
            code, text = pair.back.admin("backup", "prune", folder, "--keep=1", ok=None)
            assert code == 0, text
            subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
            assert back_up(pair, folder)["whole"]
            pair.back.admin("backup", "verify", folder)
            with open(f"{folder}/fill", "wb") as file:
                try:
                    while file.write(bytes(65536)):
                        file.flush()
                except OSError:
                    pass
            deliver_noise(pair, 1)
            code, text = pair.back.admin("backup", "run", folder, ok=None)
            assert code == 1 and "No space left" in text, text
            assert len(names_in(pair, folder)) == 1
            pair.back.admin("backup", "verify", folder)  # the failure has not spoilt the one before
            os.unlink(f"{folder}/fill")
            back_up(pair, folder)
            pair.back.admin("backup", "verify", folder)
            _, total = restore(pair, folder)
            assert total["restored"] == 42
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def test_a_backup_that_is_killed_is_none_and_the_next_goes_on():
    with Pair() as pair:
        folder = make_backups_folder(pair)
        pair.deliver("alice", message("first"))
        back_up(pair, folder)
        entries = len(os.listdir(folder))
        deliver_noise(pair, 40)

        def begin():
            process = follow(pair, folder, "--rate=100K")
            wait_until(lambda: len(os.listdir(folder)) > entries, "the backup is being made")
            return process

        process = begin()  # who asked for it goes away
        process.kill()
        process.wait()
        wait_until(lambda: len(os.listdir(folder)) == entries, "it is broken off")
        process = begin()  # the back end is killed
        pair.back.stop(signal.SIGKILL)
        assert process.wait(PATIENCE) == 3
        pair.back.start()
        assert len(names_in(pair, folder, code=1)) == 1
        back_up(pair, folder)
        assert len(names_in(pair, folder)) == 2
        pair.back.admin("backup", "verify", folder)
        _, total = restore(pair, folder)
        assert total["restored"] == 41


def test_a_restore_that_is_broken_off_goes_on():
    with Pair() as pair:
        folder = make_backups_folder(pair)
        deliver_noise(pair, 60, 100_000)
        back_up(pair, folder)
        process = subprocess.Popen([pair.back.binary, "--config", pair.back.config, "mailbox", "restore", "alice",
                                    folder, "--into=Back"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        imap = pair.imap()
        wait_until(lambda: imap.status("Back/INBOX", "(MESSAGES)")[0] == "OK" and
                   b"MESSAGES 0" not in imap.status("Back/INBOX", "(MESSAGES)")[1][0], "the first have come")
        pair.back.stop(signal.SIGKILL)
        process.wait(PATIENCE)
        pair.back.start()
        pair.front.wait_for_links(2)
        _, total = restore(pair, folder, "--into=Back")
        assert total["restored"] + total["there"] == 60
        imap = pair.imap()
        assert len(marks(imap, "Back/INBOX")) == 60
        assert marks(imap, "Back/INBOX") == marks(imap, "INBOX")
        pair.back.admin("database", "check")
        imap.logout()


def test_a_folder_that_the_back_end_may_not_use_is_told():
    with Pair(start=False) as pair:
        if os.getuid() != 0:
            return "skip: only root can be two users"
        os.chmod(pair.folder, 0o755)
        with open(pair.back.config) as file:
            config = file.read().replace(f"unix:{pair.folder}/link", f"unix:{pair.back.folder}/link")
        with open(pair.back.config, "w") as file:
            file.write(config)
        subprocess.run(["chown", "-R", "mail:", pair.back.folder], check=True)
        pair.back.binary = shutil.copy(pair.back.binary, pair.folder)
        pair.back.user = pwd.getpwnam("mail")
        pair.back.start()
        folder = make_backups_folder(pair)
        os.chmod(folder, 0o700)
        code, text = pair.back.admin("backup", "run", folder, ok=None)
        assert code == 1 and "must belong to the user that the back end runs as" in text, text
        shutil.chown(folder, "mail")
        name = back_up(pair, folder)["backup"]
        pair.back.admin("backup", "prune", folder, "--keep=1")  # root's, in the folder of another user
        back_up(pair, folder)
        pair.back.admin("backup", "verify", folder, f"--backup={name}")
        shutil.chown(f"{folder}/{name}", "root")
        code, text = pair.back.admin("mailbox", "restore", "alice", folder, f"--backup={name}", ok=None)
        assert code != 0 and text, text
