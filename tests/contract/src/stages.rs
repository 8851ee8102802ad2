//! Downloads: staged, judged, kept or dropped; broken ones go on where they ended; two of one blob do not mix.

use super::{Ask, Bench, Blob, Canned, Check, Ending, Exchange, Left, Said, Verdict, Why, bytes, fails, same, short};

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
    ("wrong bytes of one transfer do not reach the blob of another", two_of_one_blob),
    ("what one transfer forgets, another still has", forgotten_beside),
    ("two transfers of one blob may both be kept", both_kept),
    ("a beginning that goes on is not written by its first transfer", resumed_beside),
];

/// More than any host keeps in memory.
const LARGE: usize = 200_000;

fn kept(bench: &mut Bench<'_>) -> Verdict {
    for length in [0, 100, 65_536, 65_537, LARGE] {
        let body = bytes(length);
        let blob = bench.host.blob(&body);
        same("before", bench.ask(Ask::HasBlob(blob.clone()))?, vec![Said::Absent])?;
        let get = bench.stage(Canned::new(200, &[], &body), &blob);
        let keep = keep(&get);
        let replies = bench.ask(Ask::Http(get))?;
        same("staged", bench.digest(&replies), Some(blob.clone()))?;
        same("kept", bench.ask(keep)?, vec![Said::End])?;
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
        let get = bench.stage(Canned::new(200, &[], &body), &blob);
        let forget = forget(&get);
        bench.ask(Ask::Http(get))?;
        same("dropped", bench.ask(forget.clone())?, vec![Said::End])?;
        same("after", bench.ask(Ask::HasBlob(blob))?, vec![Said::Absent])?;
        same("again", bench.ask(forget)?, vec![Said::End])?;
    }
    Ok(())
}

fn nothing_to_keep(bench: &mut Bench<'_>) -> Verdict {
    let blob = bench.host.blob(b"never seen");
    let replies = bench.ask(Ask::KeepBlob { stage: "0123456789abcdef-1".into(), blob: blob.clone() })?;
    let failed = matches!(replies.last(), Some(Said::Failed(..)));
    same("it failed", failed, true)?;
    same("after", bench.ask(Ask::HasBlob(blob))?, vec![Said::Absent])
}

fn staged_to_the_bound(bench: &mut Bench<'_>) -> Verdict {
    for length in [100, LARGE] {
        let body = bytes(length + 5_000);
        let blob = bench.host.blob(&body[..length]);
        let get = bench.stage(Canned::new(200, &[], &body), &blob);
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
        let get = bench.stage(Canned::new(status, &[], body), &blob);
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
    let get = bench.stage(Canned::new(200, headers, &body).ending(Ending::Breaks), &blob);
    let replies = bench.ask(Ask::Http(get))?;
    fails(&replies, Why::Offline)?;
    bench.host.restart();
    Ok((blob, body))
}

/// What is left of a transfer.
fn partial(bench: &mut Bench<'_>, blob: &Blob) -> Result<Left, String> {
    match &bench.ask(Ask::HasBlob(blob.clone()))?[..] {
        [Said::Partial(left)] if (1..blob.size).contains(&left.bytes) => Ok(left.clone()),
        other => Err(format!("no beginning: {}", short(other))),
    }
}

fn beginning(bench: &mut Bench<'_>) -> Verdict {
    let (blob, _) = broken(bench, &[])?;
    let left = partial(bench, &blob)?;
    same("at most what was sent", left.bytes <= blob.size / 2, true)
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
        let Left { stage, validator, .. } = partial(bench, &blob)?;
        // A host may know none; it may not make one up.
        let right = validator.is_none() || validator.as_deref() == expected;
        same(&format!("the validator {validator:?} of {headers:?} is right"), right, true)?;
        bench.ask(Ask::DropStage(stage))?;
    }
    Ok(())
}

fn resumed(bench: &mut Bench<'_>) -> Verdict {
    let (blob, body) = broken(bench, &[("ETag", "\"v1\"")])?;
    let left = partial(bench, &blob)?;
    let start = usize::try_from(left.bytes).unwrap_or(usize::MAX);
    let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
    let part = Canned::new(206, &[("Content-Range", &range)], &body[start..]);
    let mut get = bench.stage_after(part, &blob, Some(&left));
    get.headers.push(("Range".into(), format!("bytes={start}-{}", body.len() - 1)));
    bench.host.heard();
    let keep = keep(&get);
    let replies = bench.ask(Ask::Http(get))?;
    same("from byte 0", bench.digest(&replies), Some(blob.clone()))?;
    let asked = bench.host.heard().into_iter().flat_map(|heard| heard.headers);
    let ranges = asked.filter(|(name, _)| name.eq_ignore_ascii_case("range")).count();
    same("ranges asked for", ranges, 1)?;
    same("kept", bench.ask(keep)?, vec![Said::End])?;
    same("after", bench.ask(Ask::HasBlob(blob))?, vec![Said::Present])
}

fn begun_anew(bench: &mut Bench<'_>) -> Verdict {
    let (blob, body) = broken(bench, &[])?;
    let left = partial(bench, &blob)?;
    let get = bench.stage_after(Canned::new(200, &[], &body), &blob, Some(&left));
    let keep = keep(&get);
    let replies = bench.ask(Ask::Http(Exchange { answer_bytes_max: blob.size + 1, ..get }))?;
    same("from byte 0", bench.digest(&replies), Some(blob.clone()))?;
    same("kept", bench.ask(keep)?, vec![Said::End])
}

fn silent(bench: &mut Bench<'_>) -> Verdict {
    let body = bytes(LARGE);
    let blob = bench.host.blob(&body);
    let get = bench.stage(Canned::new(200, &[], &body).ending(Ending::Stalls), &blob);
    let replies = bench.ask(Ask::Http(Exchange { idle_max: 300, ..get }))?;
    fails(&replies, Why::TimedOut)?;
    bench.host.restart();
    partial(bench, &blob).map(|_| ())
}

fn cancelled(bench: &mut Bench<'_>) -> Verdict {
    let (blob, body) = broken(bench, &[])?;
    let left = partial(bench, &blob)?;
    let start = usize::try_from(left.bytes).unwrap_or(usize::MAX);
    let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
    let part = Canned::new(206, &[("Content-Range", &range)], &body[start..]).ending(Ending::Stalls);
    let get = bench.stage_after(part, &blob, Some(&left));
    fails(&bench.host.cancel_after_head(get), Why::Aborted)?;
    bench.host.restart();
    let now = partial(bench, &blob)?;
    same("nothing was lost", now.bytes >= left.bytes, true)
}

fn whole_stage(bench: &mut Bench<'_>) -> Verdict {
    let body = bytes(LARGE);
    let named = bench.host.blob(&bytes(LARGE - 1));
    // As long as the blob, and something else.
    let wanted = Blob { size: body.len() as u64, ..named };
    let get = bench.stage(Canned::new(200, &[], &body), &wanted);
    bench.ask(Ask::Http(get))?;
    bench.host.restart();
    let replies = bench.ask(Ask::HasBlob(wanted.clone()))?;
    same("its own digest", bench.digest(&replies), Some(bench.host.blob(&body)))?;
    let Some(Said::Partial(left)) = replies.first() else { return Err(short(&replies)) };
    same("dropped", bench.ask(Ask::DropStage(left.stage.clone()))?, vec![Said::End])?;
    same("after", bench.ask(Ask::HasBlob(wanted))?, vec![Said::Absent])
}

/// Bytes that are as many as those of the blob, and others.
fn wrong(length: usize) -> Vec<u8> {
    vec![0x77; length]
}

/// The cache has this blob, to the byte.
fn holds(bench: &mut Bench<'_>, blob: &Blob) -> Verdict {
    same("held", bench.ask(Ask::HasBlob(blob.clone()))?, vec![Said::Present])?;
    let replies = bench.ask(Ask::ReadFile(format!("cache/{}", blob.oid)))?;
    same("what the cache has", bench.digest(&replies), Some(blob.clone()))
}

/// While one transfer is in the middle of wrong bytes, another one of the same blob comes, is proved and is kept.
fn two_of_one_blob(bench: &mut Bench<'_>) -> Verdict {
    for length in [100, LARGE] {
        let body = bytes(length);
        let blob = bench.host.blob(&body);
        let first = bench.stage(Canned::new(200, &[], &wrong(length)).ending(Ending::Stalls), &blob);
        let first = Exchange { idle_max: 300, ..first };
        let second = bench.stage(Canned::new(200, &[], &body), &blob);
        let keep = keep(&second);
        let (said, meanwhile) = bench.host.interleave(first, vec![Ask::Http(second), keep]);
        fails(&said, Why::TimedOut)?;
        same("the second", bench.digest(&meanwhile[0]), Some(blob.clone()))?;
        same("kept", meanwhile[1].clone(), vec![Said::End])?;
        holds(bench, &blob)?;
        bench.host.restart();
        holds(bench, &blob)?;
    }
    Ok(())
}

fn forgotten_beside(bench: &mut Bench<'_>) -> Verdict {
    for length in [100, LARGE] {
        let body = bytes(length);
        let blob = bench.host.blob(&body);
        let first = bench.stage(Canned::new(200, &[], &body), &blob);
        let keep = keep(&first);
        let second = bench.stage(Canned::new(200, &[], &wrong(length)), &blob);
        let forget = forget(&second);
        let (said, meanwhile) = bench.host.interleave(first, vec![Ask::Http(second), forget]);
        same("the first", bench.digest(&said), Some(blob.clone()))?;
        same("forgotten", meanwhile[1].clone(), vec![Said::End])?;
        same("kept", bench.ask(keep)?, vec![Said::End])?;
        holds(bench, &blob)?;
    }
    Ok(())
}

fn both_kept(bench: &mut Bench<'_>) -> Verdict {
    for length in [100, LARGE] {
        let body = bytes(length);
        let blob = bench.host.blob(&body);
        let first = bench.stage(Canned::new(200, &[], &body), &blob);
        let second = bench.stage(Canned::new(200, &[], &body), &blob);
        let keeps = [keep(&first), keep(&second)];
        let (said, meanwhile) = bench.host.interleave(first, vec![Ask::Http(second)]);
        for replies in [&said, &meanwhile[0]] {
            same("the digest", bench.digest(replies), Some(blob.clone()))?;
        }
        for keep in keeps {
            same("kept", bench.ask(keep)?, vec![Said::End])?;
            holds(bench, &blob)?;
        }
    }
    Ok(())
}

/// A transfer still writes and another one asks what there is: the second must not go on in the first's stage.
fn resumed_beside(bench: &mut Bench<'_>) -> Verdict {
    let body = bytes(LARGE);
    let blob = bench.host.blob(&body);
    let first = bench.stage(Canned::new(200, &[], &wrong(LARGE)).ending(Ending::Stalls), &blob);
    let first = Exchange { idle_max: 300, ..first };
    let (_, meanwhile) = bench.host.interleave(first, vec![Ask::HasBlob(blob.clone())]);
    same("while it is written", meanwhile[0].clone(), vec![Said::Absent])
}

/// What promotes the stage of an exchange.
fn keep(exchange: &Exchange) -> Ask {
    let stage = exchange.stage.as_ref().expect("only what is staged is kept");
    Ask::KeepBlob { stage: stage.id.clone(), blob: stage.blob.clone() }
}

/// What forgets it.
fn forget(exchange: &Exchange) -> Ask {
    Ask::DropStage(exchange.stage.as_ref().expect("only what is staged is forgotten").id.clone())
}
