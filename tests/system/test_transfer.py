"""Mailboxes that come from elsewhere and go elsewhere."""

import mailbox
import os
import re

from pair import Pair, message

BODIES = {
    "plain": message("plain", "From the start\r\n>From a quotation\r\n.\r\n"),
    "bytes": b"Subject: bytes\r\n\r\n\xff\x00\r\nends without a line end",
    "empty": b"Subject: no body\r\n\r\n",
    "bare": b"Subject: bare\r\n\r\na\rb\r\n\r\n",
}


def make_maildir(folder, messages, keywords=(), header="3 V1234567 N500"):
    """messages: name, letters, time, uid, POP3 id, bytes."""
    for part in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(folder, part))
    lines = [header]
    for name, letters, time, uid, uidl, text in messages:
        path = os.path.join(folder, "cur", f"{name}:2,{letters}")
        with open(path, "wb") as file:
            file.write(text)
        os.utime(path, (time, time))
        lines.append(f"{uid} {'P' + uidl + ' ' if uidl else ''}:{name}")
    for name, text in (("dovecot-uidlist", lines),
                       ("dovecot-keywords", [f"{number} {word}" for number, word in enumerate(keywords)])):
        with open(os.path.join(folder, name), "w") as file:
            file.write("\n".join(text) + "\n")


def make_source(root):
    make_maildir(root, [("9.a", "S", 1500000000, 7, "old-1", BODIES["plain"]),
                        ("1.b", "FRab", 1400000000, 30, "", BODIES["bytes"])], ("$Forwarded", "Work"))
    make_maildir(os.path.join(root, ".Lists.B&APw-cher"), [("5.c", "DT", 1300000000, 2, "", BODIES["empty"])],
                 header="3 V99 N3")
    make_maildir(os.path.join(root, ".Lists.v1\\2e2"), [("6.d", "", 1200000000, 4, "", BODIES["bare"])],
                 header="3 V98 N9")
    with open(os.path.join(root, "subscriptions"), "w") as file:
        file.write("Lists.B&APw-cher\nGone\n")


def contents(imap):
    """All that a client can see of a mailbox."""
    seen = {}
    for line in imap.list()[1]:
        name = re.search(rb'"/" (.*)$', line).group(1).decode()
        if b"\\Noselect" in line or imap.select(name, readonly=True)[0] != "OK":
            continue
        numbers = [imap.response(word)[1][0] for word in ("UIDVALIDITY", "UIDNEXT")]
        parts = imap.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")[1]
        messages = {}
        for part in parts:
            if isinstance(part, tuple):
                uid = int(re.search(rb"UID (\d+)", part[0]).group(1))
                flags = re.search(rb"FLAGS \(([^)]*)\)", part[0]).group(1)
                date = re.search(rb'INTERNALDATE "([^"]*)"', part[0]).group(1)
                messages[uid] = (frozenset(flags.split()) - {b"\\Recent"}, date, part[1])
        seen[name] = (numbers if messages else None, messages)
    seen[None] = sorted(imap.lsub()[1])
    return seen


def test_a_mailbox_survives_import_export_and_import():
    with Pair() as pair:
        source, copy = os.path.join(pair.folder, "Source"), os.path.join(pair.folder, "Copy")
        make_source(source)
        pair.back.add_user("first", "secret-1")
        pair.back.add_user("second", "secret-2")
        pair.back.admin("mailbox", "import", "first", source)
        imap = pair.imap("first", "secret-1")
        before = contents(imap)
        imap.logout()
        assert before["INBOX"][0] == [b"1234567", b"500"], before["INBOX"]
        assert before["INBOX"][1][7][2] == BODIES["plain"], before["INBOX"]
        assert before["INBOX"][1][30][0] == {b"\\Flagged", b"\\Answered", b"$Forwarded", b"Work"}, before["INBOX"]
        assert b"Jul-2017" in before["INBOX"][1][7][1], before["INBOX"]
        assert before["Lists/v1.2"][1][4][2] == BODIES["bare"], before
        assert any(b"Gone" in line for line in before[None]), before[None]
        pair.back.admin("mailbox", "export", "first", copy)
        pair.back.admin("mailbox", "import", "second", copy)
        imap = pair.imap("second", "secret-2")
        after = contents(imap)
        imap.logout()
        assert after == before, (before, after)
        pop3 = pair.pop3("second", "secret-2")
        assert pop3.uidl()[1][0] == b"1 old-1", pop3.uidl()
        pop3.quit()
        pair.back.admin("mailbox", "import", "second", copy)
        imap = pair.imap("second", "secret-2")
        assert contents(imap) == before, "importing again has changed something"
        imap.logout()


def test_an_mbox_export_is_read_by_others_and_by_us():
    with Pair() as pair:
        source, boxes = os.path.join(pair.folder, "Source"), os.path.join(pair.folder, "Boxes")
        make_source(source)
        pair.back.admin("mailbox", "import", "alice", source)
        pair.back.admin("mailbox", "export", "alice", boxes, "--format=mbox")
        box = mailbox.mbox(os.path.join(boxes, "INBOX.mbox"), create=False)
        assert [one["Subject"] for one in box] == ["plain", "bytes"], list(box)
        assert box[0].get_flags() == "RO" and "A" in box[1].get_flags() and "F" in box[1].get_flags()
        assert box[1]["X-Keywords"] == "$Forwarded Work" and box[1]["X-UID"] == "30", box[1].items()
        pair.back.admin("mailbox", "import", "alice", os.path.join(boxes, "INBOX.mbox"), "--folder=Again")
        imap = pair.imap()
        assert imap.select("Again")[1] == [b"2"]
        assert imap.search(None, "KEYWORD", "Work")[1] == [b"2"]
        text = imap.fetch("1", "(BODY.PEEK[])")[1][0][1]
        added = b"Status: RO\r\nX-Status: \r\nX-UID: 7\r\n"
        assert text == added + BODIES["plain"], text
        imap.logout()


def test_an_export_needs_an_empty_folder_and_a_folder_that_is_there():
    with Pair() as pair:
        pair.deliver("alice", message("one"))
        target = os.path.join(pair.folder, "Target")
        pair.back.admin("mailbox", "export", "alice", target, "--folder=INBOX")
        code, said = pair.back.admin("mailbox", "export", "alice", target, ok=None)
        assert code != 0 and "not empty" in said, said
        code, said = pair.back.admin("mailbox", "export", "alice", target + "2", "--folder=Nowhere", ok=None)
        assert code != 0 and "no such folder" in said, said
        assert not os.path.exists(os.path.join(target, ".Sent"))
