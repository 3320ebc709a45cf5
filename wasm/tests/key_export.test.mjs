import assert from "node:assert/strict";
import { test } from "node:test";

import mx, { collect, decode, derive, encode, file, readAt, thrown } from "./load.mjs";

const SESSION_ID = "8sdNGgmLft8osylLK9ij3IotBLyQQufe/KngiW4Dpq0";

const open = (bytes, passphrase) => {
    const opened = new mx.KeyExportFile(readAt(bytes));
    const keys = derive(opened.derive(passphrase));
    return { keys, reader: opened.read(keys) };
};

const verify = (reader) => {
    let steps = 1;
    while (!reader.verify(1)) steps += 1;
    return steps;
};

/** A file of so many sessions in each of these rooms, and its keys. */
const written = (rooms, count) => {
    const keys = derive(mx.KeyDerivation.forNewFile("new", 10));
    const { sink, bytes } = collect();
    const writer = new mx.KeyExportWriter(keys, sink);
    for (let at = 0; at < count; at += 1) {
        for (const room of rooms) {
            const session = new mx.OutboundGroupSession();
            const inbound = mx.InboundGroupSession.fromSessionKey(session.sessionKey());
            const entry = JSON.stringify({
                algorithm: "m.megolm.v1.aes-sha2",
                room_id: room,
                sender_key: "cKQkLU8izjY3tpLVPiR4PDeeCEKtaDiAGiQH+UbZm2w",
                session_id: session.sessionId,
                session_key: inbound.exportAt(0),
                sender_claimed_keys: { ed25519: "wJ7DzYIlwFghczuxFG7F4ugAK3IFjpSaC74MzLFC6ig" },
                forwarding_curve25519_key_chain: [],
            });
            const read = mx.ExportedSession.fromJson(entry);
            writer.write(read);
            for (const used of [session, inbound, read]) used.free();
        }
    }
    assert.equal(writer.sessions, rooms.length * count);
    writer.finish();
    assert.equal(thrown(() => writer.finish()), "Finished");
    return { bytes: bytes(), keys };
};

test("a file of matrix-sdk-crypto is read, step by step", () => {
    const { keys, reader } = open(file("keys.txt"), "1234");
    assert.equal(thrown(() => reader.summaries(1)), "NotVerified");
    verify(reader);
    assert.equal(reader.isAuthenticated, true);
    const [summary, ...more] = reader.summaries(10);
    assert.deepEqual(more, []);
    assert.equal(summary.roomId, "!test:localhost");
    assert.equal(summary.sessionId, SESSION_ID);
    assert.equal(reader.summaries(10), undefined);
    keys.free();
    reader.free();
});

test("sessions come with their keys, and decrypt", () => {
    const { reader } = open(file("keys.txt"), "1234");
    verify(reader);
    const session = reader.next();
    assert.equal(session.sessionId, SESSION_ID);
    assert.equal(session.toInbound().sessionId, SESSION_ID);
    assert.equal(session.toInbound().verifiedFrom, undefined);
    assert.equal(JSON.parse(session.toJson()).session_id, SESSION_ID);
    assert.equal(reader.next(), undefined);
});

test("what is wrong with a file has a name", () => {
    const text = decode(file("keys.txt"));
    const { reader } = open(encode(text), "12345");
    assert.equal(thrown(() => verify(reader)), "WrongPassphraseOrDamaged");
    assert.equal(thrown(() => verify(reader)), "FailedBefore");
    assert.equal(thrown(() => reader.next()), "FailedBefore");
    assert.equal(thrown(() => new mx.KeyExportFile(readAt(encode("hello")))), "NoBegin");
    const cut = encode(text.slice(0, 700));
    assert.equal(thrown(() => new mx.KeyExportFile(readAt(cut))), "NoEnd");
    const opened = new mx.KeyExportFile(readAt(encode(text)));
    assert.equal(thrown(() => opened.derive("1234", opened.rounds - 1)), "TooManyRounds");
    assert.equal(thrown(() => mx.KeyDerivation.forNewFile("")), "EmptyPassphrase");
    assert.equal(thrown(() => mx.KeyDerivation.forNewFile("a", 0)), "NoRounds");
});

test("what a source throws is thrown on, and nonsense is refused", () => {
    const failure = new RangeError("the disk is gone");
    assert.throws(() => new mx.KeyExportFile(() => { throw failure; }), (error) => error === failure);
    assert.equal(thrown(() => new mx.KeyExportFile(() => "text")), "NotBytes");
    assert.equal(thrown(() => new mx.KeyExportFile((_, length) => new Uint8Array(length + 1))), "NotBytes");
});

test("a file that changes between the two passes is noticed before anything of it is used", () => {
    const { bytes, keys } = written(["!a:b"], 200);
    let reads = 0;
    const changed = bytes.slice();
    // A letter in the first lines, where the second pass begins again.
    changed[2_000] = changed[2_000] === 65 ? 66 : 65;
    let source = bytes;
    const opened = new mx.KeyExportFile((position, length) => {
        reads += 1;
        return source.subarray(position, position + length);
    });
    const reader = opened.read(keys);
    const steps = verify(reader);
    assert.ok(steps > 2 && reads > 2, `${steps} steps`);
    source = changed;
    assert.equal(thrown(() => reader.summaries(10)), "Changed");
});

test("a selection is copied to a file with another passphrase", () => {
    const { bytes, keys } = written(["!a:b", "!c:d"], 3);
    const reader = new mx.KeyExportFile(readAt(bytes)).read(keys);
    verify(reader);
    reader.select({ rooms: ["!c:d"] });
    const other = derive(mx.KeyDerivation.forNewFile("other", 10));
    const out = collect();
    const writer = new mx.KeyExportWriter(other, out.sink);
    const steps = [];
    do steps.push(reader.copyTo(writer, 4));
    while (!steps.at(-1).done);
    writer.finish();
    assert.deepEqual(steps.map(({ copied, notSelected }) => [copied, notSelected]), [[2, 2], [1, 1]]);

    const copy = open(out.bytes(), "other").reader;
    verify(copy);
    const rows = copy.summaries(100);
    assert.deepEqual(rows.map(({ roomId }) => roomId), ["!c:d", "!c:d", "!c:d"]);
    assert.equal(thrown(() => reader.select({ room: ["!c:d"] })), "Json");
});

test("entries that are no sessions are reported, and the others come", () => {
    const keys = derive(mx.KeyDerivation.forNewFile("new", 10));
    const out = collect();
    const writer = new mx.KeyExportWriter(keys, out.sink);
    assert.equal(thrown(() => writer.writeJson("[1]")), "NotAnEntry");
    writer.writeJson('{"algorithm":"m.other"}');
    const source = open(file("keys.txt"), "1234").reader;
    verify(source);
    writer.write(source.next());
    writer.finish();
    const reader = new mx.KeyExportFile(readAt(out.bytes())).read(keys);
    verify(reader);
    const [refused, session] = reader.summaries(10);
    assert.equal(refused.position, 0);
    assert.match(refused.error, /algorithm/);
    assert.equal(session.sessionId, SESSION_ID);
});

test("a file that was cut off is salvaged, and says that nothing authenticates it", () => {
    const { bytes, keys } = written(["!a:b"], 20);
    const cut = bytes.subarray(0, bytes.length - 200);
    const reader = mx.KeyExportFile.openDamaged(readAt(cut)).read(keys);
    assert.equal(reader.isAuthenticated, false);
    assert.equal(reader.verify(1), true);
    const rows = reader.summaries(100);
    assert.equal(rows.filter((row) => row.roomId === "!a:b").length, 19);
    assert.ok(rows.at(-1).error);
});
