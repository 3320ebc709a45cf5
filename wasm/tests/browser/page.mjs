// The page of docs/web in headless Chromium, from beginning to end, with files of matrix-sdk-crypto. `cargo xtask web --test` runs it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import mx, { decode, file, readAt, verified } from "../load.mjs";
import { opened, written } from "./chromium.mjs";

const SESSION_ID = "8sdNGgmLft8osylLK9ij3IotBLyQQufe/KngiW4Dpq0";
const fixture = (name) => written(name, file(name));

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

    await page.getByLabel("Only rooms, sessions").fill("nothing like it");
    await page.getByText("Rooms: 0 of 0", { exact: true }).waitFor();
    await page.getByLabel("Only rooms, sessions").fill("localhost");
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

    assert.ok(new mx.KeyExportFile(readAt(bytes)).rounds >= 100_000);
    assert.equal(verified(bytes, "safer").next().sessionId, SESSION_ID);
    assert.deepEqual(requests, []);
    assert.deepEqual(complaints, []);
    await done();
});

/** Opens a key export, and then events with it. */
const decrypted = async (page, { keys, passphrase, events }) => {
    await page.getByLabel("Key export file").setInputFiles(keys);
    await page.getByLabel("Its passphrase").fill(passphrase);
    await page.keyboard.press("Enter");
    await page.locator("#keys-status").getByText(/session/).waitFor();
    await page.getByLabel("File of events").setInputFiles(events);
    await page.getByRole("button", { name: "Decrypt events" }).press("Enter");
};

/** Events of matrix-sdk-crypto, and beside them those that are refused, one for each reason that a file can have. */
const room = () => {
    const events = decode(file("room.jsonl")).trim().split("\n").map((line) => JSON.parse(line));
    const [first, second] = events;
    const changed = (change) => ({ ...structuredClone(second), event_id: "$changed", ...change });
    const damaged = changed({});
    damaged.content.ciphertext = damaged.content.ciphertext.replace(/.{4}$/, "AAAA");
    return [
        ...events, { ...first, event_id: "$again" }, changed({ room_id: "!other:example.org" }), damaged,
        { ...changed({}), content: { ...second.content, session_id: "unknown" } },
        { type: "m.room.name", room_id: "!<b>bold</b>:example.org", sender: "<script>alert(1)</script>", content: { body: "<img src=x onerror=alert(1)>\u202e" } },
        { type: "m.room.encrypted", content: {} },
    ];
};

test("events of matrix-sdk-crypto are decrypted, each with its verdict, filtered and saved, with the keyboard", async () => {
    const { page, requests, complaints, done } = await opened();
    await page.getByLabel("File of events").setInputFiles(fixture("room.jsonl"));
    await page.getByRole("button", { name: "Decrypt events" }).press("Enter");
    await page.locator("#events-error").getByText("Open the key export first").waitFor();

    const text = `${room().map((event) => JSON.stringify(event)).join("\n")}\n{"type":`;
    await decrypted(page, { keys: fixture("room-keys.txt"), passphrase: "a pass phrase of theirs", events: written("events.jsonl", text) });
    await page.getByText("15 events; 2 keys of the key export were needed.").waitFor();
    const summary = await page.locator("#events-summary tr").evaluateAll((rows) => rows.map(({ cells }) => `${cells[0].textContent}: ${cells[1].textContent}`));
    assert.deepEqual(summary, [
        "Decrypted: 8", "Not encrypted: 1", "Redacted: 1", "No key: 1", "Bad MAC or signature: 1", "Replayed index: 1", "Wrong room: 1", "Malformed: 1",
    ]);
    const items = page.locator("#events li");
    assert.equal(await items.count(), 15);
    const shown = await items.nth(1).innerText();
    for (const part of ["Decrypted · line 2", "Said to be from @alice:example.org", "!matrix-sdk:example.org", "message 1, with „quotes“ and a tail"]) assert.ok(shown.includes(part), shown);
    assert.match(await items.nth(8).innerText(), /Replayed index · line 9[^]*Why: .*\$event0/);
    // What is in the file stays text.
    const strange = await items.nth(12).innerText();
    for (const part of ["<script>alert(1)</script>", "!<b>bold</b>", "<img src=x onerror=alert(1)>"]) assert.ok(strange.includes(part), strange);
    assert.equal(await page.locator("#events img, #events script, #events b").count(), 0);
    await items.nth(0).getByText("All that is known").press("Enter");
    await items.nth(0).getByText('"authenticated":false').waitFor();

    await page.getByLabel("Only events with the verdict").selectOption("decrypted");
    await page.getByText("Events 1 to 8 of 8").waitFor();
    await page.getByRole("button", { name: "Save these events" }).press("Enter");
    const { name, bytes } = await saved(page, page.getByRole("link", { name: "Save 8 events" }));
    assert.equal(name, "events.jsonl");
    const lines = decode(bytes).trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ verdict, authenticated }) => [verdict, authenticated]), Array(8).fill(["decrypted", false]));
    assert.equal(lines[7].event.content.body, "message 7, with „quotes“ and a tail a tail a tail a tail a tail a tail a tail ");

    await page.getByLabel("Only events with the verdict").selectOption("");
    await page.getByLabel("Only rooms that contain").fill("other");
    await page.getByText("Events 1 to 1 of 1").waitFor();
    assert.match(await items.nth(0).innerText(), /Wrong room/);
    await page.getByRole("button", { name: "Save these events" }).press("Enter");
    assert.equal(JSON.parse(decode((await saved(page, page.getByRole("link", { name: "Save 1 event" }))).bytes)).event.event_id, "$changed");
    assert.deepEqual(requests, []);
    assert.deepEqual(complaints, []);
    await done();
});

test("events come in pages, in every form, and reading them can be stopped", async () => {
    const { page, complaints, done } = await opened();
    const events = Array.from({ length: 120 }, (_, number) => ({ type: "m.room.message", sender: "@a:b", content: { body: `number ${number}` } }));
    const keys = fixture("room-keys.txt");
    const path = written("export.json", JSON.stringify({ room_name: "r", messages: events }, null, 1));
    await decrypted(page, { keys, passphrase: "a pass phrase of theirs", events: path });
    await page.getByText("Events 1 to 50 of 120").waitFor();
    const [back, next] = ["Back", "Next"].map((name) => page.getByRole("button", { name, exact: true }));
    assert.equal(await back.getAttribute("aria-disabled"), "true");
    await next.press("Enter");
    await page.getByText("Events 51 to 100 of 120").waitFor();
    await next.press("Enter");
    await page.getByText("Events 101 to 120 of 120").waitFor();
    assert.match(await page.locator("#events li").last().innerText(), /number 119/);
    assert.equal(await next.evaluate((button) => document.activeElement === button), true, "the focus stays where it was");
    await next.press("Enter");
    await back.press("Enter");
    await page.getByText("Events 51 to 100 of 120").waitFor();

    // Of a long text the beginning is shown, and the whole is there.
    const long = written("long.json", JSON.stringify([{ ...events[0], sender: "@".repeat(9_000), content: { body: "x".repeat(9_000) } }]));
    await page.getByLabel("File of events").setInputFiles(long);
    await page.getByRole("button", { name: "Decrypt events" }).press("Enter");
    await page.getByText("Events 1 to 1 of 1").waitFor();
    const item = page.locator("#events li");
    assert.ok((await item.innerText()).length < 5_000);
    await item.getByText("All that is known").press("Enter");
    await item.getByText("x".repeat(9_000)).waitFor();

    const many = written("many.jsonl", `${JSON.stringify(events[0])}\n`.repeat(200_000));
    await page.getByLabel("File of events").setInputFiles(many);
    await page.getByRole("button", { name: "Decrypt events" }).press("Enter");
    await page.getByRole("button", { name: "Stop" }).and(page.locator("#events-stop")).press("Enter");
    await page.locator("#events-error").getByText("Stopped.").waitFor();
    // The key export is still open.
    await page.getByLabel("File of events").setInputFiles(path);
    await page.getByRole("button", { name: "Decrypt events" }).press("Enter");
    await page.getByText("Events 1 to 50 of 120").waitFor();
    assert.deepEqual(complaints, []);
    await done();
});

test("an attachment is decrypted by its event, and one that is not the file described is refused", async () => {
    const { page, requests, complaints, done } = await opened();
    const event = decode(file("event.json"));
    await page.getByLabel("Encrypted file").setInputFiles(fixture("attachment"));
    await page.getByLabel("Its event, as JSON").fill(event);
    await page.getByRole("button", { name: "Decrypt", exact: true }).click();
    const { bytes } = await saved(page, page.getByRole("link", { name: /^Save/ }));
    const described = new mx.AttachmentDescription(JSON.stringify(JSON.parse(event).content.file));
    assert.deepEqual(new Uint8Array(bytes), described.decrypt(file("attachment")));

    await page.getByLabel("Encrypted file").setInputFiles(fixture("keys.txt"));
    await page.getByRole("button", { name: "Decrypt", exact: true }).click();
    await page.locator("#media-error").getByText(/SHA-256/).waitFor();
    await page.getByLabel("Its event, as JSON").fill("{}");
    await page.getByRole("button", { name: "Decrypt", exact: true }).click();
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
    }, decode(file("keys.txt")));
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
    const events = written("events.jsonl", room().map((event) => JSON.stringify(event)).join("\n"));
    await decrypted(page, { keys: fixture("room-keys.txt"), passphrase: "a pass phrase of theirs", events });
    await page.getByText("Events 1 to 14 of 14").waitFor();
    const nameless = await page.evaluate(() =>
        [...document.querySelectorAll("input, select, textarea, button, progress, summary")]
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
