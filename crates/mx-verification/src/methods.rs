use alloc::string::String;
use alloc::vec::Vec;

/// What this side can do in a verification, with what the other side can.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Methods {
    /// Compare a short string.
    pub sas: bool,
    /// Display a QR code, which the other side scans.
    pub show_qr: bool,
    /// Scan a QR code, which the other side displays.
    pub scan_qr: bool,
}

impl Methods {
    /// Whether there is nothing that both can do.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        !(self.sas || self.show_qr || self.scan_qr)
    }
}

/// The methods that one side has listed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Listed {
    pub(crate) sas: bool,
    pub(crate) show: bool,
    pub(crate) scan: bool,
    pub(crate) reciprocate: bool,
}

impl Listed {
    /// Of a side that can do this. Codes are answered with the method that is listed with them.
    pub(crate) const fn new(able: Methods) -> Self {
        Self {
            sas: able.sas,
            show: able.show_qr,
            scan: able.scan_qr,
            reciprocate: able.show_qr || able.scan_qr,
        }
    }

    pub(crate) fn of_names(names: &[String]) -> Self {
        let has = |name| names.iter().any(|listed| listed == name);
        Self { sas: has(SAS), show: has(SHOW), scan: has(SCAN), reciprocate: has(RECIPROCATE) }
    }

    pub(crate) fn names(self) -> Vec<String> {
        let names = [(self.sas, SAS), (self.show, SHOW), (self.scan, SCAN), (self.reciprocate, RECIPROCATE)];
        names.into_iter().filter(|(has, _)| *has).map(|(_, name)| name.into()).collect()
    }

    /// What the side that has listed this can do with the one that has listed that.
    pub(crate) const fn common(self, theirs: Self) -> Methods {
        let codes = self.reciprocate && theirs.reciprocate;
        Methods {
            sas: self.sas && theirs.sas,
            show_qr: codes && self.show && theirs.scan,
            scan_qr: codes && self.scan && theirs.show,
        }
    }
}

const SAS: &str = "m.sas.v1";
const SHOW: &str = "m.qr_code.show.v1";
const SCAN: &str = "m.qr_code.scan.v1";
const RECIPROCATE: &str = "m.reciprocate.v1";
