//! Live cross-talk with other implementations, both directions.

mod backups;
mod canonical_json;
mod craft;
mod differences;
mod exchange;
mod group;
#[cfg(feature = "libolm")]
mod nomad;
mod pickles;
mod report;
mod sas;
#[cfg(feature = "matrix-sdk-crypto")]
mod sdk;
mod signatures;
#[cfg(feature = "libolm")]
mod vectors;

use std::{env, process::ExitCode};

use mx_demo::{ours::Ours, party::Implementation};
use mx_peers::vodozemac::Vodozemac;

use self::{differences::Differences, exchange::StartsFrom, report::Report};

const HELP: &str = "\
Talks with vodozemac, libolm, ruma and matrix-sdk-crypto: sessions, random exchanges with losses,
group sessions, signatures, short strings, canonical JSON, attachments, key files, key backups,
identities and the trust in them, verifications, and inputs on which they differ.
One line a check.

Usage: cargo xtask interop [--quick] [--seed N] [--only TEXT]
       cargo xtask vectors

  --quick      a shorter random part, still 10,000 exchanges with each peer
  --seed N     the seed of the schedules; without it a new one, which is printed
  --only TEXT  the checks with this text in group and name; each has its own part of the seed

vodozemac draws its keys from the system: its schedules are the same again, its keys are not.
";

struct Options {
    /// Messages that each direction of each kind of session has to decrypt.
    exchanges: usize,
    seed: u64,
    only: String,
}

fn main() -> ExitCode {
    #[cfg(feature = "libolm")]
    if env::args().skip(1).eq(["--write-vectors"]) {
        return vectors::write();
    }
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("{words}\nTry --help.");
            return ExitCode::from(2);
        }
    };
    println!("seed {}", options.seed);
    let mut report = Report::new(options.seed, options.only);
    let libolm: Option<&dyn Implementation> = {
        #[cfg(feature = "libolm")]
        let libolm = Some(&mx_peers::libolm::Libolm as &dyn Implementation);
        #[cfg(not(feature = "libolm"))]
        let libolm = None;
        libolm
    };

    let mut everybody: Vec<&dyn Implementation> = vec![&Ours, &Vodozemac];
    everybody.extend(libolm);
    for peer in &everybody[1..] {
        report.title(&format!("With {}", peer.name()));
        cross_talk(&mut report, (&Ours, *peer), "them", options.exchanges);
    }
    if libolm.is_none() {
        report.title("libolm");
        report.skip("everything with libolm", "it is not installed: apt-get install libolm-dev");
    }

    report.title("libolm's pickles, with vodozemac");
    report.check("account, theirs to ours", pickles::account_to_ours);
    report.check("account, ours to theirs", pickles::account_to_theirs);
    report.check("Olm session, ours to theirs", pickles::session_to_theirs);
    report.check("Megolm session, ours to theirs", pickles::group_session_to_theirs);
    #[cfg(feature = "libolm")]
    {
        report.title("libolm's pickles: ours and libolm by turns, each carries on where the other was");
        let exchanges = options.exchanges / 2;
        for (peer, name) in everybody.iter().zip(["us", "vodozemac", "libolm"]) {
            cross_talk(&mut report, (&nomad::Nomad, *peer), name, exchanges);
        }
    }

    backups::checks(&mut report);

    report.title("Short authentication strings");
    report.check("with vodozemac", |rng| sas::transcripts(rng, |_| Ok(vodozemac::sas::Sas::new())));
    #[cfg(feature = "libolm")]
    report.check("with libolm", |rng| sas::transcripts(rng, |rng| Ok(mx_peers::libolm::Sas::new(rng)?)));

    #[cfg(feature = "libolm")]
    vectors::checks(&mut report);

    report.title("Canonical JSON with ruma");
    report.check("random documents, both ways", canonical_json::agreement);
    differences::canonical_json(&mut report);

    #[cfg(feature = "matrix-sdk-crypto")]
    sdk::checks(&mut report);
    #[cfg(not(feature = "matrix-sdk-crypto"))]
    {
        report.title("matrix-sdk-crypto");
        report.skip("everything with matrix-sdk-crypto", "it needs Rust 1.93: rustup update stable");
    }

    report.title("Where implementations differ");
    let mut differences = Differences::new(&everybody);
    let inputs = "making the inputs";
    let mut rng = report.rng(inputs);
    let tried = differences::all(&mut differences, &mut report, &mut rng);
    report.quiet_check(inputs, || tried);
    differences.print();
    match report.close() {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => {
            eprintln!("no check has this text in its name.\nTry --help.");
            ExitCode::from(2)
        }
    }
}

/// Everything that two implementations can do with each other, both directions.
fn cross_talk(
    report: &mut Report,
    (ours, peer): (&dyn Implementation, &dyn Implementation),
    peer_name: &str,
    exchanges: usize,
) {
    for (first, second, direction) in
        [(ours, peer, format!("to {peer_name}")), (peer, ours, format!("from {peer_name}"))]
    {
        for (starts_from, words) in
            [(StartsFrom::OneTimeKey, "one-time keys"), (StartsFrom::FallbackKey, "fallback keys")]
        {
            report.check(&format!("{direction}, Olm from {words}"), |rng| {
                exchange::converse((first, second), starts_from, exchanges, rng)
            });
        }
        report.check(&format!("{direction}, Olm gap"), |rng| exchange::gap(first, second, rng));
        report.check(&format!("{direction}, Megolm shared"), |rng| group::shared(first, second, rng));
        report.check(&format!("{direction}, Megolm exported"), |rng| group::exported(first, second, rng));
        report.check(&format!("{direction}, signatures"), |rng| signatures::signatures(first, second, rng));
    }
}

fn options() -> Result<Option<Options>, String> {
    let seed = u64::from(std::process::id()) << 32 | clock();
    let mut options = Options { exchanges: 5_000, seed, only: String::new() };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => options.exchanges = 2_500,
            "--seed" => {
                let seed = arguments.next().ok_or("--seed needs a number")?;
                options.seed = seed.parse().map_err(|_| format!("`{seed}` is no seed"))?;
            }
            "--only" => options.only = arguments.next().ok_or("--only needs a text")?,
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(None);
            }
            unknown => return Err(format!("unknown argument `{unknown}`")),
        }
    }
    Ok(Some(options))
}

/// Something that is another number in each run.
fn clock() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| u64::from(now.subsec_nanos()))
}
