//! What the gate tells: kinds, files, lines and fingerprints, never a value.

use schemars::JsonSchema;
use serde::Serialize;

/// Something that is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeldSecret {
    /// The file, or what else it stands in.
    pub file: String,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: u64,
    /// What it is; `docs/secrets.md` explains each kind.
    pub kind: String,
    /// What `--allow` takes. It is made with a key of this clone, and tells nothing of the value.
    pub fingerprint: String,
    /// Why the file cannot be looked through, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Something that goes out although it looks like a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AllowedSecret {
    /// The file, or what else it stands in.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What it is.
    pub kind: String,
    /// Why it was allowed, in the user's words.
    pub reason: String,
}
