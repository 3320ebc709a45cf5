//! Live cross-talk between implementations, both directions.

mod canonical_json;
mod craft;
mod differences;
mod exchange;
mod group;
mod report;
mod signatures;

use std::process::ExitCode;

use mx_demo::party::Implementation;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use self::{exchange::StartsFrom, report::Report};

fn main() -> ExitCode {
    let mut report = Report::default();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let ours: &dyn Implementation = &mx_peers::vodozemac::Vodozemac;
    cross_talk(&mut report, ours, &mx_peers::vodozemac::Vodozemac, 2_500, &mut rng);
    #[cfg(feature = "libolm")]
    cross_talk(&mut report, ours, &mx_peers::libolm::Libolm, 2_500, &mut rng);
    report.title("Canonical JSON with ruma");
    report.check("random documents, both ways", || canonical_json::agreement(&mut rng));
    differences::canonical_json(&mut report);
    let everybody: &[&dyn Implementation] = &[
        ours,
        &mx_peers::vodozemac::Vodozemac,
        #[cfg(feature = "libolm")]
        &mx_peers::libolm::Libolm,
    ];
    let mut differences = differences::Differences::new(everybody);
    let tried = differences::all(&mut differences, &mut report, &mut rng);
    report.quiet_check("making the inputs", || tried);
    differences.print(&report);
    if report.close() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn cross_talk(
    report: &mut Report,
    ours: &dyn Implementation,
    peer: &dyn Implementation,
    exchanges: usize,
    rng: &mut ChaCha20Rng,
) {
    report.title(&format!("{} with {}", ours.name(), peer.name()));
    for (first, second) in [(ours, peer), (peer, ours)] {
        let names = format!("{} to {}", first.name(), second.name());
        for starts_from in [StartsFrom::OneTimeKey, StartsFrom::FallbackKey] {
            report.check(&format!("olm, {starts_from:?}, {names}"), || {
                exchange::converse((first, second), starts_from, exchanges, rng)
            });
        }
        report.check(&format!("megolm shared, {names}"), || group::shared(first, second, rng));
        report.check(&format!("megolm exported, {names}"), || group::exported(first, second, rng));
        report.check(&format!("signatures, {names}"), || signatures::signatures(first, second, rng));
    }
}
