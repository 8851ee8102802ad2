//! Downloads: staged, judged, kept or dropped; broken ones go on where they ended.

use super::{Ask, Bench, Blob, Canned, Check, Ending, Exchange, Said, Verdict, Why, bytes, fails, same, short};

pub(crate) const CHECKS: &[Check] = &[
    ("a blob is staged, kept and then present", kept),
    ("what is dropped is gone", dropped),
    ("what was never staged cannot be kept", nothing_to_keep),
    ("a staged answer ends at its bound", staged_to_the_bound),
    ("an answer that is no content is fed and stages nothing", not_staged),
    ("a broken download leaves its beginning", beginning),
    ("only what names one version is a validator", validators),
    ("206 is written after what was kept, and the digest is of all", resumed),
    ("200 begins anew", begun_anew),
    ("silence leaves the stage to the next run", silent),
    ("a cancel leaves the stage to the next run", cancelled),
    ("a whole stage is hashed, not believed", whole_stage),
];

/// More than any host keeps in memory.
const LARGE: usize = 200_000;

fn kept(bench: &mut Bench<'_>) -> Verdict {
    for length in [0, 100, 65_536, 65_537, LARGE] {
        let body = bytes(length);
        let blob = bench.host.blob(&body);
        same("before", bench.ask(Ask::HasBlob(blob.clone()))?, vec![Said::Absent])?;
        let get = bench.stage(Canned::new(200, &[], &body), &blob, 0);
        let replies = bench.ask(Ask::Http(get))?;
        same("staged", bench.digest(&replies), Some(blob.clone()))?;
        same("kept", bench.ask(Ask::KeepBlob(blob.oid.clone()))?, vec![Said::End])?;
        same("after", bench.ask(Ask::HasBlob(blob.clone()))?, vec![Said::Present])?;
        bench.host.restart();
        same("in the next run", bench.ask(Ask::HasBlob(blob))?, vec![Said::Present])?;
    }
    Ok(())
}

fn dropped(bench: &mut Bench<'_>) -> Verdict {
    for length in [100, LARGE] {
        let body = bytes(length);
        let blob = bench.host.blob(&body);
        let get = bench.stage(Canned::new(200, &[], &body), &blob, 0);
        bench.ask(Ask::Http(get))?;
        same("dropped", bench.ask(Ask::DropBlob(blob.oid.clone()))?, vec![Said::End])?;
        same("after", bench.ask(Ask::HasBlob(blob.clone()))?, vec![Said::Absent])?;
        same("again", bench.ask(Ask::DropBlob(blob.oid))?, vec![Said::End])?;
    }
    Ok(())
}

fn nothing_to_keep(bench: &mut Bench<'_>) -> Verdict {
    let blob = bench.host.blob(b"never seen");
    let replies = bench.ask(Ask::KeepBlob(blob.oid.clone()))?;
    let failed = matches!(replies.last(), Some(Said::Failed(..)));
    same("it failed", failed, true)?;
    same("after", bench.ask(Ask::HasBlob(blob))?, vec![Said::Absent])
}

fn staged_to_the_bound(bench: &mut Bench<'_>) -> Verdict {
    for length in [100, LARGE] {
        let body = bytes(length + 5_000);
        let blob = bench.host.blob(&body[..length]);
        let get = bench.stage(Canned::new(200, &[], &body), &blob, 0);
        let replies = bench.ask(Ask::Http(get))?;
        let longer = bench.host.blob(&body[..=length]);
        same("one byte too many shows", bench.digest(&replies), Some(longer))?;
    }
    Ok(())
}

fn not_staged(bench: &mut Bench<'_>) -> Verdict {
    let blob = bench.host.blob(&bytes(LARGE));
    for status in [201, 204, 302, 404, 416, 503] {
        let body: &[u8] = if status == 204 { b"" } else { b"some words" };
        let get = bench.stage(Canned::new(status, &[], body), &blob, 0);
        let replies = bench.ask(Ask::Http(get))?;
        same("words", bench.digest(&replies), Some(bench.host.blob(body)))?;
        same("after", bench.ask(Ask::HasBlob(blob.clone()))?, vec![Said::Absent])?;
    }
    Ok(())
}

/// Leaves the beginning of a large blob behind; the blob and its bytes.
fn broken(bench: &mut Bench<'_>, headers: &[(&str, &str)]) -> Result<(Blob, Vec<u8>), String> {
    let body = bytes(LARGE);
    let blob = bench.host.blob(&body);
    let get = bench.stage(Canned::new(200, headers, &body).ending(Ending::Breaks), &blob, 0);
    let replies = bench.ask(Ask::Http(get))?;
    fails(&replies, Why::Offline)?;
    bench.host.restart();
    Ok((blob, body))
}

/// Bytes of a stage and its validator.
fn partial(bench: &mut Bench<'_>, blob: &Blob) -> Result<(u64, Option<String>), String> {
    match &bench.ask(Ask::HasBlob(blob.clone()))?[..] {
        [Said::Partial(bytes, validator)] if (1..blob.size).contains(bytes) => Ok((*bytes, validator.clone())),
        other => Err(format!("no beginning: {}", short(other))),
    }
}

fn beginning(bench: &mut Bench<'_>) -> Verdict {
    let (blob, _) = broken(bench, &[])?;
    let (held, _) = partial(bench, &blob)?;
    same("at most what was sent", held <= blob.size / 2, true)
}

fn validators(bench: &mut Bench<'_>) -> Verdict {
    let date = "Tue, 01 Jul 2025 00:00:00 GMT";
    let (strong, weak) = (("ETag", "\"v1\""), ("ETag", "W/\"v1\""));
    let table = [
        (vec![], None),
        (vec![strong], Some("\"v1\"")),
        (vec![weak], None),
        (vec![weak, ("Last-Modified", date)], Some(date)),
    ];
    for (headers, expected) in table {
        let (blob, _) = broken(bench, &headers)?;
        let (_, validator) = partial(bench, &blob)?;
        // A host may know none; it may not make one up.
        let right = validator.is_none() || validator.as_deref() == expected;
        same(&format!("the validator {validator:?} of {headers:?} is right"), right, true)?;
        bench.ask(Ask::DropBlob(blob.oid))?;
    }
    Ok(())
}

fn resumed(bench: &mut Bench<'_>) -> Verdict {
    let (blob, body) = broken(bench, &[("ETag", "\"v1\"")])?;
    let (held, _) = partial(bench, &blob)?;
    let start = usize::try_from(held).unwrap_or(usize::MAX);
    let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
    let part = Canned::new(206, &[("Content-Range", &range)], &body[start..]);
    let mut get = bench.stage(part, &blob, held);
    get.headers.push(("Range".into(), format!("bytes={start}-{}", body.len() - 1)));
    bench.host.heard();
    let replies = bench.ask(Ask::Http(get))?;
    same("from byte 0", bench.digest(&replies), Some(blob.clone()))?;
    let asked = bench.host.heard().into_iter().flat_map(|heard| heard.headers);
    let ranges = asked.filter(|(name, _)| name.eq_ignore_ascii_case("range")).count();
    same("ranges asked for", ranges, 1)?;
    same("kept", bench.ask(Ask::KeepBlob(blob.oid.clone()))?, vec![Said::End])?;
    same("after", bench.ask(Ask::HasBlob(blob))?, vec![Said::Present])
}

fn begun_anew(bench: &mut Bench<'_>) -> Verdict {
    let (blob, body) = broken(bench, &[])?;
    let (held, _) = partial(bench, &blob)?;
    let get = bench.stage(Canned::new(200, &[], &body), &blob, held);
    let replies = bench.ask(Ask::Http(Exchange { answer_bytes_max: blob.size + 1, ..get }))?;
    same("from byte 0", bench.digest(&replies), Some(blob.clone()))?;
    same("kept", bench.ask(Ask::KeepBlob(blob.oid))?, vec![Said::End])
}

fn silent(bench: &mut Bench<'_>) -> Verdict {
    let body = bytes(LARGE);
    let blob = bench.host.blob(&body);
    let get = bench.stage(Canned::new(200, &[], &body).ending(Ending::Stalls), &blob, 0);
    let replies = bench.ask(Ask::Http(Exchange { idle_max: 300, ..get }))?;
    fails(&replies, Why::TimedOut)?;
    bench.host.restart();
    partial(bench, &blob).map(|_| ())
}

fn cancelled(bench: &mut Bench<'_>) -> Verdict {
    let (blob, body) = broken(bench, &[])?;
    let (held, _) = partial(bench, &blob)?;
    let start = usize::try_from(held).unwrap_or(usize::MAX);
    let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
    let part = Canned::new(206, &[("Content-Range", &range)], &body[start..]).ending(Ending::Stalls);
    let get = bench.stage(part, &blob, held);
    fails(&bench.host.cancel_after_head(get), Why::Aborted)?;
    bench.host.restart();
    let (left, _) = partial(bench, &blob)?;
    same("nothing was lost", left >= held, true)
}

fn whole_stage(bench: &mut Bench<'_>) -> Verdict {
    let body = bytes(LARGE);
    let named = bench.host.blob(&bytes(LARGE - 1));
    // As long as the blob, and something else.
    let wanted = Blob { size: body.len() as u64, ..named };
    let get = bench.stage(Canned::new(200, &[], &body), &wanted, 0);
    bench.ask(Ask::Http(get))?;
    bench.host.restart();
    let replies = bench.ask(Ask::HasBlob(wanted.clone()))?;
    same("its own digest", bench.digest(&replies), Some(bench.host.blob(&body)))?;
    same("dropped", bench.ask(Ask::DropBlob(wanted.oid.clone()))?, vec![Said::End])?;
    same("after", bench.ask(Ask::HasBlob(wanted))?, vec![Said::Absent])
}
