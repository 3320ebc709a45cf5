//! The table: work, ours, peer, ratio, target, reached.

use serde_json::json;

use crate::measure::{Case, seconds};

/// Our side of a piece of work, and who else does it.
pub struct Row<'c> {
    pub work: &'static str,
    /// How many times as fast as the first peer we want to be; a curve-bound one may come later.
    pub target: f64,
    pub ours: Case<'c>,
    pub peers: Vec<(&'static str, Case<'c>)>,
}

/// What was measured, in seconds.
struct Measured {
    work: &'static str,
    target: Option<f64>,
    ours: f64,
    peer: &'static str,
    theirs: f64,
}

/// Measures rows and prints them.
pub struct Table {
    json: bool,
    only: Option<String>,
    rows: Vec<Measured>,
}

impl Table {
    pub fn new(json: bool, only: Option<String>) -> Self {
        if !json {
            let [work, ours, peer, who, ratio, target] = ["work", "ours", "peer", "", "ratio", "target"];
            println!("{work:<44} {ours:>10} {peer:>10} {who:<11} {ratio:>7} {target:>7}  reached");
        }
        Self { json, only, rows: Vec::new() }
    }

    /// Measures one piece of work, all contenders in turns. The target counts for the first peer.
    pub fn row(&mut self, row: Row<'_>) {
        let Row { work, target, ours, peers } = row;
        if self.only.as_ref().is_some_and(|only| !work.to_lowercase().contains(only)) {
            return;
        }
        let (names, cases): (Vec<_>, Vec<_>) = peers.into_iter().unzip();
        let mut contenders = vec![ours];
        contenders.extend(cases);
        let times = seconds(&mut contenders);
        for (place, peer) in names.into_iter().enumerate() {
            let target = (place == 0).then_some(target);
            let measured = Measured { work, target, ours: times[0], peer, theirs: times[place + 1] };
            if !self.json {
                println!("{}", measured.line());
            }
            self.rows.push(measured);
        }
    }

    /// The last lines, or all of it as JSON. True when every target was reached.
    pub fn close(&self) -> bool {
        let with_target = || self.rows.iter().filter(|row| row.target.is_some());
        let (all, reached) = (with_target().count(), with_target().filter(|row| row.reached()).count());
        if self.json {
            println!("{}", json!({ "rows": self.rows.iter().map(Measured::json).collect::<Vec<_>>() }));
        } else {
            println!(
                "\n{reached} of {all} targets reached. CPU time of the thread, median of several rounds."
            );
        }
        reached == all
    }
}

impl Measured {
    fn ratio(&self) -> f64 {
        self.theirs / self.ours
    }

    fn reached(&self) -> bool {
        self.target.is_some_and(|target| self.ratio() >= target)
    }

    fn line(&self) -> String {
        let target = self.target.map_or_else(String::new, |target| format!("{target}x"));
        let reached = match self.target {
            None => "",
            Some(_) if self.reached() => "yes",
            Some(_) => "no",
        };
        let Self { work, peer, .. } = self;
        let (ours, theirs) = (time(self.ours), time(self.theirs));
        let ratio = format!("{:.2}x", self.ratio());
        format!("{work:<44} {ours:>10} {theirs:>10} {peer:<11} {ratio:>7} {target:>7}  {reached}")
            .trim_end()
            .into()
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "work": self.work,
            "ours_ns": self.ours * 1e9,
            "peer": self.peer,
            "peer_ns": self.theirs * 1e9,
            "ratio": self.ratio(),
            "target": self.target,
            "reached": self.target.map(|_| self.reached()),
        })
    }
}

fn time(seconds: f64) -> String {
    if seconds < 1e-3 { format!("{:.2} us", seconds * 1e6) } else { format!("{:.2} ms", seconds * 1e3) }
}
