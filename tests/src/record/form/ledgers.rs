//! Forms of the interface `ledgers`.

use super::cases::case;
use super::{Form, bytes, kebab};
use hydrant_ledger::journal::Unfinished;
use hydrant_ledger::rules::drafts::Placeholder;
use hydrant_ledger::rules::readiness::{Checkout, Coverage, ErrorClass, Hydrated, HydrationState, Readiness};
use hydrant_ledger::rules::restore::{Restored, Witness};
use hydrant_ledger::rules::titles::{Skip, TitleRepair};
use hydrant_ledger::status::Tally;
use serde_json::{Value, json};

by_case_name!(Skip, Witness, ErrorClass, HydrationState);

record!(Tally: "files" files, "there" there, "required" required, "completed" completed, "changed" changed,
    "broken" broken, "unreadable" unreadable);
record!(Checkout: "head" head, "shallow" shallow, "dirty" dirty, "failed" failed, "paths" paths, "sessions" sessions);
record!(Coverage: "complete" complete, "paths" paths, "files" files, "empty" empty);
record!(Hydrated: "state" state, "required" required, "completed" completed);
record!(Readiness: "schemaVersion" schema_version, "head" head, "ready" ready, "coverage" coverage,
    "hydration" hydration, "errorClass" error_class);
record!(Placeholder: "sessionName" session_name, "sessionId" session_id,
    "continuedFromSessionId" continued_from_session_id, "createdAt" created_at, "updatedAt" updated_at,
    "username" username, "userId" user_id, "repoId" repo_id, "agentId" agent_id, "agentType" agent_type,
    "model" model, "turnCount" turn_count, "entryCount" entry_count);

impl Form for TitleRepair {
    fn form(&self) -> Value {
        match self {
            TitleRepair::Skipped(why) => case("skipped", why.form()),
            TitleRepair::Recovered(text) => case("recovered", bytes(text)),
            TitleRepair::Attempt { text, attempts } => {
                case("attempt", json!({"text": bytes(text), "attempts": attempts.form()}))
            }
            TitleRepair::Terminal(text) => case("terminal", bytes(text)),
        }
    }
}

impl Form for Restored {
    fn form(&self) -> Value {
        json!({"pointer": bytes(&self.pointer), "witness": self.witness.form()})
    }
}

impl Form for Unfinished {
    fn form(&self) -> Value {
        match self {
            Unfinished::Intended(blobs) => case("intended", blobs.form()),
            Unfinished::Bound { push, in_place, superseded } => {
                case("bound", json!({"push": push.form(), "inPlace": in_place.form(), "superseded": superseded.form()}))
            }
        }
    }
}
