//! Batch and verify: what is asked, what is refused, what an action allows.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{LFS_JSON, World, noise, oid};

#[test]
fn the_whole_way_of_an_object() {
    let world = World::open();
    let bytes = noise(300_000, 1);
    let object = json!({ "oid": oid(&bytes), "size": bytes.len() });
    let ask = |operation: &str| {
        let request = json!({ "operation": operation, "transfers": ["ssh", "basic"], "hash_algo": "sha256",
            "ref": { "name": "refs/heads/main" }, "objects": [object] });
        let reply = world.post("/org/repo.git/info/lfs/objects/batch", &[], &request);
        assert_eq!(reply.status, 200);
        let answer = reply.json();
        assert_eq!(answer["transfer"], "basic");
        assert_eq!(answer["hash_algo"], "sha256");
        answer["objects"][0].clone()
    };

    let missing = ask("download");
    assert_eq!(missing["error"]["code"], 404);
    assert!(missing["actions"].is_null());

    let upload = ask("upload");
    assert_eq!(upload["authenticated"], true);
    let (put, verify) = (&upload["actions"]["upload"], &upload["actions"]["verify"]);
    assert_eq!(put["expires_in"], 3600);
    assert!(put["expires_at"].as_str().is_some_and(|at| at.ends_with('Z')));
    assert_eq!(follow(&world, "POST", verify, &object.to_string().into_bytes()).0, 404, "not there yet");
    assert_eq!(follow(&world, "PUT", put, &bytes).0, 200);
    assert_eq!(follow(&world, "POST", verify, &object.to_string().into_bytes()).0, 200);
    assert_eq!(ask("upload"), object, "what the server has needs no action");

    let download = ask("download");
    let get = &download["actions"]["download"];
    assert_eq!(follow(&world, "GET", get, b""), (200, bytes.clone()));

    let stats = world.server.stats();
    assert_eq!((stats.batches, stats.gets, stats.puts, stats.verifies), (4, 1, 1, 2));
    assert_eq!((stats.bytes_in, stats.bytes_out), (300_000, 300_000));
}

#[test]
fn one_bad_object_does_not_hide_the_others() {
    let world = World::open();
    let here = world.put(b"here");
    let too_large = 6_u64 << 30;
    let request = json!({ "operation": "download", "objects": [
        { "oid": here, "size": 4 },
        { "oid": here, "size": 5 },
        { "oid": "ABC", "size": 1 },
        { "oid": oid(b"a"), "size": -1 },
        { "oid": oid(b"a"), "size": 1.5 },
        { "oid": oid(b"a") },
        { "oid": oid(b"a"), "size": too_large },
        { "oid": oid(b"a"), "size": 1 },
    ]});
    let answer = world.post("/objects/batch", &[], &request).json();
    let codes: Vec<Option<u64>> = list(&answer["objects"]).iter().map(|one| one["error"]["code"].as_u64()).collect();
    assert_eq!(codes, [None, Some(422), Some(422), Some(422), Some(422), Some(422), Some(413), Some(404)]);
    assert_eq!(answer["objects"][2]["oid"], "ABC", "an answer names what was asked");
}

#[test]
fn whole_batches_are_refused_with_the_documented_status() {
    let world = World::open();
    let objects = json!([{ "oid": oid(b"a"), "size": 1 }]);
    let many: Vec<Value> = (0..1001).map(|n| json!({ "oid": oid(&[n as u8]), "size": 1 })).collect();
    for (request, status) in [
        (json!({ "operation": "download", "objects": objects, "hash_algo": "sha512" }), 409),
        (json!({ "operation": "download", "objects": objects, "transfers": ["tus", "ssh"] }), 422),
        (json!({ "operation": "download", "objects": objects, "transfers": [] }), 200),
        (json!({ "operation": "download", "objects": objects, "transfers": null, "hash_algo": "", "ref": null }), 200),
        (json!({ "operation": "delete", "objects": objects }), 422),
        (json!({ "objects": objects }), 422),
        (json!({ "operation": "download" }), 422),
        (json!({ "operation": "download", "objects": [7] }), 422),
        (json!({ "operation": "download", "objects": [] }), 200),
        (json!({ "operation": "download", "objects": many }), 413),
        (json!([]), 422),
    ] {
        let reply = world.post("/r/objects/batch", &[], &request);
        assert_eq!(reply.status, status, "{request}");
        assert_eq!(reply.json()["message"].is_string(), status != 200);
    }
    let body = json!({ "operation": "download", "objects": [] }).to_string().into_bytes();
    let send = |headers: &[(&str, &str)], body: &[u8]| world.send("POST", "/objects/batch", headers, body).status;
    assert_eq!(send(&[("content-type", LFS_JSON), ("accept", LFS_JSON)], b"{"), 400);
    assert_eq!(send(&[("content-type", LFS_JSON), ("accept", LFS_JSON)], &vec![b' '; (1 << 20) + 1]), 413);
    assert_eq!(send(&[("content-type", LFS_JSON), ("accept", LFS_JSON)], &body), 200);
    let wrong_method = world.send("GET", "/objects/batch", &[], b"");
    assert_eq!((wrong_method.status, wrong_method.header("allow")), (405, Some("POST")));
    assert_eq!(world.send("GET", "/elsewhere", &[], b"").status, 404);
}

#[test]
fn an_action_expires_and_opens_nothing_else() {
    let world = World::with(|config| {
        config.open = true;
        config.action_life_s = Some(3);
    });
    let (bytes, other) = (b"some bytes".to_vec(), world.put(b"other"));
    let request = json!({ "operation": "upload", "objects": [{ "oid": oid(&bytes), "size": bytes.len() }] });
    let answer = world.post("/objects/batch", &[], &request).json();
    let action = &answer["objects"][0]["actions"]["upload"];
    assert_eq!(action["expires_in"], 3);
    let token = action["header"]["Authorization"].as_str().expect("a token");
    let authorization = [("authorization", token)];
    assert_eq!(world.send("GET", &format!("/objects/{other}"), &authorization, b"").status, 403);
    assert_eq!(world.send("PUT", &format!("/objects/{other}"), &authorization, b"other").status, 403);
    assert_eq!(follow(&world, "PUT", action, b"some").0, 422, "another size than was asked for");
    assert_eq!(world.stored(), 1);
    sleep(Duration::from_millis(3_100));
    assert_eq!(follow(&world, "PUT", action, &bytes).0, 403);
    assert_eq!(world.stored(), 1);
}

#[test]
fn verify_reads_nothing_of_strangers_and_little_of_callers() {
    let world = World::with(|config| config.token = Some("tok".to_owned()));
    let login = [("authorization", "Bearer tok")];
    for (bytes, known) in [(1_000, 404), (5_000, 413)] {
        let request = json!({ "oid": oid(b"a"), "size": 1, "more": "x".repeat(bytes) });
        assert_eq!(world.post("/verify", &[], &request).status, 401, "{bytes}");
        assert_eq!(world.post("/verify", &login, &request).status, known, "{bytes}");
    }
}

#[test]
fn a_body_of_many_values_is_too_large() {
    let world = World::open();
    let batch = |values: usize| json!({ "operation": "download", "objects": [], "more": vec![0; values] });
    assert_eq!(world.post("/objects/batch", &[], &batch(40_000)).status, 200);
    assert_eq!(world.post("/objects/batch", &[], &batch(60_000)).status, 413);
}

#[test]
fn verify_refuses_what_is_malformed() {
    let world = World::open();
    let oid = world.put(b"here");
    for (request, status) in [
        (json!({ "oid": oid, "size": 4 }), 200),
        (json!({ "oid": oid, "size": 5 }), 404),
        (json!({ "oid": "nothing", "size": 4 }), 422),
        (json!({ "oid": oid }), 422),
        (json!("text"), 422),
    ] {
        assert_eq!(world.post("/verify", &[], &request).status, status, "{request}");
    }
}

/// Does what an action says, with its header and nothing else.
fn follow(world: &World, method: &str, action: &Value, body: &[u8]) -> (u16, Vec<u8>) {
    let href = action["href"].as_str().expect("an address");
    let path = href.strip_prefix(&world.server.url()).expect("an address at this server");
    let token = action["header"]["Authorization"].as_str().expect("a token");
    assert!(!href.contains(token.trim_start_matches("Bearer ")) && !href.contains('?'), "no token in an address");
    let headers = [("authorization", token), ("accept", LFS_JSON), ("content-type", LFS_JSON)];
    let reply = world.send(method, path, &headers, body);
    (reply.status, reply.body)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}
