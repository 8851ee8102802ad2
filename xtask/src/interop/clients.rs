//! Other people's clients with `hydrant serve`, which wants its token: git-lfs, dulwich's, giftless's, and our own.

use super::Ground;
use super::exchange::{ABSENT, Objects, SIZES, git, hydrant};
use super::peer::{Peer, finish, free_port, refused};
use super::servers::{DULWICH, venv};
use crate::failure::{Because, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const GIFTLESS_CLIENT: &[&str] = &["giftless-client==0.1.1", "requests", "six", "click", "python-dateutil"];
const SCRIPT: &str = include_str!("client.py");
const TOKEN: &str = "a-token-of-this-run";
const WRONG: &str = "a-token-of-nobody";

/// A client: does a step with one object, as the holder of a token.
trait Client {
    fn up(&self, token: &str, object: &Object) -> Command;
    /// Asks whether the server has it; none where the client cannot.
    fn has(&self, object: &Object) -> Option<Command>;
    /// Fetches it to this place.
    fn down(&self, object: &Object, into: &Path) -> Result<Command>;
}

struct Object {
    oid: String,
    size: usize,
    file: PathBuf,
}

/// Every client through every step.
pub(crate) fn with_serve(ground: &Ground<'_>) -> Result<String> {
    let port = free_port()?;
    let store = ground.folder("store")?;
    let mut serve = hydrant(ground);
    serve.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--store"]).arg(&store);
    serve.env("HYDRANT_SERVE_TOKEN", TOKEN);
    let _server = Peer::start(&mut serve, port, &ground.scratch.join("serve.log"))?;
    let url = |client: &str| format!("http://127.0.0.1:{port}/team/{client}");

    let script = ground.scratch.join("client.py");
    fs::write(&script, SCRIPT).because("the clients' script cannot be written")?;
    let python = |kind, packages| -> Result<Script> {
        let python = venv(ground, &format!("client-{kind}"), packages)?.join("python");
        Ok(Script { python, script: script.clone(), kind, url: url(kind) })
    };
    let clients: [(&str, Box<dyn Client>); 4] = [
        ("git-lfs", Box::new(GitLfs::of(ground, port)?)),
        ("dulwich", Box::new(python("dulwich", DULWICH)?)),
        ("giftless", Box::new(python("giftless", GIFTLESS_CLIENT)?)),
        ("hydrant", Box::new(Ours { ground, url: url("hydrant") })),
    ];
    let objects = Objects::make(ground)?;
    for (name, client) in &clients {
        let into = ground.folder(&format!("fetched-{name}"))?;
        let mut pair = ground.pairs.begin(name, "hydrant serve");
        let all: Vec<Object> = objects
            .each()
            .map(|(oid, file)| Object { size: fs::metadata(&file).map_or(0, |facts| facts.len() as usize), oid, file })
            .collect();
        let each = |step: &mut dyn FnMut(&Object) -> Result<()>| all.iter().try_for_each(step);
        pair.step("token", || each(&mut |one| refused(&mut client.up(WRONG, one))))?;
        pair.step("up", || each(&mut |one| finish(&mut client.up(TOKEN, one)).map(drop)))?;
        pair.step("again", || each(&mut |one| finish(&mut client.up(TOKEN, one)).map(drop)))?;
        if all.first().is_some_and(|one| client.has(one).is_some()) {
            pair.step("has", || {
                each(&mut |one| client.has(one).map_or(Ok(()), |mut asked| finish(&mut asked).map(drop)))
            })?;
        }
        pair.step("down", || {
            each(&mut |one| {
                let place = into.join(&one.oid);
                finish(&mut client.down(one, &place)?)?;
                let same = fs::read(&place).because("nothing came")? == fs::read(&one.file).because("it is gone")?;
                if same { Ok(()) } else { ground.fail("other bytes came back") }
            })
        })?;
        let absent = Object { oid: ABSENT.into(), size: 5, file: into.join("absent") };
        pair.step("missing", || refused(&mut client.down(&absent, &into.join(ABSENT))?))?;
    }
    Ok(format!("{} clients, {} objects each", clients.len(), SIZES.len()))
}

/// A client in Python, behind one script.
struct Script {
    python: PathBuf,
    script: PathBuf,
    kind: &'static str,
    url: String,
}

impl Script {
    fn step(&self, token: &str, step: &str, object: &Object, file: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(&self.script).args([self.kind, &self.url, token, step, &object.oid, &object.size.to_string()]);
        command.arg(file);
        command
    }
}

impl Client for Script {
    fn up(&self, token: &str, object: &Object) -> Command {
        self.step(token, "up", object, &object.file)
    }

    fn has(&self, object: &Object) -> Option<Command> {
        Some(self.step(TOKEN, "has", object, &object.file))
    }

    fn down(&self, object: &Object, into: &Path) -> Result<Command> {
        Ok(self.step(TOKEN, "down", object, into))
    }
}

/// The real client, in a repository of its own for each token.
struct GitLfs {
    work: PathBuf,
    port: u16,
}

impl GitLfs {
    fn of(ground: &Ground<'_>, port: u16) -> Result<Self> {
        let work = ground.folder("git-lfs")?;
        finish(git(&work).args(["init", "-q"]))?;
        finish(git(&work).args(["lfs", "install", "--local"]))?;
        finish(git(&work).args(["remote", "add", "origin", &format!("http://127.0.0.1:{port}/team/git-lfs.git")]))?;
        Ok(Self { work, port })
    }

    fn command(&self, token: &str) -> Command {
        let mut git = git(&self.work);
        let url = format!("http://user:{token}@127.0.0.1:{}/team/git-lfs", self.port);
        git.args(["-c", &format!("lfs.url={url}"), "-c", "lfs.locksverify=false", "-c", "lfs.transfer.maxretries=1"]);
        git.args(["-c", "credential.helper="]).env("GIT_ASKPASS", "false");
        git
    }
}

impl Client for GitLfs {
    fn up(&self, token: &str, object: &Object) -> Command {
        // What is not in its own store is not sent.
        let store = self.work.join(".git/lfs/objects").join(&object.oid[..2]).join(&object.oid[2..4]);
        if fs::create_dir_all(&store).is_ok() {
            fs::copy(&object.file, store.join(&object.oid)).ok();
        }
        let mut git = self.command(token);
        git.args(["lfs", "push", "--object-id", "origin", &object.oid]);
        git
    }

    fn has(&self, _: &Object) -> Option<Command> {
        None
    }

    fn down(&self, object: &Object, into: &Path) -> Result<Command> {
        let objects = self.work.join(".git/lfs/objects");
        if objects.exists() {
            fs::remove_dir_all(&objects).because("its store cannot be emptied")?;
        }
        let pointer = into.with_extension("pointer");
        let (oid, size) = (&object.oid, object.size);
        let text = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n");
        fs::write(&pointer, text).because("a pointer cannot be written")?;
        let mut smudge = self.command(TOKEN);
        // A shell stands between, because the runner gives every child its own ends.
        smudge.args(["-c", "alias.fetched=!f() { git lfs smudge < \"$1\" > \"$2\"; }; f", "fetched"]);
        smudge.arg(&pointer).arg(into);
        Ok(smudge)
    }
}

/// Our own client, on the same terms.
struct Ours<'a> {
    ground: &'a Ground<'a>,
    url: String,
}

impl Ours<'_> {
    fn list(&self, object: &Object) -> PathBuf {
        let list = self.ground.scratch.join("one.list");
        // The command says it when there is none.
        fs::write(&list, format!("{} {}\n", object.oid, object.size)).ok();
        list
    }
}

impl Client for Ours<'_> {
    fn up(&self, token: &str, object: &Object) -> Command {
        let mut upload = hydrant(self.ground);
        upload.arg("upload").arg(&object.file).args(["--endpoint", &self.url]).env("HYDRANT_LFS_TOKEN", token);
        upload
    }

    fn has(&self, object: &Object) -> Option<Command> {
        let mut batch = hydrant(self.ground);
        batch.args(["batch", "download", "--endpoint", &self.url, "--objects"]).arg(self.list(object));
        batch.env("HYDRANT_LFS_TOKEN", TOKEN);
        Some(batch)
    }

    fn down(&self, object: &Object, into: &Path) -> Result<Command> {
        let mut fetch = hydrant(self.ground);
        fetch.arg("hydrate").arg("--objects").arg(self.list(object)).arg("--into").arg(into.parent().unwrap_or(into));
        fetch.args(["--endpoint", &self.url]).env("HYDRANT_LFS_TOKEN", TOKEN);
        Ok(fetch)
    }
}
