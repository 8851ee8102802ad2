//! Clients of any kind: what they forget to say is no reason to refuse them, and each repository is its own.

use serde_json::{Value, json};

use crate::client::{LFS_JSON, World, oid};

/// What clients ask for, and how they call what they send.
const ACCEPTS: [Option<&str>; 6] =
    [None, Some("*/*"), Some("application/json"), Some(LFS_JSON), Some("text/html, */*;q=0.1"), Some("image/png")];
const TYPES: [Option<&str>; 6] = [
    None,
    Some("application/json"),
    Some(LFS_JSON),
    Some("application/vnd.git-lfs+json; charset=utf-8"),
    Some("application/x-www-form-urlencoded"),
    Some("text/plain"),
];

fn path_of(world: &World, action: &Value) -> String {
    let href = action["href"].as_str().expect("an address");
    href.strip_prefix(&world.server.url()).expect("an address at this server").to_owned()
}

#[test]
fn no_route_judges_what_a_client_accepts_or_calls_its_body() {
    for (accept, content_type) in ACCEPTS.iter().flat_map(|accept| TYPES.map(|kind| (*accept, kind))) {
        let world = World::with(|config| config.token = Some("tok".to_owned()));
        let send = |method: &str, path: &str, login: &str, body: &[u8]| {
            let mut headers = vec![("authorization", login)];
            headers.extend(accept.map(|value| ("accept", value)));
            headers.extend(content_type.map(|value| ("content-type", value)));
            let reply = world.send(method, path, &headers, body);
            let is_json = reply.header("content-type") == Some(LFS_JSON);
            assert!(is_json || path.contains("/objects/") && !path.ends_with("/batch"), "{method} {path}");
            (reply.status, reply.body)
        };
        let json = |path: &str, body: Value| send("POST", path, "Bearer tok", body.to_string().as_bytes());
        let bytes = b"sent by another client";
        let object = json!({ "oid": oid(bytes), "size": bytes.len() });
        let batch = json("/team/repo/objects/batch", json!({ "operation": "upload", "objects": [object] }));
        let answer: Value = serde_json::from_slice(&batch.1).expect("JSON");
        let actions = &answer["objects"][0]["actions"];
        let follow = |name: &str, method: &str, body: &[u8]| {
            let login = actions[name]["header"]["Authorization"].as_str().expect("a login");
            send(method, &path_of(&world, &actions[name]), login, body).0
        };
        let case = format!("{accept:?} {content_type:?}");
        assert_eq!((batch.0, follow("upload", "PUT", bytes)), (200, 200), "{case}");
        assert_eq!(follow("verify", "POST", object.to_string().as_bytes()), 200, "{case}");
        assert_eq!(json("/team/repo/locks", json!({ "path": "a" })).0, 201, "{case}");
        assert_eq!(json("/team/repo/locks/verify", json!({})).0, 200, "{case}");
        assert_eq!(send("GET", "/team/repo/locks", "Bearer tok", b"").0, 200, "{case}");
        assert_eq!(json("/team/repo/locks/1/unlock", json!({})).0, 200, "{case}");
    }
}

#[test]
fn a_lock_belongs_to_the_name_that_a_client_sends() {
    // jane:tok, jane:, jane, :tok
    let jane = ["Basic amFuZTp0b2s=", "Basic amFuZTo=", "Basic amFuZQ=="];
    let nobody = [Some("Basic OnRvaw=="), Some("Bearer tok"), Some("Basic ***"), None];
    let world = World::open();
    let logins = jane.map(|login| (Some(login), "jane")).into_iter().chain(nobody.map(|login| (login, "anonymous")));
    for (number, (login, owner)) in logins.enumerate() {
        let headers: Vec<(&str, &str)> = login.map(|login| ("authorization", login)).into_iter().collect();
        let lock = world.post("/r/locks", &headers, &json!({ "path": number.to_string() })).json();
        assert_eq!(lock["lock"]["owner"]["name"], owner, "{login:?}");
    }
    let closed = World::with(|config| config.token = Some("tok".to_owned()));
    let locked = |login| closed.post("/r/locks", &[("authorization", login)], &json!({ "path": login }));
    assert_eq!(locked(jane[0]).json()["lock"]["owner"]["name"], "jane");
    assert_eq!(locked("Bearer tok").json()["lock"]["owner"]["name"], "anonymous");
    assert_eq!((locked(jane[1]).status, locked(jane[2]).status), (401, 401), "a name alone is no login");
}

#[test]
fn an_object_of_one_repository_is_not_anothers_unless_the_store_is_shared() {
    for shared in [false, true] {
        let world = World::with(|config| {
            config.open = true;
            config.shared = shared;
        });
        let bytes = b"of one repository";
        let object = json!({ "oid": oid(bytes), "size": bytes.len() });
        let asked = |repository: &str, operation: &str| {
            let request = json!({ "operation": operation, "objects": [object] });
            world.post(&format!("{repository}/objects/batch"), &[], &request).json()["objects"][0].clone()
        };
        let upload = asked("/team/one", "upload")["actions"].clone();
        let login = upload["upload"]["header"]["Authorization"].as_str().expect("a login").to_owned();
        let path = path_of(&world, &upload["upload"]);
        assert_eq!(path.contains("team/one"), !shared, "{path}");
        let elsewhere = path.replace("team/one", "team/two");
        let stolen = world.send("PUT", &elsewhere, &[("authorization", &login)], bytes);
        assert_eq!(stolen.status, if shared { 200 } else { 403 }, "an action is for one repository");
        assert_eq!(world.send("PUT", &path, &[("authorization", &login)], bytes).status, 200);
        for same in ["/team/one", "/team/one.git", "/team/one.git/info/lfs", "/team/one/info/lfs", "//team//one/"] {
            assert!(asked(same, "download")["actions"].is_object(), "{same}");
            assert!(asked(same, "upload")["actions"].is_null(), "{same}");
        }
        for other in ["", "/team", "/team/one/more", "/team/two", "/TEAM/ONE", "/one"] {
            let has = asked(other, "download")["actions"].is_object();
            assert_eq!(has, shared, "{other} {shared}");
            assert_eq!(asked(other, "upload")["actions"].is_null(), shared, "{other}");
            let get = world.send("GET", &format!("{other}/objects/{}", oid(bytes)), &[], b"");
            assert_eq!(get.status, if shared { 200 } else { 404 }, "{other}");
            let verify = world.post(&format!("{other}/verify"), &[], &object);
            assert_eq!(verify.status, if shared { 200 } else { 404 }, "{other}");
        }
    }
}

#[test]
fn a_flat_store_of_before_is_served_as_shared() {
    let bytes = b"kept by an older server";
    let world = World::with(|config| {
        config.open = true;
        let folder = config.store.join("objects").join(&oid(bytes)[..2]);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(oid(bytes)), bytes).expect("an object");
        std::fs::write(config.store.join("in-use"), b"").expect("the mark of a store");
    });
    assert!(world.server.is_shared());
    for repository in ["", "/any/repository"] {
        let object = json!({ "oid": oid(bytes), "size": bytes.len() });
        let request = json!({ "operation": "download", "objects": [object] });
        let answer = world.post(&format!("{repository}/objects/batch"), &[], &request).json();
        let path = path_of(&world, &answer["objects"][0]["actions"]["download"]);
        assert_eq!(world.send("GET", &path, &[], b"").body, bytes);
    }
}
