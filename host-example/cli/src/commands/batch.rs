//! `hydrant batch`: asks the server what it would do and prints its actions, their secrets only on demand.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hydrant_host::contract::batches::{Action, BatchObject, Flaw, Verdict};
use hydrant_host::contract::error::Fault;
use hydrant_host::contract::types::Direction;
use hydrant_host::driver::trace;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::object_list;
use hydrant_host::text::plain;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::{LimitArgs, ServerArgs};
use crate::ending::Ending;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct BatchArgs {
    /// Which way the bytes would go
    pub(crate) direction: Way,
    /// Ask for these objects: one `oid size` on each line; `-` is standard input
    #[arg(long, value_name = "LIST")]
    pub(crate) objects: PathBuf,
    /// Print header values and the queries of addresses: with them anybody can read or write
    #[arg(long)]
    pub(crate) show_secrets: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    Download,
    Upload,
}

/// What a server would do.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BatchReport {
    /// What it says of each object.
    object_list: Vec<BatchLine>,
}

/// What a server says of one object.
#[derive(Serialize, JsonSchema)]
struct BatchLine {
    /// SHA-256 of the object.
    oid: String,
    /// The server says that the addresses need no other login.
    authenticated: bool,
    /// What it would do.
    #[serde(flatten)]
    verdict: VerdictReport,
}

/// What a server would do about one object.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
enum VerdictReport {
    /// It has it, and wants nothing.
    Present,
    /// What it offers is over already.
    Expired,
    /// Its answer cannot be used.
    Broken {
        /// In which way.
        flaw: &'static str,
    },
    /// It refuses.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's words.
        message: String,
        /// Another try may end otherwise.
        retryable: bool,
    },
    /// It gives the bytes.
    Download {
        /// Where.
        download: ActionReport,
    },
    /// It takes the bytes. For a download: it answered 404 to the whole request, and would take them.
    Upload {
        /// Where.
        upload: ActionReport,
        /// What confirms them.
        verify: Option<ActionReport>,
    },
}

/// An address, and what goes with it.
#[derive(Serialize, JsonSchema)]
struct ActionReport {
    /// The address, without its query unless secrets are shown.
    href: String,
    /// Headers to send, their values `***` unless secrets are shown.
    headers: Vec<HeaderReport>,
    /// Milliseconds since 1970 at which it ends to be good.
    expires_at: Option<u64>,
}

/// A header to send.
#[derive(Serialize, JsonSchema)]
struct HeaderReport {
    /// Its name.
    name: String,
    /// Its value.
    value: String,
}

pub(crate) fn run(arguments: &BatchArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let objects = object_list::read(&arguments.objects)?;
    let direction = match arguments.direction {
        Way::Download => Direction::Download,
        Way::Upload => Direction::Upload,
    };
    let server = arguments.server.options();
    let repository = match &server.endpoint {
        Some(_) => None,
        None => Some(super::repository()?),
    };
    let limit = arguments.limits.object_bytes_max;
    let answers = client.batch(repository.as_ref(), direction, &objects, &server, limit)?;
    let is_well = answers.iter().all(|object| is_well(&object.verdict, direction));
    let secrets = arguments.show_secrets;
    output.report(is_well, BatchReport { object_list: answers.iter().map(|one| line(one, secrets)).collect() });
    for object in &answers {
        say(object, secrets, output);
    }
    Ok(if is_well { Ending::Done } else { Ending::SomeFailed })
}

fn is_well(verdict: &Verdict, direction: Direction) -> bool {
    match verdict {
        Verdict::Present | Verdict::Download(_) => true,
        // A server that would take it gives no bytes.
        Verdict::Upload(_) => direction == Direction::Upload,
        Verdict::Expired | Verdict::Refused(_) | Verdict::Broken(_) => false,
    }
}

fn say(object: &BatchObject, secrets: bool, output: &mut Output) {
    let oid = &object.oid;
    match &object.verdict {
        Verdict::Present => output.line(format!("{oid} present")),
        Verdict::Expired => output.line(format!("{oid} expired")),
        Verdict::Broken(flaw) => output.line(format!("{oid} broken {}", flaw_name(*flaw))),
        Verdict::Refused(refusal) => {
            let message = plain(&refusal.message);
            output.line(format!("{oid} refused {} {message}", refusal.status));
        }
        Verdict::Download(action) => {
            output.line(format!("{oid} download"));
            say_action("from", action, secrets, output);
        }
        Verdict::Upload(offer) => {
            output.line(format!("{oid} upload"));
            say_action("to", &offer.upload, secrets, output);
            if let Some(verify) = &offer.verify {
                say_action("verify", verify, secrets, output);
            }
        }
    }
}

fn say_action(role: &str, action: &Action, secrets: bool, output: &mut Output) {
    output.line(format!("  {role} {}", shown_href(&action.href, secrets)));
    for header in &action.headers {
        output.line(format!("    {}: {}", header.name, shown(&header.value, secrets)));
    }
    if let Some(at) = action.expires_at {
        output.line(format!("    expires at {at} ms after 1970"));
    }
}

fn line(object: &BatchObject, secrets: bool) -> BatchLine {
    let verdict = match &object.verdict {
        Verdict::Present => VerdictReport::Present,
        Verdict::Expired => VerdictReport::Expired,
        Verdict::Broken(flaw) => VerdictReport::Broken { flaw: flaw_name(*flaw) },
        Verdict::Refused(refusal) => VerdictReport::Refused {
            status: refusal.status,
            message: refusal.message.clone(),
            retryable: refusal.retryable,
        },
        Verdict::Download(one) => VerdictReport::Download { download: action(one, secrets) },
        Verdict::Upload(offer) => VerdictReport::Upload {
            upload: action(&offer.upload, secrets),
            verify: offer.verify.as_ref().map(|one| action(one, secrets)),
        },
    };
    BatchLine { oid: object.oid.clone(), authenticated: object.authenticated, verdict }
}

fn action(action: &Action, secrets: bool) -> ActionReport {
    let headers = action
        .headers
        .iter()
        .map(|header| HeaderReport { name: header.name.clone(), value: shown(&header.value, secrets).to_owned() });
    ActionReport { href: shown_href(&action.href, secrets), headers: headers.collect(), expires_at: action.expires_at }
}

fn shown(value: &str, secrets: bool) -> &str {
    if secrets { value } else { "***" }
}

/// Signed addresses carry their signature in the query, others a login before the host.
fn shown_href(href: &str, secrets: bool) -> String {
    if secrets { plain(href) } else { trace::place(href) }
}

fn flaw_name(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::NoAction => "no-action",
        Flaw::MissingFromResponse => "missing-from-response",
        Flaw::Duplicate => "duplicate",
        Flaw::SizeMismatch => "size-mismatch",
        Flaw::BadHref => "bad-href",
        Flaw::BadHeader => "bad-header",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_hidden() {
        assert_eq!(shown_href("https://h/a?sig=1#x", false), "https://h/a?…");
        assert_eq!(shown_href("https://me:password@h/a", false), "https://h/a");
        assert_eq!(shown_href("https://h/a", false), "https://h/a");
        assert_eq!(shown_href("https://h/a?sig=1", true), "https://h/a?sig=1");
    }
}
