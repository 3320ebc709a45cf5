//! Inputs on which matrix-sdk-crypto and ours differ, each really given to both, with the requirement that we follow.

use crate::{
    differences::{Verdict, verdict},
    report::{Report, expect},
};

/// Collects the verdicts.
#[derive(Debug, Default)]
pub struct Differences {
    lines: Vec<String>,
}

impl Differences {
    /// One input, given to ours and to theirs. `accepted` is what the requirement says.
    pub fn case(
        &mut self,
        report: &mut Report,
        (requirement, name): (&str, &str),
        accepted: bool,
        ours: &dyn Fn() -> Verdict,
        theirs: &dyn Fn() -> Verdict,
    ) {
        if !report.wants(name) {
            return;
        }
        let (ours, theirs) = (verdict(ours), verdict(theirs));
        let wanted = if accepted { "accepts" } else { "refuses" };
        report.quiet_check(name, || {
            expect(ours == wanted, &format!("{requirement} wants that ours {wanted}, it {ours}"))
        });
        if ours != theirs {
            self.lines.push(format!("  {requirement:<8} {name:<64} {ours:<16} {theirs}"));
        }
    }

    /// The table.
    pub fn print(&self) {
        println!("  {:<8} {:<64} {:<16} matrix-sdk-crypto", "", "input", "ours");
        self.lines.iter().for_each(|line| println!("{line}"));
    }
}
