//! The demonstration with another implementation on Bob's side.

use std::process::ExitCode;

use mx_demo::Peer;
use mx_peers::vodozemac::Vodozemac;

fn main() -> ExitCode {
    let vodozemac = Peer { name: "vodozemac", implementation: Ok(Box::new(Vodozemac)) };
    #[cfg(feature = "libolm")]
    let libolm = Peer { name: "libolm", implementation: Ok(Box::new(mx_peers::libolm::Libolm)) };
    #[cfg(not(feature = "libolm"))]
    let libolm =
        Peer { name: "libolm", implementation: Err("libolm is not installed: apt-get install libolm-dev") };
    mx_demo::main(&mx_demo::ours::Ours, &[vodozemac, libolm])
}
