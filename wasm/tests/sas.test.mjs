import assert from "node:assert/strict";
import { test } from "node:test";

import mx, { thrown } from "./load.mjs";

const flow = {
    id: "txn-0001",
    starter: { userId: "@alice:example.org", deviceId: "ALICEDEVICE" },
    accepter: { userId: "@bob:example.org", deviceId: "BOBDEVICE" },
};
const aliceKeys = { device: "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w" };
const bobKeys = { device: "gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q" };
// Not canonical, and with a member that nobody knows: both sides canonicalise it.
const start = JSON.stringify({ method: "m.sas.v1", ...mx.sasOffer(), transaction_id: flow.id, from_device: "ALICEDEVICE", x: 1 });

const keysExchanged = () => {
    const accepter = new mx.SasAccepter(flow, start);
    const keySent = new mx.SasStarter(flow, start).receiveAccept(accepter.accept);
    const alicesKey = keySent.key;
    const { key, compare: atBob } = accepter.receiveKey(alicesKey);
    return { atAlice: keySent.receiveKey(key), atBob };
};

test("both users see the same, and both keys are verified", () => {
    const { atAlice, atBob } = keysExchanged();
    assert.deepEqual(atAlice.emoji, atBob.emoji);
    assert.deepEqual(atAlice.decimal, atBob.decimal);
    assert.equal(atAlice.emoji.length, 7);
    assert.ok(atAlice.decimal.every((number) => number >= 1000 && number <= 9191));
    const bob = atBob.confirm();
    const waiting = atAlice.receiveMac(bob.mac(bobKeys), bobKeys);
    const { mac, verified } = waiting.confirm(aliceKeys);
    assert.deepEqual(verified, bobKeys);
    assert.deepEqual(bob.receiveMac(mac, aliceKeys), aliceKeys);
});

test("another key than the pinned one ends the flow, with its code", () => {
    const { atAlice, atBob } = keysExchanged();
    const mac = atBob.confirm().mac(bobKeys);
    try {
        atAlice.confirm().receiveMac(mac, aliceKeys);
        assert.fail();
    } catch (error) {
        assert.equal(error.cancelCode, "m.key_mismatch");
    }
});

test("another start, or another key than committed to, is noticed", () => {
    const accepter = new mx.SasAccepter(flow, start);
    const other = JSON.stringify({ ...JSON.parse(start), x: 2 });
    const keySent = new mx.SasStarter(flow, other).receiveAccept(accepter.accept);
    const { key } = accepter.receiveKey(keySent.key);
    assert.equal(thrown(() => keySent.receiveKey(key)), "Commitment");
    const empty = JSON.stringify({ ...JSON.parse(start), hashes: [] });
    assert.equal(thrown(() => new mx.SasAccepter(flow, empty)), "NoCommonMethod");
    assert.equal(thrown(() => new mx.SasStarter({ ...flow, accepter: flow.starter }, start)), "OneDevice");
});
