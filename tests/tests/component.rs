//! What the component itself promises: no imports, documentation inside, no trap, bounded memory.

use hydrant_ledger::limits::DOCUMENT_BYTES_MAX;
use hydrant_lfs::contract::{Effect, Exchange, Head, Instant, Reply, Stage, Step};
use hydrant_lfs::contract::{Source, Want};
use hydrant_lfs::git_lfs::pointer::Kind;
use hydrant_lfs::text::error::Code;
use hydrant_lfs::text::limits::{JSON_BYTES_MAX, WANTS_MAX};
use hydrant_lfs::text::oid::{Blob, Oid};
use hydrant_tests::engine::{Answer, Component, Engine, Native, Sample, Start, component_path};
use hydrant_tests::world::{blob, content};

/// Bytes of a chunk, at most, as the contract says.
const CHUNK_BYTES_MAX: usize = 256 << 10;

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

#[test]
fn every_comment_of_the_contract_is_inside() {
    let bytes = std::fs::read(component_path()).expect("the component is built");
    let section = custom_section(&bytes, "package-docs").expect("the section is there");
    let docs: serde_json::Value = serde_json::from_slice(&section[1..]).expect("JSON after the version byte");
    let inside = docs["docs"].as_str().expect("the documentation is text");
    let source: String = wit().iter().map(String::as_str).collect();
    let comments: Vec<&str> = source.lines().map(str::trim).filter(|line| line.starts_with("///")).collect();
    assert!(comments.len() > 300);
    for comment in comments {
        assert!(inside.contains(comment), "the component does not say: {comment}");
    }
}

/// The files of the contract.
fn wit() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let files = std::fs::read_dir(folder).expect("the contract is there").flatten();
    files.map(|file| std::fs::read_to_string(file.path()).expect("text")).collect()
}

/// The contents of a custom section at the outermost level of a component.
fn custom_section<'a>(bytes: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = bytes.get(8..)?;
    while let Some((id, tail)) = rest.split_first() {
        let (length, body) = leb128(tail)?;
        let (section, after) = body.split_at_checked(length)?;
        if *id == 0 {
            let (length, named) = leb128(section)?;
            let (found, contents) = named.split_at_checked(length)?;
            if found == name.as_bytes() {
                return Some(contents);
            }
        }
        rest = after;
    }
    None
}

fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
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
