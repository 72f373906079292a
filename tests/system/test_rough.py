"""Rough treatment: clients that vanish, read nothing or lie, users of the system who are not root, a stop in
the middle of everything. What others have is not touched, and nothing is left behind."""

import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading

from pair import BACK, FRONT, Back, Deployment, Front, Pair, free_port, message, wait_until

TRUSTED = "[limits]\ntrusted_networks = 127.0.0.0/8\n"
MANY_SESSIONS = "[imap4be]\nmax_sessions_user = 1000\n"
LARGE = message("large", ("z" * 70 + "\r\n") * 70000)  # 5 MB
SMALL_BUFFER = 20000


def descriptors(program):
    return len(os.listdir(f"/proc/{program.process.pid}/fd"))


def memory(program):
    """Resident, in MB."""
    with open(f"/proc/{program.process.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) // 1024


def over_tls(pair, port, buffer=None):
    connection = socket.socket()
    if buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", port))
    return pair.tls().wrap_socket(connection, server_hostname="localhost")


def logged_in(pair, buffer=None):
    """A session of alice with the inbox selected, and its lines."""
    connection = over_tls(pair, pair.front.imaps_port, buffer)
    lines = connection.makefile("rb")
    connection.sendall(b"a LOGIN alice secret-a\r\nb SELECT INBOX\r\n")
    while not lines.readline().startswith(b"b OK"):
        pass
    return connection, lines


def are_gone(pair):
    return (re.search(r"^sessions: +0$", pair.back.admin("status")[1], re.M) and
            len(re.findall(r"connections: +0$", pair.front.admin("status")[1], re.M)) == 3)


def vanish(pair, stage):
    connection = socket.create_connection(("127.0.0.1", pair.front.imaps_port))
    if stage == 1:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01")
    elif stage == 2:
        connection.sendall(b"not TLS at all" * 20)
    elif stage > 2:
        connection = pair.tls().wrap_socket(connection, server_hostname="localhost")
        connection.sendall((b"", b"a LOGIN alice {8}\r\n", b"a LOGIN alice secret-a\r\n",
                            b"a LOGIN alice secret-a\r\nb SELECT INBOX\r\nc APPEND INBOX {1000+}\r\nabc",
                            b"a LOGIN alice secret-a\r\nb SELECT INBOX\r\nc FETCH 1:* BODY[]\r\nd IDLE\r\n")[stage - 3])
    if stage % 2:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_clients_that_vanish_leave_nothing_behind():
    with Pair(front_extra=TRUSTED, back_extra=MANY_SESSIONS) as pair:
        pair.deliver("alice", LARGE)
        pair.imap().logout()
        wait_until(lambda: are_gone(pair), "the first session has ended")
        before = descriptors(pair.front), descriptors(pair.back)
        for i in range(160):
            vanish(pair, i % 8)
        for _ in range(40):
            pair.imap().logout()
        wait_until(lambda: are_gone(pair), "all sessions have ended")
        wait_until(lambda: descriptors(pair.front) <= before[0], "the front has closed its sockets")
        assert descriptors(pair.back) <= before[1] + 2, "segments and index may be open now"


def test_clients_that_read_nothing_cost_little_and_hold_up_nobody():
    with Pair(front_extra=TRUSTED, back_extra=MANY_SESSIONS, start=False) as pair:
        for program in pair.programs:  # what is free()d counts as free, under the sanitizer too
            program.environment = {"ASAN_OPTIONS": "quarantine_size_mb=1"}
        pair.start()
        for _ in range(4):
            pair.deliver("alice", LARGE)
        before = memory(pair.front), memory(pair.back)
        idlers = [logged_in(pair, SMALL_BUFFER) for _ in range(30)]
        for connection, _ in idlers:
            connection.sendall(b"c UID FETCH 1:* BODY.PEEK[]\r\n")
        other = pair.imap()
        other.select("INBOX")
        fetched = other.fetch("1:*", "(BODY.PEEK[])")[1]
        assert sum(len(item[1]) for item in fetched if isinstance(item, tuple)) > 4 * len(LARGE)
        grown = memory(pair.front) - before[0], memory(pair.back) - before[1]
        assert max(grown) < 150, f"600 MB are asked for; resident memory grew by {grown} MB"
        connection, lines = idlers[0]
        taken = connection.recv(1 << 16)
        while not re.search(rb"^c OK", taken[-200:], re.M):
            taken = taken[-200:] + connection.recv(1 << 16)


def test_a_large_append_by_one_holds_up_nobody():
    with Pair(front_extra=TRUSTED) as pair:
        large = LARGE * 8
        connection, lines = logged_in(pair)
        connection.sendall(b"c APPEND Sent {%d}\r\n" % len(large))
        while not lines.readline().startswith(b"+"):
            pass
        sender = threading.Thread(target=connection.sendall, args=(large + b"\r\n",))
        sender.start()
        for _ in range(20):
            assert pair.imap("bob").noop()[0] == "OK"
        sender.join()
        assert lines.readline().startswith(b"c OK"), "the append"
        imap = pair.imap()
        imap.select("Sent")
        assert imap.fetch("1", "(BODY.PEEK[])")[1][0][1] == large


def end_within_fetches(end):
    """What a client got that was told half a message: nothing may follow it."""
    with Pair(front_extra=TRUSTED, back_extra=MANY_SESSIONS) as pair:
        pair.deliver("alice", LARGE)
        readers = [logged_in(pair, SMALL_BUFFER) for _ in range(20)]
        for connection, _ in readers:
            connection.sendall(b"c UID FETCH 1:* BODY.PEEK[]\r\n")
        for _, lines in readers:
            assert lines.readline().startswith(b"* 1 FETCH"), "the answer has begun"
        idle, idle_lines = logged_in(pair)
        idle.sendall(b"d IDLE\r\n")
        idle_lines.readline()
        stopper = threading.Thread(target=end, args=(pair,))
        stopper.start()
        for _, lines in readers:
            try:
                rest = lines.read()
            except OSError:
                continue  # cut off in the middle of a TLS record
            assert b"BYE" not in rest, rest[-200:]
        stopper.join()
        try:
            return idle_lines.read()
        except OSError:
            return b""


def test_a_stop_of_the_back_end_says_nothing_within_a_message():
    assert b"* BYE" in end_within_fetches(lambda pair: pair.back.stop())


def test_a_stop_of_the_front_says_nothing_within_a_message():
    end_within_fetches(lambda pair: pair.front.stop())


def test_a_service_that_cannot_start_names_what_is_in_the_way():
    with Pair() as pair:
        second = Front(pair, "front2", [pair.back])
        with open(second.config) as file:
            config = file.read().replace(f":{second.lmtp_port}", f":{pair.front.imap_port}")
        with open(second.config, "w") as file:
            file.write(config)
        for service in ("imap4", "pop3", "lmtp"):
            second.admin("service", "enable", service)
        done = subprocess.run([FRONT, "--config", second.config, "serve"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1, done
        assert f":{pair.front.imap_port} is taken by cas-proxy[{pair.front.process.pid}]" in done.stderr, done.stderr
        assert "handles open" not in done.stderr and "Sanitizer" not in done.stderr, done.stderr


def first_line(pair, sent, port=None):
    with socket.create_connection(("127.0.0.1", port or pair.front.imap_port), 30) as connection:
        connection.sendall(sent)
        return connection.makefile("rb").readline()


def test_only_a_good_proxy_header_is_believed():
    with Pair(front_extra="[limits]\nproxy_networks = 127.0.0.0/8\n") as pair:
        version_2 = b"\r\n\r\n\0\r\nQUIT\n"
        address = bytes([192, 0, 2, 9, 127, 0, 0, 1, 0, 5, 0, 143])
        for good in (b"PROXY TCP4 192.0.2.1 192.0.2.2 5 143\r\n", b"PROXY TCP6 2001:db8::1 ::1 5 143\r\n",
                     b"PROXY UNKNOWN\r\n", version_2 + b"\x21\x11\0\x0c" + address, version_2 + b"\x20\0\0\0"):
            assert first_line(pair, good).startswith(b"* OK"), good
        for bad in (b"PROXY TCP4 999.0.2.1 192.0.2.2 5 143\r\n", b"PROXY TCP4 192.0.2.1 192.0.2.2 5 99999\r\n",
                    b"PROXY " + b"A" * 200, b"PROXY \r\n", b"a CAPABILITY\r\n",
                    version_2 + b"\x21\x11\0\x04abcd", version_2 + b"\x31\x11\0\x0c" + address,
                    version_2 + b"\x21\x11\xff\xff"):
            assert first_line(pair, bad) == b"", bad
        assert "refused from 127.0.0.1: no valid PROXY header" in pair.front.log()
        with socket.create_connection(("127.0.0.1", pair.front.lmtp_port), 30) as connection:
            connection.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 5 24\r\nLHLO x\r\nMAIL FROM:<>\r\n")
            assert b"\r\n554 5.7.1 " in connection.makefile("rb").read(), "loopback is the balancer, not the MTA"


def test_what_clients_send_forges_no_log_line_and_shows_no_password():
    with Pair(front_sections={"imap4": "plaintext_auth = yes\n"}) as pair:
        evil = b"x\n2026-11-24T00:00:00Z forged[1] info\x1b[31m\xff\r"
        with socket.create_connection(("127.0.0.1", pair.front.imap_port), 30) as connection:
            connection.sendall(b"a ID (\"name\" {%d+}\r\n%s)\r\n" % (len(evil), evil) +
                               b"b LOGIN {%d+}\r\n%s hunter2\r\nc LOGIN alice hunter3\r\n" % (len(evil), evil) +
                               b"d LOGIN alice secret-a\r\ne LOGIN alice hunter4\r\nf LOGOUT\r\n")
            assert b"\r\nf OK" in connection.makefile("rb").read()
        wait_until(lambda: are_gone(pair), "the client has gone")
        log = pair.front.log() + pair.back.log()
        assert not re.search(r"hunter|secret-a", log), "a password"
        assert "forged[1]" in log and not re.search(r"^\S+ forged", log, re.M), log


def test_a_deployment_gets_a_new_ca_without_a_restart_of_the_front():
    with Deployment() as deployment:
        def issue_all():
            deployment.issue("back", "back1", "back1")
            deployment.issue("front", "front1", "front1")

        issue_all()
        back = deployment.add(Back(deployment, "back1", f"127.0.0.1:{free_port()}", tls=True))
        front = deployment.add(Front(deployment, "front1", [back], tls=True))
        front.admin("service", "enable", "imap4")
        back.start()
        front.start()
        front.wait_for_links()
        shutil.rmtree(deployment.pki)
        deployment.issue_ca()
        issue_all()
        front.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "certificates read again" in front.log(), "the front has read its certificates")
        back.stop()
        back.start()
        front.wait_for_links(2)


def rewrite(program, old, new):
    with open(program.config) as file:
        config = file.read()
    assert old in config, old
    with open(program.config, "w") as file:
        file.write(config.replace(old, new))


def test_front_and_back_run_as_users_of_their_own():
    """The back end as mail; the front is started by root and becomes nobody. Each is told of the other."""
    if os.geteuid() != 0:
        return "skip: only root can start programs as others"
    with Pair(start=False) as pair:
        mail, nobody = pwd.getpwnam("mail"), pwd.getpwnam("nobody")
        os.chmod(pair.folder, 0o711)
        links = os.path.join(pair.folder, "links")
        os.mkdir(links)
        os.chown(links, mail.pw_uid, nobody.pw_gid)
        os.chmod(links, 0o2750)  # the socket gets the front's group
        for program, other in ((pair.front, "mail"), (pair.back, "nobody")):
            rewrite(program, f"unix:{pair.folder}/link", f"unix:{links}/link")
            rewrite(program, "[link]\n", f"[link]\nunix_users = {other}\n")
        rewrite(pair.front, "[front]\n", "[front]\nuser = nobody\n")
        subprocess.run(["chown", "-R", "mail:", pair.back.folder], check=True)
        pair.back.binary = shutil.copy(BACK, pair.folder)
        pair.back.user = mail
        pair.start()
        assert pair.imap().select("INBOX")[0] == "OK"
        pair.back.stop()
        pair.back.start()
        pair.front.wait_for_links(2)
        assert pair.imap().select("INBOX")[0] == "OK", "the links came up again"
        with open(f"/proc/{pair.front.process.pid}/status") as file:
            assert re.search(rf"^Uid:(\t{nobody.pw_uid}){{4}}$", file.read(), re.M)
        pair.front.stop()
        rewrite(pair.front, "unix_users = mail\n", "")
        pair.front.start()
        wait_until(lambda: f"of user id {mail.pw_uid} may not be at the other end" in pair.front.log(),
                   "a back end of another user is refused")
