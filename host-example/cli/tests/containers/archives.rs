//! Each format, as its own program writes it: with a secret in a member, deep in it, and nowhere.

use std::fs;

use hydrant_kit::scene::Scene;

use super::{python, redact, sh, text};

/// A file, the script that makes it of the folder `in`, and what stands before a member's name in reports.
struct Row(&'static str, &'static str, &'static str);

const WITH_ZIPFILE: &str = r#"
import os, sys, zipfile, io
def add(z, **more):
    for folder, _, files in sorted(os.walk("in")):
        for name in sorted(files):
            path = os.path.join(folder, name)
            z.write(path, os.path.relpath(path, "in"), **more)
"#;

/// Scripts of Python begin so.
const ROWS: [Row; 31] = [
    Row("zip.zip", "cd in; zip -qr ../zip.zip .", ""),
    Row("stored.zip", "cd in; zip -qr0 ../stored.zip .", ""),
    // Its sizes follow the contents.
    Row("stream.zip", "cd in; zip -qr - . | cat > ../stream.zip", ""),
    Row("fifo.zip", "cd in; zip -qr -fd ../fifo.zip .", ""),
    Row("zip64.zip", "cd in; zip -qr -fz ../zip64.zip .", ""),
    Row("updated.zip", "cd in; zip -qr ../updated.zip plain.txt; zip -qr ../updated.zip .", ""),
    Row("comment.zip", "cd in; echo hello | zip -qrz ../comment.zip .", ""),
    Row("no name says it", "cd in; zip -qr - . > '../no name says it'", ""),
    Row("python.zip", "python:with zipfile.ZipFile('python.zip', 'w', zipfile.ZIP_DEFLATED) as z: add(z)", ""),
    Row("bzip2.zip", "python:with zipfile.ZipFile('bzip2.zip', 'w', zipfile.ZIP_BZIP2) as z: add(z)", ""),
    Row(
        "unseekable.zip",
        "python:
class Pipe(io.RawIOBase):
    def __init__(self, to): self.to = to
    def writable(self): return True
    def write(self, bytes): return self.to.write(bytes)
with open('unseekable.zip', 'wb') as to, zipfile.ZipFile(Pipe(to), 'w', zipfile.ZIP_DEFLATED) as z: add(z)",
        "",
    ),
    Row(
        "appended.zip",
        "python:
with zipfile.ZipFile('appended.zip', 'w') as z: z.writestr('first', 'x')
with zipfile.ZipFile('appended.zip', 'a') as z: add(z)",
        "",
    ),
    Row(
        "app.pyz",
        "python:
import zipapp
open('in/__main__.py', 'w').write('print(1)')
zipapp.create_archive('in', 'app.pyz', interpreter='/usr/bin/python3', compressed=True)",
        "",
    ),
    Row("behind.run", "cd in; zip -qr ../inner.zip .; { echo '#!/bin/sh'; cat ../inner.zip; } > ../behind.run", ""),
    Row("gnu.tar", "tar -C in --format=gnu -cf gnu.tar .", "./"),
    Row("posix.tar", "tar -C in --format=posix -cf posix.tar .", "./"),
    Row("ustar.tar", "tar -C in --format=ustar -cf ustar.tar .", "./"),
    Row("v7.tar", "tar -C in --format=v7 -cf v7.tar .", "./"),
    Row("sparse.tar", "truncate -s 1M in/hole; tar -C in --format=gnu -Scf sparse.tar .", "./"),
    Row("sparse-posix.tar", "truncate -s 1M in/hole; tar -C in --format=posix -Scf sparse-posix.tar .", "./"),
    Row(
        "python.tar",
        "python:
import tarfile
with tarfile.open('python.tar', 'w') as t: t.add('in', arcname='')",
        "",
    ),
    Row("tar.tar.gz", "tar -C in -czf tar.tar.gz .", "./"),
    Row("tar.tar.zst", "tar -C in -cf - . | zstd -qc > tar.tar.zst", "./"),
    Row("long.tar.zst", "tar -C in -cf - . | zstd -qc --ultra -22 > long.tar.zst", "./"),
    Row(
        "tar.tar.bz2",
        "python:
import tarfile
with tarfile.open('tar.tar.bz2', 'w:bz2') as t: t.add('in', arcname='.')",
        "./",
    ),
    Row(
        "tar.tar.xz",
        "python:
import tarfile
with tarfile.open('tar.tar.xz', 'w:xz') as t: t.add('in', arcname='.')",
        "./",
    ),
    Row("zip-in.tar.gz", "(cd in; zip -qr ../i.zip .); mv i.zip it; tar -czf zip-in.tar.gz it", "it!"),
    Row("tar-in.zip", "tar -C in -czf it .; zip -q tar-in.zip it", "it!./"),
    Row("zips.zip", "(cd in; zip -qr ../b.zip .); zip -q a.zip b.zip; zip -q zips.zip a.zip", "a.zip!b.zip!"),
    Row("tars.tar", "tar -C in -cf b.tar .; tar -cf a.tar b.tar; tar -cf tars.tar a.tar", "a.tar!b.tar!./"),
    Row("gz-in.tar", "tar -C in -cf - . | gzip | gzip > b.gz; tar -cf gz-in.tar b.gz", "b.gz!./"),
];

/// Where the secret is: none; a member; deep below, behind a name that needs headers of its own.
fn places() -> [Option<String>; 3] {
    [None, Some("secret.txt".to_owned()), Some(format!("{}/deep/secret.txt", ["folder"; 30].join("/")))]
}

#[test]
fn every_format_is_looked_into() {
    let scene = Scene::new();
    for Row(file, script, before) in ROWS {
        for (number, place) in places().into_iter().enumerate() {
            // These cannot have the long name.
            if number == 2 && file.starts_with("v7") {
                continue;
            }
            let folder = format!("{file}-{number}");
            let at = scene.path(&folder);
            scene.file(&format!("{folder}/in/plain.txt"), b"plain\n");
            scene.file(&format!("{folder}/in/other/plain.txt"), "plain lines\n".repeat(5000).as_bytes());
            if let Some(place) = &place {
                scene.file(&format!("{folder}/in/{place}"), text().as_bytes());
            }
            match script.strip_prefix("python:") {
                Some(script) => python(&scene, &at, &format!("{WITH_ZIPFILE}\n{script}")),
                None => sh(&scene, &at, script),
            }
            let ran = redact(&scene, &at, file);
            let expected = place
                .as_ref()
                .map_or_else(String::new, |place| format!("{file}!{before}{place}:2: [REDACTED:github-token#1]\n"));
            assert_eq!((ran.out, ran.code), (expected, i32::from(place.is_some())), "{file} {number}: {}", ran.err);
            assert!(!ran.err.contains("not looked through"), "{file}: {}", ran.err);
        }
    }
}

#[test]
fn compressed_files_are_looked_into() {
    let scene = Scene::new();
    for (file, script) in [
        ("one.gz", "gzip -c text > one.gz"),
        ("two.gz", "{ gzip -c plain; gzip -c text; } > two.gz"),
        ("one.zst", "zstd -qc text > one.zst"),
        ("two.zst", "{ zstd -qc plain; zstd -qc --no-check text; } > two.zst"),
        (
            "one.bz2",
            "python3 -c 'import bz2; open(\"one.bz2\", \"wb\").write(bz2.compress(open(\"text\", \"rb\").read()))'",
        ),
        (
            "one.xz",
            "python3 -c 'import lzma; open(\"one.xz\", \"wb\").write(lzma.compress(open(\"text\", \"rb\").read()))'",
        ),
        (
            "sha.xz",
            "python3 -c 'import lzma as l; \
             open(\"sha.xz\",\"wb\").write(l.compress(open(\"text\",\"rb\").read(),check=10))'",
        ),
        ("no name", "gzip -c text > 'no name'"),
    ] {
        for (holds, number) in [(text(), 1), ("no secret\n".to_owned(), 0)] {
            scene.file("plain", b"");
            scene.file("text", holds.as_bytes());
            sh(&scene, &scene.folder, script);
            let ran = redact(&scene, &scene.folder, file);
            assert_eq!((ran.code, ran.out.lines().count()), (number, number as usize), "{file}: {}", ran.err);
            assert!(number == 0 || ran.out.starts_with(&format!("{file}!unpacked:2: ")), "{}", ran.out);
        }
    }
}

/// What cannot be opened is told, whatever the rest of the folder holds.
#[test]
fn what_cannot_be_opened_is_told_by_name() {
    let scene = Scene::new();
    let folder = scene.path("d");
    scene.file("d/member.txt", text().as_bytes());
    sh(
        &scene,
        &folder,
        "zip -q whole.zip member.txt; zip -q -P x locked.zip member.txt; head -c 100 whole.zip > cut.zip
         zip -q a.zip whole.zip; zip -q b.zip a.zip; zip -q c.zip b.zip; rm a.zip b.zip
         gzip -c member.txt | head -c 40 > cut.gz; printf '7z\\274\\257\\047\\034' > x.bin",
    );
    python(&scene, &folder, "import zipfile; zipfile.ZipFile('lzma.zip', 'w', zipfile.ZIP_LZMA).write('member.txt')");
    fs::remove_file(folder.join("member.txt")).expect("it is there");
    let ran = scene.hydrant(&scene.folder, &["redact", "d"]).ends(1);
    for line in [
        "d/locked.zip: not looked through: member.txt: it is encrypted",
        "d/cut.zip: not looked through: it has no directory at its end",
        "d/c.zip: not looked through: b.zip!a.zip!whole.zip: it lies in 3 others",
        "d/cut.gz: not looked through: it is cut off",
        "d/x.bin: not looked through: it is a 7z archive, which cannot be looked into",
        "d/lzma.zip: not looked through: member.txt: it is packed by method 14",
    ] {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
    assert_eq!(ran.out, "d/whole.zip!member.txt:2: [REDACTED:github-token#1]\n");
    let json = scene.hydrant(&scene.folder, &["redact", "d", "--json"]).ends(1).json();
    assert_eq!((&json["ok"], json["unchecked_list"].as_array().map(Vec::len)), (&false.into(), Some(6)));
    assert_eq!(json["finding_list"][0]["file"], "d/whole.zip!member.txt");
}
