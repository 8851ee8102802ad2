//! `hydrant show`: prints a file of a session or an asset, verified, or says in which state it is.

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::contract::report::{Document, ErrorCode, ErrorReport};
use hydrant_host::contract::types::Code;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::show::{Content, Lines, ShowOptions, ShowReport, Shown};
use hydrant_host::text::quote;

use crate::cli::{LimitArgs, ServerArgs};
use crate::ending::Ending;
use crate::output::Output;

/// Bytes of content that one JSON document carries.
const JSON_TEXT_BYTES_MAX: u64 = 16 * 1024 * 1024;

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// Name of a session, or its folder; or the path of any LFS file
    #[arg(value_name = "SESSION|PATH")]
    pub(crate) target: String,
    /// Name of the file within the session
    pub(crate) file: Option<String>,
    /// Only these lines: `7`, `7-`, `-7` or `3-7`, counted from 1
    #[arg(long, value_name = "A-B", allow_hyphen_values = true)]
    pub(crate) lines: Option<Lines>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

pub(crate) fn run(arguments: &ShowArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = super::repository()?;
    let options = ShowOptions {
        target: arguments.target.clone(),
        file: arguments.file.clone(),
        object_bytes_max: arguments.limits.object_bytes_max,
        server: arguments.server.options(),
    };
    match client.show(&repository, &options)? {
        Shown::Content(content) => print(content, arguments.lines, output),
        Shown::Unreadable(one) => {
            output.document(&Document::ended(Some(one.error.clone()), false, &one));
            output.warn(format!("{}: {}: {}", quote(one.file.as_bytes()), one.state, one.error.detail));
            Ok(Ending::SomeFailed)
        }
    }
}

fn print(content: Content, lines: Option<Lines>, output: &mut Output) -> Result<Ending, Fault> {
    let name = content.name.clone();
    if content.fetched {
        output.note("fetched for this once: this clone cannot be written, so it is not kept");
    }
    if !output.options.is_json() {
        let read = content.read(lines, |block| output.content(block))?;
        return Ok(ending(&name, lines, read.has_given, output));
    }
    let (session, file, oid) = (content.session.clone(), content.name.clone(), content.oid.clone());
    let fetched = content.fetched;
    let mut text = Vec::new();
    let mut too_long = false;
    let read = content.read(lines, |block| {
        if (text.len() + block.len()) as u64 <= JSON_TEXT_BYTES_MAX {
            text.extend_from_slice(block);
        } else {
            too_long = true;
        }
    })?;
    if too_long {
        return Err(Fault::failed(Code::Limit, format!("more than {JSON_TEXT_BYTES_MAX} bytes; --lines takes a part")));
    }
    let text = String::from_utf8(text)
        .map_err(|_| Fault::failed(Code::Rejected, "the content is not text; it can be shown without --json"))?;
    let first_line = lines.map_or(1, |lines| lines.first);
    let verified = oid.is_some();
    let (ending, size) = (ending(&name, lines, read.has_given, output), read.whole.size);
    let past =
        || ErrorReport { code: ErrorCode(Code::NotFound), detail: past_the_end(&name, first_line), retry_at_ms: None };
    let (ok, error) = (ending == Ending::Done, (ending != Ending::Done).then(past));
    let report = ShowReport { session, file, oid, size, verified, fetched, first_line, text };
    output.document(&Document::ended(error, ok, report));
    Ok(ending)
}

fn past_the_end(name: &str, line: u64) -> String {
    format!("{} ends before line {line}", quote(name.as_bytes()))
}

/// Whoever asks for lines that are not there hears of it.
fn ending(name: &str, lines: Option<Lines>, has_given: bool, output: &mut Output) -> Ending {
    match lines {
        Some(lines) if !has_given => {
            output.warn(past_the_end(name, lines.first));
            Ending::SomeFailed
        }
        _ => Ending::Done,
    }
}
