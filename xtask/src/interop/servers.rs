//! Servers that others wrote, installed with the versions that are known to work together.

use super::Ground;
use super::exchange::Objects;
use super::peer::{Peer, finish, free_port, install};
use crate::failure::{Because, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const DULWICH: &[&str] = &["dulwich==1.2.21"];
const MOTO: &[&str] = &["moto[server,s3]==5.2.5"];
/// The wheel names none of its dependencies, and newer ones break it.
const GIFTLESS: &[&str] = &[
    "giftless==0.6.2",
    "figcan==0.0.4",
    "flask~=2.3",
    "flask-marshmallow==0.15.0",
    "marshmallow==3.21.1",
    "flask-classful==0.16.0",
    "pyyaml",
    "PyJWT==2.8.0",
    "webargs==8.4.0",
    "typing-extensions",
    "python-dotenv==1.0.1",
    "python-dateutil",
    "cryptography>=42",
    "werkzeug==3.0.3",
    "boto3==1.34.59",
    "cachetools~=5.3",
    "importlib-metadata==7.0.2",
    "waitress==3.0.2",
    "azure-storage-blob==12.19.1",
];
const RUDOLFS: &str = "rudolfs@0.3.8";

/// dulwich: Python's git, with a small LFS server.
pub(crate) fn dulwich(ground: &Ground<'_>) -> Result<String> {
    const SERVER: &str = "import sys\nfrom dulwich.lfs_server import run_lfs_server\n\
                          server, _ = run_lfs_server('127.0.0.1', int(sys.argv[1]), sys.argv[2], True)\n\
                          server.serve_forever()\n";
    let python = venv(ground, "dulwich", DULWICH)?.join("python");
    let port = free_port()?;
    let mut server = Command::new(python);
    server.args(["-c", SERVER, &port.to_string()]).arg(ground.folder("store")?);
    let _server = Peer::start(&mut server, port, &ground.scratch.join("server.log"))?;
    Objects::make(ground)?.round_trip(ground, "dulwich", &format!("http://127.0.0.1:{port}"))
}

/// giftless with its own streaming storage.
pub(crate) fn giftless_local(ground: &Ground<'_>) -> Result<String> {
    let store = ground.folder("store")?;
    let adapter = format!(
        "    factory: giftless.transfer.basic_streaming:factory\n    options:\n      storage_class: \
         giftless.storage.local_storage:LocalStorage\n      storage_options: {{path: {}}}\n      \
         action_lifetime: 900\n",
        store.display()
    );
    let (_server, endpoint) = giftless(ground, &adapter, &[])?;
    Objects::make(ground)?.round_trip(ground, "giftless", &endpoint)
}

/// giftless that sends clients to another server: storage behind signed addresses on another origin.
pub(crate) fn giftless_s3(ground: &Ground<'_>) -> Result<String> {
    const BUCKET: &str = "import boto3, sys\n\
                          boto3.client('s3', endpoint_url=sys.argv[1]).create_bucket(Bucket='lfs')\n";
    const LOGIN: [(&str, &str); 3] =
        [("AWS_ACCESS_KEY_ID", "interop"), ("AWS_SECRET_ACCESS_KEY", "interop"), ("AWS_DEFAULT_REGION", "us-east-1")];
    let tools = venv(ground, "moto", MOTO)?;
    let port = free_port()?;
    let mut moto = Command::new(tools.join("moto_server"));
    moto.args(["-H", "127.0.0.1", "-p", &port.to_string()]).envs(LOGIN);
    let _storage = Peer::start(&mut moto, port, &ground.scratch.join("moto.log"))?;
    let storage = format!("http://127.0.0.1:{port}");
    finish(Command::new(tools.join("python")).args(["-c", BUCKET, &storage]).envs(LOGIN))?;
    let adapter = format!(
        "    factory: giftless.transfer.basic_external:factory\n    options:\n      storage_class: \
         giftless.storage.amazon_s3:AmazonS3Storage\n      storage_options: {{bucket_name: lfs, endpoint: \
         \"{storage}\", path_prefix: blobs}}\n"
    );
    let (_server, endpoint) = giftless(ground, &adapter, &LOGIN)?;
    Objects::make(ground)?.round_trip(ground, "giftless on S3", &endpoint)
}

/// rudolfs, from source: no wheel and no package has it.
pub(crate) fn rudolfs(ground: &Ground<'_>) -> Result<String> {
    let home = ground.tools.join("rudolfs");
    let program = home.join("bin/rudolfs");
    if !program.is_file() {
        let mut cargo = ground.workspace.cargo();
        cargo.args(["install", RUDOLFS, "--locked", "--quiet", "--root"]).arg(&home);
        install(cargo.env("CARGO_TARGET_DIR", home.join("target")))?;
    }
    let port = free_port()?;
    let mut server = Command::new(program);
    server.args(["--host", &format!("127.0.0.1:{port}"), "local", "--path"]).arg(ground.folder("store")?);
    let _server = Peer::start(&mut server, port, &ground.scratch.join("server.log"))?;
    Objects::make(ground)?.round_trip(ground, "rudolfs", &format!("http://127.0.0.1:{port}/api/team/repo"))
}

fn giftless(ground: &Ground<'_>, adapter: &str, login: &[(&str, &str)]) -> Result<(Peer, String)> {
    let tools = venv(ground, "giftless", GIFTLESS)?;
    let settings = ground.scratch.join("giftless.yaml");
    let text = format!(
        "AUTH_PROVIDERS: [giftless.auth.allow_anon:read_write]\nLEGACY_ENDPOINTS: false\n\
         PRE_AUTHORIZED_ACTION_PROVIDER:\n  factory: giftless.auth.jwt:factory\n  options: {{algorithm: HS256, \
         private_key: loopback, default_lifetime: 900}}\nTRANSFER_ADAPTERS:\n  basic:\n{adapter}"
    );
    fs::write(&settings, text).because("the server's settings cannot be written")?;
    let port = free_port()?;
    let mut server = Command::new(tools.join("waitress-serve"));
    server.args([&format!("--listen=127.0.0.1:{port}"), "--threads=8", "giftless.wsgi_entrypoint:app"]);
    server.current_dir(&ground.scratch).env("GIFTLESS_CONFIG_FILE", &settings).envs(login.iter().copied());
    let peer = Peer::start(&mut server, port, &ground.scratch.join("giftless.log"))?;
    Ok((peer, format!("http://127.0.0.1:{port}/team/repo.git/info/lfs")))
}

/// The programs of a virtual environment with these packages, made once for each list.
pub(crate) fn venv(ground: &Ground<'_>, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let home = ground.tools.join(name);
    let (programs, receipt) = (home.join("bin"), home.join("installed"));
    let list = packages.join("\n");
    if fs::read_to_string(&receipt).is_ok_and(|installed| installed == list) {
        return Ok(programs);
    }
    remove(&home)?;
    install(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    install(Command::new(programs.join("pip")).args(["install", "--quiet"]).args(packages))?;
    // Last, so that an interrupted installation is made again.
    fs::write(&receipt, list).because("the list of installed packages cannot be written")?;
    Ok(programs)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() { fs::remove_dir_all(folder).because("an old installation cannot be removed") } else { Ok(()) }
}
