//! `size`: flash and RAM of firmware that links without an allocator, and bytes of modules for wasm.
//!
//! The link is the point: a library that needs an allocator compiles for bare metal all the same, only an image
//! without one fails. `test` therefore runs this, too; `--check` compares with docs/size.toml, which has the Cortex-M4 alone.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use anyhow::{Context as _, Result};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionFlags, elf};

use crate::{
    args::Args,
    firmware::{self, Backends, COMPACT, DEFAULT, FIRMWARE, MACHINES},
    project::Project,
    report::{Outcome, Report, Table},
    size_run, size_wasm,
};

const DOCUMENT: &str = "docs/size.toml";
pub(crate) const TARGET: &str = "thumbv7em-none-eabihf";

/// Growth beyond what docs/size.toml says that is still no failure: compilers differ a little.
const TOLERANCE_PERCENT: u64 = 2;

/// Exported symbols whose size is that of a type: `size_of:mx_olm::Session`.
const SIZE_OF: &str = "size_of:";

/// Builds of the images: how the final user may set the ciphers' backends.
const BACKENDS: &[Backends] = &[DEFAULT, COMPACT];

/// What must not be exceeded, whatever docs/size.toml says: bytes of flash on the Cortex-M4 with the compact backends.
const GOALS: &[(&str, u64)] =
    &[("flash.compact.megolm-decrypt", 40_000), ("flash.compact.olm-megolm", 64_000)];

/// A device in a room: its states together stay below 4 kB of RAM.
const DEVICE: &[&str] = &[
    "state.mx_olm::Account<8, 8>",
    "state.mx_olm::Session<8>",
    "state.mx_megolm::InboundGroupSession",
    "state.mx_megolm::OutboundGroupSession",
];
const MAX_DEVICE_RAM: u64 = 4_000;

/// Bytes by section of one linked image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Image {
    pub(crate) text: u64,
    pub(crate) rodata: u64,
    pub(crate) data: u64,
    pub(crate) bss: u64,
    /// Type -> `size_of`.
    pub(crate) states: BTreeMap<String, u64>,
}

/// Names -> bytes, as docs/size.toml has them.
type Sizes = BTreeMap<String, u64>;

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    if args.has("wasm") {
        return size_wasm::run(project);
    }
    if args.has("run") {
        return size_run::run(project);
    }
    // docs/size.toml has one target; who only looks sees all.
    let is_declared = args.has("check") || args.has("update");
    let mut targets: Vec<_> = MACHINES.iter().map(|(_, target)| *target).collect();
    targets.retain(|target| !is_declared || *target == TARGET);
    for target in &targets {
        if let Err(line) = project.add_target(target) {
            return Ok(Report::skipped(format!("the target {target} is missing; `{line}` installs it")));
        }
    }
    let declared = read(&project.read_toml(DOCUMENT).unwrap_or_default());
    let mut flash = Table::new(
        "flash in bytes, opt-level s, no allocator",
        &["target", "image", "backends", "text", "rodata", "data", "bss", "flash", "declared"],
    );
    let (mut sizes, mut notes, mut broken) = (Sizes::new(), Vec::new(), false);
    let images = images(project)?;
    let builds = targets.iter().flat_map(|target| images.iter().map(move |image| (*target, image)));
    for ((target, image), backends) in
        builds.flat_map(|build| BACKENDS.iter().map(move |backends| (build, *backends)))
    {
        let (backend, _) = backends;
        match build(project, image, target, backends)? {
            Ok(built) => {
                let key = format!("flash.{backend}.{image}");
                let Image { text, rodata, data, bss, .. } = built;
                let bytes = [text, rodata, data, bss, built.flash()].map(|bytes| bytes.to_string());
                let limit = declared.get(&key).filter(|_| target == TARGET);
                let limit = limit.map(u64::to_string).unwrap_or_default();
                let names = [target, image, backend].map(str::to_owned);
                flash.row([&names[..], &bytes[..], &[limit]].concat());
                if target == TARGET {
                    sizes.insert(key, built.flash());
                    let states = built.states.into_iter();
                    sizes.extend(states.map(|(name, bytes)| (format!("state.{name}"), bytes)));
                }
            }
            Err(error) => {
                notes.push(format!("{image} [{backend}] does not link for {target}:\n{error}"));
                broken = true;
            }
        }
    }
    let mut states = Table::new("bytes of a value in RAM, 32-bit", &["type", "size_of", "declared"]);
    for (key, bytes) in &sizes {
        if let Some(name) = key.strip_prefix("state.") {
            states.row([
                name.to_owned(),
                bytes.to_string(),
                declared.get(key).map(u64::to_string).unwrap_or_default(),
            ]);
        }
    }
    let mut modules = Table::new("bytes of modules for wasm, as linked", &["module", "bytes", "declared"]);
    match size_wasm::ours(project)? {
        Ok(measured) => sizes.extend(measured),
        Err(reason) => notes.push(format!("no modules for wasm: {reason}")),
    }
    for (key, bytes) in &sizes {
        if let Some(name) = key.strip_prefix("wasm.") {
            let declared = declared.get(key).map(u64::to_string).unwrap_or_default();
            modules.row([name.to_owned(), bytes.to_string(), declared]);
        }
    }
    let mut grown = grown(&declared, &sizes);
    grown.extend(exceeded(&sizes));
    if args.has("update") {
        std::fs::write(project.root.join(DOCUMENT), spell(&sizes))?;
    }
    let failed = broken || (args.has("check") && !grown.is_empty());
    if args.has("check") {
        notes.extend(grown);
    }
    Ok(Report::new(Outcome::of(!failed)).table(flash).table(states).table(modules).notes(notes))
}

/// The images are the firmware's features, but for that which only makes them faster.
fn images(project: &Project) -> Result<Vec<String>> {
    let manifest = project.read_toml(&format!("{FIRMWARE}/Cargo.toml"))?;
    let features =
        manifest.get("features").and_then(toml::Value::as_table).context("the firmware has features")?;
    Ok(features.keys().filter(|name| *name != "tables").cloned().collect())
}

fn build(project: &Project, image: &str, target: &str, backends: Backends) -> Result<Result<Image, String>> {
    let built = firmware::build(project, "firmware", target, &["--features", image], backends)?;
    let path = match built {
        Ok(path) => path,
        Err(error) => return Ok(Err(error)),
    };
    Image::read(&path).map(Ok)
}

impl Image {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::measure(&bytes)
    }

    fn measure(bytes: &[u8]) -> Result<Self> {
        let file = object::File::parse(bytes).context("the image is no ELF file")?;
        let mut image = Self::default();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
            let has = |flag: elf::SectionFlags| sh_flags.0 & flag.0 != 0;
            let in_file = section.file_range().is_some();
            match (has(elf::SHF_ALLOC), has(elf::SHF_EXECINSTR), has(elf::SHF_WRITE)) {
                (false, ..) => {}
                (true, true, _) => image.text += section.size(),
                (true, false, true) if in_file => image.data += section.size(),
                (true, false, true) => image.bss += section.size(),
                (true, false, false) => image.rodata += section.size(),
            }
        }
        for symbol in file.symbols() {
            if let Some(name) = symbol.name().ok().and_then(|name| name.strip_prefix(SIZE_OF)) {
                image.states.insert(name.to_owned(), symbol.size());
            }
        }
        Ok(image)
    }

    /// What lies in flash: code, constants, and the initial values of variables.
    pub(crate) const fn flash(&self) -> u64 {
        self.text + self.rodata + self.data
    }
}

/// What is larger than declared, or not declared at all.
fn grown(declared: &Sizes, found: &Sizes) -> Vec<String> {
    let judge = |(key, bytes): (&String, &u64)| match declared.get(key) {
        None => Some(format!("{key} is not in {DOCUMENT}")),
        Some(limit) if bytes * 100 > limit * (100 + TOLERANCE_PERCENT) => {
            Some(format!("{key} grew from {limit} to {bytes} bytes"))
        }
        Some(_) => None,
    };
    found.iter().filter_map(judge).collect()
}

/// Goals that are not reached.
fn exceeded(found: &Sizes) -> Vec<String> {
    let bytes = |key: &str| found.get(key).copied().unwrap_or_default();
    let device = DEVICE.iter().map(|key| bytes(key)).sum();
    let goals = GOALS.iter().chain(size_wasm::GOALS).map(|(key, goal)| (*key, bytes(key), *goal));
    let goals = goals.chain([("the state of a device in a room", device, MAX_DEVICE_RAM)]);
    let goals = goals.filter(|(_, bytes, goal)| bytes > goal);
    goals.map(|(what, bytes, goal)| format!("{what} has {bytes} bytes, {goal} is the limit")).collect()
}

fn read(document: &toml::Table) -> Sizes {
    let mut sizes = Sizes::new();
    let mut tables: Vec<_> = document.iter().map(|(key, value)| (key.clone(), value)).collect();
    while let Some((key, value)) = tables.pop() {
        match value {
            toml::Value::Table(table) => {
                tables.extend(table.iter().map(|(name, value)| (format!("{key}.{name}"), value)));
            }
            value => {
                sizes.extend(
                    value.as_integer().and_then(|bytes| u64::try_from(bytes).ok()).map(|bytes| (key, bytes)),
                );
            }
        }
    }
    sizes
}

fn spell(sizes: &Sizes) -> String {
    let mut text = format!(
        "# Bytes of the images of {FIRMWARE} for {TARGET} at opt-level s, and of public state types there; bytes of\n\
         # our modules of xtask/wasm-size for wasm, as the linker writes them.\n\
         # `cargo xtask size --check` fails where something grew by more than {TOLERANCE_PERCENT} %; `--update` rewrites.\n"
    );
    let mut group = "";
    for (key, bytes) in sizes {
        let (table, name) =
            key.split_at(key.rfind('.').filter(|_| !key.starts_with("state.")).unwrap_or("state".len()));
        if table != group {
            group = table;
            let _ = writeln!(text, "\n[{table}]");
        }
        let _ = writeln!(text, "\"{}\" = {bytes}", name.trim_start_matches('.'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(rows: &[(&str, u64)]) -> Sizes {
        rows.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let sizes = sizes(&[
            ("flash.compact.olm", 9),
            ("flash.default.base", 1),
            ("state.mx_olm::Session<8>", 720),
            ("wasm.a", 5),
        ]);
        assert_eq!(read(&spell(&sizes).parse().expect("is TOML")), sizes);
    }

    #[test]
    fn goals_are_for_the_compact_backends_and_for_a_whole_device() {
        assert!(
            exceeded(&sizes(&[("flash.compact.olm-megolm", 64_000), ("flash.default.all", 99_000)]))
                .is_empty()
        );
        assert_eq!(exceeded(&sizes(&[("flash.compact.olm-megolm", 64_001)])).len(), 1);
        assert_eq!(exceeded(&sizes(&[("wasm.both-ways", 65_537)])).len(), 1);
        let halves = DEVICE.iter().map(|key| (*key, 1_001)).collect::<Vec<_>>();
        assert_eq!(exceeded(&sizes(&halves)).len(), 1);
    }

    #[test]
    fn growth_beyond_the_tolerance_and_new_images_fail() {
        let declared = sizes(&[("flash.default.base", 1_000)]);
        assert!(grown(&declared, &sizes(&[("flash.default.base", 1_020)])).is_empty());
        assert_eq!(grown(&declared, &sizes(&[("flash.default.base", 1_021)])).len(), 1);
        assert_eq!(grown(&declared, &sizes(&[("flash.default.olm", 1)])).len(), 1);
    }
}
