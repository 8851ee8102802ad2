//! Rules that a repository adds in a file of its own. They only add: a commit cannot switch a built-in rule off.

use hydrant_secrets::{AddedToken, RulesError};
use serde::Deserialize;

use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::files::{Files, Glance};
use crate::repository::Repository;

/// The file, at the top of the work tree; without one there, as it is in the last commit.
const FILE: &str = ".hydrant-secrets.json";
/// Bytes of the file at most.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// The file. `docs/secrets.md` describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnRules {
    rules: Vec<OwnRule>,
}

/// A rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnRule {
    kind: String,
    begins: Vec<String>,
    pattern: String,
    finds: Vec<String>,
    #[serde(default)]
    ignores: Vec<String>,
}

/// The rules of a repository. A file that cannot be used is an error: nothing goes out then.
pub(super) fn of(repository: &Repository) -> Result<Vec<AddedToken>, Fault> {
    let Some(text) = text(repository)? else { return Ok(Vec::new()) };
    let own: OwnRules = serde_json::from_slice(&text).map_err(|error| unusable(&error.to_string()))?;
    let added = |rule: OwnRule| AddedToken {
        kind: rule.kind,
        begins: rule.begins,
        pattern: rule.pattern,
        finds: rule.finds,
        ignores: rule.ignores,
    };
    Ok(own.rules.into_iter().map(added).collect())
}

pub(super) fn broken(RulesError(why): RulesError) -> Fault {
    unusable(&why)
}

fn unusable(why: &str) -> Fault {
    Fault::failed(Code::Malformed, format!("{FILE} cannot be used: {why}"))
}

fn text(repository: &Repository) -> Result<Option<Vec<u8>>, Fault> {
    let files = Files::beneath(&repository.top)?;
    match files.glance(FILE, FILE_BYTES_MAX).map_err(|error| Fault::local(FILE, &error))? {
        Some(Glance::Whole(text)) => return Ok(Some(text)),
        Some(_) => return Err(unusable(&format!("it has more than {FILE_BYTES_MAX} bytes"))),
        None => {}
    }
    // Nobody switches a rule off by removing the file here.
    let committed = repository.git.run(&["cat-file", "blob", &format!("HEAD:{FILE}")], b"")?;
    Ok(committed.success().then_some(committed.stdout))
}
