//! The host around the engine: everything that touches files, network, clock and git.
//!
//! A program begins with a [`Client`] and a [`Repository`]: what the command does are methods of the client, each with
//! its options and its report. `examples/hydrate.rs` is the whole of a small program; `examples/embedder.rs` shows
//! progress, and brings an end, logins and a place for blobs of its own.
//!
//! Rule: the protocols live in the embedded component; this crate performs what the component asks for and decides
//! only what is policy of this machine (addresses, logins, where bytes lie).
//!
//! The rooms, ground first; each uses only what stands above it here:
//!
//! - [`text`]: what is shown to people
//! - [`contract`]: the types of `wit/`, errors, the clock
//! - [`process`]: child processes that end with this one
//! - [`files`]: files and folders beneath a root; the one room that knows the platform's calls
//! - [`git`]: the git program, and what it says of its objects
//! - [`store`]: verified blobs
//! - [`documents`]: small tracked files, each changed under its lock
//! - [`engine`]: the component in its sandbox
//! - [`repository`]: the repository around a folder, its settings, its last commit
//! - [`gate`]: what is looked through for secrets before it leaves, archives and databases among it
//! - [`worktree`]: what stands in a working tree, and what takes its place
//! - [`net`]: addresses, logins, HTTP
//! - [`remote`]: a ledger's remote, and the clone that follows it
//! - [`driver`]: the loop, and the effects it performs
//! - [`sessions`]: the sessions of a ledger, and what is noted about them here
//! - [`tasks`]: what a command does, without arguments and output

pub mod contract;
pub mod documents;
pub mod driver;
pub mod engine;
pub mod files;
pub mod gate;
pub mod git;
pub mod net;
pub mod process;
pub mod remote;
pub mod repository;
pub mod sessions;
pub mod store;
pub mod tasks;
pub mod text;
pub mod worktree;

pub use contract::cancel::Cancel;
pub use contract::error::{Fault, FaultKind, code_name};
pub use contract::report::{BlobReport, Document, ErrorCode, ErrorReport};
pub use contract::types::{Blob, Code, Direction, Phase};
pub use driver::{Tally, Watch};
pub use net::login::{Approver, LoginSource, Question};
pub use net::secret::Secret;
pub use repository::Repository;
pub use tasks::client::Client;
pub use tasks::doctor::{DoctorOptions, DoctorReport, TitlesOptions, TitlesReport};
pub use tasks::draft::{DraftOptions, DraftReport};
pub use tasks::endpoint::ServerOptions;
pub use tasks::hooks::{HookKind, HooksReport, HooksTask};
pub use tasks::hydrate::{HydrateOptions, HydrateReport};
pub use tasks::locks::{ListLocksOptions, LocksReport, UnlockOptions};
pub use tasks::orphans::{OrphansOptions, OrphansReport};
pub use tasks::publish::{LeftOut, LeftOutReason, PlanReport, PublishOptions, PublishReport, RegenerateOptions};
pub use tasks::reconcile::{ReconcileOptions, ReconcileReport};
pub use tasks::restore::{RestoreOptions, RestoreReport};
pub use tasks::show::{ShowOptions, Shown};
pub use tasks::status::{StatusOptions, StatusReport, Stopped};
pub use tasks::transfer::{ObjectReport, ObjectState, TransferReport};
pub use tasks::upload::{UploadFiles, UploadOptions};
pub use tasks::verify::{VerifyOptions, VerifyReport};
