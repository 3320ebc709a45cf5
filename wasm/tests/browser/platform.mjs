// In a browser: the module that is served beside the page, and files to read.
import init, * as module from "/mx_wasm.js";

export const mx = module;
await init();

const NAMES = ["attachment", "event.json", "keys.txt", "room-keys.txt", "room.jsonl"];
const files = new Map();
for (const name of NAMES) files.set(name, new Uint8Array(await (await fetch(`/tests/data/${name}`)).arrayBuffer()));

/** A file of the command line tool's tests, made by matrix-sdk-crypto. */
export const file = (name) => files.get(name).slice();
