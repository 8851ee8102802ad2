//! No secret is ever printed: not a login, not an action's header, not a signed address, whatever the output.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::json;

use hydrant_kit::scene::{Scene, TOKEN, pointer};

#[test]
fn logins_and_action_headers_stay_out_of_every_output() {
    let scene = Scene::new();
    let oid = scene.upload(b"a secret's neighbour");
    scene.file("list", format!("{oid} 20\n").as_bytes());
    scene.file("tree/file", pointer(b"a secret's neighbour").as_bytes());
    let tree = scene.repository("tree");
    scene.git(&tree, &["config", "lfs.url", &scene.url()]);
    let (url, bare) = (scene.url(), scene.bare_url());
    let secrets = action_secrets(&scene);
    let good = [("HYDRANT_LFS_TOKEN", TOKEN)];
    let bad = [("HYDRANT_LFS_TOKEN", "wrong-but-secret")];
    for (env, arguments) in [
        (&[][..], vec!["hydrate", "-v"]),
        (&[], vec!["hydrate", "--json"]),
        (&[], vec!["status", "-v"]),
        (&[], vec!["hydrate", "-v", "--objects", "../list", "--into", "../into", "--endpoint", &url]),
        (&good, vec!["hydrate", "-v", "--objects", "../list", "--into", "../more", "--endpoint", &bare]),
        (&bad, vec!["hydrate", "-v", "--objects", "../list", "--into", "../none", "--endpoint", &bare]),
        (&bad, vec!["hydrate", "--json", "--objects", "../list", "--into", "../none", "--endpoint", &bare]),
        (&[], vec!["batch", "download", "-v", "--objects", "../list", "--endpoint", &url]),
        (&[], vec!["batch", "download", "--json", "--objects", "../list", "--endpoint", &url]),
        (&[], vec!["batch", "upload", "--objects", "../list", "--endpoint", &url]),
        (&[], vec!["upload", "-v", "--objects", "../list", "--from", "../up", "--endpoint", &url]),
        (&[], vec!["hydrate", "--endpoint", "http://me:tok-5ecret-of-the-scene@127.0.0.1:1/", "--retries", "0"]),
        (&[], vec!["hydrate", "--endpoint", "ftp://me:tok-5ecret-of-the-scene@host/"]),
        (&[], vec!["hydrate", "--endpoint", "://tok-5ecret-of-the-scene"]),
    ] {
        let ran = scene.hydrant_with(&tree, env, &arguments);
        let said = format!("{}{}", ran.out, ran.err);
        for secret in secrets.iter().map(String::as_str).chain([TOKEN, "wrong-but-secret"]) {
            assert!(!said.contains(secret), "{arguments:?} printed a secret:\n{said}");
        }
    }
}

/// A server that puts a login into the address of an action.
#[test]
fn logins_in_addresses_of_actions_stay_out_too() {
    let scene = Scene::new();
    let oid = "a".repeat(64);
    scene.file("list", format!("{oid} 5\n").as_bytes());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/r", listener.local_addr().expect("bound"));
    let href = "https://someone:pw-5ecret@store.example.test/o?sig=q-5ecret";
    let object = json!({ "oid": oid, "size": 5, "actions": { "download": { "href": href } } });
    let body = json!({ "transfer": "basic", "objects": [object] }).to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            answer(&mut stream, &body);
        }
    });
    for more in [&["-v"][..], &["--json"]] {
        let arguments = ["batch", "download", "--objects", "list", "--retries", "0", "--endpoint", &url];
        let ran = scene.hydrant(&scene.folder, &[&arguments[..], more].concat());
        assert!(!format!("{}{}", ran.out, ran.err).contains("5ecret"), "{}{}", ran.out, ran.err);
    }
}

fn answer(stream: &mut TcpStream, body: &str) {
    let mut request = Vec::new();
    let mut block = [0; 4096];
    // The question is short and ends with its JSON.
    while !request.ends_with(b"}") {
        match stream.read(&mut block) {
            Ok(length @ 1..) => request.extend_from_slice(&block[..length]),
            _ => return,
        }
    }
    let kind = "application/vnd.git-lfs+json";
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).ok();
}

#[test]
fn secrets_are_shown_only_on_demand() {
    let scene = Scene::new();
    let oid = scene.upload(b"a secret's neighbour");
    scene.file("list", format!("{oid} 20\n").as_bytes());
    let url = scene.url();
    let hidden = scene.hydrant(&scene.folder, &["batch", "download", "--objects", "list", "--endpoint", &url]).ends(0);
    assert!(hidden.out.contains(": ***"), "{}", hidden.out);
    assert!(!action_secrets(&scene).is_empty());
}

/// The values of the headers that the server hands out for its actions. They live for the server's whole run.
fn action_secrets(scene: &Scene) -> Vec<String> {
    let url = scene.url();
    let arguments = ["batch", "download", "--objects", "list", "--endpoint", &url, "--show-secrets", "--json"];
    let json = scene.hydrant(&scene.folder, &arguments).ends(0).json();
    let headers = json["object_list"][0]["download"]["headers"].as_array().expect("headers").clone();
    let values = headers.iter().filter_map(|header| header["value"].as_str());
    values.map(|value| value.trim_start_matches("Bearer ").to_owned()).collect()
}
