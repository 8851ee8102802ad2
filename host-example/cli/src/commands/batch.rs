//! `hydrant batch`: asks the server what it would do and prints its actions, their secrets only on demand.

use std::env;

use hydrant_host::engine::Engine;
use hydrant_host::trace;
use hydrant_host::wit::batches::{Action, BatchObject, Flaw, Verdict};
use hydrant_host::wit::types::Direction;
use serde_json::{Value, json};

use crate::cli::{BatchArgs, Way};
use crate::destination;
use crate::ending::{Ending, Fault};
use crate::object_list;
use crate::operate::{self, OBJECTS_PER_OPERATION_MAX, Runner};
use crate::report::Output;
use crate::repository::Repository;

pub(crate) fn run(arguments: &BatchArgs, output: &mut Output) -> Result<Ending, Fault> {
    let objects = object_list::read(&arguments.objects)?;
    let engine = Engine::load()?;
    let direction = match arguments.direction {
        Way::Download => Direction::Download,
        Way::Upload => Direction::Upload,
    };
    let server = &arguments.server;
    let (destination, limit) = match &server.endpoint {
        Some(url) => (destination::explicit(url, server, None)?, operate::object_bytes_max(&arguments.limits, None)?),
        None => {
            let repository = Repository::around(&env::current_dir()?)?;
            let limit = operate::object_bytes_max(&arguments.limits, Some(&repository))?;
            (destination::of_repository(&repository, &engine, direction, server, true)?, limit)
        }
    };
    let voice = output.voice.clone();
    let mut runner = Runner::new(&engine, &voice, destination, server, limit, |host| host)?;
    let mut answers = Vec::new();
    for part in objects.chunks(OBJECTS_PER_OPERATION_MAX) {
        answers.extend(runner.batch(direction, part)?);
    }
    let ending = match answers.iter().all(|object| is_well(&object.verdict)) {
        true => Ending::Done,
        false => Ending::SomeFailed,
    };
    let secrets = arguments.show_secrets;
    output.json(&json!({
        "ok": ending == Ending::Done,
        "objects": answers.iter().map(|object| object_json(object, secrets)).collect::<Vec<_>>(),
    }));
    for object in &answers {
        say(object, secrets, output);
    }
    Ok(ending)
}

fn is_well(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Present | Verdict::Download(_) | Verdict::Upload(_) => true,
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
            let message = hydrant_host::process::plain(&refusal.message);
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

fn object_json(object: &BatchObject, secrets: bool) -> Value {
    let mut value = json!({ "oid": object.oid, "authenticated": object.authenticated });
    match &object.verdict {
        Verdict::Present => value["verdict"] = "present".into(),
        Verdict::Expired => value["verdict"] = "expired".into(),
        Verdict::Broken(flaw) => {
            value["verdict"] = "broken".into();
            value["flaw"] = flaw_name(*flaw).into();
        }
        Verdict::Refused(refusal) => {
            value["verdict"] = "refused".into();
            value["status"] = refusal.status.into();
            value["message"] = refusal.message.as_str().into();
            value["retryable"] = refusal.retryable.into();
        }
        Verdict::Download(action) => {
            value["verdict"] = "download".into();
            value["download"] = action_json(action, secrets);
        }
        Verdict::Upload(offer) => {
            value["verdict"] = "upload".into();
            value["upload"] = action_json(&offer.upload, secrets);
            value["verify"] = offer.verify.as_ref().map(|action| action_json(action, secrets)).into();
        }
    }
    value
}

fn action_json(action: &Action, secrets: bool) -> Value {
    let headers: Vec<Value> = action
        .headers
        .iter()
        .map(|header| json!({ "name": header.name, "value": shown(&header.value, secrets) }))
        .collect();
    json!({ "href": shown_href(&action.href, secrets), "headers": headers, "expires_at": action.expires_at })
}

fn shown(value: &str, secrets: bool) -> &str {
    if secrets { value } else { "***" }
}

/// Signed addresses carry their signature in the query, others a login before the host.
fn shown_href(href: &str, secrets: bool) -> String {
    if secrets { hydrant_host::process::plain(href) } else { trace::place(href) }
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
