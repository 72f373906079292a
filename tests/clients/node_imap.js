// What applications do with node-imap: node node_imap.js PORT CA-FILE. Ends with "node-imap done".
'use strict';

const assert = require('assert');
const fs = require('fs');
const { promisify } = require('util');
const Imap = require('imap');

const [port, caFile] = process.argv.slice(2);

function connect() {
    const imap = new Imap({
        user: 'bob',
        password: 'secret-b',
        host: 'localhost',
        port: Number(port),
        tls: true,
        tlsOptions: { ca: fs.readFileSync(caFile), servername: 'localhost' },
        keepalive: { idleInterval: 1000, forceNoop: false },
    });
    return new Promise((resolve, reject) => {
        imap.once('ready', () => resolve(imap));
        imap.once('error', reject);
        imap.connect();
    });
}

function call(imap, name, ...rest) {
    return promisify(imap[name].bind(imap))(...rest);
}

function once(imap, event, wanted = () => true) {
    return new Promise(resolve => {
        const heard = (...data) => {
            if (!wanted(...data)) return;
            imap.removeListener(event, heard);
            resolve(data);
        };
        imap.on(event, heard);
    });
}

// Every message of a FETCH: its attributes and its bodies by their names.
function fetch(imap, source, options) {
    return new Promise((resolve, reject) => {
        const found = [];
        const request = imap.fetch(source, options);
        request.on('message', msg => {
            const one = { bodies: {} };
            msg.on('body', (stream, info) => {
                one.bodies[info.which] = '';
                stream.on('data', chunk => (one.bodies[info.which] += chunk.toString('utf8')));
            });
            msg.once('attributes', attrs => (one.attrs = attrs));
            msg.once('end', () => found.push(one));
        });
        request.once('error', reject);
        request.once('end', () => resolve(found));
    });
}

function text(subject, body) {
    return `From: a@example.org\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.org>\r\n\r\n${body}\r\n`;
}

async function main() {
    const imap = await connect();
    assert.ok(imap.serverSupports('IDLE') && imap.serverSupports('CONDSTORE') && imap.serverSupports('MOVE'));

    await call(imap, 'addBox', 'Größe');
    const boxes = await call(imap, 'getBoxes');
    assert.ok(boxes['Größe'] && boxes.Sent.special_use_attrib === '\\Sent', Object.keys(boxes).join());
    await call(imap, 'renameBox', 'Größe', 'Büro');
    await call(imap, 'subscribeBox', 'Büro');
    assert.ok('Büro' in (await call(imap, 'getSubscribedBoxes')));

    for (let n = 1; n <= 4; n++)
        await call(imap, 'append', text(`node-${n}`, `body ${n}`), { mailbox: 'Büro', flags: n === 1 ? ['Seen'] : ['Draft'], date: new Date(Date.UTC(2026, 1, n)) });
    const status = await call(imap, 'status', 'Büro');
    assert.strictEqual(status.messages.total, 4);

    const box = await call(imap, 'openBox', 'Büro', false);
    assert.strictEqual(box.messages.total, 4);
    assert.ok(box.highestmodseq);
    const all = await fetch(imap, '1:*', { bodies: ['HEADER.FIELDS (SUBJECT)', 'TEXT', ''], struct: true, envelope: true, size: true });
    assert.strictEqual(all.length, 4);
    assert.strictEqual(all[1].attrs.envelope.subject, 'node-2');
    assert.strictEqual(all[1].bodies.TEXT, 'body 2\r\n');
    assert.strictEqual(all[1].bodies[''], text('node-2', 'body 2'));
    assert.strictEqual(Imap.parseHeader(all[1].bodies['HEADER.FIELDS (SUBJECT)']).subject[0], 'node-2');
    assert.strictEqual(all[1].attrs.date.getTime(), Date.UTC(2026, 1, 2));
    assert.strictEqual(all[1].attrs.struct[0].type, 'text');

    assert.deepStrictEqual(await call(imap, 'search', ['DRAFT', ['BODY', 'body 3']]), [3]);
    assert.deepStrictEqual(await call(imap, 'search', [['OR', 'SEEN', ['HEADER', 'SUBJECT', 'node-4']]]), [1, 4]);
    assert.deepStrictEqual(await call(imap, 'sort', ['-SUBJECT'], ['ALL']), [4, 3, 2, 1]);
    assert.deepStrictEqual(await call(imap, 'thread', 'REFERENCES', ['ALL']), [1, 2, 3, 4].map(n => [n]));
    assert.deepStrictEqual(await call(imap, 'esearch', ['ALL'], ['COUNT', 'MAX']), { max: 4, count: 4 });

    await call(imap, 'addFlags', [2, 3], ['\\Flagged']);
    await call(imap, 'addKeywords', 2, ['$Forwarded']);
    await call(imap, 'delFlags', 3, ['\\Flagged']);
    const flags = await fetch(imap, [2, 3], {});
    assert.deepStrictEqual(flags.map(one => one.attrs.flags.includes('\\Flagged')), [true, false]);
    assert.ok(flags[0].attrs.flags.includes('$Forwarded'));
    assert.ok(Number(flags[0].attrs.modseq) > 0);
    const changed = await fetch(imap, '1:*', { modifiers: { changedsince: box.highestmodseq } });
    assert.deepStrictEqual(changed.map(one => one.attrs.uid), [2, 3]);

    await call(imap, 'copy', [1, 2], 'Archive');
    await call(imap, 'move', 4, 'Trash');
    await call(imap, 'addFlags', 3, 'Deleted');
    await call(imap, 'expunge', [3]);
    assert.deepStrictEqual(await call(imap, 'search', ['ALL']), [1, 2]);

    // It is idle now: what another client does comes by itself.
    const other = await connect();
    const came = once(imap, 'mail', count => count === 1);
    await call(other, 'append', text('while-idle', 'x'), { mailbox: 'Büro' });
    await came;
    await call(other, 'openBox', 'Büro', false);
    const told = once(imap, 'update', (seq, info) => seq === 1 && info.flags && info.flags.includes('\\Deleted'));
    await call(other, 'addFlags', 1, 'Deleted');
    await told;
    const gone = once(imap, 'expunge', seq => seq === 1);
    await call(other, 'closeBox', true);
    await gone;
    assert.deepStrictEqual(await call(imap, 'search', ['ALL']), [2, 5]);

    await call(imap, 'closeBox', false);
    await call(imap, 'delBox', 'Büro');
    const closed = [once(imap, 'close'), once(other, 'close')];
    other.end();
    imap.end();
    await Promise.all(closed);
    console.log('node-imap done');
}

main().then(
    () => process.exit(0),
    error => {
        console.error(error);
        process.exit(1);
    }
);
