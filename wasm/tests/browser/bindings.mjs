// The tests of mx-wasm that Node.js runs, in headless Chromium. An import map puts a browser's parts in the place of Node's.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { PAGE, browser } from "./chromium.mjs";

const tests = fileURLToPath(new URL("..", import.meta.url));
const data = join(tests, "../../crates/mx-e2ee-cli/tests/data");

const IMPORTS = {
    "node:assert/strict": "/tests/browser/assert.mjs",
    "node:test": "/tests/browser/test.mjs",
    "/tests/platform.mjs": "/tests/browser/platform.mjs",
};

/** Files of a test's page: the tests, the files that they read, and by itself the server's module. */
const answer = (path) => {
    const html = /^\/tests\/([a-z_]+\.test\.mjs)\.html$/.exec(path);
    if (html) {
        const head = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;
        return ["text/html", `${head}<script type="module">import "/tests/${html[1]}"; import { run } from "node:test"; globalThis.results = run();</script>`];
    }
    if (path.startsWith("/tests/data/")) return ["application/octet-stream", readFileSync(join(data, path.slice(12)))];
    return ["text/javascript", readFileSync(join(tests, path.slice(7)))];
};

for (const name of readdirSync(tests).filter((name) => name.endsWith(".test.mjs"))) {
    test(`${name} in Chromium`, async (context) => {
        const page = await browser.newPage();
        const complaints = [];
        page.on("pageerror", (error) => complaints.push(String(error)));
        await page.route("**/tests/**", (route) => {
            const [contentType, body] = answer(new URL(route.request().url()).pathname);
            return route.fulfill({ contentType, body });
        });
        await page.goto(`${PAGE}tests/${name}.html`);
        const ran = page.waitForFunction(() => globalThis.results).then(() => page.evaluate(() => globalThis.results));
        const results = await Promise.race([ran, page.waitForEvent("pageerror", { timeout: 0 }).then((error) => { throw error; })]);
        assert.deepEqual(complaints, []);
        assert.ok(results.length > 0, "there are no tests in it");
        for (const { title, error } of results) await context.test(title, () => assert.equal(error, null));
        await page.close();
    });
}
