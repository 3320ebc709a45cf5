import assert from "node:assert/strict";
import { test } from "node:test";

import mx, { thrown } from "./load.mjs";

test("the examples of the specification", () => {
    assert.equal(mx.canonicalJson('{ "two": "Two\\u002f2", "one": 1 }'), '{"one":1,"two":"Two/2"}');
    assert.equal(mx.canonicalJson('{"本": 2, "日": 1}'), '{"日":1,"本":2}');
    assert.equal(mx.canonicalJson('{"a": -0}'), '{"a":0}');
});

test("what JavaScript would let pass is refused", () => {
    assert.equal(thrown(() => mx.canonicalJson('{"a":1,"\\u0061":2}')), "DuplicateKey");
    assert.equal(thrown(() => mx.canonicalJson("[1.5]")), "Float");
    assert.equal(thrown(() => mx.canonicalJson("[9007199254740993]")), "IntegerOutOfRange");
});
