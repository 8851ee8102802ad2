//! What the next run will do, when a publish was not the last.

use crate::contract::sessions::{PublishReport as EngineReport, PublishedState};
use crate::contract::types::{Code, Error, Phase};
use crate::text::shell;

/// How the engine's sentences on the journal and on the register begin. Its codes do not tell these documents apart.
const ON_JOURNAL: &str = "the journal of this session's publish";
const ON_REGISTER: &str = "the orphan register";

/// Nothing is left of a run.
pub(super) const STARTS_OVER: &str = "nothing was sent and nothing changed: the same command starts over";

/// What the next run does, when this one is not the last.
pub(super) fn next(session: &str, report: &EngineReport) -> Option<String> {
    let resume = format!("`hydrant publish {} --resume`", shell(session));
    if report.ended.is_ok() {
        let left = report.files.iter().any(|file| file.state == PublishedState::Left);
        return left
            .then(|| "files that changed meanwhile were left as they are: publish the session again".to_owned());
    }
    let is_on = |document: &str| matches!(&report.ended, Err(error) if error.detail.starts_with(document));
    Some(match report.phase {
        // The same command would end here again.
        Phase::Hash | Phase::Intend if is_on(ON_JOURNAL) || is_on(ON_REGISTER) => {
            "nothing was sent and nothing changed; `hydrant doctor` says how to go on".to_owned()
        }
        // And so would it after a judgement of what is here.
        Phase::Hash | Phase::Intend if report.ended.as_ref().is_err_and(is_judgement) => {
            "nothing was sent and nothing changed".to_owned()
        }
        Phase::Hash | Phase::Intend => STARTS_OVER.to_owned(),
        Phase::Upload => "publish the session again with its files: what the server has is not sent twice".to_owned(),
        Phase::Bind => {
            "everything was sent; publish the session again with its files: nothing is sent twice".to_owned()
        }
        Phase::Push if matches!(&report.ended, Err(error) if error.code == Code::Conflict) => format!(
            "everything was sent; after a `git pull`, {resume} puts it in the place of what the remote has, and \
             `hydrant publish {} --abandon` gives it up; `hydrant doctor` says how to join both",
            shell(session)
        ),
        // The same bytes may wait for blobs of other commits.
        Phase::Push if matches!(&report.ended, Err(error) if error.code == Code::Rejected) => format!(
            "everything was sent; where the remote misses objects of other commits, `hydrant reconcile` names them; \
             then {resume} pushes the same bytes again"
        ),
        Phase::Push => format!("everything was sent; {resume} pushes the same bytes again"),
        Phase::Settle if matches!(&report.ended, Err(error) if error.code == Code::Conflict) => format!(
            "the remote has the session; `git pull` names what stands in the way, and when that is put aside, {resume} \
             lets this clone follow"
        ),
        Phase::Settle => format!("the remote has the session; {resume} lets this clone follow"),
        Phase::Swap => format!("the remote has the session; {resume} puts pointers where content still stands"),
        Phase::Done if is_on(ON_REGISTER) => format!(
            "the remote has the session; `hydrant doctor` first says what is wrong with the register, then {resume} \
             writes down what was orphaned"
        ),
        Phase::Done => format!("the remote has the session; {resume} writes down what was orphaned"),
    })
}

/// Whether the same files would be refused again.
fn is_judgement(error: &Error) -> bool {
    matches!(error.code, Code::Rejected | Code::Malformed | Code::Limit | Code::Conflict)
}
