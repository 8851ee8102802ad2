//! Publishes that were interrupted: where each of them was, by its journal and by what git has of it.
//!
//! A journal is in one of two states. *Intended* names what may have been sent; *bound* holds the exact bytes to push,
//! so what git has of them tells how far it came: nothing, the remote's branch, this branch, or all but the swap.

use hydrant_host::documents::Documents;
use hydrant_host::remote_ledger::RemoteLedger;
use serde_json::Value;

use crate::committed;
use crate::ending::Fault;
use crate::ledger::{SESSIONS, path_in};
use crate::report::{count_text, quote};

use super::{Cure, Finding, Kind, Patient};

/// The form of a journal that is understood here.
const VERSION: u64 = 1;

pub(super) fn look(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let repository = patient.repository;
    let documents = Documents::beneath(&repository.top)?.with_state(&repository.store_dir())?;
    let journals = documents.journals().map_err(|error| Fault::local("the journals cannot be listed", &error))?;
    for session in journals {
        let found = match documents.journal(&session) {
            Ok(None) => continue,
            Ok(Some(text)) => explain(patient, &session, &text)?,
            Err(_) => None,
        };
        findings.push(found.unwrap_or_else(|| unreadable(&session)));
    }
    if RemoteLedger::of_branch(&repository.git).is_ok_and(|ledger| ledger.is_interrupted()) {
        findings.push(Finding::new(
            Kind::RewriteInterrupted,
            "a rewrite of unpushed commits was interrupted; its note says how everything was",
            "hydrant doctor --fix, or the command that was interrupted, puts everything back",
            Cure::UndoRewrite,
        ));
    }
    Ok(())
}

fn unreadable(session: &str) -> Finding {
    let detail = "its publish was interrupted, and the journal cannot be read by this version";
    let shown = quote(session.as_bytes());
    let run = format!("keep hydrant/journal/{shown}.json in git's folder, and use the version that wrote it");
    Finding::new(Kind::PublishUnreadable, detail, run, Cure::Yours).of(session)
}

/// None when the journal has another form.
fn explain(patient: &Patient<'_>, session: &str, text: &[u8]) -> Result<Option<Finding>, Fault> {
    let Ok(journal) = serde_json::from_slice::<Value>(text) else { return Ok(None) };
    if journal["version"].as_u64() != Some(VERSION) {
        return Ok(None);
    }
    if let Some(blobs) = journal["intended"].as_array() {
        return Ok(Some(intended(patient, session, blobs.len())));
    }
    let Some(bound) = Bound::read(&journal["bound"]) else { return Ok(None) };
    Ok(Some(bound.finding(patient, session)?))
}

fn intended(patient: &Patient<'_>, session: &str, blobs: usize) -> Finding {
    let here = patient.repository.top.join(SESSIONS).join(session).symlink_metadata().is_ok();
    let shown = quote(session.as_bytes());
    let detail = format!(
        "a publish of it was interrupted before it was bound: {} may be on the server, and no manifest names them yet",
        count_text(blobs, "blob")
    );
    let run = if here {
        format!("hydrant publish {shown}, with --from DIR where its files came from a folder: nothing is sent twice")
    } else {
        format!("hydrant publish {shown} --from DIR with the folder its files came from: nothing is sent twice")
    };
    let cure = if here { Cure::Publish(session.to_owned(), true) } else { Cure::Yours };
    Finding::new(Kind::PublishIntended, detail, run, cure).of(session)
}

/// What a bound journal says of a publish.
struct Bound {
    /// Names and bytes to push; the manifest comes first.
    push: Vec<(String, Vec<u8>)>,
    /// Files whose content stood in the session's folder.
    in_place: Vec<String>,
}

impl Bound {
    fn read(bound: &Value) -> Option<Self> {
        let push = bound["push"]
            .as_array()?
            .iter()
            .map(|file| Some((file["name"].as_str()?.to_owned(), bytes_of(&file["bytes"])?)));
        let in_place = bound["files"].as_array()?.iter().filter(|file| file["swap"].is_string());
        Some(Self {
            push: push.collect::<Option<_>>()?,
            in_place: in_place.filter_map(|file| Some(file["name"].as_str()?.to_owned())).collect(),
        })
    }

    fn finding(&self, patient: &Patient<'_>, session: &str) -> Result<Finding, Fault> {
        let (kind, detail) = if !self.is_in(patient, "@{upstream}")? {
            (
                Kind::PublishUnpushed,
                "its content is on the server, and the push of its pointers is not known to be done",
            )
        } else if !self.is_in(patient, "HEAD")? {
            (Kind::PublishUnsettled, "the remote has it; branch, index and files here do not follow yet")
        } else if self.stands(patient, session)? {
            (Kind::PublishUnswapped, "the remote has it; content still stands here where its pointers belong")
        } else {
            (Kind::PublishUnclosed, "it is published and all agree; only its journal is left")
        };
        let run = format!("hydrant publish {} --resume", quote(session.as_bytes()));
        let detail = format!("a publish of it was interrupted: {detail}");
        Ok(Finding::new(kind, detail, run, Cure::Publish(session.to_owned(), false)).of(session))
    }

    /// Whether a commit has all that was to be pushed, as far as this clone knows.
    fn is_in(&self, patient: &Patient<'_>, revision: &str) -> Result<bool, Fault> {
        let Some(commit) = committed::commit(patient.repository, revision)? else { return Ok(false) };
        let paths: Vec<&str> = self.push.iter().map(|(name, _)| name.as_str()).collect();
        let there = committed::files(patient.repository, &commit, &paths)?;
        Ok(self.push.iter().zip(&there).all(|((_, bytes), there)| there.as_ref() == Some(bytes)))
    }

    /// Whether content stands where a pointer belongs.
    fn stands(&self, patient: &Patient<'_>, session: &str) -> Result<bool, Fault> {
        let pointers: std::collections::HashMap<&str, &[u8]> =
            self.push.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        for name in &self.in_place {
            let path = path_in(session, name);
            let Ok(Some(mut opened)) = patient.ledger.files().open(&path) else { continue };
            let mut now = Vec::new();
            let length = pointers.get(path.as_str()).map_or(0, |pointer| pointer.len());
            let same_length = opened.size == length as u64;
            if same_length {
                std::io::Read::read_to_end(&mut opened.file, &mut now)
                    .map_err(|error| Fault::local("a file of the session cannot be read", &error))?;
            }
            if !same_length || pointers.get(path.as_str()) != Some(&now.as_slice()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Text, or a list of one string of hexadecimal digits.
fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    if let Some(text) = value.as_str() {
        return Some(text.as_bytes().to_vec());
    }
    let hex = value.as_array()?.first()?.as_str()?.as_bytes();
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    hex.chunks(2).map(|pair| u8::try_from(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Bound, bytes_of};

    #[test]
    fn a_bound_journal_is_read() {
        let bound = json!({
            "files": [{"name": "a", "lfs": {}, "swap": "1-2"}, {"name": "b", "lfs": {}, "swap": null}],
            "push": [{"name": "sessions/s/meta.json", "bytes": "{}"}, {"name": "sessions/s/a", "bytes": ["00ff"]}],
        });
        let bound = Bound::read(&bound).expect("well formed");
        assert_eq!(bound.in_place, ["a"]);
        assert_eq!(bound.push[1].1, [0, 255]);
        assert!(Bound::read(&json!({"push": [{"name": 1}], "files": []})).is_none());
        assert_eq!(bytes_of(&json!(["0"])), None);
    }
}
