//! What may help where a server refuses a whole request. The engine knows what the server said; which address was asked
//! by whose word, and where logins come from, is known here.

use crate::contract::types::{Code, Error};
use crate::driver::trace::place;
use crate::tasks::endpoint::ANOTHER_ADDRESS;

/// How the engine calls each of its requests to a server: "the batch request: …", "the lock request: …".
const OF_A_REQUEST: &str = " request: ";

/// The same error, where it is about a request: with the address that was asked, and with what may help.
pub(crate) fn at(endpoint: &str, error: Error) -> Error {
    if !error.detail.contains(OF_A_REQUEST) || error.code == Code::Unfinished {
        return error;
    }
    let help = match error.code {
        // It says already what is asked of the user.
        Code::Auth if error.detail.contains("approval") => String::new(),
        Code::Auth => "; a login comes from a credential helper of git's, from .netrc, or from HYDRANT_LFS_USER and \
                       HYDRANT_LFS_TOKEN"
            .to_owned(),
        Code::NotFound => format!("; {ANOTHER_ADDRESS} names another; some servers say so where a login is missing"),
        Code::Malformed => format!("; {ANOTHER_ADDRESS} names another"),
        Code::Busy => "; a later run goes on".to_owned(),
        _ => String::new(),
    };
    Error { detail: format!("{}: {}{help}", place(endpoint), error.detail), ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: Code, detail: &str) -> String {
        at("https://me:pw@host/r?key=1", Error { code, detail: detail.into(), retry_at: None }).detail
    }

    #[test]
    fn a_request_that_failed_names_its_address_and_what_helps() {
        for (code, helps) in [
            (Code::Auth, "HYDRANT_LFS_TOKEN"),
            (Code::NotFound, "git config lfs.url URL"),
            (Code::Malformed, "--endpoint URL"),
            (Code::Busy, "later"),
            (Code::Rejected, "answered 4"),
        ] {
            let said = told(code, "the batch request: the server answered 4");
            assert!(said.starts_with("https://host/r?…: the batch request: the server answered 4"), "{said}");
            assert!(said.contains(helps) && !said.contains("pw") && !said.contains("key"), "{said}");
        }
        let approval = "the batch request: logins are not sent to https://host without your approval";
        assert_eq!(told(Code::Auth, approval), format!("https://host/r?…: {approval}"));
    }

    #[test]
    fn what_is_about_something_else_stays_as_it_is() {
        assert_eq!(told(Code::Conflict, "raw.jsonl: it changed"), "raw.jsonl: it changed");
        assert_eq!(told(Code::Unfinished, "the batch request: it was stopped"), "the batch request: it was stopped");
    }
}
