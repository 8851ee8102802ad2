//! The command line as types: every command, and the arguments that several have. What a command is given and what it
//! does stands in its own file.

use clap::{Args, Parser, Subcommand, value_parser};
use hydrant_host::tasks::endpoint::ServerOptions;
use hydrant_host::tasks::publish::{Allowance, SecretOptions};
use hydrant_host::text::parse_bytes;

use crate::commands::*;
use crate::output::OutputOptions;

const AFTER_HELP: &str = "\
Examples:
  hydrant demo                      see everything work on this machine
  hydrant status                    how much of the content is here
  hydrant hydrate                   fetch the rest, every byte verified
  hydrant hydrate --in-place        and put it where the pointers are
  hydrant show SESSION raw.jsonl    print a file of a session, verified

A ledger is a git repository of recorded sessions. A session is a folder
sessions/NAME with a manifest meta.json.

Exit codes:
  0 done, 1 some objects failed, 2 misuse, 3 the whole operation failed,
  130 interrupted";

/// Git LFS for places where the git-lfs binary cannot run
#[derive(Debug, Parser)]
#[command(name = "hydrant", version, propagate_version = true, after_help = AFTER_HELP, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: OutputOptions,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show everything at work with a made-up session on this machine
    #[command(after_help = "Example: hydrant demo --serve")]
    Demo(demo::DemoArgs),
    /// Show how much content is here, of a session or of everything
    #[command(after_help = "Example: hydrant status 2026-05-04T09-30-mina-OxQ7wd")]
    Status(status::StatusArgs),
    /// Fetch the content of pointers into the cache, every byte verified
    #[command(after_help = hydrate::HELP)]
    Hydrate(hydrate::HydrateArgs),
    /// Print a file of a session or another LFS file, verified, or say why it cannot be read
    #[command(after_help = "Example: hydrant show 2026-05-04T09-30-mina-OxQ7wd raw.jsonl --lines 1-20")]
    Show(show::ShowArgs),
    /// Show, check and make pointer files
    #[command(subcommand)]
    Pointer(pointer::PointerCommand),
    /// Ask the server about objects, and transfer nothing
    #[command(after_help = "Example: hydrant scan . | hydrant batch download --objects -")]
    Batch(batch::BatchArgs),
    /// List, verify, prune and clear the cache
    #[command(subcommand)]
    Cache(cache::CacheCommand),
    /// List the pointers beneath a folder: oid, size and path
    #[command(after_help = "Example: hydrant scan . --json")]
    Scan(scan::ScanArgs),
    /// Find secrets in files, and make copies without them
    #[command(after_help = redact::HELP)]
    Redact(redact::RedactArgs),
    /// Upload files to the server
    #[command(after_help = upload::HELP)]
    Upload(upload::UploadArgs),
    /// Publish a session: files to the LFS server, manifest and pointers to the remote
    #[command(after_help = publish::HELP)]
    Publish(Box<publish::PublishArgs>),
    /// Write or refresh the placeholder of a session that is still recorded
    #[command(after_help = draft::HELP)]
    Draft(draft::DraftArgs),
    /// Replace the content of a published session
    #[command(after_help = regenerate::HELP)]
    Regenerate(Box<regenerate::RegenerateArgs>),
    /// List blobs on the server that nothing names any more
    #[command(after_help = orphans::HELP)]
    Orphans(orphans::OrphansArgs),
    /// Find and repair what makes a push fail: pointers whose blobs the server lacks
    #[command(after_help = reconcile::HELP)]
    Reconcile(reconcile::ReconcileArgs),
    /// Check that the cache and the server have everything that manifests and pointers name
    #[command(after_help = verify::HELP)]
    Verify(verify::VerifyArgs),
    /// Find what was left half done in this clone, and complete it with --fix
    #[command(after_help = doctor::HELP)]
    Doctor(doctor::DoctorArgs),
    /// Replace content by its pointers, where it is proved to be the same
    #[command(after_help = restore::HELP)]
    Restore(restore::RestoreArgs),
    /// Have git's hooks check commits and pushes for content in full
    #[command(subcommand, after_help = hooks::HELP)]
    Hooks(hooks::HooksCommand),
    /// List, create, verify and unlock the server's locks
    #[command(subcommand)]
    Locks(locks::LocksCommand),
    /// Run a Git LFS server on this machine
    #[command(after_help = "Example: hydrant serve --store /srv/lfs --listen 127.0.0.1:8080")]
    Serve(serve::ServeArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example: source <(hydrant completions bash)")]
    Completions(completions::CompletionsArgs),
    /// Write the manual pages, one for each command
    #[command(hide = true)]
    Man(man::ManArgs),
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
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..))]
    pub(crate) transfers: Option<u32>,
    /// Objects in one batch request
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(1..))]
    pub(crate) batch_objects: Option<u32>,
}

impl ServerArgs {
    /// The same, for the library.
    pub(crate) fn options(&self) -> ServerOptions {
        ServerOptions {
            endpoint: self.endpoint.clone(),
            remote: self.remote.clone(),
            trust_endpoint: self.trust_endpoint,
            insecure_http: self.insecure_http,
            idle_s_max: self.idle_timeout,
            wait_s_max: self.wait_max,
            retries_max: self.retries,
            in_flight_max: self.transfers,
            batch_objects_max: self.batch_objects,
        }
    }
}

/// What becomes of secrets.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Secrets")]
pub(crate) struct SecretArgs {
    /// Send content with markers in the places of its secrets
    #[arg(long)]
    pub(crate) redact: bool,
    #[command(flatten)]
    pub(crate) allow: AllowArgs,
}

/// What is let out.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Secrets")]
pub(crate) struct AllowArgs {
    /// Let out what looks like a secret and has this fingerprint; can be given again
    #[arg(long, value_name = "FINGERPRINT", requires = "reason")]
    pub(crate) allow: Vec<String>,
    /// Why it is no secret; it is published
    #[arg(long, value_name = "TEXT", requires = "allow")]
    pub(crate) reason: Option<String>,
}

impl SecretArgs {
    /// The same, for the library.
    pub(crate) fn options(&self) -> SecretOptions {
        SecretOptions { allow: self.allow.allowances(), redact: self.redact }
    }
}

impl AllowArgs {
    /// The same, for the library.
    pub(crate) fn allowances(&self) -> Vec<Allowance> {
        let reason = self.reason.clone().unwrap_or_default();
        let allow = |fingerprint: &String| Allowance { fingerprint: fingerprint.clone(), reason: reason.clone() };
        self.allow.iter().map(allow).collect()
    }
}

/// Bounds on content.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LimitArgs {
    /// Largest object, as 500M; else hydrant.objectBytesMax, OX_LFS_MAX_OBJECT_SIZE, 5G
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) object_bytes_max: Option<u64>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    const TERMINAL_COLUMNS: usize = 80;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Examples stand in columns: a line that a usual terminal breaks is not read any more.
    #[test]
    fn what_follows_a_help_fits_a_terminal() {
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let long: Vec<&str> = after.lines().filter(|line| line.chars().count() > TERMINAL_COLUMNS).collect();
            assert!(long.is_empty(), "{}: {long:#?}", command.get_name());
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
