//! The sandbox from outside: what it answers, what it refuses, and how it ends.

use super::Engine;
use crate::contract::error::HostError;
use crate::contract::operations::Want;
use crate::contract::pointers::{Kind, Sample};
use crate::contract::types::{Direction, Effect, Instant, Misuse, Reply, Step};

const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n\
oid sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nsize 12345\n";

fn sample(head: &[u8]) -> Sample {
    Sample { head: head.to_vec(), file_size: head.len() as u64 }
}

#[test]
fn one_guest_answers_many_questions() {
    let engine = Engine::load().expect("the embedded engine");
    let mut guest = engine.guest().expect("a sandbox");
    let kinds = guest.classify_many(&[sample(POINTER), sample(b"content")]).expect("an answer");
    assert!(matches!(&kinds[0], Kind::Pointer(pointer) if pointer.size == 12345 && pointer.canonical));
    assert!(matches!(&kinds[1], Kind::Content(_)));
    let Kind::Content(finding) = kinds[1] else { panic!("content") };
    assert!(!guest.explain(finding).expect("an answer").is_empty());
    assert!(guest.pointer_shaped(&sample(POINTER)).expect("an answer"));
    assert!(!guest.pointer_shaped(&sample(b"content")).expect("an answer"));
    let Kind::Pointer(pointer) = &kinds[0] else { panic!("a pointer") };
    assert_eq!(guest.format(pointer).expect("an answer").as_bytes(), POINTER);
}

#[test]
fn a_refusal_of_the_engine_is_an_error_with_its_words() {
    let engine = Engine::load().expect("the embedded engine");
    let mut guest = engine.guest().expect("a sandbox");
    let refused = guest.manifest_read(b"no manifest").expect_err("no JSON");
    assert!(matches!(&refused, HostError::Engine(error) if !error.detail.is_empty()));
    assert!(guest.classify(&sample(b"")).is_ok(), "the sandbox goes on");
}

#[test]
fn an_operation_is_driven_by_poll_and_reply() {
    let engine = Engine::load().expect("the embedded engine");
    let mut guest = engine.guest().expect("a sandbox");
    let config = guest.default_config("http://127.0.0.1:1/r", 1).expect("a configuration");
    let want = Want { name: "a".into(), oid: "0".repeat(64), size: 7 };
    let mut op = guest.hydrate(&config, &[want]).expect("an operation");
    let now = Instant { ticks: 0, wall: 1_700_000_000_000 };
    let Step::Perform(task) = op.poll(now).expect("a step") else { panic!("an effect") };
    assert!(matches!(&task.effect, Effect::HasBlob(blob) if blob.size == 7));

    let misuse = op.reply(task.id + 1, &Reply::Present).expect_err("no such effect");
    assert!(matches!(misuse, HostError::Misuse(Misuse::UnknownEffect)));
    op.reply(task.id, &Reply::Present).expect("in order");
    let mut steps = 0;
    while !matches!(op.poll(now).expect("a step"), Step::Done) {
        steps += 1;
        assert!(steps < 10, "it does not end");
    }
    let outcomes = op.finish_transfer().expect("a report").outcomes;
    assert_eq!((outcomes.len(), outcomes[0].ended.is_ok()), (1, true));
}

#[test]
fn operations_of_another_kind_do_not_answer() {
    let engine = Engine::load().expect("the embedded engine");
    let mut guest = engine.guest().expect("a sandbox");
    let config = guest.default_config("http://127.0.0.1:1/r", 1).expect("a configuration");
    let op = guest.batch(&config, Direction::Download, &[]).expect("an operation");
    assert!(op.finish_transfer().is_err());
}

#[test]
fn what_is_no_engine_is_not_loaded() {
    assert!(matches!(Engine::load_compiled(b"no component"), Err(HostError::Sandbox(_))));
}
