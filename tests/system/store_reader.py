"""Reads the data folder of a stopped back end, and shares no code with it: all it knows is docs/store.md.

    python3 store_reader.py DATA            # what there is, as JSON
    python3 store_reader.py DATA db1 17     # the text of content 17 of db1, to standard output

It opens everything read-only and believes nothing whose checksum does not hold (Damage). Wants Debian's python3-lmdb,
python3-zstandard and python3-protobuf, and protoc for the operation records."""

import fcntl
import importlib.util
import json
import mmap
import os
import struct
import subprocess
import sys
import tempfile

import lmdb
import zstandard

BACK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "mailbox-backend")
TABLES = ("item", "block", "summary", "vanished", "recoverable", "name", "folder", "keyword", "property",
          "content", "segment", "mailbox", "guid", "pending")
FLAGS = {1: "\\Seen", 2: "\\Answered", 4: "\\Flagged", 8: "\\Deleted", 16: "\\Draft"}
NO_FINAL_CRLF = 1 << 31
STATE = 0xFFFFFFFF  # stands for the uid in the key of a folder's state and of the mailbox's counters
PIECE, OPERATIONS = 1, 2
ZSTD = 1


class Damage(Exception):
    pass


def castagnoli():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        yield value


CASTAGNOLI = tuple(castagnoli())


def crc32c(data):
    crc, table = 0xFFFFFFFF, CASTAGNOLI
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


class Fields:
    """Takes a value apart, from its beginning."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def bytes(self, size):
        if size > len(self.data) - self.at:
            raise Damage("a row ends too early")
        self.at += size
        return self.data[self.at - size:self.at]

    def u(self, size):
        return int.from_bytes(self.bytes(size), "big")

    def i(self, size):
        return int.from_bytes(self.bytes(size), "big", signed=True)

    def rest(self):
        return self.bytes(len(self.data) - self.at)

    def version(self, *known):
        version = self.u(1)
        if version not in known:
            raise Damage(f"a row has version {version}")
        return version

    def low_first(self):
        """A base-128 number, low bits first; the top bit says that more follow."""
        value = shift = 0
        while True:
            byte = self.u(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value


class Segment:
    """One segment file: its header, and any record of it by offset."""

    def __init__(self, path, number):
        self.number = number
        with open(path, "rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        magic, version, told, self.generation, self.size, crc = struct.unpack(">4sIIIQI", self.data[:28])
        if crc != crc32c(self.data[:24]) or (magic, version, told) != (b"MSG1", 1, number):
            raise Damage(f"the header of segment {number}")

    def record(self, offset):
        """(type, start number, stored length, real bytes) of the record at offset."""
        head = self.data[offset:offset + 32]
        if len(head) < 32 or head[:4] != b"MSR1":
            raise Damage(f"no record at {offset} of segment {self.number}")
        version, kind, flags, generation, start, stored, real, crc, seal = struct.unpack(">BBHIIIIII", head[4:])
        if seal != crc32c(struct.pack(">II", self.number, offset) + head[:28]):
            raise Damage(f"the head of the record at {offset} of segment {self.number}")
        if version != 1 or kind not in (PIECE, OPERATIONS) or flags & ~ZSTD:
            raise Damage(f"an unknown record at {offset} of segment {self.number}")
        if generation != self.generation:
            raise Damage(f"the record at {offset} of segment {self.number} is of another generation")
        data = self.data[offset + 32:offset + 32 + stored]
        if len(data) != stored or crc != crc32c(data):
            raise Damage(f"the bytes of the record at {offset} of segment {self.number}")
        if flags & ZSTD:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=real)
        if len(data) != real:
            raise Damage(f"the length of the record at {offset} of segment {self.number}")
        return kind, start, stored, data

    def records(self):
        """(offset, type, start number, real bytes) of every whole record."""
        offset = 4096
        while (offset := self.data.find(b"MSR1", offset)) >= 0:
            step = 32
            if offset % 32 == 0:
                try:
                    kind, start, stored, data = self.record(offset)
                    yield offset, kind, start, data
                    step = 32 + (stored + 31) // 32 * 32
                except Damage:
                    pass  # never written, torn, or of a former life: go on at the next multiple
            offset = (offset + step) // 32 * 32


class Database:
    def __init__(self, folder):
        self.folder = folder
        self.segments = {}
        self.environment = lmdb.open(os.path.join(folder, "index.mdb"), subdir=False, readonly=True, lock=False,
                                     max_dbs=len(TABLES), create=False)
        self.tables = {name: self.environment.open_db(name.encode(), create=False) for name in TABLES}
        self.snapshot = self.environment.begin()
        row = self.value("segment", 0, size=4)
        self.version = row.version(1, 2)
        self.last_batch, self.next_content, self.next_mailbox, self.start = row.u(8), row.u(8), row.u(4), row.u(4)
        self.created, self.next_segment = row.u(8), row.u(4)
        self.format = row.u(4) if self.version > 1 else 1

    def close(self):
        self.snapshot.abort()
        self.environment.close()

    def rows(self, table, prefix=b""):
        """(rest of the key, value without its checksum), as Fields, of the rows whose keys begin with prefix."""
        with self.snapshot.cursor(self.tables[table]) as cursor:
            found = cursor.set_range(prefix)
            while found and cursor.key().startswith(prefix):
                key, value = cursor.item()
                if len(value) < 4 or struct.unpack(">I", value[-4:])[0] != crc32c(key + value[:-4]):
                    raise Damage(f"a row of {table}: {key.hex()}")
                yield Fields(key[len(prefix):]), Fields(value[:-4])
                found = cursor.next()

    def value(self, table, *key, size=4):
        """The value of the row whose key is these numbers or bytes."""
        packed = b"".join(part if isinstance(part, bytes) else part.to_bytes(size, "big") for part in key)
        for rest, value in self.rows(table, packed):
            if not rest.rest():
                return value
        raise Damage(f"{table} has no row {packed.hex()}")

    # contents

    def segment(self, number):
        if number not in self.segments:
            self.segments[number] = Segment(os.path.join(self.folder, f"segment-{number:08}"), number)
        return self.segments[number]

    def pieces(self, content_id):
        """The pieces of a content one after the other, as the message has them."""
        row = self.value("content", content_id, size=8)
        row.version(1)
        references, size, count = row.u(4), row.u(8), row.u(4)
        for _ in range(count):
            number, offset, stored, real = (row.u(4) for _ in range(4))
            kind, _, length, data = self.segment(number).record(offset)
            if (kind, length, len(data)) != (PIECE, stored, real):
                raise Damage(f"a piece of content {content_id} is not what its row says")
            size -= real
            yield data
        if size or references == 0:
            raise Damage(f"the row of content {content_id}")

    def contents(self):
        """{content id: (references, [segment, offset, stored length of each piece])}"""
        found = {}
        for key, row in self.rows("content"):
            row.version(1)
            references, _, count = row.u(4), row.u(8), row.u(4)
            pieces = [[row.u(4) for _ in range(4)][:3] for _ in range(count)]
            found[key.u(8)] = references, pieces
        return found

    def segment_rows(self):
        """{number: state, generation, size, used, live}"""
        found = {}
        for key, row in self.rows("segment"):
            number = key.u(4)
            if number != 0:
                row.version(1, 2)
                found[number] = {"state": row.u(1), "generation": row.u(4), "size": row.u(8), "used": row.u(8),
                                 "live": row.u(8)}
        return found

    # mailboxes

    def mailboxes(self):
        for key, row in self.rows("mailbox"):
            row.version(1)
            number = key.u(4)
            guid, created = row.bytes(16), row.i(8)
            if self.value("guid", guid).u(4) != number:
                raise Damage(f"the GUID of mailbox {number}")
            yield self.mailbox(number, guid, created)

    def mailbox(self, number, guid, created):
        row = self.value("item", number, 0, STATE)
        version = row.version(1, 2)
        row.bytes(3)
        box = {"number": number, "guid": guid.hex(), "created": created, "next_folder": row.u(4), "modseq": row.u(8),
               "bytes": row.u(8), "messages": row.u(8), "next_item_id": row.u(8), "last_uid_validity": row.u(4),
               "folder_count": row.u(4)}
        if version > 1:
            box["recoverable_messages"], box["recoverable_bytes"] = row.u(8), row.u(8)
        names = self.keywords(number)
        box["properties"] = self.properties(number)
        box["folders"] = {key: self.folder_of(number, key, names) for key in self.folder_rows(number)}
        self.paths(number, box["folders"])
        box["recoverable"] = self.recoverable(number, box["folders"], names)
        return box

    def folder_rows(self, mailbox):
        return [key.u(4) for key, _ in self.rows("folder", mailbox.to_bytes(4, "big"))]

    def keywords(self, mailbox):
        """{folder: {bit: name}}"""
        found = {}
        for key, row in self.rows("keyword", mailbox.to_bytes(4, "big")):
            found.setdefault(key.u(4), {})[key.u(1)] = row.rest().decode()
        return found

    def properties(self, mailbox):
        """[[folder, item id, name, value]]"""
        return [[key.u(4), key.u(6), key.rest().decode(), row.rest()]
                for key, row in self.rows("property", mailbox.to_bytes(4, "big"))]

    def folder_of(self, mailbox, folder, names):
        row = self.value("folder", mailbox, folder)
        row.version(1)
        known = {"special_use": row.u(1), "class": row.u(1), "parent": row.u(4), "created": row.i(8),
                 "name": row.rest().decode()}
        row = self.value("item", mailbox, folder, STATE)
        row.version(1)
        row.bytes(3)
        known |= {"uid_validity": row.u(4), "uid_next": row.u(4), "highest_modseq": row.u(8), "messages": row.u(4),
                  "unseen": row.u(4), "deleted": row.u(4), "bytes": row.u(8), "vanished_floor": row.u(8),
                  "vanished_rows": row.u(4)}
        prefix = struct.pack(">II", mailbox, folder)
        known["items"] = {}
        for key, row in self.rows("item", prefix):
            uid = key.u(4)
            if uid < known["uid_next"]:  # what lies behind is a copy under way
                known["items"][uid] = self.item(row, names.get(folder, {}))
        known["vanished"] = [[key.u(8), self.ranges(row)] for key, row in self.rows("vanished", prefix)]
        return known

    @staticmethod
    def ranges(row):
        """[[first uid, last uid]]"""
        row.version(1)
        found, last = [], 0
        while row.at < len(row.data):
            first = last + row.low_first()
            last = first + row.low_first()
            found.append([first, last])
        return found

    @staticmethod
    def item(row, names):
        """names: of the folder's keywords; None when the folder is gone, and its keywords with it."""
        row.version(1)
        item = {"kind": row.u(1), "zone": row.i(2)}
        flags, low, high = row.u(4), row.u(8), row.u(8)
        item["flags"] = [name for bit, name in FLAGS.items() if flags & bit]
        item["no_final_crlf"] = bool(flags & NO_FINAL_CRLF)
        bits = high << 64 | low
        if names is not None and any(bits >> bit & 1 and bit not in names for bit in range(128)):
            raise Damage("a keyword has no name")
        item["keywords"] = sorted(names[bit] for bit in names or () if bits >> bit & 1)
        item |= {"modseq": row.u(8), "seen_modseq": row.u(8), "email_id": row.u(8), "thread_id": row.u(8),
                 "content": row.u(8), "size": row.u(6), "item_id": row.u(6), "internal_date": row.i(6),
                 "save_date": row.i(6), "header_size": row.u(4)}
        return item

    def recoverable(self, mailbox, folders, names):
        found = []
        for key, row in self.rows("recoverable", mailbox.to_bytes(4, "big")):
            row.version(1)
            known = {"expiry": key.u(8), "item_id": key.u(6), "folder": row.u(4), "uid": row.u(4), "removed": row.i(8)}
            known |= self.item(Fields(row.bytes(92)), names.get(known["folder"], {}) if known["folder"] in folders else None)
            found.append(known | {"folder_name": row.rest().decode()})
        return found

    def paths(self, mailbox, folders):
        """Adds the path of each folder: the names below the root. Each is found by its name, too."""
        for number, folder in folders.items():
            path, above = [], number
            while above != 1:
                if above not in folders or len(path) > len(folders):
                    raise Damage(f"folder {number} hangs on nothing")
                path.insert(0, folders[above]["name"])
                above = folders[above]["parent"]
            folder["path"] = path
            if path and self.value("name", mailbox, folder["parent"], folder["name"].encode()).u(4) != number:
                raise Damage(f"the name of folder {number}")

    # operations

    def batches(self):
        """The batches that count, the first of them first: [(number, start number, its operations)]."""
        parts = {}
        for name in sorted(os.listdir(self.folder)):
            if name.startswith("segment-"):
                for _, kind, start, data in self.segment(int(name[8:])).records():
                    if kind == OPERATIONS:
                        part = generated("store", "journal").Batch.FromString(data)
                        parts.setdefault((start, part.number), {})[part.part] = part
        whole = {key: found for key, found in parts.items()
                 if any(part.last and all(n in found for n in range(part.part)) for part in found.values())}
        if not whole:
            return []
        chain, key = [], max(whole)
        while key:
            found = whole[key]
            chain.append((key[1], key[0], [operation for n in sorted(found) for operation in found[n].operations]))
            before = found[0].before or key[1] - 1
            key = max((other for other in whole if other < key and 0 < other[1] <= before), default=None,
                      key=lambda other: (other[1], other[0]))
        return chain[::-1]


def generated(folder, name):
    """The module that protoc makes of mailbox-backend/FOLDER/NAME.proto."""
    module_name = f"{name}_pb2"
    if module_name not in sys.modules:
        with tempfile.TemporaryDirectory() as out:
            subprocess.run(["protoc", f"--proto_path={BACK}/{folder}", f"--python_out={out}", f"{name}.proto"],
                           check=True)
            spec = importlib.util.spec_from_file_location(module_name, os.path.join(out, f"{module_name}.py"))
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            sys.modules[module_name] = module
    return sys.modules[module_name]


def accounts(folder):
    """{GUID as the mailboxes have it: log-in name}, of the directory in this folder."""
    found = {}
    with lmdb.open(folder, readonly=True, lock=False, max_dbs=1, create=False) as environment:
        table = environment.open_db(b"account", create=False)
        with environment.begin(table) as snapshot:
            for guid, value in snapshot.cursor():
                if struct.unpack(">I", value[-4:])[0] != crc32c(value[:-4]) or value[0] != 1:
                    raise Damage(f"the account {guid.hex()}")
                found[guid.hex()] = generated("directory", "account").Record.FromString(value[1:-4]).name
    return found


class Store:
    """All databases of a back end that is not running, and whose mailboxes they have."""

    def __init__(self, data):
        folder = os.path.join(data, "store")
        self.lock = open(os.path.join(folder, "lock"), "rb")
        fcntl.lockf(self.lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # BlockingIOError: the back end runs
        with open(os.path.join(folder, "databases")) as file:
            self.databases = {name: Database(os.path.join(folder, name)) for name in file.read().split()}
        self.accounts = accounts(os.path.join(data, "directory"))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for database in self.databases.values():
            database.close()
        self.lock.close()


def readable(value):
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def main(folder, name=None, content_id=None):
    with Store(folder) as store:
        if name is not None:
            for piece in store.databases[name].pieces(int(content_id)):
                sys.stdout.buffer.write(piece)
            return
        told = {name: {"format": database.format, "mailboxes": list(database.mailboxes()),
                       "batches": [[number, start, [str(operation) for operation in operations]]
                                   for number, start, operations in database.batches()]}
                for name, database in store.databases.items()}
        json.dump({"accounts": store.accounts, "databases": told}, sys.stdout, indent=1, default=readable)


if __name__ == "__main__":
    main(*sys.argv[1:])
