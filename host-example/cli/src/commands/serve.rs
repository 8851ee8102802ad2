//! `hydrant serve`: an LFS server on this machine until Ctrl-C.

use std::sync::Arc;

use hydrant_host::driver::Interrupts;
use hydrant_server::{RunningServer, Server, ServerConfig, TOKEN_USER};
use serde_json::json;

use crate::cli::ServeArgs;
use crate::ending::{Ending, Fault};
use crate::report::{Output, say};

pub(crate) fn run(arguments: &ServeArgs, output: &mut Output) -> Result<Ending, Fault> {
    let mut config = ServerConfig::new(&arguments.store);
    config.listen = arguments.listen;
    config.open = arguments.open;
    config.origins = arguments.origins.clone();
    config.public_host = arguments.public_host.clone();
    if output.voice.verbose {
        config.log = Some(Arc::new(|line| say(&line.to_string())));
    }
    // Whoever reads the first line may end it at once, and well.
    let mut interrupts = Interrupts::listen()?;
    let server = Server::spawn(config).map_err(|error| Fault::local("the server cannot start", &error))?;
    announce(&server, arguments.open, output);
    output.flush();
    wait_for(&mut interrupts)?;
    output.note("stopping");
    drop(server);
    Ok(Ending::Done)
}

fn announce(server: &RunningServer, open: bool, output: &mut Output) {
    let url = server.url();
    let token = (!open).then(|| server.token());
    output.json(&json!({ "ok": true, "url": url, "user": TOKEN_USER, "token": token }));
    output.line(format!("serving {url}"));
    if let Some(token) = token {
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
pub(crate) fn wait_for(interrupts: &mut Interrupts) -> Result<(), Fault> {
    let unable = |error: std::io::Error| Fault::local("this program cannot wait for signals", &error);
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(unable)?;
    runtime.block_on(interrupts.next());
    Ok(())
}
