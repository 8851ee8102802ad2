//! A git that stays, against repositories of its own and against programs that only look like git.

use std::fs;
use std::path::Path;

use super::*;
use crate::files::scratch::Scratch;
use crate::process::{ChildFault, between_spawns};

/// A repository with one commit, whose git needs no settings of the user's.
fn repository() -> (Scratch, Git) {
    let scratch = Scratch::new();
    let git = Git::find(Path::new("/")).expect("tests need git").alone(scratch.path());
    let git = ["AUTHOR", "COMMITTER"].iter().fold(git.at(scratch.path()), |git, who| {
        git.with_variable(format!("GIT_{who}_NAME"), "a").with_variable(format!("GIT_{who}_EMAIL"), "a@example.org")
    });
    run(&git, &["init", "--quiet"]);
    stage(&git, "one", "1\n");
    fs::create_dir(scratch.path().join("sub")).expect("a folder");
    stage(&git, "sub/two", "22\n");
    run(&git, &["commit", "--quiet", "-m", "first"]);
    (scratch, git)
}

fn run(git: &Git, arguments: &[&str]) -> String {
    let said = git.read(arguments, b"").unwrap_or_else(|fault| panic!("{arguments:?}: {fault}"));
    String::from_utf8(said).expect("text").trim().to_owned()
}

fn stage(git: &Git, name: &str, text: &str) {
    fs::write(git.directory().join(name), text).expect("a file");
    run(git, &["add", name]);
}

fn store(git: &Git, text: &str) -> String {
    let said = git.read(&["hash-object", "-w", "--stdin"], text.as_bytes()).expect("it is stored");
    String::from_utf8(said).expect("text").trim().to_owned()
}

fn texts(git: &Git, names: &[&str], bytes_max: u64) -> Result<Vec<Option<String>>, GitFault> {
    let mut found = vec![None; names.len()];
    git.contents(names, bytes_max, &mut |at, _, bytes| {
        found[at] = Some(String::from_utf8_lossy(&bytes).into_owned());
        Ok::<_, GitFault>(())
    })?;
    Ok(found)
}

/// Which process stays.
fn staying(git: &Git) -> Option<u32> {
    match &*git.objects.0.lock().expect("no test fails with it") {
        State::Idle(talk, _) => Some(talk.id()),
        State::Absent | State::Old | State::Silent => None,
    }
}

/// The same git, played by a script. `$GIT` is the real one.
fn played(git: &Git, script: &str) -> Git {
    let program = git.directory().join(".git/played");
    // A child on its way would still have the file open, and then nothing can run it.
    between_spawns(|| fs::write(&program, format!("#!/bin/sh\n{script}"))).expect("a file");
    let made = std::process::Command::new("chmod").arg("+x").arg(&program).status().expect("it runs");
    assert!(made.success());
    let real = git.program.clone();
    Git { program, ..git.clone() }.with_variable("GIT", real)
}

/// One that is older than 2.36.
fn old(git: &Git) -> Git {
    played(git, r#"case " $* " in *" --batch-command "*) echo "$$" >>.git/asked; exit 129;; esac; exec "$GIT" "$@""#)
}

#[test]
fn lines_are_told_apart() {
    let oid = "ab".repeat(20);
    let of = |line: &str| Header::parse(line.as_bytes()).map(|header| (header.git_oid, header.kind, header.size));
    for kind in ["blob", "tree", "commit", "tag"] {
        assert_eq!(of(&format!("{oid} {kind} 12")), Some((oid.clone(), kind, 12)));
    }
    for wrong in
        ["missing", "ambiguous", "blob", "blob x", "blob -1", "blob 1 1", "submodule", "what 1", "tree 1 missing"]
    {
        assert_eq!(of(&format!("{oid} {wrong}")), None, "{wrong}");
    }
    assert_eq!(of(&format!("HEAD:x {oid} blob 1")), None);
    assert_eq!((of("HEAD:x blob 3"), of("")), (None, None));
}

#[test]
fn every_kind_is_found_and_what_is_missing_is_none() {
    let (_scratch, git) = repository();
    run(&git, &["tag", "-a", "-m", "words", "named"]);
    let head = run(&git, &["rev-parse", "HEAD"]);
    for git in [git.clone(), old(&git)] {
        let names =
            ["HEAD", "HEAD:sub", "named", "HEAD:one", ":sub/two", "HEAD:no such", "nothing", "", "a\nb", "named^{}"];
        let found = git.info(&names).expect("git answers");
        let kinds: Vec<_> = found.iter().map(|header| header.as_ref().map(|header| header.kind)).collect();
        let (blob, commit) = (Some("blob"), Some("commit"));
        let expected = [commit, Some("tree"), Some("tag"), blob, blob, None, None, None, None, commit];
        assert_eq!(kinds, expected);
        assert_eq!(found[3].as_ref().map(|header| header.size), Some(2));
        assert_eq!(git.blob_info(&names).expect("git answers").iter().flatten().count(), 2);
        assert_eq!(git.commit("named").expect("git answers"), Some(head.clone()));
        assert_eq!(git.commit("HEAD^{tree}").expect("git answers"), None);
        let read = texts(&git, &["nothing", "HEAD:one", "a\nb", ":sub/two", "named"], 1000).expect("git answers");
        assert_eq!(read[..4], [None, Some("1\n".to_owned()), None, Some("22\n".to_owned())]);
        assert!(read[4].as_ref().is_some_and(|tag| tag.starts_with(&format!("object {head}\n"))));
    }
}

#[test]
fn what_is_written_while_it_runs_is_found() {
    let (_scratch, git) = repository();
    assert!(git.info(&["HEAD"]).expect("git answers")[0].is_some());
    let first = staying(&git).expect("one stays");
    let loose = store(&git, "loose");
    assert_eq!(texts(&git, &[&loose], 10).expect("git answers"), [Some("loose".to_owned())]);
    let packed = store(&git, "packed");
    run(&git, &["update-ref", "refs/tags/keep", &packed]);
    run(&git, &["repack", "-q", "-a", "-d"]);
    assert_eq!(
        texts(&git, &[&packed, "HEAD:one"], 10).expect("git answers"),
        ["packed", "1\n"].map(|is| Some(is.into()))
    );
    run(&git, &["commit", "--quiet", "--allow-empty", "-m", "second"]);
    run(&git, &["pack-refs", "--all"]);
    assert_eq!(git.commit("HEAD").expect("git answers"), Some(run(&git, &["rev-parse", "HEAD"])));
    run(&git, &["checkout", "--quiet", "-b", "other", "HEAD~1"]);
    assert_eq!(git.commit("HEAD").expect("git answers"), Some(run(&git, &["rev-parse", "HEAD"])));
    assert_eq!(staying(&git), Some(first));
    assert_eq!(staying(&git.clone().at(git.directory())), Some(first));
    assert_eq!(staying(&git.as_it_is()), None);
}

#[test]
fn the_index_is_looked_at_anew() {
    let (_scratch, git) = repository();
    let staged = |git: &Git| texts(git, &[":new", "HEAD:new"], 10).expect("git answers")[0].clone();
    assert!(git.info(&["HEAD:one"]).expect("git answers")[0].is_some());
    let first = staying(&git);
    stage(&git, "new", "a");
    // It has looked at nothing but commits so far.
    assert_eq!((staged(&git), staying(&git) == first), (Some("a".to_owned()), true));
    stage(&git, "new", "b");
    assert_eq!((staged(&git), staying(&git) == first), (Some("b".to_owned()), false));
    run(&git, &["rm", "--quiet", "--cached", "new"]);
    assert_eq!(staged(&git), None);
}

#[test]
fn thousands_at_once_are_answered() {
    let (_scratch, git) = repository();
    let (one, two) = (run(&git, &["rev-parse", "HEAD:one"]), run(&git, &["rev-parse", "HEAD:sub/two"]));
    for git in [git.clone(), old(&git)] {
        let absent = "0123456789".repeat(4);
        let names: Vec<&str> = [one.as_str(), two.as_str(), absent.as_str()].into_iter().cycle().take(20_000).collect();
        let found = git.info(&names).expect("git answers");
        assert_eq!((found.len(), found.iter().flatten().count()), (20_000, 13_334));
        let read = texts(&git, &names, 10).expect("git answers");
        assert_eq!(read.iter().flatten().filter(|text| *text == "22\n").count(), 6_667);
        assert!(read[2].is_none() && read[19_999].as_deref() == Some("22\n"));
    }
}

#[test]
fn what_is_over_the_bound_is_left_out_and_parts_are_joined() {
    let (_scratch, git) = repository();
    let blobs: Vec<String> = (0..5).map(|at| store(&git, &at.to_string().repeat(7 << 20))).collect();
    let names: Vec<&str> = blobs.iter().map(String::as_str).chain(["HEAD:one"]).collect();
    let lengths = |bytes_max| -> Vec<usize> {
        let read = texts(&git, &names, bytes_max).expect("git answers");
        read.iter().map(|text| text.as_ref().map_or(0, String::len)).collect()
    };
    assert_eq!(lengths(7 << 20), [7 << 20, 7 << 20, 7 << 20, 7 << 20, 7 << 20, 2]);
    assert_eq!(lengths((7 << 20) - 1), [0, 0, 0, 0, 0, 2]);
    // One that is longer than was said is not taken.
    let read = git.each_object(&[(blobs[0].as_str(), 3)], &mut |_, _, _| Ok::<_, GitFault>(()));
    assert!(matches!(read, Err(GitFault::Unreadable)));
    let gone = git.each_object(&[("0123456789".repeat(4), 3)], &mut |_, _, _| Ok::<_, GitFault>(()));
    assert!(matches!(gone, Err(GitFault::Gone)));
    assert_eq!(lengths(10), [0, 0, 0, 0, 0, 2]);
}

#[test]
fn a_git_that_dies_in_the_middle_is_a_failure_and_the_next_one_answers() {
    let (_scratch, git) = repository();
    let dying =
        r#"[ -e .git/dies ] || exec "$GIT" "$@"; read line; echo "$ANSWER"; rm .git/dies; echo "oh no" >&2; exit 3"#;
    let git = played(&git, dying);
    fs::write(git.directory().join(".git/dies"), "").expect("a file");
    let git = git.with_variable("ANSWER", format!("{} blob 9", "ab".repeat(20)));
    let fault = git.info(&["HEAD", "HEAD:one"]).expect_err("it dies");
    assert!(matches!(&fault, GitFault::Refused(said) if said == "oh no"), "{fault}");
    assert!(git.info(&["HEAD"]).expect("git answers")[0].is_some());
    // Nobody needs one that was ended while it waited.
    let killed = std::process::Command::new("kill").arg(staying(&git).expect("one stays").to_string()).status();
    assert!(killed.is_ok_and(|status| status.success()));
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(texts(&git, &["HEAD:one"], 10).expect("git answers"), [Some("1\n".to_owned())]);
}

#[test]
fn one_that_does_not_listen_is_given_up() {
    let (_scratch, git) = repository();
    let deaf = played(&git, "exec sleep 60");
    let started = std::time::Instant::now();
    let mut talk = Talk::start(deaf.command_of(&STAYS), PATIENCE).expect("it starts");
    let fault = talk.ask(vec![b'\n'; 1 << 20], Duration::from_millis(200), &mut |said| said.object_header());
    assert!(matches!(fault, Err(GitFault::Child(ChildFault::TooSlow))));
    drop(talk);
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_old_git_is_found_out_once() {
    let (_scratch, git) = repository();
    let old = old(&git);
    for _ in 0..3 {
        assert_eq!(texts(&old, &["HEAD:one"], 10).expect("git answers"), [Some("1\n".to_owned())]);
    }
    let asked = fs::read_to_string(git.directory().join(".git/asked")).expect("it was asked");
    assert_eq!(asked.lines().count(), 1);
}

#[test]
fn it_ends_with_the_last_that_could_ask() {
    let (_scratch, git) = repository();
    let other = git.clone();
    assert!(git.info(&["HEAD"]).expect("git answers")[0].is_some());
    let id = staying(&git).expect("one stays").to_string();
    let is_there = || {
        let asked = std::process::Command::new("kill").args(["-0", &id]).output();
        asked.is_ok_and(|ended| ended.status.success())
    };
    drop(git);
    assert!(is_there());
    drop(other);
    assert!(!is_there());
}

#[test]
fn a_git_that_says_something_else_is_no_answer() {
    let (_scratch, git) = repository();
    let garbled = played(&git, "exec yes 'garbage that is no header'");
    assert!(matches!(garbled.info(&["HEAD"]), Err(GitFault::Unreadable)));
    let (_scratch, git) = repository();
    let dying = r#"case " $* " in *" cat-file "*) read x; echo "fatal: boom" >&2; exit 128;; esac; exec "$GIT" "$@""#;
    let dying = played(&git, dying);
    // Whether there is a commit, another command tells.
    assert_eq!(dying.commit("HEAD").expect("no fault"), git.commit("HEAD").expect("no fault"));
    assert!(matches!(dying.info(&["HEAD"]), Err(GitFault::Refused(words)) if words.contains("boom")));
}
