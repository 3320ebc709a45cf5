//! The table: work, ours, peer, ratio, target, reached.

use serde_json::json;

use crate::measure::{Case, seconds};

/// Our side of a piece of work, and who else does it.
pub struct Row<'c> {
    pub work: &'static str,
    /// How many times as fast as the first peer we want to be; a curve-bound one may come later. Zero: whatever it is.
    pub target: f64,
    pub ours: Case<'c>,
    pub peers: Vec<(&'static str, Case<'c>)>,
}

/// What was measured, in seconds.
struct Measured {
    work: &'static str,
    ours: f64,
    against: Option<Against>,
}

/// The same work by somebody else.
struct Against {
    peer: &'static str,
    theirs: f64,
    target: Option<f64>,
}

/// Measures rows and prints them.
pub struct Table {
    json: bool,
    with_peers: bool,
    only: Option<String>,
    rows: Vec<Measured>,
}

impl Table {
    /// `with_peers`: else ours are measured alone. `only`: rows whose name contains these words.
    pub fn new(json: bool, with_peers: bool, only: Option<String>) -> Self {
        if !json && with_peers {
            let [work, ours, peer, who, ratio, target] = ["work", "ours", "peer", "", "ratio", "target"];
            println!("{work:<44} {ours:>10} {peer:>10} {who:<17} {ratio:>7} {target:>7}  reached");
        }
        Self { json, with_peers, only, rows: Vec::new() }
    }

    /// Whether the row is asked for, to spare the preparation where it is not.
    pub fn wants(&self, work: &str) -> bool {
        self.only.as_ref().is_none_or(|only| work.to_lowercase().contains(only))
    }

    /// Measures one piece of work, all contenders in turns. The target counts for the first peer.
    pub fn row(&mut self, row: Row<'_>) {
        let Row { work, target, ours, peers } = row;
        if !self.wants(work) {
            return;
        }
        if !self.with_peers || peers.is_empty() {
            let ours = seconds(&mut [ours]).into_iter().sum();
            return self.add(Measured { work, ours, against: None });
        }
        let (names, cases): (Vec<_>, Vec<_>) = peers.into_iter().unzip();
        let mut contenders = vec![ours];
        contenders.extend(cases);
        let times = seconds(&mut contenders);
        for (place, peer) in names.into_iter().enumerate() {
            let target = (place == 0 && target > 0.0).then_some(target);
            let against = Some(Against { peer, theirs: times[place + 1], target });
            self.add(Measured { work, ours: times[0], against });
        }
    }

    fn add(&mut self, measured: Measured) {
        if !self.json {
            println!("{}", measured.line());
        }
        self.rows.push(measured);
    }

    /// The last lines, or all of it as JSON.
    pub fn close(&self) {
        let (curve_bound, others): (Vec<_>, Vec<_>) =
            self.rows.iter().filter(|row| row.reached().is_some()).partition(|row| row.is_curve_bound());
        let reached = |rows: &[&Measured]| rows.iter().filter(|row| row.reached() == Some(true)).count();
        match (self.json, self.with_peers) {
            (true, _) => {
                println!("{}", json!({ "rows": self.rows.iter().map(Measured::json).collect::<Vec<_>>() }))
            }
            (false, true) => {
                let (others_reached, later) = (reached(&others), reached(&curve_bound));
                println!("\n{others_reached} of {} targets reached.", others.len());
                println!("Of {} curve-bound ones, which may come later, {later}.", curve_bound.len());
                println!("CPU time of the thread, median of several rounds.");
            }
            (false, false) => {
                println!("\nCPU time of the thread, median of several rounds. --peers compares.")
            }
        }
    }
}

impl Measured {
    fn ratio(&self) -> Option<f64> {
        Some(self.against.as_ref()?.theirs / self.ours)
    }

    fn reached(&self) -> Option<bool> {
        Some(self.ratio()? >= self.against.as_ref()?.target?)
    }

    /// Nearly all of the work is curve arithmetic, which everybody here has from the same library.
    fn is_curve_bound(&self) -> bool {
        self.work.ends_with("(curve)")
    }

    fn line(&self) -> String {
        let Self { work, ours, against } = self;
        let Some(Against { peer, theirs, target }) = against else {
            return format!("{work:<44} {:>10}", time(*ours));
        };
        let reached = match self.reached() {
            None => "",
            Some(true) => "yes",
            Some(false) if self.is_curve_bound() => "later",
            Some(false) => "no",
        };
        let target = target.map_or_else(String::new, |target| format!("{target}x"));
        let ratio = format!("{:.2}x", self.ratio().unwrap_or_default());
        let (ours, theirs) = (time(*ours), time(*theirs));
        format!("{work:<44} {ours:>10} {theirs:>10} {peer:<17} {ratio:>7} {target:>7}  {reached}")
            .trim_end()
            .into()
    }

    fn json(&self) -> serde_json::Value {
        let against = self.against.as_ref();
        json!({
            "work": self.work,
            "ours_ns": self.ours * 1e9,
            "peer": against.map(|against| against.peer),
            "peer_ns": against.map(|against| against.theirs * 1e9),
            "ratio": self.ratio(),
            "target": against.and_then(|against| against.target),
            "reached": self.reached(),
        })
    }
}

fn time(seconds: f64) -> String {
    if seconds < 1e-3 { format!("{:.2} us", seconds * 1e6) } else { format!("{:.2} ms", seconds * 1e3) }
}
