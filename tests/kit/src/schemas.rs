//! Holds what the command prints against the published schemas. A field that they do not name is a fault here; readers
//! let new ones pass.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// Commands with commands of their own, each with a schema.
const WITH_BELOW: [&str; 1] = ["cache"];
/// The three fields that a document with an error may have alone.
const OF_ERRORS: usize = 3;

thread_local! {
    static COMPILED: RefCell<(Schemas, HashMap<String, SchemaIndex>)> = RefCell::default();
}

/// Checks the document of a command line.
#[track_caller]
pub fn check(words: &[&str], document: &Value) {
    let alone = document["error"].is_object() && document.as_object().is_some_and(|object| object.len() == OF_ERRORS);
    let name = if alone { "error".to_owned() } else { name_of(words) };
    if let Err(why) = validate(&name, document) {
        panic!("hydrant {}: {why}\n{document:#}", words.join(" "));
    }
}

/// Checks a value against a schema of `docs/schemas`.
pub fn validate(name: &str, value: &Value) -> Result<(), String> {
    COMPILED.with_borrow_mut(|(schemas, known)| {
        let index = match known.get(name) {
            Some(index) => *index,
            None => {
                let index = compile(name, schemas);
                known.insert(name.to_owned(), index);
                index
            }
        };
        schemas.validate(value, index).map_err(|error| format!("{error:#}"))
    })
}

fn name_of(words: &[&str]) -> String {
    let mut words = words.iter().filter(|word| !word.starts_with('-'));
    let first = words.next().copied().unwrap_or_default();
    match words.next() {
        Some(second) if WITH_BELOW.contains(&first) => format!("{first}-{second}"),
        _ => first.to_owned(),
    }
}

fn compile(name: &str, schemas: &mut Schemas) -> SchemaIndex {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/schemas/{name}.json"));
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{name} has no schema: {error}"));
    let mut schema: Value = serde_json::from_slice(&text).expect("JSON");
    schema["unevaluatedProperties"] = false.into();
    let url = format!("file:///schemas/{name}.json");
    let mut compiler = Compiler::new();
    compiler.add_resource(&url, schema).expect("a schema");
    compiler.compile(&url, schemas).unwrap_or_else(|error| panic!("{name}: {error:#}"))
}
