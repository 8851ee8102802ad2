//! A dry run: what would be sent, what it would replace, and what stands in the way.
//!
//! The rule it keeps: the very operation is run, with a host that can keep no journal: it ends, by its own rules, just
//! before it would write for the first time. Only the ref that says where the remote is may move.

use crate::contract::error::Fault;
use crate::contract::sessions::PublishReport as EngineReport;
use crate::contract::types::{Blob, Code, Error, Phase};
use crate::documents::Documents;
use crate::files::digest::blob_of_file;
use crate::text::quote;

use super::operation::Shown;
use super::recording::Recorded;
use super::report::{PlanReport, PlannedFile, PlannedStorage};
use super::scene::Scene;

/// Says what a publish would do.
pub(super) fn plan(scene: &Scene<'_>) -> Result<PlanReport, Fault> {
    let mut plan = PlanReport::new(&scene.session);
    plan.resumes = scene.unfinished;
    plan.left_out_list.clone_from(&scene.recording.left_out);
    let destination = scene.destination(true).or_else(|fault| {
        plan.obstacle_list.push(fault.detail);
        scene.destination(false)
    })?;
    let mut report = None;
    match scene.preflight() {
        Ok(preflight) => {
            scene.lint(&preflight);
            plan.obstacle_list.extend(scene.obstacle(&preflight)?);
            let documents: Documents = scene.files.clone().into();
            let gate = scene.gate()?;
            scene.look_through_texts(&gate)?;
            let came = scene.operate(&preflight.ledger, documents, destination, &gate, Shown::Nothing)?;
            plan.redacts = scene.options.secrets.redact && scene.can_redact(&gate);
            plan.secret_list = came.secrets.held;
            if came.interrupted {
                return Err(Fault::interrupted("interrupted"));
            }
            // This host has no journal, so the operation does not know that there is something to finish.
            let is_finish = |error: &Error| scene.unfinished && error.code == Code::NotFound;
            if let (Phase::Hash, Err(error)) = (came.report.phase, &came.report.ended)
                && !is_finish(error)
                && plan.secret_list.is_empty()
            {
                plan.obstacle_list.push(error.detail.clone());
            }
            report = Some(came.report);
        }
        Err(refusal) => plan.obstacle_list.push(refusal.sentence),
    }
    for file in &scene.recording.files {
        let Blob { oid, size } = match report.as_ref().and_then(|report| hashed(report, &file.name)) {
            Some(blob) => blob,
            None => hash(scene, file)?,
        };
        let named = scene.manifest.as_ref().and_then(|manifest| manifest.files.iter().find(|f| f.name == file.name));
        let replaces = named.and_then(|named| named.oid.clone()).filter(|named| *named != oid);
        let storage = if file.in_git { PlannedStorage::Git } else { PlannedStorage::Lfs };
        plan.file_list.push(PlannedFile { name: file.name.clone(), oid, size, storage, replaces });
    }
    Ok(plan)
}

/// What the operation found a file to be.
fn hashed(report: &EngineReport, name: &str) -> Option<Blob> {
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
