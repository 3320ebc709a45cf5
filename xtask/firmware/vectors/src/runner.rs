//! Tells the host of each vector, before and after.

use core::fmt;

use firmware::link::Link;

pub struct Runner(Link);

impl Runner {
    pub const fn new(link: Link) -> Self {
        Self(link)
    }

    /// Runs a vector of the group. What it is called leaves first: should the image end in it, the host knows where.
    #[inline(never)]
    pub fn run(&mut self, group: &str, name: impl fmt::Display, vector: impl FnOnce() -> Option<()>) {
        self.say(format_args!("{group}\t{name}\t"));
        let holds = vector().is_some();
        self.say(format_args!("{}\n", if holds { "holds" } else { "FAILS" }));
    }

    pub fn end(mut self) {
        self.say(format_args!("end\n"));
    }

    fn say(&mut self, text: fmt::Arguments<'_>) {
        fmt::Write::write_fmt(&mut self.0, text).expect("the host is there");
    }
}
