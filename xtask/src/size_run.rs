//! `size --run`: what operations take on the three machines of QEMU, as the final user may build them, and libolm beside them.

use std::{collections::BTreeMap, fmt, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::{
    firmware::{self, Backends, COMPACT, DEFAULT, MACHINES},
    process::capture,
    project::Project,
    qemu,
    report::{Outcome, Report, Table},
    size::Image,
    size_libolm,
};

/// The stack that no operation may take more of, on the Cortex-M4 with the compact backends.
const MAX_STACK: u64 = 9_000;

const LEVELS: &[&str] = &["s", "z", "3"];

/// Operations that stand for the others in the table of all builds.
const CHOSEN: &[&str] = &[
    "Ed25519 signature of 160 B",
    "verified, key known",
    "X25519 agreement",
    "Olm session, begun",
    "Olm encrypt 160 B",
    "Olm decrypt, same chain",
    "account of 8 keys, pickled",
    "Megolm encrypt 160 B",
    "Megolm decrypt",
];

pub(crate) fn run(project: &Project) -> Result<Report> {
    if let Err(line) = qemu::install(project) {
        return Ok(Report::skipped(format!("QEMU is missing; `{line}` installs it")));
    }
    for (_, target) in MACHINES {
        if let Err(line) = project.add_target(target) {
            return Ok(Report::skipped(format!("the target {target} is missing; `{line}` installs it")));
        }
    }
    let mut measured = Vec::new();
    for (machine, target) in MACHINES {
        for build in Build::all() {
            eprintln!("{machine}: {build}");
            measured.push((*machine, build, build.measure(project, machine, target)?));
        }
    }
    let find = |machine, backends: Backends| {
        let wanted = Build { level: "s", backends, tables: false };
        let mut found = measured.iter().filter(|(name, build, _)| *name == machine && *build == wanted);
        found.find_map(|(.., measured)| measured.operations.as_deref()).context("the plain builds run")
    };
    let (compact, default) = (find("mps2-an386", COMPACT)?, find("mps2-an386", DEFAULT)?);
    let columns = [compact, default, find("microbit", COMPACT)?, find("virt", COMPACT)?];
    let deepest = compact.iter().map(|operation| operation.stack).max().unwrap_or_default();
    let verdict =
        format!("deepest on the M4 with the compact backends: {deepest} bytes; {MAX_STACK} is the limit");
    let mut report =
        Report::new(Outcome::of(deepest <= MAX_STACK)).table(operations(&columns)?).table(builds(&measured));
    match size_libolm::tables(project, compact, default)? {
        Ok(tables) => report = tables.into_iter().fold(report, Report::table),
        Err(reason) => report = report.note(format!("libolm: skipped: {reason}")),
    }
    Ok(report.note(verdict).note("M4, M0 and rv32 with the compact backends, M4 default with none set"))
}

/// One way to build.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Build {
    level: &'static str,
    backends: Backends,
    tables: bool,
}

/// What came of it.
struct Measured {
    /// The image of Olm and Megolm both ways.
    flash: Image,
    /// Nothing where the image that measures does not fit into the machine.
    operations: Option<Vec<Operation>>,
}

pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) instructions: u64,
    pub(crate) stack: u64,
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = if self.tables { ", tables" } else { "" };
        write!(f, "opt-level {}, backends {}{tables}", self.level, self.backends.0)
    }
}

impl Build {
    fn all() -> impl Iterator<Item = Self> {
        let levels = LEVELS.iter().copied();
        let backends = levels.flat_map(|level| [COMPACT, DEFAULT].map(|backends| (level, backends)));
        backends.flat_map(|(level, backends)| [false, true].map(|tables| Self { level, backends, tables }))
    }

    fn measure(self, project: &Project, machine: &str, target: &str) -> Result<Measured> {
        let features = if self.tables { "olm-megolm,tables" } else { "olm-megolm" };
        let variables = BTreeMap::from([("CARGO_PROFILE_RELEASE_OPT_LEVEL", self.level)]);
        let build = |program| {
            let args = ["--features", features];
            firmware::build_with(project, program, target, &args, self.backends, &variables)
        };
        let flash = match build("firmware")? {
            Ok(path) => Image::read(&path)?,
            Err(error) => bail!("the image does not link for {target}, {self}:\n{error}"),
        };
        let operations = match build("measure")? {
            Ok(path) => measure(project, machine, &path)?,
            Err(error) => bail!("the image that measures does not link for {target}, {self}:\n{error}"),
        };
        Ok(Measured { flash, operations })
    }
}

/// What an image that measures prints; nothing if it ends before its end, as where its stack is too small.
fn measure(project: &Project, machine: &str, image: &Path) -> Result<Option<Vec<Operation>>> {
    let ran = capture(qemu::machine(project, machine, image).args(["-icount", "shift=0"]))?;
    if !ran.success {
        return Ok(None);
    }
    let operations: Option<_> = ran.stdout.lines().map(Operation::read).collect();
    operations.map(Some).with_context(|| format!("{machine} printed something else:\n{}", ran.stdout))
}

impl Operation {
    pub(crate) fn read(line: &str) -> Option<Self> {
        let mut words = line.split('\t');
        let name = words.next()?.to_owned();
        Some(Self { name, instructions: words.next()?.parse().ok()?, stack: words.next()?.parse().ok()? })
    }
}

/// All operations, as most devices are built.
fn operations(columns: &[&[Operation]]) -> Result<Table> {
    let mut table = Table::new(
        "instructions as QEMU counts them (no cycles), and bytes of stack; opt-level s",
        &["operation", "M4", "stack", "M4 default", "stack", "M0", "stack", "rv32", "stack"],
    );
    for (at, operation) in columns.first().copied().unwrap_or_default().iter().enumerate() {
        let mut row = vec![operation.name.clone()];
        for column in columns {
            let operation = column.get(at).context("every image takes the same operations")?;
            row.extend([operation.instructions.to_string(), operation.stack.to_string()]);
        }
        table.row(row);
    }
    Ok(table)
}

/// All builds.
fn builds(measured: &[(&str, Build, Measured)]) -> Table {
    let columns = ["machine", "level", "backends", "tables", "text", "rodata", "flash", "stack"];
    let mut table = Table::new(
        "Olm and Megolm both ways: flash in bytes, the deepest stack, and instructions of some operations",
        &[&columns[..], CHOSEN].concat(),
    );
    for (machine, build, Measured { flash, operations }) in measured {
        let tables = if build.tables { "tables" } else { "none" };
        let mut row = [*machine, build.level, build.backends.0, tables].map(str::to_owned).to_vec();
        row.extend([flash.text, flash.rodata, flash.flash()].map(|bytes| bytes.to_string()));
        let Some(operations) = operations else {
            row.push("does not fit".to_owned());
            table.row(row);
            continue;
        };
        let deepest = operations.iter().map(|operation| operation.stack).max().unwrap_or_default();
        row.push(deepest.to_string());
        let chosen = CHOSEN.iter().map(|name| operations.iter().find(|operation| operation.name == *name));
        row.extend(chosen.map(|found| found.map(|found| found.instructions.to_string()).unwrap_or_default()));
        table.row(row);
    }
    table
}
