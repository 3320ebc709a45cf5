// node speed.mjs PACKAGE OLM: mx-wasm and @matrix-org/olm on the same work, texts in and texts out, in turns in one process.
// Processor time, so that what else the machine does counts little. Prints JSON: [work, microseconds of ours, microseconds of libolm's].
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [ours, theirs] = process.argv.slice(2);
const mx = await import(pathToFileURL(join(ours, "mx_wasm.js")).href);
mx.initSync({ module: readFileSync(join(ours, "mx_wasm_bg.wasm")) });
const Olm = createRequire(import.meta.url)(theirs);
await Olm.init();

const TEXT = JSON.stringify({ type: "m.room.message", content: { body: "x".repeat(110), msgtype: "m.text" } });
const COUNT = 100;
const TURNS = 40;

const check = (text) => {
    if (text !== TEXT) throw new Error("the plaintext is another");
};

/** A pair of talking sessions, after an answer: normal messages from here on. */
const ourPair = () => {
    const [alice, bob] = [new mx.OlmAccount(), new mx.OlmAccount()];
    const session = alice.outboundSession(bob.curve25519Key, bob.generateOneTimeKey().key);
    const { session: other } = bob.inboundSession(alice.curve25519Key, session.encrypt(TEXT).body);
    const answer = other.encrypt(TEXT);
    check(session.decrypt(answer.type, answer.body));
    return { session, other };
};

const theirPair = () => {
    const [alice, bob] = [new Olm.Account(), new Olm.Account()];
    alice.create();
    bob.create();
    bob.generate_one_time_keys(1);
    const [oneTimeKey] = Object.values(JSON.parse(bob.one_time_keys()).curve25519);
    const [session, other] = [new Olm.Session(), new Olm.Session()];
    session.create_outbound(alice, JSON.parse(bob.identity_keys()).curve25519, oneTimeKey);
    const { body } = session.encrypt(TEXT);
    other.create_inbound(bob, body);
    check(other.decrypt(0, body));
    const answer = other.encrypt(TEXT);
    check(session.decrypt(answer.type, answer.body));
    return { session, other };
};

const ourGroup = () => {
    const outbound = new mx.OutboundGroupSession();
    return { outbound, inbound: mx.InboundGroupSession.fromSessionKey(outbound.sessionKey()) };
};

const theirGroup = () => {
    const [outbound, inbound] = [new Olm.OutboundGroupSession(), new Olm.InboundGroupSession()];
    outbound.create();
    inbound.create(outbound.session_key());
    return { outbound, inbound };
};

const accounts = { ours: new mx.OlmAccount(), theirs: new Olm.Account() };
accounts.theirs.create();

const olm = (pair) => {
    const { session, other } = pair();
    return () => {
        const { type, body } = session.encrypt(TEXT);
        check(other.decrypt(type, body));
    };
};

const signed = { ours: accounts.ours.sign(TEXT), theirs: accounts.theirs.sign(TEXT) };
const keys = { ours: accounts.ours.ed25519Key, theirs: JSON.parse(accounts.theirs.identity_keys()).ed25519 };
const utility = new Olm.Utility();

const work = {
    "Olm: encrypt": [
        () => { const { session } = ourPair(); return () => session.encrypt(TEXT); },
        () => { const { session } = theirPair(); return () => session.encrypt(TEXT); },
    ],
    "Olm: encrypt and decrypt": [() => olm(ourPair), () => olm(theirPair)],
    "Megolm: encrypt": [
        () => { const { outbound } = ourGroup(); return () => outbound.encrypt(TEXT); },
        () => { const { outbound } = theirGroup(); return () => outbound.encrypt(TEXT); },
    ],
    "Megolm: encrypt and decrypt": [
        () => { const { outbound, inbound } = ourGroup(); return () => check(inbound.decrypt(outbound.encrypt(TEXT)).plaintext); },
        () => { const { outbound, inbound } = theirGroup(); return () => check(inbound.decrypt(outbound.encrypt(TEXT)).plaintext); },
    ],
    "sign a text": [() => () => accounts.ours.sign(TEXT), () => () => accounts.theirs.sign(TEXT)],
    "verify a text": [
        () => () => mx.ed25519Verify(keys.ours, TEXT, signed.ours),
        () => () => utility.ed25519_verify(keys.theirs, TEXT, signed.theirs),
    ],
};

const time = (act) => {
    const start = process.cpuUsage();
    for (let at = 0; at < COUNT; at += 1) act();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / COUNT;
};

const rows = Object.entries(work).map(([name, sides]) => {
    // The ratchets of one turn are those of the next: chains grow alike on both sides.
    const acts = sides.map((side) => side());
    const best = [Infinity, Infinity];
    for (let turn = 0; turn < TURNS; turn += 1) {
        acts.forEach((act, side) => { best[side] = Math.min(best[side], time(act)); });
    }
    return [name, ...best];
});
console.log(JSON.stringify(rows));
