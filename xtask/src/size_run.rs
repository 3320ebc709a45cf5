//! `size --run`: what operations take on the three machines of QEMU, and what opt-levels and tables cost in flash.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

use crate::{
    firmware::{self, Backends, COMPACT, DEFAULT, MACHINES},
    process::capture,
    project::Project,
    qemu,
    report::{Outcome, Report, Table},
    size::{Image, TARGET},
};

/// The stack that no operation may take more of, on the Cortex-M4 with the compact backends.
const MAX_STACK: u64 = 9_000;

pub(crate) fn run(project: &Project) -> Result<Report> {
    if let Err(line) = qemu::install(project) {
        return Ok(Report::skipped(format!("QEMU is missing; `{line}` installs it")));
    }
    let mut table = Table::new(
        "instructions as QEMU counts them (no cycles), and bytes of stack; opt-level s",
        &["operation", "M4", "stack", "M4 default", "stack", "M0", "stack", "rv32", "stack"],
    );
    let builds = [(0, COMPACT), (0, DEFAULT), (1, COMPACT), (2, COMPACT)];
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut deepest = 0;
    for (column, (machine, backends)) in builds.into_iter().enumerate() {
        let operations = match measure(project, MACHINES[machine], backends)? {
            Ok(operations) => operations,
            Err(line) => return Ok(Report::skipped(line)),
        };
        for (at, (name, instructions, stack)) in operations.into_iter().enumerate() {
            if column == 0 {
                rows.push(vec![name]);
                deepest = deepest.max(stack);
            }
            let row = rows.get_mut(at).context("every image takes the same operations")?;
            row.extend([instructions.to_string(), stack.to_string()]);
        }
    }
    rows.into_iter().for_each(|row| table.row(row));
    let verdict =
        format!("deepest on the M4 with the compact backends: {deepest} bytes; {MAX_STACK} is the limit");
    let report = Report::new(Outcome::of(deepest <= MAX_STACK)).table(table).table(opt_levels(project)?);
    Ok(report.note(verdict).note("M4, M0 and rv32 with the compact backends, M4 default with none set"))
}

/// Operation, instructions, stack.
type Operation = (String, u64, u64);

fn measure(
    project: &Project,
    (machine, target): (&str, &str),
    backends: Backends,
) -> Result<Result<Vec<Operation>, String>> {
    if let Err(line) = project.add_target(target) {
        return Ok(Err(format!("the target {target} is missing; `{line}` installs it")));
    }
    let image = match firmware::build(project, "measure", target, &[], backends)? {
        Ok(image) => image,
        Err(error) => bail!("the image that measures does not link for {target}:\n{error}"),
    };
    let ran = capture(qemu::machine(project, machine, &image).args(["-icount", "shift=0"]))?;
    if !ran.success {
        bail!("the image failed on {machine}:\n{}{}", ran.stdout, ran.stderr);
    }
    let operation = |line: &str| {
        let mut words = line.split('\t');
        Some((words.next()?.to_owned(), words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    };
    let operations: Option<Vec<_>> = ran.stdout.lines().map(operation).collect();
    operations.map(Ok).with_context(|| format!("{machine} printed something else:\n{}", ran.stdout))
}

/// Flash of Olm and Megolm both ways, as the final user may build it.
fn opt_levels(project: &Project) -> Result<Table> {
    let mut table = Table::new(
        format!("flash of Olm and Megolm both ways in bytes, {TARGET}"),
        &["opt-level", "compact", "compact, tables", "default", "default, tables"],
    );
    for level in ["s", "z", "3"] {
        let mut row = vec![level.to_owned()];
        for backends in [COMPACT, DEFAULT] {
            for features in ["olm-megolm", "olm-megolm,tables"] {
                let variables = BTreeMap::from([("CARGO_PROFILE_RELEASE_OPT_LEVEL", level)]);
                let args = ["--features", features];
                let image =
                    match firmware::build_with(project, "firmware", TARGET, &args, backends, &variables)? {
                        Ok(path) => Image::measure(&std::fs::read(path)?)?,
                        Err(error) => bail!("the image does not link at opt-level {level}:\n{error}"),
                    };
                row.push(image.flash().to_string());
            }
        }
        table.row(row);
    }
    Ok(table)
}
