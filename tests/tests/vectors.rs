//! The committed vectors through core and component, and the judge itself judged: every expectation, changed, is seen.

use hydrant_tests::engine::{Component, Engine, Native};
use hydrant_tests::record::{Recorder, default_path};
use hydrant_tests::tour;
use hydrant_tests::vectors::{COMMITTED, advisory, judge};
use serde_json::{Value, json};

fn all_pass(engine: &dyn Engine) {
    let verdicts = judge(engine, COMMITTED).expect("the committed file is one");
    assert_eq!(verdicts.failed, []);
    let excused: Vec<&str> = verdicts.excused.iter().map(|(name, _)| name.as_str()).collect();
    let listed: Vec<&str> = advisory().expect("the list gives reasons").into_keys().collect();
    assert_eq!(excused, listed, "the list holds exactly what differs");
    let counts: Value = serde_json::from_str(COMMITTED).expect("JSON");
    let counts = counts["counts"].as_object().expect("the file counts its vectors").values();
    assert_eq!(counts.filter_map(Value::as_u64).sum::<u64>(), verdicts.passed as u64);
}

#[test]
fn through_the_core() {
    all_pass(&Native);
}

#[test]
fn through_the_component() {
    all_pass(&Component::load().expect("the component is built"));
}

#[test]
fn core_and_component_say_the_same_byte_for_byte() {
    let core = Recorder::new(Native);
    tour::take(&core).expect("the core takes the tour");
    let component = Recorder::new(Component::load().expect("the component is built"));
    tour::take(&component).expect("the component takes the tour");
    let (core_lines, component_lines) = (core.lines(), component.lines());
    for (number, (one, other)) in core_lines.iter().zip(&component_lines).enumerate() {
        assert_eq!(one, other, "line {}", number + 1);
    }
    assert_eq!(core_lines.len(), component_lines.len());
    core.write(&default_path()).expect("the recording is written for other hosts");
}

#[test]
fn every_changed_expectation_is_seen() {
    let file: Value = serde_json::from_str(COMMITTED).expect("JSON");
    let mut unseen = Vec::new();
    let mut changed = 0;
    for (section, vectors) in file.as_object().expect("an object") {
        for vector in vectors.as_array().into_iter().flatten() {
            for key in ["expect", "expect_delay_ms", "strict_accept"] {
                for pointer in leaves(vector.get(key), &format!("/{key}")) {
                    let mut wrong = vector.clone();
                    let leaf = wrong.pointer_mut(&pointer).expect("a leaf of this vector");
                    *leaf = another(leaf);
                    wrong["advisory"] = json!(false);
                    let verdicts = judge(&Native, &json!({section: [wrong]}).to_string()).expect("a file");
                    changed += 1;
                    if verdicts.failed.is_empty() {
                        unseen.push(format!("{section} {} {pointer}", vector["name"]));
                    }
                }
            }
        }
    }
    assert_eq!(unseen, Vec::<String>::new());
    assert!(changed > 1000, "{changed} expectations changed");
}

/// JSON pointers to everything in a value that is no object, and to lists as wholes.
fn leaves(value: Option<&Value>, at: &str) -> Vec<String> {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        None => Vec::new(),
        Some(Value::Object(members)) => {
            members.iter().flat_map(|(key, value)| leaves(Some(value), &format!("{at}/{}", escaped(key)))).collect()
        }
        Some(Value::Array(items)) => {
            let inside = items.iter().enumerate().flat_map(|(key, value)| leaves(Some(value), &format!("{at}/{key}")));
            inside.chain([at.to_owned()]).collect()
        }
        Some(_) => vec![at.to_owned()],
    }
}

fn another(value: &Value) -> Value {
    match value {
        Value::Null => json!("something"),
        Value::Bool(truth) => json!(!truth),
        Value::Number(number) => json!(number.as_u64().map_or(7, |number| number / 2 + 7_000_000)),
        Value::String(text) => json!(format!("{text}x")),
        Value::Array(items) => items.iter().cloned().chain([json!("another")]).collect(),
        Value::Object(_) => json!({}),
    }
}
