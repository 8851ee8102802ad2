//! `hydrant show`: prints a file of a session or an asset, verified, or says in which state it is.

use std::env;

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::contract::report::Document;
use hydrant_host::contract::types::Code;
use hydrant_host::repository::Repository;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::show::{Content, Lines, ShowOptions, ShowReport, Shown};
use hydrant_host::text::quote;

use crate::cli::LimitArgs;
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
    pub(crate) limits: LimitArgs,
}

pub(crate) fn run(arguments: &ShowArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::of_environment(env::current_dir()?)?;
    let options = ShowOptions {
        target: arguments.target.clone(),
        file: arguments.file.clone(),
        object_bytes_max: arguments.limits.object_bytes_max,
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
    if !output.options.is_json() {
        let read = content.read(lines, |block| output.bytes(block))?;
        return Ok(ending(&name, lines, read.has_given, output));
    }
    let (session, file, oid) = (content.session.clone(), content.name.clone(), content.oid.clone());
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
    output.report(ending == Ending::Done, ShowReport { session, file, oid, size, verified, first_line, text });
    Ok(ending)
}

/// Whoever asks for lines that are not there hears of it.
fn ending(name: &str, lines: Option<Lines>, has_given: bool, output: &mut Output) -> Ending {
    match lines {
        Some(lines) if !has_given => {
            output.warn(format!("{} ends before line {}", quote(name.as_bytes()), lines.first));
            Ending::SomeFailed
        }
        _ => Ending::Done,
    }
}
