// The browser, and pages in it, as `cargo xtask web --test` names them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";

const { chromium } = await import(process.env.MX_PLAYWRIGHT);

export const PAGE = process.env.MX_PAGE;

/** For files that are opened. */
export const folder = mkdtempSync(join(tmpdir(), "mx-web-"));
export const written = (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
};

export let browser;
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
export const opened = async (options, prepare = () => {}) => {
    const context = await browser.newContext({ acceptDownloads: true, ...options });
    const page = await context.newPage();
    await prepare(page);
    const [requests, complaints] = [[], []];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
    await page.goto(PAGE);
    await page.getByText("Ready.").waitFor();
    context.on("request", (request) => { if (!request.url().startsWith("blob:")) requests.push(request.url()); });
    return { page, requests, complaints, done: () => context.close() };
};
