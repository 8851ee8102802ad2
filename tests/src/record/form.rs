//! The JSON form of the contract's values, directed by their WIT types: records are objects with camelCase keys,
//! variants `{"tag","val"}`, enums their kebab-case names, an absent option is null, a u64 is `{"u64":"12"}` because
//! JSON readers round large numbers, a list of bytes is `{"b64":"…"}`.

mod cases;

use crate::engine::ManifestFacts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cases::case;
use hydrant_ledger::manifest::{FileRef, Storage};
use hydrant_ledger::publish::{PublishFile, PublishReport, Published, PublishedState};
use hydrant_ledger::reconcile::{Contradiction, Missing, ReconcileReport, Remedy, Unknown};
use hydrant_ledger::status::{Fact, FileState, Hydration, State, Status};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::Phase;
use hydrant_lfs::contract::{Failure, Header, Instant, Login, Method, Misuse, Redirect, Request, Revision};
use hydrant_lfs::contract::{Outcome, Source, TransferReport, Want};
use hydrant_lfs::git_lfs::batch::{self, Action, BatchObject, BatchRequest, BatchResponse};
use hydrant_lfs::git_lfs::endpoint::Setting;
use hydrant_lfs::git_lfs::pointer::{self, Finding};
use hydrant_lfs::git_lfs::response_error::{ResponseError, ResponseErrorKind};
use hydrant_lfs::operations::{BatchOutcome, Lock, LockReport};
use hydrant_lfs::text::error::{Code, Error};
use hydrant_lfs::text::oid::{Blob, Oid};
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

/// The request of the WIT, which names the endpoint too.
pub fn batch_request(endpoint: &str, it: &BatchRequest) -> Value {
    json!({
        "endpoint": endpoint,
        "direction": it.direction.form(),
        "reference": it.reference,
        "transfers": it.transfers,
        "objects": it.objects.form(),
    })
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

by_case_name!(Method, Login, Redirect, Failure, Misuse, Storage, Hydration, State, Direction, PublishedState, Remedy);

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

mod ledgers;

record!(Instant: "ticks" ticks, "wall" wall);
record!(Blob: "oid" oid, "size" size);
record!(Header: "name" name, "value" value);
record!(Request: "method" method, "url" url, "headers" headers, "body" body, "login" login, "redirect" redirect);
record!(Error: "code" code, "detail" detail, "retryAt" retry_at);
record!(Action: "href" href, "headers" headers, "expiresAt" expires_at);
record!(BatchObject: "oid" oid, "authenticated" authenticated, "verdict" verdict);
record!(BatchResponse: "transfer" transfer, "objects" objects, "unknown" unknown);
record!(Setting: "key" key, "value" value);
record!(Finding: "flaw" flaw, "line" line);
record!(Want: "name" name, "oid" oid, "size" size);
record!(Source: "name" name, "expects" expects);
record!(Outcome: "name" name, "oid" oid, "size" size, "ended" ended);
record!(PublishFile: "name" name, "source" source, "inGit" in_git);
record!(Published: "name" name, "oid" oid, "size" size, "state" state, "reason" reason);
record!(PublishReport: "sessionId" session_id, "phase" phase, "resumed" resumed, "tip" tip, "files" files,
    "orphans" orphans, "ended" ended);
record!(Missing: "path" path, "blob" blob, "historyOnly" history_only, "remedy" remedy);
record!(Unknown: "path" path, "blob" blob, "error" error);
record!(Contradiction: "path" path, "pointer" pointer, "manifest" manifest);
record!(ReconcileReport: "commits" commits, "scanned" scanned, "missing" missing, "unknown" unknown,
    "contradictions" contradictions, "repairable" repairable, "uploaded" uploaded, "removed" removed,
    "squashed" squashed, "tip" tip, "orphans" orphans, "ended" ended);
record!(TransferReport: "outcomes" outcomes, "ended" ended);
record!(BatchOutcome: "oid" oid, "answer" answer);
record!(Lock: "id" id, "path" path, "lockedAt" locked_at, "owner" owner);
record!(LockReport: "locks" locks, "theirs" theirs, "supported" supported, "ended" ended);
record!(FileRef: "name" name, "storage" storage, "oid" oid, "size" size, "flaw" flaw);
record!(FileState: "name" name, "state" state, "detail" detail);
record!(Status: "hydration" hydration, "files" files, "tally" tally);
record!(Fact: "name" name, "place" place, "cached" cached);
record!(ResponseError: "kind" kind, "status" status, "message" message, "requestId" request_id,
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

impl Form for Revision {
    fn form(&self) -> Value {
        json!(self.0)
    }
}

impl Form for Phase {
    fn form(&self) -> Value {
        json!(self.name())
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

impl Form for ResponseErrorKind {
    fn form(&self) -> Value {
        json!(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydrant_lfs::contract::{Reply, Step};

    #[test]
    fn forms() {
        assert_eq!(Failure::TimedOut.form(), json!("timed-out"));
        assert_eq!(Misuse::OutOfOrder.form(), json!("out-of-order"));
        assert_eq!(Step::Wait(Some(1 << 60)).form(), json!({"tag": "wait", "val": {"u64": "1152921504606846976"}}));
        assert_eq!(Step::Wait(None).form(), json!({"tag": "wait", "val": null}));
        assert_eq!(Reply::Chunk(vec![0xff]).form(), json!({"tag": "chunk", "val": {"b64": "/w=="}}));
    }
}
