//! `bindgen MODULE.wasm FOLDER`: the JavaScript, the TypeScript declarations and the module without its descriptions,
//! for browsers and for Node.js: ES modules that take the bytes of the wasm from whoever loads them.

use std::{env, path::PathBuf};

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut words = env::args_os().skip(1).map(PathBuf::from);
    let (module, folder) = words.next().zip(words.next()).context("usage: bindgen MODULE.wasm FOLDER")?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("mx_wasm").typescript(true).remove_name_section(true);
    bindgen.omit_default_module_path(false).remove_producers_section(true).web(true)?.generate(folder)
}
