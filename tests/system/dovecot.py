"""A private Dovecot instance to migrate from: everything in a folder of its own, on loopback. Needs root."""

import imaplib
import os
import pwd
import signal
import ssl
import subprocess

import pair

DOVECOT = "/usr/sbin/dovecot"
PASSWORD = "old-secret"
MASTER, MASTER_PASSWORD = "boss", "master-secret"


def is_there():
    return os.path.exists(DOVECOT) and os.geteuid() == 0


class Dovecot:
    """Users are whoever is named; all have PASSWORD. MASTER may log in for each of them."""

    def __init__(self, deployment, users, extra=""):
        self.folder = folder = os.path.join(deployment.folder, "dovecot")
        self.port, self.tls_port, self.pop3_port = (pair.free_port() for _ in range(3))
        self.deployment = deployment
        self.process = None
        os.chmod(deployment.folder, 0o755)
        os.makedirs(f"{folder}/mail")
        owner = pwd.getpwnam("mail")
        os.chown(f"{folder}/mail", owner.pw_uid, owner.pw_gid)
        for name, lines in (("users", [f"{user}:{{PLAIN}}{PASSWORD}" for user in users]),
                            ("masters", [f"{MASTER}:{{PLAIN}}{MASTER_PASSWORD}"])):
            with open(f"{folder}/{name}", "w") as file:
                file.write("\n".join(lines) + "\n")
        self.config = f"{folder}/dovecot.conf"
        with open(self.config, "w") as file:
            file.write(self.text(deployment.pki) + extra)

    def text(self, pki):
        folder = self.folder
        return f"""base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
instance_name = migrate
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{pki}/server.crt
ssl_key = <{pki}/server.key
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
auth_master_user_separator = *
first_valid_uid = 1
mail_fsync = never
mail_location = sdbox:~/sdbox
passdb {{
 driver = passwd-file
 args = {folder}/masters
 master = yes
}}
passdb {{
 driver = passwd-file
 args = {folder}/users
}}
userdb {{
 driver = static
 args = uid=mail gid=mail home={folder}/mail/%n
}}
namespace inbox {{
 inbox = yes
 separator = .
 prefix = INBOX.
 mailbox "Sent Items" {{
  special_use = \\Sent
  auto = subscribe
 }}
}}
service imap-login {{
 inet_listener imap {{
  port = {self.port}
 }}
 inet_listener imaps {{
  port = {self.tls_port}
  ssl = yes
 }}
}}
service pop3-login {{
 inet_listener pop3 {{
  port = 0
 }}
 inet_listener pop3s {{
  port = {self.pop3_port}
  ssl = yes
 }}
}}
"""

    def __enter__(self):
        self.process = subprocess.Popen([DOVECOT, "-F", "-c", self.config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pair.wait_until(lambda: all(pair.connects(("127.0.0.1", port)) for port in (self.port, self.tls_port)),
                        "Dovecot listens")
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and os.path.exists(f"{self.folder}/log"):
            with open(f"{self.folder}/log") as file:
                print(file.read()[-3000:])
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(pair.PATIENCE)

    def imap(self, user):
        context = ssl.create_default_context(cafile=f"{self.deployment.pki}/ca.crt")
        client = imaplib.IMAP4_SSL("localhost", self.tls_port, ssl_context=context)
        client.login(user, PASSWORD)
        return client
