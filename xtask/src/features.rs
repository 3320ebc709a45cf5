//! `features`: every feature set of each crate alone compiles, and what it pulls in is what
//! docs/dependencies.toml says. Cargo's unification hides both as long as crates are built together.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::{Context as _, Result, bail};

use crate::{
    args::Args,
    check,
    process::capture,
    project::{FeatureSet, Member, Project},
    report::{Outcome, Report, Table},
};

const DOCUMENT: &str = "docs/dependencies.toml";

/// What dependencies resolve to depends on the target; this one has nothing but `core` and `alloc`.
const TARGET: &str = "thumbv7em-none-eabihf";

/// Programs need an operating system. One is named, so that the document is the same wherever it is written.
const PROGRAM_TARGET: &str = "x86_64-unknown-linux-gnu";

/// Crates that hold secrets and wipe them only with their feature `zeroize`.
const WIPING: &[&str] =
    &["aes", "cbc", "ctr", "curve25519-dalek", "ed25519-dalek", "heapless", "hmac", "sha2", "x25519-dalek"];

/// A package in a build and the features that are on in it.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Package {
    name: String,
    features: Vec<String>,
}

/// What docs/dependencies.toml says of one crate.
#[derive(Debug, Default)]
struct Declared {
    needs_alloc: bool,
    /// Features that take something from the operating system, for hosts that ask for it.
    host_only: Vec<String>,
    /// Feature set -> packages with their features.
    resolved: BTreeMap<String, Vec<String>>,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    let mut declared = read(&project.read_toml(DOCUMENT)?)?;
    let mut table = Table::new("", &["crate", "features", "packages", "verdict"]);
    let (mut failed, mut details) = (false, Vec::new());
    for member in project.crates() {
        let sets = member.feature_sets();
        let entry = declared.entry(member.name.clone()).or_default();
        let mut resolved = BTreeMap::new();
        for set in &sets {
            let packages = packages(project, member, set)?;
            let mut problems = violations(&packages, set, entry, member.is_program);
            // What is written needs no compiler, and takes seconds without it.
            if !args.has("update")
                && let Err(error) = check::compiles_on_host(project, member, set)?
            {
                problems.push(format!("does not compile:\n{error}"));
            }
            let spelt: Vec<_> = packages.iter().map(Package::spell).collect();
            let is_end = Some(set) == sets.first() || Some(set) == sets.last();
            if is_end && !args.has("update") && entry.resolved.get(&set.label()) != Some(&spelt) {
                problems.push(difference(entry.resolved.get(&set.label()), &spelt));
            }
            if is_end {
                resolved.insert(set.label(), spelt);
            }
            failed |= !problems.is_empty();
            let verdict = if problems.is_empty() { "ok" } else { "RED" };
            table.row([&member.name, &set.label(), &packages.len().to_string(), verdict]);
            details.extend(
                problems.into_iter().map(|problem| format!("{} [{}] {problem}", member.name, set.label())),
            );
        }
        entry.resolved = resolved;
    }
    if args.has("update") {
        std::fs::write(project.root.join(DOCUMENT), spell(&declared))?;
        details.push(format!("{DOCUMENT} was rewritten: read the difference before it is committed"));
    }
    Ok(Report::new(Outcome::of(!failed)).table(table).notes(details))
}

/// The packages that are linked into a build of `member` alone: no build scripts, no procedural macros.
fn packages(project: &Project, member: &Member, set: &FeatureSet) -> Result<Vec<Package>> {
    let edges = ["tree", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}|{f}"];
    let mut command = project.cargo(edges);
    let target = if member.is_program { PROGRAM_TARGET } else { TARGET };
    command.args(["--target", target, "--package", &member.name]).args(set.args());
    let tree = capture(&mut command)?;
    if !tree.success {
        bail!("cargo tree failed\n{}", tree.stderr);
    }
    Ok(parse_tree(&tree.stdout))
}

/// Lines `name version (where)|feature,feature`, perhaps with ` (*)` for one that was shown before.
fn parse_tree(tree: &str) -> Vec<Package> {
    let package = |line: &str| {
        let (package, features) = line.trim_end_matches(" (*)").split_once('|')?;
        let mut features: Vec<_> = features.split(',').filter(|f| !f.is_empty()).map(str::to_owned).collect();
        features.sort();
        Some(Package { name: package.split_whitespace().next()?.to_owned(), features })
    };
    let mut packages: Vec<_> = tree.lines().filter_map(package).collect();
    packages.sort();
    packages.dedup();
    packages
}

/// What nobody asked for, and wiping that is off. A program draws its randomness from the system itself.
fn violations(packages: &[Package], set: &FeatureSet, declared: &Declared, is_program: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let for_hosts = is_program || set.has_any(&declared.host_only);
    let may_allocate = for_hosts || declared.needs_alloc || set.has("alloc");
    for package in packages {
        let name = &package.name;
        let has = |feature: &str| package.features.iter().any(|name| name == feature);
        if has("std") && !for_hosts {
            problems.push(format!("{name} has its feature std"));
        }
        if has("alloc") && !may_allocate {
            problems.push(format!("{name} has its feature alloc, which was not asked for"));
        }
        if has("precomputed-tables") && !is_program && !set.has("tables") {
            problems.push(format!("{name} has its tables, which were not asked for"));
        }
        if name == "rand" || (name == "getrandom" && !is_program) {
            problems.push(format!("{name} is in the build: randomness is the caller's"));
        }
        if WIPING.contains(&name.as_str()) && !has("zeroize") {
            problems.push(format!("{name} does not wipe its secrets: its feature zeroize is off"));
        }
    }
    problems
}

fn difference(declared: Option<&Vec<String>>, found: &[String]) -> String {
    let declared = declared.map(Vec::as_slice).unwrap_or_default();
    let missing =
        declared.iter().filter(|package| !found.contains(package)).map(|package| format!("- {package}"));
    let new =
        found.iter().filter(|package| !declared.contains(package)).map(|package| format!("+ {package}"));
    let lines: Vec<_> = missing.chain(new).collect();
    format!("is not what {DOCUMENT} says:\n  {}", lines.join("\n  "))
}

impl Package {
    fn spell(&self) -> String {
        if self.features.is_empty() {
            self.name.clone()
        } else {
            format!("{}: {}", self.name, self.features.join(" "))
        }
    }
}

/// The features of each crate that are for hosts only.
pub(crate) fn host_only(project: &Project) -> Result<BTreeMap<String, Vec<String>>> {
    let declared = read(&project.read_toml(DOCUMENT)?)?;
    Ok(declared.into_iter().map(|(name, entry)| (name, entry.host_only)).collect())
}

fn read(document: &toml::Table) -> Result<BTreeMap<String, Declared>> {
    let mut declared = BTreeMap::new();
    for (name, entry) in document {
        let entry = entry.as_table().with_context(|| format!("{DOCUMENT}: {name} is no table"))?;
        let needs_alloc = entry.get("needs_alloc").and_then(toml::Value::as_bool).unwrap_or(false);
        let texts =
            |list: &Vec<toml::Value>| list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        let lists = entry.iter().filter_map(|(key, value)| Some((key.clone(), texts(value.as_array()?))));
        let mut resolved: BTreeMap<String, Vec<String>> = lists.collect();
        let host_only = resolved.remove("host_only").unwrap_or_default();
        declared.insert(name.clone(), Declared { needs_alloc, host_only, resolved });
    }
    Ok(declared)
}

fn spell(declared: &BTreeMap<String, Declared>) -> String {
    let mut text = format!(
        "# What is linked into a build of each crate alone for {TARGET}, without features and with all:\n\
         # packages and the features that are on in them; of programs for {PROGRAM_TARGET}.\n\
         # `cargo xtask features` compares, `--update` rewrites.\n"
    );
    for (name, Declared { needs_alloc, host_only, resolved }) in declared {
        let _ = writeln!(text, "\n[{name}]");
        if *needs_alloc {
            text.push_str("needs_alloc = true\n");
        }
        if !host_only.is_empty() {
            let _ = writeln!(text, "host_only = {host_only:?}");
        }
        for (set, packages) in resolved {
            let _ = writeln!(text, "\"{set}\" = [");
            for package in packages {
                let _ = writeln!(text, "    \"{package}\",");
            }
            text.push_str("]\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "mx-x v0.1.0 (/r/crates/mx-x)|alloc\nsha2 v0.11.1|zeroize\nserde v1.0.0|derive,alloc\nsha2 v0.11.1|zeroize (*)\n";

    fn none() -> FeatureSet {
        FeatureSet::default()
    }

    fn package(name: &str, features: &[&str]) -> Package {
        Package { name: name.to_owned(), features: features.iter().map(|f| (*f).to_owned()).collect() }
    }

    #[test]
    fn the_tree_is_read_once_per_package() {
        let spelt: Vec<_> = parse_tree(TREE).iter().map(Package::spell).collect();
        assert_eq!(spelt, ["mx-x: alloc", "serde: alloc derive", "sha2: zeroize"]);
    }

    fn declared(needs_alloc: bool, host_only: &[&str]) -> Declared {
        let host_only = host_only.iter().map(|f| (*f).to_owned()).collect();
        Declared { needs_alloc, host_only, resolved: BTreeMap::new() }
    }

    #[test]
    fn attack_150_a_feature_that_nobody_asked_for_is_a_violation() {
        let plain = declared(false, &["simd"]);
        for bad in [
            package("serde", &["std"]),
            package("serde", &["alloc"]),
            package("curve25519-dalek", &["precomputed-tables", "zeroize"]),
            package("getrandom", &[]),
        ] {
            assert_eq!(violations(&[bad], &none(), &plain, false).len(), 1);
        }
        assert!(violations(&[package("serde", &["alloc"])], &none(), &declared(true, &[]), false).is_empty());
    }

    #[test]
    fn what_is_for_hosts_may_use_std_where_it_is_asked_for() {
        let simd = FeatureSet::of(&["simd"]);
        let package = || package("vsimd", &["alloc", "std"]);
        assert!(violations(&[package()], &simd, &declared(false, &["simd"]), false).is_empty());
        assert_eq!(violations(&[package()], &none(), &declared(false, &["simd"]), false).len(), 2);
        assert_eq!(violations(&[package()], &simd, &declared(false, &[]), false).len(), 2);
    }

    #[test]
    fn a_program_may_use_std_and_the_systems_randomness_but_not_rand() {
        let plain = declared(false, &[]);
        for good in [package("getrandom", &["std"]), package("serde", &["alloc", "std"])] {
            assert!(violations(&[good], &none(), &plain, true).is_empty());
        }
        assert_eq!(violations(&[package("rand", &[])], &none(), &plain, true).len(), 1);
        assert_eq!(violations(&[package("aes", &[])], &none(), &plain, true).len(), 1);
    }

    #[test]
    fn secrets_that_are_not_wiped_are_a_violation() {
        let plain = declared(false, &[]);
        for name in WIPING {
            assert_eq!(violations(&[package(name, &[])], &none(), &plain, false).len(), 1, "{name}");
            assert!(violations(&[package(name, &["zeroize"])], &none(), &plain, false).is_empty(), "{name}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let resolved = BTreeMap::from([("none".to_owned(), vec!["sha2: zeroize".to_owned()])]);
        let entry = Declared { resolved, ..declared(true, &["simd"]) };
        let written = spell(&BTreeMap::from([("mx-x".to_owned(), entry)]));
        let read = read(&written.parse().expect("is TOML")).expect("is well formed");
        assert!(read["mx-x"].needs_alloc);
        assert_eq!(read["mx-x"].host_only, ["simd"]);
        assert_eq!(read["mx-x"].resolved["none"], ["sha2: zeroize"]);
    }
}
