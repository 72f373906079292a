"""An IMAP server that does what real ones do wrong: a script of misbehaviour around a folder or two."""

import re
import socketserver
import threading

import pair


class Nasty:
    """folders: {name on the wire: Folder}. delimiter between levels."""

    def __init__(self, folders, delimiter="/", **moods):
        self.folders = folders
        self.delimiter = delimiter
        self.moods = moods
        self.connections = 0
        self.deserted = 0  # connections that ended while we were talking
        self.sent = 0
        self.commands = []
        self.fetched = {}
        nasty = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    Session(nasty, self.rfile, self.wfile).serve()
                except (ConnectionError, BrokenPipeError):
                    nasty.deserted += 1

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()


class Folder:
    def __init__(self, messages, validity=77, attributes="\\HasNoChildren"):
        self.messages = messages  # {uid: (flags, bytes)}
        self.validity = validity
        self.attributes = attributes


class Session:
    def __init__(self, nasty, lines, out):
        self.nasty = nasty
        self.moods = nasty.moods
        self.lines = lines
        self.out = out
        self.selected = None
        self.count = 0

    def say(self, *parts):
        text = b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)
        self.out.write(text)
        self.nasty.sent += len(text)

    def serve(self):
        self.nasty.connections += 1
        self.say("* OK [CAPABILITY IMAP4rev1] ready\r\n")
        while True:
            line = self.lines.readline()
            if not line:
                return
            self.count += 1
            if self.count > self.moods.get("commands", 10**9):
                self.say("* BYE Connection is closed. 13\r\n")
                return
            tag, _, rest = line.decode(errors="replace").rstrip("\r\n").partition(" ")
            self.nasty.commands.append(rest)
            word, _, argument = rest.partition(" ")
            command = getattr(self, "do_" + word.lower(), None)
            if command is None or not command(tag, argument):
                return

    def end(self, tag, text="OK done"):
        self.say(tag, " ", text, "\r\n")
        return True

    def do_capability(self, tag, _):
        self.say("* CAPABILITY IMAP4rev1 IDLE NAMESPACE X-STRANGE=yes\r\n")
        return self.end(tag)

    def do_login(self, tag, argument):
        if argument != '"old\\"user" "pass word"':
            return self.end(tag, "NO [AUTHENTICATIONFAILED] no")
        if self.moods.get("busy", 0) >= self.nasty.connections:
            return self.end(tag, "NO [UNAVAILABLE] the store is away")
        return self.end(tag)

    def do_namespace(self, tag, _):
        self.say(f'* NAMESPACE (("" "{quoted(self.nasty.delimiter)}")) NIL NIL\r\n')
        return self.end(tag)

    def do_list(self, tag, _):
        for name, folder in self.nasty.folders.items():
            self.say(f'* LIST ({folder.attributes}) "{quoted(self.nasty.delimiter)}" ',
                     f"{{{len(name)}}}\r\n{name}" if " " in name else name, "\r\n")
        self.say("* 3 EXISTS\r\n* FLAGS ()\r\n")
        return self.end(tag)

    def do_lsub(self, tag, _):
        while self.moods.get("endless"):
            self.say("* OK still looking\r\n* 7 FETCH (FLAGS ())\r\n* X {70000}\r\n", b"y" * 70000, b"\r\n")
        return self.end(tag, "BAD no LSUB here")

    def do_status(self, tag, argument):
        name = argument.partition(" (")[0].strip('"').replace("\\\\", "\\")
        messages = self.nasty.folders[name].messages
        self.say(f"* STATUS {argument.partition(' (')[0]} (MESSAGES {len(messages)} UIDNEXT "
                 f"{max(messages, default=0) + 1} UIDVALIDITY {self.nasty.folders[name].validity})\r\n")
        return self.end(tag)

    def do_examine(self, tag, argument):
        name = argument.strip('"').replace("\\\\", "\\")
        if name in self.moods.get("locked", ()):
            return self.end(tag, "NO [NOPERM] locked")
        self.selected = self.nasty.folders[name]
        self.say(f"* {len(self.selected.messages)} EXISTS\r\n* OK [UIDVALIDITY {self.selected.validity}]\r\n"
                 f"* OK [UIDNEXT {max(self.selected.messages, default=0) + 1}] next\r\n* OK [NOMODSEQ] none\r\n")
        return self.end(tag, "OK [READ-ONLY] opened")

    def do_uid(self, tag, argument):
        if argument.startswith("SEARCH LARGER"):
            return self.search(tag, self.moods.get("large", ()))
        if argument.startswith("SEARCH"):
            return self.search(tag, self.moods.get("listed") or set(self.selected.messages) - self.moods.get("hidden", set()))
        uids, _, wanted = re.match(r"FETCH (\S+) (\()?(.*)", argument).groups()
        return self.fetch(tag, self.chosen(uids), "BODY" in wanted)

    def search(self, tag, uids):
        self.say("* SEARCH ", " ".join(map(str, sorted(uids))), "\r\n")
        return self.end(tag)

    def chosen(self, text):
        for uid in sorted(self.selected.messages):
            for part in text.split(","):
                first, _, last = part.partition(":")
                if int(first) <= uid <= int(last or first):
                    yield uid
                    break

    def fetch(self, tag, uids, whole):
        for uid in uids:
            flags, text = self.selected.messages[uid]
            if not whole:
                self.say(f"* {uid} FETCH (FLAGS ({flags}) UID {uid})\r\n")
                continue
            self.nasty.fetched[uid] = self.nasty.fetched.get(uid, 0) + 1
            mood = self.moods.get("uids", {}).get(uid)
            if mood == "no":
                return self.end(tag, "NO The message is damaged")
            if mood == "nil":
                self.say(f"* {uid} FETCH (UID {uid} FLAGS () BODY[] NIL)\r\n")
                continue
            if mood == "silent":
                continue
            if mood == "break" or (mood == "break once" and self.nasty.fetched[uid] == 1):
                self.say(f"* {uid} FETCH (UID {uid} BODY[] {{{len(text)}}}\r\n", text[:len(text) // 2])
                return False
            if mood == "made anew":
                self.selected.validity += 1
                return False
            if mood == "throttle once" and self.nasty.fetched[uid] == 1:
                return self.end(tag, "NO Request is throttled. Suggested Backoff Time: 100 milliseconds")
            form = b"~{%d}\r\n" if uid % 2 else b"{%d}\r\n"
            self.say("* 1 FETCH (FLAGS (\\Seen))\r\n* 9 RECENT\r\n", f"* {uid} FETCH (BODY[] ", form % len(text), text,
                     f' FLAGS ({flags}) RFC822.SIZE 3 INTERNALDATE " 7-Jul-2007 07:07:07 +0530" UID {uid})\r\n')
        return self.end(tag)

    def do_logout(self, tag, _):
        self.say("* BYE\r\n")
        return self.end(tag)


def quoted(text):
    return text.replace("\\", "\\\\")


def wait_for_connections(nasty, count):
    pair.wait_until(lambda: nasty.connections >= count, f"{count} connections")
