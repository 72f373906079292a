"""A real MTA (Postfix) gives mail to the front by LMTP: over its unix socket and over TCP."""

import os
import pwd
import shutil
import smtplib
import subprocess

from pair import DOMAIN, Pair, free_port, message, wait_until


def postfix_folder(pair, port):
    """A Postfix instance of our own, with nothing outside its folder but the programs."""
    folder = os.path.join(pair.folder, "postfix")
    for part in ("etc", "queue", "data"):
        os.makedirs(os.path.join(folder, part))
    os.chmod(pair.folder, 0o755)
    shutil.chown(os.path.join(folder, "data"), "postfix")
    with open(os.path.join(folder, "etc", "main.cf"), "w") as file:
        file.write(f"""compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = {DOMAIN}
virtual_transport = lmtp:inet:127.0.0.1:{pair.front.lmtp_port}
virtual_mailbox_maps = static:all
local_recipient_maps =
smtpd_recipient_restrictions = permit_mynetworks, reject
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
myhostname = mta.example.test
smtputf8_enable = yes
""")
    services = f"""127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
    with open(os.path.join(folder, "etc", "master.cf"), "w") as file:
        file.write(services)
    return folder


def test_postfix_delivers_through_the_front():
    postfix = shutil.which("postfix") or "/usr/sbin/postfix"
    if not os.path.exists(postfix) or os.geteuid() != 0:
        return "skip: needs Postfix and root"
    try:
        pwd.getpwnam("postfix")
    except KeyError:
        return "skip: Postfix is not set up"
    with Pair() as pair:
        port = free_port()
        folder = postfix_folder(pair, port)
        done = subprocess.run([postfix, "-c", f"{folder}/etc", "start"], capture_output=True, text=True)
        assert done.returncode == 0, done
        try:
            with smtplib.SMTP("127.0.0.1", port) as smtp:
                for number in range(20):
                    smtp.sendmail("s@example.org", [f"alice@{DOMAIN}", f"bob@{DOMAIN}"],
                                  message(f"by postfix {number}", ".dot\r\n..dots\r\n" + "y" * number * 1000))
            for user in ("alice", "bob"):
                def arrived():
                    imap = pair.imap(user)
                    count = imap.select("INBOX")[1][0]
                    imap.logout()
                    return count == b"20"

                wait_until(arrived, f"20 messages reach {user}")
            imap = pair.imap()
            imap.select("INBOX")
            text = imap.fetch("1", "(BODY.PEEK[])")[1][0][1]
            assert b"\r\n.dot\r\n..dots\r\n" in text and b"mta.example.test" in text
            imap.logout()
        finally:
            subprocess.run([postfix, "-c", f"{folder}/etc", "stop"], capture_output=True)
