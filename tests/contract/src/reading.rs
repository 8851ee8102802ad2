//! Files and documents: their bytes, their digests, their states.

use super::{Ask, Bench, Check, HostUnderTest, Said, Verdict, bytes, same, short};

pub(crate) const CHECKS: &[Check] = &[
    ("a file is read whole, with its revision", read),
    ("a file that could be a pointer comes as its bytes", tiny),
    ("a file that is looked into comes as its bytes, however large", fed),
    ("a file that is not there is absent", absent),
    ("a revision is of the state, not of the moment", revisions),
    ("a document comes with its revision", document),
];

/// The revision of a file and the digest of its bytes.
pub(super) fn file<H: HostUnderTest + ?Sized>(
    bench: &mut Bench<'_, H>,
    name: &str,
) -> Result<(String, super::Blob), String> {
    let replies = bench.ask(Ask::ReadFile(name.into()))?;
    let Some(Said::At(revision)) = replies.last().cloned() else { return Err(short(&replies)) };
    let digest = bench.digest(&replies).ok_or("no digest")?;
    Ok((revision, digest))
}

fn read(bench: &mut Bench<'_>) -> Verdict {
    for length in [0, 1, 1_023, 1_024, 70_000, 700_000] {
        let content = bytes(length);
        bench.host.place_file("file", Some(&content));
        let (_, digest) = file(bench, "file")?;
        same("digest", digest, bench.host.blob(&content))?;
    }
    Ok(())
}

fn tiny(bench: &mut Bench<'_>) -> Verdict {
    for length in [0, 1, 500, 1_023] {
        let content = bytes(length);
        bench.host.place_file("file", Some(&content));
        let replies = bench.ask(Ask::ReadFile("file".into()))?;
        let fed = replies.iter().filter_map(|reply| match reply {
            Said::Chunk(bytes) => Some(bytes.as_slice()),
            _ => None,
        });
        same("bytes", fed.collect::<Vec<_>>().concat(), content)?;
    }
    Ok(())
}

fn fed(bench: &mut Bench<'_>) -> Verdict {
    for length in [0, 1, 1_023, 1_024, 65_536, 65_537, 300_000, 700_000] {
        let content = bytes(length);
        bench.host.place_file("file", Some(&content));
        // The grammar of this effect has no `received`.
        let replies = bench.ask(Ask::FeedFile("file".into()))?;
        same("digest", bench.digest(&replies), Some(bench.host.blob(&content)))?;
        let (revision, _) = file(bench, "file")?;
        same("revision", replies.last(), Some(&Said::At(revision)))?;
    }
    Ok(())
}

fn absent(bench: &mut Bench<'_>) -> Verdict {
    same("file", bench.ask(Ask::ReadFile("none".into()))?, vec![Said::Absent])?;
    same("file to look into", bench.ask(Ask::FeedFile("none".into()))?, vec![Said::Absent])?;
    same("document", bench.ask(Ask::LoadDoc("sessions/none/meta.json".into()))?, vec![Said::Absent])
}

fn revisions(bench: &mut Bench<'_>) -> Verdict {
    bench.host.place_file("file", Some(&bytes(5_000)));
    let (first, _) = file(bench, "file")?;
    let (second, _) = file(bench, "file")?;
    same("untouched", &second, &first)?;
    bench.host.place_file("file", Some(&bytes(5_001)));
    let (third, _) = file(bench, "file")?;
    if third == first { Err("other bytes have the same revision".into()) } else { Ok(()) }
}

fn document(bench: &mut Bench<'_>) -> Verdict {
    let mut revisions = Vec::new();
    for text in ["{}", "{\"a\":1}", "{}"] {
        bench.host.place_doc("sessions/a/meta.json", text.as_bytes());
        let replies = bench.ask(Ask::LoadDoc("sessions/a/meta.json".into()))?;
        let [Said::Doc(bytes, revision)] = &replies[..] else { return Err(short(&replies)) };
        same("bytes", bytes.as_slice(), text.as_bytes())?;
        revisions.push(revision.clone());
    }
    same("the same bytes are the same state", &revisions[0], &revisions[2])?;
    same("other bytes are another state", revisions[0] != revisions[1], true)
}
