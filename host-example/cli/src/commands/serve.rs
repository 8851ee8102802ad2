//! `hydrant serve`: an LFS server on this machine until Ctrl-C.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use hydrant_host::contract::cancel::Cancelled;
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::Client;
use hydrant_server::{RunningServer, Server, ServerConfig, TOKEN_USER};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ending::Ending;
use crate::output::{Output, say};

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
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

/// A server that listens. It is said as soon as it does; the process ends with the server.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ServeReport {
    /// Where it listens.
    url: String,
    /// The user that goes with the token.
    user: &'static str,
    /// The token; null when anybody may read and write.
    token: Option<String>,
}

pub(crate) fn run(arguments: &ServeArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let mut config = ServerConfig::new(&arguments.store);
    config.listen = arguments.listen;
    config.open = arguments.open;
    config.origins = arguments.origins.clone();
    config.public_host = arguments.public_host.clone();
    if output.options.verbose {
        config.log = Some(Arc::new(|line| say(&line.to_string())));
    }
    // Whoever reads the first line may end it at once, and well.
    let mut cancelled = client.cancellation().listen()?;
    let server = Server::spawn(config).map_err(|error| Fault::local("the server cannot start", &error))?;
    announce(&server, arguments.open, output);
    output.flush();
    wait_for(&mut cancelled)?;
    output.note("stopping");
    drop(server);
    Ok(Ending::Done)
}

fn announce(server: &RunningServer, open: bool, output: &mut Output) {
    let url = server.url();
    let token = (!open).then(|| server.token().to_owned());
    output.report(true, ServeReport { url: url.clone(), user: TOKEN_USER, token: token.clone() });
    output.line(format!("serving {url}"));
    if let Some(token) = &token {
        output.line(format!("user    {TOKEN_USER}"));
        output.line(format!("token   {token}"));
    }
    output.note("");
    output.note("In a repository of yours:");
    output.note(format!("  git config lfs.url {url}/my-repository"));
    if let Some(token) = token {
        output.note(format!("  HYDRANT_LFS_TOKEN={token} hydrant hydrate"));
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
