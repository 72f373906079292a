"""IMAP libraries that Debian 12 does not have as such, fetched by npm and apt when they are wanted: `make clients`."""

import glob
import os
import shutil
import subprocess
import tempfile

from pair import PATIENCE, Failed, Pair

HERE = os.path.dirname(os.path.abspath(__file__))


def fetch(command, folder):
    """None, or why what the command fetches is not to be had here."""
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE * 5, cwd=folder)
    return f"skip: {command[0]} cannot fetch it: {done.stderr.decode(errors='replace')[-300:]}" if done.returncode else None


def run(command, **environment):
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE * 2, env={**os.environ, **environment})
    if done.returncode:
        raise Failed(f"{command}: exit {done.returncode}\n{(done.stdout + done.stderr).decode(errors='replace')[-3000:]}")
    return done.stdout.decode()


def node(script, last_line):
    if shutil.which("npm") is None:
        return "skip: there is no npm"
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(HERE, name), folder)
        missing = fetch(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        if missing:
            return missing
        with Pair() as pair:
            said = run(["node", os.path.join(HERE, script), str(pair.front.imaps_port), f"{pair.pki}/ca.crt"],
                       NODE_PATH=os.path.join(folder, "node_modules"))
            assert said.endswith(f"{last_line}\n"), said


def test_imapflow():
    return node("imapflow.js", "imapflow done")


def test_node_imap():
    return node("node_imap.js", "node-imap done")


def test_roundcube():
    if shutil.which("php") is None:
        return "skip: there is no php"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # apt fetches as a user of its own
        missing = fetch(["apt-get", "download", "roundcube-core"], folder)
        if missing:
            return missing
        run(["dpkg-deb", "-x", *glob.glob(f"{folder}/*.deb"), folder])  # unpacked only: it wants a web server and a database
        with Pair() as pair:
            said = run(["php", os.path.join(HERE, "roundcube.php"), f"{folder}/usr/share/roundcube/program/lib/Roundcube",
                        str(pair.front.imaps_port), f"{pair.pki}/ca.crt"])
            assert said.endswith("roundcube done\n"), said
