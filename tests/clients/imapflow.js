// What applications do with imapflow: node imapflow.js PORT CA-FILE. Ends with "imapflow done".
'use strict';

const assert = require('assert');
const fs = require('fs');
const { ImapFlow } = require('imapflow');

const [port, caFile] = process.argv.slice(2);

async function connect() {
    const client = new ImapFlow({
        host: 'localhost',
        port: Number(port),
        secure: true,
        auth: { user: 'alice', pass: 'secret-a' },
        tls: { ca: fs.readFileSync(caFile) },
        qresync: true,
        logger: false,
    });
    await client.connect();
    return client;
}

function message(subject, body) {
    return Buffer.from(
        `From: A <a@example.org>\r\nTo: alice@example.test\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.org>\r\n` +
            'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
            `--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}\r\n` +
            '--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n' +
            `Content-Disposition: attachment; filename=x.bin\r\n\r\n${Buffer.from(body.repeat(1000)).toString('base64').replace(/(.{76})/g, '$1\r\n')}\r\n--b--\r\n`
    );
}

async function drain(stream) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
}

// An event of a client; whatever fails to come ends the script by the timeout of its caller.
function once(client, event, wanted) {
    return new Promise(resolve => {
        const heard = data => {
            if (!wanted(data)) return;
            client.off(event, heard);
            resolve(data);
        };
        client.on(event, heard);
    });
}

async function folders(client) {
    const name = 'Projekte/Größe & "Maß"';
    await client.mailboxCreate(name);
    const listed = await client.list({ statusQuery: { messages: true, unseen: true, uidNext: true, highestModseq: true } });
    const found = listed.find(entry => entry.path === name);
    assert.ok(found, JSON.stringify(listed.map(entry => entry.path)));
    assert.strictEqual(found.status.messages, 0);
    assert.strictEqual(listed.find(entry => entry.specialUse === '\\Sent').path, 'Sent');
    await client.mailboxRename(name, 'Projekte/日本語');
    await client.mailboxUnsubscribe('Projekte/日本語');
    await client.mailboxSubscribe('Projekte/日本語');
    await client.mailboxDelete('Projekte/日本語');
}

async function messages(client) {
    for (let n = 1; n <= 5; n++) {
        const appended = await client.append('INBOX', message(`flow-${n}`, `body ${n} ü`), n === 1 ? ['\\Seen'] : [], new Date(Date.UTC(2026, 0, n)));
        assert.strictEqual(appended.uid, n);
    }
    const box = await client.mailboxOpen('INBOX');
    assert.strictEqual(box.exists, 5);
    assert.ok(box.highestModseq > 0n);

    const seen = [];
    for await (const item of client.fetch('1:*', { uid: true, flags: true, envelope: true, bodyStructure: true, internalDate: true, size: true, threadId: true, headers: ['subject'], source: true }))
        seen.push(item);
    assert.strictEqual(seen.length, 5);
    assert.strictEqual(seen[2].envelope.subject, 'flow-3');
    assert.strictEqual(seen[2].bodyStructure.childNodes.length, 2);
    assert.ok(seen[2].source.equals(message('flow-3', 'body 3 ü')));
    assert.ok(seen[2].emailId && seen[2].threadId);
    assert.strictEqual(seen[2].internalDate.getTime(), Date.UTC(2026, 0, 3));
    assert.strictEqual(seen[2].headers.toString().trim(), 'Subject: flow-3');

    const part = await client.download('3', '2', { uid: true });
    assert.strictEqual((await drain(part.content)).toString(), 'body 3 ü'.repeat(1000));

    assert.deepStrictEqual(await client.search({ subject: 'flow-4' }, { uid: true }), [4]);
    assert.deepStrictEqual(await client.search({ unseen: true, body: 'ü' }, { uid: true }), [2, 3, 4, 5]);
    assert.deepStrictEqual(await client.search({ or: [{ uid: '1' }, { header: { 'message-id': '<flow-2@example.org>' } }] }, { uid: true }), [1, 2]);

    assert.ok(await client.messageFlagsAdd('2:3', ['\\Flagged', '$Forwarded'], { uid: true }));
    assert.ok((await client.fetchOne('3', { flags: true }, { uid: true })).flags.has('$Forwarded'));
    assert.ok(await client.messageFlagsSet('3', ['\\Answered'], { uid: true }));
    assert.deepStrictEqual([...(await client.fetchOne('3', { flags: true }, { uid: true })).flags].filter(flag => flag !== '\\Recent'), ['\\Answered']);

    const copied = await client.messageCopy('1:2', 'Archive', { uid: true });
    assert.strictEqual(copied.uidMap.get(2), 2);
    const moved = await client.messageMove('5', 'Trash', { uid: true });
    assert.strictEqual(moved.uidMap.get(5), 1);
    assert.ok(await client.messageDelete('4', { uid: true }));
    assert.deepStrictEqual(await client.search({ all: true }, { uid: true }), [1, 2, 3]);
    const status = await client.status('Archive', { messages: true, unseen: true, uidNext: true, uidValidity: true, highestModseq: true });
    assert.strictEqual(status.messages, 2);
    assert.strictEqual(status.unseen, 1);
}

// What another client does is told: at once while idle, and later by QRESYNC and CHANGEDSINCE.
async function changes(client, other) {
    const box = await client.mailboxOpen('INBOX');
    const { uidValidity, highestModseq } = box;
    await other.mailboxOpen('INBOX');

    const came = once(client, 'exists', data => data.count === 4);
    const idle = client.idle();
    await other.append('INBOX', message('while-idle', 'x'));
    await came;
    const told = once(client, 'flags', data => data.flags.has('\\Deleted'));
    await other.messageFlagsAdd('2', ['\\Deleted'], { uid: true });
    await told;
    const gone = once(client, 'expunge', () => true);
    await other.messageDelete('2', { uid: true });
    const event = await gone;
    assert.ok(event.vanished ? event.uid === 2 : event.seq === 2, JSON.stringify(event));
    await client.noop();
    await idle;
    await client.mailboxClose();

    const vanished = once(client, 'expunge', data => data.vanished && data.earlier && data.uid === 2);
    const again = await client.mailboxOpen('INBOX', { changedSince: highestModseq.toString(), uidValidity });
    assert.strictEqual(again.exists, 3);
    await vanished;
    const changed = [];
    for await (const item of client.fetch('1:*', { uid: true, flags: true }, { uid: true, changedSince: highestModseq }))
        changed.push(item.uid);
    assert.deepStrictEqual(changed, [6]);
}

async function main() {
    const client = await connect();
    for (const word of ['IDLE', 'MOVE', 'UIDPLUS', 'CONDSTORE', 'QRESYNC', 'OBJECTID', 'SPECIAL-USE', 'LIST-STATUS'])
        assert.ok(client.capabilities.has(word), word);
    assert.ok(client.enabled.has('QRESYNC'));
    await folders(client);
    await messages(client);
    const other = await connect();
    await changes(client, other);
    await other.logout();
    await client.logout();
    console.log('imapflow done');
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});
