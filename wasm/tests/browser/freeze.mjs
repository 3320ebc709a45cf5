// Large files do not freeze the page of docs/web; and what would freeze it is noticed here.
import assert from "node:assert/strict";
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import mx, { collect, derive } from "../load.mjs";
import { PAGE, folder, opened, written } from "./chromium.mjs";

/** Bytes of the large key export, and of the large file of events. */
const LARGE = Number(process.env.MX_LARGE ?? 100_000_000);

/** A key export so large: one session in many rooms. */
const largeExport = () => {
    const path = join(folder, "large.txt");
    const keys = derive(mx.KeyDerivation.forNewFile("large", 1_000));
    const out = openSync(path, "w");
    const writer = new mx.KeyExportWriter(keys, (bytes) => writeSync(out, bytes));
    const session = new mx.OutboundGroupSession();
    const key = mx.InboundGroupSession.fromSessionKey(session.sessionKey()).exportAt(0);
    const common = `"algorithm":"m.megolm.v1.aes-sha2","sender_key":"cKQkLU8izjY3tpLVPiR4PDeeCEKtaDiAGiQH+UbZm2w","session_id":"${session.sessionId}","session_key":"${key}","sender_claimed_keys":{"ed25519":"wJ7DzYIlwFghczuxFG7F4ugAK3IFjpSaC74MzLFC6ig"},"forwarding_curve25519_key_chain":[]`;
    let sessions = 0;
    for (; (sessions + 1) * common.length * 4 < LARGE * 3; sessions += 1) {
        writer.writeJson(`{"room_id":"!room-${sessions % 2_000}:example.org",${common}}`);
    }
    writer.finish();
    closeSync(out);
    assert.ok(statSync(path).size >= LARGE, "it is not that large");
    return { path, sessions };
};

/**
 * While it goes on: how long the page's thread was blocked at the longest, and how long its bar stood still. `idle` is for how long this
 * machine blocks a page that does nothing.
 */
const watched = async (page, bar, act) => {
    await page.evaluate((id) => {
        globalThis.watch = () => {
            const now = performance.now();
            const longest = { blocked: 0, still: 0 };
            let [last, moved, value] = [now, now, null];
            globalThis.longest = longest;
            clearInterval(globalThis.watching);
            globalThis.watching = setInterval(() => {
                const [now, bar] = [performance.now(), document.getElementById(id)];
                longest.blocked = Math.max(longest.blocked, now - last);
                last = now;
                if (bar.hidden || bar.value !== value) [moved, value] = [now, bar.value];
                longest.still = Math.max(longest.still, now - moved);
            }, 5);
        };
        globalThis.watch();
    }, bar);
    await page.waitForTimeout(1_000);
    const idle = await page.evaluate(() => {
        const { blocked } = globalThis.longest;
        globalThis.watch();
        return blocked;
    });
    const start = performance.now();
    await act();
    return { idle, seconds: (performance.now() - start) / 1_000, ...await page.evaluate(() => globalThis.longest) };
};

/** People notice a page that does not answer from about 100 ms on; twice that, and what the machine itself takes. */
const MAX_BLOCKED = 200;
/** A bar that stands still for longer looks as if nothing went on. */
const MAX_STILL = 1_000;
const isFluent = ({ blocked, still, idle }) => blocked < MAX_BLOCKED + idle && still < MAX_STILL + idle;
const told = ({ blocked, still, idle, seconds }) =>
    `${(LARGE / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s; the page's thread was blocked for ${blocked.toFixed(0)} ms at the longest (idle: ${idle.toFixed(0)} ms), the bar stood still for ${still.toFixed(0)} ms`;

let large;
const openLarge = async (page) => {
    large ??= largeExport();
    await page.getByLabel("Key export file").setInputFiles(large.path);
    await page.getByLabel("Its passphrase").fill("large");
    return watched(page, "keys-progress", async () => {
        await page.getByLabel("Its passphrase").press("Enter");
        await page.getByText(`${large.sessions.toLocaleString("en")} sessions in 2,000 rooms.`).waitFor({ timeout: 120_000 });
    });
};

/** A page that freezes does so each time; a machine that is busy with something else does not, three times. */
const assertFluent = async (context, attempt) => {
    let found;
    for (let attempts = 0; attempts < 3 && !(found && isFluent(found)); attempts += 1) {
        const { page, complaints, done } = await opened();
        found = await attempt(page);
        context.diagnostic(told(found));
        assert.deepEqual(complaints, []);
        await done();
    }
    assert.ok(isFluent(found), told(found));
};

test("a large export does not freeze the page", (context) => assertFluent(context, async (page) => {
    const found = await openLarge(page);
    await page.getByRole("button", { name: "Show more rooms" }).click();
    await page.getByText("Rooms: 200 of 2,000").waitFor();
    return found;
}));

/** Events of one session so large, and its key. */
const largeRoom = () => {
    const session = new mx.OutboundGroupSession();
    const inbound = mx.InboundGroupSession.fromSessionKey(session.sessionKey());
    const { sink, bytes } = collect();
    const writer = new mx.KeyExportWriter(derive(mx.KeyDerivation.forNewFile("large", 1_000)), sink);
    const [room_id, session_id] = ["!room:example.org", session.sessionId];
    writer.writeJson(JSON.stringify({
        algorithm: "m.megolm.v1.aes-sha2", room_id, session_id, session_key: inbound.exportAt(0), sender_claimed_keys: {},
        sender_key: "cKQkLU8izjY3tpLVPiR4PDeeCEKtaDiAGiQH+UbZm2w", forwarding_curve25519_key_chain: [],
    }));
    writer.finish();
    const events = join(folder, "large.jsonl");
    const out = openSync(events, "w");
    let count = 0;
    for (let length = 0; length < LARGE; count += 1) {
        const body = `message ${count} `.padEnd(300, "and a tail ");
        const ciphertext = session.encrypt(JSON.stringify({ type: "m.room.message", room_id, content: { msgtype: "m.text", body } }));
        const content = { algorithm: "m.megolm.v1.aes-sha2", session_id, ciphertext };
        length += writeSync(out, `${JSON.stringify({ type: "m.room.encrypted", room_id, sender: "@a:b", event_id: `$${count}`, origin_server_ts: count, content })}\n`);
    }
    closeSync(out);
    return { keys: written("one.txt", bytes()), events, count };
};

test("a large file of events does not freeze the page", async (context) => {
    const { keys, events, count } = largeRoom();
    context.diagnostic(`${count} events`);
    await assertFluent(context, async (page) => {
        await page.getByLabel("Key export file").setInputFiles(keys);
        await page.getByLabel("Its passphrase").fill("large");
        await page.keyboard.press("Enter");
        await page.getByText("1 session in 1 room.").waitFor();
        await page.getByLabel("File of events").setInputFiles(events);
        return watched(page, "events-progress", async () => {
            await page.getByRole("button", { name: "Decrypt events" }).press("Enter");
            await page.getByText(`Events 1 to 50 of ${count.toLocaleString("en")}`).waitFor({ timeout: 240_000 });
        });
    });
});

/** The page's own files, changed on their way to the browser. */
const changed = async (page, name, change) => {
    const text = await (await fetch(new URL(name, PAGE))).text();
    const body = change(text);
    assert.notEqual(body, text, `${name} has another text than this test expects`);
    await page.context().route(`**/${name}`, (route) => route.fulfill({ contentType: "text/javascript", body }));
};

const isSmall = LARGE < 100_000_000 && "a small file may be read within the limits, all at once";

test("what would freeze the page is noticed: one step, and work on the page's own thread", { skip: isSmall }, async (context) => {
    const inOneStep = (text) => text.replace("[20_000, 50, 1_000, 1 << 20]", "[2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31]");
    const first = await opened(undefined, (page) => changed(page, "worker.js", inOneStep));
    const one = await openLarge(first.page);
    context.diagnostic(`in one step: ${told(one)}`);
    assert.ok(!isFluent(one), told(one));
    await first.done();

    // A worker that is none: its script runs on the page's thread, and reads of a file that is in memory.
    const noWorker = `class NoWorker extends EventTarget {
        constructor() {
            super();
            globalThis.toPage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
            globalThis.fromPage = (_, take) => { this.take = take; };
            globalThis.FileReaderSync = class { readAsArrayBuffer(part) { return part; } };
            import("./worker.js");
        }
        async postMessage(data) {
            const { file } = data.args;
            if (file) {
                const bytes = await file.arrayBuffer();
                data.args.file = { size: bytes.byteLength, slice: (from, to) => bytes.slice(from, to) };
            }
            this.take({ data });
        }
    }`;
    const second = await opened(undefined, async (page) => {
        await changed(page, "page.js", (text) => `${noWorker}\n${text.replace("new Worker(", "new NoWorker(")}`);
        await changed(page, "worker.js", (text) => text.replaceAll("postMessage(", "toPage(").replace("addEventListener(", "fromPage("));
    });
    const here = await openLarge(second.page);
    context.diagnostic(`on the page's thread: ${told(here)}`);
    assert.ok(!isFluent(here), told(here));
    await second.done();
});
