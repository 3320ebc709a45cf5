// What the tests use of `node:assert/strict`, in a browser.
const fail = (message) => {
    throw new Error(message);
};

const plain = (_, value) => (typeof value === "bigint" ? `${value}n` : value);
const shown = (value) => (value instanceof Uint8Array ? `bytes ${[...value]}` : JSON.stringify(value, plain) ?? String(value));

const isDeepEqual = (one, other) => {
    if (Object.is(one, other)) return true;
    if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
    if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
    const [names, others] = [Object.keys(one), Object.keys(other)];
    return names.length === others.length && names.every((name) => Object.hasOwn(other, name) && isDeepEqual(one[name], other[name]));
};

/** The message is made only if it is needed. */
const expect = (isTrue, message) => isTrue || fail(message());

export default {
    fail,
    ok: (value, message) => expect(value, () => message ?? `${shown(value)} is not true`),
    equal: (found, expected) => expect(Object.is(found, expected), () => `${shown(found)} is not ${shown(expected)}`),
    notEqual: (found, other) => expect(!Object.is(found, other), () => `${shown(found)} is what it must not be`),
    deepEqual: (found, expected) => expect(isDeepEqual(found, expected), () => `${shown(found)} is not ${shown(expected)}`),
    match: (text, pattern) => expect(pattern.test(text), () => `${shown(text)} does not match ${pattern}`),
    throws: (act, expected) => {
        let thrown;
        try {
            act();
        } catch (error) {
            thrown = { error };
        }
        expect(thrown, () => "nothing was thrown");
        const { error } = thrown;
        if (expected instanceof RegExp) expect(expected.test(String(error)), () => `${error} does not match ${expected}`);
        else if (expected && !expected.prototype) expect(expected(error), () => `${error} is not the error that was expected`);
        else if (expected) expect(error instanceof expected, () => `${error} is no ${expected.name}`);
    },
};
