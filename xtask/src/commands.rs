//! The commands: their names, arguments and one line of help each.

use anyhow::Result;

use crate::{
    args::Args, attacks, check, ci, conformance, deny, doc, features, fuzz, homeserver, layers, lint, memory,
    msrv, peers, project::Project, report::Report, size, test, tidy, wasm, web,
};

pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) usage: &'static str,
    about: &'static str,
    pub(crate) grammar: Grammar,
    pub(crate) run: fn(&Project, &Args) -> Result<Report>,
}

/// What a command takes after its name.
pub(crate) enum Grammar {
    /// These flags, these flags with a value, and perhaps plain words.
    Own { flags: &'static [&'static str], values: &'static [&'static str], words: bool },
    /// Everything, for the program that it starts.
    Forwarded,
}

const PLAIN: Grammar = Grammar::Own { flags: &[], values: &[], words: false };

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        usage: "[--peer vodozemac|libolm] [--file PATH] [--json]",
        about: "the main job, narrated: Alice and Bob exchange keys, verify each other and talk",
        grammar: Grammar::Forwarded,
        run: peers::demo,
    },
    Command {
        name: "test",
        usage: "[CRATE...] [--no-interop] | --qemu",
        about: "everything that must hold: tests, no_std builds, interop, homeserver; --qemu: firmware runs",
        grammar: Grammar::Own { flags: &["no-interop", "qemu"], values: &[], words: true },
        run: test::run,
    },
    Command {
        name: "lint",
        usage: "",
        about: "rustfmt, clippy and rustdoc, warnings denied",
        grammar: PLAIN,
        run: lint::run,
    },
    Command {
        name: "tidy",
        usage: "",
        about: "the rules of this repository",
        grammar: PLAIN,
        run: tidy::run,
    },
    Command {
        name: "layers",
        usage: "",
        about: "arrows between crates against the table in docs/ARCHITECTURE.md",
        grammar: PLAIN,
        run: layers::run,
    },
    Command {
        name: "features",
        usage: "[--update]",
        about: "every feature set of each crate alone, and what it resolves to (docs/dependencies.toml)",
        grammar: Grammar::Own { flags: &["update"], values: &[], words: false },
        run: features::run,
    },
    Command {
        name: "msrv",
        usage: "",
        about: "every crate on the oldest toolchain that Cargo.toml promises",
        grammar: PLAIN,
        run: msrv::run,
    },
    Command {
        name: "deny",
        usage: "",
        about: "licences, bans and sources of dependencies (cargo-deny)",
        grammar: PLAIN,
        run: deny::run,
    },
    Command {
        name: "check",
        usage: "[--target T]",
        about: "crate x target x feature set as a table",
        grammar: Grammar::Own { flags: &[], values: &["target"], words: false },
        run: check::run,
    },
    Command {
        name: "conformance",
        usage: "",
        about: "every requirement, the tests that show it, and what is not covered",
        grammar: PLAIN,
        run: conformance::run,
    },
    Command {
        name: "attacks",
        usage: "",
        about: "the attack catalogue: refused, documented only, missing",
        grammar: PLAIN,
        run: attacks::run,
    },
    Command {
        name: "interop",
        usage: "[--quick] [--seed N] [--only TEXT]",
        about: "live cross-talk with vodozemac, libolm, ruma and matrix-sdk-crypto, both directions",
        grammar: Grammar::Forwarded,
        run: peers::interop,
    },
    Command {
        name: "vectors",
        usage: "[--check]",
        about: "known answers for other implementations, made or confirmed by the peers (docs/vectors)",
        grammar: Grammar::Own { flags: &["check"], values: &[], words: false },
        run: peers::vectors,
    },
    Command {
        name: "homeserver",
        usage: "[--keep]",
        about: "our crates against Synapse, installed from PyPI; --keep leaves it running for you",
        grammar: Grammar::Own { flags: &["keep"], values: &[], words: false },
        run: homeserver::run,
    },
    Command {
        name: "bench",
        usage: "[--peers] [--json]",
        about: "our crates and the peers on the same work, with the ratio",
        grammar: Grammar::Forwarded,
        run: peers::bench,
    },
    Command {
        name: "memory",
        usage: "",
        about: "stale secrets, allocations, and branches on secrets (valgrind)",
        grammar: PLAIN,
        run: memory::run,
    },
    Command {
        name: "size",
        usage: "[--check | --update | --run | --wasm]",
        about: "firmware and wasm in bytes (docs/size.toml); --run: instructions, stack, libolm; --wasm: peers",
        grammar: Grammar::Own { flags: &["check", "run", "update", "wasm"], values: &[], words: false },
        run: size::run,
    },
    Command {
        name: "wasm",
        usage: "[--events | --test]",
        about: "the npm package of mx-wasm, --events: with exported events; --test: its tests in Node.js",
        grammar: Grammar::Own { flags: &["events", "test"], values: &[], words: false },
        run: wasm::run,
    },
    Command {
        name: "web",
        usage: "[--port N | --test [--quick]]",
        about: "the page of docs/web, built and served to this machine; --test: in headless Chromium",
        grammar: Grammar::Own { flags: &["test", "quick"], values: &["port"], words: false },
        run: web::run,
    },
    Command {
        name: "fuzz",
        usage: "[TARGET] [--time SECONDS]",
        about: "fuzz one target, or each in turn (libFuzzer)",
        grammar: Grammar::Own { flags: &[], values: &["time"], words: true },
        run: fuzz::run,
    },
    Command {
        name: "doc",
        usage: "[--open]",
        about: "the documentation as docs.rs builds it",
        grammar: Grammar::Own { flags: &["open"], values: &[], words: false },
        run: doc::run,
    },
    Command { name: "ci", usage: "", about: "everything that gates", grammar: PLAIN, run: ci::run },
];

pub(crate) fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

pub(crate) fn names() -> Vec<&'static str> {
    COMMANDS.iter().map(|command| command.name).collect()
}

/// One screen.
pub(crate) fn help() -> String {
    let mut text = "cargo xtask COMMAND\n\n".to_owned();
    for Command { name, about, usage, .. } in COMMANDS {
        text.push_str(&format!("  {name:<12} {about}\n"));
        if !usage.is_empty() {
            text.push_str(&format!("  {:<12}   {usage}\n", ""));
        }
    }
    text.push_str(
        "\nCommands take --json, work from any folder of the repository, and say what to install where a tool\n\
         is missing: the step then reads `skipped`, never `passed`.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_fits_one_screen_and_names_every_command() {
        let help = help();
        assert!(help.lines().count() <= 40, "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 110), "{help}");
        for name in names() {
            assert!(help.contains(&format!("  {name} ")), "{name} is not in the help");
        }
    }

    #[test]
    fn no_two_commands_share_a_name() {
        let mut names = names();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
