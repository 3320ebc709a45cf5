//! Links for the machine of QEMU that the target stands for, whatever the folder that cargo was called from.

use std::{env, fs, path::PathBuf};

/// Target, start and length of flash, start and length of RAM.
const MACHINES: &[(&str, &str)] = &[
    // mps2-an386: a Cortex-M4 with its FPU.
    (
        "thumbv7em-none-eabihf",
        "FLASH : ORIGIN = 0x00000000, LENGTH = 1M RAM : ORIGIN = 0x20000000, LENGTH = 512K",
    ),
    // microbit: a Cortex-M0 in the memories of an nRF51822.
    (
        "thumbv6m-none-eabi",
        "FLASH : ORIGIN = 0x00000000, LENGTH = 256K RAM : ORIGIN = 0x20000000, LENGTH = 16K",
    ),
    // virt: its RAM is cut in two, because its flash is not where it starts.
    (
        "riscv32imac-unknown-none-elf",
        "FLASH : ORIGIN = 0x80000000, LENGTH = 1M RAM : ORIGIN = 0x80100000, LENGTH = 64K",
    ),
];

fn main() {
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let target = variable("TARGET");
    let machine = MACHINES.iter().find(|(name, _)| *name == target);
    let (_, memory) = machine.unwrap_or_else(|| panic!("there is no machine for {target}"));
    let out = PathBuf::from(variable("OUT_DIR"));
    fs::write(out.join("memory.x"), format!("MEMORY {{ {memory} }}\n")).expect("the folder is cargo's");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=layout.ld");
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-T{}/layout.ld", variable("CARGO_MANIFEST_DIR"));
    println!("cargo::rustc-link-arg-bins=--gc-sections");
}
