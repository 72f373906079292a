"""One of two databases crashes the back end: the other is served without it, until it is mounted again."""

import imaplib
import json
import os
import poplib
import re
import shutil
import struct

from pair import Pair, message, wait_until


def home_of(pair, user):
    """The database that the user's first message makes a mailbox in."""
    counts = {row["database"]: row["mailboxes"] for row in rows(pair)}
    pair.deliver(user, message("first"))
    grown, = [row["database"] for row in rows(pair) if row["mailboxes"] > counts[row["database"]]]
    return grown


def rows(pair):
    return json.loads(pair.back.admin("database", "list", "--json")[1])


def status(pair):
    return json.loads(pair.back.admin("status", "--json")[1])


PAGE = 4096
LEAF = 2


def damage(index):
    """Lets each row of items, and others with such keys, say that it is two gigabytes long: who reads it leaves the file.
    An opening reads none of them."""
    with open(index, "r+b") as file:
        pages = file.read()
        for page in range(0, len(pages), PAGE):
            flags, lower = struct.unpack_from("<HH", pages, page + 10)
            for place in range(page + 16, page + min(lower, PAGE), 2) if flags == LEAF else ():
                row = page + struct.unpack_from("<H", pages, place)[0]
                _, flags, key = struct.unpack_from("<IHH", pages, row)
                if flags == 0 and key == 12:
                    file.seek(row)
                    file.write(struct.pack("<I", 0x7FFF0000))


def poke(pair, user):
    """Asks the back end for the user's mailbox; what becomes of the client does not matter."""
    try:
        pair.imap(user).select("INBOX")
    except (imaplib.IMAP4.error, OSError):
        pass


def crash(pair, user):
    """Reads the user's mailbox until the back end ends of it: the first clients may come before its links are up."""
    def has_ended():
        poke(pair, user)
        return pair.back.process.poll() is not None

    wait_until(has_ended, "the back end ends")
    assert pair.back.process.wait() != 0
    pair.back.process = None


def refusal(pair, user):
    try:
        imap = pair.imap(user)
        imap.select("INBOX")
    except imaplib.IMAP4.error as error:
        return str(error)
    typ, data = imap.select("INBOX")
    return f"{typ} {data}"


def test_the_other_database_is_served_without_the_one_that_crashes():
    with Pair(back_extra="databases = 2\nindex_copy_interval = 0\n", start=False) as pair:
        # what it is about to do it should do in a build with sanitizers as well
        pair.back.environment = {
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0:handle_sigbus=0:handle_abort=0"}
        pair.start()
        homes = {user: home_of(pair, user) for user in ("alice", "bob")}
        assert set(homes.values()) == {"db1", "db2"}, homes
        folder = os.path.join(pair.back.folder, "data", "store", homes["bob"])
        index = os.path.join(folder, "index.mdb")

        damage(index)
        crash(pair, "bob")
        assert os.path.getsize(os.path.join(folder, "crashes")) == 1
        try:
            pair.back.start()
        except Exception:
            pair.back.process = None  # housekeeping was first
        else:
            crash(pair, "bob")
        assert os.path.getsize(os.path.join(folder, "crashes")) == 2

        pair.back.start()
        wait_until(lambda: "not available now" not in refusal(pair, "alice"), "alice is served")
        assert status(pair)["unmounted"] == [homes["bob"]]
        assert [row["mounted"] for row in rows(pair)] == [row["database"] != homes["bob"] for row in rows(pair)]
        shown = json.loads(pair.back.admin("database", "show", homes["bob"], "--json")[1])
        assert "twice in a row" in shown["not-mounted-because"], shown
        code, said = pair.back.admin("database", "check", "--json", ok=(1,))
        assert "not mounted" in json.loads(said)[0]["problem"], said

        imap = pair.imap("alice")
        assert imap.select("INBOX")[1][0] == b"1"
        imap.logout()
        assert not pair.deliver("alice", message("second"))
        assert "UNAVAILABLE" in refusal(pair, "bob")
        try:
            said = str(pair.pop3("bob").stat())
        except poplib.error_proto as error:
            said = str(error)
        assert "[SYS/TEMP]" in said, said
        refused = str(pair.deliver("bob", message("later")))
        assert re.search(r"\b4\d\d\b", refused) and not re.search(r"\b5\d\d\b", refused), refused

        pair.back.stop()
        pair.back.admin("database", "rebuild", homes["bob"], "--without-copy")
        pair.back.start()
        assert status(pair)["unmounted"] == []
        # how often links came up depends on which of the starts got that far
        wait_until(lambda: "not available now" not in refusal(pair, "bob"), "bob is served")
        imap = pair.imap("bob")
        assert imap.select("Recovered/INBOX")[1][0] == b"1"
        imap.logout()
        assert not pair.deliver("bob", message("now"))


def test_a_database_with_damaged_pages_is_refused_before_it_can_crash_anything():
    with Pair(back_extra="databases = 2\nindex_copy_interval = 0\n") as pair:
        homes = {user: home_of(pair, user) for user in ("alice", "bob")}
        index = os.path.join(pair.back.folder, "data", "store", homes["bob"], "index.mdb")
        pair.back.stop()
        shutil.copy(index, index + ".good")

        damage(index)
        code, said = pair.back.admin("database", "check", homes["bob"], "--json", ok=None)
        assert code == 1 and "is damaged (table" in said and "database rebuild" in said, said

        shutil.copy(index + ".good", index)
        os.truncate(index, 2 * PAGE)  # LMDB's own two are left
        pair.back.start()
        pair.front.wait_for_links(2)
        assert status(pair)["unmounted"] == [homes["bob"]]
        shown = json.loads(pair.back.admin("database", "show", homes["bob"], "--json")[1])
        assert "is damaged" in shown["not-mounted-because"], shown
        assert "database rebuild" in shown["not-mounted-because"], shown
        assert os.path.getsize(os.path.join(os.path.dirname(index), "crashes")) == 0
        imap = pair.imap("alice")
        assert imap.select("INBOX")[1][0] == b"1"
        imap.logout()
        assert "UNAVAILABLE" in refusal(pair, "bob")

        shutil.copy(index + ".good", index)
        pair.back.admin("database", "mount", homes["bob"])
        imap = pair.imap("bob")
        assert imap.select("INBOX")[1][0] == b"1"
        imap.logout()


def test_a_database_is_mounted_while_the_back_end_serves():
    with Pair(back_extra="databases = 2\n") as pair:
        homes = {user: home_of(pair, user) for user in ("alice", "bob")}
        index = os.path.join(pair.back.folder, "data", "store", homes["bob"], "index.mdb")
        pair.back.stop()
        os.rename(index, index + ".away")
        pair.back.start()
        pair.front.wait_for_links(2)
        assert "UNAVAILABLE" in refusal(pair, "bob")
        assert pair.back.admin("database", "mount", homes["bob"], ok=None)[0] != 0
        os.rename(index + ".away", index)
        mounted = json.loads(pair.back.admin("database", "mount", homes["bob"], "--json")[1])
        assert mounted["mounted"] and mounted["mailboxes"] == 1, mounted
        imap = pair.imap("bob")
        assert imap.select("INBOX")[1][0] == b"1"
        imap.logout()
        assert not pair.deliver("bob", message("again"))


def test_repair_reaches_a_database_that_is_not_mounted():
    with Pair(back_extra="databases = 2\n", start=False) as pair:
        rows(pair)  # makes them
        crashes = os.path.join(pair.back.folder, "data", "store", "db2", "crashes")
        with open(crashes, "w") as file:
            file.write("xx")
        assert [row["mounted"] for row in rows(pair)] == [True, False]
        pair.back.admin("database", "repair", "db2")
        assert [row["mounted"] for row in rows(pair)] == [True, True]


def test_a_database_that_is_added_takes_new_users_and_stays():
    with Pair(back_extra="databases = 1\n") as pair:
        assert home_of(pair, "alice") == "db1"
        added = json.loads(pair.back.admin("database", "add", "--json")[1])
        assert added["database"] == "db2" and added["mounted"], added
        assert home_of(pair, "bob") == "db2"
        pair.back.stop()
        added = json.loads(pair.back.admin("database", "add", "--json")[1])
        assert added["database"] == "db3", added
        pair.back.start()
        pair.front.wait_for_links(2)
        assert [(row["database"], row["mounted"], row["mailboxes"]) for row in rows(pair)] == [
            ("db1", True, 1), ("db2", True, 1), ("db3", True, 0)]
        imap = pair.imap("bob")
        assert imap.select("INBOX")[1][0] == b"1"
        imap.logout()
        assert pair.back.admin("database", "check", "--json")[1].strip() == "[]"


def test_an_empty_mount_point_is_not_taken_for_a_new_database():
    with Pair(back_extra="databases = 2\n") as pair:
        homes = {user: home_of(pair, user) for user in ("alice", "bob")}
        folder = os.path.join(pair.back.folder, "data", "store", homes["bob"])
        pair.back.stop()
        os.rename(folder, folder + ".disk")
        os.mkdir(folder, 0o700)
        pair.back.start()
        pair.front.wait_for_links(2)
        assert status(pair)["unmounted"] == [homes["bob"]]
        shown = json.loads(pair.back.admin("database", "show", homes["bob"], "--json")[1])
        assert "mount its disk" in shown["not-mounted-because"], shown
        assert "UNAVAILABLE" in refusal(pair, "bob")
        refused = str(pair.deliver("bob", message("later")))
        assert re.search(r"\b4\d\d\b", refused), refused
        assert pair.back.admin("database", "mount", homes["bob"], ok=None)[0] == 1
        assert os.listdir(folder) == []

        os.rmdir(folder)
        os.rename(folder + ".disk", folder)
        pair.back.admin("database", "mount", homes["bob"])
        imap = pair.imap("bob")
        assert imap.select("INBOX")[1][0] == b"1"
        imap.logout()
        assert not pair.deliver("bob", message("now"))

        # its disk will not come back
        pair.back.stop()
        shutil.rmtree(folder)
        code, said = pair.back.admin("database", "rebuild", homes["bob"], ok=None)
        assert code == 1 and "mount its disk" in said, (code, said)
        assert pair.back.admin("database", "rebuild", "db7", ok=None)[0] == 4
        assert pair.back.admin("database", "rebuild", homes["alice"], "--empty", ok=None)[0] == 1
        told = json.loads(pair.back.admin("database", "rebuild", homes["bob"], "--empty", "--json")[1])
        assert told["messages"] == 0, told
        pair.back.start()
        pair.front.wait_for_links(3)
        assert status(pair)["unmounted"] == []
        assert not pair.deliver("bob", message("again"))
        imap = pair.imap("alice")
        assert imap.select("INBOX")[1][0] == b"1"
        imap.logout()
