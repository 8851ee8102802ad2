//! Logins that the user gave for just this server go with the first request, whatever the server answers to strangers;
//! those that were not are asked for after a refusal alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use crate::evidence::{Scratch, blob, finish};
use crate::liar::{Liar, Script, Seen};
use crate::talk::{Talk, far_away};

/// What servers answer to strangers.
const STATUSES: [&str; 5] = ["401", "403", "404", "203", "302"];
/// `Basic` and `a:b`.
const BASIC: &str = "Basic YTpi";
const SECONDS_MAX: u64 = 20;

/// A way to have a login. `{home}` stands for the server, `{scratch}` for the folder of this run.
struct Given {
    name: &'static str,
    /// The user's `.gitconfig`.
    config: &'static str,
    /// Another file of his, and its text.
    file: (&'static str, &'static str),
    variable: (&'static str, &'static str),
    /// What stands before the server in its URL.
    userinfo: &'static str,
    /// The remote, where it is not the server's URL.
    remote: Option<&'static str>,
    /// The server's URL is set as `lfs.url`; otherwise it follows from the remote.
    is_set: bool,
    /// The header that shows it.
    header: (&'static str, &'static [u8]),
}

const GIVEN: Given = Given {
    name: "",
    config: "",
    file: ("none", ""),
    variable: ("NOTHING", ""),
    userinfo: "",
    remote: None,
    is_set: true,
    header: ("authorization", BASIC.as_bytes()),
};

/// Answers strangers with the status that the first part of the path names.
fn gate(talk: &mut Talk) {
    let request = &talk.request;
    let is_known = ["authorization", "x-gate"].iter().any(|name| request.header(name).is_some())
        || request.header("cookie").is_some_and(|cookies| cookies.contains("gate=open"));
    if is_known {
        return talk.honest();
    }
    let status = request.what().split(['/', '.']).nth(1).unwrap_or_default().to_owned();
    match status.as_str() {
        "302" => talk.answer("302 Found", &[("location", "/signin")], []),
        "401" => talk.answer("401 Unauthorized", &[("lfs-authenticate", "Basic")], []),
        "403" | "404" => talk.answer(&format!("{status} No"), &[], []),
        _ => talk.answer("203 Sign In", &[("content-type", "text/html")], "<html>sign in"),
    }
}

/// Runs `hydrate` in a repository whose server is a gate; its exit code, what it said, and what the server heard.
fn hydrate(given: &Given, status: &str, script: Script) -> (i32, String, Vec<Seen>) {
    let blob = blob(1, 3_000);
    let liar = Liar::start(vec![blob.clone()], script, None);
    let scratch = Scratch::new();
    let home = liar.plot.home.to_string();
    let filled = |text: &str| {
        text.replace("{home}", &home)
            .replace("{host}", "127.0.0.1")
            .replace("{status}", status)
            .replace("{scratch}", &scratch.path("home").display().to_string())
    };
    let tree = scratch.path("home/tree");
    fs::create_dir_all(&tree).expect("a folder");
    let write = |path: &Path, text: &str| fs::write(path, text.as_bytes()).expect("a file");
    write(&scratch.path("home/.gitconfig"), &filled(given.config));
    let file = scratch.path("home").join(given.file.0);
    write(&file, &filled(given.file.1));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("its mode");
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", blob.oid, blob.bytes.len());
    write(&tree.join("file"), &pointer);
    let command = |program: &str| {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", env::var_os("PATH").expect("a PATH")).env("HOME", scratch.path("home"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "true");
        command.env(given.variable.0, filled(given.variable.1)).current_dir(&tree).stdin(Stdio::null());
        command
    };
    let url = format!("http://{}{home}/{status}", given.userinfo);
    for arguments in [
        &["init", "--quiet"][..],
        &["remote", "add", "origin", given.remote.unwrap_or(&url)],
        &["add", "--all"],
        &["-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--message", "one"],
    ] {
        assert!(command("git").args(arguments).status().expect("git runs").success(), "{arguments:?}");
    }
    if given.is_set {
        assert!(command("git").args(["config", "lfs.url", &url]).status().expect("git runs").success());
    }
    let mut hydrant = command(env!("CARGO_BIN_EXE_hydrant"));
    let (code, _, err) =
        finish(hydrant.args(["hydrate", "--retries", "0"]), Duration::from_secs(SECONDS_MAX)).expect("it ends in time");
    (code, err, liar.plot.seen())
}

fn has(seen: &Seen, (name, value): (&str, &[u8])) -> bool {
    seen.header(name).is_some_and(|found| found.as_bytes() == value)
}

#[test]
fn what_the_user_gave_for_this_server_goes_with_the_first_request() {
    for given in [
        Given {
            name: "a header for every server",
            config: "[http]\nextraHeader = Authorization: Basic YTpi\nextraHeader = X-Trace: 1",
            ..GIVEN
        },
        Given {
            name: "a header for this one",
            config: "[http \"http://{home}/\"]\nextraHeader = AUTHORIZATION: Basic YTpi",
            ..GIVEN
        },
        Given {
            name: "a header for this one and its user",
            config: "[http \"http://bob@{home}/{status}\"]\nextraHeader = Authorization: Basic YTpi",
            userinfo: "bob@",
            ..GIVEN
        },
        Given { name: "user and password", userinfo: "a:b@", ..GIVEN },
        Given { name: "an empty password", userinfo: "a:@", header: ("authorization", b"Basic YTo="), ..GIVEN },
        Given { name: "no user", userinfo: ":b@", header: ("authorization", b"Basic OmI="), ..GIVEN },
        Given { name: "bytes", userinfo: "a:%e4@", header: ("authorization", b"Basic YTrk"), ..GIVEN },
        Given {
            name: "a token",
            variable: ("HYDRANT_LFS_TOKEN", "b"),
            header: ("authorization", b"Basic b2F1dGgyOmI="),
            ..GIVEN
        },
        Given { name: "netrc", file: (".netrc", "machine {host}\nlogin a\npassword b\n"), ..GIVEN },
        Given {
            name: "netrc for a user",
            userinfo: "a@",
            file: (".netrc", "machine {host} login x password y\nmachine {host} login a password b"),
            ..GIVEN
        },
        Given {
            name: "ssh",
            file: (
                "ssh",
                "#!/bin/sh\necho '{\"href\":\"http://{home}/{status}\",\"header\":{\"Authorization\":\"Basic YTpi\"}}'",
            ),
            variable: ("GIT_SSH_COMMAND", "{scratch}/ssh"),
            remote: Some("git@h.invalid:r.git"),
            is_set: false,
            ..GIVEN
        },
    ] {
        for status in STATUSES {
            let (code, err, seen) = hydrate(&given, status, gate);
            assert_eq!(code, 0, "{} before {status}: {err}", given.name);
            assert!(has(&seen[0], given.header), "{} before {status}: {}", given.name, seen[0].head);
        }
    }
}

#[test]
fn other_headers_and_cookies_go_with_every_request_to_this_server() {
    for given in [
        Given {
            name: "a header",
            config: "[http \"http://{home}/\"]\nextraHeader = X-Gate: op\u{e4}n",
            header: ("x-gate", "op\u{e4}n".as_bytes()),
            ..GIVEN
        },
        Given {
            name: "a cookie as a header",
            config: "[http]\nextraHeader = Cookie: gate=open",
            header: ("cookie", b"gate=open"),
            ..GIVEN
        },
        Given {
            name: "a file of cookies",
            config: "[http]\ncookieFile = ~/cookies",
            file: ("cookies", "# Netscape HTTP Cookie File\n{host}\tFALSE\t/\tFALSE\t0\tgate\topen\n"),
            header: ("cookie", b"gate=open"),
            ..GIVEN
        },
    ] {
        for status in STATUSES {
            let (code, err, seen) = hydrate(&given, status, gate);
            assert_eq!(code, 0, "{} before {status}: {err}", given.name);
            // The object's own address, too, which brings a login of its own.
            assert!(seen.len() == 2 && seen.iter().all(|seen| has(seen, given.header)), "{} {status}", given.name);
        }
    }
}

/// Settings for a path of the server go with the requests to that path, and no others.
#[test]
fn settings_for_a_path_are_those_of_each_request() {
    let given = Given {
        name: "two paths",
        config: "[http \"http://{home}/401\"]\nextraHeader = X-Gate: api\nextraHeader = Authorization: Basic YTpi\n\
                 [http \"http://{home}/o\"]\nextraHeader = X-Gate: store",
        ..GIVEN
    };
    let (code, err, seen) = hydrate(&given, "401", gate);
    assert_eq!((code, seen.len()), (0, 2), "{err}");
    assert!(has(&seen[0], ("x-gate", b"api")) && has(&seen[0], GIVEN.header), "{}", seen[0].head);
    assert!(has(&seen[1], ("x-gate", b"store")) && !has(&seen[1], GIVEN.header), "{}", seen[1].head);
}

#[test]
fn nothing_of_it_goes_to_another_server() {
    let given = Given {
        name: "all of them",
        config: "[http]\nextraHeader = Authorization: Basic YTpi\nextraHeader = X-Gate: open\ncookieFile = ~/cookies",
        file: ("cookies", "{host}\tFALSE\t/\tFALSE\t0\tgate\topen\n"),
        ..GIVEN
    };
    let away = |talk: &mut Talk| if talk.is_batch() { talk.batch(far_away) } else { talk.honest() };
    let redirected = |talk: &mut Talk| {
        let place = format!("http://{}{}", talk.plot.away, talk.request.what().trim_start_matches("POST "));
        if talk.request.away { talk.honest() } else { talk.answer("307 Elsewhere", &[("location", &place)], []) }
    };
    for script in [away as Script, redirected] {
        let (_, err, seen) = hydrate(&given, "401", script);
        let abroad: Vec<&Seen> = seen.iter().filter(|seen| seen.away).collect();
        assert!(!abroad.is_empty() && has(&seen[0], ("x-gate", b"open")), "{err}");
        for seen in abroad {
            let heard = ["x-gate", "cookie"].iter().any(|name| seen.header(name).is_some()) || has(seen, given.header);
            assert!(!heard, "{}", seen.head);
        }
    }
}

#[test]
fn who_has_logins_for_many_servers_is_asked_after_a_refusal() {
    const HELPER: &str = "[credential]\nhelper = {scratch}/helper\nuseHttpPath = true";
    const BY_PATH: (&str, &str) =
        ("helper", "#!/bin/sh\nif grep -qx path=401 && [ \"$1\" = get ]; then echo username=a; echo password=b; fi");
    for given in [
        Given { name: "netrc for the others", file: (".netrc", "default login a password b"), ..GIVEN },
        Given {
            name: "a helper with another scheme",
            config: HELPER,
            file: (
                "helper",
                "#!/bin/sh\nasked=$(cat)\ncase \"$1 $asked\" in get*'capability[]=authtype'*)\n\
                 printf 'capability[]=authtype\\nauthtype=Bearer\\ncredential=T\\n';; esac",
            ),
            header: ("authorization", b"Bearer T"),
            ..GIVEN
        },
        Given {
            name: "a helper whose password is no text",
            config: HELPER,
            file: ("helper", "#!/bin/sh\n[ \"$1\" = get ] && printf 'username=a\\npassword=\\344\\n'; exit 0"),
            header: ("authorization", b"Basic YTrk"),
            ..GIVEN
        },
        // Its API is at `401.git/info/lfs`, and git calls it `401`.
        Given { name: "a helper that knows the remote's path", config: HELPER, file: BY_PATH, is_set: false, ..GIVEN },
        Given {
            name: "a helper that knows the path of the server's own address",
            config: HELPER,
            file: BY_PATH,
            remote: Some("https://h.invalid/r.git"),
            ..GIVEN
        },
    ] {
        let (code, err, seen) = hydrate(&given, "401", gate);
        assert_eq!(code, 0, "{}: {err}", given.name);
        assert!(seen[0].header("authorization").is_none(), "{}", given.name);
        assert!(has(&seen[1], given.header), "{}: {}", given.name, seen[1].head);
    }
}
