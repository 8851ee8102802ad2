//! Locks: what their answers mean, and who holds a path that is taken.

use crate::native;
use crate::play::{Answer, ENDPOINT, Play, json_type, status};
use hydrant_lfs::contract::Config;
use hydrant_lfs::operations::{LockReport, LockTask};
use serde_json::{Value, json};

fn answer(status: u16, body: &Value) -> Answer {
    Answer::Whole(status, vec![json_type()], body.to_string().into_bytes())
}

/// Plays a task, and gives its report with the number of requests.
fn played(task: LockTask, script: impl IntoIterator<Item = Answer>) -> (LockReport, usize) {
    let mut play = Play::new(native::locks(Config::new(ENDPOINT, 0), task));
    play.settle();
    for answer in script {
        play.answer(answer);
        play.settle();
    }
    let asked = play.lines.iter().filter(|line| line.contains(" POST ") || line.contains(" GET ")).count();
    (play.operation.lock_report().expect("the task is done"), asked)
}

fn take() -> LockTask {
    LockTask::Create("a b.psd".to_owned())
}

/// The lock of somebody else.
fn theirs(path: &str) -> Value {
    json!({"id": "7", "path": path, "locked_at": "2026-01-01T00:00:00Z", "owner": {"name": "Jane"}})
}

#[test]
fn whoever_holds_a_path_is_told_whatever_the_refusal_says() {
    let held = json!({"locks": [theirs("a b.psd.bak"), theirs("a b.psd")]});
    let refusals = [
        (409, json!({"message": "already created lock"})),
        (409, json!({})),
        (409, json!({"lock": null, "message": "already created lock"})),
        (409, json!({"lock": {"path": "a b.psd"}})),
        (200, json!({"lock": null, "message": "lock already created"})),
    ];
    for (status_code, body) in refusals {
        let refusal = answer(status_code, &body);
        let (report, asked) = played(take(), [refusal.clone(), answer(200, &held)]);
        let owners: Vec<_> = report.theirs.iter().filter_map(|lock| lock.owner.as_deref()).collect();
        assert_eq!((owners, asked), (vec!["Jane"], 2), "{refusal:?}");
        let error = report.ended.expect_err("the path is taken");
        assert_eq!(error.code.name(), "conflict", "{refusal:?}: {error}");
        // Nothing is made up where the list does not say it.
        for silent in [answer(200, &json!({"locks": []})), answer(200, &json!({})), status(403), status(404)] {
            let (report, _) = played(take(), [refusal.clone(), silent]);
            assert!(report.theirs.is_empty() && report.locks.is_empty(), "{refusal:?}");
            let code = report.ended.expect_err("the path is taken").code.name();
            assert_eq!(code, if status_code == 409 { "conflict" } else { "rejected" });
        }
    }
    // Where the refusal names the lock, nobody is asked.
    for status_code in [409, 200] {
        let (report, asked) =
            played(take(), [answer(status_code, &json!({"lock": theirs("a b.psd"), "message": "taken"}))]);
        assert_eq!((report.locks.len(), report.theirs.len(), asked), (0, 1, 1));
        assert_eq!(report.ended.expect_err("the path is taken").code.name(), "conflict");
    }
}

#[test]
fn a_refusal_with_status_200_is_told_in_its_words() {
    let unlock = || LockTask::Unlock { id: "7".to_owned(), force: false };
    for (task, body) in [
        (unlock(), json!({"message": "lock belongs to Jane"})),
        (unlock(), json!({"message": "lock belongs to Jane", "lock": theirs("a b.psd")})),
        (LockTask::ListAll(None), json!({"message": "lock belongs to Jane"})),
        (LockTask::Verify, json!({"message": "lock belongs to Jane", "theirs": null})),
    ] {
        let (report, asked) = played(task, [answer(200, &body)]);
        let error = report.ended.expect_err("refused");
        assert!(error.detail.ends_with("the server answered 200: lock belongs to Jane"), "{body}: {error}");
        assert_eq!((error.code.name(), asked), ("rejected", 1), "{body}");
    }
    let (report, _) = played(take(), [answer(200, &json!({"unknown": 1}))]);
    assert_eq!(report.ended.expect_err("no lock").code.name(), "malformed");
    let (report, _) = played(LockTask::ListAll(None), [answer(200, &json!({"message": "", "locks": []}))]);
    assert!(report.ended.is_ok());
}

/// A lock that is left out is taken for none: whoever has it cannot be asked.
#[test]
fn no_lock_of_a_list_is_left_out() {
    let lock = |id: Value, path: &str| json!({"id": id, "path": path});
    for (id, path, told) in [
        (json!("7"), "a b.psd", Some(("7", "a b.psd"))),
        (json!(7), "a.psd", Some(("7", "a.psd"))),
        (json!("7"), "a\u{1b}[2J\nb", Some(("7", "a\u{1b}[2J\nb"))),
        (json!(""), "a.psd", None),
        (json!(null), "a.psd", None),
        (json!([7]), "a.psd", None),
        (json!("7\n"), "a.psd", None),
        (json!("7".repeat(10_000)), "a.psd", None),
    ] {
        for (task, key) in
            [(LockTask::ListAll(None), "locks"), (LockTask::Verify, "ours"), (LockTask::Verify, "theirs")]
        {
            let (report, _) = played(task, [answer(200, &json!({key: [theirs("x"), lock(id.clone(), path)]}))]);
            let listed = [report.locks, report.theirs].concat();
            match told {
                Some(told) => assert!(listed[1].id == told.0 && listed[1].path == told.1, "{id} {path:?}"),
                None => assert_eq!(report.ended.expect_err("unusable").code.name(), "malformed", "{id}"),
            }
        }
    }
}
