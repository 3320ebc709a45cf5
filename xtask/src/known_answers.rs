//! `test --qemu`: every vector of the mechanism crates on the three machines, where `usize` has 32 bits and AES is bitsliced; and some
//! of crates that need an allocator, on one.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    thread::{self, ScopedJoinHandle},
};

use anyhow::{Context as _, Result, anyhow, bail};

use crate::{
    firmware::{self, COMPACT, DEFAULT},
    process::{Finished, capture},
    project::Project,
    qemu,
    report::{Outcome, Report, Table},
};

/// A part of the vectors: a feature of the package `vectors`, its groups, and how many there are of each. An image that runs
/// fewer has passed nothing, and one that runs more is not known here yet.
type Part = (&'static str, &'static [(&'static str, usize)]);

const PRIMITIVES: Part = (
    "primitives",
    &[
        ("known answers of mx-types", 7),
        ("known answers of mx-wire", 6),
        ("known answers of mx-curve25519", 2),
        ("known answers of mx-aes-sha2", 6),
        ("known answers of mx-olm", 1),
        ("X25519 of Wycheproof", 518),
        ("Ed25519 of Wycheproof", 151),
        ("signatures of the appendices", 1),
        ("HMAC of Wycheproof", 174),
        ("HKDF of Wycheproof", 83),
        ("AES-CBC of Wycheproof", 72),
    ],
);

const MECHANISMS: Part = (
    "mechanisms",
    &[
        ("Olm of libolm", 2),
        ("Megolm of libolm, ratchet", 3),
        ("Megolm of libolm", 4),
        ("attachments", 5),
        ("SAS flows", 20),
        ("SAS commitments", 1),
        ("QR codes", 10),
    ],
);

/// Of crates that need an allocator, in an image that has one. Their 32 bits are any machine's.
const DOCUMENTS: Part = (
    "documents",
    &[
        ("canonical JSON", 69),
        ("key backups", 5),
        ("key exports", 6),
        ("secret storage", 7),
        ("device keys", 2),
    ],
);

struct Image {
    machine: &'static str,
    target: &'static str,
    backends: firmware::Backends,
    parts: &'static [Part],
}

/// The slowest is built first, and runs while the others are built. A microbit's flash holds one part at a time; the
/// Cortex-M4 has the backends that come if nobody chooses.
const IMAGES: &[Image] = &[
    Image { machine: "microbit", target: "thumbv6m-none-eabi", backends: COMPACT, parts: &[PRIMITIVES] },
    Image { machine: "microbit", target: "thumbv6m-none-eabi", backends: COMPACT, parts: &[MECHANISMS] },
    Image {
        machine: "virt",
        target: "riscv32imac-unknown-none-elf",
        backends: COMPACT,
        parts: &[PRIMITIVES, MECHANISMS],
    },
    Image {
        machine: "mps2-an386",
        target: "thumbv7em-none-eabihf",
        backends: DEFAULT,
        parts: &[PRIMITIVES, MECHANISMS],
    },
    Image { machine: "mps2-an386", target: "thumbv7em-none-eabihf", backends: DEFAULT, parts: &[DOCUMENTS] },
];

pub(crate) fn run(project: &Project) -> Result<Report> {
    if let Err(line) = qemu::install(project) {
        return Ok(Report::skipped(format!("QEMU is missing; `{line}` installs it")));
    }
    for Image { target, .. } in IMAGES {
        if let Err(line) = project.add_target(target) {
            return Ok(Report::skipped(format!("the target {target} is missing; `{line}` installs it")));
        }
    }
    let mut table = Table::new("vectors that hold", &["machine", "group", "vectors"]);
    let mut wrong = Vec::new();
    for (Image { machine, parts, .. }, finished) in said(project)? {
        let said = Said::read(&finished);
        let expected = parts.iter().flat_map(|(_, groups)| *groups);
        for (group, _) in expected.clone() {
            let count = said.hold.get(*group).copied().unwrap_or_default();
            table.row([*machine, *group, &count.to_string()]);
        }
        wrong.extend(said.judge(expected).into_iter().map(|line| format!("{machine}: {line}")));
    }
    Ok(Report::new(Outcome::of(wrong.is_empty())).table(table).notes(wrong))
}

/// All that the images said.
fn said(project: &Project) -> Result<Vec<(&'static Image, Finished)>> {
    thread::scope(|scope| {
        let mut running = Vec::new();
        for image in IMAGES {
            let path = build(project, image)?;
            let run = scope.spawn(move || capture(&mut qemu::machine(project, image.machine, &path)));
            running.push((image, run));
        }
        let end = |(image, run): (&'static Image, ScopedJoinHandle<'_, Result<Finished>>)| {
            let finished = run.join().map_err(|_| anyhow!("nobody heard the {}", image.machine))?;
            Ok((image, finished?))
        };
        running.into_iter().map(end).collect()
    })
}

fn build(project: &Project, image: &Image) -> Result<PathBuf> {
    let features = image.parts.iter().map(|(feature, _)| *feature).collect::<Vec<_>>().join(",");
    let args = ["--package", "vectors", "--features", &features];
    match firmware::build(project, "vectors", image.target, &args, image.backends)? {
        Ok(path) => {
            // The next image for this target takes its place.
            let kept = path.with_file_name(format!("vectors-{}", features.replace(',', "-")));
            fs::copy(&path, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
            Ok(kept)
        }
        Err(error) => bail!("the vectors do not link for {}:\n{error}", image.target),
    }
}

/// What an image printed: a line for each vector with its group and its name, and the verdict behind it.
#[derive(Debug, Default)]
struct Said {
    hold: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Said {
    fn read(finished: &Finished) -> Self {
        let mut said = Self::default();
        let mut has_ended = false;
        for line in finished.stdout.lines() {
            match line.split('\t').collect::<Vec<_>>().as_slice() {
                [group, _, "holds"] => *said.hold.entry((*group).to_owned()).or_default() += 1,
                [group, name, "FAILS"] => said.wrong.push(format!("{group}, {name}: does not hold")),
                [group, name, _] => said.wrong.push(format!("{group}, {name}: the image ended in it")),
                ["end"] => has_ended = true,
                _ => said.wrong.push(format!("the image said something else: {line}")),
            }
        }
        if !has_ended || !finished.success {
            said.wrong.push(format!("the image did not reach its end\n{}", finished.stderr.trim_end()));
        }
        said
    }

    /// All that is not as expected.
    fn judge<'g>(self, expected: impl Iterator<Item = &'g (&'g str, usize)>) -> Vec<String> {
        let (mut hold, mut wrong) = (self.hold, self.wrong);
        for (group, count) in expected {
            let found = hold.remove(*group).unwrap_or_default();
            if found != *count {
                wrong.push(format!(
                    "{group}: {found} hold, {count} are expected (xtask/src/known_answers.rs)"
                ));
            }
        }
        wrong.extend(hold.into_keys().map(|group| format!("{group}: nobody expects that group")));
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(stdout: &str, success: bool) -> Vec<String> {
        let finished = Finished { success, stdout: stdout.to_owned(), stderr: String::new() };
        Said::read(&finished).judge([("a", 2), ("b", 1)].iter())
    }

    #[test]
    fn all_that_is_expected_and_the_end_pass() {
        assert!(judged("a\tone\tholds\na\ttwo\tholds\nb\tone\tholds\nend\n", true).is_empty());
    }

    #[test]
    fn what_fails_is_named() {
        let wrong = judged("a\tone\tholds\na\ttwo\tFAILS\nb\tone\tholds\nend\n", true);
        assert_eq!(wrong.len(), 2);
        assert_eq!(wrong[0], "a, two: does not hold");
        assert!(wrong[1].starts_with("a: 1 hold, 2 are expected"));
        let wrong = judged("a\tone\tholds\na\ttwo\tholds\nb\tone\t", false);
        assert_eq!(wrong[0], "b, one: the image ended in it");
    }

    #[test]
    fn too_few_too_many_and_no_end_are_told() {
        assert_eq!(judged("end\n", true).len(), 2);
        assert_eq!(judged("a\t\tholds\na\t\tholds\nb\t\tholds\nc\t\tholds\nend\n", true).len(), 1);
        assert_eq!(judged("a\t\tholds\na\t\tholds\nb\t\tholds\n", true).len(), 1);
        assert_eq!(judged("a\t\tholds\na\t\tholds\nb\t\tholds\nend\n", false).len(), 1);
    }
}
