//! What its operations take: instructions and stack, as our own measuring image prints them; and bytes of its objects.

#![no_std]
#![no_main]

use firmware::{link::Link, meter::Meter};
use libolm::{copy_data, object::Kind, work};

firmware::start!(run);

struct Measured(Meter);

impl work::Take for Measured {
    fn take<T>(&mut self, name: &str, operation: impl FnOnce() -> T) -> T {
        self.0.take(name, operation)
    }
}

fn run() -> ! {
    // SAFETY: nothing of libolm's has run before.
    unsafe { copy_data() };
    let mut link = Link::open().expect("QEMU runs with semihosting");
    for kind in [Kind::Account, Kind::Session, Kind::InboundGroupSession, Kind::OutboundGroupSession] {
        link.print(format_args!("size\t{kind:?}\t{}", kind.size()));
    }
    work::run(&mut Measured(Meter::new(link)));
    semihosting::process::exit(0)
}
