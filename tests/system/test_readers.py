"""More clients that people read mail with: neomutt (which enables UTF8=ACCEPT), offlineimap3, s-nail;
and mbsync after random changes on both sides (SEED=n plays others)."""

import glob
import os
import shutil
from random import Random

from pair import Pair, message
from test_clients import home, mbsync_config, run, write

FOLDER = "Grüße&mehr"
WIRE = "Gr&APwA3w-e&-mehr"  # the same in modified UTF-7


def missing(program):
    return None if shutil.which(program) else f"skip: {program} is not installed"


def test_neomutt_saves_to_a_folder_with_a_name_in_utf8():
    if (reason := missing("neomutt")) is not None:
        return reason
    with Pair() as pair:
        folder = home(pair, "neomutt")
        imap = pair.imap()
        imap.create(WIRE)
        for number in range(3):
            pair.deliver("alice", message(f"for neomutt {number}"))
        base = f"imaps://alice@localhost:{pair.front.imaps_port}"
        config = write(f"{folder}/neomuttrc", f"""
set charset=utf-8 folder={base}/ spoolfile={base}/INBOX
set imap_user=alice imap_pass=secret-a
set certificate_file={pair.pki}/ca.crt ssl_force_tls=yes ssl_usesystemcerts=no
set delete=yes move=no confirmappend=no confirmcreate=no header_cache="" wait_key=no
push "<limit>~s 'neomutt 1'<enter><save-message><kill-line>={FOLDER}<enter><sync-mailbox><quit>"
""")
        run(["script", "-qec", f"neomutt -n -F {config}", "/dev/null"], folder, TERM="xterm", LANG="C.UTF-8",
            LC_ALL="C.UTF-8")
        assert imap.select("INBOX")[1] == [b"2"]
        assert imap.select(WIRE)[1] == [b"1"]
        assert b"for neomutt 1" in imap.fetch("1", "(BODY.PEEK[HEADER])")[1][0][1]
        imap.logout()
    return None


def test_offlineimap_agrees_both_ways():
    if (reason := missing("offlineimap")) is not None:
        return reason
    with Pair() as pair:
        folder = home(pair, "offlineimap")
        imap = pair.imap()
        imap.create(WIRE)
        imap.append(WIRE, "(\\Seen)", None, message("made there"))
        pair.deliver("alice", message("delivered"))
        config = write(f"{folder}/rc", f"""
[general]
accounts = test
metadata = {folder}/state
[Account test]
localrepository = near
remoterepository = far
utf8foldernames = yes
[Repository near]
type = Maildir
localfolders = {folder}/mail
[Repository far]
type = IMAP
remotehost = localhost
remoteport = {pair.front.imaps_port}
remoteuser = alice
remotepass = secret-a
ssl = yes
sslcacertfile = {pair.pki}/ca.crt
""")
        sync = ["offlineimap", "-c", config, "-o", "-u", "basic"]
        run(sync, folder, LANG="C.UTF-8", LC_ALL="C.UTF-8")
        (there,) = glob.glob(f"{glob.escape(os.path.join(folder, 'mail', FOLDER))}/*/*")
        assert "made there" in open(there).read()
        (delivered,) = glob.glob(f"{folder}/mail/INBOX/*/*")
        # near: the one is deleted, another is new; far: a flag
        os.remove(delivered)
        write(f"{folder}/mail/{FOLDER}/new/1.near.host", message("made here").decode())
        imap.select(WIRE)
        imap.store("1", "+FLAGS", "(\\Flagged)")
        run(sync, folder, LANG="C.UTF-8", LC_ALL="C.UTF-8")
        assert imap.select("INBOX")[1] == [b"0"]
        assert imap.select(WIRE)[1] == [b"2"]
        assert imap.search(None, "SUBJECT", '"made here"')[1] == [b"2"]
        assert [path for path in glob.glob(f"{glob.escape(os.path.join(folder, 'mail', FOLDER))}/cur/*")
                if "F" in path.split(":2,")[-1]]
        imap.logout()
    return None


def test_s_nail_reads_and_deletes_by_imap_and_pop3():
    if (reason := missing("s-nail")) is not None:
        return reason
    with Pair() as pair:
        folder = home(pair, "s-nail")
        for protocol, port, path in (("imaps", pair.front.imaps_port, "/INBOX"), ("pop3s", pair.front.pop3s_port, "")):
            pair.deliver("alice", message(f"stays {protocol}", f"body by {protocol}"))
            pair.deliver("alice", message(f"goes {protocol}"))
            said = run(["s-nail", "-:/", "-Sv15-compat", "-Snofolder-resolved", f"-Stls-ca-file={pair.pki}/ca.crt",
                        "-Stls-verify=strict", "-Skeep", "-f", f"{protocol}://alice:secret-a@localhost:{port}{path}"],
                       folder, secret=b"type 1\ndelete 2\nquit\n", LANG="C.UTF-8", LC_ALL="C.UTF-8")
            assert f"body by {protocol}".encode() in said, said
            imap = pair.imap()
            imap.select("INBOX")
            assert imap.search(None, "SUBJECT", "goes")[1] == [b""], said
            assert imap.search(None, "SUBJECT", f'"stays {protocol}"')[1] == [b"1"], said
            imap.store("1", "+FLAGS", "(\\Deleted)")
            imap.expunge()
            imap.logout()
    return None


def near_side(folder):
    """{subject: flags} of mbsync's Maildir."""
    found = {}
    for path in glob.glob(f"{folder}/mail/INBOX/*/*"):
        with open(path) as file:
            subject = next(line.strip() for line in file if line.startswith("Subject: "))
        letters = path.rpartition(":2,")[2] if ":2," in path else ""
        found[subject.removeprefix("Subject: ")] = "".join(sorted(set(letters) & set("FRS")))
    return found


def far_side(imap):
    letters = {b"\\Flagged": "F", b"\\Answered": "R", b"\\Seen": "S"}
    found = {}
    imap.select("INBOX")
    for item in imap.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
        if isinstance(item, tuple):
            flags = [letter for flag, letter in letters.items() if flag in item[0]]
            found[item[1].decode().strip().removeprefix("Subject: ")] = "".join(sorted(flags))
    return found


def change_near(folder, random, name):
    for path in random.sample(sorted(glob.glob(f"{folder}/mail/INBOX/*/*")), 6):
        base, _, letters = path.partition(":2,")
        if random.random() < 0.4:
            os.remove(path)
        else:
            letters = "".join(sorted(set(letters) | {random.choice("FRS")}))
            os.rename(path, f"{folder}/mail/INBOX/cur/{os.path.basename(base)}:2,{letters}")
    for number in range(3):
        write(f"{folder}/mail/INBOX/new/{name}.{number}.near", message(f"near {name} {number}").decode())


def change_far(imap, random, name):
    count = int(imap.select("INBOX")[1][0])
    for number in random.sample(range(1, count + 1), 6):
        flag = random.choice(["\\Deleted", "\\Flagged", "\\Answered", "\\Seen"])
        imap.store(str(number), random.choice(["+FLAGS", "+FLAGS.SILENT"]), f"({flag})")
    imap.expunge()
    for number in range(3):
        imap.append("INBOX", None, None, message(f"far {name} {number}"))


def test_mbsync_agrees_after_random_changes_on_both_sides():
    with Pair() as pair:
        folder = home(pair, "mbsync")
        config = mbsync_config(pair, folder)
        random = Random(int(os.environ.get("SEED", "6855")))
        imap = pair.imap()
        for number in range(40):
            imap.append("INBOX", None, None, message(f"first {number}"))
        run(["mbsync", "-c", config, "all:INBOX"], folder)
        for name in range(5):
            change_near(folder, random, name)
            change_far(imap, random, name)
            for _ in range(5):  # what one run has brought may be news for the next
                run(["mbsync", "-c", config, "all:INBOX"], folder)
                here, there = near_side(folder), far_side(imap)
                if here == there:
                    break
            assert here == there, (name, here, there)
            assert len(there) > 10
        imap.logout()
