"""A whole account comes over from another server: a real Dovecot, our own pair, and one that misbehaves."""

import json
import poplib
import random
import re
import signal
import subprocess
import time

import corpus
import dovecot
import nasty
from pair import PATIENCE, Pair, wait_until
from test_transfer import contents

FOLDERS = ("INBOX", "INBOX.Lists", "INBOX.Lists.Deep.Er", "INBOX.Entw&APw-rfe &2D3eAA-", "INBOX.R&-D", "INBOX.Empty",
           "INBOX.Sent Items", 'INBOX.Quoted "one"')
PATHS = ("INBOX", "Lists", "Lists/Deep/Er", "Entw&APw-rfe &2D3eAA-", "R&-D", "Empty", "Sent", 'Quoted \\"one\\"')
FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "$Forwarded", "$MDNSent", "NonJunk", "Work")


def migrate(pair, server, *flags, user="alice", login="olduser", secret=dovecot.PASSWORD, ok=(0,)):
    return pair.back.admin("mailbox", "migrate", user, f"--from=imaps://localhost:{server.tls_port}",
                           f"--login={login}", f"--ca={pair.pki}/ca.crt", "--password-stdin", *flags,
                           secret=secret + "\n", ok=ok)


def shapes(count):
    """Messages of all shapes, most of them small, some large, each different from the others."""
    known = list(corpus.messages().values())
    chance = random.Random(3)
    for number in range(count):
        text = known[number % len(known)] if number % 3 else b"Subject: small\r\n\r\nshort\r\n"
        if number % 400 == 7:
            text += b"x" * 70 + b"\r\n" + bytes(chance.choices(range(32, 127), k=70)) * 8000 + b"\r\n"
        yield f"X-Number: {number}\r\n".encode() + text


def fill(imap, folders, messages):
    chance = random.Random(7)
    for folder in folders:
        imap.create(f'"{quote(folder)}"')
        imap.subscribe(f'"{quote(folder)}"')
    for number, text in enumerate(messages):
        folder = folders[0] if number % 2 else folders[number % len(folders)]
        flags = " ".join(chance.sample(FLAGS, chance.randrange(4)))
        date = time.strftime('"%d-%b-%Y %H:%M:%S +0200"', time.gmtime(1_000_000_000 + number * 86_400))
        if folder.endswith("Empty"):
            continue
        answer = imap.append(f'"{quote(folder)}"', f"({flags})", date, text)
        assert answer[0] == "OK", answer


def quote(name):
    return name.replace("\\", "\\\\").replace('"', '\\"')


def messages_of(imap, name):
    """uid: flags, date, octets."""
    answer = imap.select(f'"{name}"', readonly=True)
    assert answer[0] == "OK", (name, answer)
    validity = imap.response("UIDVALIDITY")[1][0]
    if answer[1] == [b"0"]:
        return validity, {}
    found = {}
    for part in imap.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")[1]:
        if isinstance(part, tuple):
            found[int(re.search(rb"UID (\d+)", part[0]).group(1))] = (
                frozenset(re.search(rb"FLAGS \(([^)]*)\)", part[0]).group(1).split()) - {b"\\Recent"},
                re.search(rb'INTERNALDATE "([^"]*)"', part[0]).group(1), part[1])
    return validity, found


def compare(old, new):
    for folder, path in zip(FOLDERS, PATHS):
        before, after = messages_of(old, quote(folder)), messages_of(new, path)
        assert before[0] == after[0], (folder, before[0], after[0])
        assert sorted(before[1]) == sorted(after[1]), (folder, sorted(before[1])[:9], sorted(after[1])[:9])
        for uid in before[1]:
            assert before[1][uid] == after[1][uid], (folder, uid, before[1][uid][:2], after[1][uid][:2])


def kill_in_the_middle(pair, server):
    """Ends the daemon with SIGKILL while a migration runs."""
    command = subprocess.Popen(
        [pair.back.binary, "--config", pair.back.config, "mailbox", "migrate", "alice",
         f"--from=imaps://localhost:{server.tls_port}", "--login=olduser", f"--ca={pair.pki}/ca.crt",
         "--password-stdin"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command.stdin.write(dovecot.PASSWORD.encode() + b"\n")
    command.stdin.close()
    wait_until(lambda: items(pair) > 150, "some messages have come")
    pair.back.stop(signal.SIGKILL)
    assert command.wait() == 3
    pair.back.start()


def items(pair):
    return json.loads(pair.back.admin("mailbox", "show", "alice", "--json")[1])["messages"]


def test_an_account_comes_over_from_dovecot():
    if not dovecot.is_there():
        return "skip: needs Dovecot and root"
    with Pair() as pair, dovecot.Dovecot(pair, ["olduser"]) as server:
        old = server.imap("olduser")
        fill(old, FOLDERS, shapes(2000))
        kill_in_the_middle(pair, server)
        partly = items(pair)
        said = migrate(pair, server)[1]
        brought = int(re.search(r"(\d+) messages brought", said).group(1))
        assert partly + brought == items(pair), (partly, said)
        new = pair.imap()
        compare(old, new)
        listed = b" ".join(new.lsub()[1])
        assert b'"Lists"' in listed or b" Lists" in listed, listed
        said = migrate(pair, server)[1]
        assert "0 messages brought" in said and f"({len(FOLDERS)} unchanged)" in said, said
        delta(pair, server, old, new)
        check_ids_of_pop3(pair, server)
        old.logout()
        new.logout()


def check_ids_of_pop3(pair, server):
    """A mailbox on its own, logged into by the master: the inbox with the ids that POP3 clients know."""
    uidls = f"--pop3-uidls=pop3s://localhost:{server.pop3_port}"
    master = {"user": "bob", "secret": dovecot.MASTER_PASSWORD}
    migrate(pair, server, "--folder=INBOX", f"--master={dovecot.MASTER}", **master)
    said = migrate(pair, server, "--folder=INBOX", f"--master={dovecot.MASTER}", uidls, **master)[1]
    context = pair.tls()
    source = poplib.POP3_SSL("localhost", server.pop3_port, context=context)
    source.user("olduser")
    source.pass_(dovecot.PASSWORD)
    here = pair.pop3("bob")
    ids = here.uidl()[1]
    assert ids == source.uidl()[1] and len(set(ids)) > 900, (ids[:3], source.uidl()[1][:3])
    assert f"{len(ids)} POP3 ids taken over" in said, said
    here.quit()
    source.quit()
    said = migrate(pair, server, "--folder=INBOX", "--exclude=INBOX", f"--master={dovecot.MASTER}", uidls, **master)[1]
    assert "0 folders looked at" in said, said


def delta(pair, server, old, new):
    """What has changed at the source comes; what has changed here stays."""
    old.select("INBOX")
    uids = old.uid("SEARCH", "ALL")[1][0].split()
    new.select("INBOX")
    old.uid("STORE", uids[0], "FLAGS", "(\\Seen Renamed)")
    old.uid("STORE", uids[1], "FLAGS", "(\\Flagged)")
    new.uid("STORE", uids[1], "FLAGS", "(\\Answered Mine)")
    for uid in uids[2:6]:
        old.uid("STORE", uid, "+FLAGS", "(\\Deleted)")
    new.uid("STORE", uids[3], "FLAGS", "(\\Seen Kept)")
    old.uid("EXPUNGE", b",".join(uids[2:6]))
    gone_here = uids[7]
    new.uid("STORE", gone_here, "+FLAGS", "(\\Deleted)")
    new.uid("EXPUNGE", gone_here)
    old.append("INBOX", "(\\Draft Later)", '" 1-Feb-2020 10:00:00 -0330"', b"Subject: later\r\n\r\nbody")
    said = migrate(pair, server)[1]
    assert "1 messages brought" in said and "1 got new flags" in said and "3 removed" in said, said
    before, after = messages_of(old, "INBOX")[1], messages_of(new, "INBOX")[1]
    last = max(before)
    assert after[last] == before[last], (after[last], before[last])
    assert after[int(uids[0])][0] == {b"\\Seen", b"Renamed"}, after[int(uids[0])][0]
    assert after[int(uids[1])][0] == {b"\\Answered", b"Mine"}, after[int(uids[1])][0]
    assert int(uids[2]) not in after and int(uids[3]) in after, sorted(after)[:9]
    assert int(gone_here) not in after, "what was deleted here has come back"


def test_an_account_comes_over_from_a_pair_like_ours():
    with Pair(users=(("alice", "secret-a"), ("source", dovecot.PASSWORD))) as pair:
        old = pair.imap("source")
        for folder in ("Lists", "Lists/Deep/Er", "&ZeVnLIqe-"):
            old.create(f'"{folder}"')
            old.subscribe(f'"{folder}"')
        old.unsubscribe("Archive")
        for number, text in enumerate(shapes(300)):
            folder = ("INBOX", "Lists", "Lists/Deep/Er", "&ZeVnLIqe-", "Sent")[number % 5]
            old.append(f'"{folder}"', "(\\Seen Work)" if number % 2 else "()", None, text)
        pair.tls_port = pair.front.imaps_port
        said = migrate(pair, pair, login="source")[1]
        new = pair.imap()
        before, after = contents(old), contents(new)
        count = sum(len(messages) for name, value in before.items() if name for messages in value[1:])
        assert count > 290 and f"{count} messages brought" in said, (count, said)
        subscribed = before.pop(None), after.pop(None)
        assert before == after, [name for name in before if before[name] != after.get(name)]
        assert set(subscribed[0]) <= set(subscribed[1]), subscribed
        said = migrate(pair, pair, login="source")[1]
        assert "0 messages brought" in said, said
        old.logout()
        new.logout()


def migrate_nasty(pair, server, *flags, ok=(0,)):
    return pair.back.admin("mailbox", "migrate", "alice", f"--from=imap://127.0.0.1:{server.port}", "--insecure",
                           '--login=old"user', "--password-stdin", "--json", *flags, secret="pass word\n", ok=ok)


def test_a_server_that_misbehaves_loses_nothing_and_doubles_nothing():
    messages = {uid: ("Work" if uid % 3 else "\\Seen", b"Subject: %d\r\n\r\n%s\r\nbare\nfeed" % (uid, b"y" * uid * 20))
                for uid in range(3, 320, 3)}
    moods = {6: "no", 9: "nil", 12: "silent", 15: "break", 18: "break once", 21: "throttle once"}
    folders = {
        "INBOX": nasty.Folder(messages),
        "Public\\Stuff": nasty.Folder({}, attributes="\\Noselect"),
        "Deleted Items": nasty.Folder({1: ("", b"gone\r\n"), 2: ("", b"")}),
        "Caf&AOk-\\R&D\\a/b": nasty.Folder({5: ("\\Flagged", b"x: y\r\n\r\n")}),
        "Locked": nasty.Folder({1: ("", b"z\r\n")}),
    }
    with Pair() as pair, nasty.Nasty(folders, "\\", commands=16, busy=0, uids=moods, locked=["Locked"]) as server:
        code, said = migrate_nasty(pair, server, ok=(1,))
        rows = json.loads(said)
        refused = {row["uid"]: row["problem"] for row in rows if row["folder"] == "INBOX" and row["problem"]}
        assert sorted(refused) == [6, 9, 12, 15], rows
        assert "damaged" in refused[6] and "no content" in refused[9] and "give it out" in refused[12], refused
        assert any(row["folder"] == "Locked" and "locked" in row["problem"] for row in rows), rows
        imap = pair.imap()
        check_nasty(imap, messages, refused)
        assert imap.select("Trash", readonly=True)[1] == [b"2"], "one of them is empty"
        assert messages_of(imap, "Caf&AOk-/R&-D/a_b")[1][5][0] == {b"\\Flagged"}
        assert server.connections > 2
        moods.clear()
        messages[900] = ("", b"Subject: new\r\n\r\n")
        del messages[300]
        messages[303] = ("Changed", messages[303][1])
        server.moods["locked"] = []
        rows = json.loads(migrate_nasty(pair, server)[1])
        assert {"folder": "INBOX", "uid": 0, "new": 5, "flags": 1, "removed": 1, "problem": ""}.items() <= rows[0].items()
        check_nasty(imap, messages, {}, late=refused)
        assert json.loads(migrate_nasty(pair, server)[1]) == []
        folders["INBOX"].validity = 78
        rows = json.loads(migrate_nasty(pair, server, ok=(1,))[1])
        assert len(rows) == 1 and "UIDVALIDITY" in rows[0]["problem"], rows
        imap.logout()


def check_nasty(imap, messages, refused, late=()):
    """Those that were refused at first have got a number behind the others'."""
    validity, found = messages_of(imap, "INBOX")
    assert validity == b"77", validity
    expected = {uid: message for uid, message in messages.items() if uid not in refused}
    assert sorted(text for _, _, text in found.values()) == sorted(text for _, text in expected.values())
    for uid, (flags, text) in expected.items():
        if uid not in late:
            assert found[uid] == (frozenset(flags.encode().split()), b"07-Jul-2007 07:07:07 +0530", text), (uid, found[uid])


def test_messages_that_a_server_leaves_out_of_its_list_are_not_believed_to_be_gone():
    messages = {uid: ("", b"Subject: %d\r\n\r\n" % uid) for uid in range(1, 60)}
    with Pair() as pair, nasty.Nasty({"INBOX": nasty.Folder(messages)}, hidden={7, 8, 59}, large={20}) as server:
        rows = json.loads(migrate_nasty(pair, server, ok=(1,))[1])
        assert any("lists 56" in row["problem"] and row["uid"] == 0 for row in rows), rows
        assert any("larger" in row["problem"] and row["uid"] == 20 for row in rows), rows
        assert items(pair) == 55 and 20 not in server.fetched, (items(pair), server.fetched)
        server.moods.clear()
        assert json.loads(migrate_nasty(pair, server)[1])[0]["new"] == 4
        server.moods["hidden"] = set(range(1, 50))
        migrate_nasty(pair, server, ok=(1,))
        assert items(pair) == 59, items(pair)
        server.moods.clear()
        del messages[30]
        assert json.loads(migrate_nasty(pair, server)[1])[0]["removed"] == 1
        assert items(pair) == 58, items(pair)


def test_a_folder_that_is_made_anew_meanwhile_is_one_problem_and_the_others_go_on():
    messages = {uid: ("", b"Subject: %d\r\n\r\n" % uid) for uid in range(1, 60)}
    folders = {"INBOX": nasty.Folder(messages), "Next": nasty.Folder({1: ("", b"x: z\r\n\r\n")})}
    with Pair() as pair, nasty.Nasty(folders, uids={5: "made anew"}) as server:
        rows = json.loads(migrate_nasty(pair, server, ok=(1,))[1])
        problems = [(row["folder"], row["uid"]) for row in rows if row["problem"]]
        assert problems == [("INBOX", 0)] and "made anew" in str(rows), rows
        assert items(pair) == 5, "four of the one, and the other"


def test_what_a_server_says_without_end_is_bounded():
    folders = {"INBOX": nasty.Folder({1: ("", b"x: y\r\n\r\n")}), "Next": nasty.Folder({1: ("", b"x: z\r\n\r\n")})}
    with Pair() as pair, nasty.Nasty(folders, listed=["1:4294967295"]) as server:
        rows = json.loads(migrate_nasty(pair, server, ok=(1,))[1])
        assert len(rows) == 2 and all("more than 4000000 messages" in row["problem"] for row in rows), rows
        server.moods["listed"] = ()
        folders.update({f"F{number}": nasty.Folder({}) for number in range(60)})
        server.moods["commands"] = 7
        before = server.connections
        migrate_nasty(pair, server)
        assert server.connections - before > 20 and items(pair) == 2, "it closes often, and yet gets on"
        del server.moods["commands"]
        folders.update({f"G{number}": nasty.Folder({}) for number in range(10000)})
        before = server.connections
        code, said = migrate_nasty(pair, server, ok=None)
        assert code != 0 and "more than 10000 folders" in said, said
        assert server.connections == before + 1, "asked again for what will be no better"


def begin_nasty(pair, server):
    command = subprocess.Popen(
        [pair.back.binary, "--config", pair.back.config, "mailbox", "migrate", "alice",
         f"--from=imap://127.0.0.1:{server.port}", "--insecure", '--login=old"user', "--password-stdin"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command.stdin.write(b"pass word\n")
    command.stdin.close()
    return command


def test_a_server_that_never_stops_talking_can_be_left_and_one_migration_goes_at_a_time():
    folders = {"INBOX": nasty.Folder({1: ("", b"x: y\r\n\r\n")})}
    with Pair() as pair, nasty.Nasty(folders, endless=True) as server:
        command = begin_nasty(pair, server)
        wait_until(lambda: server.sent > 5_000_000, "it talks")
        code, said = migrate_nasty(pair, server, ok=None)
        assert code != 0 and "under way" in said, said
        command.terminate()
        command.wait(PATIENCE)
        wait_until(lambda: server.deserted == 1, "the daemon has hung up")
        server.moods["endless"] = False
        migrate_nasty(pair, server)
        assert items(pair) == 1
        rows = json.loads(migrate_nasty(pair, server, "--folder=INBOX", "--folder=Inbxo", ok=(1,))[1])
        assert [row["folder"] for row in rows] == ["Inbxo"] and "no such folder" in rows[0]["problem"], rows
        server.moods["endless"] = True
        command = begin_nasty(pair, server)
        talked = server.sent
        wait_until(lambda: server.sent > talked + 5_000_000, "it talks again")
        pair.back.stop()
        command.wait(PATIENCE)
        pair.back.start()


def test_a_migration_says_what_it_cannot_do():
    with Pair() as pair, nasty.Nasty({"INBOX": nasty.Folder({})}) as server:
        source = f"127.0.0.1:{server.port}"

        def says(words, *flags, secret="pass word\n"):
            code, said = pair.back.admin("mailbox", "migrate", "alice", '--login=old"user', "--password-stdin", *flags,
                                         secret=secret, ok=None)
            assert code not in (0, 3) and words in said, (code, said)

        says("STARTTLS", f"--from=imap://{source}", "--ca=" + f"{pair.pki}/ca.crt")
        says("TLS with 127.0.0.1", f"--from=imaps://{source}", "--ca=" + f"{pair.pki}/ca.crt")
        says("says: no", f"--from=imap://{source}", "--insecure", secret="wrong\n")
        says("AUTH=PLAIN", f"--from=imap://{source}", "--insecure", "--master=boss")
        says("--from=", "--insecure")
        says("no host", "--from=imap://:x", "--insecure")
        says("is a path", f"--from=imaps://{source}", "--ca=ca.crt")
        pair.tls_port = pair.front.imaps_port
        code, said = migrate(pair, pair, ok=None, login="bob", secret="wr0ng")
        assert code != 0 and "wr0ng" not in said + pair.back.log(), said
        assert "pass word" not in pair.back.log() and dovecot.PASSWORD not in pair.back.log()
