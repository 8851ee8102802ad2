//! What all documents of `--json` have in common. `docs/json.md` describes them; the schemas are made from these types.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::contract::error::{CODES, Fault, code_name};
use crate::contract::types::{Blob, Code, Error, Phase};

/// Version of the documents. A new field does not change it; a field that goes, or means something else, does.
pub const SCHEMA_VERSION: u32 = 1;

/// A whole document: what every command says at the same place, then its own report.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document<R> {
    /// Version of the documents.
    pub schema_version: u32,
    /// Everything that was asked for is done, and nothing is wrong. The exit code is 0 then.
    pub ok: bool,
    /// Why the command as a whole could not go on; null where it came to its end.
    pub error: Option<ErrorReport>,
    /// What the command itself says.
    #[serde(flatten)]
    pub report: R,
}

impl<R> Document<R> {
    /// A report of a command that came to its end.
    pub fn of(ok: bool, report: R) -> Self {
        Self { schema_version: SCHEMA_VERSION, ok, error: None, report }
    }

    /// A report of a command that ended early.
    pub fn ended(error: Option<ErrorReport>, ok: bool, report: R) -> Self {
        Self { schema_version: SCHEMA_VERSION, ok, error, report }
    }
}

/// An error, for programs and for people.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ErrorReport {
    /// For programs.
    pub code: ErrorCode,
    /// For people: one sentence.
    pub detail: String,
    /// Milliseconds since 1970 before which another try is useless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at_ms: Option<u64>,
}

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        Self { code: ErrorCode(error.code), detail: error.detail.clone(), retry_at_ms: error.retry_at }
    }
}

impl From<&Fault> for ErrorReport {
    fn from(fault: &Fault) -> Self {
        Self { code: ErrorCode(fault.code), detail: fault.detail.clone(), retry_at_ms: fault.retry_at }
    }
}

/// A code of the closed list, written as `docs/limits.md` spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub Code);

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(code_name(self.0))
    }
}

impl JsonSchema for ErrorCode {
    fn schema_name() -> Cow<'static, str> {
        "ErrorCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": CODES.map(code_name) })
    }
}

/// A blob of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BlobReport {
    /// SHA-256 of its bytes, in hexadecimal.
    pub oid: String,
    /// Its bytes.
    pub size: u64,
}

impl From<&Blob> for BlobReport {
    fn from(blob: &Blob) -> Self {
        Self { oid: blob.oid.clone(), size: blob.size }
    }
}

/// A phase of a publish, as every report spells it.
pub fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Hash => "hash",
        Phase::Intend => "intend",
        Phase::Upload => "upload",
        Phase::Bind => "bind",
        Phase::Push => "push",
        Phase::Settle => "settle",
        Phase::Swap => "swap",
        Phase::Done => "done",
    }
}

/// Seconds with milliseconds: more digits would say nothing.
pub(crate) fn rounded<S: Serializer>(seconds: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((seconds * 1000.0).round() / 1000.0)
}
