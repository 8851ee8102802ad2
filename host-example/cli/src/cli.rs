//! The command line as types: every command, and the arguments that several have. What a command is given and what it
//! does stands in its own file.

use clap::{Args, Parser, Subcommand};
use hydrant_host::tasks::endpoint::ServerOptions;
use hydrant_host::text::parse_bytes;

use crate::commands::*;
use crate::output::OutputOptions;

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
    pub(crate) output: OutputOptions,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Publish, look at, hydrate and verify a made-up agent session on this machine
    #[command(after_help = "Example: hydrant demo --serve")]
    Demo(demo::DemoArgs),
    /// Show how much of a session, of all sessions or of a work tree can be read here
    #[command(after_help = "Example: hydrant status 2026-05-04T09-30-mina-OxQ7wd")]
    Status(status::StatusArgs),
    /// Fetch content into the cache, every byte verified
    #[command(after_help = hydrate::HELP)]
    Hydrate(hydrate::HydrateArgs),
    /// Print a session's file, verified, or say why it cannot be read
    #[command(after_help = "Example: hydrant show 2026-05-04T09-30-mina-OxQ7wd raw.jsonl --lines 1-20")]
    Show(show::ShowArgs),
    /// Look at pointer files and make them
    #[command(subcommand)]
    Pointer(pointer::PointerCommand),
    /// Ask the server what it would do, and transfer nothing
    #[command(after_help = "Example: hydrant scan . | hydrant batch download --objects -")]
    Batch(batch::BatchArgs),
    /// Look after the cache of verified content
    #[command(subcommand)]
    Cache(cache::CacheCommand),
    /// List the pointers beneath a folder: oid, size and path
    #[command(after_help = "Example: hydrant scan . --json")]
    Scan(scan::ScanArgs),
    /// Bring files to the server
    #[command(after_help = upload::HELP)]
    Upload(upload::UploadArgs),
    /// Bring a session to its server and its ledger, without ever losing a byte of it
    #[command(after_help = publish::HELP)]
    Publish(Box<publish::PublishArgs>),
    /// Write or refresh the placeholder of a session that is still recorded
    #[command(after_help = draft::HELP)]
    Draft(draft::DraftArgs),
    /// Put new content in the place of what a published session has
    #[command(after_help = regenerate::HELP)]
    Regenerate(Box<regenerate::RegenerateArgs>),
    /// List blobs that nothing names any more, for whoever purges the server
    #[command(after_help = orphans::HELP)]
    Orphans(orphans::OrphansArgs),
    /// Find pointers that a push would send without their blobs on the server, and repair that
    #[command(after_help = reconcile::HELP)]
    Reconcile(reconcile::ReconcileArgs),
    /// Check that everything that is named is really there: manifests, pointers, cache, server
    #[command(after_help = verify::HELP)]
    Verify(verify::VerifyArgs),
    /// Find what was left half done here, explain it, and complete it with --fix
    #[command(after_help = doctor::HELP)]
    Doctor(doctor::DoctorArgs),
    /// Put content of sessions back to its pointers, where the commit or the manifest names it
    #[command(after_help = restore::HELP)]
    Restore(restore::RestoreArgs),
    /// Use the server's locks: list, create, unlock, verify
    #[command(subcommand)]
    Locks(locks::LocksCommand),
    /// Run a Git LFS server on this machine
    #[command(after_help = "Example: hydrant serve --store /srv/lfs --listen 127.0.0.1:8080")]
    Serve(serve::ServeArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example: hydrant completions bash > ~/.local/share/bash-completion/completions/hydrant")]
    Completions(completions::CompletionsArgs),
    /// Write the manual pages, one for each command
    #[command(hide = true)]
    Man(man::ManArgs),
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

/// Bounds on content.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LimitArgs {
    /// Bytes of an object at most (as 500M, 5G); else hydrant.objectBytesMax of git, else OX_LFS_MAX_OBJECT_SIZE
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) object_bytes_max: Option<u64>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
