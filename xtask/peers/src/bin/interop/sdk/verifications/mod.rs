//! Verifications: our devices and devices with their machine verify each other, to the end and to every other end.

mod differences;
mod encrypted;
mod ends;
mod net;
mod old_macs;
mod ours;
mod qr;
mod qr_differences;
mod sas;
mod scene;
mod several;
mod their_requests;
mod theirs;

pub use self::differences::differences;
use crate::report::Report;

pub fn checks(report: &mut Report) {
    report.check("verifications, short strings", sas::flows);
    report.check("verifications, short strings, started by both", sas::both_start);
    report.check("verifications, short strings, without a request", sas::without_request);
    report.check("verifications, short strings, old MACs", old_macs::flows);
    report.check("verifications, QR codes", qr::flows);
    report.check("verifications, short strings after QR codes", qr::then_short_strings);
    report.check("verifications, cancelled at every step", ends::cancelled);
    report.check("verifications, cancelled too late", ends::too_late);
    report.check("verifications, another short string", ends::wrong_string);
    report.check("verifications, other values", ends::wrong_values);
    report.check("verifications, keys that change", ends::keys_change);
    report.check("verifications, timeouts at every step", ends::timeouts);
    report.check("verifications, restarts at every step", ends::restarts);
    report.check("verifications, several devices of theirs", several::of_theirs);
    report.check("verifications, several devices of ours", several::of_ours);
    report.check("verifications, several devices in a room", several::in_room);
    report.check("verifications, asked by both", several::crossing);
}
