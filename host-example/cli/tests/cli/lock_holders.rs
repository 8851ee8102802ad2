//! `hydrant locks` where somebody else is in the way, and where the server is unusual.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::json;

use hydrant_kit::scene::{Ran, Scene, TOKEN};

fn clone(scene: &Scene) -> PathBuf {
    scene.file("clone/media/intro.mp4", b"film");
    let clone = scene.repository("clone");
    std::os::unix::fs::symlink("media", clone.join("link")).expect("a link");
    clone
}

fn locks(scene: &Scene, url: &str, arguments: &[&str]) -> Ran {
    scene.hydrant(&scene.path("clone"), &[&["locks"], arguments, &["--endpoint", url]].concat())
}

#[test]
fn a_lock_of_somebody_else_is_kept_unless_forced() {
    let scene = Scene::new();
    clone(&scene);
    let url = |name: &str| scene.bare_url().replace("http://", &format!("http://{name}:{TOKEN}@"));
    let (ann, bob) = (url("ann"), url("bob"));
    let made = locks(&scene, &ann, &["create", "media/intro.mp4", "--json"]).ends(0).json();
    let id = made["lock_list"][0]["id"].as_str().expect("an id").to_owned();
    for arguments in [&["unlock", "media/intro.mp4"][..], &["unlock", "--id", &id]] {
        let ran = locks(&scene, &bob, arguments).ends(1);
        assert!(ran.err.contains("ann") && ran.err.contains("--force"), "{}", ran.err);
        let json = locks(&scene, &bob, &[arguments, &["--json"]].concat()).ends(1).json();
        assert_eq!(
            (&json["theirs"][0]["owner"], &json["error"]["code"]),
            (&"ann".into(), &"conflict".into()),
            "{json}"
        );
    }
    let verified = locks(&scene, &bob, &["verify"]).ends(0).out;
    assert!(verified.contains("theirs") && verified.contains("ann"), "{verified}");
    let ran = locks(&scene, &bob, &["unlock", "media/intro.mp4", "--force"]).ends(0);
    assert!(ran.out.contains("ann"), "whose it was: {}", ran.out);
    locks(&scene, &ann, &["create", "media/intro.mp4"]).ends(0);
    assert!(!scene.hydrant(&scene.path("clone"), &["locks", "list", "-v", "--endpoint", &ann]).err.contains(TOKEN));
    let listed = locks(&scene, &ann, &["list", "--json"]).ends(0).json();
    locks(&scene, &ann, &["unlock", "--id", listed["lock_list"][0]["id"].as_str().expect("an id")]).ends(0);
}

#[test]
fn paths_are_files_of_the_work_tree() {
    let scene = Scene::new();
    clone(&scene);
    for path in ["media", "link/intro.mp4", ".git/config", "", ".", "..", "../clone2/x"] {
        let ran = locks(&scene, &scene.url(), &["create", path]);
        assert_eq!(ran.code, 2, "{path}: {}{}", ran.out, ran.err);
    }
    // The link itself is a file of git's; a name may look like an option.
    locks(&scene, &scene.url(), &["create", "link"]).ends(0);
    let ran =
        scene.hydrant(&scene.path("clone"), &["locks", "create", "--endpoint", &scene.url(), "--", "--odd"]).ends(0);
    assert!(ran.out.contains("--odd"), "{}", ran.out);
}

/// Answers each request with what `answer` gives for its method and path; what was asked comes out of the channel.
fn server(requests: usize, answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://127.0.0.1:{}/repo", listener.local_addr().expect("bound").port());
    let (sender, asked) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().take(requests).flatten() {
            stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
            let mut reader = BufReader::new(&stream);
            let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
            reader.read_line(&mut first).expect("a request");
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some((name, value)) = line.split_once(':')
                    && name.eq_ignore_ascii_case("content-length")
                {
                    length = value.trim().parse().expect("a number");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("the body");
            let first = first.trim_end_matches(" HTTP/1.1\r\n").to_owned();
            let (status, body) = answer(&first);
            sender.send(first).ok();
            let head = format!(
                "HTTP/1.1 {status} x\r\ncontent-type: application/vnd.git-lfs+json\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n",
                body.len()
            );
            (&stream).write_all((head + &body).as_bytes()).ok();
        }
    });
    (url, asked)
}

#[test]
fn a_server_without_locks_stops_nobody_from_looking() {
    let scene = Scene::new();
    clone(&scene);
    for (arguments, code) in
        [(&["list"][..], 0), (&["verify"], 0), (&["create", "media/intro.mp4"], 3), (&["unlock", "media/intro.mp4"], 3)]
    {
        let none = || server(4, |_| (501, json!({ "message": "not here" }).to_string())).0;
        let ran = locks(&scene, &none(), arguments).ends(code);
        assert!((ran.out + &ran.err).contains("this server has no locks"), "{arguments:?}");
        let json = locks(&scene, &none(), &[arguments, &["--json"]].concat()).ends(code).json();
        assert_eq!((&json["supported"], &json["ok"]), (&false.into(), &(code == 0).into()), "{json}");
    }
}

#[test]
fn ids_and_words_of_a_server_go_nowhere_they_should_not() {
    let scene = Scene::new();
    clone(&scene);
    let owner = json!({ "name": "e\u{1b}[2Jve" });
    let lock = json!({
        "id": "a/b ?#ü", "path": "media/intro.mp4", "locked_at": "x\u{1b}[31m", "owner": owner,
    });
    let (list, one) = (json!({ "locks": [lock] }).to_string(), json!({ "lock": lock }).to_string());
    let (url, asked) = server(8, move |asked| match asked {
        asked if asked.starts_with("GET") => (200, list.clone()),
        asked if asked.contains("verify") => (404, "{}".to_owned()),
        _ => (200, one.clone()),
    });
    let ran = locks(&scene, &url, &["list"]).ends(0);
    assert!(!ran.out.contains('\u{1b}') && ran.out.contains("intro.mp4"), "{}", ran.out);
    locks(&scene, &url, &["unlock", "media/intro.mp4"]).ends(0);
    let asked: Vec<String> = asked.try_iter().collect();
    assert_eq!(asked.last().map(String::as_str), Some("POST /repo/locks/a%2Fb%20%3F%23%C3%BC/unlock"), "{asked:?}");
}

#[test]
fn a_lock_in_the_way_is_nobodys_until_the_server_says_whose() {
    let scene = Scene::new();
    clone(&scene);
    let lock = json!({ "id": "7", "path": "media/intro.mp4", "locked_at": "x", "owner": { "name": "ann" } });
    let met = json!({ "lock": lock, "message": "already there" }).to_string();
    let (url, _asked) = server(8, move |asked| match asked {
        asked if asked.contains("verify") => (404, "{}".to_owned()),
        _ => (409, met.clone()),
    });
    let ran = locks(&scene, &url, &["create", "media/intro.mp4"]).ends(1);
    assert!(ran.out.contains("held") && ran.out.contains("ann"), "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("theirs") && !ran.out.contains("yours"), "{}", ran.out);
    let json = locks(&scene, &url, &["create", "media/intro.mp4", "--json"]).ends(1).json();
    assert_eq!((&json["held"][0]["owner"], &json["theirs"]), (&"ann".into(), &json!([])), "{json}");
}

/// Only 501 says of every call that there are no locks; a 404 may be a repository that nobody has.
#[test]
fn a_server_that_finds_nothing_is_not_one_without_locks() {
    let scene = Scene::new();
    clone(&scene);
    let unlock = &["unlock", "media/intro.mp4"][..];
    for (arguments, code) in [(&["list"][..], 3), (&["create", "media/intro.mp4"], 3), (unlock, 3), (&["verify"], 0)] {
        let (url, _asked) = server(4, |_| (404, json!({ "message": "not here" }).to_string()));
        let json = locks(&scene, &url, &[arguments, &["--json"]].concat()).ends(code).json();
        assert_eq!((&json["supported"], &json["ok"]), (&(code != 0).into(), &(code == 0).into()), "{json}");
    }
}
