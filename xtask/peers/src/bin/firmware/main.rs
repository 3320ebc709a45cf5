//! Firmware in QEMU that talks with vodozemac, while its power fails again and again.
//!
//! `cargo xtask test --qemu` builds the images and calls this with machines and paths.

mod conversation;
mod device;
mod flash;
mod machine;
#[path = "../../../../firmware/src/protocol.rs"]
#[allow(dead_code, reason = "what both sides are made from")]
mod protocol;

use std::{process::ExitCode, thread};

use self::machine::MACHINES;

const HELP: &str = "\
Lets firmware talk with vodozemac in QEMU and cuts its power where it saves its state.

Usage: firmware [--lasting] SEED MACHINE=IMAGE...

  --lasting  the power never fails
  SEED     what the devices' randomness and the cuts are drawn from: the same run again.
           vodozemac draws its keys from the system.
  MACHINE  mps2-an386, microbit or virt
  IMAGE    the device of xtask/firmware, built for it";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let lasting = words.next_if_eq("--lasting").is_some();
    let seed = words.next().and_then(|seed| seed.parse::<u64>().ok());
    let images: Option<Vec<_>> = words
        .map(|word| {
            let (name, image) = word.split_once('=')?;
            Some((MACHINES.iter().find(|machine| machine.name == name)?, image.to_owned()))
        })
        .collect();
    let (Some(seed), Some(images)) = (seed, images.filter(|images| !images.is_empty())) else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    println!("seed {seed}: the devices' randomness and the power cuts");
    let start = |(machine, image): (&'static machine::Machine, String)| {
        let name = machine.name;
        (
            name,
            thread::spawn(move || {
                conversation::hold(machine, &image, seed, !lasting).map_err(|error| error.to_string())
            }),
        )
    };
    let running: Vec<_> = images.into_iter().map(start).collect();
    let mut failed = false;
    for (name, conversation) in running {
        match conversation.join() {
            Ok(Ok(told)) => println!("ok      {name}: {told}"),
            Ok(Err(error)) => {
                println!("FAILED  {name}: {error}");
                failed = true;
            }
            Err(_) => {
                println!("FAILED  {name}: the host gave up");
                failed = true;
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
