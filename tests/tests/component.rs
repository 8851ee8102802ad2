//! What the component itself promises: no imports, no trap, bounded memory.

use hydrant_ledger::limits::DOCUMENT_BYTES_MAX;
use hydrant_lfs::contract::{Effect, Exchange, Head, Instant, Misuse, Reply, Source, Stage, Step, Want};
use hydrant_lfs::git_lfs::pointer::Kind;
use hydrant_lfs::text::error::Code;
use hydrant_lfs::text::limits::{CHUNK_BYTES_MAX, JSON_BYTES_MAX, WANTS_MAX};
use hydrant_lfs::text::oid::{Blob, Oid};
use hydrant_tests::engine::{Answer, Component, Engine, Native, Sample, Start};
use hydrant_tests::world::{blob, content};

fn component() -> Component {
    Component::load().expect("the component is built")
}

#[test]
fn it_imports_nothing_and_exports_the_contract() {
    let (engine, component) = Component::compiled().expect("the component is built");
    let kind = component.component_type();
    assert_eq!(kind.imports(engine).map(|(name, _)| name.to_owned()).collect::<Vec<_>>(), Vec::<String>::new());
    let mut exports: Vec<String> = kind.exports(engine).map(|(name, _)| name.to_owned()).collect();
    exports.sort();
    let interfaces = ["batches", "endpoints", "ledgers", "manifests", "operations", "pointers", "sessions", "types"];
    assert_eq!(exports, interfaces.map(|name| format!("hydrant:lfs/{name}@0.1.0")));
}

fn wants(count: usize) -> Vec<Want> {
    (0..count).map(|number| Want { name: format!("file-{number}"), oid: format!("{number:064x}"), size: 9 }).collect()
}

#[test]
fn the_largest_operation_fits_into_its_memory() {
    let component = component();
    let config = component.default_config("https://lfs.example.test/x", 0);
    let mut run = component.begin(&config, &Start::Hydrate(wants(WANTS_MAX))).expect("so many are allowed");
    let (mut asked, mut ticks) = (0, 0);
    loop {
        match run.poll(Instant { ticks, wall: 1 }) {
            Step::Perform(id, Effect::HasBlob(_)) => {
                asked += 1;
                run.reply(id, &Reply::Present).expect("the cache has it");
            }
            Step::Perform(_, other) => panic!("what is there needs nothing but the cache: {other:?}"),
            Step::Done => break,
            _ => ticks += 1,
        }
    }
    assert_eq!(asked, WANTS_MAX);
    let outcomes = run.outcomes().expect("a report");
    assert!(outcomes.len() == WANTS_MAX && outcomes.iter().all(|outcome| outcome.ended.is_ok()));
    // Another as large in the same memory, given up at once, and one too many, refused.
    drop(component.begin(&config, &Start::Download(wants(WANTS_MAX))).expect("so many are allowed"));
    let refused = component.begin(&config, &Start::Download(wants(WANTS_MAX + 1))).err();
    assert_eq!(refused.map(|error| error.code), Some(Code::Limit));
}

#[test]
fn inputs_beyond_every_limit_are_answered() {
    let (component, native) = (component(), Native);
    let long = "x".repeat(1 << 20);
    let huge = vec![b'{'; DOCUMENT_BYTES_MAX + 1];
    for engine in [&component as &dyn Engine, &native] {
        assert_eq!(engine.manifest(&huge).err().map(|error| error.code), Some(Code::Limit));
        assert!(engine.edit(&huge, &[]).is_err());
        assert!(engine.name_flaw(&long).is_some());
        assert!(matches!(engine.classify(&Sample { head: huge.clone(), file_size: 3 }), Kind::Content(_)));
        assert!(engine.derive(&[], hydrant_lfs::contract::Direction::Download, &long).is_err());
        let config = engine.default_config(&format!("https://lfs.example.test/{long}"), 0);
        assert_eq!(
            engine.begin(&config, &Start::Download(Vec::new())).err().map(|error| error.code),
            Some(Code::Malformed)
        );
        let question = hydrant_lfs::git_lfs::batch::BatchRequest {
            direction: hydrant_lfs::contract::Direction::Download,
            reference: Some(long.clone()),
            transfers: vec![long.clone()],
            objects: vec![Blob { oid: Oid::EMPTY, size: u64::MAX }],
        };
        let head =
            Head { status: 200, headers: vec![hydrant_lfs::contract::Header::new("content-type", "application/json")] };
        let body = vec![b'['; JSON_BYTES_MAX + 1];
        let answer = Answer { head, body, asked_at: u64::MAX, now: u64::MAX };
        let refused =
            engine.read_response("https://lfs.example.test", &question, &answer).expect_err("it is no answer");
        assert_eq!(refused.kind.name(), "bad-json");
        assert!(engine.retry_after(&"9".repeat(1 << 16), u64::MAX).is_none());
        let error =
            engine.begin(&engine.default_config("https://a.test", 0), &Start::HydrateSession(long.clone())).err();
        assert!(error.expect("no session is named so").detail.len() <= 512);
    }
}

/// Deep and wide JSON ends in an answer, not in a stack overflow.
#[test]
fn deep_json_is_answered() {
    let component = component();
    for text in
        ["[".repeat(1 << 20), "{\"files\":".repeat(1 << 17), format!("{{\"files\":{}", "{\"a\":".repeat(1 << 18))]
    {
        assert!(component.manifest(text.as_bytes()).is_err());
    }
}

/// Every size at which a host may cut the same bytes gives the same blob.
#[test]
fn a_file_is_what_its_bytes_are_however_they_come() {
    let component = component();
    let bytes = content(3, 3 * CHUNK_BYTES_MAX + 17);
    for size in [1 + CHUNK_BYTES_MAX / 3, CHUNK_BYTES_MAX, 1000] {
        let config = component.default_config("https://lfs.example.test/x", 0);
        let source = Source { name: "file".to_owned(), expects: Some(blob(&bytes).oid.to_string()) };
        let mut run = component.begin(&config, &Start::Upload(vec![source])).expect("an upload");
        let Step::Perform(id, Effect::ReadFile(_)) = run.poll(Instant::default()) else {
            panic!("the file is read first")
        };
        for chunk in bytes.chunks(size) {
            run.reply(id, &Reply::Chunk(chunk.to_vec())).expect("bytes");
        }
        run.reply(id, &Reply::End).expect("the end");
        run.reply(id, &Reply::At(hydrant_lfs::contract::Revision("r".to_owned()))).expect("its state");
        let Step::Perform(_, Effect::Http(Exchange { stage: None::<Stage>, request, .. })) =
            run.poll(Instant::default())
        else {
            panic!("the server is asked next")
        };
        let hydrant_lfs::contract::Body::Bytes(body) = request.body else { panic!("a question has a body") };
        assert!(String::from_utf8_lossy(&body).contains(&blob(&bytes).oid.to_string()));
    }
}

#[test]
fn two_operations_never_run_with_one_seed() {
    let component = component();
    let config = |seed| component.default_config("https://lfs.example.test/x", seed);
    let begin = |seed| component.begin(&config(seed), &Start::Download(wants(1))).map_err(|error| error.code);
    let mut first = begin(1).expect("the first");
    assert_eq!(begin(1).map(drop), Err(Code::Host));
    let second = begin(2).expect("another seed");
    first.stop();
    assert!(first.outcomes().is_ok());
    drop((begin(1).expect("the first has ended"), second));
    assert!(begin(2).is_ok(), "the second was dropped");
}

/// The bytes are copied into the component before it can look at them.
#[test]
fn a_chunk_that_is_too_large_is_a_misuse_and_no_trap() {
    let component = component();
    let config = component.default_config("https://lfs.example.test/x", 0);
    let mut run = component.begin(&config, &Start::Download(wants(1))).expect("it begins");
    let Step::Perform(id, Effect::Http(_)) = run.poll(Instant { ticks: 1, wall: 1 }) else { panic!("a batch request") };
    run.reply(id, &Reply::Head(Head { status: 200, headers: Vec::new() })).expect("an answer");
    assert_eq!(run.reply(id, &Reply::Chunk(vec![0; 64 << 20])), Err(Misuse::TooLarge));
    assert_eq!(run.reply(id, &Reply::Chunk(vec![0; CHUNK_BYTES_MAX])), Ok(()));
}
