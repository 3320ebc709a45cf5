//! Takes one operation after another and tells what it took.

use core::hint::black_box;

use crate::{
    board::{Instructions, PaintedStack},
    link::Link,
};

#[derive(Debug)]
pub struct Meter(Link);

impl Meter {
    #[must_use]
    pub const fn new(link: Link) -> Self {
        Self(link)
    }

    /// Prints name, instructions and bytes of stack below this frame's.
    #[inline(never)]
    pub fn take<T>(&mut self, name: &str, operation: impl FnOnce() -> T) -> T {
        let stack = PaintedStack::paint();
        let instructions = Instructions::start();
        let result = black_box(call(operation));
        let count = instructions.count();
        self.0.print(format_args!("{name}\t{count}\t{}", stack.used()));
        result
    }
}

#[inline(never)]
fn call<T>(operation: impl FnOnce() -> T) -> T {
    operation()
}
