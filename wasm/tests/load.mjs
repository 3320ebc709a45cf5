// What the tests use: the module, files to read, bytes. The same in Node.js and in a browser, but for `platform.mjs`.
import { file, mx } from "./platform.mjs";

export default mx;
export { file };

export const encode = (text) => new TextEncoder().encode(text);
export const decode = (bytes) => new TextDecoder().decode(bytes);

export const concat = (parts) => {
    const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
        whole.set(part, at);
        at += part.length;
    }
    return whole;
};

/** Reads bytes in memory as a file. */
export const readAt = (bytes) => (position, length) => bytes.subarray(position, position + length);

/** Derives in small steps. */
export const derive = (derivation) => {
    while (derivation.step(1_000) > 0);
    return derivation.finish();
};

/** Collects what is written. */
export const collect = () => {
    const parts = [];
    return { sink: (bytes) => parts.push(bytes), bytes: () => concat(parts) };
};

/** A reader of a key export, verified. */
export const verified = (bytes, passphrase) => {
    const opened = new mx.KeyExportFile(readAt(bytes));
    const reader = opened.read(derive(opened.derive(passphrase)));
    while (!reader.verify(10));
    return reader;
};

/** What `act` throws, which must be one of our errors. */
export const thrown = (act) => {
    try {
        act();
    } catch (error) {
        if (!(error instanceof Error) || error.name !== "MxError") throw error;
        return error.code;
    }
    return "nothing was thrown";
};
