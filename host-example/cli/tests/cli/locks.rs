//! `hydrant locks` beside the real git-lfs: the same server, the same locks.

use serde_json::Value;

use hydrant_kit::scene::{Scene, TOKEN};

/// A clone of nothing much, whose server knows its user as `me`.
fn clone(scene: &Scene) -> std::path::PathBuf {
    scene.file("clone/media/intro.mp4", b"film");
    let clone = scene.repository("clone");
    scene.git(&clone, &["config", "lfs.url", &scene.url()]);
    clone
}

#[test]
fn a_lock_is_made_shown_met_and_given_up() {
    let scene = Scene::new();
    let clone = clone(&scene);
    assert_eq!(scene.hydrant(&clone, &["locks", "list", "--json"]).ends(0).json()["lock_list"], Value::Array(vec![]));
    // A path is taken from where the user stands, and needs no file.
    let made =
        scene.hydrant(&clone.join("media"), &["locks", "create", "../media/./film 1.mp4", "--json"]).ends(0).json();
    assert_eq!(made["lock_list"][0]["path"], "media/film 1.mp4");
    assert_eq!(made["lock_list"][0]["owner"], "me");
    let listed = scene.hydrant(&clone, &["locks", "list"]).ends(0).out;
    assert!(listed.contains("media/film 1.mp4") && listed.contains("me"), "{listed}");
    let met = scene.hydrant(&clone, &["locks", "create", "media/film 1.mp4", "--json"]).ends(1).json();
    // It is one's own, so it is in the way and nobody else's.
    assert_eq!((&met["error"]["code"], &met["held"][0]["owner"]), (&"conflict".into(), &"me".into()), "{met}");
    assert_eq!(met["theirs"], Value::Array(vec![]), "{met}");
    assert_eq!((&met["lock_list"], &met["held"]), (&made["lock_list"], &made["lock_list"]), "as the table says: {met}");
    let met = scene.hydrant(&clone, &["locks", "create", "media/film 1.mp4"]).ends(1);
    assert!(met.out.contains("yours") && !met.out.contains("theirs"), "{}{}", met.out, met.err);
    let verified = scene.hydrant(&clone, &["locks", "verify", "--json"]).ends(0).json();
    assert_eq!(
        (verified["lock_list"].as_array().map(Vec::len), verified["theirs"].as_array().map(Vec::len)),
        (Some(1), Some(0))
    );
    scene.hydrant(&clone, &["locks", "unlock", "media/film 1.mp4"]).ends(0);
    let gone = scene.hydrant(&clone, &["locks", "unlock", "media/film 1.mp4", "--json"]).ends(3).json();
    assert_eq!(gone["error"]["code"], "not-found");
    // As every other end of this command.
    assert_eq!((&gone["schema_version"], &gone["supported"]), (&1.into(), &true.into()), "{gone}");
    let known = scene.hydrant(&clone, &["locks", "unlock", "--id", "zzz", "--json"]).ends(3).json();
    assert_eq!((&known["error"]["code"], &known["held"]), (&"not-found".into(), &gone["held"]), "{known}");
    let said = scene.hydrant(&clone, &["locks", "unlock", "media/film 1.mp4"]).ends(3).err;
    assert!(said.contains("media/film 1.mp4 is not locked"), "{said}");
    for outside in ["../elsewhere", "/etc/passwd", "."] {
        scene.hydrant(&clone, &["locks", "create", outside]).ends(2);
    }
}

#[test]
fn the_real_client_sees_our_locks_and_we_see_its() {
    let scene = Scene::new();
    let clone = clone(&scene);
    if !scene.has_git_lfs() {
        return;
    }
    let ours = |arguments: &[&str]| scene.hydrant(&clone, &[&["locks"], arguments].concat());
    ours(&["create", "media/intro.mp4"]).ends(0);
    let seen: Value = serde_json::from_str(&scene.git(&clone, &["lfs", "locks", "--json"])).expect("JSON");
    assert_eq!((&seen[0]["path"], &seen[0]["owner"]["name"]), (&"media/intro.mp4".into(), &"me".into()), "{seen}");
    scene.git(&clone, &["lfs", "unlock", "media/intro.mp4"]);
    scene.git(&clone, &["lfs", "lock", "media/intro.mp4"]);
    let listed = ours(&["list", "--json"]).ends(0).json();
    let id = listed["lock_list"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(listed["lock_list"][0]["path"], "media/intro.mp4");
    ours(&["unlock", "--id", &id]).ends(0);
    assert_eq!(scene.git(&clone, &["lfs", "locks", "--json"]).trim(), "[]");
}

#[test]
fn what_somebody_else_holds_needs_force_and_names_its_holder() {
    let scene = Scene::new();
    let clone = clone(&scene);
    let as_user = |name: &str, arguments: &[&str]| {
        let url = scene.bare_url().replace("http://", &format!("http://{name}:{TOKEN}@"));
        scene.hydrant(&clone, &[&["locks"], arguments, &["--endpoint", &url]].concat())
    };
    let made = as_user("ann", &["create", "media/intro.mp4", "--json"]).ends(0).json();
    let holder = made["lock_list"][0]["owner"].as_str().unwrap_or_default().to_owned();
    let met = as_user("bob", &["create", "media/intro.mp4"]).ends(1);
    assert!(met.out.contains(&holder) && met.out.contains("theirs"), "{}{}", met.out, met.err);
    let met = as_user("bob", &["create", "media/intro.mp4", "--json"]).ends(1).json();
    assert_eq!((&met["held"], &met["theirs"]), (&made["lock_list"], &made["lock_list"]), "{met}");
    as_user("bob", &["unlock", "media/intro.mp4", "--force"]).ends(0);
    assert_eq!(as_user("ann", &["list", "--json"]).ends(0).json()["lock_list"], Value::Array(vec![]));
}
