"""Quotas (RFC 9208) through the front, with Python's own client: limits that administrators set, what is refused
at them, and that a limit holds whoever comes at the same moment."""

import threading

from pair import DOMAIN, Pair, message

ROOT = f"alice@{DOMAIN}"
SMALL = message("small", "x" * 10)


def quota(client):
    """What GETQUOTAROOT says: {resource: (usage, limit)}."""
    kind, (roots, resources) = client.getquotaroot("INBOX")
    assert kind == "OK" and roots == [f'INBOX "{ROOT}"'.encode()], roots
    kind, said = client.getquota(f'"{ROOT}"')
    assert kind == "OK" and said == resources, (said, resources)
    words = said[0].decode().partition("(")[2].rstrip(")").split()
    return {words[i]: (int(words[i + 1]), int(words[i + 2])) for i in range(0, len(words), 3)}


def administrator(pair):
    pair.back.admin("user", "set", "bob", "--may-impersonate=yes")
    return pair.imap("bob")


def refused(answer):
    kind, text = answer
    return kind == "NO" and text[0].startswith(b"[OVERQUOTA]")


def test_an_administrator_sets_the_limits_and_they_stay():
    with Pair() as pair:
        alice, bob = pair.imap("alice"), administrator(pair)
        assert b" QUOTASET " in bob.capability()[1][0] and b" QUOTASET " not in alice.capability()[1][0]
        assert "QUOTA=RES-STORAGE" in alice.capabilities
        assert quota(alice) == {"MAILBOX": (6, 9999)}
        kind, said = alice.setquota(f'"{ROOT}"', "(STORAGE 1)")
        assert kind == "NO" and said[0].startswith(b"[NOPERM]"), said
        assert alice.getquota(f'"bob@{DOMAIN}"')[0] == "NO"

        kind, said = bob.setquota(f'"{ROOT}"', "(STORAGE 2 MESSAGE 3 MAILBOX 8)")
        assert kind == "OK" and said == [f'"{ROOT}" (STORAGE 0 2 MESSAGE 0 3 MAILBOX 6 8)'.encode()], said
        for wrong in ("(STORAGE 0)", "(ANNOTATION-STORAGE 5)", "(STORAGE 68719476737)"):
            assert bob.setquota(f'"{ROOT}"', wrong)[0] == "NO", wrong
        assert bob.setquota(f'"nobody@{DOMAIN}"', "(STORAGE 5)")[0] == "NO"
        alice.append("INBOX", None, None, SMALL)
        assert quota(alice) == {"STORAGE": (1, 2), "MESSAGE": (1, 3), "MAILBOX": (6, 8)}  # in the open session
        pair.back.stop()
        pair.back.start()
        pair.front.wait_for_links(2)
        alice, bob = pair.imap("alice"), pair.imap("bob")
        assert quota(alice) == {"STORAGE": (1, 2), "MESSAGE": (1, 3), "MAILBOX": (6, 8)}

        bob.setquota(f'"{ROOT}"', "(MESSAGE 4)")  # what is not named has no limit any more
        assert quota(alice) == {"MESSAGE": (1, 4), "MAILBOX": (6, 9999)}
        pair.back.admin("user", "set", "alice", "--quota=1M", "--quota-folders=7")
        assert quota(alice) == {"STORAGE": (1, 1024), "MESSAGE": (1, 4), "MAILBOX": (6, 7)}
        pair.back.admin("user", "set", "bob", "--may-impersonate=no")
        assert pair.imap("bob").setquota(f'"{ROOT}"', "()")[0] == "NO"


def test_what_would_be_over_a_limit_is_refused_whole():
    with Pair() as pair:
        alice = pair.imap("alice")
        pair.back.admin("user", "set", "alice", "--quota-messages=3", "--quota-folders=8")
        alice.append("INBOX", None, None, SMALL)
        alice.append("INBOX", None, None, SMALL)
        literal = b"{%d+}\r\n%s" % (len(SMALL), SMALL)
        alice.send(b"multi APPEND INBOX " + literal + b" " + literal + b"\r\n")
        answer = alice.readline()
        assert answer.startswith(b"multi NO [OVERQUOTA]"), answer
        assert alice.status("INBOX", "(MESSAGES)")[1] == [b"INBOX (MESSAGES 2)"]
        alice.select("INBOX")
        assert refused(alice.copy("1:2", "Archive"))  # two, where one more may be
        assert alice.status("Archive", "(MESSAGES)")[1] == [b"Archive (MESSAGES 0)"]
        assert alice.copy("1", "Archive")[0] == "OK"
        assert refused(alice.append("INBOX", None, None, SMALL))
        assert refused(alice.copy("1", "Archive"))
        kind, _ = alice._simple_command("MOVE", "1:2", "Trash")  # nothing is more than it was
        assert kind == "OK" and quota(alice)["MESSAGE"] == (3, 3)
        assert pair.deliver("alice", SMALL), "a delivery was taken over the quota"

        assert alice.create("a")[0] == "OK"
        assert refused(alice.create("b/c"))  # two levels, where one more may be
        assert alice.status("b", "(MESSAGES)")[0] == "NO"
        assert alice.create("b")[0] == "OK"
        assert refused(alice.create("c")) and refused(alice.rename("a", "c/d"))
        assert refused(alice.rename("INBOX", "c"))
        assert alice.rename("a", "c")[0] == "OK" and quota(alice)["MAILBOX"] == (8, 8)


def test_a_limit_holds_for_sessions_that_append_at_once():
    with Pair() as pair:
        pair.back.admin("user", "set", "alice", "--quota-messages=25")
        taken, problems = [], []

        def fill():
            try:
                client = pair.imap("alice")
                for _ in range(10):
                    answer = client.append("INBOX", None, None, SMALL)
                    if answer[0] == "OK":
                        taken.append(1)
                    else:
                        assert refused(answer), answer
                client.logout()
            except Exception as problem:
                problems.append(problem)

        threads = [threading.Thread(target=fill) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        alice = pair.imap("alice")
        assert not problems and len(taken) == 25, (problems, len(taken))
        assert quota(alice)["MESSAGE"] == (25, 25)
