//! The command line as types: every command, argument and word of help. Nothing here does anything.

mod draft;
mod locks;
mod orphans;
mod publish;
mod reconcile;
mod regenerate;
mod repairs;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use draft::DraftArgs;
pub(crate) use locks::{LocksCommand, LocksUnlockArgs};
pub(crate) use orphans::OrphansArgs;
pub(crate) use publish::PublishArgs;
pub(crate) use reconcile::ReconcileArgs;
pub(crate) use regenerate::RegenerateArgs;
pub(crate) use repairs::{DoctorArgs, RestoreArgs};

const AFTER_HELP: &str = "\
Examples:
  hydrant demo                      see everything work on this machine, with git alone
  hydrant status                    how much of this repository's content is here
  hydrant hydrate                   fetch the rest, every byte verified
  hydrant hydrate --in-place        and put it where the pointers are
  hydrant show SESSION raw.jsonl    print a file of a session, verified

A ledger is a git repository of recorded sessions. A session is a folder sessions/NAME with a
manifest meta.json.

Exit codes:
  0 done, 1 some objects failed, 2 misuse, 3 the whole operation failed, 130 interrupted";

/// Git LFS for places where the git-lfs binary cannot run
#[derive(Debug, Parser)]
#[command(name = "hydrant", version, propagate_version = true, after_help = AFTER_HELP, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) voice: Voice,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much is said, and in which form.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Voice {
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print results and errors only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Print each request and reply, without secrets
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show everything at work with a made-up session on this machine
    #[command(after_help = "Example: hydrant demo --serve")]
    Demo(DemoArgs),
    /// Show how much content is here: of a session, of all sessions, or of a working tree
    #[command(after_help = "Example: hydrant status 2026-05-04T09-30-mina-OxQ7wd")]
    Status(StatusArgs),
    /// Fetch the content of pointers into the cache, every byte verified
    #[command(after_help = HYDRATE_HELP)]
    Hydrate(HydrateArgs),
    /// Print a file of a session, verified, or say why it cannot be read
    #[command(after_help = "Example: hydrant show 2026-05-04T09-30-mina-OxQ7wd raw.jsonl --lines 1-20")]
    Show(ShowArgs),
    /// Show, check and make pointer files
    #[command(subcommand)]
    Pointer(PointerCommand),
    /// Ask the server about objects, and transfer nothing
    #[command(after_help = "Example: hydrant scan . | hydrant batch download --objects -")]
    Batch(BatchArgs),
    /// List, verify, prune and clear the cache
    #[command(subcommand)]
    Cache(CacheCommand),
    /// List the pointers beneath a folder: oid, size and path
    #[command(after_help = "Example: hydrant scan . --json")]
    Scan(ScanArgs),
    /// Upload files to the server
    #[command(after_help = UPLOAD_HELP)]
    Upload(UploadArgs),
    /// Publish a session: files to the LFS server, manifest and pointers to the remote
    #[command(after_help = publish::HELP)]
    Publish(Box<PublishArgs>),
    /// Write or refresh the placeholder of a session that is still recorded
    #[command(after_help = draft::HELP)]
    Draft(DraftArgs),
    /// Replace the content of a published session
    #[command(after_help = regenerate::HELP)]
    Regenerate(Box<RegenerateArgs>),
    /// List blobs on the server that nothing names any more
    #[command(after_help = orphans::HELP)]
    Orphans(OrphansArgs),
    /// Find and repair what makes a push fail: pointers whose blobs the server lacks
    #[command(after_help = reconcile::HELP)]
    Reconcile(ReconcileArgs),
    /// Check that the cache and the server have everything that manifests and pointers name
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Find what was left half done in this clone, and complete it with --fix
    #[command(after_help = repairs::DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// Replace content of sessions by its pointers, where it is proved to be the same
    #[command(after_help = repairs::RESTORE_HELP)]
    Restore(RestoreArgs),
    /// List, create, verify and unlock the server's locks
    #[command(subcommand)]
    Locks(LocksCommand),
    /// Run a Git LFS server on this machine
    #[command(after_help = "Example: hydrant serve --store /srv/lfs --listen 127.0.0.1:8080")]
    Serve(ServeArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example: hydrant completions bash > ~/.local/share/bash-completion/completions/hydrant")]
    Completions(CompletionsArgs),
}

const HYDRATE_HELP: &str = "\
Examples:
  hydrant hydrate                           all pointers; in a ledger, all sessions
  hydrant hydrate --in-place                replace the pointers by their content; not in a ledger
  hydrant hydrate media --exclude '*.psd'   the pointers beneath media, except some
  hydrant hydrate 2026-05-04T09-30-mina     one session of a ledger
  hydrant hydrate --objects LIST --into DIR --endpoint URL
                                            without a repository: files DIR/<oid>

Without --in-place the files keep their pointers, and the content is in the cache.";

const UPLOAD_HELP: &str = "\
Examples:
  hydrant upload video.mp4
  hydrant upload --objects LIST --from DIR --endpoint URL   the files DIR/<oid>";

const VERIFY_HELP: &str = "\
Examples:
  hydrant verify             all pointers; in a ledger, all sessions
  hydrant verify --deep      fetch and hash every blob: a server's word is no proof
  hydrant verify --staged    before a commit: does the server have what it names?

Exit code 1: something is missing or wrong; the report names it.";

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Sessions, by name or folder [default: all]
    #[arg(value_name = "SESSION", conflicts_with = "staged")]
    pub(crate) sessions: Vec<String>,
    /// Fetch every blob and hash it
    #[arg(long)]
    pub(crate) deep: bool,
    /// Look only at what the next commit would add or change
    #[arg(long)]
    pub(crate) staged: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Keep the server and the folders until Ctrl-C, to try things
    #[arg(long)]
    pub(crate) serve: bool,
    /// Leave the folders behind at the end
    #[arg(long)]
    pub(crate) keep: bool,
    /// Work in this folder, which must be empty or absent
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Args, Debug, Default)]
pub(crate) struct StatusArgs {
    /// Name of a session, or its folder
    pub(crate) session: Option<String>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Args, Debug, Default)]
pub(crate) struct HydrateArgs {
    /// Sessions, or files and folders of the work tree
    #[arg(value_name = "SESSION|PATH", conflicts_with = "objects")]
    pub(crate) targets: Vec<String>,
    /// Fetch these objects: one `oid size` on each line; `-` is standard input
    #[arg(long, value_name = "LIST", requires = "into", requires = "endpoint")]
    pub(crate) objects: Option<PathBuf>,
    /// Folder for the files of --objects, named by oid; verified, not synced to the disk
    #[arg(long, value_name = "DIR", requires = "objects")]
    pub(crate) into: Option<PathBuf>,
    /// Replace each pointer by its content, where the file still holds that pointer
    #[arg(long, conflicts_with = "objects")]
    pub(crate) in_place: bool,
    /// Only paths that match one of these patterns (comma list, as in .gitignore)
    #[arg(long, value_name = "PATTERNS", conflicts_with = "objects")]
    pub(crate) include: Option<String>,
    /// Leave out paths that match one of these patterns
    #[arg(long, value_name = "PATTERNS", conflicts_with = "objects")]
    pub(crate) exclude: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// Name of the session, or its folder
    pub(crate) session: String,
    /// Name of the file within it
    pub(crate) file: String,
    /// Only these lines: `7`, `7-`, `-7` or `3-7`, counted from 1
    #[arg(long, value_name = "A-B", allow_hyphen_values = true)]
    pub(crate) lines: Option<Lines>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PointerCommand {
    /// Say what a file is: a pointer, a broken one, or content
    #[command(after_help = "Example: hydrant pointer show media/intro.mp4")]
    Show(PointerArgs),
    /// Exit with 0 for a canonical pointer, 2 for another pointer, 1 for anything else
    #[command(after_help = "Example: hydrant pointer check media/intro.mp4 && echo fine")]
    Check(PointerArgs),
    /// Print the canonical pointer of a file's content
    #[command(after_help = "Example: hydrant pointer make intro.mp4 > pointer.txt")]
    Make(PointerArgs),
}

#[derive(Args, Debug)]
pub(crate) struct PointerArgs {
    /// The file; `-` is standard input
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct BatchArgs {
    /// Which way the bytes would go
    pub(crate) direction: Way,
    /// Ask for these objects: one `oid size` on each line; `-` is standard input
    #[arg(long, value_name = "LIST")]
    pub(crate) objects: PathBuf,
    /// Print header values and the queries of addresses: with them anybody can read or write
    #[arg(long)]
    pub(crate) show_secrets: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    Download,
    Upload,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// List what the cache holds
    #[command(after_help = "Example: hydrant cache list")]
    List(CacheListArgs),
    /// Remove entries that were not used for a while; without --yes, only say what would go
    #[command(after_help = "Example: hydrant cache prune --older-than 14 --yes")]
    Prune(CachePruneArgs),
    /// Hash every entry again; with --yes, remove the wrong ones
    #[command(after_help = "Example: hydrant cache verify")]
    Verify(CacheActArgs),
    /// Remove all entries; without --yes, only say what would go
    #[command(after_help = "Example: hydrant cache clear --yes")]
    Clear(CacheActArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CacheListArgs {
    #[command(flatten)]
    pub(crate) place: CachePlaceArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CachePruneArgs {
    /// Days without use after which an entry may go
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) older_than: u64,
    /// Keep at most this many bytes, the most recently used first (as 500M, 2G)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) keep_bytes: Option<u64>,
    #[command(flatten)]
    pub(crate) act: CacheActArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CacheActArgs {
    /// Do it
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: CachePlaceArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CachePlaceArgs {
    /// The folder of the cache, instead of the one of this repository
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ScanArgs {
    /// The folder to look through
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Look into repositories inside the folder, too
    #[arg(long)]
    pub(crate) nested: bool,
}

#[derive(Args, Debug)]
pub(crate) struct UploadArgs {
    /// Files to send
    #[arg(value_name = "FILE", required_unless_present = "objects", conflicts_with = "objects")]
    pub(crate) files: Vec<PathBuf>,
    /// Send these objects: one `oid size` on each line; `-` is standard input
    #[arg(long, value_name = "LIST", requires = "from")]
    pub(crate) objects: Option<PathBuf>,
    /// Folder that holds the files of --objects, named by their oid
    #[arg(long, value_name = "DIR", requires = "objects")]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// Folder that holds the objects and the locks
    #[arg(long, value_name = "DIR", default_value = "hydrant-objects")]
    pub(crate) store: PathBuf,
    /// Let anybody who reaches the address read and write
    #[arg(long)]
    pub(crate) open: bool,
    /// Let pages of this origin use the server; can be given again
    #[arg(long = "origin", value_name = "ORIGIN")]
    pub(crate) origins: Vec<String>,
    /// Answer to this host name, too, for example behind a proxy
    #[arg(long, value_name = "HOST")]
    pub(crate) public_host: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Which server, and how patient to be with it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// URL of the LFS server [default: found as git-lfs finds it]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Use the LFS server of this remote
    #[arg(long, value_name = "NAME", conflicts_with = "endpoint")]
    pub(crate) remote: Option<String>,
    /// Ask a server that only the repository's content names, and send it logins and uploads
    #[arg(long)]
    pub(crate) trust_endpoint: bool,
    /// Allow plain http to other machines
    #[arg(long)]
    pub(crate) insecure_http: bool,
    /// Give a transfer up after so many seconds without a byte
    #[arg(long, value_name = "SECONDS")]
    pub(crate) idle_timeout: Option<u64>,
    /// Wait at most so many seconds when a server asks for it
    #[arg(long, value_name = "SECONDS")]
    pub(crate) wait_max: Option<u64>,
    /// Try again so many times after a failure that may pass
    #[arg(long, value_name = "COUNT")]
    pub(crate) retries: Option<u32>,
    /// Transfers at the same time
    #[arg(long, value_name = "COUNT")]
    pub(crate) transfers: Option<u32>,
    /// Objects in one batch request
    #[arg(long, value_name = "COUNT")]
    pub(crate) batch_objects: Option<u32>,
}

/// Bounds on content.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LimitArgs {
    /// Largest object, as 500M; else hydrant.objectBytesMax, OX_LFS_MAX_OBJECT_SIZE, 5G
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) object_bytes_max: Option<u64>,
}

/// A range of lines, counted from 1, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl std::str::FromStr for Lines {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str, absent: u64| match part {
            "" => Ok(absent),
            part => part.parse().map_err(|_| format!("{part:?} is not a line number")),
        };
        let (first, last) = match text.split_once('-') {
            None => (number(text, 0)?, number(text, 0)?),
            Some(("", "")) => return Err("give at least one end".to_owned()),
            Some((first, last)) => (number(first, 1)?, number(last, u64::MAX)?),
        };
        if first == 0 || first > last {
            return Err("lines are counted from 1 and go upwards".to_owned());
        }
        Ok(Self { first, last })
    }
}

/// A number of bytes: digits, then perhaps `K`, `M`, `G` or `T` for powers of 1024.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match &text[digits.len()..].to_ascii_uppercase()[..] {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        "T" | "TB" | "TIB" => 1 << 40,
        other => return Err(format!("{other:?} is no unit of bytes")),
    };
    let count: u64 = digits.parse().map_err(|_| format!("{text:?} is not a number of bytes"))?;
    let bytes = count.checked_mul(factor).ok_or_else(|| format!("{text:?} is too large"))?;
    if bytes == 0 { Err("the number of bytes must be above 0".to_owned()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn line_ranges() {
        for (text, first, last) in [("7", 7, 7), ("7-", 7, u64::MAX), ("-7", 1, 7), ("3-7", 3, 7)] {
            assert_eq!(text.parse(), Ok(Lines { first, last }), "{text}");
        }
        for text in ["", "-", "0", "0-3", "7-3", "x", "1-x", "1-2-3"] {
            assert!(text.parse::<Lines>().is_err(), "{text}");
        }
    }

    #[test]
    fn byte_counts() {
        for (text, bytes) in [("1", 1), ("5G", 5 << 30), ("500m", 500 << 20), ("2KiB", 2048)] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "-1", "5x", "99999999999999T", "1.5G"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
