// The package that `cargo xtask wasm --test` has built, and files to read.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = process.env.MX_WASM ?? join(here, "../../target/wasm/test");
const mx = await import(pathToFileURL(join(folder, "mx_wasm.js")).href);
mx.initSync({ module: readFileSync(join(folder, "mx_wasm_bg.wasm")) });

export default mx;

/** A file of the command line tool's tests, made by matrix-sdk-crypto. */
export const file = (name) => readFileSync(join(here, "../../crates/mx-e2ee-cli/tests/data", name));

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
    return { sink: (bytes) => parts.push(bytes), bytes: () => Buffer.concat(parts) };
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
