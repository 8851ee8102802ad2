//! What is published without its secrets.
//!
//! The rules it keeps: nothing is changed unless all secrets can be taken out; an original is never unlinked. One in
//! the session's folder gives way to its form without secrets and is kept in git's folder; any other stays as it is,
//! and a copy is published.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

use hydrant_secrets::{Finding, Markers, Named, Piece, Redact, Scan, Secrets};

use crate::contract::error::Fault;
use crate::contract::manifests::FileRef;
use crate::contract::types::{Blob, Code};
use crate::files::Files;
use crate::files::digest::{Digesting, blob_of_file};
use crate::gate::containers::{self, Stopped};
use crate::gate::copies::Copies;
use crate::gate::{Gate, Sought, each_piece, too_long};
use crate::sessions::ledger::path_in;
use crate::text::{io_words, quote};
use crate::worktree::swap::{self, Aside};

use super::recording::{Place, Recorded};
use super::redaction::{TakenOut, pass};
use super::scene::Scene;

/// The name that a field has as a text.
const FIELD: &str = "the field ";

impl Scene<'_> {
    /// The same with markers in the places of secrets, where the user asks for that and all of them can be taken out.
    /// What is let out is noted for the manifest.
    pub(super) fn without_secrets(&mut self, gate: &Gate) -> Result<(), Fault> {
        self.look_through_texts(gate)?;
        let is_wanted = self.options.secrets.redact || gate.has_allowances();
        if self.options.resume || !is_wanted {
            return Ok(());
        }
        self.look_through_files(gate)?;
        let mut taken_out = Vec::new();
        if self.options.secrets.redact && self.can_redact(gate) {
            self.redacted.states = Some(self.states());
            self.take_out(gate, &mut taken_out)?;
        }
        self.redacted.places = taken_out.len();
        let mut allowed = self.secrets(gate, false).allowed;
        // What the ledger has already was recorded when it came there.
        let mut is_new = BTreeMap::new();
        for name in taken_out.iter().map(|one| &one.file).chain(allowed.iter().map(|one| &one.file)) {
            if !is_new.contains_key(name) {
                is_new.insert(name.clone(), self.is_new(name)?);
            }
        }
        taken_out.retain(|one| is_new[&one.file]);
        allowed.retain(|one| is_new[&one.file]);
        self.redacted.pass = pass(&gate.sought().catalog(), &taken_out, &allowed);
        Ok(())
    }

    /// Whether the manifest here does not name what would be sent under this name.
    fn is_new(&self, name: &str) -> Result<bool, Fault> {
        let Some(file) = self.recording.files.iter().find(|file| file.name == name) else {
            // Of the fields only the title is known to be the same.
            let title = self.manifest.as_ref().map(|manifest| manifest.title.as_str());
            let given = self.fields.iter().find(|(field, _)| name.strip_prefix(FIELD) == Some(field));
            return Ok(given.is_none_or(|(field, value)| field != "title" || title != Some(value)));
        };
        let named = self.manifest.iter().flat_map(|manifest| &manifest.files).find(|one| one.name == name);
        let blob = blob_of_file(&mut self.opened(&file.read_by(&self.session))?);
        let blob = blob.map_err(|error| unreadable(name, &error))?;
        match named {
            Some(FileRef { oid: Some(oid), .. }) => Ok(*oid != blob.oid),
            Some(_) if file.place != Place::InSession => {
                let there = self.files.open(&path_in(&self.session, name)).ok().flatten();
                Ok(!there.is_some_and(|mut there| blob_of_file(&mut there.file).is_ok_and(|other| other == blob)))
            }
            _ => Ok(true),
        }
    }

    fn look_through_files(&self, gate: &Gate) -> Result<(), Fault> {
        for file in &self.recording.files {
            let read_by = file.read_by(&self.session);
            let mut opened = self.opened(&read_by)?;
            let looked = gate.sought().in_file(&mut opened, |_| self.go_on());
            gate.take_look(&read_by, &looked.map_err(|error| Fault::local(&quote(read_by.as_bytes()), &error))?);
        }
        Ok(())
    }

    fn go_on(&self) -> io::Result<()> {
        match self.client.cancellation().is_cancelled() {
            true => Err(io::Error::other("it was stopped")),
            false => Ok(()),
        }
    }

    /// Whether everything that is held back stands in a file or a field, and could be taken out.
    pub(super) fn can_redact(&self, gate: &Gate) -> bool {
        let is_text = |file: &str| {
            file.starts_with(FIELD) || self.recording.files.iter().any(|one| one.read_by(&self.session) == file)
        };
        let held = gate.held();
        !held.is_empty() && held.iter().all(|one| one.why.is_none() && is_text(&one.file))
    }

    fn take_out(&mut self, gate: &Gate, taken_out: &mut Vec<TakenOut>) -> Result<(), Fault> {
        let sought = gate.sought();
        let secrets = self.all_secrets(gate)?;
        let named = secrets.named(sought.values.iter().map(Vec::as_slice));
        let mut markers = secrets.markers(&sought.rules);
        let copies = Copies::make(&self.repository.store_dir())?;
        let mut pass = Pass { sought, named: &named, markers: &mut markers, taken_out };
        let mut fields = self.fields.clone();
        for (name, value) in &mut fields {
            *value = pass.text(&format!("{FIELD}{name}"), value);
        }
        let mut changed = Vec::new();
        for file in &self.recording.files {
            let mut original = self.opened(&file.read_by(&self.session))?;
            let is_container = containers::is_container(&original).map_err(|error| unreadable(&file.name, &error))?;
            if is_container {
                // Its bytes are not its text: a marker would break it.
                without(&file.name, &original, sought, &named)?;
                continue;
            }
            let before = pass.taken_out.len();
            let made = copies.create(&file.name).map_err(|error| Fault::local("a copy without secrets", &error));
            let mut copy = made?;
            let blob = pass.file(&file.name, &mut original, &mut copy)?;
            if pass.taken_out.len() > before {
                changed.push((file, blob, copy));
            }
        }
        let mut elsewhere = Vec::new();
        for (file, blob, mut copy) in changed {
            match &file.place {
                Place::InSession => self.redacted.kept.push(self.give_way(file, &blob, &mut copy)?),
                _ => elsewhere.push((file.name.clone(), copies.folder().join(&file.name))),
            }
        }
        (self.fields, self.redacted.copies) = (fields, Some(copies));
        self.look_again(elsewhere)
    }

    /// The original gives way to its form without secrets; its name among what is kept.
    fn give_way(&self, file: &Recorded, blob: &Blob, copy: &mut File) -> Result<String, Fault> {
        let read_by = file.read_by(&self.session);
        let shown = quote(read_by.as_bytes());
        let mut swapped = || {
            copy.rewind()?;
            let store = self.repository.cache().map_err(|fault| io::Error::other(fault.detail))?;
            let root = store.root().ok_or_else(|| io::Error::other("this clone has no place for it"))?;
            swap::keep(&self.files, &Aside::open(root)?, &read_by, blob, copy)
        };
        match swapped().map_err(|error| Fault::local(&shown, &error))? {
            Some(name) => Ok(name),
            None => Err(Fault::failed(
                Code::Conflict,
                format!("{shown} changed while it was looked through; nothing was sent: run the command again"),
            )),
        }
    }

    /// Takes the work tree as it is now, and copies in the places of files that lie elsewhere.
    fn look_again(&mut self, elsewhere: Vec<(String, PathBuf)>) -> Result<(), Fault> {
        let tree = Files::beneath(&self.repository.top)?;
        for file in &mut self.recording.files {
            if let Some((_, copy)) = elsewhere.iter().find(|(name, _)| *name == file.name) {
                file.place = Place::At(copy.clone());
            }
        }
        self.files = self.recording.among(tree);
        for at in 0..self.recording.files.len() {
            let read_by = self.recording.files[at].read_by(&self.session);
            self.recording.files[at].size = self.opened(&read_by)?.metadata().map_or(0, |facts| facts.len());
        }
        Ok(())
    }

    /// Every secret of every file and field, but for what is let out.
    fn all_secrets(&self, gate: &Gate) -> Result<Secrets, Fault> {
        let sought = gate.sought();
        let given = Named::of(sought.values.iter().map(Vec::as_slice));
        let mut secrets = Secrets::default();
        for (_, value) in &self.fields {
            note(&mut value.as_bytes(), sought, &given, gate, &mut secrets)
                .map_err(|error| unreadable("a field", &error))?;
        }
        for file in &self.recording.files {
            let mut opened = self.opened(&file.read_by(&self.session))?;
            let noted = containers::is_container(&opened).and_then(|is_container| match is_container {
                true => Ok(()),
                false => note(&mut opened, sought, &given, gate, &mut secrets),
            });
            noted.map_err(|error| unreadable(&file.name, &error))?;
        }
        Ok(secrets)
    }

    fn opened(&self, read_by: &str) -> Result<File, Fault> {
        let shown = quote(read_by.as_bytes());
        let opened = self.files.open(read_by).map_err(|error| Fault::local(&shown, &error))?;
        Ok(opened.ok_or_else(|| Fault::misuse(format!("{shown} is no longer there")))?.file)
    }
}

fn unreadable(name: &str, error: &io::Error) -> Fault {
    Fault::local(&quote(name.as_bytes()), error)
}

/// Refuses a container with a secret that stands in another file, too.
fn without(name: &str, file: &File, sought: &Sought, named: &Named) -> Result<(), Fault> {
    let mut is_found = false;
    let looked = containers::each_part(file, &|_| false, &mut |_, bytes| {
        let mut scan = Scan::new(&sought.rules, named);
        let mut heard = |_: Finding<'_>| is_found = true;
        let read = each_piece(bytes, |bytes| scan.push(bytes, &mut heard).map_err(too_long));
        scan.end(&mut heard);
        read.map_err(|error| Stopped(io_words(&error)))
    });
    let shown = quote(name.as_bytes());
    match looked {
        Err(why) => Err(Fault::failed(Code::Rejected, format!("{shown}: {why}; nothing was sent"))),
        Ok(_) if is_found => Err(Fault::failed(
            Code::Rejected,
            format!("{shown} has a secret of another file in it: unpack it, redact that, and pack it again"),
        )),
        Ok(_) => Ok(()),
    }
}

/// The first pass over a text.
fn note(text: &mut impl Read, sought: &Sought, given: &Named, gate: &Gate, secrets: &mut Secrets) -> io::Result<()> {
    let mut scan = Scan::new(&sought.rules, given);
    let mut heard = |finding: Finding<'_>| match gate.lets_out(finding.value) {
        true => secrets.spare(finding.value),
        false => secrets.note(&finding),
    };
    each_piece(text, |bytes| scan.push(bytes, &mut heard).map_err(too_long))?;
    let marked = scan.end(&mut heard);
    secrets.note_marked(&marked);
    Ok(())
}

/// The second pass.
struct Pass<'a> {
    sought: &'a Sought,
    named: &'a Named,
    markers: &'a mut Markers,
    taken_out: &'a mut Vec<TakenOut>,
}

impl Pass<'_> {
    fn text(&mut self, name: &str, text: &str) -> String {
        let mut redacted = Vec::new();
        // A field has no line that is too long, or the gate would hold it back.
        self.run(name, &mut text.as_bytes(), &mut redacted).ok();
        String::from_utf8_lossy(&redacted).into_owned()
    }

    /// What the original was when it was read.
    fn file(&mut self, name: &str, original: &mut File, copy: &mut File) -> Result<Blob, Fault> {
        let run = self.run(name, original, copy).and_then(|blob| copy.sync_all().map(|()| blob));
        run.map_err(|error| unreadable(name, &error))
    }

    fn run(&mut self, name: &str, text: &mut impl Read, to: &mut impl Write) -> io::Result<Blob> {
        let mut digest = Digesting::new();
        let (sought, taken_out) = (self.sought, &mut *self.taken_out);
        let mut redact = Redact::new(&sought.rules, self.named, self.markers);
        let mut written = Ok(());
        let mut give = |piece: Piece<'_>| {
            let bytes = match &piece {
                Piece::Kept(bytes) => *bytes,
                Piece::Marker(marker, finding) => {
                    let kind = sought.rules.name(finding.kind).to_owned();
                    taken_out.push(TakenOut { file: name.to_owned(), line: finding.line, kind });
                    marker.as_bytes()
                }
                Piece::Rest(_) => &[],
            };
            if written.is_ok() {
                written = to.write_all(bytes);
            }
        };
        each_piece(text, |bytes| {
            digest.update(bytes);
            redact.push(bytes, &mut give).map_err(too_long)
        })?;
        redact.end(&mut give);
        written.map(|()| digest.finish())
    }
}
