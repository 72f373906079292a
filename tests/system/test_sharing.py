"""Folders of others: access control lists, the namespaces, and what each command needs (RFC 4314)."""

import imaplib
import os

from pair import DOMAIN, Pair, wait_until

ALL = "lrswipkxtea"
MAIL = b"From: a@example.org\r\nSubject: shared\r\n\r\ntext\r\n"
OTHERS = "Other Users"
SHARED = "Shared Folders"


def theirs(path, owner="alice"):
    return f'"{OTHERS}/{owner}@{DOMAIN}/{path}"'


def run(imap, line):
    """Sends one command line; {mail} is a message. Gives the untagged lines and the tagged one without its tag."""
    tag = imap._new_tag().decode()
    data = f"{tag} {line}\r\n".encode().replace(b"{mail}", b"{%d+}\r\n" % len(MAIL) + MAIL)
    imap.send(data)
    untagged = []
    while True:
        answer = imap.readline().decode()
        assert answer, f"{line}: the connection ended"
        answer = answer.rstrip("\r\n")
        if answer.startswith(tag + " "):
            return untagged, answer[len(tag) + 1:]
        untagged.append(answer)


def ok(imap, line):
    untagged, tagged = run(imap, line)
    assert tagged.startswith("OK"), f"{line}: {tagged}"
    return untagged


def no(imap, line, code):
    tagged = run(imap, line)[1]
    assert tagged.startswith(f"NO [{code}]"), f"{line}: {tagged}"


def share(alice, path, rights, who="bob"):
    ok(alice, f'SETACL "{path}" {who} "{rights}"')


# ---- the table: each command with what it needs, as RFC 4314 section 4 and its extensions have it ----

# The line, with {box} for the folder, {sub} for one in it and {none} for none; the rights on both that it needs beside l.
BY_NAME = [
    ("SELECT {box}", "r"),
    ("EXAMINE {box}", "r"),
    ("STATUS {box} (MESSAGES)", "r"),
    ("CREATE {new}", "k"),
    ("DELETE {sub}", "x"),
    ("RENAME {sub} {new}", "xk"),
    ("APPEND {box} {mail}", "i"),
    ("GETACL {box}", "a"),
    ("SETACL {box} carol lr", "a"),
    ("DELETEACL {box} carol", "a"),
    ("LISTRIGHTS {box} carol", "a"),
    ("MYRIGHTS {box}", ""),
    ("GETQUOTAROOT {box}", "r"),
    ("SETMETADATA {box} (/shared/comment \"x\")", "w"),
    ("LIST \"\" {box} RETURN (STATUS (MESSAGES))", ""),
    ("SUBSCRIBE {box}", ""),
    ("UNSUBSCRIBE {box}", ""),
]

# In the user's own INBOX, which is selected.
INTO = [
    ("COPY 1 {box}", "i"),
    ("UID COPY 1:* {box}", "i"),
    ("MOVE 1 {box}", "i"),
    ("REPLACE 1 {box} {mail}", "i"),
]

# While {box} is selected.
SELECTED = [
    ("NOOP", ""),
    ("CHECK", ""),
    ("FETCH 1 FLAGS", "r"),
    ("UID FETCH 1:* FLAGS", "r"),
    ("SEARCH ALL", "r"),
    ("UID SEARCH ALL", "r"),
    ("UIDBATCHES 500", "r"),
    ("SORT (DATE) UTF-8 ALL", "r"),
    ("THREAD REFERENCES UTF-8 ALL", "r"),
    ("STORE 1 +FLAGS (\\Seen)", "rs"),
    ("STORE 1 -FLAGS (\\Deleted)", "rt"),
    ("STORE 1 +FLAGS (\\Flagged)", "rw"),
    ("UID STORE 1:* +FLAGS ($Word)", "rw"),
    ("COPY 1 INBOX", "r"),
    ("MOVE 1 INBOX", "rte"),
    ("UID MOVE 1:* INBOX", "rte"),
    ("REPLACE 1 {box} {mail}", "rtei"),
    ("EXPUNGE", "re"),
    ("UID EXPUNGE 1:*", "re"),
    ("CLOSE", ""),
    ("UNSELECT", ""),
]


class Case:
    """A fresh folder with a message and a folder in it, both with the same rights."""

    number = 0

    def __init__(self, alice):
        Case.number += 1
        self.alice = alice
        self.path = f"Box{Case.number}"
        ok(alice, f"CREATE {self.path}/Sub")
        ok(alice, f"APPEND {self.path} {{mail}}")

    def give(self, rights):
        share(self.alice, self.path, rights)
        share(self.alice, f"{self.path}/Sub", rights)

    def line(self, template):
        names = {"{box}": theirs(self.path), "{sub}": theirs(f"{self.path}/Sub"),
                 "{new}": theirs(f"{self.path}/New")}
        for name, value in names.items():
            template = template.replace(name, value)
        return template


def check(bob, case, template, needed, before=None):
    """With every right but one it needs: refused. With no more than it needs: done."""
    if before is not None:
        case.give(ALL)
        ok(bob, case.line(before))
    for right in needed:
        case.give(ALL.replace(right, ""))
        tagged = run(bob, case.line(template))[1]
        refused = tagged.startswith("NO [NOPERM]")
        assert refused, f"{template} without {right}: {tagged}"
    case.give("l" + needed)
    ok(bob, case.line(template))


def test_every_command_needs_the_rights_of_the_table():
    with Pair() as pair:
        pair.back.add_user("carol", "secret")
        alice, bob = pair.imap(), pair.imap("bob")
        for template, needed in BY_NAME:
            check(bob, Case(alice), template, needed)
            run(bob, "UNSELECT")
        case = Case(alice)
        annotation = case.line("GETMETADATA {box} /shared/comment")
        case.give("lkxtea")
        no(bob, annotation, "NOPERM")
        for right in "rswip":  # one of them is enough: RFC 5464 section 3.3
            case.give("l" + right)
            ok(bob, annotation)
        for template, needed in INTO:
            ok(bob, "APPEND INBOX {mail}")
            check(bob, Case(alice), template, needed, "SELECT INBOX")
        for template, needed in SELECTED:
            check(bob, Case(alice), template, needed, "SELECT {box}")
            run(bob, "UNSELECT")


def test_without_l_a_folder_is_as_if_it_did_not_exist():
    with Pair() as pair:
        pair.back.add_user("carol", "secret")
        alice, bob = pair.imap(), pair.imap("bob")
        ok(bob, "APPEND INBOX {mail}")
        ok(alice, "CREATE Hidden/Seen")
        share(alice, "Hidden", ALL.replace("l", ""))
        for template, _ in BY_NAME + INTO + [("RENAME {sub} Mine", "")]:
            answers = []
            for owner, path in (("alice", "Hidden"), ("alice", "Missing"), ("nobody", "Missing")):
                line = (template.replace("{box}", theirs(path, owner)).replace("{sub}", theirs(path, owner))
                        .replace("{new}", theirs(path + "/New", owner)))
                ok(bob, "SELECT INBOX")
                untagged, tagged = run(bob, line)
                answers.append((len(untagged), tagged))
            assert answers[0] == answers[1] == answers[2], f"{template}: {answers}"
        assert not [line for line in ok(bob, 'LIST "" *') if OTHERS in line]
        share(alice, "Hidden/Seen", "lr")
        listed = [line for line in ok(bob, 'LIST "" *') if OTHERS in line]
        assert listed == [f'* LIST (\\HasChildren \\Noselect) "/" "{OTHERS}"',
                          f'* LIST (\\HasChildren \\Noselect) "/" "{OTHERS}/alice@{DOMAIN}"',
                          f'* LIST (\\HasNoChildren) "/" {theirs("Hidden/Seen")}']
        share(alice, "Hidden", "l")
        assert f'* LIST (\\HasChildren) "/" {theirs("Hidden")}' in ok(bob, 'LIST "" *')
        share(alice, "Hidden/Seen", "")
        assert f'* LIST (\\HasNoChildren) "/" {theirs("Hidden")}' in ok(bob, 'LIST "" *')


def test_namespaces_are_told_to_those_who_have_something_there():
    with Pair() as pair:
        pair.back.admin("user", "add", "support", "--shared")
        alice, bob = pair.imap(), pair.imap("bob")
        assert ok(bob, "NAMESPACE") == ['* NAMESPACE (("" "/")) NIL NIL']
        share(alice, "INBOX", "lr")
        assert ok(bob, "NAMESPACE") == [f'* NAMESPACE (("" "/")) (("{OTHERS}/" "/")) NIL']
        pair.back.admin("acl", "set", "support", "INBOX", "anyone", "lrs")
        assert ok(bob, "NAMESPACE") == [
            f'* NAMESPACE (("" "/")) (("{OTHERS}/" "/")) (("{SHARED}/" "/"))']
        assert ok(bob, 'LIST "" %/%/INBOX RETURN (MYRIGHTS)') == [
            f'* LIST (\\HasNoChildren) "/" {theirs("INBOX")}', f'* MYRIGHTS {theirs("INBOX")} lr',
            f'* LIST (\\HasNoChildren) "/" "{SHARED}/support@{DOMAIN}/INBOX"',
            f'* MYRIGHTS "{SHARED}/support@{DOMAIN}/INBOX" lrs']
        ok(bob, f"SUBSCRIBE {theirs('INBOX')}")
        assert ok(bob, f'LSUB "" "{OTHERS}/*"') == [f'* LSUB () "/" {theirs("INBOX")}']
        assert ok(bob, f'LIST (SUBSCRIBED) "" "{OTHERS}/*"') == [
            f'* LIST (\\HasNoChildren \\Subscribed) "/" {theirs("INBOX")}']
        ok(alice, "DELETEACL INBOX bob")
        assert ok(bob, f'LIST (SUBSCRIBED) "" "{OTHERS}/*"') == [
            f'* LIST (\\HasNoChildren \\NonExistent \\Subscribed) "/" {theirs("INBOX")}']
        pair.back.stop()
        pair.back.start()
        pair.front.wait_for_links(2)
        bob = pair.imap("bob")
        assert ok(bob, "NAMESPACE") == [f'* NAMESPACE (("" "/")) NIL (("{SHARED}/" "/"))']


def test_a_folder_of_ones_own_that_is_called_as_a_namespace_stays():
    with Pair() as pair:
        alice, bob = pair.imap(), pair.imap("bob")
        share(alice, "INBOX", "lr")
        no(bob, f'CREATE "{OTHERS}"', "NOPERM")
        no(bob, f'CREATE "{OTHERS}/mine"', "NOPERM")
        assert f'"{OTHERS}"' in " ".join(ok(bob, 'LIST "" %'))
        with open(os.path.join(pair.folder, "mail"), "wb") as file:
            file.write(b"From a@example.org Tue Nov 24 19:00:00 2026\n" + MAIL)
        pair.back.admin("mailbox", "import", "bob", file.name, f"--folder={OTHERS}")
        assert ok(bob, "NAMESPACE") == ['* NAMESPACE (("" "/")) NIL NIL']
        assert ok(bob, f'LIST "" "{OTHERS}*"') == [f'* LIST (\\HasNoChildren) "/" "{OTHERS}"']
        assert contents(bob, f'"{OTHERS}"') == [MAIL]


def test_lists_are_kept_and_told_as_they_were_set():
    with Pair() as pair:
        alice, bob = pair.imap(), pair.imap("bob")
        share(alice, "INBOX", "lrcd")
        me = f'"alice@{DOMAIN}" lrswipkxtecda'
        assert ok(alice, "GETACL INBOX") == [f'* ACL INBOX {me} "bob@{DOMAIN}" lrkxtecd']
        share(alice, "INBOX", "+s")
        share(alice, "INBOX", "-xk")
        share(alice, "INBOX", "r", "anyone")
        share(alice, "INBOX", "t", "-bob")
        assert ok(alice, "GETACL INBOX") == [
            f'* ACL INBOX {me} "bob@{DOMAIN}" lrsted "anyone" r "-bob@{DOMAIN}" td']
        assert ok(bob, f"MYRIGHTS {theirs('INBOX')}") == [f"* MYRIGHTS {theirs('INBOX')} lrsed"]
        assert ok(alice, "LISTRIGHTS INBOX bob") == ['* LISTRIGHTS INBOX "bob" "" l r s w i p k x t e c d a']
        assert ok(alice, f"LISTRIGHTS INBOX alice") == ['* LISTRIGHTS INBOX "alice" lrswipkxtecda']
        assert ok(alice, "MYRIGHTS INBOX") == ["* MYRIGHTS INBOX lrswipkxtecda"]
        assert run(alice, "SETACL INBOX bob lrq")[1].startswith("BAD")
        assert run(alice, "SETACL INBOX bob lR")[1].startswith("BAD")
        no(alice, "SETACL INBOX nobody lr", "CANNOT")
        no(alice, "SETACL INBOX alice lr", "CANNOT")
        ok(alice, "SETACL INBOX alice +lr")
        ok(alice, "DELETEACL INBOX -bob")
        ok(alice, "DELETEACL INBOX bob")
        ok(alice, "DELETEACL INBOX anyone")
        assert ok(alice, "GETACL INBOX") == [f"* ACL INBOX {me}"]
        ok(alice, "CREATE Project")
        share(alice, "Project", "lrk")
        ok(bob, f"CREATE {theirs('Project/Sub/Deep')}")
        assert ok(bob, f"MYRIGHTS {theirs('Project/Sub/Deep')}") == [
            f"* MYRIGHTS {theirs('Project/Sub/Deep')} lrkc"]


def test_what_may_be_done_is_told_on_select_and_holds_at_once():
    with Pair() as pair:
        alice, bob = pair.imap(), pair.imap("bob")
        ok(alice, "APPEND INBOX {mail}")
        for rights, code, flags in (("lr", "READ-ONLY", "()"), ("lri", "READ-WRITE", "()"),
                                    ("lrs", "READ-WRITE", "(\\Seen)"),
                                    ("lrt", "READ-WRITE", "(\\Deleted)"),
                                    ("lrw", "READ-WRITE", "(\\Answered \\Flagged \\Draft \\*)")):
            share(alice, "INBOX", rights)
            untagged, tagged = run(bob, f"SELECT {theirs('INBOX')}")
            assert tagged.startswith(f"OK [{code}]"), (rights, tagged)
            assert [line for line in untagged if f"[PERMANENTFLAGS {flags}]" in line], (rights, untagged)
        share(alice, "INBOX", "lr")
        ok(bob, "FETCH 1 BODY[]")
        assert ok(bob, "FETCH 1 FLAGS")[0] == "* 1 FETCH (FLAGS (\\Recent))" or \
            ok(bob, "FETCH 1 FLAGS") == ["* 1 FETCH (FLAGS ())"]
        share(alice, "INBOX", "lrw")
        ok(bob, "STORE 1 FLAGS (\\Seen \\Flagged $Word)")
        ok(alice, "SELECT INBOX")
        assert "\\Flagged $Word" in ok(alice, "FETCH 1 FLAGS")[-1]
        assert "\\Seen" not in ok(alice, "FETCH 1 FLAGS")[-1]
        ok(alice, "STORE 1 +FLAGS (\\Seen \\Deleted)")
        ok(bob, "STORE 1 FLAGS ()")
        told = ok(alice, "FETCH 1 FLAGS")[-1]
        assert "\\Deleted \\Seen" in told and "$Word" not in told
        ok(alice, "DELETEACL INBOX bob")
        ok(alice, "APPEND INBOX {mail}")
        assert not [line for line in ok(bob, "NOOP") if "EXISTS" in line]
        no(bob, "FETCH 1 FLAGS", "NOPERM")


def test_two_users_see_each_others_changes_while_one_idles():
    with Pair() as pair:
        alice, bob = pair.imap(), pair.imap("bob")
        share(alice, "INBOX", "lrswite")
        ok(bob, f"SELECT {theirs('INBOX')}")
        bob.send(b"i1 IDLE\r\n")
        assert bob.readline().startswith(b"+")
        ok(alice, "APPEND INBOX {mail}")
        while b"1 EXISTS" not in bob.readline():
            pass
        bob.send(b"DONE\r\n")
        while not bob.readline().startswith(b"i1 OK"):
            pass
        ok(alice, "SELECT INBOX")
        ok(bob, "STORE 1 +FLAGS (\\Deleted)")
        assert [line for line in ok(alice, "NOOP") if "\\Deleted" in line]
        ok(bob, "EXPUNGE")
        assert "* 1 EXPUNGE" in ok(alice, "NOOP")


def told_by_itself(imap, until):
    """What comes without a command, up to the line that begins so."""
    lines = []
    while not lines or not lines[-1].startswith(until):
        lines.append(imap.readline().decode().rstrip("\r\n"))
        assert lines[-1], f"the connection ended: {lines}"
    return lines


def test_who_lost_the_right_to_read_is_told_nothing_by_notify():
    with Pair() as pair:
        alice, bob = pair.imap(), pair.imap("bob")
        ok(alice, "CREATE Team")
        share(alice, "Team", "lr")
        ok(bob, f"SELECT {theirs('Team')}")
        ok(bob, "NOTIFY SET (SELECTED (MessageNew (BODY.PEEK[TEXT]) MessageExpunge)) "
                "(MAILBOXES INBOX (MessageNew MessageExpunge))")
        ok(alice, "APPEND Team {mail}")
        told_by_itself(bob, "* 1 FETCH")
        assert bob.readline() == b"text\r\n"
        assert bob.readline() == b")\r\n"
        share(alice, "Team", "l")
        ok(alice, "APPEND Team {mail}")
        ok(pair.imap("bob"), "APPEND INBOX {mail}")
        told = [line for line in told_by_itself(bob, "* STATUS INBOX") if "PERMANENTFLAGS" not in line]
        assert len(told) == 1, told


def test_a_subscription_does_not_tell_which_users_there_are():
    with Pair() as pair:
        bob, other = pair.imap("bob"), pair.imap("bob")
        ok(bob, "NOTIFY SET (SUBSCRIBED (SubscriptionChange))")
        for owner in ("alice", "nobody"):
            ok(other, f'SUBSCRIBE "{OTHERS}/{owner}/Hidden"')
            told = told_by_itself(bob, "* LIST")
            assert told[-1].endswith(f' "/" "{OTHERS}/{owner}/Hidden"'), told


def test_a_folder_that_its_owner_deletes_ends_the_sessions_that_have_it_selected():
    with Pair() as pair:
        alice, bob, idler = pair.imap(), pair.imap("bob"), pair.imap("bob")
        ok(alice, "CREATE Team")
        share(alice, "Team", "lr")
        for imap in (bob, idler):
            ok(imap, f"SELECT {theirs('Team')}")
        idler.send(b"i1 IDLE\r\n")
        assert idler.readline().startswith(b"+")
        ok(alice, "DELETE Team")
        told_by_itself(idler, "* BYE")
        assert [line for line in ok(bob, "NOOP") if line.startswith("* BYE")]


def test_a_user_who_is_removed_shares_nothing_until_restored():
    with Pair() as pair:
        alice, bob, other = pair.imap(), pair.imap("bob"), pair.imap("bob")
        ok(alice, "APPEND INBOX {mail}")
        share(alice, "INBOX", "lr")
        for imap in (bob, other):
            ok(imap, f"SELECT {theirs('INBOX')}")
            ok(imap, "FETCH 1 FLAGS")
        pair.back.admin("user", "remove", "alice", "--yes")
        no(bob, "FETCH 1 FLAGS", "NOPERM")
        no(other, f"SELECT {theirs('INBOX')}", "NONEXISTENT")
        ok(bob, "SELECT INBOX")
        pair.back.admin("user", "restore", "alice")
        ok(bob, f"SELECT {theirs('INBOX')}")


def contents(imap, folder):
    ok(imap, f"EXAMINE {folder}")
    imap.state = "SELECTED"
    parts = imap.uid("FETCH", "1:*", "(BODY.PEEK[])")[1]
    return [part[1] for part in parts if isinstance(part, tuple)]


def test_messages_are_copied_and_moved_between_mailboxes():
    with Pair(back_extra="databases = 2\n") as pair:
        users = ["bob", "carol", "dave"]  # in both databases
        for user in users[1:]:
            pair.back.add_user(user, "secret")
        alice = pair.imap()
        mails = [MAIL + b"%d\r\n" % n * (n * 30 + 1) for n in range(100)]
        for mail in mails:
            assert alice.append("INBOX", "(\\Flagged $Word)", None, mail)[0] == "OK"
        for user in users:
            share(alice, "INBOX", "lrte", user)
            imap = pair.imap(user, None if user == "bob" else "secret")
            ok(imap, "CREATE Kept")
            ok(imap, f"SELECT {theirs('INBOX')}")
            told = run(imap, "COPY 1:* Kept")[1]
            assert told.startswith("OK [COPYUID ") and " 1:100 1:100]" in told, told
            assert contents(imap, "Kept") == mails
            told = ok(imap, "FETCH 100 FLAGS")[-1]
            assert "\\Flagged" in told and "$Word" in told
        ok(imap, f"SELECT {theirs('INBOX')}")
        told = ok(imap, "MOVE 2:100 Kept")
        assert " 2:100 101:199]" in told[0] and told[1:].count("* 2 EXPUNGE") + len(told) > 90, told[:3]
        assert contents(imap, "Kept") == mails + mails[1:]
        assert contents(alice, "INBOX") == mails[:1]
        pair.back.admin("user", "set", "alice", "--quota-messages=80")
        share(alice, "INBOX", "lri", "dave")
        ok(imap, "SELECT Kept")
        no(imap, f"COPY 1:* {theirs('INBOX')}", "OVERQUOTA")
        assert contents(alice, "INBOX") == mails[:1], "all or nothing"
        ok(imap, "SELECT Kept")
        ok(imap, f"COPY 1:49 {theirs('INBOX')}")
        assert contents(alice, "INBOX") == mails[:1] + mails[:49]
        ok(alice, "SELECT INBOX")
        assert "\\Flagged" not in ok(alice, "FETCH 2 FLAGS")[-1], "without w no flags are brought"


def test_nobody_logs_in_with_a_shared_mailbox():
    with Pair() as pair:
        pair.back.admin("user", "add", "support", "--shared")
        assert pair.back.admin("user", "passwd", "support", "--generate", ok=None)[0] != 0
        assert pair.back.admin("user", "add", "sales", "--shared", "--generate", ok=None)[0] != 0
        pair.back.admin("user", "set", "bob", "--may-impersonate=yes")
        imap = pair.imap("bob")
        raised = None
        try:
            other = imaplib.IMAP4_SSL("localhost", pair.front.imaps_port, ssl_context=pair.tls())
            other.authenticate("PLAIN", lambda _: b"support\0bob\0secret-b")
        except imaplib.IMAP4.error as error:
            raised = error
        assert raised is not None
        pair.back.admin("acl", "set", "support", "/", "bob", "lrk")
        pair.back.admin("acl", "set", "support", "INBOX", "bob", "lrswite")
        ok(imap, f'CREATE "{SHARED}/support/Done"')
        ok(imap, f'APPEND "{SHARED}/support/INBOX" {{mail}}')
        pair.back.admin("acl", "set", "support", "INBOX", "-alice", "+r")
        listed = pair.back.admin("acl", "list", "support")[1]
        assert f"-alice@{DOMAIN}" in listed, listed
        assert "Done" in listed and f"bob@{DOMAIN}" in listed, listed
        pair.deliver("support", MAIL)
        wait_until(lambda: "MESSAGES 2" in ok(imap, f'STATUS "{SHARED}/support/INBOX" (MESSAGES)')[0],
                   "the mail is delivered")
        pair.back.admin("acl", "remove", "support", "INBOX", "bob")
        no(imap, f'SELECT "{SHARED}/support/INBOX"', "NONEXISTENT")
        assert pair.back.admin("database", "check", ok=None)[0] == 0


def test_catenate_copies_from_another_users_folder_only_what_may_be_read():
    with Pair() as pair:
        alice, bob = pair.imap(), pair.imap("bob")
        ok(alice, 'CREATE "Team"')
        ok(alice, "APPEND Team {mail}")
        url = f"/{OTHERS.replace(' ', '%20')}/alice@{DOMAIN}/Team/;UID=1"
        no(bob, f'APPEND INBOX CATENATE (URL "{url}")', f"BADURL {url}")
        share(alice, "Team", "l")
        no(bob, f'APPEND INBOX CATENATE (URL "{url}")', f"BADURL {url}")
        share(alice, "Team", "lr")
        ok(bob, f'APPEND INBOX CATENATE (URL "{url}")')
        assert bob.select("INBOX")[0] == "OK"
        assert bob.fetch("1", "(BODY.PEEK[])")[1][0][1] == MAIL
        ok(bob, f"SELECT {theirs('Team')}")
        ok(bob, 'APPEND INBOX CATENATE (URL ";UID=1/;SECTION=HEADER" URL "/INBOX/;UID=1/;SECTION=TEXT")')
        share(alice, "Team", "l")
        no(bob, 'APPEND INBOX CATENATE (URL ";UID=1")', "BADURL ;UID=1")
        assert bob.select("INBOX")[0] == "OK"
        assert bob.fetch("2", "(BODY.PEEK[])")[1][0][1] == MAIL
