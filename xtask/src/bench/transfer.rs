//! Downloads and uploads on our own server: hydrant, the real client, and curl as the floor of a download.

use super::data::{Blob, Objects, Set, prove};
use super::figures::Found;
use super::ground::{Ground, is_installed, text};
use super::server::Server;
use super::stopwatch::{Client, Ready, race};
use super::workload::{ADD_AND_PUSH, CURL, FETCH, FLOOR, OURS, PULL};
use crate::failure::{Because, Failure, Result};
use crate::terminal::remark;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Transfers of curl at once.
const CURL_TRANSFERS: &str = "8";
/// What a user of git-lfs types to bring files to the server.
const GIT_UPLOAD: &str = "git add . && git commit -q -m bench && git lfs push --all origin";
/// Files in one folder of the work tree.
const FOLDER_FILES: usize = 100;
/// Settings under which git takes pointers as they are.
const NO_FILTER: [&str; 8] = [
    "-c",
    "filter.lfs.clean=cat",
    "-c",
    "filter.lfs.smudge=cat",
    "-c",
    "filter.lfs.process=",
    "-c",
    "filter.lfs.required=false",
];

/// All objects of a set become files.
pub(super) fn down(ground: &Ground, set: &Set, delay_ms: u64, runs: usize) -> Result<Found> {
    let objects = set.objects(ground)?;
    let store = ground.home.join("data").join(format!("store-{}", set.name));
    fill(ground, &objects, &store)?;
    let server = Server::start(ground, &store, delay_ms)?;
    let mut found = Found { absent: vec![FLOOR], ..Found::default() };
    let (objects, server) = (&objects, &server);

    let real_is_here = is_installed("git-lfs");
    let template = if real_is_here { pointers(ground, objects, server)? } else { PathBuf::new() };
    let template = &template;
    let mut clients = vec![Client { name: OURS, prepare: Box::new(move || hydrate(ground, objects, server)) }];
    if real_is_here {
        let real = |name, verb, lands: Lands| Client {
            name,
            prepare: Box::new(move || real_client(ground, objects, template, verb, lands)),
        };
        clients.push(real(PULL, "pull", Lands::Tree));
        clients.push(real(FETCH, "fetch", Lands::Store));
    } else {
        leave_out(&mut found, "git-lfs", &[PULL, FETCH]);
    }
    if is_installed("curl") {
        clients.push(Client { name: CURL, prepare: Box::new(move || curl(ground, objects, server)) });
    } else {
        leave_out(&mut found, "curl", &[CURL]);
    }
    found.measured = race(ground, &mut clients, runs)?;
    Ok(found)
}

/// All files of a set become objects of an empty server.
pub(super) fn up(ground: &Ground, set: &Set, runs: usize) -> Result<Found> {
    let objects = set.objects(ground)?;
    let mut found = Found::default();
    let objects = &objects;
    let mut clients = vec![Client { name: OURS, prepare: Box::new(move || upload(ground, objects)) }];
    if is_installed("git-lfs") {
        clients.push(Client { name: ADD_AND_PUSH, prepare: Box::new(move || add_and_push(ground, objects)) });
    } else {
        leave_out(&mut found, "git-lfs", &[ADD_AND_PUSH]);
    }
    found.measured = race(ground, &mut clients, runs)?;
    Ok(found)
}

pub(super) fn leave_out(found: &mut Found, program: &str, rows: &[&'static str]) {
    remark(&format!("{program} is not installed: {} left out", rows.join(" and ")));
    found.absent.extend(rows);
}

/// Brings the set to a store that is kept; what it has is not sent again.
fn fill(ground: &Ground, objects: &Objects, store: &Path) -> Result<()> {
    let server = Server::start(ground, store, 0)?;
    ground.succeed(&mut hydrant_upload(ground, objects, &server)?).map(drop)
}

fn hydrant_upload(ground: &Ground, objects: &Objects, server: &Server) -> Result<Command> {
    let mut command = Command::new(&ground.hydrant);
    command.args(["upload", "--quiet", "--objects", text(&objects.list)?, "--from", text(&objects.folder)?]);
    command.args(["--endpoint", &server.endpoint]).current_dir(&ground.home);
    Ok(command)
}

fn hydrate<'a>(ground: &Ground, objects: &'a Objects, server: &Server) -> Result<Ready<'a>> {
    let out = ground.fresh("out")?;
    let mut command = Command::new(&ground.hydrant);
    command.args(["hydrate", "--quiet", "--objects", text(&objects.list)?, "--into", text(&out)?]);
    command.args(["--endpoint", &server.endpoint]).current_dir(&ground.home);
    Ok(Ready { command, check: Box::new(move || prove_all(objects, |_, blob| out.join(&blob.oid))) })
}

/// The same addresses that a batch answer of this server names, without asking for one.
fn curl<'a>(ground: &Ground, objects: &'a Objects, server: &Server) -> Result<Ready<'a>> {
    let out = ground.fresh("out")?;
    let (mut list, place) = (String::new(), text(&out)?);
    for Blob { oid, .. } in &objects.blobs {
        list += &format!("url = \"{}.git/info/lfs/objects/{oid}\"\noutput = \"{place}/{oid}\"\n", server.endpoint);
    }
    let settings = ground.home.join("work/curl.list");
    fs::write(&settings, list).because("curl's list cannot be written")?;
    let mut command = Command::new("curl");
    // Without a configuration of the user's own.
    command.args(["-q", "-s", "-f", "-Z", "--parallel-max", CURL_TRANSFERS, "-K", text(&settings)?]);
    Ok(Ready { command, check: Box::new(move || prove_all(objects, |_, blob| out.join(&blob.oid))) })
}

/// Where the real client puts content.
#[derive(Clone, Copy)]
enum Lands {
    /// In the place of pointers.
    Tree,
    /// In its own store only.
    Store,
}

fn real_client<'a>(
    ground: &'a Ground,
    objects: &'a Objects,
    template: &Path,
    verb: &str,
    lands: Lands,
) -> Result<Ready<'a>> {
    let repository = ground.fresh("clone")?;
    // With times and modes, from the folder's content to the new folder.
    ground.succeed(Command::new("cp").arg("-a").arg(template.join(".")).arg(&repository))?;
    let refresh = [&NO_FILTER[..], &["update-index", "-q", "--refresh"]].concat();
    ground.git(&repository, &refresh)?;
    let mut command = Command::new("git");
    command.args(["lfs", verb]).current_dir(&repository);
    let place = move |number: usize, blob: &Blob| match lands {
        Lands::Tree => repository.join(pointer_path(number)),
        Lands::Store => repository.join(".git/lfs/objects").join(&blob.oid[..2]).join(&blob.oid[2..4]).join(&blob.oid),
    };
    Ok(Ready { command, check: Box::new(move || prove_all(objects, place)) })
}

fn prove_all(objects: &Objects, place: impl Fn(usize, &Blob) -> PathBuf) -> Result<()> {
    objects.blobs.iter().enumerate().try_for_each(|(number, blob)| prove(&place(number, blob), blob))
}

/// A repository of pointers, one for each object, that knows the server.
fn pointers(ground: &Ground, objects: &Objects, server: &Server) -> Result<PathBuf> {
    let folder = ground.fresh("template")?;
    ground.git(&folder, &["init", "-q", "-b", "main", "."])?;
    configure(ground, &folder, &server.endpoint)?;
    let unwritable = "the pointers cannot be written";
    fs::write(folder.join(".gitattributes"), "*.bin filter=lfs diff=lfs merge=lfs -text\n").because(unwritable)?;
    for (number, Blob { oid, size }) in objects.blobs.iter().enumerate() {
        let path = folder.join(pointer_path(number));
        fs::create_dir_all(path.parent().unwrap_or(&folder)).because(unwritable)?;
        fs::write(path, pointer(oid, *size)).because(unwritable)?;
    }
    ground.git(&folder, &[&NO_FILTER[..], &["add", "."]].concat())?;
    ground.git(&folder, &[&NO_FILTER[..], &["commit", "-q", "-m", "pointers"]].concat())?;
    ground.git(&folder, &["lfs", "install", "--local"])?;
    ground.git(&folder, &["remote", "add", "origin", &server.endpoint])?;
    Ok(folder)
}

fn pointer_path(number: usize) -> String {
    format!("d{:03}/f{number:05}.bin", number / FOLDER_FILES)
}

/// The text that stands for a blob.
pub(super) fn pointer(oid: &str, size: u64) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n")
}

/// The settings that every repository of the benchmark has.
pub(super) fn configure(ground: &Ground, repository: &Path, endpoint: &str) -> Result<()> {
    let settings = [
        ("user.name", "bench"),
        ("user.email", "bench@localhost"),
        ("lfs.url", endpoint),
        ("lfs.locksverify", "false"),
        // Housekeeping in the background would fall into somebody's run.
        ("gc.auto", "0"),
        ("maintenance.auto", "false"),
    ];
    settings.iter().try_for_each(|(name, value)| ground.git(repository, &["config", name, value]).map(drop))
}

fn upload<'a>(ground: &'a Ground, objects: &'a Objects) -> Result<Ready<'a>> {
    let server = Server::start_empty(ground)?;
    let command = hydrant_upload(ground, objects, &server)?;
    Ok(Ready { command, check: Box::new(move || server_has_all(ground, objects, &server)) })
}

/// The files lie in a repository that knows the server; what a user of the real client then types is timed.
fn add_and_push<'a>(ground: &'a Ground, objects: &'a Objects) -> Result<Ready<'a>> {
    let server = Server::start_empty(ground)?;
    let repository = ground.fresh("clone")?;
    ground.git(&repository, &["init", "-q", "-b", "main", "."])?;
    configure(ground, &repository, &server.endpoint)?;
    ground.git(&repository, &["lfs", "install", "--local"])?;
    ground.git(&repository, &["remote", "add", "origin", &server.endpoint])?;
    fs::write(repository.join(".git/info/attributes"), "* filter=lfs -text\n").because("a rule cannot be written")?;
    for Blob { oid, .. } in &objects.blobs {
        fs::copy(objects.folder.join(oid), repository.join(oid)).because("the files cannot be copied")?;
    }
    let mut command = Command::new("sh");
    command.args(["-c", GIT_UPLOAD]).current_dir(&repository);
    Ok(Ready { command, check: Box::new(move || server_has_all(ground, objects, &server)) })
}

/// Fetches everything back, verified.
fn server_has_all(ground: &Ground, objects: &Objects, server: &Server) -> Result<()> {
    let Ready { mut command, check } = hydrate(ground, objects, server)?;
    ground.succeed(&mut command).map_err(|failure| Failure::new(format!("the server lacks something: {failure}")))?;
    check()
}
