//! `hydrant publish --dry-run`: what would be sent, what it would replace, and what stands in the way.
//!
//! The rule it keeps: the very operation is run, with a host that can keep no journal: it ends, by its own rules, just
//! before it would write for the first time. Only the ref that says where the remote is may move.

use hydrant_host::files::digest::blob_of_file;
use hydrant_host::documents::Documents;
use hydrant_host::contract::sessions::PublishReport;
use hydrant_host::contract::types::{Blob, Code, Error, Phase};

use crate::cli::Voice;
use crate::ending::Ending;
use hydrant_host::contract::error::Fault;
use crate::publish_report::{self, Dry, Planned};
use crate::recording::Recorded;
use crate::report::Output;
use hydrant_host::text::quote;

use super::Scene;

pub(super) fn run(scene: &Scene<'_>, output: &mut Output) -> Result<Ending, Fault> {
    let mut dry = Dry { resumes: scene.unfinished, ..Dry::default() };
    let destination = scene.destination(true).or_else(|fault| {
        dry.obstacles.push(fault.detail);
        scene.destination(false)
    })?;
    let mut report = None;
    match scene.preflight() {
        Ok(preflight) => {
            scene.lint(&preflight, output);
            dry.obstacles.extend(scene.obstacle()?);
            let documents: Documents = scene.files.clone().into();
            let voice = Voice { quiet: true, ..output.voice.clone() };
            let came = scene.operate(&preflight.ledger, documents, destination, &voice)?;
            if came.interrupted {
                return Err(Fault::interrupted("interrupted"));
            }
            // This host has no journal, so the operation does not know that there is something to finish.
            let is_finish = |error: &Error| scene.unfinished && error.code == Code::NotFound;
            if let (Phase::Hash, Err(error)) = (came.report.phase, &came.report.ended)
                && !is_finish(error)
            {
                dry.obstacles.push(error.detail.clone());
            }
            report = Some(came.report);
        }
        Err(refusal) => dry.obstacles.push(refusal.sentence),
    }
    for file in &scene.recording.files {
        let blob = match report.as_ref().and_then(|report| hashed(report, &file.name)) {
            Some(blob) => blob,
            None => hash(scene, file)?,
        };
        let named = scene.manifest.as_ref().and_then(|manifest| manifest.files.iter().find(|f| f.name == file.name));
        let replaces = named.and_then(|named| named.oid.clone()).filter(|oid| *oid != blob.oid);
        dry.files.push(Planned { name: file.name.clone(), blob, in_git: file.in_git, replaces });
    }
    publish_report::plan(&scene.session, &dry, output);
    Ok(Ending::Done)
}

/// What the operation found a file to be.
fn hashed(report: &PublishReport, name: &str) -> Option<Blob> {
    let file = report.files.iter().find(|file| file.name == name && !file.oid.is_empty())?;
    Some(Blob { oid: file.oid.clone(), size: file.size })
}

fn hash(scene: &Scene<'_>, file: &Recorded) -> Result<Blob, Fault> {
    let shown = quote(file.name.as_bytes());
    let unreadable = |error: &std::io::Error| Fault::local(&shown, error);
    let opened = scene.files.open(&file.read_by(&scene.session)).map_err(|error| unreadable(&error))?;
    let mut opened = opened.ok_or_else(|| Fault::misuse(format!("{shown} is no longer there")))?;
    blob_of_file(&mut opened.file).map_err(|error| unreadable(&error))
}
