//! What the user lets out by its fingerprint, for this clone.
//!
//! The rule it keeps: a fingerprint is made with a key that never leaves the clone. A plain digest of a short secret
//! would tell it to everybody who can guess.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::contract::error::Fault;
use crate::files::atomic::{Fresh, replace};
use crate::files::{Access, Dir, random_bytes};

/// File of the key, in the clone's own folder.
const KEY_FILE: &str = "fingerprint-key";
/// File of what is allowed: a line each, with the fingerprint and the reason.
const ALLOWED_FILE: &str = "allowed-secrets";
/// Bytes of the key.
const KEY_BYTES: usize = 32;
/// Bytes of a fingerprint, before they are spelled.
const FINGERPRINT_BYTES: usize = 8;
/// Bytes of a reason at most.
const REASON_BYTES_MAX: usize = 512;
/// Bytes of the file of what is allowed at most.
const ALLOWED_BYTES_MAX: u64 = 1024 * 1024;

/// A fingerprint that is let out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// As a refusal told it.
    pub fingerprint: String,
    /// In the user's words; it is published.
    pub reason: String,
}

/// What is let out here.
pub(super) struct Allowed {
    key: [u8; KEY_BYTES],
    reasons: BTreeMap<String, String>,
}

impl Allowed {
    /// What was allowed before, and `more`, which is noted down.
    pub(super) fn of(store_dir: &Path, more: &[Allowance]) -> Result<Self, Fault> {
        let local = |error: &io::Error| Fault::local("what is allowed to go out cannot be read", error);
        let key = key(store_dir).map_err(|error| local(&error))?;
        let mut reasons = read(store_dir).map_err(|error| local(&error))?;
        for Allowance { fingerprint, reason } in more {
            check(fingerprint, reason)?;
            reasons.insert(fingerprint.clone(), reason.clone());
        }
        let allowed = Self { key, reasons };
        if !more.is_empty() {
            allowed.save(store_dir).map_err(|error| Fault::local("what is allowed cannot be noted down", &error))?;
        }
        Ok(allowed)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }

    pub(super) fn fingerprint(&self, value: &[u8]) -> String {
        self.keyed(value).chars().take(FINGERPRINT_BYTES * 2).collect()
    }

    /// A digest under the key of this clone.
    pub(super) fn keyed(&self, value: &[u8]) -> String {
        let mac = <Hmac<Sha256>>::new_from_slice(&self.key).map(|mac| mac.chain_update(value).finalize().into_bytes());
        mac.map_or_else(|_| String::new(), |bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(super) fn reason(&self, fingerprint: &str) -> Option<&str> {
        self.reasons.get(fingerprint).map(String::as_str)
    }

    fn save(&self, store_dir: &Path) -> io::Result<()> {
        let lines: String =
            self.reasons.iter().map(|(fingerprint, reason)| format!("{fingerprint}\t{reason}\n")).collect();
        let dir = Dir::open_or_create(store_dir, Access::Owner)?;
        replace(&dir, ".allowed-", &dir, ALLOWED_FILE, lines.as_bytes())
    }
}

fn check(fingerprint: &str, reason: &str) -> Result<(), Fault> {
    let is_one = fingerprint.len() == FINGERPRINT_BYTES * 2 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_one {
        return Err(Fault::misuse("--allow: a fingerprint has 16 digits, as a refused publish tells it"));
    }
    if reason.trim().is_empty() {
        return Err(Fault::misuse("--reason: it is published, and must say why this is no secret"));
    }
    if reason.len() > REASON_BYTES_MAX || reason.contains(char::is_control) {
        return Err(Fault::misuse(format!("--reason: one line of at most {REASON_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// The key of this clone, made when it is needed first. Where nothing can be written it lasts for this run.
fn key(store_dir: &Path) -> io::Result<[u8; KEY_BYTES]> {
    if let Some(key) = read_key(store_dir)? {
        return Ok(key);
    }
    let key = random_bytes::<KEY_BYTES>().ok_or_else(|| io::Error::other("this system gives no random bytes"))?;
    let made = Dir::open_or_create(store_dir, Access::Owner).and_then(|dir| {
        let fresh = Fresh::write(&dir, ".key-", &key, Some(0o600))?;
        fresh.file.sync_all()?;
        fresh.take_free(KEY_FILE)
    });
    match made {
        // Another process was faster: its key counts.
        Ok(false) => read_key(store_dir)?.ok_or_else(|| io::Error::other("the key of fingerprints is broken")),
        Ok(true) | Err(_) => Ok(key),
    }
}

fn read_key(store_dir: &Path) -> io::Result<Option<[u8; KEY_BYTES]>> {
    let Some(bytes) = read_file(store_dir, KEY_FILE, KEY_BYTES as u64 + 1)? else { return Ok(None) };
    let key = bytes.try_into();
    key.map(Some).map_err(|_| io::Error::other(format!("{KEY_FILE} in git's folder is broken: remove it")))
}

fn read(store_dir: &Path) -> io::Result<BTreeMap<String, String>> {
    let bytes = read_file(store_dir, ALLOWED_FILE, ALLOWED_BYTES_MAX)?.unwrap_or_default();
    let pair = |line: &str| line.split_once('\t').map(|(one, reason)| (one.to_owned(), reason.to_owned()));
    Ok(String::from_utf8_lossy(&bytes).lines().filter_map(pair).collect())
}

fn read_file(store_dir: &Path, name: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    match Dir::open(store_dir, Access::Owner) {
        Ok(dir) => dir.read_small(name, bytes_max),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
