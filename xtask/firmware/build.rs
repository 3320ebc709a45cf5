//! Links by layout.ld, whatever the folder that cargo was called from.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where the manifest lies");
    println!("cargo::rerun-if-changed=layout.ld");
    println!("cargo::rustc-link-arg-bins=-T{folder}/layout.ld");
    println!("cargo::rustc-link-arg-bins=--gc-sections");
}
