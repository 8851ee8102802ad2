//! Databases of SQLite: each kind of table, and what was deleted.

use std::fs;
use std::process::Stdio;

use hydrant_kit::scene::Scene;

use super::{python, redact, sh, token};

const BEGIN: &str = "
import sqlite3, os, gzip, io, zipfile
token = os.environ['TOKEN']
c = sqlite3.connect('log.db')
";

#[test]
fn every_text_of_a_database_is_looked_through() {
    let scene = Scene::new();
    for (number, (script, expected)) in [
        ("c.execute('create table t(a, b)'); c.execute('insert into t values (1, ?)', ('is ' + token,))", "t.b:1"),
        (
            "c.execute('create table t(a, b)'); \
          c.executemany('insert into t values (?, ?)', [('x', 1), ('y', token)])",
            "t.b:1",
        ),
        (
            "c.execute('create table t(a)'); \
          c.executemany('insert into t values (?)', [('x',), ('y\\nz',), (token,)])",
            "t.a:4",
        ),
        (
            "c.execute('create table t(k text primary key, v) without rowid'); \
          c.execute('insert into t values (?, 1)', (token,))",
            "t.k:1",
        ),
        ("c.execute('create table t(a)'); c.execute('insert into t values (?)', (token.encode(),))", "t.a:1"),
        (
            "c.execute('create table t(a)'); \
          c.execute('insert into t values (?)', (token + 'x' * 0 + ' ' + 'word ' * 100000,))",
            "t.a:1",
        ),
        (
            "c.execute('pragma encoding = \"UTF-16\"'); c.execute('create table t(a)'); \
          c.execute('insert into t values (?)', (token,))",
            "t.a:1",
        ),
        (
            "c.execute('create virtual table f using fts5(body)'); \
          c.execute('insert into f values (?)', (token,))",
            "f_content.c0:1",
        ),
        (
            "c.execute('create table \"a b\"\"c\" (\"d.\"\"e\")'); \
          c.execute('insert into \"a b\"\"c\" values (?)', (token,))",
            "a b\"c.d.\"e:1",
        ),
        (
            "c.execute('create table \"\u{1b}[31m\" (a)'); \
          c.execute('insert into \"\u{1b}[31m\" values (?)', (token,))",
            "\u{fffd}[31m.a:1",
        ),
        (
            "c.execute('create table t(a, b generated always as (a) stored)'); \
          c.execute('insert into t values (?)', (token,))",
            "t.a:1",
        ),
        ("c.execute(\"create table t(a default '\" + token + \"')\")", "sqlite_schema.sql:1"),
        (
            "c.execute('create table t(a)'); \
          c.execute('insert into t values (?)', (gzip.compress(token.encode()),))",
            "t.a[1]!unpacked:1",
        ),
        (
            "c.execute('pragma journal_mode = wal'); c.execute('create table t(a)'); \
          c.execute('insert into t values (?)', (token,))",
            "t.a:1",
        ),
        (
            "c.execute('pragma auto_vacuum = full'); c.execute('create table t(a)'); \
          c.execute('insert into t values (?)', (token,))",
            "t.a:1",
        ),
        (
            "c.execute('create table t(a)'); c.execute('create view v as select a from t'); \
          c.execute('insert into t values (?)', (token,))",
            "t.a:1",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = scene.path(&format!("d{number}"));
        fs::create_dir_all(&folder).expect("a folder");
        python(&scene, &folder, &format!("{BEGIN}{script}; c.commit(); c.close()"));
        let ran = redact(&scene, &folder, "log.db").ends(1);
        let first = ran.out.lines().next().unwrap_or_default();
        // A name with quotes is printed in quotes.
        let plain = first.replace("\\\"", "\"").replace("\":1: [", ":1: [");
        assert!(plain.contains(&format!("log.db!{expected}: [REDACTED:github-token#1]")), "{script}: {}", ran.out);
        // What its tables hold is not told again of its pages.
        assert!(!ran.out.contains("page "), "{script}: {}", ran.out);
        // The same with nothing to find.
        let clean = script.replace("token", "'x'");
        fs::remove_file(folder.join("log.db")).expect("it is there");
        python(&scene, &folder, &format!("{BEGIN}{clean}; c.commit(); c.close()"));
        let ran = redact(&scene, &folder, "log.db").ends(0);
        assert!(ran.err.contains("no secret found in 1 file"), "{clean}: {}", ran.err);
    }
}

/// SQLite only marks what it deletes.
#[test]
fn what_was_deleted_and_still_stands_is_found() {
    let scene = Scene::new();
    for (deletion, found) in [
        ("c.execute('delete from t where a = 5')", true),
        ("c.execute('delete from t')", true),
        ("c.execute('drop table t')", true),
        ("c.execute('delete from t where a = 5'); c.commit(); c.execute('vacuum')", false),
    ] {
        let folder = scene.path(if found { "d" } else { "vacuumed" });
        fs::create_dir_all(&folder).expect("a folder");
        fs::remove_file(folder.join("log.db")).ok();
        let script = format!(
            "{BEGIN}
c.execute('pragma secure_delete = off')
c.execute('create table t(a, b)')
c.executemany('insert into t values (?, ?)', [(n, token if n == 5 else 'word ' * 50) for n in range(100)])
c.commit()
{deletion}
c.commit(); c.close()"
        );
        python(&scene, &folder, &script);
        let ran = redact(&scene, &folder, "log.db").ends(i32::from(found));
        assert_eq!(ran.out.starts_with("log.db!page "), found, "{deletion}: {}", ran.out);
    }
}

#[test]
fn a_database_in_use_is_refused_and_a_snapshot_is_not() {
    let scene = Scene::new();
    let folder = scene.path("d");
    fs::create_dir_all(&folder).expect("a folder");
    for mode in ["wal", "delete"] {
        // It writes, says so, and holds the database open until it is told to go.
        let script = format!(
            "{BEGIN}
import sys
c.execute('pragma journal_mode = {mode}')
c.execute('create table t(a)')
c.commit()
c.execute('begin immediate')
c.execute('insert into t values (?)', (token,))
if '{mode}' == 'wal': c.commit()
else:
    c.execute('pragma cache_size = 1')
    c.executemany('insert into t values (?)', [('x' * 4000,)] * 100)
print('ready', flush=True)
sys.stdin.read()"
        );
        let mut command = scene.program("python3", &folder);
        command.args(["-c", &script]).env("TOKEN", token()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3");
        let mut said = String::new();
        let mut lines = std::io::BufReader::new(child.stdout.take().expect("its words"));
        std::io::BufRead::read_line(&mut lines, &mut said).expect("it speaks");
        assert_eq!(said, "ready\n");
        let ran = redact(&scene, &folder, "log.db").ends(1);
        assert!(ran.err.contains("log.db: not looked through: the database is in use"), "{mode}: {}", ran.err);
        assert!(ran.err.contains("VACUUM INTO"), "{mode}: {}", ran.err);
        if mode == "wal" {
            // A link leads to the same one.
            std::os::unix::fs::symlink(folder.join("log.db"), scene.path("link")).expect("a link");
            let ran = redact(&scene, &scene.folder, "link").ends(1);
            assert!(ran.err.contains("the database is in use"), "{}", ran.err);
            python(&scene, &folder, &format!("{BEGIN}c.execute(\"vacuum into 'copy.db'\")"));
            let ran = redact(&scene, &folder, "copy.db").ends(1);
            assert_eq!(ran.out, "copy.db!t.a:1: [REDACTED:github-token#1]\n");
        }
        drop(child.stdin.take());
        child.wait().expect("it ends");
        fs::remove_dir_all(&folder).expect("it is ours");
        fs::create_dir_all(&folder).expect("a folder");
    }
}

#[test]
fn a_database_in_an_archive_is_looked_through_and_a_broken_one_is_refused() {
    let scene = Scene::new();
    let script = format!(
        "{BEGIN}c.execute('create table t(a)'); c.executemany('insert into t values (?)', [(token,)] * 500); c.commit()"
    );
    python(&scene, &scene.folder, &script);
    sh(&scene, &scene.folder, "zip -q a.zip log.db; tar -czf a.tar.gz a.zip");
    for (file, place) in [("a.zip", "log.db!t.a:1"), ("a.tar.gz", "a.zip!log.db!t.a:1")] {
        let ran = redact(&scene, &scene.folder, file).ends(1);
        assert!(ran.out.starts_with(&format!("{file}!{place}: ")), "{}", ran.out);
    }
    let whole = fs::read(scene.path("log.db")).expect("it is there");
    for (what, bytes) in [
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("only its mark", whole[..100].to_vec()),
        ("a broken page", [&whole[..4096], &vec![0xff; 4096], &whole[8192..]].concat()),
        ("a broken schema", [&whole[..100], &[0xff; 500], &whole[600..]].concat()),
    ] {
        scene.file("broken.db", &bytes);
        let ran = redact(&scene, &scene.folder, "broken.db").ends(1);
        assert!(ran.err.contains("broken.db: not looked through: "), "{what}: {}{}", ran.out, ran.err);
    }
}

/// The copy that SQLite reads is nobody else's, and nothing of it stays.
#[test]
fn nothing_of_a_database_stays_among_the_temporary_files() {
    let scene = Scene::new();
    python(
        &scene,
        &scene.folder,
        &format!("{BEGIN}c.execute('create table t(a)'); c.execute('insert into t values (?)', (token,)); c.commit()"),
    );
    let temporary = scene.path("temporary");
    fs::create_dir_all(&temporary).expect("a folder");
    let folder = temporary.to_str().expect("a path").to_owned();
    scene.hydrant_with(&scene.folder, &[("TMPDIR", &folder)], &["redact", "--check", "log.db"]).ends(1);
    assert_eq!(fs::read_dir(&temporary).expect("it is there").count(), 0);
    // Where there is no place for it, that is told.
    scene.hydrant_with(&scene.folder, &[("TMPDIR", "/proc/nowhere")], &["redact", "log.db"]).ends(1);
}
