//! A device in a room, whole: account, Olm sessions in both directions, group sessions in both directions, all of it
//! saved to flash before anything leaves. `cargo xtask test --qemu` lets it talk with vodozemac and cuts its power.

#![no_std]
#![no_main]

mod device;
mod fields;
mod keys;
mod messages;
mod store;

use firmware::{
    board::PaintedStack,
    link::Link,
    protocol::{MAX_REQUEST_LEN, from_device},
};

use crate::device::Device;

firmware::start!(run);

fn run() -> ! {
    let stack = PaintedStack::paint();
    let mut link = Link::open().expect("QEMU runs with semihosting");
    let mut device = Device::new();
    device.load(&mut link);
    link.send(from_device::READY, &[]);
    let mut buffer = [0; MAX_REQUEST_LEN];
    loop {
        let request = link.receive(&mut buffer);
        match device.serve(&mut link, &stack, request) {
            Ok(()) => link.send(from_device::DONE, &[device.answer()]),
            Err(reason) => link.send(from_device::REFUSED, &[reason.as_bytes()]),
        }
    }
}
