//! Why an effect could not be performed, in the closed list of the contract and one bounded sentence.
//!
//! Rule: no URL's query, no userinfo, no path of this machine and no control character reaches a detail.

use std::error::Error as _;
use std::io;

use crate::address::LessPublic;
use crate::error::plain;
use crate::wit::types::{Failed, Failure, Reply};

/// Bytes of a detail at most.
pub(crate) const DETAIL_BYTES_MAX: usize = 4096;

/// A failure with a bounded, printable detail.
pub(crate) fn failed(why: Failure, detail: &str) -> Failed {
    let mut text = String::with_capacity(detail.len().min(DETAIL_BYTES_MAX));
    for letter in detail.chars() {
        let letter = if letter.is_control() { ' ' } else { letter };
        if text.len() + letter.len_utf8() > DETAIL_BYTES_MAX {
            break;
        }
        text.push(letter);
    }
    Failed { why, detail: text }
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
    failed(why, &plain(error))
}

/// A failure of a request before or within its answer.
pub(crate) fn of_http(error: reqwest::Error) -> Failed {
    // The URL may hold a secret query.
    let error = error.without_url();
    let mut innermost = None;
    let mut source = error.source();
    while let Some(cause) = source {
        let inner = unwrapped(cause);
        if let Some(less_public) = inner.downcast_ref::<LessPublic>() {
            return failed(Failure::Blocked, &less_public.to_string());
        }
        if let Some(rustls::Error::InvalidCertificate(why)) = inner.downcast_ref() {
            // A word of policy, not a broken line: trying again is useless.
            return failed(Failure::Blocked, &format!("the server's certificate is not trusted: {why}"));
        }
        innermost = Some(cause.to_string());
        source = cause.source();
    }
    let detail = innermost.map_or_else(|| error.to_string(), |cause| strip_number(&cause));
    let why = match () {
        () if error.is_timeout() => Failure::TimedOut,
        () if error.is_builder() => Failure::Io,
        () => Failure::Offline,
    };
    failed(why, &detail)
}

/// What an I/O error wraps: these do not name it as their source.
fn unwrapped<'a>(cause: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    let mut inner = cause;
    while let Some(next) = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        inner = next;
    }
    inner
}

fn strip_number(text: &str) -> String {
    text.split(" (os error").next().unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{DETAIL_BYTES_MAX, failed, of_io};
    use crate::wit::types::Failure;
    use std::io;

    #[test]
    fn details_are_bounded_and_printable() {
        let long = failed(Failure::Io, &format!("a\u{1b}[31m\n{}", "é".repeat(5000)));
        assert!(long.detail.len() <= DETAIL_BYTES_MAX);
        assert!(long.detail.starts_with("a [31m é"));
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
