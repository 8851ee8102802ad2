//! `hydrant publish`: brings a session to its server and its ledger. Nothing is lost wherever it ends.

mod dry_run;
mod obstacle;
mod quick;
mod regenerate;
mod scene;

use std::env;

use hydrant_host::engine::Engine;

use crate::cli::PublishArgs;
use crate::ending::Ending;
use hydrant_host::contract::error::Fault;
use crate::publish_report::{self, Dry};
use crate::report::Output;
use hydrant_host::repository::Repository;
pub(crate) use regenerate::run as regenerate;
pub(crate) use scene::Scene;

pub(crate) fn run(arguments: &PublishArgs, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::around(&env::current_dir()?)?;
    let session = scene::session_word(&repository, arguments)?;
    if let Some(notes) = quick::unchanged(&repository, arguments, &session)? {
        return Ok(nothing(&session, Some(&notes.session_id), scene::NOTHING_CHANGED, arguments, output));
    }
    let engine = Engine::load()?;
    let scene = Scene::look(&repository, &engine, arguments)?;
    if let Some(why) = scene.idle()? {
        scene.say_left_out(output);
        return Ok(nothing(&session, scene.session_id(), why, arguments, output));
    }
    if arguments.dry_run {
        return dry_run::run(&scene, output);
    }
    let came = scene.publish(output)?;
    Ok(publish_report::say(&scene.session, &came, output))
}

fn nothing(session: &str, id: Option<&str>, why: &'static str, arguments: &PublishArgs, output: &mut Output) -> Ending {
    if arguments.dry_run {
        publish_report::plan(session, &Dry { idle: Some(why), ..Dry::default() }, output);
    } else {
        publish_report::nothing(session, id, why, output);
    }
    Ending::Done
}
