//! libolm on the Cortex-M4, compiled by gcc from the sources in the crate `olm-sys` and measured as our own images are.
//!
//! Of no part in `ci`: it needs a compiler of 600 MB.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{
    firmware::{self, Backends, COMPACT, DEFAULT, FIRMWARE},
    peers,
    process::{capture, succeeds},
    project::Project,
    qemu,
    report::Table,
    size::{Image, TARGET},
    size_run::Operation,
};

const MANIFEST: &str = "xtask/firmware/libolm/Cargo.toml";
const COMPILER: &str = "arm-none-eabi-g++";
const PACKAGES: &[&str] = &["gcc-arm-none-eabi", "libnewlib-arm-none-eabi", "libstdc++-arm-none-eabi-newlib"];

/// Where its images are built, beside ours.
const BACKENDS: Backends = ("libolm", &[]);

/// An object of libolm's, and the state type of ours that is as much: eight one-time keys, eight skipped message keys.
/// libolm's account has room for 100 of them, and its session for 40.
const STATES: &[(&str, &str)] = &[
    ("Account", "mx_olm::Account<8, 8>"),
    ("Session", "mx_olm::Session<8>"),
    ("InboundGroupSession", "mx_megolm::InboundGroupSession"),
    ("OutboundGroupSession", "mx_megolm::OutboundGroupSession"),
];

/// libolm beside our builds at opt-level s; or why not.
pub(crate) fn tables(
    project: &Project,
    compact: &[Operation],
    default: &[Operation],
) -> Result<Result<Vec<Table>, String>> {
    let has_compiler = || succeeds(project.program(COMPILER).arg("--version"));
    if !has_compiler() {
        peers::install(project, PACKAGES);
    }
    if !has_compiler() {
        let packages = PACKAGES.join(" ");
        return Ok(Err(format!("{COMPILER} is missing; `apt-get install -y {packages}` brings it")));
    }
    let sources = match sources(project)? {
        Ok(sources) => sources,
        Err(reason) => return Ok(Err(reason)),
    };
    let image = build(project, &sources, "libolm-image")?;
    let measure = build(project, &sources, "libolm-measure")?;
    let ran = capture(qemu::machine(project, "mps2-an386", &measure).args(["-icount", "shift=0"]))?;
    if !ran.success {
        bail!("libolm does not run to its end:\n{}{}", ran.stdout, ran.stderr);
    }
    let (sizes, operations): (Vec<_>, Vec<_>) =
        ran.stdout.lines().partition(|line| line.starts_with("size\t"));
    let operations: Option<Vec<_>> = operations.into_iter().map(Operation::read).collect();
    let operations = operations.with_context(|| format!("libolm printed something else:\n{}", ran.stdout))?;
    let memory = memory(project, &Image::read(&image)?, &sizes)?;
    Ok(Ok(vec![compared(&operations, compact, default), memory]))
}

/// The folder of libolm in the crate that has it, which cargo downloads to say where it is.
fn sources(project: &Project) -> Result<Result<PathBuf, String>> {
    let args = ["metadata", "--format-version", "1", "--locked", "--manifest-path", MANIFEST];
    let metadata = capture(&mut project.cargo(args))?;
    if !metadata.success {
        return Ok(Err(format!("its sources cannot be had: {}", metadata.stderr.trim_end())));
    }
    let metadata: Value = serde_json::from_str(&metadata.stdout).context("cargo metadata is JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    let package = packages.iter().find(|package| package["name"] == "olm-sys");
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let manifest = PathBuf::from(manifest.context("olm-sys is among them")?);
    Ok(Ok(manifest.with_file_name("olm")))
}

fn build(project: &Project, sources: &Path, program: &str) -> Result<PathBuf> {
    let sources = sources.to_str().context("the path of the sources is text")?;
    let variables = BTreeMap::from([("LIBOLM_SOURCES", sources)]);
    match firmware::build_from(project, MANIFEST, program, TARGET, &[], BACKENDS, &variables)? {
        Ok(path) => Ok(path),
        Err(error) => bail!("{program} does not link:\n{error}"),
    }
}

fn compared(theirs: &[Operation], compact: &[Operation], default: &[Operation]) -> Table {
    let mut table = Table::new(
        "libolm 3.2.7 beside ours on the Cortex-M4, -Os and opt-level s: instructions (no cycles), and bytes of stack",
        &[
            "operation",
            "libolm",
            "compact",
            "ratio",
            "default",
            "ratio",
            "libolm's stack",
            "compact",
            "default",
        ],
    );
    for their in theirs {
        let find = |ours: &[Operation]| {
            let found = ours.iter().find(|our| our.name == their.name)?;
            let ratio = format!("{:.2}", found.instructions as f64 / their.instructions as f64);
            Some((found.instructions.to_string(), ratio, found.stack.to_string()))
        };
        let Some(((compact, compact_ratio, compact_stack), (default, default_ratio, default_stack))) =
            find(compact).zip(find(default))
        else {
            continue;
        };
        table.row([
            their.name.clone(),
            their.instructions.to_string(),
            compact,
            compact_ratio,
            default,
            default_ratio,
            their.stack.to_string(),
            compact_stack,
            default_stack,
        ]);
    }
    table
}

fn memory(project: &Project, theirs: &Image, sizes: &[&str]) -> Result<Table> {
    let mut table = Table::new(
        "bytes of Olm and Megolm both ways with account and pickles, on the Cortex-M4",
        &["what", "libolm", "compact", "ratio", "default", "ratio"],
    );
    let mut row = |what: &str, theirs: u64, [compact, default]: [u64; 2]| {
        let ratio = |ours: u64| format!("{:.2}", ours as f64 / theirs as f64);
        let cells = [theirs, compact, default].map(|bytes| bytes.to_string());
        let [theirs, first, second] = cells;
        table.row([what.to_owned(), theirs, first, ratio(compact), second, ratio(default)]);
    };
    let mut images = Vec::new();
    for backends in [COMPACT, DEFAULT] {
        match firmware::build(project, "firmware", TARGET, &["--features", "olm-megolm"], backends)? {
            Ok(path) => images.push(Image::read(&path)?),
            Err(error) => bail!("our image does not link:\n{error}"),
        }
    }
    let [compact, default] = images.as_slice() else { bail!("{FIRMWARE} was built twice") };
    row("flash", theirs.flash(), [compact.flash(), default.flash()]);
    row(
        "RAM of tables and variables",
        theirs.data + theirs.bss,
        [compact, default].map(|image| image.data + image.bss),
    );
    let mut sums = (0, 0);
    for (object, state) in STATES {
        let found = sizes
            .iter()
            .find_map(|line| line.strip_prefix("size\t")?.strip_prefix(object)?.strip_prefix('\t'));
        let theirs =
            found.and_then(|bytes| bytes.parse().ok()).context("libolm says how large its objects are")?;
        let ours = *compact.states.get(*state).context("our images say how large states are")?;
        row(&format!("RAM of {object}, {state}"), theirs, [ours; 2]);
        sums = (sums.0 + theirs, sums.1 + ours);
    }
    row("RAM of these four", sums.0, [sums.1; 2]);
    Ok(table)
}
