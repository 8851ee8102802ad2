//! Commands that print credentials: what they printed is taken out as a whole, whatever it looks like.
//!
//! A transcript has the call in one line and its output in a later one; the id of the call joins them.

use crate::looks::marker;
use crate::text::json;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ops::Range;

/// Commands whose output is a credential.
pub const COMMANDS: &[&str] = &[
    "gh auth token",
    "gh auth status --show-token",
    "glab auth status -t",
    "aws sts get-session-token",
    "aws sts assume-role",
    "aws sts get-federation-token",
    "aws configure get aws_s",
    "aws configure export-credentials",
    "aws ecr get-login-password",
    "aws secretsmanager get-secret-value",
    "aws ssm get-parameter",
    "gcloud auth print-access-token",
    "gcloud auth print-identity-token",
    "gcloud auth application-default print-access-token",
    "gcloud secrets versions access",
    "az account get-access-token",
    "az keyvault secret show",
    "heroku auth:token",
    "op read",
    "op item get",
    "pass show",
    "vault kv get",
    "vault read",
    "vault token create",
    "vault print token",
    "security find-generic-password",
    "secret-tool lookup",
    "kubectl get secret",
    "kubectl config view --raw",
    "kubectl create token",
    "git credential fill",
    "git credential-",
    "docker-credential-",
    "npm token create",
    "doppler secrets",
    "infisical secrets",
    "sops -d",
    "sops --decrypt",
    "doctl auth",
    "flyctl auth token",
    "fly auth token",
    "supabase secrets list",
    "wrangler secret",
];
/// Files that hold credentials alone. A command that names one prints it.
pub const FILES: &[&str] = &[
    ".aws/credentials",
    ".netrc",
    ".pgpass",
    ".git-credentials",
    ".docker/config.json",
    ".config/gh/hosts.yml",
    ".kube/config",
    ".ssh/id_",
    "application_default_credentials.json",
];

/// Calls that wait for their output at most; the oldest is forgotten.
const CALLS_MAX: usize = 1024;
/// Keys of what is called.
const COMMAND_KEYS: [&[u8]; 6] = [b"command", b"cmd", b"arguments", b"script", b"input", b"file_path"];
/// Keys of the id of a call.
const CALL_KEYS: [&[u8]; 3] = [b"id", b"call_id", b"callId"];
/// Keys of the id of the call that an output is of.
const OUTPUT_CALL_KEYS: [&[u8]; 4] = [b"tool_use_id", b"call_id", b"tool_call_id", b"callId"];
/// Keys of an output.
const OUTPUT_KEYS: [&[u8]; 8] =
    [b"content", b"text", b"output", b"stdout", b"result", b"aggregated_output", b"formatted_output", b"data"];

/// Calls that print credentials, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    ids: BTreeSet<Vec<u8>>,
}

impl Calls {
    /// Notes the calls of a line, and gives the outputs in it that belong to calls of earlier ones.
    pub(crate) fn outputs(&mut self, line: &[u8]) -> Vec<Range<usize>> {
        let mut outputs = Vec::new();
        if !self.ids.is_empty() && self.has_output(line) {
            json::each_leaf(line, &mut |leaf| {
                let key = leaf.key.clone().map(|key| &line[key]).unwrap_or_default();
                let output = line[leaf.text.clone()].trim_ascii();
                if OUTPUT_KEYS.contains(&key) && !output.is_empty() && !marker::is_one(output) {
                    outputs.push(leaf.text.clone());
                }
            });
        }
        self.note(line);
        outputs
    }

    fn has_output(&self, line: &[u8]) -> bool {
        let mut has = false;
        json::each_leaf(line, &mut |leaf| {
            let key = leaf.key.clone().map(|key| &line[key]).unwrap_or_default();
            has |= OUTPUT_CALL_KEYS.contains(&key) && self.ids.contains(&line[leaf.text.clone()]);
        });
        has
    }

    fn note(&mut self, line: &[u8]) {
        let (mut id_before, mut waits) = (None, false);
        json::each_leaf(line, &mut |leaf| {
            let key = leaf.key.clone().map(|key| &line[key]).unwrap_or_default();
            if CALL_KEYS.contains(&key) {
                id_before = Some(leaf.text.clone());
                if waits && key != b"id" {
                    self.insert(&line[leaf.text.clone()]);
                    waits = false;
                }
            } else if COMMAND_KEYS.contains(&key) && prints_credentials(&line[leaf.text.clone()]) {
                match &id_before {
                    Some(id) => self.insert(&line[id.clone()]),
                    // The id of a call may stand behind it.
                    None => waits = true,
                }
            }
        });
    }

    fn insert(&mut self, id: &[u8]) {
        if self.ids.len() == CALLS_MAX {
            self.ids.pop_first();
        }
        self.ids.insert(id.to_vec());
    }
}

fn prints_credentials(command: &[u8]) -> bool {
    COMMANDS.iter().chain(FILES).any(|part| memchr::memmem::find(command, part.as_bytes()).is_some())
}
