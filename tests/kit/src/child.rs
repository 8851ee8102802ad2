//! A program that publishes and dies between two steps, as often as it is started.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::{self, Command, Stdio};

use hydrant_host::contract::sessions::{Publication, PublishFile};
use hydrant_host::documents::Documents;
use hydrant_host::driver::host::Host;
use hydrant_host::driver::{self, Watch};
use hydrant_host::engine::Engine;
use hydrant_host::files::Files;
use hydrant_host::git::Git;
use hydrant_host::net::login::Logins;
use hydrant_host::remote::{Options, RemoteLedger};
use hydrant_host::store::Store;
use rustix::process::{Signal, getpid, kill_process};

use crate::world::{SESSION, World};

const DIES_AT: &str = "TEST_CHILD_DIES_AT";
const CLONE: &str = "TEST_CHILD_CLONE";
const URL: &str = "TEST_CHILD_URL";
const FILES: &str = "TEST_CHILD_FILES";
const UNPUSHED: &str = "TEST_CHILD_UNPUSHED";
/// Exit code of a run that was refused before anything began.
const REFUSED: i32 = 9;
/// Exit code of a run that reached its end before it was to die.
const ENDED: i32 = 8;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Died {
    /// Where it was told to.
    There,
    /// It had come to its end before.
    Ended,
    /// It was refused.
    Refused,
}

/// Publishes the session in a process that aborts at its `dies_at`th step.
pub fn publish(world: &World, dies_at: usize, with_unpushed: bool) -> Died {
    let own = env::current_exe().expect("this program");
    let mut command: Command = world.scene.program(own, &world.clone);
    command.args(["--exact", "the_child", "--nocapture", "--test-threads=1"]);
    let files: Vec<&str> = world.content.keys().map(String::as_str).collect();
    command.env(DIES_AT, dies_at.to_string()).env(CLONE, &world.clone).env(URL, world.scene.url());
    command.env(FILES, files.join("\n")).env(UNPUSHED, if with_unpushed { "1" } else { "" });
    command.stdout(Stdio::null()).stderr(Stdio::null());
    match command.status().expect("it runs").code() {
        Some(ENDED) => Died::Ended,
        Some(REFUSED) => Died::Refused,
        None => Died::There,
        Some(code) => panic!("the child ended with {code}"),
    }
}

/// Dies before or after the so manieth effect that changes something.
struct Dying {
    left: usize,
    /// Ids of open effects that change something.
    changing: BTreeSet<String>,
}

/// Names of effects that change nothing wherever they are performed.
const LOOKING: [&str; 4] = ["load-doc", "load-ledger", "read-file", "has-blob"];

impl Watch for Dying {
    fn progress(&mut self, _name: &str, _done: u64, _total: u64) {}

    fn waiting(&mut self, _millis: u64) {}

    fn wants_trace(&self) -> bool {
        true
    }

    /// Called with `ID > EFFECT` before an effect is performed, and with `ID < ANSWER` before the engine hears of it.
    fn trace(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let (Some(id), Some(way), Some(what)) = (words.next(), words.next(), words.next()) else { return };
        let counts = match way {
            ">" if LOOKING.contains(&what) => false,
            ">" => self.changing.insert(id.to_owned()),
            // The last answer closes the effect; what comes before it changed nothing yet that is not counted.
            _ if matches!(what, "at" | "end" | "conflict" | "absent" | "failed") => self.changing.remove(id),
            _ => false,
        };
        if counts && self.left == 0 {
            // As a kill from outside, and no core is left behind.
            kill_process(getpid(), Signal::KILL).expect("it is ours");
        }
        self.left -= usize::from(counts);
    }
}

/// What a test called `the_child`, at the root of its program, does. Started by others in a process of its own; without
/// what they tell it there is nothing to do.
pub fn act() {
    let Ok(clone) = env::var(CLONE) else { return };
    let variable = |name: &str| env::var(name).expect("set by the parent");
    let git = Git::find(Path::new(&clone)).expect("git");
    let options = Options { with_unpushed: !variable(UNPUSHED).is_empty() };
    let Ok(preflight) = RemoteLedger::preflight(&git, SESSION, options) else { process::exit(REFUSED) };
    let ledger = preflight.ledger;
    let state = ledger.common_dir().join("hydrant");
    let mut logins = Logins::new();
    let endpoint = logins.take_userinfo(&variable(URL)).expect("a URL");
    logins.trust(&endpoint).expect("a URL");
    let top = Path::new(&clone);
    let mut host = Host::builder()
        .endpoint(&endpoint)
        .store(Store::cache(&state).expect("a store"))
        .files(Files::beneath(top).expect("the work tree"))
        .documents(Documents::beneath(top).expect("the work tree").with_state(&state).expect("the state"))
        .ledger(ledger)
        .logins(logins)
        .build()
        .expect("a host");
    let names = variable(FILES);
    let file = |name: &str| PublishFile { name: name.to_owned(), source: None, in_git: name == "summary.json" };
    // What a run before this one swapped is a pointer now, and published.
    let is_pointer = |name: &str| {
        let text = std::fs::read(top.join("sessions").join(SESSION).join(name)).unwrap_or_default();
        text.starts_with(b"version https://git-lfs")
    };
    let publication = Publication {
        session: SESSION.to_owned(),
        files: names.split('\n').filter(|name| !is_pointer(name)).map(file).collect(),
        new_session_id: "ses_0196a3f0-5b40-7c11-9d22-a1b2c3d4e5f6".to_owned(),
        created_at: "2026-05-04T09:30:00Z".to_owned(),
        fields: Vec::new(),
        redaction: None,
    };
    let engine = Engine::load().expect("the engine");
    let config = engine.guest().expect("a sandbox").default_config(&endpoint, 7).expect("a configuration");
    let mut operation = engine.guest().expect("a sandbox").publish(&config, &publication).expect("well formed");
    let left = variable(DIES_AT).parse().expect("a number");
    driver::run(&mut operation, &mut host, &mut Dying { left, changing: BTreeSet::new() }).expect("it is driven");
    process::exit(ENDED);
}
