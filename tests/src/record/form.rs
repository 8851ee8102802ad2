//! The JSON form of the contract's values, directed by their WIT types: records are objects with camelCase keys,
//! variants `{"tag","val"}`, enums their kebab-case names, an absent option is null, a u64 is `{"u64":"12"}` because
//! JSON readers round large numbers, a list of bytes is `{"b64":"…"}`.

use crate::engine::{Answer, ManifestFacts, Sample};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hydrant_core::batch::{self, Action, Answered, Direction, Object, Question, Refused, RefusedKind, Verdict};
use hydrant_core::config::Config;
use hydrant_core::contract::{
    Body, Effect, Exchange, Failure, Head, Header, Instant, Login, Method, Misuse, Redirect, Reply, Request, Step,
};
use hydrant_core::endpoint::{Endpoint, Setting};
use hydrant_core::error::{Code, Error};
use hydrant_core::locks::{Lock, LockReport, Task};
use hydrant_core::manifest::{Change, FileRef, Storage};
use hydrant_core::oid::{Blob, Oid};
use hydrant_core::pointer::{self, Extension, Finding, Kind, Pointer};
use hydrant_core::report::{Outcome, Source, Want};
use hydrant_core::status::{Fact, FileState, Hydration, Place, State, Status};
use serde_json::{Value, json};

/// A value of the contract.
pub trait Form {
    /// Its JSON form.
    fn form(&self) -> Value;
}

/// A list of bytes.
pub fn bytes(bytes: &[u8]) -> Value {
    json!({"b64": STANDARD.encode(bytes)})
}

/// The question of the WIT, which names the endpoint too.
pub fn question(endpoint: &str, it: &Question) -> Value {
    json!({
        "endpoint": endpoint,
        "direction": it.direction.form(),
        "reference": it.reference,
        "transfers": it.transfers,
        "objects": it.objects.form(),
    })
}

fn case(tag: &str, val: Value) -> Value {
    json!({"tag": tag, "val": val})
}

fn bare(tag: &str) -> Value {
    json!({"tag": tag})
}

/// `TimedOut` as `timed-out`: WIT spells the cases of an enum so.
fn kebab(camel: &str) -> String {
    let mut kebab = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}

/// Enums whose names the core does not list.
macro_rules! by_case_name {
    ($($name:ty),*) => {$(
        impl Form for $name {
            fn form(&self) -> Value {
                json!(kebab(&format!("{self:?}")))
            }
        }
    )*};
}

by_case_name!(Method, Login, Redirect, Failure, Misuse, Storage, Hydration, State, Direction);

/// Values that already are what they are in JSON.
macro_rules! as_it_is {
    ($($name:ty),*) => {$(
        impl Form for $name {
            fn form(&self) -> Value {
                json!(self)
            }
        }
    )*};
}

as_it_is!(bool, String, u32);

/// Records whose fields all have forms of their own.
macro_rules! record {
    ($name:ty: $($key:literal $field:ident),*) => {
        impl Form for $name {
            fn form(&self) -> Value {
                json!({$($key: self.$field.form()),*})
            }
        }
    };
}

record!(Instant: "ticks" ticks, "wall" wall);
record!(Blob: "oid" oid, "size" size);
record!(Header: "name" name, "value" value);
record!(Request: "method" method, "url" url, "headers" headers, "body" body, "login" login, "redirect" redirect);
record!(Error: "code" code, "detail" detail, "retryAfter" retry_after);
record!(Action: "href" href, "headers" headers, "expiresAt" expires_at);
record!(Object: "oid" oid, "authenticated" authenticated, "verdict" verdict);
record!(Answered: "transfer" transfer, "objects" objects, "unknown" unknown);
record!(Setting: "key" key, "value" value);
record!(Finding: "flaw" flaw, "line" line);
record!(Want: "name" name, "oid" oid, "size" size);
record!(Source: "name" name, "expects" expects);
record!(Outcome: "name" name, "oid" oid, "size" size, "ended" ended);
record!(Lock: "id" id, "path" path, "lockedAt" locked_at, "owner" owner);
record!(LockReport: "locks" locks, "theirs" theirs, "supported" supported, "ended" ended);
record!(FileRef: "name" name, "storage" storage, "oid" oid, "size" size, "flaw" flaw);
record!(FileState: "name" name, "state" state, "detail" detail);
record!(Status: "hydration" hydration, "files" files);
record!(Fact: "name" name, "place" place, "cached" cached);
record!(Refused: "kind" kind, "status" status, "message" message, "requestId" request_id,
    "documentationUrl" documentation_url, "schemes" schemes, "realm" realm, "retryAfter" retry_after);
record!(ManifestFacts: "sessionName" session_name, "sessionId" session_id,
    "effectiveSessionId" effective_session_id, "repoId" repo_id, "title" title, "agentType" agent_type,
    "createdAt" created_at, "entryCount" entry_count, "draft" draft, "files" files);
record!(Config: "endpoint" endpoint, "reference" reference, "transfers" transfers, "seed" seed,
    "inFlightMax" in_flight_max, "batchObjectsMax" batch_objects_max, "objectBytesMax" object_bytes_max,
    "retriesMax" retries_max, "retryDelayMax" retry_delay_max, "waitMax" wait_max, "idleMax" idle_max, "login" login,
    "reportsRedirects" reports_redirects, "insecureHttp" insecure_http);

impl Form for u16 {
    fn form(&self) -> Value {
        json!(self)
    }
}

impl Form for u64 {
    fn form(&self) -> Value {
        json!({"u64": self.to_string()})
    }
}

impl Form for () {
    fn form(&self) -> Value {
        Value::Null
    }
}

/// A value that has its form already.
impl Form for Value {
    fn form(&self) -> Value {
        self.clone()
    }
}

impl<T: Form> Form for &T {
    fn form(&self) -> Value {
        (*self).form()
    }
}

impl<T: Form> Form for Option<T> {
    fn form(&self) -> Value {
        self.as_ref().map_or(Value::Null, Form::form)
    }
}

impl<T: Form> Form for [T] {
    fn form(&self) -> Value {
        self.iter().map(Form::form).collect()
    }
}

impl<T: Form> Form for Vec<T> {
    fn form(&self) -> Value {
        self.as_slice().form()
    }
}

impl<T: Form, F: Form> Form for Result<T, F> {
    fn form(&self) -> Value {
        match self {
            Ok(value) => case("ok", value.form()),
            Err(error) => case("err", error.form()),
        }
    }
}

impl Form for Oid {
    fn form(&self) -> Value {
        json!(self.to_string())
    }
}

impl Form for Code {
    fn form(&self) -> Value {
        json!(self.name())
    }
}

impl Form for pointer::Flaw {
    fn form(&self) -> Value {
        json!(self.name())
    }
}

impl Form for batch::Flaw {
    fn form(&self) -> Value {
        json!(self.name())
    }
}

impl Form for RefusedKind {
    fn form(&self) -> Value {
        json!(self.name())
    }
}

impl Form for Sample {
    fn form(&self) -> Value {
        json!({"head": bytes(&self.head), "fileSize": self.file_size.form()})
    }
}

impl Form for Extension {
    fn form(&self) -> Value {
        json!({"priority": self.priority, "name": self.name, "oid": self.oid.form()})
    }
}

impl Form for Pointer {
    fn form(&self) -> Value {
        json!({
            "oid": self.blob.oid.form(),
            "size": self.blob.size.form(),
            "extensions": self.extensions.form(),
            "canonical": self.canonical,
        })
    }
}

impl Form for Kind {
    fn form(&self) -> Value {
        match self {
            Kind::Pointer(it) => case("pointer", it.form()),
            Kind::Content(it) => case("content", it.form()),
            Kind::Malformed(it) => case("malformed", it.form()),
        }
    }
}

impl Form for Body {
    fn form(&self) -> Value {
        match self {
            Body::Empty => bare("empty"),
            Body::Bytes(it) => case("bytes", bytes(it)),
            Body::File(it) => case(
                "file",
                json!({
                    "name": it.name,
                    "revision": it.revision.0,
                    "offset": it.offset.form(),
                    "length": it.length.form(),
                }),
            ),
        }
    }
}

impl Form for Exchange {
    fn form(&self) -> Value {
        let stage = self.stage.as_ref();
        json!({
            "request": self.request.form(),
            "stage": stage.map(|it| json!({"blob": it.blob.form(), "resumeFrom": it.resume_from.form()})),
            "answerBytesMax": self.answer_bytes_max.form(),
            "idleMax": self.idle_max.form(),
        })
    }
}

impl Form for Effect {
    fn form(&self) -> Value {
        match self {
            Effect::Http(it) => case("http", it.form()),
            Effect::ReadFile(name) => case("read-file", json!(name)),
            Effect::LoadDoc(name) => case("load-doc", json!(name)),
            Effect::HasBlob(it) => case("has-blob", it.form()),
            Effect::KeepBlob(it) => case("keep-blob", it.form()),
            Effect::DropBlob(it) => case("drop-blob", it.form()),
        }
    }
}

impl Form for Step {
    fn form(&self) -> Value {
        match self {
            Step::Perform(id, it) => case("perform", json!({"id": id.0, "effect": it.form()})),
            Step::Cancel(id) => case("cancel", json!(id.0)),
            Step::Note(it) => {
                case("note", json!({"name": it.name, "done": it.done.form(), "total": it.total.form()}))
            }
            Step::Wait(until) => case("wait", until.form()),
            Step::Done => bare("done"),
        }
    }
}

impl Form for Head {
    fn form(&self) -> Value {
        json!({"status": self.status, "headers": self.headers.form()})
    }
}

impl Form for Reply {
    fn form(&self) -> Value {
        match self {
            Reply::SoFar(it) => case("so-far", it.form()),
            Reply::Sent(it) => case("sent", it.form()),
            Reply::Head(it) => case("head", it.form()),
            Reply::Chunk(it) => case("chunk", bytes(it)),
            Reply::End => bare("end"),
            Reply::Received(it) => case("received", it.form()),
            Reply::Doc(it) => case("doc", json!({"bytes": bytes(&it.bytes), "revision": it.revision.0})),
            Reply::At(it) => case("at", json!(it.0)),
            Reply::Present => bare("present"),
            Reply::Partial(it) => case("partial", json!({"bytes": it.bytes.form(), "validator": it.validator})),
            Reply::Absent => bare("absent"),
            Reply::Conflict => bare("conflict"),
            Reply::Failed(it) => case("failed", json!({"why": it.why.form(), "detail": it.detail})),
        }
    }
}

impl Form for Answer {
    fn form(&self) -> Value {
        json!({
            "status": self.head.status,
            "headers": self.head.headers.form(),
            "body": bytes(&self.body),
            "askedAt": self.asked_at.form(),
            "now": self.now.form(),
        })
    }
}

impl Form for Verdict {
    fn form(&self) -> Value {
        match self {
            Verdict::Present => bare("present"),
            Verdict::Download(it) => case("download", it.form()),
            Verdict::Upload(upload, verify) => {
                case("upload", json!({"upload": upload.form(), "verify": verify.form()}))
            }
            Verdict::Expired => bare("expired"),
            Verdict::Refused(it) => case(
                "refused",
                json!({"status": it.status, "message": it.message, "retryable": it.retryable}),
            ),
            Verdict::Broken(it) => case("broken", it.form()),
        }
    }
}

impl Form for Endpoint {
    fn form(&self) -> Value {
        let ssh = self.ssh.as_ref();
        let ssh = ssh.map(|it| json!({"userAndHost": it.user_and_host, "port": it.port, "path": it.path}));
        json!({"url": self.url, "ssh": ssh})
    }
}

impl Form for Change {
    fn form(&self) -> Value {
        match self {
            Change::Text(name, value) => case("text", json!([name, value])),
            Change::Number(name, value) => case("number", json!([name, value.form()])),
            Change::Clear(name) => case("clear", json!(name)),
        }
    }
}

impl Form for Place {
    fn form(&self) -> Value {
        match self {
            Place::Absent => bare("absent"),
            Place::Content(size) => case("content", size.form()),
            Place::Pointer(it) => case("pointer", it.form()),
            Place::Malformed => bare("malformed"),
            Place::Unreadable => bare("unreadable"),
        }
    }
}

impl Form for Task {
    fn form(&self) -> Value {
        match self {
            Task::Create(path) => case("create", json!(path)),
            Task::ListAll(path) => case("list-all", json!(path)),
            Task::Verify => bare("verify"),
            Task::Unlock { id, force } => case("unlock", json!([id, force])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(Failure::TimedOut.form(), json!("timed-out"));
        assert_eq!(Misuse::OutOfOrder.form(), json!("out-of-order"));
        assert_eq!(Step::Wait(Some(1 << 60)).form(), json!({"tag": "wait", "val": {"u64": "1152921504606846976"}}));
        assert_eq!(Step::Wait(None).form(), json!({"tag": "wait", "val": null}));
        assert_eq!(Reply::Chunk(vec![0xff]).form(), json!({"tag": "chunk", "val": {"b64": "/w=="}}));
    }
}
