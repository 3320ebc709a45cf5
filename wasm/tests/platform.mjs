// In Node.js: the package that `cargo xtask wasm --test` has built, and files to read.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = process.env.MX_WASM ?? join(here, "../../target/wasm/test");

export const mx = await import(pathToFileURL(join(folder, "mx_wasm.js")).href);
mx.initSync({ module: readFileSync(join(folder, "mx_wasm_bg.wasm")) });

/** A file of the command line tool's tests, made by matrix-sdk-crypto. */
export const file = (name) => new Uint8Array(readFileSync(join(here, "../../crates/mx-e2ee-cli/tests/data", name)));
