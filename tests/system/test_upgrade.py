"""A data folder that was made by the program before format 2 (tests/data/format-1.tar.gz): served, backed up,
upgraded, and put back from the backup."""

import json
import os
import shutil
import subprocess

from pair import ROOT, Pair, message

OLD = os.path.join(ROOT, "tests", "data", "format-1.tar.gz")


def shown(pair):
    return json.loads(pair.back.admin("database", "show", "db1", "--json")[1])


def count(pair, folder):
    imap = pair.imap()
    messages = int(imap.select(folder)[1][0])
    imap.logout()
    return messages


def test_an_old_data_folder_is_served_upgraded_and_restored():
    with Pair(back_extra="databases = 1\nrecovery_time = 3650d\n", start=False) as pair:
        data = os.path.join(pair.back.folder, "data")
        backups = os.path.join(pair.folder, "backups")
        shutil.rmtree(data)
        os.mkdir(data, 0o700)
        os.mkdir(backups, 0o700)
        subprocess.run(["tar", "-xzf", OLD, "-C", data, "--no-same-owner"], check=True)
        pair.start()
        assert (count(pair, "INBOX"), count(pair, "Projects")) == (4, 2)
        pair.deliver("alice", message("to an old store"))
        assert shown(pair)["format"] == 1 and shown(pair)["format-newest"] == 2
        status = json.loads(pair.back.admin("status", "--json")[1])
        assert (status["format"], status["format-newest"]) == (1, 2), status
        pair.back.admin("backup", "run", backups)

        planned = json.loads(pair.back.admin("database", "upgrade", "--dry-run", "--json")[1])
        assert [(row["database"], row["from"], row["to"]) for row in planned] == [("db1", 1, 2)], planned
        assert pair.back.admin("database", "upgrade", "db1", ok=None)[0] != 0, "asks first"
        assert shown(pair)["format"] == 1
        pair.back.admin("database", "upgrade", "db1", "--yes")
        assert shown(pair)["format"] == 2 and not shown(pair)["upgrading"]
        assert "nothing to do" in pair.back.admin("database", "upgrade", "--yes")[1]
        assert pair.back.admin("database", "check", "--fast")[0] == 0
        mailbox = json.loads(pair.back.admin("mailbox", "show", "alice", "--json")[1])
        assert (mailbox["messages"], mailbox["recoverable"]) == (7, 2), mailbox
        pair.back.admin("mailbox", "recover", "alice")
        assert count(pair, "INBOX") == 7

        pair.back.stop()  # and back to where the backup was
        for name in ("store", "directory"):
            shutil.rmtree(os.path.join(data, name))
        pair.back.admin("backup", "restore", backups)
        pair.back.start()
        pair.front.wait_for_links(2)
        assert shown(pair)["format"] == 1
        assert count(pair, "INBOX") == 5
