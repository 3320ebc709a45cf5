//! `tidy`: the rules of this repository that no compiler knows.

use std::path::Path;

use anyhow::Result;

use crate::{
    args::Args,
    commands,
    project::{Member, Project},
    report::{Outcome, Report, Table},
    secrets,
    source::{Source, files, is_word},
};

/// Lines of library code, blank lines and comments apart, that one file may have.
const MAX_CODE_LINES: usize = 420;

const DOCUMENTS: &[&str] = &[
    "CONTRIBUTING.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "deny.toml",
    "docs/ARCHITECTURE.md",
    "docs/limits.md",
];

/// File names that say nothing.
const NAMELESS: &[&str] = &["common.rs", "helpers.rs", "misc.rs", "types.rs", "util.rs", "utils.rs"];

/// Words that have no place in library code, and why.
const BANNED: &[(&str, &str)] = &[
    ("unsafe", "no unsafe code in libraries"),
    ("todo!", "unfinished code"),
    ("unimplemented!", "unfinished code"),
    ("dbg!", "left from debugging"),
    ("println!", "libraries do not print"),
    ("eprintln!", "libraries do not print"),
    ("getrandom", "randomness is the caller's"),
    ("thread_rng", "randomness is the caller's"),
    ("OsRng", "randomness is the caller's"),
    ("SysRng", "randomness is the caller's"),
    ("SystemTime", "time is the caller's"),
];

/// What a program does that a library does not: it draws from the system, and looks at its clock.
const OF_PROGRAMS: &[&str] = &["getrandom", "SysRng", "SystemTime"];

/// Lints of the workspace that keep input from ending in a panic.
const PANIC_LINTS: &[&str] = &["indexing_slicing", "panic", "unwrap_used"];

/// Crates that no library may depend on.
const BANNED_DEPENDENCIES: &[&str] = &["getrandom", "rand", "rand_chacha"];

/// A rule broken at a place.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Finding {
    pub(crate) place: String,
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

pub(crate) fn run(project: &Project, _: &Args) -> Result<Report> {
    let mut findings = Vec::new();
    for document in DOCUMENTS.iter().filter(|document| !project.root.join(document).exists()) {
        findings.push(Finding::new(*document, "is missing"));
    }
    findings.extend(panic_lints(&project.read_toml("Cargo.toml")?));
    for member in project.libraries() {
        findings.extend(packaging(member));
        for path in files(&member.folder.join("src"), ".rs")? {
            let text = std::fs::read_to_string(&path)?;
            findings.extend(library_file(&place(project, &path), &text));
        }
    }
    for member in project.programs() {
        findings.extend(program_packaging(member));
        for path in files(&member.folder.join("src"), ".rs")? {
            let text = std::fs::read_to_string(&path)?;
            findings.extend(program_file(&place(project, &path), &text));
        }
    }
    for ending in [".rs", ".toml", ".md", "/run"] {
        for path in files(&project.root, ending)? {
            let text = std::fs::read_to_string(&path)?;
            findings.extend(outside(&place(project, &path), &text));
            if ending == ".md" {
                findings.extend(unknown_commands(&place(project, &path), &text));
            }
        }
    }
    let mut table = Table::new("", &["where", "what"]);
    let passed = findings.is_empty();
    for Finding { place, what } in findings {
        table.row([place, what]);
    }
    Ok(Report::new(Outcome::of(passed)).table(table))
}

fn place(project: &Project, path: &Path) -> String {
    path.strip_prefix(&project.root).unwrap_or(path).display().to_string()
}

/// The lints against panics are on for all; each crate takes the lints of the workspace, see [`packaging`].
fn panic_lints(manifest: &toml::Table) -> Vec<Finding> {
    let clippy = ["workspace", "lints", "clippy"];
    let clippy = clippy.iter().try_fold(manifest, |table, key| table.get(*key)?.as_table());
    let is_on = |lint: &&str| {
        clippy.is_some_and(|lints| lints.get(*lint).is_some_and(|level| level.as_str() != Some("allow")))
    };
    let off = PANIC_LINTS.iter().filter(|lint| !is_on(lint));
    off.map(|lint| Finding::new("Cargo.toml", format!("clippy::{lint} is off"))).collect()
}

/// What every library crate carries with it.
fn packaging(member: &Member) -> Vec<Finding> {
    let mut findings = package(member, "src/lib.rs");
    let mut expect = |holds: bool, what: &str| {
        if !holds {
            findings.push(Finding::new(&member.name, what));
        }
    };
    let root = std::fs::read_to_string(member.folder.join("src/lib.rs")).unwrap_or_default();
    expect(root.lines().any(|line| line == "#![no_std]"), "src/lib.rs lacks #![no_std]");
    expect(!member.features.iter().any(|feature| feature == "std"), "there is no feature std here");
    for banned in
        BANNED_DEPENDENCIES.iter().filter(|name| member.dependencies.iter().any(|used| used == *name))
    {
        expect(false, &format!("depends on {banned}: randomness is the caller's"));
    }
    findings
}

/// What every program carries with it.
fn program_packaging(member: &Member) -> Vec<Finding> {
    let mut findings = package(member, "src/main.rs");
    if member.dependencies.iter().any(|used| used == "rand") {
        findings.push(Finding::new(&member.name, "depends on rand: getrandom is the system's randomness"));
    }
    findings
}

/// What every published crate carries with it.
fn package(member: &Member, root: &str) -> Vec<Finding> {
    let read = |file: &str| std::fs::read_to_string(member.folder.join(file)).unwrap_or_default();
    let mut findings = Vec::new();
    let mut expect = |holds: bool, what: &str| {
        if !holds {
            findings.push(Finding::new(&member.name, what));
        }
    };
    let manifest = read("Cargo.toml");
    expect(
        read(root).contains("#![doc = include_str!(\"../README.md\")]"),
        &format!("{root} lacks its README as documentation"),
    );
    expect(
        manifest.contains("[lints]\nworkspace = true"),
        "Cargo.toml does not take the lints of the workspace",
    );
    expect(manifest.contains("license.workspace = true"), "Cargo.toml names no licence");
    expect(read("README.md").lines().count() > 20, "README.md says next to nothing");
    expect(!read("CHANGELOG.md").is_empty(), "CHANGELOG.md is missing");
    findings
}

/// What no source file of a library does.
fn library_file(file: &str, text: &str) -> Vec<Finding> {
    source_file(file, text, &[])
}

/// The same for programs. They do not print either: `println!` panics when its reader has left.
fn program_file(file: &str, text: &str) -> Vec<Finding> {
    source_file(file, text, OF_PROGRAMS)
}

fn source_file(file: &str, text: &str, allowed: &[&str]) -> Vec<Finding> {
    let source = Source::parse(text);
    let mut findings = Vec::new();
    let name = file.rsplit('/').next().unwrap_or(file);
    if NAMELESS.contains(&name) {
        findings.push(Finding::new(file, "a file is named for what is in it"));
    }
    let mut code_lines = 0;
    for (number, line) in source.library_code() {
        code_lines += usize::from(!line.trim().is_empty());
        for word in line.split_inclusive(|c| !is_word(c)) {
            // A macro is banned with its exclamation mark: a variable may be named `todo`.
            let name = word.trim_end_matches(|c| !is_word(c));
            let mut banned = BANNED.iter().filter(|(banned, _)| !allowed.contains(banned));
            if let Some((word, why)) = banned.find(|(banned, _)| *banned == name || *banned == word) {
                findings.push(Finding::new(format!("{file}:{number}"), format!("`{word}`: {why}")));
            }
        }
        if line.replace(' ', "").contains("rand::random") {
            findings
                .push(Finding::new(format!("{file}:{number}"), "`rand::random`: randomness is the caller's"));
        }
    }
    if code_lines > MAX_CODE_LINES {
        findings
            .push(Finding::new(file, format!("{code_lines} lines of code; {MAX_CODE_LINES} is the limit")));
    }
    findings.extend(unsorted_derives(file, &source));
    findings.extend(secrets::findings(file, &source));
    findings
}

fn unsorted_derives(file: &str, source: &Source) -> Vec<Finding> {
    let derives = source.library_code().filter_map(|(number, line)| {
        let names = line.trim().strip_prefix("#[derive(")?.strip_suffix(")]")?;
        let names: Vec<_> = names.split(',').map(str::trim).collect();
        (!names.is_sorted())
            .then(|| Finding::new(format!("{file}:{number}"), "derives stand in alphabetical order"))
    });
    derives.collect()
}

/// The build and the documents know nothing outside of the repository.
fn outside(file: &str, text: &str) -> Vec<Finding> {
    let places = [concat!("..", "/shared"), concat!("/work", "/")];
    let hits = text.lines().enumerate().filter(|(_, line)| places.iter().any(|place| line.contains(place)));
    hits.map(|(at, _)| {
        Finding::new(format!("{file}:{}", at + 1), "refers to a place outside of the repository")
    })
    .collect()
}

/// Documents name only commands that exist.
fn unknown_commands(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for (start, call) in line.match_indices("cargo xtask ") {
            let rest = &line[start + call.len()..];
            let word = rest.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
            if !word.is_empty() && word != "help" && commands::find(word).is_none() {
                findings.push(Finding::new(
                    format!("{file}:{}", at + 1),
                    format!("there is no `cargo xtask {word}`"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_finds(text: &str, expected: &str) {
        let findings = library_file("crates/x/src/a.rs", text);
        assert!(findings.iter().any(|finding| finding.what.contains(expected)), "{findings:?}");
    }

    #[test]
    fn attack_030_randomness_of_its_own_is_found_in_a_library() {
        assert_finds("fn f() -> u8 { rand::random() }", "rand::random");
        assert_finds("use getrandom::SysRng;", "getrandom");
        assert_finds("let r = rand::thread_rng();", "thread_rng");
        assert_finds("let r = OsRng;", "OsRng");
    }

    #[test]
    fn attack_148_a_lint_against_panics_that_is_off_is_found() {
        let manifest = |text: &str| text.parse::<toml::Table>().expect("is TOML");
        let on = "[workspace.lints.clippy]\nindexing_slicing = 'warn'\npanic = 'deny'\nunwrap_used = 'warn'";
        assert_eq!(panic_lints(&manifest(on)), []);
        assert_eq!(panic_lints(&manifest(&on.replace("deny", "allow"))).len(), 1);
        assert_eq!(panic_lints(&manifest("")).len(), PANIC_LINTS.len());
    }

    #[test]
    fn unfinished_and_unsafe_code_is_found() {
        assert_finds("fn f() { todo!() }", "todo");
        assert_finds("fn f() { unsafe { g() } }", "unsafe");
        assert_finds("fn f() { println!(\"x\") }", "println");
        assert_finds("#[derive(Debug, Clone)]\nstruct A;", "alphabetical");
        assert_finds(&"f();\n".repeat(MAX_CODE_LINES + 1), "lines of code");
    }

    #[test]
    fn words_in_comments_strings_and_tests_are_no_code() {
        let text = "// unsafe todo!()\nlet todo = \"unsafe\";\n#[cfg(test)]\nmod tests {\n    fn a() { println!(); }\n}\n";
        assert_eq!(library_file("crates/x/src/a.rs", text), []);
        assert_eq!(library_file("crates/x/src/a.rs", &"// f();\n\n".repeat(MAX_CODE_LINES + 1)), []);
    }

    #[test]
    fn a_program_draws_from_the_system_but_does_not_print() {
        assert_eq!(program_file("crates/x/src/a.rs", "use getrandom::SysRng;"), []);
        assert_eq!(program_file("crates/x/src/a.rs", "println!();").len(), 1);
        assert_eq!(program_file("crates/x/src/a.rs", "let r = thread_rng();").len(), 1);
    }

    #[test]
    fn nameless_files_are_found() {
        assert_eq!(library_file("crates/x/src/utils.rs", "").len(), 1);
    }

    #[test]
    fn documents_name_commands_that_exist() {
        assert_eq!(
            unknown_commands("a.md", "run `cargo xtask test` and `cargo xtask`, or cargo xtask COMMAND"),
            []
        );
        assert_eq!(unknown_commands("a.md", "\nrun `cargo xtask tset`").len(), 1);
    }

    #[test]
    fn places_outside_are_found() {
        assert_eq!(outside("a.rs", &format!("\ninclude_str!(\"{}/x\")", concat!("..", "/shared"))).len(), 1);
    }
}
