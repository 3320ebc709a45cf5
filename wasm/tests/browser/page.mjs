// The page of docs/web in headless Chromium, from beginning to end, with files of matrix-sdk-crypto. `cargo xtask web --test` runs it.
import assert from "node:assert/strict";
import { mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync, closeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import mx, { derive, file, readAt } from "../load.mjs";

const { chromium } = await import(process.env.MX_PLAYWRIGHT);
const URL = process.env.MX_PAGE;
const SESSION_ID = "8sdNGgmLft8osylLK9ij3IotBLyQQufe/KngiW4Dpq0";
const folder = mkdtempSync(join(tmpdir(), "mx-web-"));
const fixture = (name) => {
    const path = join(folder, name);
    writeFileSync(path, file(name));
    return path;
};

let browser;
before(async () => {
    browser = await chromium.launch({
        executablePath: process.env.MX_CHROMIUM,
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
});
after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
});

/** A page that is ready. What it asks the network for from then on, and what it complains about, is collected. */
const opened = async (options) => {
    const context = await browser.newContext({ acceptDownloads: true, ...options });
    const page = await context.newPage();
    const [requests, complaints] = [[], []];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
    await page.goto(URL);
    await page.getByText("Ready.").waitFor();
    context.on("request", (request) => { if (!request.url().startsWith("blob:")) requests.push(request.url()); });
    return { page, requests, complaints, done: () => context.close() };
};

const saved = async (page, link) => {
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
};

test("a key export is opened, looked at, filtered and saved again, with the keyboard, and nothing is asked of a network", async () => {
    const { page, requests, complaints, done } = await opened();
    await page.getByLabel("Key export file").setInputFiles(fixture("keys.txt"));
    await page.getByLabel("Its passphrase").focus();
    await page.keyboard.type("12345");
    await page.keyboard.press("Enter");
    const alert = page.locator("#keys-error");
    await alert.getByText("Wrong passphrase, or the file was damaged.").waitFor();

    await page.getByLabel("Its passphrase").fill("1234");
    await page.keyboard.press("Enter");
    await page.getByText("1 session in 1 room.").waitFor();
    assert.equal(await alert.textContent(), "");
    assert.equal(await page.getByLabel("Its passphrase").inputValue(), "", "the passphrase stays no longer than needed");
    await page.getByRole("cell", { name: SESSION_ID }).waitFor();
    await page.getByRole("button", { name: "!test:localhost" }).press("Enter");
    await page.getByText("Sessions of !test:localhost: 1 of 1").waitFor();

    await page.getByLabel("Only rooms").fill("nothing like it");
    await page.getByText("Rooms: 0 of 0", { exact: true }).waitFor();
    await page.getByLabel("Only rooms").fill("localhost");
    await page.getByText("Rooms: 1 of 1", { exact: true }).waitFor();

    await page.getByLabel("Save !test:localhost").uncheck();
    await page.getByLabel("Passphrase of the new file").fill("safer");
    await page.getByLabel("The same again").fill("safe");
    await page.keyboard.press("Enter");
    await page.getByText("The two passphrases are not the same.").waitFor();
    await page.getByLabel("The same again").fill("safer");
    await page.keyboard.press("Enter");
    await page.getByText("Choose at least one room.").waitFor();
    await page.getByLabel("Save !test:localhost").check();
    await page.getByRole("button", { name: "Encrypt", exact: true }).click();
    const { name, bytes } = await saved(page, page.getByRole("link", { name: "Save 1 session" }));
    assert.equal(name, "element-keys.txt");

    const written = new mx.KeyExportFile(readAt(bytes));
    assert.ok(written.rounds >= 100_000);
    const reader = new mx.KeyExportFile(readAt(bytes)).read(derive(written.derive("safer")));
    while (!reader.verify(10));
    assert.equal(reader.next().sessionId, SESSION_ID);
    assert.deepEqual(requests, []);
    assert.deepEqual(complaints, []);
    await done();
});

test("an attachment is decrypted by its event, and one that is not the file described is refused", async () => {
    const { page, requests, complaints, done } = await opened();
    const event = file("event.json").toString();
    await page.getByLabel("Encrypted file").setInputFiles(fixture("attachment"));
    await page.getByLabel("Its event, as JSON").fill(event);
    await page.getByRole("button", { name: "Decrypt" }).click();
    const { bytes } = await saved(page, page.getByRole("link", { name: /^Save/ }));
    const described = new mx.AttachmentDescription(JSON.stringify(JSON.parse(event).content.file));
    assert.deepEqual(bytes, Buffer.from(described.decrypt(file("attachment"))));

    await page.getByLabel("Encrypted file").setInputFiles(fixture("keys.txt"));
    await page.getByRole("button", { name: "Decrypt" }).click();
    await page.locator("#media-error").getByText(/SHA-256/).waitFor();
    await page.getByLabel("Its event, as JSON").fill("{}");
    await page.getByRole("button", { name: "Decrypt" }).click();
    await page.getByText("There is no encrypted file in it").waitFor();
    assert.deepEqual(requests, []);
    assert.deepEqual(complaints, []);
    await done();
});

test("a file can be dropped, and beside its box it does not replace the page", async () => {
    const { page, done } = await opened();
    const dropped = await page.evaluateHandle((text) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([text], "keys.txt", { type: "text/plain" }));
        return transfer;
    }, file("keys.txt").toString());
    await page.locator(".drop").first().dispatchEvent("drop", { dataTransfer: dropped });
    await page.getByLabel("Its passphrase").fill("1234");
    await page.keyboard.press("Enter");
    await page.getByText("1 session in 1 room.").waitFor();
    const prevented = await page.evaluate((transfer) =>
        !document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true, bubbles: true })), dropped);
    assert.equal(prevented, true);
    await done();
});

test("neither the page nor its worker can connect to another place", async () => {
    const { page, done } = await opened();
    const attempt = () => new Promise((resolve) => {
        globalThis.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
        // A violation is told before the request fails.
        const passed = () => setTimeout(() => resolve("no policy kept it"), 2_000);
        fetch("https://example.org/").then(passed, passed);
    });
    assert.equal(await page.evaluate(attempt), "connect-src");
    const [worker] = page.workers();
    assert.equal(await worker.evaluate(attempt), "connect-src");
    await done();
});

test("everything has a name for screen readers, fits a phone, and follows light and dark", async () => {
    const { page, done } = await opened({ viewport: { width: 320, height: 640 } });
    await page.getByLabel("Key export file").setInputFiles(fixture("keys.txt"));
    await page.getByLabel("Its passphrase").fill("1234");
    await page.keyboard.press("Enter");
    await page.getByText("1 session in 1 room.").waitFor();
    const nameless = await page.evaluate(() =>
        [...document.querySelectorAll("input, textarea, button, progress")]
            .filter((one) => !(one.labels?.length || one.ariaLabel || one.textContent.trim()))
            .map((one) => one.outerHTML));
    assert.deepEqual(nameless, []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 320), "the page is wider than a phone");
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: "light" });
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    assert.notEqual(await background(), light);
    if (process.env.MX_SCREENSHOTS) {
        await page.screenshot({ path: join(process.env.MX_SCREENSHOTS, "phone-dark.png"), fullPage: true });
        await page.setViewportSize({ width: 1000, height: 900 });
        await page.emulateMedia({ colorScheme: "light" });
        await page.screenshot({ path: join(process.env.MX_SCREENSHOTS, "light.png"), fullPage: true });
    }
    await done();
});

/** A file of 100 MB: one session in many rooms. */
const large = () => {
    const path = join(folder, "large.txt");
    const keys = derive(mx.KeyDerivation.forNewFile("large", 1_000));
    const out = openSync(path, "w");
    const writer = new mx.KeyExportWriter(keys, (bytes) => writeSync(out, bytes));
    const session = new mx.OutboundGroupSession();
    const key = mx.InboundGroupSession.fromSessionKey(session.sessionKey()).exportAt(0);
    const common = `"algorithm":"m.megolm.v1.aes-sha2","sender_key":"cKQkLU8izjY3tpLVPiR4PDeeCEKtaDiAGiQH+UbZm2w","session_id":"${session.sessionId}","session_key":"${key}","sender_claimed_keys":{"ed25519":"wJ7DzYIlwFghczuxFG7F4ugAK3IFjpSaC74MzLFC6ig"},"forwarding_curve25519_key_chain":[]`;
    let sessions = 0;
    for (; (sessions + 1) * common.length * 4 < 300_000_000; sessions += 1) {
        writer.writeJson(`{"room_id":"!room-${sessions % 2_000}:example.org",${common}}`);
    }
    writer.finish();
    closeSync(out);
    return { path, sessions, bytes: statSync(path).size };
};

test("an export of 100 MB does not freeze the page", async (context) => {
    const { path, sessions, bytes } = large();
    assert.ok(bytes >= 100_000_000, `${bytes} bytes`);
    const { page, complaints, done } = await opened();
    await page.getByLabel("Key export file").setInputFiles(path);
    await page.getByLabel("Its passphrase").fill("large");
    await page.evaluate(() => {
        globalThis.longest = 0;
        let last = performance.now();
        setInterval(() => {
            const now = performance.now();
            globalThis.longest = Math.max(globalThis.longest, now - last);
            last = now;
        }, 5);
    });
    // What the machine does to a page that does nothing.
    await page.waitForTimeout(3_000);
    const idle = await page.evaluate(() => {
        const { longest } = globalThis;
        globalThis.longest = 0;
        return longest;
    });
    const start = performance.now();
    await page.keyboard.press("Enter");
    await page.getByText(`${sessions.toLocaleString("en")} sessions in 2,000 rooms.`).waitFor({ timeout: 120_000 });
    const [seconds, longest] = [(performance.now() - start) / 1_000, await page.evaluate(() => globalThis.longest)];
    context.diagnostic(`${bytes} bytes, ${sessions} sessions: ${seconds.toFixed(1)} s, the page's thread was blocked for ${longest.toFixed(0)} ms at the longest; idle, for ${idle.toFixed(0)} ms`);
    assert.ok(longest < 1_000 + idle, `blocked for ${longest} ms`);
    await page.getByRole("button", { name: "Show more rooms" }).click();
    await page.getByText("Rooms: 200 of 2,000").waitFor();
    assert.deepEqual(complaints, []);
    await done();
});
