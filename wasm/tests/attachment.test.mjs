import assert from "node:assert/strict";
import { test } from "node:test";

import mx, { concat, decode, encode, file, thrown } from "./load.mjs";

const description = () => new mx.AttachmentDescription(JSON.stringify(JSON.parse(decode(file("event.json"))).content.file));

test("a file of matrix-sdk-crypto is decrypted, whole and in pieces", () => {
    const ciphertext = file("attachment");
    const plaintext = description().decrypt(ciphertext);
    assert.equal(plaintext.length, ciphertext.length);
    const verifier = description().verifier();
    verifier.update(ciphertext.subarray(0, 5));
    verifier.update(ciphertext.subarray(5));
    verifier.finish();
    const decryptor = description().decryptor();
    const pieces = [ciphertext.subarray(0, 7), ciphertext.subarray(7)].map((piece) => decryptor.update(piece));
    decryptor.finish();
    assert.deepEqual(concat(pieces), plaintext);
});

test("a file that is not the one described is refused", () => {
    const ciphertext = file("attachment");
    ciphertext[3] ^= 1;
    assert.equal(thrown(() => description().decrypt(ciphertext)), "HashMismatch");
    const decryptor = description().decryptor();
    decryptor.update(ciphertext);
    assert.equal(thrown(() => decryptor.finish()), "HashMismatch");
});

test("what is encrypted here is described and decrypted", () => {
    const encryptor = new mx.AttachmentEncryptor();
    const pieces = ["a ", "photograph"].map((text) => encryptor.update(encode(text)));
    const json = encryptor.finish("mxc://example.org/a");
    const described = new mx.AttachmentDescription(json);
    assert.equal(described.url, "mxc://example.org/a");
    assert.equal(decode(described.decrypt(concat(pieces))), "a photograph");
});

test("descriptions are read strictly, or leniently where that is asked for", () => {
    const object = JSON.parse(decode(file("event.json"))).content.file;
    const of = (change, lenient) => () => new mx.AttachmentDescription(JSON.stringify({ ...object, ...change }), lenient);
    assert.equal(thrown(of({ v: "v3" })), "UnsupportedVersion");
    assert.equal(thrown(of({ hashes: {} })), "MissingHash");
    assert.equal(thrown(of({ key: { ...object.key, k: "AA" } })), "Key.UnexpectedLength");
    assert.equal(thrown(of({ key: { ...object.key, ext: false } })), "NotExtractable");
    assert.equal(thrown(of({ key: { ...object.key, ext: false } }, true)), "nothing was thrown");
    assert.equal(thrown(() => new mx.AttachmentDescription("{")), "Syntax");
    assert.equal(thrown(of({ iv: 7 })), "WrongType");
});
