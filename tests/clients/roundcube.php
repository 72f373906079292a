<?php
// What Roundcube's IMAP library does for it, without the rest of Roundcube: php roundcube.php FOLDER-OF-THE-FRAMEWORK
// PORT CA-FILE. Ends with "roundcube done".
[, $framework, $port, $ca] = $argv;
require "$framework/bootstrap.php";

function check($holds, $what)
{
    global $imap;
    if (!$holds) {
        fwrite(STDERR, "$what: $imap->error\n" . (new Exception())->getTraceAsString() . "\n");
        exit(1);
    }
}

function mail_text($n)
{
    return "From: A <a@example.org>\r\nTo: alice@example.test\r\nSubject: round $n\r\nMessage-ID: <$n@example.org>\r\n"
        . "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nbody $n \u{fc}\r\n"
        . "--b\r\nContent-Type: image/png; name=x.png\r\nContent-Transfer-Encoding: base64\r\n\r\n" . base64_encode("picture $n") . "\r\n--b--\r\n";
}

$imap = new rcube_imap_generic();
check($imap->connect('localhost', 'alice', 'secret-a', [
    'port' => (int) $port, 'ssl_mode' => 'ssl', 'auth_type' => 'PLAIN', 'timeout' => 30,
    'socket_options' => ['ssl' => ['cafile' => $ca, 'verify_peer' => true, 'peer_name' => 'localhost']],
]), 'connect');
foreach (['QRESYNC', 'SORT', 'THREAD', 'LIST-EXTENDED', 'SPECIAL-USE', 'MOVE', 'UIDPLUS', 'ID'] as $word)
    check($imap->getCapability($word), $word);
check($imap->id(['name' => 'Roundcube']), 'id');
check($imap->getNamespace()['personal'][0][1] === '/', 'namespace');
check(in_array('QRESYNC', $imap->enable('QRESYNC')), 'enable');

$name = rcube_charset::convert('Größe & Maß', RCUBE_CHARSET, 'UTF7-IMAP');
check($imap->createFolder($name) && $imap->subscribe($name), 'create');
check(in_array($name, $imap->listMailboxes('', '*')), 'list');
check(in_array($name, $imap->listSubscribed('', '*')), 'subscribed');
check(in_array($name, $imap->listMailboxes('', '*', [], ['SUBSCRIBED'])), 'subscribed by LIST');
check($imap->createFolder('Spare'), 'create another');
check($imap->renameFolder('Spare', 'Spare 2') && $imap->deleteFolder('Spare 2'), 'rename and delete');

for ($n = 1; $n <= 5; $n++) {
    $message = mail_text($n);
    check($imap->append($name, $message, $n == 1 ? ['SEEN'] : [], "0$n-Feb-2026 01:02:03 +0100") == $n, "append $n");
}
$binary = mail_text(6);
check($imap->append($name, $binary, [], null, true) == 6, 'append with BINARY');
check($imap->status($name, ['UNSEEN'])['UNSEEN'] == 5, 'status');
check($imap->select($name) && $imap->data['EXISTS'] == 6 && $imap->data['HIGHESTMODSEQ'], 'select');
check($imap->countMessages($name) == 6 && $imap->countUnseen($name) == 5, 'count');

$headers = $imap->fetchHeaders($name, '1:*', false, true, ['X-Priority']);
check(count($headers) == 6 && $headers[2]->subject === 'round 2' && $headers[2]->uid == 2, 'headers');
check($headers[2]->bodystructure[1][0] === 'image' && $headers[1]->flags['SEEN'], 'structure');
check($imap->handlePartBody($name, 2, true, '2', 'base64') === 'picture 2', 'part');
check($imap->handlePartBody($name, 2, true, '1') === "body 2 \u{fc}", 'text');
check($imap->handlePartBody($name, 2, true) === mail_text(2), 'whole message');
check($imap->fetchMIMEHeaders($name, 2, ['1', '2'])[2] !== '', 'MIME headers');
check($imap->getStructure($name, 2, true)[1] !== null, 'getStructure');

check($imap->sort($name, 'SUBJECT', '', true)->get() == [1, 2, 3, 4, 5, 6], 'sort');
check($imap->sort($name, 'ARRIVAL', 'UNSEEN', true)->count() == 5, 'sort of some');
check($imap->thread($name, 'REFERENCES', '', true)->count() == 6, 'thread');
check($imap->search($name, 'BODY "body 3"', true)->get() == [3], 'search');
check($imap->search($name, 'ALL', true, ['COUNT', 'MAX'])->count() == 6, 'esearch');
check($imap->index($name, '1:*', 'DATE')->count() == 6, 'index');
check($imap->ID2UID($name, 3) == 3 && $imap->UID2ID($name, 4) == 4, 'numbers');

check($imap->flag($name, '2:3', 'FLAGGED') && $imap->unflag($name, '3', 'FLAGGED'), 'flag');
check($imap->flag($name, '4', 'FORWARDED'), 'keyword');
check($imap->search($name, 'FLAGGED', true)->get() == [2], 'search for flags');
check($imap->copy('1:2', $name, 'Archive') && $imap->data['COPYUID'] !== null, 'copy');
check($imap->move('5', $name, 'Trash'), 'move');
check($imap->flag($name, '6', 'DELETED') && $imap->expunge($name, '6'), 'expunge');
check($imap->countMessages($name) == 4, 'count after expunge');

// Synchronising as its cache does it.
$modseq = $imap->data['HIGHESTMODSEQ'];
$validity = $imap->data['UIDVALIDITY'];
check($imap->flag($name, '2', 'ANSWERED') && $imap->flag($name, '3', 'DELETED') && $imap->expunge($name, '3'), 'change');
check($imap->close(), 'close');
check($imap->select($name, [$validity, $modseq, '1:6']), 'select with QRESYNC');
check(preg_replace('/[^0-9]/', '', $imap->data['VANISHED'][0] ?? $imap->data['VANISHED'] ?? '') !== '', 'vanished');
check(count($imap->fetch($name, '1:*', true, ['FLAGS'], $modseq, true)) >= 1, 'changed since');

check(is_array($imap->getQuota('INBOX')), 'quota');
check($imap->clearFolder($name) && $imap->countMessages($name) == 0, 'clear');
check($imap->unsubscribe($name) && $imap->deleteFolder($name), 'delete');
$imap->closeConnection();
echo "roundcube done\n";
