//! Links libolm when the feature of that name is on.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_LIBOLM").is_some() {
        println!("cargo:rustc-link-lib=olm");
    }
}
