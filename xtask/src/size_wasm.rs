//! `size --wasm`: bytes of modules for wasm, ours and vodozemac's on equal work, and the speed of mx-wasm in Node.js beside the
//! npm package of libolm.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{
    process::{capture, succeeds},
    project::Project,
    report::{Outcome, Report, Table},
    wasm::{self, Build, TARGET},
};

const CRATE: &str = "xtask/wasm-size";

/// What is measured: name, and the features of ours and of vodozemac's.
const WORK: &[(&str, &str, &str)] = &[
    ("Megolm: import, decrypt", "megolm-decrypt", "vodozemac-megolm-decrypt"),
    ("Olm and Megolm both ways", "both-ways", "vodozemac-both-ways"),
];

/// What ours are to stay below, raw and as the linker wrote them, by their name in docs/size.toml.
pub(crate) const GOALS: &[(&str, u64)] = &[("wasm.megolm-decrypt", 40 * 1024), ("wasm.both-ways", 64 * 1024)];

/// What keeps a module small, whoever wrote it: values of a few words are moved by `memory.copy` and not word by word, and the
/// linker writes indices in as few bytes as they need.
const SMALL: &[&str] = &[
    "-Cllvm-args=-max-store-memcpy=1 -max-store-memmove=1 -max-store-memset=1",
    "-Clink-arg=--compress-relocations",
];
/// How users of ours who want it small set the ciphers' backends.
const COMPACT: &[&str] = &["--cfg=aes_backend_soft=\"compact\"", "--cfg=sha2_backend_soft=\"compact\""];
/// vodozemac draws by itself: its generator is the host's, as ours is.
const HOST_RANDOMNESS: &[&str] = &["--cfg=getrandom_backend=\"custom\""];

/// With the features of WebAssembly that rustc uses, and no others: browsers and Node.js could not load what comes out.
const OPTIMISE: &[&str] = &[
    "-Oz",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

const NPM_PACKAGES: [&str; 2] = ["binaryen@132.0.0", "@matrix-org/olm@3.2.15"];

pub(crate) fn run(project: &Project) -> Result<Report> {
    if let Err(line) = project.add_target(TARGET) {
        return Ok(Report::skipped(format!("the target {TARGET} is missing; `{line}` installs it")));
    }
    if let Err(reason) = wasm::node(project) {
        return Ok(Report::skipped(reason));
    }
    let npm = npm(project);
    let mut notes = Vec::new();
    if npm.is_none() {
        notes.push("npm brought nothing: without wasm-opt and without @matrix-org/olm".to_owned());
    }
    let mut modules = Vec::new();
    for (name, ours, peer) in WORK {
        let goal = GOALS.iter().find(|(key, _)| *key == key_of(ours)).map_or(0, |(_, goal)| *goal);
        let work = [(("mx-e2ee", goal), *ours, COMPACT), (("vodozemac 0.11.1", 0), *peer, HOST_RANDOMNESS)];
        for ((who, goal), feature, flags) in work {
            let path = build(project, feature, flags)?;
            modules.push((*name, who, "-", goal, path.clone()));
            if let Some(npm) = &npm {
                modules.push((*name, who, "wasm-opt -Oz", goal, optimise(project, npm, &path)?));
            }
        }
    }
    let package = wasm::package(project, Build::Release)?.map_err(anyhow::Error::msg)?;
    modules.push(("mx-wasm, all of it, with tables", "mx-e2ee", "-", 0, package.join("mx_wasm_bg.wasm")));
    let olm = npm.as_ref().map(|npm| npm.join("node_modules/@matrix-org/olm"));
    if let Some(olm) = &olm {
        modules.push(("npm @matrix-org/olm, all of it", "libolm 3.2.15", "-", 0, olm.join("olm.wasm")));
    }

    let mut sizes = Table::new(
        format!(
            "bytes of modules, {TARGET}, opt-level z, one unit, stripped; compact backends, without tables and bindings"
        ),
        &["work", "by", "after", "raw", "gzip -9", "brotli 11", "goal, raw"],
    );
    let paths: Vec<_> = modules.iter().map(|(.., path)| path.as_path()).collect();
    for ((name, who, after, goal, _), measured) in modules.iter().zip(measure(project, &paths)?) {
        let goal = if *goal == 0 { String::new() } else { format!("below {goal}") };
        sizes.row(
            [&[(*name).to_owned(), (*who).to_owned(), (*after).to_owned()], &measured[..], &[goal]].concat(),
        );
    }
    let mut report = Report::new(Outcome::Passed).table(sizes);
    if let Some(olm) = &olm {
        report = report.table(speed(project, &package, olm)?);
    }
    Ok(report.notes(notes))
}

/// Bytes of our modules, by their names in docs/size.toml.
pub(crate) fn ours(project: &Project) -> Result<Result<Vec<(String, u64)>, String>> {
    if let Err(line) = project.add_target(TARGET) {
        return Ok(Err(format!("the target {TARGET} is missing; `{line}` installs it")));
    }
    let measured = WORK.iter().map(|(_, feature, _)| {
        let path = build(project, feature, COMPACT)?;
        Ok((key_of(feature), std::fs::metadata(&path)?.len()))
    });
    measured.collect::<Result<_>>().map(Ok)
}

fn key_of(feature: &str) -> String {
    format!("wasm.{feature}")
}

/// Where wasm-opt and libolm are, if npm brings them.
fn npm(project: &Project) -> Option<PathBuf> {
    let folder = project.root.join("target/wasm/npm");
    std::fs::create_dir_all(&folder).ok()?;
    let mut command = project.program("npm");
    command
        .args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"])
        .arg(&folder)
        .args(NPM_PACKAGES);
    succeeds(&mut command).then_some(folder)
}

fn build(project: &Project, feature: &str, flags: &[&str]) -> Result<PathBuf> {
    let who = if feature.starts_with("vodozemac") { "vodozemac" } else { "mx" };
    let folder = project.root.join("target/wasm-size").join(who);
    let manifest = format!("{CRATE}/Cargo.toml");
    let mut command = project.cargo(["build", "--quiet", "--release", "--manifest-path", &manifest]);
    command.args(["--target", TARGET, "--features", feature, "--target-dir"]).arg(&folder);
    command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", [SMALL, flags].concat().join("\x1f"));
    anyhow::ensure!(project.stream(&mut command)?, "{CRATE} does not build with {feature}");
    let built = folder.join(TARGET).join("release/wasm_size.wasm");
    // The next feature's takes its place.
    let kept = folder.join(format!("{feature}.wasm"));
    std::fs::copy(&built, &kept).with_context(|| format!("cannot copy {}", built.display()))?;
    Ok(kept)
}

fn optimise(project: &Project, npm: &Path, module: &Path) -> Result<PathBuf> {
    let out = module.with_extension("opt.wasm");
    let mut command = project.program("node");
    command.arg(npm.join("node_modules/binaryen/bin/wasm-opt")).args(OPTIMISE);
    anyhow::ensure!(project.stream(command.arg(module).arg("-o").arg(&out))?, "wasm-opt failed");
    Ok(out)
}

/// Raw, gzipped and in brotli.
fn measure(project: &Project, modules: &[&Path]) -> Result<Vec<[String; 3]>> {
    let measured = node(project, "measure.mjs", modules)?;
    let row = |row: &Value| [0, 1, 2].map(|at| row[at].to_string());
    Ok(measured.as_array().context("measure.mjs prints a list")?.iter().map(row).collect())
}

fn speed(project: &Project, package: &Path, olm: &Path) -> Result<Table> {
    let measured = node(project, "speed.mjs", &[package, olm])?;
    let mut table = Table::new(
        "speed in Node.js, texts in and texts out, 160 bytes: microseconds of processor time, best of 40 turns",
        &["work", "mx-wasm", "@matrix-org/olm", "times as fast"],
    );
    for row in measured.as_array().context("speed.mjs prints a list")? {
        let micros = |at: usize| row[at].as_f64().unwrap_or(f64::NAN);
        let (ours, theirs) = (micros(1), micros(2));
        let cells = [format!("{ours:.1}"), format!("{theirs:.1}"), format!("{:.2}", theirs / ours)];
        table.row([&[row[0].as_str().unwrap_or_default().to_owned()], &cells[..]].concat());
    }
    Ok(table)
}

/// What one of the scripts of wasm-size prints.
fn node(project: &Project, script: &str, args: &[&Path]) -> Result<Value> {
    let run = capture(project.program("node").arg(project.root.join(CRATE).join(script)).args(args))?;
    anyhow::ensure!(run.success, "{script} failed\n{}", run.stderr);
    serde_json::from_str(&run.stdout).with_context(|| format!("{script} prints JSON"))
}
