//! Why an effect could not be performed, in the closed list of the contract and one bounded sentence.
//!
//! Rule: no URL's query, no userinfo, no path of this machine and no control character reaches a detail.

use std::io;

use crate::contract::types::{Failed, Failure, Reply};
use crate::text::{cut, io_words, plain};

/// Bytes of a detail at most.
pub(crate) const DETAIL_BYTES_MAX: usize = 4096;

/// A failure with a bounded, printable detail.
pub(crate) fn failed(why: Failure, detail: &str) -> Failed {
    let detail = plain(detail);
    Failed { why, detail: cut(&detail, DETAIL_BYTES_MAX).to_owned() }
}

/// The reply that says so.
pub(crate) fn reply(why: Failure, detail: &str) -> Reply {
    Reply::Failed(failed(why, detail))
}

/// A failure of a local file or folder.
pub(crate) fn of_io(error: &io::Error) -> Failed {
    let why = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Failure::NoSpace,
        io::ErrorKind::PermissionDenied => Failure::Denied,
        _ => Failure::Io,
    };
    failed(why, &io_words(error))
}

#[cfg(test)]
mod tests {
    use super::{DETAIL_BYTES_MAX, failed, of_io};
    use crate::contract::types::Failure;
    use std::io;

    #[test]
    fn details_are_bounded_and_printable() {
        let long = failed(Failure::Io, &format!("a\u{1b}[31m\n{}", "é".repeat(5000)));
        assert!(long.detail.len() <= DETAIL_BYTES_MAX);
        assert!(long.detail.starts_with("a\u{fffd}[31m é"));
        assert!(!long.detail.chars().any(char::is_control));
    }

    #[test]
    fn a_full_disk_is_named() {
        let full = of_io(&io::Error::from_raw_os_error(28));
        assert_eq!(full.why, Failure::NoSpace);
        let quota = of_io(&io::Error::from_raw_os_error(122));
        assert_eq!(quota.why, Failure::NoSpace);
        assert!(!full.detail.contains("os error"));
    }
}
