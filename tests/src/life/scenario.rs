//! The world that a life begins in: sessions of every kind, two clones of their ledger, one server.

use crate::world::{Dice, Feed, Inode, Order, Store, World, blob, content};
use hydrant_ledger::publish::{Publication, PublishFile};

/// Names of our sessions, in order.
const SESSIONS: [&str; 3] = ["s", "t", "u"];
/// The transcript of a session.
pub(super) const RAW: &str = "raw.jsonl";
/// The session that only the other clone records.
const ELSEWHERE: &str = "x";
/// Bytes that several files of several sessions have.
const SHARED: &[u8] = b"the same words in many places\n";

/// A world, and what is recorded in its two clones.
pub(super) struct Scenario {
    pub(super) world: World,
    pub(super) ours: Vec<Publication>,
    pub(super) theirs: Vec<Publication>,
}

/// What a session is before the life begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Past {
    /// Nothing was published.
    None,
    /// Only a placeholder, and only here.
    Draft,
    /// Published before, by programs that write fields we do not know.
    Published,
    /// The same, by programs that wrote no id.
    Legacy,
    /// A publish was given up after it had sent something.
    GivenUp,
}

pub(super) fn build(dice: &mut Dice, seed: u64, crowded: bool) -> Scenario {
    let feed = [Feed::Received, Feed::Received, Feed::Chunks(1 + dice.roll(9)), Feed::Chunks(4096)][dice.roll(4)];
    let order = if dice.once_in(5) { Order::Last } else { Order::Any(Dice(seed ^ 0xd1ce)) };
    let mut world = World::new(feed, order);
    world.strict = true;
    world.remote.strict = dice.once_in(2);
    world.server.private = dice.once_in(3);
    world.server.verifies = dice.once_in(2);
    world.config.seed = seed;
    world.config.in_flight_max = 1 + dice.roll(8) as u32;
    world.config.batch_objects_max = [1, 3, 100][dice.roll(3)];
    world.remote.commit([("README.md".to_owned(), b"a ledger".to_vec())]);
    let sessions = [1, 1, 2, 3][dice.roll(4)];
    let pasts: Vec<Past> = (0..sessions).map(|at| past(dice, at)).collect();
    for (session, past) in SESSIONS.iter().zip(&pasts) {
        remembered(&mut world, session, *past);
    }
    world.store.pull(&world.remote.history);
    let mut ours = Vec::new();
    for (session, past) in SESSIONS.iter().zip(&pasts) {
        let files = recorded(&mut world.store, dice, session, *past);
        ours.push(publication(session, &format!("ses_new_{session}"), files));
    }
    let raw = &ours[0].files[0];
    world.store.agent = Some(Inode::Path(raw.source.clone().unwrap_or_else(|| place(SESSIONS[0], RAW))));
    let mut theirs = Vec::new();
    if crowded {
        let mut other = Store::default();
        other.pull(&world.remote.history);
        for session in [SESSIONS[0], ELSEWHERE] {
            // With a session of ours they share at least a file name now and then.
            let names: &[&str] =
                if session == ELSEWHERE || dice.once_in(3) { &[RAW, "theirs.md"] } else { &["theirs.md"] };
            let mut files = Vec::new();
            for name in names {
                let bytes = if *name == RAW { transcript(dice, 1) } else { content(7_000 + dice.roll(50), 90) };
                files.push(record(&mut other, session, name, Some("their-recording"), &bytes));
            }
            theirs.push(publication(session, &format!("ses_their_{session}"), files));
        }
        world.others.push(other);
    }
    Scenario { world, ours, theirs }
}

/// The first session is one that others push to, too: it is no placeholder of ours.
fn past(dice: &mut Dice, at: usize) -> Past {
    let pasts = [Past::None, Past::None, Past::Published, Past::Published, Past::Legacy, Past::GivenUp, Past::Draft];
    pasts[dice.roll(if at == 0 { pasts.len() - 1 } else { pasts.len() })]
}

/// What of a session's past stands at the remote, at the server and in this clone.
fn remembered(world: &mut World, session: &str, past: Past) {
    match past {
        Past::None => {}
        Past::Draft => {
            let draft = format!(
                "{{\n  \"version\": \"1.0\",\n  \"session_name\": \"{session}\",\n  \"session_id\": \
                 \"ses_draft_{session}\",\n  \"draft\": true,\n  \"turn_count\": 1,\n  \"updated_at\": \
                 \"2026-05-04T09:30:40Z\",\n  \"zz_draft\": [1.50],\n  \"files\": {{}}\n}}"
            );
            world.store.docs.insert(place(session, "meta.json"), draft.into_bytes());
        }
        Past::GivenUp => {
            let gone = [content(20, 33), content(21, 44)];
            let named: Vec<String> =
                gone.iter().map(|bytes| format!("[\"{}\", {}]", blob(bytes).oid, bytes.len())).collect();
            let journal = format!("{{\"version\": 1, \"intended\": [{}]}}", named.join(", "));
            world.store.docs.insert(format!("journal/{session}"), journal.into_bytes());
            for bytes in gone {
                world.server.received.insert(blob(&bytes).oid);
                world.server.objects.insert(blob(&bytes).oid, bytes);
            }
        }
        Past::Published | Past::Legacy => published(world, session, past == Past::Published),
    }
}

/// A session that was published before: fields nobody knows, files nobody touches, an older transcript.
fn published(world: &mut World, session: &str, with_id: bool) {
    let old_lines = format!("{{\"type\":\"header\"}}\n{{\"type\":\"user\",\"old\":\"{session}\"}}\n");
    let mut files = vec![(place(session, "old-notes.md"), b"git carries this\n".to_vec())];
    let mut entries = vec!["\"old-notes.md\": {\"storage\": \"git\", \"size\": 17, \"zz\": [1.50]}".to_owned()];
    for (name, bytes) in [(RAW, old_lines.into_bytes()), ("old-plan.md", content(30, 70))] {
        let blob = blob(&bytes);
        let (oid, size) = (blob.oid, blob.size);
        entries.push(format!("\"{name}\": {{\"storage\": \"lfs\", \"oid\": \"sha256:{oid}\", \"size\": {size}}}"));
        files.push((place(session, name), pointer(&bytes)));
        world.server.received.insert(oid);
        world.server.objects.insert(oid, bytes);
    }
    let id = if with_id { format!("\"session_id\": \"ses_old_{session}\", ") } else { String::new() };
    let manifest = format!(
        "{{\"version\": \"1.0\", {id}\"session_name\": \"{session}\", \"zz_unknown\": {{\"a\": [1, 2.50]}}, \
         \"entry_count\": 1, \"summary_attempts\": 1, \"created_at\": \"2026-01-01T00:00:00Z\", \"files\": {{{}}}}}",
        entries.join(", ")
    );
    files.push((place(session, "meta.json"), manifest.into_bytes()));
    world.remote.commit(files);
}

/// What was recorded since: one to four files.
fn recorded(store: &mut Store, dice: &mut Dice, session: &str, past: Past) -> Vec<PublishFile> {
    let aside = |dice: &mut Dice| dice.once_in(2).then_some("recording");
    let lines = if past == Past::Draft && dice.once_in(2) { 0 } else { 1 + dice.roll(30) };
    let (raw, beside) = (transcript(dice, lines), aside(dice));
    let mut files = vec![record(store, session, RAW, beside, &raw)];
    for _ in 0..dice.roll(4) {
        let (name, bytes) = match dice.roll(5) {
            0 => ("empty.md", Vec::new()),
            1 => ("shared.md", SHARED.to_vec()),
            2 => ("copy.jsonl", raw.clone()),
            3 => ("plan.md", content(dice.roll(9), [1, 130, 1023, 1024, 3000][dice.roll(5)])),
            _ => ("summary.json", b"{\"summary\": \"short\"}\n".to_vec()),
        };
        if files.iter().all(|file| file.name != name) {
            let beside = aside(dice).filter(|_| name != "summary.json");
            files.push(record(store, session, name, beside, &bytes));
        }
    }
    files
}

/// Writes a file where it is recorded: in the session's folder, or aside.
pub(super) fn record(store: &mut Store, session: &str, name: &str, aside: Option<&str>, bytes: &[u8]) -> PublishFile {
    let source = aside.map(|folder| format!("{folder}/{session}/{name}"));
    store.write(&source.clone().unwrap_or_else(|| place(session, name)), bytes);
    PublishFile { name: name.to_owned(), source, in_git: name.ends_with(".json") }
}

fn publication(session: &str, id: &str, files: Vec<PublishFile>) -> Publication {
    Publication {
        session: session.to_owned(),
        files,
        new_session_id: id.to_owned(),
        created_at: "2026-05-04T09:30:00Z".to_owned(),
        fields: vec![("title".to_owned(), format!("About {session}"))],
        redaction: None,
    }
}

/// A transcript of so many entries, unlike others.
pub(super) fn transcript(dice: &mut Dice, entries: usize) -> Vec<u8> {
    let mut text = "{\"type\":\"header\"}\n".to_owned();
    let mark = dice.roll(1_000_000);
    (0..entries).for_each(|at| text += &format!("{{\"type\":\"user\",\"content\":\"line {at} of {mark}\"}}\n"));
    text.into_bytes()
}

/// A path of the ledger.
pub(super) fn place(session: &str, name: &str) -> String {
    format!("sessions/{session}/{name}")
}

/// The pointer of bytes.
pub(super) fn pointer(bytes: &[u8]) -> Vec<u8> {
    let blob = blob(bytes);
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", blob.oid, blob.size).into_bytes()
}
