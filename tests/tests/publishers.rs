//! Several publishers at once, in every order of their effects: clones of one remote, processes of one clone, sessions
//! of their own, one session's different files, one session's same file. After every step the laws are checked; who
//! ended in a conflict pulls, runs again, and must come to an end; nothing is lost.

#![expect(clippy::print_stdout, reason = "an exploration says how large it was")]

use hydrant_ledger::publish::{Publication, PublishFile, PublishReport};
use hydrant_tests::world::{Crowd, Feed, Order, Part, Scene, Store, World, blob, publishes, readable_elsewhere};

/// States after which an exploration of three publishers stops; two are explored to the end long before.
const STATES_MAX: usize = 8_000;

const FIRST: &str = "{\"type\":\"header\"}\n{\"type\":\"user\",\"by\":\"first\"}\n";
const SECOND: &str = "{\"type\":\"header\"}\n{\"type\":\"user\",\"by\":\"second\"}\n{\"type\":\"tool\"}\n";
const THIRD: &str = "{\"type\":\"header\"}\n{\"type\":\"user\",\"by\":\"third\"}\n";

/// A remote with a session that was published before, or with none, and so many clones of it.
fn crowd(existing: bool, clones: usize) -> Crowd {
    let scene = if existing { Scene::Existing } else { Scene::InPlace };
    let (World { server, remote, .. }, _) = scene.build(Feed::Received, Order::First);
    let mut store = Store::default();
    store.pull(&remote.history);
    Crowd { server, remote, stores: vec![store; clones], parts: Vec::new() }
}

/// A file that a publisher has: in the session's folder, or aside.
fn file(crowd: &mut Crowd, store: usize, session: &str, name: &str, aside: Option<&str>, text: &str) -> PublishFile {
    let path = aside.map_or_else(|| format!("sessions/{session}/{name}"), str::to_owned);
    crowd.stores[store].write(&path, text.as_bytes());
    PublishFile { name: name.to_owned(), source: aside.map(|_| path), in_git: name.ends_with(".json") }
}

fn part(crowd: &mut Crowd, store: usize, session: &str, files: Vec<PublishFile>) {
    let number = crowd.parts.len();
    let publication = Publication {
        session: session.to_owned(),
        files,
        new_session_id: format!("ses_new_{number}"),
        created_at: "2026-05-04T09:30:00Z".to_owned(),
        fields: vec![("title".to_owned(), format!("Title {number}"))],
        redaction: None,
    };
    crowd.parts.push(Part { store, publication });
}

/// Whoever did not end well runs again, after a pull where there was a conflict.
fn end_calmly(crowd: &mut Crowd, reports: &[PublishReport]) -> Result<(), String> {
    if reports.iter().all(|report| report.ended.is_err()) {
        return Err("nobody ended well".to_owned());
    }
    for (part, report) in crowd.parts.iter().zip(reports) {
        let mut world = World::new(Feed::Chunks(64), Order::First);
        world.server = std::mem::take(&mut crowd.server);
        world.remote = std::mem::take(&mut crowd.remote);
        world.store = crowd.stores[part.store].clone();
        // Others pushed, as in the single world; what they sent and superseded stands in documents of theirs.
        world.rivals = 1;
        let others = crowd.stores.iter().enumerate().filter(|(at, _)| *at != part.store);
        world.remote.registered = others.flat_map(|(_, store)| store.named()).collect();
        let published = if report.ended.is_err() { publishes(&mut world, &part.publication).map(drop) } else { Ok(()) };
        let read = published.and_then(|()| readable_elsewhere(&world, &part.publication));
        if let Err(broken) = read {
            return Err(format!("{broken}\n{}", world.trace.join("\n")));
        }
        crowd.server = std::mem::take(&mut world.server);
        crowd.remote = std::mem::take(&mut world.remote);
        crowd.stores[part.store] = world.store;
    }
    for part in &crowd.parts {
        for file in &part.publication.files {
            let session = &part.publication.session;
            let path = format!("sessions/{session}/{}", file.name);
            let source = file.source.clone().unwrap_or_else(|| path.clone());
            let owed = &crowd.stores[part.store].owed[&source];
            let text = if file.in_git { owed.clone() } else { pointer(owed) };
            if !crowd.remote.history.iter().any(|tree| tree.get(&path) == Some(&text)) {
                return Err(format!("{path} of a publisher that ended well was never at the remote"));
            }
        }
        let journal = format!("journal/{}", part.publication.session);
        if crowd.stores[part.store].docs.contains_key(&journal) {
            return Err(format!("{journal} is still there"));
        }
    }
    Ok(())
}

fn pointer(bytes: &[u8]) -> Vec<u8> {
    let blob = blob(bytes);
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", blob.oid, blob.size).into_bytes()
}

/// Explores, and says how large that was; how publishers ended, in all orders.
fn explore(what: &str, crowd: &Crowd) -> Vec<String> {
    let explored = crowd.explore(STATES_MAX, &end_calmly).unwrap_or_else(|broken| panic!("{what}: {broken}"));
    println!("{what}: {explored:?}");
    explored.ends.into_keys().collect()
}

/// Of those who publish different content for one file, one is first, and nobody overwrites what he has not seen.
fn one_is_first(ends: &[String]) {
    for end in ends {
        assert_eq!(end.split(", ").filter(|end| *end == "ok").count(), 1, "{end}");
    }
}

#[test]
fn clones_with_sessions_of_their_own() {
    let mut crowd = crowd(false, 2);
    for (store, session) in ["s", "t"].into_iter().enumerate() {
        let raw = file(&mut crowd, store, session, "raw.jsonl", None, FIRST);
        part(&mut crowd, store, session, vec![raw]);
    }
    assert_eq!(explore("two clones, two sessions", &crowd), ["ok, ok"]);
}

#[test]
fn clones_with_files_of_their_own() {
    let mut crowd = crowd(true, 2);
    let raw = file(&mut crowd, 0, "s", "raw.jsonl", None, FIRST);
    part(&mut crowd, 0, "s", vec![raw]);
    let plan = file(&mut crowd, 1, "s", "plan.md", None, "a plan");
    let summary = file(&mut crowd, 1, "s", "summary.json", None, "{}\n");
    part(&mut crowd, 1, "s", vec![plan, summary]);
    assert_eq!(explore("two clones, one session, different files", &crowd), ["ok, ok"]);
}

#[test]
fn clones_with_the_same_file() {
    for existing in [false, true] {
        for second in [FIRST, SECOND] {
            let mut crowd = crowd(existing, 2);
            for (store, text) in [FIRST, second].into_iter().enumerate() {
                let raw = file(&mut crowd, store, "s", "raw.jsonl", None, text);
                part(&mut crowd, store, "s", vec![raw]);
            }
            let same = second == FIRST;
            let ends = explore(&format!("two clones, one file (existing: {existing}, same bytes: {same})"), &crowd);
            if same { assert_eq!(ends, ["ok, ok"]) } else { one_is_first(&ends) }
        }
    }
}

#[test]
fn processes_with_sessions_of_their_own() {
    let mut crowd = crowd(false, 1);
    for session in ["s", "t"] {
        let raw = file(&mut crowd, 0, session, "raw.jsonl", None, FIRST);
        part(&mut crowd, 0, session, vec![raw]);
    }
    explore("one clone, two sessions", &crowd);
}

#[test]
fn processes_with_the_same_command() {
    for existing in [false, true] {
        let mut crowd = crowd(existing, 1);
        for _ in 0..2 {
            let raw = file(&mut crowd, 0, "s", "raw.jsonl", None, FIRST);
            part(&mut crowd, 0, "s", vec![raw]);
        }
        explore(&format!("one clone, the same command twice (existing: {existing})"), &crowd);
    }
}

#[test]
fn processes_with_files_of_their_own() {
    let mut crowd = crowd(true, 1);
    let raw = file(&mut crowd, 0, "s", "raw.jsonl", None, FIRST);
    part(&mut crowd, 0, "s", vec![raw]);
    let plan = file(&mut crowd, 0, "s", "plan.md", Some("elsewhere/plan.md"), "a plan");
    part(&mut crowd, 0, "s", vec![plan]);
    explore("one clone, one session, different files", &crowd);
}

#[test]
fn processes_with_the_same_file() {
    for existing in [false, true] {
        let mut crowd = crowd(existing, 1);
        for (text, aside) in [(FIRST, "one/raw.jsonl"), (SECOND, "two/raw.jsonl")] {
            let raw = file(&mut crowd, 0, "s", "raw.jsonl", Some(aside), text);
            part(&mut crowd, 0, "s", vec![raw]);
        }
        explore(&format!("one clone, one file from two places (existing: {existing})"), &crowd);
        // One of them was sent before, and lost its name.
        let orphan = blob(FIRST.as_bytes());
        crowd.server.objects.insert(orphan.oid, FIRST.into());
        crowd.server.received.insert(orphan.oid);
        let register = format!("{{\"version\": 1, \"orphans\": [[\"{}\", {}]]}}", orphan.oid, orphan.size);
        crowd.stores[0].docs.insert("orphans".to_owned(), register.into_bytes());
        explore(&format!("the same, and one is an orphan (existing: {existing})"), &crowd);
    }
}

#[test]
fn three_clones() {
    let mut apart = crowd(true, 3);
    for (store, name) in ["raw.jsonl", "plan.md", "notes.md"].into_iter().enumerate() {
        let one = file(&mut apart, store, "s", name, None, [FIRST, "a plan", "notes"][store]);
        part(&mut apart, store, "s", vec![one]);
    }
    assert_eq!(explore("three clones, one session, different files", &apart), ["ok, ok, ok"]);
    let mut same = crowd(false, 3);
    for (store, text) in [FIRST, SECOND, THIRD].into_iter().enumerate() {
        let raw = file(&mut same, store, "s", "raw.jsonl", None, text);
        part(&mut same, store, "s", vec![raw]);
    }
    one_is_first(&explore("three clones, one file", &same));
}

#[test]
fn two_processes_and_a_clone() {
    let mut crowd = crowd(true, 2);
    for _ in 0..2 {
        let raw = file(&mut crowd, 0, "s", "raw.jsonl", None, FIRST);
        part(&mut crowd, 0, "s", vec![raw]);
    }
    let plan = file(&mut crowd, 1, "s", "plan.md", None, "a plan");
    part(&mut crowd, 1, "s", vec![plan]);
    explore("the same command twice, and another clone with another file", &crowd);
}

#[test]
fn three_processes() {
    let mut crowd = crowd(false, 1);
    for _ in 0..3 {
        let raw = file(&mut crowd, 0, "s", "raw.jsonl", Some("one/raw.jsonl"), FIRST);
        part(&mut crowd, 0, "s", vec![raw]);
    }
    explore("the same command three times", &crowd);
}
