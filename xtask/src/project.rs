//! The workspace as `cargo metadata` sees it, and the toolchain that it is built with.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::{capture, succeeds};

/// The repository.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    /// Standard output is for JSON only.
    pub(crate) json: bool,
    members: Vec<Member>,
}

/// One package of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// Declared features but `default`, sorted.
    pub(crate) features: Vec<String>,
    /// Names of its normal dependencies.
    pub(crate) dependencies: Vec<String>,
    /// Oldest toolchain that it promises, as Cargo.toml writes it.
    pub(crate) rust_version: String,
    /// It is no library: it runs on hosts, with an operating system.
    pub(crate) is_program: bool,
}

/// Targets without an operating system, and the two of wasm.
pub(crate) const TARGETS: &[&str] = &[
    "thumbv6m-none-eabi",
    "thumbv7em-none-eabihf",
    "riscv32imac-unknown-none-elf",
    "wasm32-unknown-unknown",
    "wasm32-wasip1",
];

impl Project {
    pub(crate) fn open(json: bool) -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = manifest.parent().context("xtask lies in the workspace")?.to_owned();
        let mut project = Self { root, json, members: Vec::new() };
        let metadata = capture(&mut project.cargo(["metadata", "--format-version=1", "--no-deps"]))?;
        if !metadata.success {
            bail!("cargo metadata failed\n{}", metadata.stderr);
        }
        let metadata: Value = serde_json::from_str(&metadata.stdout).context("cargo metadata is JSON")?;
        let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
        project.members = packages.iter().map(Member::from_metadata).collect::<Result<_>>()?;
        project.members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(project)
    }

    /// The library crates under crates/.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = &Member> {
        self.crates().filter(|member| !member.is_program)
    }

    /// The programs under crates/.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &Member> {
        self.crates().filter(|member| member.is_program)
    }

    /// What is published: everything under crates/.
    pub(crate) fn crates(&self) -> impl Iterator<Item = &Member> {
        let crates = self.root.join("crates");
        self.members.iter().filter(move |member| member.folder.starts_with(&crates))
    }

    /// The unpublished tools of the workspace.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &Member> {
        let crates = self.root.join("crates");
        self.members.iter().filter(move |member| !member.folder.starts_with(&crates))
    }

    /// A file's text by its path from the root.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Result<String> {
        let path = self.root.join(path);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// A table of docs/, parsed.
    pub(crate) fn read_toml(&self, path: &str) -> Result<toml::Table> {
        self.read(path)?.parse().with_context(|| format!("{path} is not TOML"))
    }

    /// Makes a Rust target available, through rustup where it is missing. The error is the line to run.
    pub(crate) fn add_target(&self, target: &str) -> Result<(), String> {
        self.add_target_of(&self.toolchain(), target)
    }

    /// The same for a named toolchain; an empty name is the one in use.
    pub(crate) fn add_target_of(&self, toolchain: &str, target: &str) -> Result<(), String> {
        let named = |words: &[&str]| {
            let mut command = self.program("rustup");
            command.args(words);
            if !toolchain.is_empty() {
                command.args(["--toolchain", toolchain]);
            }
            command
        };
        let installed = capture(&mut named(&["target", "list", "--installed"]));
        if installed.is_ok_and(|installed| installed.stdout.lines().any(|line| line == target)) {
            return Ok(());
        }
        if succeeds(&mut named(&["target", "add", target])) {
            return Ok(());
        }
        let sysroot =
            capture(self.program("rustc").args(["--print", "sysroot"])).map(|o| o.stdout).unwrap_or_default();
        if toolchain.is_empty() && Path::new(sysroot.trim()).join("lib/rustlib").join(target).exists() {
            return Ok(());
        }
        Err(format!("rustup target add {target}"))
    }

    /// The toolchain that runs this command, empty where rustup is not in play.
    fn toolchain(&self) -> String {
        std::env::var("RUSTUP_TOOLCHAIN").unwrap_or_default()
    }
}

impl Member {
    fn from_metadata(package: &Value) -> Result<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let manifest = text(&package["manifest_path"]).context("a package has a manifest")?;
        let dependencies = package["dependencies"].as_array().context("a package has dependencies")?;
        let normal = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
        let features = package["features"].as_object().context("a package has features")?;
        let targets = package["targets"].as_array().context("a package has targets")?;
        let has = |kind: &str| targets.iter().any(|target| target["kind"][0] == kind);
        Ok(Self {
            name: text(&package["name"]).context("a package has a name")?,
            folder: Path::new(&manifest).parent().context("a manifest lies in a folder")?.to_owned(),
            features: features.keys().filter(|name| *name != "default").cloned().collect(),
            dependencies: normal.filter_map(|dependency| text(&dependency["name"])).collect(),
            rust_version: text(&package["rust_version"]).unwrap_or_default(),
            is_program: has("bin") && !has("lib"),
        })
    }

    /// Every set of features, from none to all.
    pub(crate) fn feature_sets(&self) -> Vec<FeatureSet> {
        let sets = 0..1_usize << self.features.len();
        let chosen = |set: usize| self.features.iter().enumerate().filter(move |(at, _)| set >> at & 1 == 1);
        let mut sets: Vec<_> =
            sets.map(|set| FeatureSet(chosen(set).map(|(_, name)| name.clone()).collect())).collect();
        sets.sort_by_key(|set| set.0.len());
        sets
    }
}

/// Features that are on together.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct FeatureSet(Vec<String>);

impl FeatureSet {
    pub(crate) fn has(&self, feature: &str) -> bool {
        self.0.iter().any(|name| name == feature)
    }

    pub(crate) fn has_any(&self, features: &[String]) -> bool {
        features.iter().any(|feature| self.has(feature))
    }

    #[cfg(test)]
    pub(crate) fn of(features: &[&str]) -> Self {
        Self(features.iter().map(|feature| (*feature).to_owned()).collect())
    }

    /// As cargo's arguments; what is not named is off.
    pub(crate) fn args(&self) -> Vec<String> {
        let mut args = vec!["--no-default-features".to_owned()];
        if !self.0.is_empty() {
            args.push(format!("--features={}", self.0.join(",")));
        }
        args
    }

    pub(crate) fn label(&self) -> String {
        if self.0.is_empty() { "none".to_owned() } else { self.0.join(" ") }
    }
}

/// Counts words, for tables that sum up.
pub(crate) fn tally<T: Ord>(words: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(features: &[&str]) -> Member {
        Member {
            name: "mx-x".to_owned(),
            folder: PathBuf::new(),
            features: features.iter().map(|f| (*f).to_owned()).collect(),
            dependencies: Vec::new(),
            rust_version: String::new(),
            is_program: false,
        }
    }

    #[test]
    fn feature_sets_are_the_powerset_smallest_first() {
        let labels: Vec<_> =
            member(&["alloc", "serde"]).feature_sets().iter().map(FeatureSet::label).collect();
        assert_eq!(labels, ["none", "alloc", "serde", "alloc serde"]);
        assert_eq!(member(&[]).feature_sets().len(), 1);
    }

    #[test]
    fn a_feature_set_turns_defaults_off() {
        let sets = member(&["alloc", "serde"]).feature_sets();
        assert_eq!(sets[0].args(), ["--no-default-features"]);
        assert_eq!(sets[3].args(), ["--no-default-features", "--features=alloc,serde"]);
    }
}
