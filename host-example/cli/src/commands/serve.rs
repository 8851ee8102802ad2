//! `hydrant serve`: an LFS server on this machine until Ctrl-C.

use std::env;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use hydrant_host::contract::cancel::Cancelled;
use hydrant_host::contract::error::Fault;
use hydrant_host::contract::types::Code;
use hydrant_host::tasks::Client;
use hydrant_host::text::io_words;
use hydrant_server::{RunningServer, Server, ServerConfig, TOKEN_USER, kept_token, token_file};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ending::Ending;
use crate::output::{Output, say};

/// Gives the token itself.
const TOKEN_VARIABLE: &str = "HYDRANT_SERVE_TOKEN";

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Folder that holds the objects and the locks
    #[arg(long, value_name = "DIR", default_value = "hydrant-objects")]
    pub(crate) store: PathBuf,
    /// One set of objects for all repositories
    #[arg(long)]
    pub(crate) shared: bool,
    /// Let anybody who reaches the address read and write
    #[arg(long, conflicts_with = "token_file")]
    pub(crate) open: bool,
    /// File with the token, made when it is absent [default: one for the store, in your state folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Let pages of this origin use the server; can be given again
    #[arg(long = "origin", value_name = "ORIGIN")]
    pub(crate) origins: Vec<String>,
    /// Answer to this host name, too, for example behind a proxy
    #[arg(long, value_name = "HOST")]
    pub(crate) public_host: Option<String>,
}

/// A server that listens. It is said as soon as it does; the process ends with the server.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ServeReport {
    /// Where it listens.
    url: String,
    /// The user that goes with the token.
    user: &'static str,
    /// The token; null when anybody may read and write.
    token: Option<String>,
    /// Whether all repositories have the same objects.
    shared: bool,
}

pub(crate) fn run(arguments: &ServeArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let mut config = ServerConfig::new(&arguments.store);
    config.listen = arguments.listen;
    config.shared = arguments.shared;
    config.open = arguments.open;
    config.origins = arguments.origins.clone();
    config.public_host = arguments.public_host.clone();
    if output.options.verbose {
        config.log = Some(Arc::new(|line| say(&line.to_string())));
    }
    let unable = |error: io::Error| match error.kind() {
        ErrorKind::AddrInUse => {
            let why = format!("{}: {}: --listen 127.0.0.1:0 takes a free port", arguments.listen, io_words(&error));
            Fault::failed(Code::Host, why)
        }
        _ => Fault::local("the server cannot start", &error),
    };
    let mut is_kept = false;
    if !arguments.open {
        config.token = token(arguments).map_err(unable)?;
        is_kept = config.token.is_some();
    }
    // Whoever reads the first line may end it at once, and well.
    let mut cancelled = client.cancellation().listen()?;
    let server = Server::spawn(config).map_err(unable)?;
    announce(&server, arguments, is_kept, output);
    output.flush();
    wait_for(&mut cancelled)?;
    output.note("stopping");
    drop(server);
    Ok(Ending::Done)
}

/// The token of before; none where this user has no place for one, and then it is new for this run.
fn token(arguments: &ServeArgs) -> io::Result<Option<String>> {
    if let Some(file) = &arguments.token_file {
        return kept_token(file).map(Some);
    }
    if let Some(given) = env::var_os(TOKEN_VARIABLE).filter(|given| !given.is_empty()) {
        let token = given.into_string().ok().filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()));
        let unfit = || format!("{TOKEN_VARIABLE} must hold one word of ASCII letters, digits and signs");
        return token.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, unfit())).map(Some);
    }
    let Some(state) = state_folder() else { return Ok(None) };
    match token_file(&state, &arguments.store).and_then(|file| kept_token(&file)) {
        // A home that is a work tree, that nobody can write to or that is none is no reason not to serve.
        Err(error) if error.kind() != ErrorKind::InvalidData => Ok(None),
        kept => kept.map(Some),
    }
}

/// Where programs of this user keep what outlives them. A relative path counts as none.
fn state_folder() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")))
}

fn announce(server: &RunningServer, arguments: &ServeArgs, is_kept: bool, output: &mut Output) {
    let url = server.url();
    let token = (!arguments.open).then(|| server.token().to_owned());
    let is_shared = server.is_shared();
    output.report(true, ServeReport { url: url.clone(), user: TOKEN_USER, token: token.clone(), shared: is_shared });
    output.line(format!("serving {url}"));
    if let Some(token) = &token {
        output.line(format!("user    {TOKEN_USER}"));
        output.line(format!("token   {token}"));
    }
    if is_shared && !arguments.shared {
        output.note("This store has one set of objects for all repositories, as with --shared.");
    }
    if token.is_some() && !is_kept {
        output.note("The token is for this run: there is no state folder to keep it in. --token-file keeps one.");
    }
    output.note("");
    output.note("In a repository of yours:");
    output.note(format!("  git config lfs.url {url}/my-repository"));
    if let Some(token) = token {
        output.note(format!("  HYDRANT_LFS_USER=$USER HYDRANT_LFS_TOKEN={token} hydrant hydrate"));
    }
    output.note("Ctrl-C ends it.");
}

/// Waits until the user or the system asks this program to end.
pub(crate) fn wait_for(cancelled: &mut Cancelled) -> Result<(), Fault> {
    let unable = |error: std::io::Error| Fault::local("this program cannot wait for signals", &error);
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(unable)?;
    runtime.block_on(cancelled.next());
    Ok(())
}
