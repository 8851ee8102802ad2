//! Downloads that do not get on are told, and can be begun anew.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use hydrant_host::files::digest::blob_of;

use super::{doctor, findings, kinds, tidy};

const HOUR: u64 = 3600;

#[test]
fn downloads_that_do_not_get_on_are_named_and_can_be_forgotten() {
    let world = tidy();
    let stage = world.state().join("stage");
    let oid = |number: u8| blob_of(&[number]).oid;
    let begin = |number: u8, hours: u64| {
        let name = format!(".hydrant-{}.part", oid(number));
        world.scene.file(&format!("clone/.git/hydrant/stage/{name}"), &[7; 1000]);
        let file = File::options().write(true).open(stage.join(&name)).expect("a beginning");
        let then = SystemTime::now() - Duration::from_secs(hours * HOUR);
        file.set_times(fs::FileTimes::new().set_modified(then).set_accessed(then)).expect("its times");
        file
    };
    // One that moves, and one that is old enough for a prune.
    drop((begin(1, 2), begin(2, 24 * 30)));
    assert_eq!(kinds(&findings(&world)).into_iter().collect::<Vec<_>>(), ["cache-leftovers"]);
    doctor(&world, &["--fix"]).ends(0);
    assert!(stage.join(format!(".hydrant-{}.part", oid(1))).exists(), "somebody may go on with it");
    // Somebody holds this one: it does not get on either, but nobody takes it away.
    let held = begin(3, 30);
    held.lock().expect("a lock");
    assert_eq!(kinds(&findings(&world)).into_iter().collect::<Vec<_>>(), ["stalled-download"]);
    for number in 4..9 {
        begin(number, 24 + u64::from(number));
    }
    let found = findings(&world);
    assert_eq!(kinds(&found).into_iter().collect::<Vec<_>>(), ["stalled-download"]);
    let detail = found[0]["detail"].as_str().expect("words");
    assert!(detail.contains("6 downloads stopped") && detail.contains(&oid(8)) && detail.contains("hydrant hydrate"));
    assert_eq!(found[0]["run"], "hydrant hydrate");
    doctor(&world, &["--fix"]).ends(0);
    let left = fs::read_dir(&stage).expect("stages").count();
    assert_eq!((left, findings(&world).len()), (2, 1));
    drop(held);
    assert_eq!(kinds(&findings(&world)).into_iter().collect::<Vec<_>>(), ["stalled-download"]);
}
