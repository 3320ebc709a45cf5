// The browser, as `cargo xtask web --test` names it.
const { chromium } = await import(process.env.MX_PLAYWRIGHT);

export const PAGE = process.env.MX_PAGE;

export const launch = () =>
    chromium.launch({
        executablePath: process.env.MX_CHROMIUM,
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
