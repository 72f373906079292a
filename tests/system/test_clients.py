"""The clients that people really use, over TLS, against one pair."""

import glob
import os
import subprocess
import threading

from pair import DOMAIN, PATIENCE, Failed, Pair, message, wait_until


def run(command, folder, secret=None, ok=(0,), **environment):
    done = subprocess.run(command, input=secret or b"", capture_output=True, timeout=PATIENCE * 2, cwd=folder,
                          env={**os.environ, "HOME": folder, **environment})
    if done.returncode not in ok:
        raise Failed(f"{command}: exit {done.returncode}\n{done.stdout.decode(errors='replace')[-3000:]}"
                     f"{done.stderr.decode(errors='replace')[-3000:]}")
    return done.stdout


def write(path, text, mode=0o600):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def home(pair, name):
    folder = os.path.join(pair.folder, name)
    os.makedirs(folder)
    return folder


def test_curl_lists_fetches_and_appends():
    with Pair() as pair:
        pair.deliver("alice", message("for curl", "curl body"))
        base = ["curl", "-sS", "--cacert", f"{pair.pki}/ca.crt", "-u", "alice:secret-a"]
        imaps, pop3s = f"imaps://localhost:{pair.front.imaps_port}", f"pop3s://localhost:{pair.front.pop3s_port}"
        assert b"INBOX" in run([*base, imaps], pair.folder)
        assert b"curl body" in run([*base, f"{imaps}/INBOX;MAILINDEX=1"], pair.folder)
        assert b"Subject: for curl" in run([*base, f"{pop3s}/1"], pair.folder)
        upload = write(f"{pair.folder}/up.eml", message("uploaded", "up").decode())
        run([*base, "-T", upload, f"{imaps}/Sent"], pair.folder)
        found = run([*base, f"{imaps}/Sent?SUBJECT%20uploaded"], pair.folder)
        assert b"* SEARCH 1" in found, found
        # STARTTLS and STLS on the plain ports
        assert b"INBOX" in run([*base, "--ssl-reqd", f"imap://localhost:{pair.front.imap_port}"], pair.folder)
        assert b"1 " in run([*base, "--ssl-reqd", f"pop3://localhost:{pair.front.pop3_port}"], pair.folder)


def test_swaks_delivers_by_lmtp():
    with Pair() as pair:
        run(["swaks", "--protocol", "LMTP", "--server", "127.0.0.1", "--port", str(pair.front.lmtp_port),
             "--from", "a@example.org", "--to", f"alice@{DOMAIN},bob@{DOMAIN}", "--header",
             "Subject: by swaks"], pair.folder)
        run(["swaks", "--protocol", "LMTP", "--socket", pair.front.lmtp_socket, "--from",
             "a@example.org", "--to", f"alice@{DOMAIN}"], pair.folder)
        for user, count in (("alice", 2), ("bob", 1)):
            imap = pair.imap(user)
            assert imap.select("INBOX")[1] == [str(count).encode()]
            header = imap.fetch("1", "(BODY.PEEK[HEADER])")[1][0][1]
            assert header.startswith(b"Return-Path: <a@example.org>\r\nReceived: "), header
            imap.logout()


def mbsync_config(pair, folder):
    os.makedirs(f"{folder}/mail")
    return write(f"{folder}/mbsyncrc", f"""
IMAPAccount test
Host localhost
Port {pair.front.imaps_port}
User alice
Pass secret-a
SSLType IMAPS
CertificateFile {pair.pki}/ca.crt

IMAPStore far
Account test

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
""")


def test_mbsync_agrees_both_ways():
    with Pair() as pair:
        folder = home(pair, "mbsync")
        config = mbsync_config(pair, folder)
        for number in range(30):
            pair.deliver("alice", message(f"sync {number}", f"body {number}"))
        sync = ["mbsync", "-c", config, "-a"]
        run(sync, folder)
        files = glob.glob(f"{folder}/mail/INBOX/*/*")
        assert len(files) == 30, len(files)
        # near: one new message in Sent, one flagged; far: two deleted, one flagged
        write(f"{folder}/mail/Sent/new/1.near.host", message("made here", "near").decode())
        first = sorted(files)[0]
        os.rename(first, first.replace("/new/", "/cur/").split(":")[0] + ":2,F")
        imap = pair.imap()
        imap.select("INBOX")
        imap.store("29:30", "+FLAGS", "(\\Deleted)")
        imap.expunge()
        imap.store("28", "+FLAGS", "(\\Answered)")
        run(sync, folder)
        assert imap.select("Sent")[1] == [b"1"]
        imap.select("INBOX")
        assert len(imap.search(None, "FLAGGED")[1][0].split()) == 1
        assert len(glob.glob(f"{folder}/mail/INBOX/*/*")) == 28
        assert len([f for f in glob.glob(f"{folder}/mail/INBOX/cur/*") if "R" in f.split(":2,")[-1]]) == 1
        before = run([*sync, "-V"], folder)
        assert len(glob.glob(f"{folder}/mail/INBOX/*/*")) == 28, before
        imap.logout()


def test_fetchmail_polls_by_imap_and_pop3():
    with Pair() as pair:
        folder = home(pair, "fetchmail")
        for protocol, port in (("imap", pair.front.imaps_port), ("pop3", pair.front.pop3s_port)):
            pair.deliver("alice", message(f"fetched by {protocol}"))
            box = f"{folder}/{protocol}.mbox"
            config = write(f"{folder}/rc-{protocol}", f"""
poll localhost with proto {protocol} port {port}
  user "alice" password "secret-a" ssl sslcertck sslcertfile "{pair.pki}/ca.crt"
  fetchall no keep mda "cat >> {box}"
""")
            run(["fetchmail", "-f", config, "--nodetach", "--nosyslog", "--pidfile", f"{folder}/pid-{protocol}",
                 "-i", f"{folder}/ids"], folder)
            assert f"fetched by {protocol}" in open(box).read()
        imap = pair.imap()
        assert imap.select("INBOX")[1] == [b"0"]
        imap.logout()


def test_getmail_retrieves_by_imap_and_pop3():
    with Pair() as pair:
        folder = home(pair, "getmail")
        for kind, port in (("SimpleIMAPSSLRetriever", pair.front.imaps_port),
                           ("SimplePOP3SSLRetriever", pair.front.pop3s_port)):
            pair.deliver("alice", message(f"got by {kind}"))
            box = f"{folder}/{kind}.box"
            write(f"{folder}/{kind}.rc", f"""
[retriever]
type = {kind}
server = localhost
port = {port}
username = alice
password = secret-a
ca_certs = {pair.pki}/ca.crt
[destination]
type = MDA_external
path = /usr/bin/tee
arguments = ("{box}",)
allow_root_commands = true
[options]
delete = true
""")
            run(["getmail", "-g", folder, "-r", f"{kind}.rc"], folder)
            assert f"got by {kind}" in open(box).read()
        imap = pair.imap()
        assert imap.select("INBOX")[1] == [b"0"]
        imap.logout()


def test_mutt_reads_and_deletes():
    with Pair() as pair:
        folder = home(pair, "mutt")
        for number in range(3):
            pair.deliver("alice", message(f"for mutt {number}"))
        config = write(f"{folder}/muttrc", f"""
set folder=imaps://alice@localhost:{pair.front.imaps_port}/
set spoolfile=imaps://alice@localhost:{pair.front.imaps_port}/INBOX
set imap_user=alice imap_pass=secret-a
set certificate_file={pair.pki}/ca.crt ssl_force_tls=yes ssl_usesystemcerts=no
set delete=yes move=no confirmappend=no header_cache=""
push "<delete-pattern>~s 'for mutt 1'<enter><sync-mailbox><quit>"
""")
        run(["script", "-qec", f"mutt -n -F {config}", "/dev/null"], folder, TERM="xterm")
        imap = pair.imap()
        assert imap.select("INBOX")[1] == [b"2"]
        imap.logout()


PERL_IMAP = r"""
use strict; use warnings; use Mail::IMAPClient;
my ($port, $ca) = @ARGV;
my $imap = Mail::IMAPClient->new(Server => 'localhost', Port => $port, User => 'alice',
    Password => 'secret-a', Ssl => ['SSL_ca_file', $ca], Uid => 1) or die "login: $@";
$imap->create('Perl/Inner') or die 'create: ' . $imap->LastError;
my $uid = $imap->append_string('Perl/Inner', "Subject: perl\r\n\r\nfrom perl\r\n", '\Seen') or die 'append';
$imap->select('Perl/Inner') or die 'select';
die 'count' unless $imap->message_count == 1;
die 'subject' unless $imap->subject($uid) eq 'perl';
die 'seen' unless grep { $_ eq '\Seen' } $imap->flags($uid);
my @found = $imap->search('BODY', 'from perl'); die 'search' unless @found == 1;
$imap->copy('INBOX', $uid) or die 'copy: ' . $imap->LastError;
$imap->move('Trash', $uid) or die 'move: ' . $imap->LastError;
$imap->expunge; die 'moved' unless $imap->message_count == 0;
my $structure = $imap->select('INBOX') && $imap->get_bodystructure($imap->messages->[0]) or die 'structure';
die 'type' unless $structure->bodytype =~ /text/i;
$imap->rename('Perl/Inner', 'Perl/Other') or die 'rename'; $imap->delete('Perl/Other') or die 'delete';
$imap->logout; print "perl done\n";
"""

PERL_IMAP_MORE = r"""
use strict; use warnings; use Mail::IMAPClient;
my ($port, $ca) = @ARGV;
sub client { my ($user, $secret) = @_; Mail::IMAPClient->new(Server => 'localhost', Port => $port, User => $user,
    Password => $secret, Ssl => ['SSL_ca_file', $ca], Uid => 1, Maxcommandlength => 1000) or die "login: $@" }
my $imap = client('alice', 'secret-a'); my $fault = sub { die "$_[0]: " . ($imap->LastError // '') };
my @names = ('With space', 'Quoted "x"', 'Back\\slash', '(Paren) {5}', 'Star*%', '&AOk- and &-', 'INBOX/Below', '[Gmail]/Sent');
for my $name (@names) {
    $imap->create($name) or $fault->("create $name"); $imap->subscribe($name) or $fault->("subscribe $name");
    $imap->append_string($name, "Subject: of $name\r\n\r\nx\r\n") or $fault->("append $name");
    $imap->message_count($name) == 1 or $fault->("count $name"); $imap->select($name) or $fault->("select $name");
    $imap->subject($imap->messages->[0]) eq "of $name" or $fault->("subject $name");
    my %listed = map { $_ => 1 } $imap->folders; $listed{$name} or $fault->("list $name");
    my %subscribed = map { $_ => 1 } $imap->subscribed; $subscribed{$name} or $fault->("lsub $name");
}
$imap->create('Work') or $fault->('create'); $imap->select('Work') or $fault->('select');
for my $n (1 .. 9) {
    my $uid = $imap->append_string('Work', "From: a\@example.org\r\nSubject: " . ($n > 3 ? 'Re: ' : '') . "s" . ($n % 3) .
        "\r\nMessage-ID: <$n\@x>\r\n" . ($n > 3 ? 'References: <' . ($n - 3) . "\@x>\r\n" : '') . "\r\n" . ('word ' x (10 - $n)) . "\r\n",
        $n % 2 ? '\Seen' : '\Flagged $Forwarded', sprintf('%02d-Mar-2026 10:00:00 +0000', 10 - $n));
    $uid == $n or $fault->("append $n gave $uid");
}
$imap->noop;
"@{$imap->sort('REVERSE ARRIVAL', 'US-ASCII', 'ALL')}" eq '1 2 3 4 5 6 7 8 9' or $fault->('sort');
"@{$imap->sort('DATE', 'US-ASCII', 'ALL')}" eq '9 8 7 6 5 4 3 2 1' or $fault->('sort by date');
my $threads = $imap->thread('REFERENCES'); @$threads == 3 or $fault->('thread');
"@{$imap->search('UNSEEN')}" eq '2 4 6 8' or $fault->('unseen'); "@{$imap->search('OR', 'UID', '1', 'KEYWORD', '$Forwarded')}" eq '1 2 4 6 8' or $fault->('or');
"@{$imap->search('SUBJECT', $imap->Quote('s1'), 'SEEN')}" eq '1 7' or $fault->('subject'); @{$imap->since(1772582400)} == 6 or $fault->('since');
my $hash = $imap->fetch_hash('RFC822.SIZE', 'INTERNALDATE', 'FLAGS', 'BODY.PEEK[HEADER.FIELDS (SUBJECT)]', {});
keys %$hash == 9 && $hash->{7}{FLAGS} =~ /\\Seen/ && $hash->{7}{'BODY[HEADER.FIELDS (SUBJECT)]'} eq "Subject: Re: s1\r\n\r\n" or $fault->('fetch_hash');
$imap->internaldate(2) eq '08-Mar-2026 10:00:00 +0000' or $fault->('date'); $imap->size(1) == length $imap->message_string(1) or $fault->('size');
$imap->get_envelope(4)->subject eq 'Re: s1' or $fault->('envelope'); $imap->body_string(9) eq "word \r\n" or $fault->('body');
$imap->parse_headers([1 .. 9], 'Subject')->{5}{Subject}[0] eq 'Re: s2' or $fault->('headers'); $imap->unseen_count('Work') == 4 or $fault->('count');
$imap->see(2) && $imap->mark(3) && $imap->unmark(4) && $imap->delete_message(5, 6) or $fault->('flags');
$imap->uidexpunge('5') or $fault->('uidexpunge'); "@{$imap->messages}" eq '1 2 3 4 6 7 8 9' or $fault->('expunged too much');
$imap->restore_message(6) && $imap->expunge or $fault->('restore'); $imap->message_count == 8 or $fault->('message_count');
$imap->copy('With space', 1, 2, 9) or $fault->('copy'); $imap->message_count('With space') == 4 or $fault->('copied');
my $other = client('bob', 'secret-b'); $other->create('From alice') or die 'create';
$imap->migrate($other, 'ALL', 'From alice') or $fault->('migrate'); $other->message_count('From alice') == 8 or die 'migrated';
$other->select('From alice') or die 'select'; $other->message_string($other->messages->[0]) eq $imap->message_string(1) or die 'not the same';
my $third = client('alice', 'secret-a'); $imap->select('INBOX') or $fault->('select');
my $tag = $imap->idle or $fault->('idle'); $third->append_string('INBOX', "Subject: idle\r\n\r\nx\r\n") or die 'append';
my $told; while (!$told) { $told = grep { /EXISTS/ } @{$imap->idle_data(60) or $fault->('idle_data')} } $imap->done($tag) or $fault->('done');
if ($imap->has_capability('QUOTA')) { $imap->getquotaroot('INBOX') or $fault->('getquotaroot') }
for my $name ('Work', @names) { $imap->unsubscribe($name); $imap->delete($name) or $fault->("delete $name") }
$_->logout for $imap, $other, $third; print "perl done\n";
"""

PERL_POP3 = r"""
use strict; use warnings; use IO::Socket::SSL; use Mail::POP3Client;
my ($port, $ca) = @ARGV;
my $socket = IO::Socket::SSL->new(PeerAddr => 'localhost', PeerPort => $port, SSL_ca_file => $ca) or die "tls: $!";
my $pop = Mail::POP3Client->new(); $pop->User('bob'); $pop->Pass('secret-b'); $pop->Socket($socket);
$pop->Connect() or die 'connect: ' . $pop->Message();
die 'count ' . $pop->Count() unless $pop->Count() == 2;
die 'body' unless join("\n", $pop->Retrieve(2)) =~ /second/;
die 'head' unless join("\n", $pop->Head(1)) =~ /Subject: pop one/;
die 'stat' unless $pop->POPStat == 2; my $octets = $pop->Size;
my @list = split /\n/, $pop->List; die 'list' unless @list == 2;
my ($first) = $pop->List(1) =~ /^1 (\d+)/; die 'list of one' unless $first < $octets;
my @ids = $pop->Uidl; die 'uidl' unless @ids >= 2 && $ids[1] ne $ids[2]; die 'uidl of one' unless $pop->Uidl(1) =~ /\Q$ids[1]\E/;
die 'capa' unless join(' ', $pop->Capa) =~ /UIDL/; die 'top' unless scalar(() = $pop->Head(1, 1)) > 0; die 'body' unless $pop->Body(1) =~ /first/;
$pop->Delete(2); $pop->Reset; $pop->NOOP or die 'noop'; die 'reset' unless $pop->POPStat == 2;
$pop->Delete(1); $pop->Close(); print "perl done\n";
"""


def test_perl_libraries():
    with Pair() as pair:
        ca = f"{pair.pki}/ca.crt"
        for script in (PERL_IMAP, PERL_IMAP_MORE):
            assert b"perl done" in run(["/usr/bin/perl", "-e", script, str(pair.front.imaps_port), ca], pair.folder)
        pair.deliver("bob", message("pop one", "first"))
        pair.deliver("bob", message("pop two", "second"))
        assert b"perl done" in run(["/usr/bin/perl", "-e", PERL_POP3, str(pair.front.pop3s_port), ca], pair.folder)
        pop = pair.pop3("bob")
        assert pop.stat()[0] == 1
        pop.quit()


def test_imaplib_flags_copies_moves_and_expunges():
    with Pair() as pair:
        imap = pair.imap()
        for number in range(5):
            imap.append("INBOX", "(\\Flagged keyword1)", None, message(f"m{number}"))
        assert imap.select("INBOX")[1] == [b"5"]
        imap.store("2:3", "+FLAGS", "(\\Seen $Forwarded)")
        assert imap.search(None, "SEEN")[1] == [b"2 3"]
        assert imap.search(None, "KEYWORD", "$Forwarded", "UNANSWERED")[1] == [b"2 3"]
        assert b"COPYUID" in imap.copy("1:2", "Archive")[1][0]
        kind, data = imap._simple_command("MOVE", "5", "Trash")
        assert kind == "OK", data
        imap.store("1", "+FLAGS", "(\\Deleted)")
        assert imap.expunge()[1][-1] == b"1"  # behind the one that MOVE told
        assert imap.search(None, "ALL")[1] == [b"1 2 3"]
        counts = {name: imap.select(name)[1][0] for name in ("INBOX", "Archive", "Trash")}
        assert counts == {"INBOX": b"3", "Archive": b"2", "Trash": b"1"}, counts
        imap.logout()


def test_poplib_deletes_only_the_marked():
    with Pair() as pair:
        for number in range(3):
            pair.deliver("alice", message(f"pop {number}"))
        pop = pair.pop3()
        uids = [line.split()[1] for line in pop.uidl()[1]]
        pop.dele(2)
        pop.quit()
        pop = pair.pop3()
        assert [line.split()[1] for line in pop.uidl()[1]] == [uids[0], uids[2]]
        pop.dele(1)
        pop.rset()
        pop.quit()
        pop = pair.pop3()
        assert pop.stat()[0] == 2
        pop.quit()


def idle(imap, until):
    """Sends IDLE and reads until a line contains one of the words."""
    imap.send(b"I1 IDLE\r\n")
    assert imap.readline().startswith(b"+")
    while True:
        line = imap.readline()
        assert line, "the connection ended while idle"
        if any(word in line for word in until):
            imap.send(b"DONE\r\n")
            while not imap.readline().startswith(b"I1 OK"):
                pass
            return line


def test_idle_wakes_when_mail_comes_and_when_another_client_appends():
    with Pair() as pair:
        watcher, sender = pair.imap(), pair.imap()
        watcher.select("Sent")
        woken = []
        thread = threading.Thread(target=lambda: woken.append(idle(watcher, [b"EXISTS"])))
        thread.start()
        sender.append("Sent", "(\\Seen)", None, message("sent by another"))
        thread.join(PATIENCE)
        assert woken and woken[0].startswith(b"* 1 EXISTS"), woken
        watcher.select("INBOX")
        thread = threading.Thread(target=lambda: woken.append(idle(watcher, [b"EXISTS"])))
        thread.start()
        pair.deliver("alice", message("wake up"))
        thread.join(PATIENCE)
        assert len(woken) == 2 and woken[1].startswith(b"* 1 EXISTS"), woken
        # flags that another client changes are told as well
        sender.select("INBOX")
        thread = threading.Thread(target=lambda: woken.append(idle(watcher, [b"FETCH"])))
        thread.start()
        sender.store("1", "+FLAGS", "(\\Flagged)")
        thread.join(PATIENCE)
        assert len(woken) == 3 and b"\\Flagged" in woken[2], woken
        watcher.logout()
        sender.logout()


def test_offline_client_resynchronises_while_another_idles():
    """One client appends to Sent, another sees it by IDLE, a third changed mail offline."""
    with Pair() as pair:
        folder = home(pair, "offline")
        config = mbsync_config(pair, folder)
        for number in range(10):
            pair.deliver("alice", message(f"offline {number}"))
        run(["mbsync", "-c", config, "-a"], folder)
        watcher = pair.imap()
        watcher.select("INBOX")
        for path in sorted(glob.glob(f"{folder}/mail/INBOX/*/*"))[:4]:  # deleted while offline
            os.remove(path)
        sender = pair.imap()
        sender.append("Sent", None, None, message("sent meanwhile"))
        gone = []
        thread = threading.Thread(target=lambda: gone.append(idle(watcher, [b"EXPUNGE"])))
        thread.start()
        run(["mbsync", "-c", config, "-a"], folder)
        thread.join(PATIENCE)
        assert gone, "the idle client was not told of the expunge"
        assert watcher.select("INBOX")[1] == [b"6"]
        assert len(glob.glob(f"{folder}/mail/Sent/*/*")) == 1
        watcher.logout()
        sender.logout()


def test_two_clients_at_once_lose_nothing():
    with Pair() as pair:
        failures = []

        def work(name):
            try:
                imap = pair.imap()
                for number in range(25):
                    assert imap.append("Drafts", None, None, message(f"{name} {number}"))[0] == "OK"
                imap.select("Drafts")
                imap.logout()
            except Exception as problem:
                failures.append(problem)

        threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "three")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE * 2)
        assert not failures, failures
        imap = pair.imap()
        assert imap.select("Drafts")[1] == [b"75"]
        subjects = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        assert len({item[1] for item in subjects if isinstance(item, tuple)}) == 75
        imap.logout()


def test_both_ends_restart_under_a_client():
    with Pair() as pair:
        pair.deliver("alice", message("before"))
        imap = pair.imap()
        imap.select("INBOX")
        pair.back.stop()
        pair.back.start()
        pair.front.wait_for_links(2)
        try:
            imap.noop()
            told = False
        except (imap.abort, OSError):
            told = True
        assert told, "the session should have ended with its back end"
        assert pair.imap().select("INBOX")[1] == [b"1"]
        pair.front.stop()
        pair.front.start()
        pair.front.wait_for_links(3)
        pair.deliver("alice", message("after"))
        imap = pair.imap()
        assert imap.select("INBOX")[1] == [b"2"]
        imap.logout()
