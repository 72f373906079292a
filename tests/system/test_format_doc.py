"""docs/store.md is true to the bytes on the disk: what store_reader.py, which knows nothing else, reads of a stopped
back end is what IMAP told of it before."""

import datetime
import json
import os
import random
import re
import subprocess
import sys

import store_reader
from pair import DOMAIN, Lmtp, Pair, message

NOISE = random.Random(3)
HEAD = b"From: a@example.org\r\nSubject: shapes\r\n\r\n"
SHAPES = (
    b"x", b"\r\n", HEAD + b"\0\0\r\n\0", HEAD + bytes(range(256)) * 3, b"Subject: bare\nLF\n\nand\rCR\r\r\n",
    HEAD + b"no last line end", HEAD + "ünïcödé\r\n".encode("utf-16"),
    HEAD + NOISE.randbytes(1_300_000),        # more than waits in memory, and nothing to compress
    HEAD + b"the same line again\r\n" * 60_000)
MANY = [f"k{number}" for number in range(70)]  # more keywords than one word has bits
ATTRIBUTES = "(UID FLAGS MODSEQ INTERNALDATE RFC822.SIZE EMAILID THREADID BODY.PEEK[])"
STATUS = "(MESSAGES UNSEEN DELETED SIZE UIDNEXT UIDVALIDITY HIGHESTMODSEQ)"
USES = {2: "\\Drafts", 3: "\\Sent", 4: "\\Junk", 5: "\\Trash", 6: "\\Archive"}


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


# ---- what is there to be read ----


def deliver_shapes(pair):
    with Lmtp("127.0.0.1", pair.front.lmtp_port) as lmtp:
        for text in SHAPES:
            lmtp.expect(b"250", lmtp.command(b"MAIL FROM:<s@example.org> BODY=8BITMIME"))
            for user in ("alice", "bob"):
                lmtp.expect(b"250", lmtp.command(f"RCPT TO:<{user}@{DOMAIN}>".encode()))
            lmtp.connection.sendall(b"BDAT %d LAST\r\n" % len(text) + text)
            for _ in range(2):
                lmtp.expect(b"250", lmtp.answer())


def use_folders(imap):
    for folder in ("Work", "Work/2026", "Gone", "Old", "Entw&APw-rfe", "Work/With blanks"):
        ok(imap.create(f'"{folder}"'))
    ok(imap.append("Work", "(\\Seen \\Draft $Later)", '"01-Feb-1999 03:04:05 -0730"', message("appended")))
    ok(imap.append("Work", "(\\Answered)", '"31-Dec-1969 23:00:00 +0000"', message("older than time")))
    ok(imap.rename("Old", "Work/New"))
    ok(imap.subscribe("Work/2026"))
    ok(imap.subscribe("Nowhere"))


def use_items(imap):
    ok(imap.select("INBOX"))
    ok(imap.uid("STORE", "1:4", "+FLAGS", "(\\Seen kept)"))
    ok(imap.uid("STORE", "3,5", "FLAGS", "(\\Flagged \\Answered other)"))
    ok(imap.uid("STORE", "2", "-FLAGS", "(kept \\Seen)"))
    ok(imap.uid("STORE", "6", "+FLAGS", f"({' '.join(MANY)})"))
    ok(imap.uid("STORE", "7", "+FLAGS", f"({MANY[69]})"))
    ok(imap.uid("COPY", "1:9", "Work/2026"))
    ok(imap.uid("COPY", "1,4:5,8", "Gone"))
    ok(imap.uid("COPY", "3,6", '"Entw&APw-rfe"'))
    ok(imap.uid("MOVE", "4,7", '"Work/With blanks"'))
    ok(imap.uid("STORE", "1,6,8", "+FLAGS", "\\Deleted"))
    ok(imap.uid("EXPUNGE", "1,6,8"))
    ok(imap.select("Work/2026"))
    ok(imap.uid("STORE", "2:3,6:9", "+FLAGS", "\\Deleted"))
    ok(imap.uid("EXPUNGE", "2:3,6:7,9"))  # and one stays deleted
    ok(imap.select("Gone"))
    ok(imap.uid("STORE", "1", "+FLAGS", "\\Deleted"))
    ok(imap.uid("EXPUNGE", "1"))
    ok(imap.close())
    ok(imap.delete("Gone"))


def recover(pair):
    pair.back.admin("mailbox", "recover", "alice", "--folder=INBOX", "--subject=shapes")


# ---- what IMAP and the administrator's commands tell ----


def told_items(imap):
    found = {}
    for uid in ok(imap.uid("SEARCH", "ALL"))[0].split():
        (line, text), *rest = (part for part in ok(imap.uid("FETCH", uid.decode(), ATTRIBUTES)) if part != b")")
        line += b" ".join(rest)

        def value(name):
            return re.search(name + rb" (\([^)]*\)|\"[^\"]*\"|\d+)", line)[1].decode().strip('()"')
        flags = [flag for flag in value(b"FLAGS").split() if flag != "\\Recent"]  # that is the session's
        found[int(uid)] = {
            "flags": sorted(flags), "modseq": int(value(b"MODSEQ")), "date": value(b"INTERNALDATE").strip(),
            "size": int(value(b"RFC822.SIZE")), "email": value(b"EMAILID"), "thread": value(b"THREADID"),
            "text": text}
    return found


def told_vanished(imap):
    """What QRESYNC tells of all that ever went."""
    ok(imap.uid("FETCH", "1:1000", "(FLAGS) (CHANGEDSINCE 1 VANISHED)"))
    uids = set()
    for line in imap.response("VANISHED")[1] or ():
        for part in re.sub(rb"^\(EARLIER\) ", b"", line or b"").decode().split(","):
            first, _, last = part.partition(":")
            if first:
                uids.update(range(int(first), int(last or first) + 1))
    return uids


def told(pair, user):
    imap = pair.imap(user)
    ok(imap.enable("QRESYNC"))
    folders = {}
    for line in ok(imap.list()):
        attributes, path = re.fullmatch(rb'\(([^)]*)\) "/" "?(.*?)"?', line).groups()
        uses = [use for use in USES.values() if use.encode() in attributes]
        status = re.findall(r"([A-Z]+) (\d+)", ok(imap.status(b'"' + path + b'"', STATUS))[0].decode().rpartition("(")[2])
        ok(imap.select(b'"' + path + b'"', readonly=True))
        folders[utf8(path)] = {"use": uses, "status": {name: int(number) for name, number in status},
                               "items": told_items(imap), "vanished": told_vanished(imap)}
    subscribed = sorted(utf8(re.fullmatch(rb'\([^)]*\) "/" "?(.*?)"?', line)[1]) for line in ok(imap.lsub()))
    imap.logout()
    deleted = json.loads(pair.back.admin("mailbox", "recover", user, "--list", "--json")[1])
    return {"folders": folders, "subscribed": subscribed,
            "recoverable": sorted((row["folder"], row["bytes"]) for row in deleted)}


def utf8(path):
    return path.decode().replace("Entw&APw-rfe", "Entwürfe")


# ---- what the disk tells ----


def read_items(database, folder):
    found = {}
    for uid, item in folder["items"].items():
        text = b"".join(database.pieces(item["content"]))
        zone = datetime.timezone(datetime.timedelta(minutes=item["zone"]))
        date = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(
            seconds=item["internal_date"])
        assert item["no_final_crlf"] == (text != b"" and not text.endswith(b"\r\n")), item
        assert text[:item["header_size"]].endswith(b"\n") or item["header_size"] == len(text), item
        assert item["seen_modseq"] <= item["modseq"] <= folder["highest_modseq"], item
        found[uid] = {
            "flags": sorted(item["flags"] + item["keywords"]), "modseq": item["modseq"], "size": item["size"],
            "date": date.astimezone(zone).strftime("%d-%b-%Y %H:%M:%S %z"),
            "email": f"M{item['email_id']:016x}", "thread": f"T{item['thread_id']:016x}", "text": text}
    return found


def read(database, box):
    folders = {}
    for number, folder in box["folders"].items():
        if number == 1:
            assert not folder["items"] and folder["path"] == [], folder
            continue
        status = {name.replace("_", "").upper(): folder[name]
                  for name in ("messages", "unseen", "deleted", "uid_next", "uid_validity", "highest_modseq")}
        folders["/".join(folder["path"])] = {
            "use": [USES[folder["special_use"]]] if folder["special_use"] > 1 else [],
            "status": status | {"SIZE": folder["bytes"]}, "items": read_items(database, folder),
            "vanished": {uid for _, ranges in folder["vanished"] for first, last in ranges
                         for uid in range(first, last + 1)}}
    subscribed = sorted(value.decode() for folder, item, name, value in box["properties"]
                        if (folder, item) == (0, 0) and name.startswith("subscribed"))
    for row in box["recoverable"]:
        assert len(b"".join(database.pieces(row["content"]))) == row["size"], row
    assert box["recoverable_messages"] == len(box["recoverable"])
    assert box["messages"] == sum(len(folder["items"]) for folder in folders.values())
    paths = {number: "/".join(folder["path"]) for number, folder in box["folders"].items()}
    return {"folders": folders, "subscribed": subscribed,
            "recoverable": sorted((paths.get(row["folder"], row["folder_name"]), row["size"])
                                  for row in box["recoverable"])}


# ---- what the operation records tell ----


class Replay:
    """Mailboxes made from nothing but operation records: {(folder, uid): an item's flags, keywords and content}."""

    def __init__(self, batches):
        self.boxes = {}
        for _, _, operations in batches:
            for operation in operations:
                self.folders, self.items, self.gone = self.boxes.setdefault(operation.mailbox.hex(), ({}, {}, {}))
                what = operation.WhichOneof("what")
                getattr(self, what, lambda *_: None)(operation, getattr(operation, what))

    def taken(self, operation, ranges):
        return [(operation.folder, uid) for part in ranges for uid in range(part.first, part.last + 1)
                if (operation.folder, uid) in self.items]

    def folder_set(self, operation, folder):
        self.folders[operation.folder] = (folder.parent, folder.name, folder.use)

    def folder_delete(self, operation, _):
        del self.folders[operation.folder]
        for place in [place for place in self.items if place[0] == operation.folder]:
            item = self.items.pop(place)
            self.gone[item["item_id"]] = item

    def append(self, operation, append):
        if append.recovered:
            del self.gone[append.item_id]
        self.items[operation.folder, append.uid] = {
            "modseq": operation.modseq, "flags": append.flags, "keywords": set(append.keywords),
            "content": append.content_id, "item_id": append.item_id}

    def flags(self, operation, change):
        for place in self.taken(operation, change.ranges):
            item, keywords = self.items[place], set(change.keywords)
            kept = {0: item, 1: item, 2: {"flags": 0, "keywords": set()}}[change.mode]
            removes = change.mode == 1
            self.items[place] = item | {
                "modseq": operation.modseq,
                "flags": kept["flags"] & ~change.flags if removes else kept["flags"] | change.flags,
                "keywords": kept["keywords"] - keywords if removes else kept["keywords"] | keywords}

    def expunge(self, operation, uids):
        for place in self.taken(operation, uids.ranges):
            item = self.items.pop(place)
            if operation.expiry:
                self.gone[item["item_id"]] = item

    def copy(self, operation, copy):
        for n, place in enumerate(self.taken(operation, copy.ranges)):
            self.items[copy.target, copy.first + n] = self.items[place] | {
                "modseq": operation.modseq, "item_id": copy.first_item_id + n}

    def move(self, operation, move):
        for n, place in enumerate(self.taken(operation, move.ranges)):
            self.items[move.target, move.first + n] = self.items.pop(place) | {"modseq": operation.modseq}


def compare_replay(box, replayed):
    folders, items, gone = replayed
    assert folders == {number: (folder["parent"], folder["name"], folder["special_use"])
                       for number, folder in box["folders"].items()}
    bits = {name: bit for bit, name in store_reader.FLAGS.items()}
    assert items == {(number, uid): {"modseq": item["modseq"], "flags": sum(bits[flag] for flag in item["flags"]),
                                     "keywords": set(item["keywords"]), "content": item["content"],
                                     "item_id": item["item_id"]}
                     for number, folder in box["folders"].items() for uid, item in folder["items"].items()}
    assert set(gone) == {row["item_id"] for row in box["recoverable"]}


def check_contents(database, boxes):
    """References, the segments' rows, and that a damaged byte is noticed."""
    uses, live = {}, {}
    for box in boxes:
        for folder in box["folders"].values():
            for item in folder["items"].values():
                uses[item["content"]] = uses.get(item["content"], 0) + 1
        for row in box["recoverable"]:
            uses[row["content"]] = uses.get(row["content"], 0) + 1
    contents = database.contents()
    assert uses == {number: references for number, (references, _) in contents.items()}
    for _, pieces in contents.values():
        for segment, offset, stored in pieces:
            live[segment] = live.get(segment, 0) + 32 + (stored + 31) // 32 * 32
    rows = database.segment_rows()
    assert live == {number: row["live"] for number, row in rows.items() if row["live"]}, (live, rows)
    for number, row in rows.items():
        segment = database.segment(number)
        assert (segment.generation, segment.size) == (row["generation"], row["size"]), row
        assert all(offset < row["used"] for offset, *_ in segment.records()), row
    number, (_, ((segment, offset, stored), *_)) = max(contents.items())
    with open(os.path.join(database.folder, f"segment-{segment:08}"), "r+b") as file:
        file.seek(offset + 32 + stored // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    try:
        list(database.pieces(number))
    except store_reader.Damage:
        return
    raise AssertionError("a damaged byte passed")


def alike(before, after):
    """Says where they differ, without whole messages."""
    for path in before["folders"].keys() | after["folders"].keys():
        one, other = before["folders"].get(path), after["folders"].get(path)
        if one != other:
            assert one and other, (path, one is None, other is None)
            for key in ("use", "status", "vanished"):
                assert one[key] == other[key], (path, key, one[key], other[key])
            for uid in one["items"].keys() | other["items"].keys():
                for key in one["items"][uid]:
                    a, b = one["items"][uid][key], other["items"][uid][key]
                    assert a == b, (path, uid, key, a[:300] if key == "text" else a, b[:300] if key == "text" else b)
    assert before == after, {key: (before[key], after[key]) for key in ("subscribed", "recoverable")}


def refuses_a_store_in_use(data):
    done = subprocess.run([sys.executable, store_reader.__file__, data], capture_output=True, text=True)
    assert done.returncode != 0 and "BlockingIOError" in done.stderr, done


def test_a_reader_that_knows_only_the_document_finds_what_imap_told():
    with Pair(back_extra="databases = 1\n") as pair:
        deliver_shapes(pair)
        imap = pair.imap()
        use_folders(imap)
        use_items(imap)
        imap.logout()
        recover(pair)
        before = {f"{user}@{DOMAIN}": told(pair, user) for user in ("alice", "bob")}
        folders = before[f"alice@{DOMAIN}"]["folders"]
        assert folders["Work/2026"]["vanished"] == {2, 3, 6, 7, 9}, folders["Work/2026"]["vanished"]
        assert sorted(folders["INBOX"]["items"]) == [2, 3, 5, 9, 10, 11], sorted(folders["INBOX"]["items"])
        assert before[f"alice@{DOMAIN}"]["recoverable"], "nothing to recover"
        data = os.path.join(pair.back.folder, "data")
        refuses_a_store_in_use(data)
        pair.back.stop()
        with store_reader.Store(data) as store:
            database, = store.databases.values()
            boxes = list(database.mailboxes())
            batches = database.batches()
            assert [number for number, *_ in batches] == list(range(1, database.last_batch + 1)), batches
            replay = Replay(batches)
            assert {store.accounts[box["guid"]] for box in boxes} == set(before)
            for box in boxes:
                alike(before[store.accounts[box["guid"]]], read(database, box))
                compare_replay(box, replay.boxes[box["guid"]])
            check_contents(database, boxes)
