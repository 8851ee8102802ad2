//! Publishing a session: hydrant beside git with git-lfs, each run in a fresh clone of a fresh remote, with a fresh
//! server of the same kind, and every byte fetched back afterwards through the remote's pointers.

use super::data::{Blob, prove};
use super::figures::Found;
use super::ground::{Ground, is_installed, text};
use super::server::Server;
use super::session::{SESSION, Session, SessionSet, read_pointer};
use super::stopwatch::{Client, Ready, race};
use super::transfer::{configure, leave_out};
use super::workload::{COMMIT_AND_PUSH, PUBLISH_AGAIN, PUBLISH_FROM, PUBLISH_IN_PLACE, STATUS};
use crate::failure::{Because, Failure, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Milliseconds between the last write of a session and its publish. Nobody publishes what was written in the same
/// instant; both clients distrust times that young, and read such files once more.
const REST_MS: u64 = 2_200;
/// What a user of git-lfs types.
const GIT_PUBLISH: &str = "git add . && git commit -q -m session && git push -q";

/// How the session reaches the ledger.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Git with the filter and the hook of git-lfs; the files lie in the session's folder.
    Git,
    /// `hydrant publish --from`; the files lie outside the ledger.
    From,
    /// `hydrant publish`; the files lie in the session's folder.
    InPlace,
}

/// Everything of one run.
struct Scene {
    server: Server,
    folder: PathBuf,
    clone: PathBuf,
}

/// The three ways in turn.
pub(super) fn measure(ground: &Ground, set: &SessionSet, runs: usize) -> Result<Found> {
    let session = set.session(ground)?;
    let session = &session;
    let mut found = Found::default();
    let client = |name, way| Client { name, prepare: Box::new(move || prepare(ground, session, way)) };
    let mut clients = vec![client(PUBLISH_FROM, Way::From), client(PUBLISH_IN_PLACE, Way::InPlace)];
    if is_installed("git-lfs") {
        clients.push(client(COMMIT_AND_PUSH, Way::Git));
    } else {
        leave_out(&mut found, "git-lfs", &[COMMIT_AND_PUSH]);
    }
    found.measured = race(ground, &mut clients, runs)?;
    Ok(found)
}

/// A publish with nothing to do beside git's own look at the same tree.
pub(super) fn measure_again(ground: &Ground, set: &SessionSet, runs: usize) -> Result<Found> {
    let session = set.session(ground)?;
    let scene = Scene::make(ground, &session, Way::InPlace)?;
    let publish = || scene.command(ground, Way::InPlace);
    ground.succeed(&mut publish()?)?;
    scene.prove(ground, &session)?;
    let status = || {
        let mut command = Command::new("git");
        command.arg("status").current_dir(&scene.clone);
        command
    };
    let tip = ground.git(&scene.clone, &["rev-parse", "HEAD"])?;
    thread::sleep(Duration::from_millis(REST_MS));
    // Once each untimed: both may note what they saw of files that were young before.
    ground.succeed(&mut status())?;
    ground.succeed(&mut publish()?)?;
    let ready = |command| Ready { command, check: Box::new(|| Ok(())) };
    let mut clients = [
        Client { name: PUBLISH_AGAIN, prepare: Box::new(|| Ok(ready(publish()?))) },
        Client { name: STATUS, prepare: Box::new(|| Ok(ready(status()))) },
    ];
    let measured = race(ground, &mut clients, runs)?;
    if ground.git(&scene.clone, &["rev-parse", "HEAD"])? != tip {
        return Err(Failure::new("a publish with nothing to do made a commit"));
    }
    Ok(Found { measured, absent: Vec::new() })
}

fn prepare<'a>(ground: &'a Ground, session: &'a Session, way: Way) -> Result<Ready<'a>> {
    let scene = Scene::make(ground, session, way)?;
    let command = scene.command(ground, way)?;
    // What the set-up wrote reaches the disk now, so that no client waits for it.
    ground.succeed(&mut Command::new("sync"))?;
    thread::sleep(Duration::from_millis(REST_MS));
    Ok(Ready { command, check: Box::new(move || scene.prove(ground, session)) })
}

impl Scene {
    /// A server, a remote with one commit, a clone that knows both, and the session's files where the way wants them.
    fn make(ground: &Ground, session: &Session, way: Way) -> Result<Self> {
        let folder = ground.fresh("publish")?;
        let server = Server::start_empty(ground)?;
        let (remote, clone) = (folder.join("remote.git"), folder.join("clone"));
        ground.git(&folder, &["init", "-q", "--bare", "-b", "main", "remote.git"])?;
        ground.git(&folder, &["init", "-q", "-b", "main", "clone"])?;
        configure(ground, &clone, &server.endpoint)?;
        ground.git(&clone, &["remote", "add", "origin", text(&remote)?])?;
        let unwritable = "the ledger's first commit cannot be written";
        fs::write(clone.join("README.md"), "A ledger of sessions.\n").because(unwritable)?;
        if way == Way::Git {
            let rule = "sessions/** filter=lfs diff=lfs merge=lfs -text\n";
            fs::write(clone.join(".gitattributes"), rule).because(unwritable)?;
        }
        ground.git(&clone, &["add", "."])?;
        ground.git(&clone, &["commit", "-q", "-m", "first"])?;
        ground.git(&clone, &["push", "-q", "-u", "origin", "main"])?;
        let scene = Self { server, folder, clone };
        session.copy_to(&scene.content(way))?;
        match way {
            Way::Git => drop(ground.git(&scene.clone, &["lfs", "install", "--local"])?),
            Way::From => drop(ground.git(&scene.clone, &["config", "hydrant.ledger", "true"])?),
            Way::InPlace => {
                ground.git(&scene.clone, &["config", "hydrant.ledger", "true"])?;
                ground.git(&scene.clone, &["config", "hydrant.contentFiles", &session.names()])?;
            }
        }
        Ok(scene)
    }

    /// Where the session's content lies before it is published.
    fn content(&self, way: Way) -> PathBuf {
        match way {
            Way::From => self.folder.join("recording"),
            Way::Git | Way::InPlace => self.clone.join("sessions").join(SESSION),
        }
    }

    /// What is timed.
    fn command(&self, ground: &Ground, way: Way) -> Result<Command> {
        let mut command = match way {
            Way::Git => {
                let mut shell = Command::new("sh");
                shell.args(["-c", GIT_PUBLISH]);
                shell
            }
            Way::From | Way::InPlace => {
                let mut hydrant = Command::new(&ground.hydrant);
                hydrant.args(["publish", "--quiet", SESSION]);
                hydrant
            }
        };
        if way == Way::From {
            command.args(["--from", text(&self.content(way))?]);
        }
        command.current_dir(&self.clone);
        Ok(command)
    }

    /// Demands that somebody who clones the remote gets every byte: through the pointers that the remote holds.
    fn prove(&self, ground: &Ground, session: &Session) -> Result<()> {
        ground.git(&self.folder, &["clone", "-q", "remote.git", "reader"])?;
        let folder = self.folder.join("reader/sessions").join(SESSION);
        let mut list = String::new();
        for (name, blob) in &session.files {
            let named = pointer_at(&folder.join(name))?;
            if named != *blob {
                return Err(Failure::new(format!("the remote's pointer of {name} names another object")));
            }
            list += &format!("{} {}\n", blob.oid, blob.size);
        }
        let (listed, back) = (self.folder.join("list"), self.folder.join("back"));
        fs::write(&listed, list).because("the list of objects cannot be written")?;
        let mut hydrate = Command::new(&ground.hydrant);
        hydrate.args(["hydrate", "--quiet", "--objects", text(&listed)?, "--into", text(&back)?]);
        hydrate.args(["--endpoint", &self.server.endpoint]).current_dir(&self.folder);
        fs::create_dir_all(&back).because("a folder cannot be made")?;
        ground.succeed(&mut hydrate)?;
        session.files.iter().try_for_each(|(_, blob)| prove(&back.join(&blob.oid), blob))
    }
}

fn pointer_at(path: &Path) -> Result<Blob> {
    read_pointer(&fs::read_to_string(path).because("the remote lacks a file of the session")?)
}
