//! No secret is ever printed: not a login, not an action's header, not a signed address, whatever the output.

use crate::scene::{Scene, TOKEN, pointer};

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
    let headers = json["objects"][0]["download"]["headers"].as_array().expect("headers").clone();
    let values = headers.iter().filter_map(|header| header["value"].as_str());
    values.map(|value| value.trim_start_matches("Bearer ").to_owned()).collect()
}
