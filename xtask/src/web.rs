//! `web`: the page of docs/web with the module beside it, in target/web: plain files, served to this machine only.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{
    args::Args,
    process::{capture, succeeds},
    project::Project,
    report::{Outcome, Report},
    source::files,
    wasm::{self, Build},
};

const PAGE: &str = "docs/web";
const MODULE: &[&str] = &["mx_wasm.js", "mx_wasm_bg.wasm"];

const BROWSER_TESTS: &[&str] =
    &["wasm/tests/browser/bindings.mjs", "wasm/tests/browser/page.mjs", "wasm/tests/browser/freeze.mjs"];

const CHROMIUM: &str = "/usr/bin/chromium";
const PLAYWRIGHT: &str = "playwright-core@1.64.1";

/// The port, if none is asked for.
const PORT: u16 = 8008;

/// A line of a request that is longer is nothing that a browser sends here.
const MAX_LINE: u64 = 8_192;

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    if args.has("test") {
        return test(project, if args.has("quick") { Pace::Quick } else { Pace::Thorough });
    }
    let port =
        args.value("port").map_or(Ok(PORT), str::parse).context("--port takes a number below 65536")?;
    let folder = match assemble(project, Build::ReleaseWithEvents)? {
        Ok(folder) => folder,
        Err(reason) => return Ok(Report::skipped(reason)),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("port {port} is taken; --port chooses another"))?;
    eprintln!("http://{}/ shows target/web; Ctrl-C ends it", listener.local_addr()?);
    serve(&listener, &folder);
    Ok(Report::new(Outcome::Passed))
}

/// What the page is tested with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pace {
    /// The module that the tests in Node.js use, and files of 10 MB.
    Quick,
    /// The module as users have it, and files of 100 MB.
    Thorough,
}

/// The page in a browser, from beginning to end, and the bindings there.
pub(crate) fn test(project: &Project, pace: Pace) -> Result<Report> {
    if let Err(reason) = wasm::node(project).and_then(|()| chromium(project)) {
        return Ok(Report::skipped(reason));
    }
    let npm = project.root.join("target/web-test");
    std::fs::create_dir_all(&npm)?;
    let mut install = project.program("npm");
    install.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(&npm).arg(PLAYWRIGHT);
    if !succeeds(&mut install) {
        return Ok(Report::skipped(format!("npm did not bring {PLAYWRIGHT}")));
    }
    let (build, large) = match pace {
        Pace::Quick => (Build::Test, "10000000"),
        Pace::Thorough => (Build::ReleaseWithEvents, "100000000"),
    };
    let folder = match assemble(project, build)? {
        Ok(folder) => folder,
        Err(reason) => return Ok(Report::skipped(reason)),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = format!("http://{}/", listener.local_addr()?);
    let served = folder.clone();
    thread::spawn(move || serve(&listener, &served));
    let mut command = project.program("node");
    command.args(["--test", "--test-reporter=spec", "--test-concurrency=1"]).args(BROWSER_TESTS);
    command
        .env("MX_WASM", &folder)
        .env("MX_PAGE", address)
        .env("MX_CHROMIUM", CHROMIUM)
        .env("MX_LARGE", large);
    command.env("MX_PLAYWRIGHT", npm.join("node_modules/playwright-core/index.mjs"));
    Ok(Report::new(Outcome::of(project.stream(&mut command)?)))
}

/// Whether Chromium is there. On Debian, as root, it is installed where it is missing. The error says what to do.
fn chromium(project: &Project) -> Result<(), String> {
    let is_root = capture(project.program("id").arg("-u")).is_ok_and(|id| id.stdout.trim() == "0");
    if !Path::new(CHROMIUM).exists() && is_root && succeeds(project.program("apt-get").arg("--version")) {
        eprintln!("installing: apt-get update && apt-get install -y chromium");
        succeeds(project.program("apt-get").arg("update"));
        succeeds(project.program("apt-get").args(["install", "-y", "--no-install-recommends", "chromium"]));
    }
    let line = "apt-get install -y chromium";
    if Path::new(CHROMIUM).exists() {
        Ok(())
    } else {
        Err(format!("{CHROMIUM} is missing; `{line}` installs it"))
    }
}

/// Puts page and module into one folder.
fn assemble(project: &Project, build: Build) -> Result<Result<PathBuf, String>> {
    let package = match wasm::package(project, build)? {
        Ok(package) => package,
        Err(reason) => return Ok(Err(reason)),
    };
    let folder = project.root.join(if build == Build::Test { "target/web-quick" } else { "target/web" });
    std::fs::create_dir_all(&folder)?;
    let page = files(&project.root.join(PAGE), "")?;
    for path in page.into_iter().chain(MODULE.iter().map(|name| package.join(name))) {
        let to = folder.join(path.file_name().context("a file has a name")?);
        std::fs::copy(&path, to).with_context(|| format!("cannot copy {}", path.display()))?;
    }
    Ok(Ok(folder))
}

/// Answers until the program ends. Who comes here is a browser on this machine.
fn serve(listener: &TcpListener, folder: &Path) {
    for stream in listener.incoming().flatten() {
        let folder = folder.to_owned();
        // A browser that leaves in the middle is no failure.
        thread::spawn(move || answer(stream, &folder).ok());
    }
}

fn answer(mut stream: TcpStream, folder: &Path) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.by_ref().take(MAX_LINE).read_line(&mut line)?;
    let mut header = String::new();
    while reader.by_ref().take(MAX_LINE).read_line(&mut header)? > 2 {
        header.clear();
    }
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let found = file_of(path).and_then(|(name, kind)| Some((std::fs::read(folder.join(name)).ok()?, kind)));
    let (status, kind, body) = match found {
        _ if !matches!(method, "GET" | "HEAD") => ("405 Method Not Allowed", "text/plain", Vec::new()),
        Some((body, kind)) => ("200 OK", kind, body),
        None => ("404 Not Found", "text/plain", b"not here\n".to_vec()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    Ok(())
}

/// The file that a path names, and what it is. All lie in one folder: a path with another slash or a dot at its beginning names
/// none.
fn file_of(path: &str) -> Option<(&str, &'static str)> {
    let path = path.split(['?', '#']).next()?.strip_prefix('/')?;
    let name = if path.is_empty() { "index.html" } else { path };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.starts_with('.') || !name.chars().all(is_plain) {
        return None;
    }
    let kind = match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        _ => return None,
    };
    Some((name, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_folder_are_served() {
        assert_eq!(file_of("/"), Some(("index.html", "text/html; charset=utf-8")));
        assert_eq!(file_of("/mx_wasm_bg.wasm?x=1"), Some(("mx_wasm_bg.wasm", "application/wasm")));
        for path in [
            "/../Cargo.toml",
            "/a/b.js",
            "//etc/x.js",
            "/.htaccess.js",
            "/%2e%2e/x.js",
            "/Cargo.toml",
            "x.js",
            "/x",
        ] {
            assert_eq!(file_of(path), None, "{path}");
        }
    }
}
