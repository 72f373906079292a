"""More clients that people read mail with: neomutt (which enables UTF8=ACCEPT), offlineimap3, s-nail."""

import glob
import os
import shutil

from pair import Pair, message
from test_clients import home, run, write

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
