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
  hydrant status                    what of this repository's content is here
  hydrant hydrate                   fetch what is not, every byte verified
  hydrant show SESSION raw.jsonl    print verified content

Exit codes:
  0 done, 1 some objects failed, 2 misuse, 3 the whole operation failed, 130 interrupted";

/// Git LFS where git-lfs cannot run: reads, verifies and fetches large files through a sandboxed engine.
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
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Say what the engine asks of this program, secrets left out
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Publish, look at, hydrate and verify a made-up agent session on this machine
    #[command(after_help = "Example: hydrant demo --serve")]
    Demo(DemoArgs),
    /// Show how much of a session, of all sessions or of a work tree can be read here
    #[command(after_help = "Example: hydrant status 2026-05-04T09-30-mina-OxQ7wd")]
    Status(StatusArgs),
    /// Fetch content into the cache, every byte verified
    #[command(after_help = HYDRATE_HELP)]
    Hydrate(HydrateArgs),
    /// Print a session's file, verified, or say why it cannot be read
    #[command(after_help = "Example: hydrant show 2026-05-04T09-30-mina-OxQ7wd raw.jsonl --lines 1-20")]
    Show(ShowArgs),
    /// Look at pointer files and make them
    #[command(subcommand)]
    Pointer(PointerCommand),
    /// Ask the server what it would do, and transfer nothing
    #[command(after_help = "Example: hydrant scan . | hydrant batch download --objects -")]
    Batch(BatchArgs),
    /// Look after the cache of verified content
    #[command(subcommand)]
    Cache(CacheCommand),
    /// List the pointers beneath a folder: oid, size and path
    #[command(after_help = "Example: hydrant scan . --json")]
    Scan(ScanArgs),
    /// Bring files to the server
    #[command(after_help = UPLOAD_HELP)]
    Upload(UploadArgs),
    /// Bring a session to its server and its ledger, without ever losing a byte of it
    #[command(after_help = publish::HELP)]
    Publish(Box<PublishArgs>),
    /// Write or refresh the placeholder of a session that is still recorded
    #[command(after_help = draft::HELP)]
    Draft(DraftArgs),
    /// Put new content in the place of what a published session has
    #[command(after_help = regenerate::HELP)]
    Regenerate(Box<RegenerateArgs>),
    /// List blobs that nothing names any more, for whoever purges the server
    #[command(after_help = orphans::HELP)]
    Orphans(OrphansArgs),
    /// Find pointers that a push would send without their blobs on the server, and repair that
    #[command(after_help = reconcile::HELP)]
    Reconcile(ReconcileArgs),
    /// Check that everything that is named is really there: manifests, pointers, cache, server
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Find what was left half done here, explain it, and complete it with --fix
    #[command(after_help = repairs::DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// Put content of sessions back to its pointers, where the commit or the manifest names it
    #[command(after_help = repairs::RESTORE_HELP)]
    Restore(RestoreArgs),
    /// Use the server's locks: list, create, unlock, verify
    #[command(subcommand)]
    Locks(LocksCommand),
    /// Run a Git LFS server on this machine
    #[command(after_help = "Example: hydrant serve --store /srv/lfs --listen 127.0.0.1:8080")]
    Serve(ServeArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example: hydrant completions bash > ~/.local/share/bash-completion/completions/hydrant")]
    Completions(CompletionsArgs),
    /// Write the manual pages into a folder, one for each command
    #[command(hide = true)]
    Man(ManArgs),
}

const HYDRATE_HELP: &str = "\
Examples:
  hydrant hydrate                             all sessions of a ledger, else all pointers
  hydrant hydrate 2026-05-04T09-30-mina-Ox    one session
  hydrant hydrate media --exclude '*.psd'     the pointers beneath media, but some
  hydrant hydrate --in-place                  content takes the place of pointers
  hydrant hydrate --objects LIST --endpoint URL --into DIR
                                              `oid size` lines become files DIR/<oid>";

const UPLOAD_HELP: &str = "\
Examples:
  hydrant upload video.mp4
  hydrant upload --objects LIST --from DIR --endpoint URL
                                     lines `oid size`; each is the file DIR/<oid>";

const VERIFY_HELP: &str = "\
Examples:
  hydrant verify                     every session, else every pointer, against cache and server
  hydrant verify SESSION --deep      fetch and hash, because a server's word is not proof
  hydrant verify --staged            before a commit: blobs the server lacks, broken manifests, content in full";

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Sessions, by name or folder; all when none is named
    #[arg(value_name = "SESSION", conflicts_with = "staged")]
    pub(crate) sessions: Vec<String>,
    /// Fetch every blob and hash it
    #[arg(long)]
    pub(crate) deep: bool,
    /// Only what the next commit would add or change
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
    /// Objects to fetch, one `oid size` a line; `-` reads them from standard input
    #[arg(long, value_name = "LIST", requires = "into", requires = "endpoint")]
    pub(crate) objects: Option<PathBuf>,
    /// Folder that --objects fills with files named by their oid; they are verified, and not synced to the disk
    #[arg(long, value_name = "DIR", requires = "objects")]
    pub(crate) into: Option<PathBuf>,
    /// Put content in the place of pointers, where the file still holds the same pointer
    #[arg(long, conflicts_with = "objects")]
    pub(crate) in_place: bool,
    /// Only paths that match one of these patterns (comma list, as in .gitignore)
    #[arg(long, value_name = "PATTERNS", conflicts_with = "objects")]
    pub(crate) include: Option<String>,
    /// No path that matches one of these patterns
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
    /// Exit 0 for a canonical pointer, 1 for anything that is none, 2 for one that is not canonical
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
    /// Objects to ask for, one `oid size` a line; `-` reads them from standard input
    #[arg(long, value_name = "LIST")]
    pub(crate) objects: PathBuf,
    /// Print header values and the queries of addresses, which let anybody who has them read or write
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
    /// Remove what was not used for a while; tells what it would do unless --yes is given
    #[command(after_help = "Example: hydrant cache prune --older-than 14 --yes")]
    Prune(CachePruneArgs),
    /// Hash every entry again; with --yes, drop the ones that are not what they are called
    #[command(after_help = "Example: hydrant cache verify")]
    Verify(CacheActArgs),
    /// Remove everything; tells what it would do unless --yes is given
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
    /// Objects to send, one `oid size` a line; `-` reads them from standard input
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
    /// Folder that holds the objects
    #[arg(long, value_name = "DIR", default_value = "hydrant-objects")]
    pub(crate) store: PathBuf,
    /// Let anybody who reaches the address read and write
    #[arg(long)]
    pub(crate) open: bool,
    /// Let pages of this origin use the server; may be given more than once
    #[arg(long = "origin", value_name = "ORIGIN")]
    pub(crate) origins: Vec<String>,
    /// Accept this name in the Host header besides the address itself
    #[arg(long, value_name = "HOST")]
    pub(crate) public_host: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// The folder; it is made where there is none
    #[arg(long, value_name = "DIR")]
    pub(crate) into: PathBuf,
}

/// Which server, and how patient to be with it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// URL of the LFS server, instead of the one git's configuration gives
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Remote whose server is asked
    #[arg(long, value_name = "NAME", conflicts_with = "endpoint")]
    pub(crate) remote: Option<String>,
    /// Approve a server that only the repository's content names: it is asked, and may get logins and uploads
    #[arg(long)]
    pub(crate) trust_endpoint: bool,
    /// Allow plain http to other machines
    #[arg(long)]
    pub(crate) insecure_http: bool,
    /// Seconds without a byte after which a transfer is given up
    #[arg(long, value_name = "SECONDS")]
    pub(crate) idle_timeout: Option<u64>,
    /// Seconds that a server may ask to wait before the next try
    #[arg(long, value_name = "SECONDS")]
    pub(crate) wait_max: Option<u64>,
    /// Tries after the first that fails for a passing reason
    #[arg(long, value_name = "COUNT")]
    pub(crate) retries: Option<u32>,
    /// Transfers at the same time
    #[arg(long, value_name = "COUNT")]
    pub(crate) transfers: Option<u32>,
    /// Objects in one question to the server
    #[arg(long, value_name = "COUNT")]
    pub(crate) batch_objects: Option<u32>,
}

/// Bounds on content.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LimitArgs {
    /// Bytes of an object at most (as 500M, 5G); else hydrant.objectBytesMax of git, else OX_LFS_MAX_OBJECT_SIZE
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
