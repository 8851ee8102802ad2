//! A server that says our own login back to us: it is in nothing that is printed, in no form, whatever the server
//! puts it into.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::evidence::{Scratch, blob, finish};
use crate::liar::Liar;
use crate::talk::Talk;

/// Part of every secret here.
const SECRET: &str = "5ecret";
const SECONDS_MAX: u64 = 20;

/// All that the request showed, and what it stands for.
fn shown(talk: &Talk) -> String {
    let headers = ["authorization", "cookie", "x-gate"].iter().filter_map(|name| talk.request.header(name));
    let mut shown: Vec<String> = headers.map(str::to_owned).collect();
    let told = shown.iter().filter_map(|value| BASE64_STANDARD.decode(value.strip_prefix("Basic ")?).ok());
    let told: Vec<String> = told.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    shown.extend(
        told.iter().filter_map(|told| told.split_once(':')).flat_map(|(user, word)| [user, word].map(str::to_owned)),
    );
    shown.extend(told.iter().map(|told| told.replace(['@', ':'], "%40").replace('/', "%2f")));
    shown.extend(told);
    format!("denied to {}", shown.join(" and "))
}

/// Refuses in the way that the first part of the path names, in our own words.
fn echo(talk: &mut Talk) {
    let path = talk.request.what().to_owned();
    let message = json!({ "message": shown(talk), "request_id": shown(talk) });
    let is_known = ["authorization", "cookie", "x-gate"].iter().any(|name| talk.request.header(name).is_some());
    if !is_known {
        return talk.json("401 Unauthorized", &[("lfs-authenticate", "Basic")], &json!({ "message": "who?" }));
    }
    if path.contains("/locks") {
        let lock = json!({ "id": "1", "path": "a.bin", "locked_at": "", "owner": { "name": shown(talk) } });
        return talk.json("200 OK", &[], &json!({ "locks": [lock], "ours": [], "theirs": [lock] }));
    }
    if path.contains("/long/") {
        // The core cuts it in the middle of the login.
        let long = format!("{}{}", "x".repeat(185), shown(talk).trim_start_matches("denied to "));
        return talk.json("403 No", &[], &json!({ "message": long }));
    }
    if path.contains("/busy/") {
        return talk.json("503 Later", &[], &message);
    }
    if !path.contains("/each/") {
        return talk.json("403 No", &[], &message);
    }
    let asked: Value = serde_json::from_slice(&talk.body()).unwrap_or_default();
    let refuse = |one: &Value| {
        let error = json!({ "code": 422, "message": shown(talk) });
        json!({ "oid": one["oid"], "size": one["size"], "error": error })
    };
    let objects: Vec<Value> = asked["objects"].as_array().into_iter().flatten().map(refuse).collect();
    talk.json("200 OK", &[], &json!({ "objects": objects }));
}

fn text(path: &Path) -> String {
    path.to_str().expect("text").to_owned()
}

#[test]
fn a_server_that_says_our_login_back_is_not_quoted() {
    let liar = Liar::start(Vec::new(), echo, None);
    let home = liar.plot.home.to_string();
    let encoded = |login: &str| BASE64_STANDARD.encode(login);
    let bearer = "http.extraHeader=Authorization: Bearer tok-5ecret-of-a-header";
    let basic = format!("http.extraHeader=Authorization: Basic {}", encoded("me@work:pw/5ecret"));
    // What is said is found by what it holds in each form; base64 by its own text.
    let logins = [
        "oauth2:tok-5ecret-7730",
        "me@work:pw/5ecret",
        "me:pw/5ecret",
        "ghp_5ecret_7730:x-oauth-basic",
        "ghp_5ecret_7730:",
    ];
    let secrets: Vec<String> = logins.into_iter().map(encoded).chain([SECRET.to_owned()]).collect();
    for (way, commands) in [("whole", 4), ("each", 2), ("long", 1), ("busy", 1)] {
        for (name, variable, userinfo, config) in [
            ("a token", "tok-5ecret-7730", "", "a.b=c"),
            ("a password", "", "me:pw%2f5ecret@", "a.b=c"),
            ("a token as the user", "", "ghp_5ecret_7730:x-oauth-basic@", "a.b=c"),
            ("a token as the user and no password", "", "ghp_5ecret_7730:@", "a.b=c"),
            ("a header", "", "", bearer),
            ("a header with a password", "", "", &basic),
            ("a header of another name", "", "", "http.extraHeader=X-Gate: gate-5ecret"),
            ("a cookie", "", "", "http.extraHeader=Cookie: session=cookie-5ecret; a=b"),
        ] {
            let scratch = Scratch::new();
            let folder = scratch.path("home/clone");
            fs::create_dir_all(&folder).expect("a folder");
            let blob = blob(1, 300);
            fs::write(scratch.path("list"), format!("{} 300\n", blob.oid)).expect("a list");
            fs::write(folder.join(&blob.oid), &blob.bytes).expect("a file");
            let command = |program: &str| {
                let mut command = Command::new(program);
                command.env_clear().env("PATH", env::var_os("PATH").expect("a PATH"));
                command.env("HOME", scratch.path("home")).env("GIT_CONFIG_NOSYSTEM", "1");
                command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "true").env("HYDRANT_LFS_TOKEN", variable);
                command.current_dir(&folder).stdin(Stdio::null());
                command
            };
            let (key, value) = config.split_once('=').expect("a setting");
            let url = format!("http://{userinfo}{home}/{way}/r");
            for arguments in [&["init", "--quiet"][..], &["config", "lfs.url", &url], &["config", key, value]] {
                assert!(command("git").args(arguments).status().expect("git runs").success(), "{arguments:?}");
            }
            let list = text(&scratch.path("list"));
            let retries = if way == "busy" { "1" } else { "0" };
            let all = [
                &["batch", "download", "--objects", &list][..],
                &["upload", &blob.oid],
                &["locks", "list"],
                &["locks", "unlock", "a.bin"],
            ];
            for arguments in &all[..commands] {
                for voice in ["--verbose", "--json"] {
                    let mut hydrant = command(env!("CARGO_BIN_EXE_hydrant"));
                    hydrant.args(*arguments).args(["--retries", retries, "--wait-max", "1", voice]);
                    let (code, out, err) = finish(&mut hydrant, Duration::from_secs(SECONDS_MAX)).expect("it ends");
                    let said = format!("{out}{err}");
                    let found = secrets.iter().find(|secret| said.contains(secret.as_str()));
                    assert_eq!(found, None, "{way}: {name}: {arguments:?} {voice} ({code}): {said}");
                    assert!(
                        said.contains("***"),
                        "{way}: {name}: {arguments:?} {voice} ({code}) quotes nothing: {said}"
                    );
                }
            }
        }
    }
}
