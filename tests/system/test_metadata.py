"""Annotations (RFC 5464) through the front: what stays, what is whose, and the limits."""

from pair import DOMAIN, Pair


def get(client, *words):
    kind, _ = client.xatom("GETMETADATA", *words)
    lines = client.response("METADATA")[1]
    return kind, b" ".join(part for line in lines if line is not None
                           for part in (line if isinstance(line, tuple) else (line,)))


def put(client, folder, entries):
    kind, text = client.xatom("SETMETADATA", folder, f"({entries})")
    return kind if kind == "OK" else f"{kind} {text[0].decode()}"


def test_entries_stay_with_their_folder_and_the_servers_with_their_user():
    settings = "[imap4be]\nmetadata_admin = mailto:postmaster@example.test\nmetadata_comment = Be kind\n"
    with Pair(back_extra=settings) as pair:
        alice = pair.imap("alice")
        assert b" METADATA METADATA-SERVER LIST-METADATA " in alice.capability()[1][0]
        assert put(alice, "Sent", '/private/comment "mine" /shared/comment "ours"') == "OK"
        assert put(alice, '""', '/private/vendor/x/y "alice"') == "OK"
        pair.back.stop()
        pair.back.start()
        pair.front.wait_for_links(2)
        alice, bob = pair.imap("alice"), pair.imap("bob")
        alice.rename("Sent", "a/Sent")
        assert get(alice, "a/Sent", "(/private/comment /shared/comment)") == \
            ("OK", b'a/Sent (/private/comment "mine" /shared/comment "ours")')
        everything = get(bob, '""', "(DEPTH infinity)", "(/private /shared)")
        assert everything == ("OK", b'"" (/shared/admin "mailto:postmaster@example.test" '
                                    b'/shared/comment "Be kind")'), everything
        assert get(alice, '""', "/private/vendor/x/y") == ("OK", b'"" (/private/vendor/x/y "alice")')
        assert put(alice, '""', '/shared/admin "x"').startswith("NO [NOPERM]")
        alice.delete("a/Sent")
        alice.create("a/Sent")
        assert get(alice, "a/Sent", "/shared/comment") == ("OK", b"a/Sent (/shared/comment NIL)")


def test_there_are_only_so_many_and_none_larger_than_allowed():
    with Pair() as pair:
        alice = pair.imap("alice")
        large = "x" * 7000
        for i in range(0, 100, 5):
            assert put(alice, "INBOX", " ".join(f'/private/vendor/x/{i + j} "{large}"' for j in range(5))) == "OK"
        assert put(alice, "INBOX", '/private/comment "x"').startswith("NO [METADATA TOOMANY]")
        assert put(alice, "INBOX", '/private/vendor/x/0 NIL /private/comment "x"') == "OK"
        assert put(alice, "INBOX", '/shared/comment "x"') == "OK"  # counted by themselves
        assert put(alice, "INBOX", f'/shared/comment "{"x" * 8192}"').startswith("NO [METADATA MAXSIZE 8191]")
        kind, found = get(alice, "INBOX", "(DEPTH infinity)", "/private")
        assert kind == "OK" and found.count(b"/private/vendor/x/") == 99 and found.count(b"x" * 7000) == 99
        alice.xatom("GETMETADATA", "INBOX", "(DEPTH infinity MAXSIZE 100)", "/private")
        said = alice.response("METADATA")[1]
        assert said == [b'INBOX (/private/comment "x")', b"LONGENTRIES 7000"], said  # the second of the tagged line
        alice.rename("INBOX", "old")  # which copies them, some at a time
        for folder in ("INBOX", "old"):
            kind, found = get(alice, folder, "(DEPTH infinity)", "/private")
            assert kind == "OK" and found.count(b"x" * 7000) == 99, folder
        alice.create("old/below")
        alice.delete("old")  # the name stays, they do not
        alice.create("old")
        kind, found = get(alice, "old", "(DEPTH infinity)", "(/private /shared)")
        assert kind == "OK" and b"vendor" not in found, found
