//! Compiles libolm for the Cortex-M4, from the sources that `cargo xtask size --run` names, and links it.

use std::{env, fs, path::Path, process::Command};

const SOURCES: &[&str] = &[
    "src/account.cpp",
    "src/base64.cpp",
    "src/cipher.cpp",
    "src/crypto.cpp",
    "src/memory.cpp",
    "src/message.cpp",
    "src/olm.cpp",
    "src/pickle.cpp",
    "src/ratchet.cpp",
    "src/session.cpp",
    "src/utility.cpp",
    "src/ed25519.c",
    "src/error.c",
    "src/inbound_group_session.c",
    "src/megolm.c",
    "src/outbound_group_session.c",
    "src/pickle_encoding.c",
    "lib/crypto-algorithms/aes.c",
    "lib/crypto-algorithms/sha256.c",
    "lib/curve25519-donna/curve25519-donna.c",
];

const MACHINE: &[&str] = &["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"];

/// Members of newlib.
const MEMORY_FUNCTIONS: &[&str] = &["lib_a-memcpy.o", "lib_a-memmove.o", "lib_a-memset.o"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBOLM_SOURCES");
    // Who only checks this package needs neither the sources nor the compiler.
    let Ok(sources) = env::var("LIBOLM_SOURCES") else { return };
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let out = variable("OUT_DIR");
    // A header of libolm's includes <iostream> and uses nothing of it; the real one brings locales and streams.
    let stub = Path::new(&out).join("include");
    fs::create_dir_all(&stub)
        .and_then(|()| fs::write(stub.join("iostream"), ""))
        .expect("the folder is cargo's");

    let archive = format!("{out}/libolm.a");
    let mut objects = Vec::new();
    for source in SOURCES {
        let object = format!("{out}/{}.o", source.replace('/', "-"));
        let is_cpp = source.ends_with(".cpp");
        let mut command = Command::new(if is_cpp { "arm-none-eabi-g++" } else { "arm-none-eabi-gcc" });
        command.args(MACHINE).args(["-ffunction-sections", "-fdata-sections", "-DNDEBUG", "-w", "-Os"]);
        // There `uint32_t` is a long, which libolm takes for an unsigned int.
        let dialect: &[&str] = if is_cpp {
            &["-std=c++11", "-fpermissive", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"]
        } else {
            &["-std=gnu99"]
        };
        command.args(dialect).arg("-I").arg(&stub).args(["-I", &format!("{sources}/include")]);
        command.args(["-I", &format!("{sources}/lib")]);
        command.args(["-DOLMLIB_VERSION_MAJOR=3", "-DOLMLIB_VERSION_MINOR=2", "-DOLMLIB_VERSION_PATCH=7"]);
        run(command.args(["-c", &format!("{sources}/{source}"), "-o", &object]));
        objects.push(object);
    }
    let _ = fs::remove_file(&archive);
    run(Command::new("arm-none-eabi-ar").args(["rcs", &archive]).args(&objects));

    // gcc would take these from newlib; as objects they go before what comes with Rust, which is slower here.
    let newlib = path_of("libc_nano.a");
    run(Command::new("arm-none-eabi-ar").current_dir(&out).args(["x", &newlib]).args(MEMORY_FUNCTIONS));
    for object in MEMORY_FUNCTIONS {
        println!("cargo::rustc-link-arg-bins={out}/{object}");
    }
    println!("cargo::rustc-link-arg-bins={archive}");
    for library in ["libstdc++_nano.a", "libc_nano.a", "libgcc.a"] {
        println!("cargo::rustc-link-arg-bins={}", path_of(library));
    }
    println!("cargo::rustc-link-arg-bins=-T{}/layout.ld", variable("CARGO_MANIFEST_DIR"));
    println!("cargo::rustc-link-arg-bins=--gc-sections");
    println!("cargo::rerun-if-changed=layout.ld");
}

/// Where the compiler has a library for this machine.
fn path_of(library: &str) -> String {
    let option = format!("-print-file-name={library}");
    run(Command::new("arm-none-eabi-gcc").args(MACHINE).arg(option)).trim().to_owned()
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
