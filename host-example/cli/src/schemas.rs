//! The JSON Schemas of every document, made from the types that are printed, and the reference that is made from them.
//!
//! Rule: `docs/schemas` holds exactly what these types say. `UPDATE_EXPECT=1 cargo test -p hydrant schemas` writes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use hydrant_host::contract::report::Document;
use hydrant_host::tasks::doctor::{DoctorReport, TitlesReport};
use hydrant_host::tasks::draft::DraftReport;
use hydrant_host::tasks::hooks::HooksReport;
use hydrant_host::tasks::hydrate::HydrateReport;
use hydrant_host::tasks::locks::LocksReport;
use hydrant_host::tasks::orphans::OrphansReport;
use hydrant_host::tasks::publish::{AbandonReport, PlanReport, PublishReport};
use hydrant_host::tasks::reconcile::ReconcileReport;
use hydrant_host::tasks::redact::{RedactPublishedReport, RedactReport};
use hydrant_host::tasks::restore::RestoreReport;
use hydrant_host::tasks::show::{ShowReport, UnreadableFile};
use hydrant_host::tasks::status::{StatusReport, StoppedStatus};
use hydrant_host::tasks::transfer::TransferReport;
use hydrant_host::tasks::verify::VerifyReport;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::commands::{batch, cache, completions, demo, man, pointer, scan, serve};
use crate::output::Nothing;
use crate::progress::Event;

/// Version of JSON Schema.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// One file: what it describes, and the documents it allows.
struct Made {
    name: &'static str,
    title: String,
    generator: SchemaGenerator,
    documents: Vec<Value>,
}

impl Made {
    fn new(name: &'static str, title: impl Into<String>) -> Self {
        let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        Self { name, title: title.into(), generator, documents: Vec::new() }
    }

    fn command(name: &'static str) -> Self {
        Self::new(name, format!("hydrant {} --json", name.replace('-', " ")))
    }

    fn or<R: JsonSchema>(self) -> Self {
        self.any::<Document<R>>()
    }

    fn any<T: JsonSchema>(mut self) -> Self {
        let mut schema = self.generator.root_schema_for::<T>().to_value();
        if let Some(object) = schema.as_object_mut() {
            object.remove("$schema");
            object.remove("title");
            if let Some(Value::Object(definitions)) = object.remove("$defs") {
                for (name, definition) in definitions {
                    self.generator.definitions_mut().insert(name, definition);
                }
            }
        }
        self.documents.push(schema);
        self
    }

    fn schema(mut self) -> Value {
        let definitions: BTreeMap<String, Value> = self.generator.take_definitions(true).into_iter().collect();
        let mut schema = json!({ "$schema": DIALECT, "title": self.title });
        let documents = self.documents;
        match <[Value; 1]>::try_from(documents) {
            Ok([Value::Object(one)]) => schema.as_object_mut().expect("an object").extend(one),
            Ok([other]) => schema["allOf"] = json!([other]),
            Err(several) => schema["anyOf"] = several.into(),
        }
        if !definitions.is_empty() {
            schema["$defs"] = definitions.into_iter().collect::<Map<_, _>>().into();
        }
        schema
    }
}

/// Every schema, by the name of its file.
fn schemas() -> BTreeMap<&'static str, Value> {
    let all = [
        Made::command("batch").or::<batch::BatchReport>(),
        Made::command("cache-clear").or::<cache::CacheRemovedReport>(),
        Made::command("cache-list").or::<cache::CacheListReport>(),
        Made::command("cache-prune").or::<cache::CacheRemovedReport>(),
        Made::command("cache-verify").or::<cache::CacheVerifyReport>(),
        Made::command("completions").or::<completions::CompletionsReport>(),
        Made::command("demo").or::<demo::DemoReport<'static>>(),
        Made::command("doctor").or::<DoctorReport>().or::<TitlesReport>(),
        Made::command("draft").or::<DraftReport>(),
        Made::command("hooks").or::<HooksReport>(),
        Made::command("hydrate").or::<HydrateReport>().or::<TransferReport>(),
        Made::command("locks").or::<LocksReport>(),
        Made::command("man").or::<man::ManReport>(),
        Made::command("orphans").or::<OrphansReport>(),
        Made::command("pointer").or::<pointer::PointerReport>(),
        Made::command("publish").or::<PublishReport>().or::<PlanReport>().or::<AbandonReport>(),
        Made::command("reconcile").or::<ReconcileReport>(),
        Made::command("redact").or::<RedactReport>().or::<RedactPublishedReport>(),
        Made::command("regenerate").or::<PublishReport>().or::<PlanReport>(),
        Made::command("restore").or::<RestoreReport>(),
        Made::command("scan").or::<scan::ScanReport>(),
        Made::command("serve").or::<serve::ServeReport>(),
        Made::command("show").or::<ShowReport>().or::<UnreadableFile>(),
        Made::command("status").or::<StatusReport>().or::<StoppedStatus>(),
        Made::command("upload").or::<TransferReport>(),
        Made::command("verify").or::<VerifyReport>(),
        Made::new("error", "A command that could not go on").or::<Nothing>(),
        Made::new("event", "One line of --json-lines before the last").any::<Event<'static>>(),
    ];
    all.into_iter().map(|made| (made.name, made.schema())).collect()
}

/// What `docs/schemas` shall hold, by file name.
fn files() -> BTreeMap<String, String> {
    let schemas = schemas();
    let mut files: BTreeMap<String, String> =
        schemas.iter().map(|(name, schema)| (format!("{name}.json"), format!("{schema:#}\n"))).collect();
    files.insert("README.md".to_owned(), reference(&schemas));
    files
}

/// Fields that every document begins with.
const OF_EVERY_DOCUMENT: [&str; 3] = ["schema_version", "ok", "error"];

const REFERENCE_HEAD: &str = "\
# The fields of every document

Made from the types that the command prints; [json.md](../json.md) says how to use them. Every document begins with
`schema_version`, `ok` and `error`, which are not repeated here. `?` marks a field that is not always there. A document
with an error may have these three fields alone ([error.json](error.json)).
";

fn reference(schemas: &BTreeMap<&'static str, Value>) -> String {
    let mut text = REFERENCE_HEAD.to_owned();
    let mut types = BTreeMap::new();
    for (name, schema) in schemas.iter().filter(|(name, _)| **name != "error") {
        let title = schema["title"].as_str().unwrap_or_default();
        let title = if title.starts_with("hydrant ") { format!("`{title}`") } else { title.to_owned() };
        write!(text, "\n## {title}\n\nSchema: [{name}.json]({name}.json)\n").ok();
        let shapes = shapes(schema);
        for shape in &shapes {
            if let (true, Some(what)) = (shapes.len() > 1, resolved(shape, schema)["description"].as_str())
                && !what.starts_with("A whole document")
            {
                write!(text, "\n{}\n", what.replace('\n', " ")).ok();
            }
            table(shape, schema, &OF_EVERY_DOCUMENT, &mut text);
        }
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            types.insert(name.clone(), (definition.clone(), schema.clone()));
        }
    }
    text.push_str("\n# Types\n");
    for (name, (definition, schema)) in types {
        write!(text, "\n## {name}\n\n{}\n", definition["description"].as_str().unwrap_or_default()).ok();
        for shape in shapes(&definition) {
            table(shape, &schema, &[], &mut text);
        }
    }
    text
}

/// The objects that a schema allows, one after the other.
fn shapes(schema: &Value) -> Vec<&Value> {
    let several = ["anyOf", "oneOf"].iter().find_map(|key| schema[*key].as_array());
    match several {
        // What all have in common stands beside what they differ in.
        Some(several) if schema["properties"].is_object() => [schema].into_iter().chain(several).collect(),
        Some(several) => several.iter().flat_map(shapes).collect(),
        None => vec![schema],
    }
}

fn table(shape: &Value, schema: &Value, known: &[&str], text: &mut String) {
    let shape = resolved(shape, schema);
    let Some(properties) = shape["properties"].as_object() else {
        if let Some(words) = shape["enum"].as_array() {
            let words: Vec<String> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
            write!(text, "\nOne of {}.\n", words.join(", ")).ok();
        } else if let Some(word) = shape["const"].as_str() {
            writeln!(text, "- `{word}`: {}", shape["description"].as_str().unwrap_or_default()).ok();
        }
        return;
    };
    let required: Vec<&str> = shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut own = properties.iter().filter(|(name, _)| !known.contains(&name.as_str())).peekable();
    if own.peek().is_none() {
        return;
    }
    text.push_str("\n| field | type | meaning |\n| --- | --- | --- |\n");
    for (name, property) in own {
        let mark = if required.contains(&name.as_str()) { "" } else { "?" };
        let meaning = property["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|");
        writeln!(text, "| `{name}`{mark} | {} | {meaning} |", type_text(property)).ok();
    }
}

fn resolved<'a>(shape: &'a Value, schema: &'a Value) -> &'a Value {
    let name = shape["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
    name.map_or(shape, |name| &schema["$defs"][name])
}

fn type_text(property: &Value) -> String {
    if let Some(path) = property["$ref"].as_str() {
        let name = path.rsplit('/').next().unwrap_or_default();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(several) = ["anyOf", "oneOf"].iter().find_map(|key| property[*key].as_array()) {
        return several.iter().map(type_text).collect::<Vec<_>>().join(" or ");
    }
    if let Some(word) = property["const"].as_str() {
        return format!("`{word}`");
    }
    match &property["type"] {
        Value::String(kind) if kind == "array" => format!("list of {}", type_text(&property["items"])),
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    }
}

#[test]
fn the_published_schemas_are_those_of_the_types() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
    let made = files();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(&folder).expect("a folder");
        for entry in folder.read_dir().expect("it is there").flatten() {
            fs::remove_file(entry.path()).expect("removed");
        }
        for (name, text) in &made {
            fs::write(folder.join(name), text).expect("written");
        }
    }
    let found: BTreeMap<String, String> = folder
        .read_dir()
        .expect("docs/schemas")
        .flatten()
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path()).expect("text"))
        })
        .collect();
    let wrong: Vec<&String> =
        made.keys().chain(found.keys()).filter(|name| made.get(*name) != found.get(*name)).collect();
    assert!(wrong.is_empty(), "docs/schemas is old: UPDATE_EXPECT=1 writes it: {wrong:?}");
}

#[test]
fn every_field_is_explained_and_a_list_is_never_called_like_a_count() {
    let mut kinds: BTreeMap<String, (String, &str)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (file, schema) in &schemas() {
        let definitions = schema["$defs"].as_object().into_iter().flatten().map(|(_, definition)| definition);
        for shape in std::iter::once(schema).chain(definitions).flat_map(shapes) {
            for (name, property) in shape["properties"].as_object().into_iter().flatten() {
                let is_tag = property.get("const").is_some();
                if property["description"].as_str().is_none_or(str::is_empty) && !is_tag && *file != "event" {
                    wrong.push(format!("{file}: {name} is not explained"));
                }
                let kind = type_text(property);
                let kind = if kind.starts_with("list") {
                    "a list"
                } else if kind.starts_with("integer") {
                    "a count"
                } else {
                    continue;
                };
                match kinds.get(name) {
                    Some((other, known)) if known != &kind => {
                        wrong.push(format!("{name} is {kind} in {file}, {known} in {other}"))
                    }
                    _ => drop(kinds.insert(name.clone(), ((*file).to_owned(), kind))),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
