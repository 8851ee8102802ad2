//! Who is let in: host names, origins, logins.

use hydrant_server::ServerConfig;
use serde_json::json;

use crate::client::{LFS_JSON, World, oid};

#[test]
fn a_foreign_host_name_is_misdirected() {
    let world = World::open();
    let port = world.host().rsplit(':').next().expect("a port").to_owned();
    let batch = |host: &str| {
        world.post(
            "/objects/batch",
            &[("host", host)],
            &json!({ "operation": "upload",
        "objects": [{ "oid": oid(b"a"), "size": 1 }] }),
        )
    };
    let reply = batch(&format!("localhost:{port}"));
    let answer = reply.json();
    let href = answer["objects"][0]["actions"]["upload"]["href"].as_str().expect("an address");
    assert!(href.starts_with(&format!("http://localhost:{port}/objects/")), "{href}");
    for foreign in [&format!("rebound.example:{port}")[..], "127.0.0.1", "localhost:1"] {
        assert_eq!(batch(foreign).status, 421, "{foreign}");
    }
}

#[test]
fn only_named_origins_can_read_answers() {
    let world = World::with(|config| {
        config.open = true;
        config.origins = vec!["http://app.example:9000".to_owned()];
    });
    let oid = world.put(b"here");
    let path = format!("/objects/{oid}");
    let asked = [
        ("origin", "http://app.example:9000"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "authorization,content-type,range"),
    ];
    let preflight = world.send("OPTIONS", &path, &asked, b"");
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("http://app.example:9000"));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("GET, HEAD, POST, PUT"));
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        Some("Authorization, Content-Type, Accept, Range, If-Range")
    );
    for (path, status) in [(path.as_str(), 200), ("/objects/none", 422)] {
        let reply = world.send("GET", path, &[("origin", "http://app.example:9000")], b"");
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("access-control-allow-origin"), Some("http://app.example:9000"));
        assert_eq!(
            reply.header("access-control-expose-headers"),
            Some("ETag, Retry-After, Content-Range, Content-Length, Accept-Ranges, LFS-Authenticate")
        );
        assert_eq!(reply.header("vary"), Some("Origin"));
    }
    for method in ["GET", "OPTIONS"] {
        let foreign = [("origin", "http://other.example"), ("access-control-request-method", "GET")];
        let reply = world.send(method, &path, &foreign, b"");
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (403, None));
    }
}

#[test]
fn a_configuration_shows_no_secret() {
    let mut config = ServerConfig::new("store");
    config.token = Some("one secret".to_owned());
    config.basic = Some(("ann".to_owned(), "another secret".to_owned()));
    assert!(!format!("{config:?}").contains("secret"));
}

#[test]
fn nothing_is_read_or_written_without_a_login() {
    let world = World::with(|config| {
        config.token = Some("tok".to_owned());
        config.basic = Some(("ann".to_owned(), "pass".to_owned()));
    });
    // ann:pass, anyone:tok
    let logins = ["Basic YW5uOnBhc3M=", "Basic YW55b25lOnRvaw==", "Bearer tok"];
    let wrong = ["Basic YW5uOndyb25n", "Bearer other", "Basic !", "Bearer hydrant-action.1.2.3"];
    let path = format!("/objects/{}", oid(b"here"));
    for login in logins {
        assert_eq!(world.send("PUT", &path, &[("authorization", login)], b"here").status, 200);
        assert_eq!(world.send("GET", &path, &[("authorization", login)], b"").body, b"here");
    }
    let verify = json!({ "oid": oid(b"here"), "size": 4 });
    let batch = json!({ "operation": "download", "objects": [verify] });
    for (method, path, body) in [
        ("GET", path.as_str(), ""),
        ("HEAD", &path, ""),
        ("PUT", &path, "here"),
        ("POST", "/objects/batch", &batch.to_string()),
        ("POST", "/verify", &verify.to_string()),
        ("POST", "/verify", "{}"),
        ("GET", "/locks", ""),
    ] {
        for login in wrong.iter().copied().map(Some).chain([None]) {
            let mut headers = vec![("accept", LFS_JSON), ("content-type", LFS_JSON)];
            headers.extend(login.map(|login| ("authorization", login)));
            let reply = world.send(method, path, &headers, body.as_bytes());
            let action = login.is_some_and(|login| login.contains("action")) && (path != "/objects/batch");
            if action && path != "/locks" {
                assert_eq!(reply.status, 403, "{method} {path} {login:?}");
            } else {
                assert_eq!(reply.status, 401, "{method} {path} {login:?}");
                assert_eq!(reply.header("lfs-authenticate"), Some("Basic realm=\"hydrant\""));
                assert_eq!(reply.header("www-authenticate"), None, "a browser must not prompt");
            }
        }
    }
}

#[test]
fn a_token_of_its_own_for_every_run() {
    let (one, two) = (World::with(|_| {}), World::with(|_| {}));
    assert_eq!(one.server.token().len(), 64);
    assert_ne!(one.server.token(), two.server.token());
}
