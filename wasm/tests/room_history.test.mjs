import assert from "node:assert/strict";
import { test } from "node:test";

import mx, { collect, decode, derive, encode, file, readAt, thrown, verified } from "./load.mjs";

const ROOM = "!room:example.org";

/** A session of a room: its events, and its key as a file has it. */
const sender = (room = ROOM) => {
    const session = new mx.OutboundGroupSession();
    const inbound = mx.InboundGroupSession.fromSessionKey(session.sessionKey());
    let sent = 0;
    const say = (body, change = {}) => {
        sent += 1;
        const ciphertext = session.encrypt(JSON.stringify({ type: "m.room.message", room_id: ROOM, content: { body } }));
        const content = { algorithm: "m.megolm.v1.aes-sha2", session_id: session.sessionId, ciphertext };
        return { type: "m.room.encrypted", room_id: ROOM, sender: "@alice:example.org", event_id: `$${sent}`, origin_server_ts: sent, content, ...change };
    };
    const key = (at = 0) => JSON.stringify({
        algorithm: "m.megolm.v1.aes-sha2", room_id: room, session_id: session.sessionId, session_key: inbound.exportAt(at),
        sender_key: "cKQkLU8izjY3tpLVPiR4PDeeCEKtaDiAGiQH+UbZm2w", sender_claimed_keys: {}, forwarding_curve25519_key_chain: [],
    });
    return { say, key };
};

const keyFile = (...entries) => {
    const { sink, bytes } = collect();
    const writer = new mx.KeyExportWriter(derive(mx.KeyDerivation.forNewFile("pass", 10)), sink);
    for (const entry of entries) writer.writeJson(entry);
    writer.finish();
    return bytes();
};

/** All three passes, a few at a time. */
const judged = (text, keys, { defaultRoom, step = 2, passphrase = "pass" } = {}) => {
    const history = new mx.RoomHistory(readAt(encode(text)), defaultRoom);
    while (!history.look(step));
    const reader = verified(keys, passphrase);
    const refused = [];
    for (let done = false; !done; ) {
        const taken = history.keep(reader, step);
        refused.push(...taken.refused);
        ({ done } = taken);
    }
    const all = [];
    for (let rows; (rows = history.judge(step)); all.push(...rows)) assert.ok(rows.length <= step);
    const { kept, counts } = history;
    for (const used of [history, reader]) used.free();
    return { rows: all, lines: all.map(({ line }) => JSON.parse(line)), kept, refused, counts };
};

test("events of matrix-sdk-crypto are decrypted with its key export", () => {
    const { lines, kept, counts } = judged(decode(file("room.jsonl")), file("room-keys.txt"), { passphrase: "a pass phrase of theirs" });
    assert.deepEqual(counts, [["decrypted", 8]]);
    assert.equal(kept, 2);
    assert.equal(lines[1].event.content.body, "message 1, with „quotes“ and a tail ");
});

test("events get their verdicts, a few at a time", () => {
    const [alice, bob] = [sender(), sender()];
    const first = alice.say("one");
    const events = [
        first, { ...first, event_id: "$other" }, alice.say("two", { room_id: "!other:example.org" }), bob.say("three"),
        { type: "m.room.name", content: {} }, { type: "m.room.encrypted", content: {} },
    ];
    const text = `${events.map((event) => JSON.stringify(event)).join("\n")}\n{"type":`;
    const { rows, lines, kept, refused, counts } = judged(text, keyFile(alice.key(), '{"algorithm":"m.other"}', sender().key()));
    assert.deepEqual(rows.map(({ verdict }) => verdict), [
        "decrypted", "replayed index", "wrong room", "no key", "not encrypted", "redacted", "malformed",
    ]);
    assert.deepEqual(rows.map(({ roomId }) => roomId).slice(0, 5), [ROOM, ROOM, "!other:example.org", ROOM, undefined]);
    assert.deepEqual(lines.map(({ verdict }) => verdict), rows.map(({ verdict }) => verdict));
    const { at, claimed_sender, authenticated, event } = lines[0];
    assert.deepEqual([at, claimed_sender, authenticated], ["line 1", "@alice:example.org", false]);
    assert.deepEqual([event.type, event.content], ["m.room.message", { body: "one" }]);
    assert.match(lines[1].why, /\$1 of 1/);
    assert.deepEqual(lines[3].event, events[3]);
    assert.equal(kept, 1);
    assert.deepEqual(refused.map(({ position }) => position), [1]);
    assert.deepEqual(counts.map(([, count]) => count), [1, 1, 1, 1, 1, 1, 1]);
    assert.equal(counts[0][0], "decrypted");
});

test("every form of a file is read, and steps of any length find the same", () => {
    const alice = sender();
    const events = [alice.say("a\u202eb"), alice.say("<img src=x>")];
    const forms = [
        events.map((event) => JSON.stringify(event)).join("\n"), JSON.stringify(events), JSON.stringify({ messages: events }, null, 2),
        JSON.stringify({ start: "t", chunk: events }),
    ];
    for (const form of forms) {
        for (const step of [1, 100]) {
            const { lines } = judged(form, keyFile(alice.key()), { step });
            assert.deepEqual(lines.map(({ event }) => event.content.body), ["a\u202eb", "<img src=x>"]);
        }
    }
    const { lines } = judged("", keyFile(alice.key()));
    assert.deepEqual(lines, []);
});

test("a room may be given for events that do not name theirs", () => {
    const alice = sender();
    const { room_id, ...event } = alice.say("one");
    const keys = keyFile(alice.key());
    const verdict = (defaultRoom) => judged(JSON.stringify([event]), keys, { defaultRoom }).rows[0].verdict;
    assert.equal(verdict(room_id), "decrypted");
    assert.equal(verdict("!other:example.org"), "wrong room");
    assert.equal(verdict(undefined), "malformed");
    assert.notEqual(thrown(() => new mx.RoomHistory(readAt(encode("")), "room")), "nothing was thrown");
});

test("what comes too early, too late or fails says so", () => {
    const alice = sender();
    const bytes = encode(JSON.stringify([alice.say("one"), alice.say("two")]));
    const keys = keyFile(alice.key());
    const history = new mx.RoomHistory(readAt(bytes));
    assert.equal(thrown(() => history.keep(verified(keys, "pass"), 1)), "NotSeen");
    assert.equal(thrown(() => history.judge(1)), "NotSeen");
    assert.equal(history.look(1), false);
    while (!history.look(1));
    assert.equal(history.look(1), true);
    const opened = new mx.KeyExportFile(readAt(keys));
    assert.equal(thrown(() => history.keep(opened.read(derive(opened.derive("pass"))), 1)), "NotVerified");
    assert.equal(history.keep(verified(keys, "pass"), 10).done, true);
    assert.equal(history.judge(1).length, 1);
    assert.equal(thrown(() => history.keep(verified(keys, "pass"), 1)), "Judging");
    assert.equal(history.judge(10)[0].verdict, "decrypted");
    assert.equal(history.judge(10), undefined);
    assert.equal(history.judge(10), undefined);
    history.free();

    let fails = false;
    const failing = new mx.RoomHistory((position, length) => {
        if (fails) throw new RangeError("the disk is gone");
        return bytes.subarray(position, position + length);
    });
    while (!failing.look(10));
    fails = true;
    assert.throws(() => failing.judge(10), RangeError);
    assert.equal(thrown(() => failing.judge(10)), "FailedBefore");
    assert.throws(() => new mx.RoomHistory(() => "no bytes"), /Uint8Array/);
});
