import assert from "node:assert/strict";
import { test } from "node:test";

import mx, { thrown } from "./load.mjs";

const pickleKey = () => new mx.PickleKey(crypto.getRandomValues(new Uint8Array(32)));

const pair = () => {
    const [alice, bob] = [new mx.OlmAccount(), new mx.OlmAccount()];
    const { key } = bob.generateOneTimeKey();
    return { alice, bob, session: alice.outboundSession(bob.curve25519Key, key) };
};

test("two accounts talk over Olm, out of order", () => {
    const { alice, bob, session } = pair();
    const first = session.encrypt("eins");
    assert.equal(first.type, 0);
    const inbound = bob.inboundSession(alice.curve25519Key, first.body);
    assert.equal(inbound.plaintext, "eins");
    assert.equal(inbound.isFallback, false);
    const bobs = inbound.session;
    assert.equal(bobs.sessionId, session.sessionId);
    assert.equal(bobs.matches(first.body), true);

    const answers = ["a", "ä", "\u{1f600}"].map((text) => bobs.encrypt(text));
    assert.ok(answers.every(({ type }) => type === 1));
    assert.deepEqual(answers.toReversed().map(({ type, body }) => session.decrypt(type, body)), ["\u{1f600}", "ä", "a"]);
    const [{ type, body }] = answers;
    assert.equal(thrown(() => session.decrypt(type, body)), "MissingMessageKey");
    assert.equal(session.hasReceived, true);
    assert.equal(thrown(() => bob.inboundSession(alice.curve25519Key, first.body)), "UnknownOneTimeKey");
});

test("a damaged message is refused, and the session goes on", () => {
    const { alice, bob, session } = pair();
    const { body } = session.encrypt("one");
    const { session: bobs } = bob.inboundSession(alice.curve25519Key, body);
    const answer = bobs.encrypt("two");
    const damaged = answer.body.slice(0, -6) + (answer.body.at(-6) === "A" ? "B" : "A") + answer.body.slice(-5);
    assert.equal(thrown(() => session.decrypt(1, damaged)), "Authentication");
    assert.equal(thrown(() => session.decrypt(2, answer.body)), "UnknownMessageType");
    assert.equal(session.decrypt(1, answer.body), "two");
});

test("plaintext that is no text is not lost", () => {
    const { alice, bob, session } = pair();
    const bytes = Uint8Array.of(0xff, 0, 1);
    const inbound = bob.inboundSession(alice.curve25519Key, session.encryptBytes(bytes).body);
    assert.deepEqual(inbound.plaintext, bytes);
    const answer = inbound.session.encryptBytes(bytes);
    try {
        session.decrypt(answer.type, answer.body);
        assert.fail();
    } catch (error) {
        assert.equal(error.code, "NotUtf8");
        assert.deepEqual(error.plaintext, bytes);
    }
    const next = inbound.session.encryptBytes(bytes);
    assert.deepEqual(session.decryptBytes(next.type, next.body), bytes);
});

test("one-time keys are unpublished until they are published", () => {
    const account = new mx.OlmAccount();
    const key = account.generateOneTimeKey();
    const fallback = account.generateFallbackKey();
    assert.deepEqual(account.unpublishedOneTimeKeys(), [key]);
    assert.deepEqual(account.unpublishedFallbackKey(), fallback);
    account.markAsPublished();
    assert.deepEqual(account.unpublishedOneTimeKeys(), []);
    assert.equal(account.unpublishedFallbackKey(), undefined);
    account.forgetPreviousFallbackKey();
    assert.equal(account.sign("{}").length, 86);
});

test("state goes through pickles, and an older state is refused", () => {
    const key = pickleKey();
    const { alice, bob, session } = pair();
    const { body } = session.encrypt("before");
    const older = session.pickle(key);
    const newer = session.pickle(key);
    const generation = mx.PickleKey.generationOf(newer);
    assert.equal(generation, 2n);
    assert.equal(thrown(() => mx.OlmSession.fromPickle(key, older, generation)), "Stale");
    assert.equal(thrown(() => mx.OlmSession.fromPickle(pickleKey(), newer)), "Authentication");
    const restored = mx.OlmAccount.fromPickle(key, bob.pickle(key));
    assert.equal(restored.inboundSession(alice.curve25519Key, body).plaintext, "before");
    assert.equal(mx.OlmSession.fromPickle(key, newer, generation).sessionId, session.sessionId);
    assert.equal(thrown(() => new mx.PickleKey(new Uint8Array(31))), "WrongLength");
});

test("Megolm: shared, exported, read in any order", () => {
    const outbound = new mx.OutboundGroupSession();
    const inbound = mx.InboundGroupSession.fromSessionKey(outbound.sessionKey());
    const messages = ["null", "eins", "zwei"].map((text) => outbound.encrypt(text));
    assert.equal(outbound.messageIndex, 3);
    assert.deepEqual(inbound.decrypt(messages[2]), { plaintext: "zwei", messageIndex: 2 });
    assert.deepEqual(inbound.decrypt(messages[0]), { plaintext: "null", messageIndex: 0 });
    assert.equal(inbound.verifiedFrom, 0);

    const late = mx.InboundGroupSession.fromExportedKey(inbound.exportAt(1));
    assert.equal(late.firstKnownIndex, 1);
    assert.equal(late.verifiedFrom, undefined);
    assert.equal(thrown(() => late.decrypt(messages[0])), "UnknownMessageIndex");
    assert.equal(late.decrypt(messages[1]).plaintext, "eins");
    const forged = messages[1].slice(0, -6) + (messages[1].at(-6) === "A" ? "B" : "A") + messages[1].slice(-5);
    assert.equal(thrown(() => late.decrypt(forged)), "Signature");
    assert.equal(thrown(() => mx.InboundGroupSession.fromSessionKey(inbound.exportAt(0))), "Version");
    late.advanceTo(2);
    assert.equal(thrown(() => late.decrypt(messages[1])), "UnknownMessageIndex");

    const key = pickleKey();
    const restored = mx.OutboundGroupSession.fromPickle(key, outbound.pickle(key));
    assert.equal(inbound.decrypt(restored.encryptBytes(Uint8Array.of(52))).plaintext, "4");
    const reader = mx.InboundGroupSession.fromPickle(key, inbound.pickle(key));
    assert.deepEqual(reader.decryptBytes(messages[1]).plaintext, new TextEncoder().encode("eins"));
});

test("what was freed is gone, and freed at the end of its block", () => {
    const session = new mx.OutboundGroupSession();
    session.free();
    assert.throws(() => session.sessionId, /null pointer/);
    assert.equal(typeof session[Symbol.dispose], "function");
});

test("what an account signs is verified, and nothing else", () => {
    const account = new mx.OlmAccount();
    const signature = account.sign("{}");
    mx.ed25519Verify(account.ed25519Key, "{}", signature);
    assert.equal(thrown(() => mx.ed25519Verify(account.ed25519Key, "{ }", signature)), "InvalidSignature");
    assert.equal(thrown(() => mx.ed25519Verify(new mx.OlmAccount().ed25519Key, "{}", signature)), "InvalidSignature");
    assert.equal(thrown(() => mx.ed25519Verify(account.ed25519Key, "{}", signature.slice(4))), "UnexpectedLength");
    assert.equal(thrown(() => mx.ed25519Verify("A".repeat(43), "{}", signature)), "SmallOrder");
});
