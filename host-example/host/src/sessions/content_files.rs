//! The names that content of a session goes by, whatever its manifest says of them so far.

use crate::repository::Repository;

/// Content files of a session unless `hydrant.contentFiles` lists others.
const CONTENT_FILES: [&str; 5] = ["raw.jsonl", "summary.md", "session.md", "plan.md", "context-trace.jsonl"];
/// git's name for that setting, as `git config --list` prints it.
const CONTENT_SETTING: &str = "hydrant.contentfiles";
/// Files that git carries as they are, also where the setting lists them.
pub(crate) const IN_GIT_FILES: [&str; 1] = ["summary.json"];

/// Content files of this repository's sessions, in the order of the setting.
pub(crate) fn content_files(repository: &Repository) -> Vec<String> {
    let mut names: Vec<String> = match repository.setting(CONTENT_SETTING) {
        Some(list) => list.split(',').map(|name| name.trim().to_owned()).collect(),
        None => CONTENT_FILES.map(str::to_owned).to_vec(),
    };
    names.retain(|name| !name.is_empty() && !IN_GIT_FILES.contains(&name.as_str()));
    names
}
