//! Values whose form takes more than a list of fields: variants, and records that hold bytes or hide a newtype.

use super::{Form, bytes};
use crate::engine::{Answer, Sample};
use hydrant_ledger::manifest::Change;
use hydrant_ledger::publish::Publication;
use hydrant_ledger::status::Place;
use hydrant_lfs::contract::{
    Body, Effect, Exchange, Head, Ledger, LedgerFile, PushFile, PushRange, RangeFile, Reply, RewriteFile, SettleFile,
    Step,
};
use hydrant_lfs::git_lfs::batch::Verdict;
use hydrant_lfs::git_lfs::endpoint::Endpoint;
use hydrant_lfs::git_lfs::pointer::{Extension, Kind, Pointer};
use hydrant_lfs::operations::LockTask;
use serde_json::{Value, json};

/// A case with a payload.
pub(super) fn case(tag: &str, val: Value) -> Value {
    json!({"tag": tag, "val": val})
}

/// A case without one.
fn bare(tag: &str) -> Value {
    json!({"tag": tag})
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
            "stage": stage.map(|it| json!({
                "id": it.id.0,
                "blob": it.blob.form(),
                "resume": it.resume.as_ref().map(|it| json!({"stage": it.stage.0, "bytes": it.bytes.form()})),
            })),
            "answerBytesMax": self.answer_bytes_max.form(),
            "idleMax": self.idle_max.form(),
        })
    }
}

impl Form for Effect {
    fn form(&self) -> Value {
        match self {
            Effect::Http(it) => case("http", it.form()),
            Effect::ReadFile(it) => case("read-file", json!({"name": it.name, "asChunks": it.as_chunks})),
            Effect::LoadDoc(name) => case("load-doc", json!(name)),
            Effect::HasBlob(it) => case("has-blob", it.form()),
            Effect::KeepBlob(it) => case("keep-blob", json!({"stage": it.stage.0, "blob": it.blob.form()})),
            Effect::DropStage(it) => case("drop-stage", json!(it.0)),
            Effect::SaveDoc(it) => {
                let saved = it.bytes.as_deref().map(bytes);
                case("save-doc", json!({"name": it.name, "bytes": saved, "replaces": it.replaces.form()}))
            }
            Effect::LoadLedger(it) => case("load-ledger", json!({"documents": it.documents, "files": it.files})),
            Effect::PushLedger(it) => case("push-ledger", json!({"files": it.files.form(), "message": it.message})),
            Effect::SettleLedger(it) => {
                let file = |it: &SettleFile| json!({"name": it.name, "expects": it.expects.form()});
                let files: Vec<Value> = it.files.iter().map(file).collect();
                case("settle-ledger", json!({"tip": it.tip.form(), "files": files}))
            }
            Effect::SwapFile(it) => case(
                "swap-file",
                json!({
                    "name": it.name,
                    "expects": it.expects.form(),
                    "blob": it.blob.form(),
                    "pointer": bytes(&it.pointer),
                }),
            ),
            Effect::LoadPushRange => bare("load-push-range"),
            Effect::RewriteLedger(it) => {
                let file = |it: &RewriteFile| {
                    let new = it.bytes.as_deref().map(bytes);
                    json!({"name": it.name, "bytes": new, "replaces": bytes(&it.replaces)})
                };
                let files: Vec<Value> = it.files.iter().map(file).collect();
                let (tip, base) = (it.tip.form(), it.base.form());
                case("rewrite-ledger", json!({"tip": tip, "base": base, "files": files, "message": it.message}))
            }
        }
    }
}

impl Form for PushFile {
    fn form(&self) -> Value {
        json!({"name": self.name, "bytes": bytes(&self.bytes), "replaces": self.replaces.form()})
    }
}

impl Form for Step {
    fn form(&self) -> Value {
        match self {
            Step::Perform(id, it) => case("perform", json!({"id": id.0, "effect": it.form()})),
            Step::Cancel(id) => case("cancel", json!(id.0)),
            Step::Note(it) => case("note", json!({"name": it.name, "done": it.done.form(), "total": it.total.form()})),
            Step::Retry(it) => case("retry", json!({"name": it.name, "reason": it.error.form(), "at": it.at.form()})),
            Step::Enter(it) => case("enter", it.form()),
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
            Reply::Ledger(it) => case("ledger", it.form()),
            Reply::PushRange(it) => case("push-range", it.form()),
            Reply::At(it) => case("at", json!(it.0)),
            Reply::Present => bare("present"),
            Reply::Partial(it) => {
                case("partial", json!({"stage": it.stage.0, "bytes": it.bytes.form(), "validator": it.validator}))
            }
            Reply::Absent => bare("absent"),
            Reply::Conflict => bare("conflict"),
            Reply::Failed(it) => case("failed", json!({"why": it.why.form(), "detail": it.detail})),
        }
    }
}

impl Form for Ledger {
    fn form(&self) -> Value {
        let file = |it: &LedgerFile| {
            json!({
                "name": it.name,
                "revision": it.revision.form(),
                "bytes": it.bytes.as_deref().map(bytes),
                "committed": it.committed.as_deref().map(bytes),
            })
        };
        json!({"tip": self.tip.form(), "files": self.files.iter().map(file).collect::<Vec<Value>>()})
    }
}

impl Form for PushRange {
    fn form(&self) -> Value {
        let file = |it: &RangeFile| {
            let text = bytes(&it.bytes);
            json!({"path": it.path, "bytes": text, "atTip": it.at_tip, "unchanged": it.unchanged})
        };
        json!({
            "tip": self.tip.form(),
            "base": self.base.form(),
            "commits": self.commits.form(),
            "baseIsAncestor": self.base_is_ancestor,
            "isUnderway": self.is_underway,
            "files": self.files.iter().map(file).collect::<Vec<Value>>(),
        })
    }
}

impl Form for Publication {
    fn form(&self) -> Value {
        json!({
            "session": self.session,
            "files": self.files.form(),
            "newSessionId": self.new_session_id,
            "createdAt": self.created_at,
            "fields": self.fields,
            "redaction": self.redaction,
        })
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
            Verdict::Refused(it) => {
                case("refused", json!({"status": it.status, "message": it.message, "retryable": it.retryable}))
            }
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

impl Form for LockTask {
    fn form(&self) -> Value {
        match self {
            LockTask::Create(path) => case("create", json!(path)),
            LockTask::ListAll(path) => case("list-all", json!(path)),
            LockTask::Verify => bare("verify"),
            LockTask::Unlock { id, force } => case("unlock", json!([id, force])),
        }
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

impl Form for Extension {
    fn form(&self) -> Value {
        json!({"priority": self.priority, "name": self.name, "oid": self.oid.form()})
    }
}

impl Form for Sample {
    fn form(&self) -> Value {
        json!({"head": bytes(&self.head), "fileSize": self.file_size.form()})
    }
}
