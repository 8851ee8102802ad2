//! The locks API between two people.

use serde_json::{Value, json};

use crate::client::{LFS_JSON, Reply, World};

/// `ann:tok` and `bob:tok` as Basic logins.
const ANN: &str = "Basic YW5uOnRvaw==";
const BOB: &str = "Basic Ym9iOnRvaw==";

fn world() -> World {
    World::with(|config| config.token = Some("tok".to_owned()))
}

fn post(world: &World, who: &str, path: &str, body: Value) -> Reply {
    world.post(path, &[("authorization", who)], &body)
}

fn get(world: &World, path: &str) -> Value {
    let reply = world.send("GET", path, &[("authorization", ANN), ("accept", LFS_JSON)], b"");
    assert_eq!(reply.status, 200, "{path}");
    reply.json()
}

#[test]
fn a_lock_from_creation_to_removal() {
    let world = world();
    assert_eq!(get(&world, "/r/locks"), json!({ "locks": [] }));
    let empty = post(&world, ANN, "/r/locks/verify", json!({})).json();
    assert_eq!(empty, json!({ "ours": [], "theirs": [] }));

    let request = json!({ "path": "a/b.bin", "ref": { "name": "refs/heads/main" } });
    let made = post(&world, ANN, "/r.git/info/lfs/locks", request.clone());
    assert_eq!(made.status, 201);
    let lock = made.json()["lock"].clone();
    assert_eq!((&lock["path"], &lock["owner"]["name"]), (&json!("a/b.bin"), &json!("ann")));
    assert!(lock["id"].is_string() && lock["locked_at"].is_string());

    let held = post(&world, BOB, "/r/locks", request);
    assert_eq!((held.status, &held.json()["lock"]), (409, &lock));
    assert!(held.json()["message"].is_string());
    assert_eq!(post(&world, BOB, "/other/locks", json!({ "path": "a/b.bin" })).status, 201, "another repository");

    let mine = post(&world, ANN, "/r/locks/verify", json!({ "ref": { "name": "refs/heads/main" } })).json();
    assert_eq!(mine, json!({ "ours": [lock], "theirs": [] }));
    let theirs = post(&world, BOB, "/r/locks/verify", json!({})).json();
    assert_eq!(theirs, json!({ "ours": [], "theirs": [lock] }));

    let unlock = format!("/r/locks/{}/unlock", lock["id"].as_str().expect("an id"));
    assert_eq!(post(&world, BOB, &unlock, json!({})).status, 403);
    assert_eq!(post(&world, BOB, &unlock, json!({ "force": false })).status, 403);
    assert_eq!(post(&world, BOB, &unlock, json!({ "force": "yes" })).status, 422);
    assert_eq!(post(&world, BOB, &unlock, json!({ "force": true })).json()["lock"], lock);
    assert_eq!(post(&world, ANN, &unlock, json!({})).status, 404);
    assert_eq!(post(&world, ANN, "/r/locks/none/unlock", json!({})).status, 404);
    assert_eq!(get(&world, "/r/locks"), json!({ "locks": [] }));
}

#[test]
fn lists_are_filtered_and_paged() {
    let world = world();
    for n in 0..5 {
        let request = json!({ "path": format!("{n}.bin"), "ref": { "name": format!("refs/heads/{}", n % 2) } });
        assert_eq!(post(&world, ANN, "/r/locks", request).status, 201);
    }
    assert_eq!(post(&world, BOB, "/r/locks", json!({ "path": "free.bin" })).status, 201);
    let paths = |query: &str| {
        let answer = get(&world, &format!("/r/locks?{query}"));
        let locks = answer["locks"].as_array().expect("a list").iter();
        locks.map(|lock| lock["path"].as_str().expect("a path").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(paths("path=3.bin"), ["3.bin"]);
    assert_eq!(paths("path=none"), [""; 0]);
    assert_eq!(paths("id=2"), ["1.bin"]);
    assert_eq!(paths("refspec=refs%2Fheads%2F1"), ["1.bin", "3.bin", "free.bin"]);
    assert_eq!(paths("path=&id=&cursor=&limit=&refspec=").len(), 6);

    let mut cursor = String::new();
    let mut seen = Vec::new();
    loop {
        let page = get(&world, &format!("/r/locks?limit=4&cursor={cursor}"));
        seen.extend(page["locks"].as_array().expect("a list").iter().map(|lock| lock["path"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 6);

    let first = post(&world, BOB, "/r/locks/verify", json!({ "limit": 5 })).json();
    assert_eq!(first["theirs"].as_array().map(Vec::len), Some(5));
    let rest = post(&world, BOB, "/r/locks/verify", json!({ "cursor": first["next_cursor"] })).json();
    assert_eq!(
        (rest["ours"][0]["path"].as_str(), rest["theirs"].as_array().map(Vec::len)),
        (Some("free.bin"), Some(0))
    );
    assert!(rest["next_cursor"].is_null());

    let status = |query: &str| {
        world.send("GET", &format!("/r/locks?{query}"), &[("authorization", ANN), ("accept", LFS_JSON)], b"").status
    };
    assert_eq!((status("limit=x"), status("cursor=x"), status("limit=-1")), (422, 422, 422));
}

#[test]
fn bad_requests_make_no_lock() {
    let world = world();
    for request in [json!({}), json!({ "path": "" }), json!({ "path": 7 }), json!({ "path": "x".repeat(5000) })] {
        assert_eq!(post(&world, ANN, "/r/locks", request).status, 422);
    }
    assert_eq!(world.post("/r/locks", &[], &json!({ "path": "a" })).status, 401);
    assert_eq!(get(&world, "/r/locks"), json!({ "locks": [] }));
}
