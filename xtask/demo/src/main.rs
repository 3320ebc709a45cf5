//! The demonstration with our own crates on both sides. `cargo xtask demo --peer` has others in `xtask/peers`.

use std::process::ExitCode;

fn main() -> ExitCode {
    mx_demo::main(&mx_demo::ours::Ours, &[])
}
