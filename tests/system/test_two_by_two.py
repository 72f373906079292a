"""Two fronts and two back ends on loopback addresses of their own, links by mutual TLS."""

import imaplib
import poplib

from pair import DOMAIN, LOOPS, Back, Deployment, Failed, Front, Lmtp, free_port, message, wait_until

USERS = {"anna": 0, "bert": 0, "carla": 1, "doris": 1}


class Square(Deployment):
    def __init__(self):
        super().__init__()
        for name in ("back1", "back2"):
            self.issue("back", name, name)
        for name in ("front1", "front2"):
            self.issue("front", name, name)
        self.backs = [self.add(Back(self, f"back{n}", f"127.0.0.{n}:{free_port(f'127.0.0.{n}')}", tls=True,
                                    extra="[lmtpbe]\nfronts = front1, front2\n"))
                      for n in (1, 2)]
        self.fronts = [self.add(Front(self, f"front{n}", self.backs, host=f"127.0.0.{n + 10}", tls=True))
                       for n in (1, 2)]
        for back in self.backs:
            for service in ("imap4be", "pop3be", "lmtpbe"):
                back.admin("service", "enable", service)
        for user, home in USERS.items():
            self.backs[home].add_user(user, f"secret-{user}")
        for front in self.fronts:
            for service in ("imap4", "pop3", "lmtp"):
                front.admin("service", "enable", service)
        for program in self.backs + self.fronts:
            program.start()
        for front in self.fronts:
            front.wait_for_links()

    def context(self):
        context = self.tls()
        context.check_hostname = False  # the fronts stand on 127.0.0.11 and .12
        return context

    def imap(self, front, user, password=None):
        client = imaplib.IMAP4_SSL(front.host, front.imaps_port, ssl_context=self.context())
        client.login(user, password or f"secret-{user}")
        return client


def deliver(front, users, subject):
    with Lmtp(front.host, front.lmtp_port) as lmtp:
        return lmtp.deliver("s@example.org", [f"{user}@{DOMAIN}" for user in users], message(subject))


def test_each_user_reaches_the_right_back_end_through_either_front():
    with Square() as square:
        for front in square.fronts:
            # one transaction for users of both back ends
            assert deliver(front, USERS, f"by {front.host}") == {}
        for front in square.fronts:
            for user in USERS:
                imap = square.imap(front, user)
                assert imap.select("INBOX")[1] == [b"2"], (front.host, user)
                imap.logout()
                pop = poplib.POP3_SSL(front.host, front.pop3s_port, context=square.context())
                pop.user(user)
                pop.pass_(f"secret-{user}")
                assert pop.stat()[0] == 2
                pop.quit()
        for front in square.fronts:
            for user, password in (("anna", "wrong"), ("nobody", "secret-anna")):
                try:
                    square.imap(front, user, password)
                    raise Failed(f"{user} got in with {password}")
                except imaplib.IMAP4.error as refused:
                    assert b"AUTHENTICATIONFAILED" in refused.args[0], refused
        refused = deliver(square.fronts[0], ["nobody"], "to nobody")
        assert refused[f"nobody@{DOMAIN}"].startswith(b"550 5.1.1"), refused


def test_with_one_back_end_down_its_users_get_temporary_answers_and_others_notice_nothing():
    with Square() as square:
        held = square.imap(square.fronts[0], "carla")
        held.select("INBOX")
        square.backs[0].stop()
        for front in square.fronts:
            for user in ("anna", "nobody"):  # nobody may be a user of the back end that is down
                try:
                    square.imap(front, user, "secret-anna")
                    raise Failed("a login worked without its back end")
                except imaplib.IMAP4.error as refused:
                    assert b"UNAVAILABLE" in refused.args[0], refused
                pop = poplib.POP3_SSL(front.host, front.pop3s_port, context=square.context())
                pop.user(user)
                try:
                    pop.pass_("secret-anna")
                    raise Failed("a login worked without its back end")
                except poplib.error_proto as refused:
                    assert b"SYS/TEMP" in refused.args[0], refused
            for user in ("anna", "nobody"):
                refused = deliver(front, [user], "to a stopped back end")
                assert refused[f"{user}@{DOMAIN}"].startswith(b"451"), refused
            refused = deliver(front, USERS, "to all")
            assert {name.split("@")[0]: answer[:3] for name, answer in refused.items()} == {
                "anna": b"451", "bert": b"451"}, refused
        assert held.noop()[0] == "OK"
        assert held.select("INBOX")[1] == [b"2"]
        held.logout()
        square.backs[0].start()
        for front in square.fronts:
            wait_until(lambda: front.log().count("link is up") >= 3 * LOOPS, "the links come back")
            imap = square.imap(front, "anna")
            assert imap.select("INBOX")[1] == [b"0"]
            imap.logout()


def test_a_front_whose_certificate_has_the_wrong_role_or_name_is_refused():
    with Square() as square:
        square.issue("back", "intruder", "front3")  # a back end's certificate in a front's place
        intruder = Front(square, "front3", square.backs, tls=True)
        text = open(intruder.config).read().replace("/front3.crt", "/intruder.crt").replace(
            "/front3.key", "/intruder.key")
        open(intruder.config, "w").write(text)
        square.add(intruder)
        intruder.admin("service", "enable", "imap4")
        intruder.start()
        wait_until(lambda: "the peer's certificate" in square.backs[0].log(), "the back end says why")
        assert "link is up" not in intruder.log()
