//! What goes out: bytes as they were given, files as they were hashed, logins where the user wants them.

use super::reading::file;
use super::{Ask, Bench, Body, Canned, Check, Exchange, Method, Said, Verdict, Why, bytes, fails, same, short};

pub(crate) const CHECKS: &[Check] = &[
    ("bytes and headers arrive as they were given", given),
    ("a file arrives as it was hashed, and its digest is told first", hashed),
    ("a part of a file arrives", part),
    ("a file that changed is not sent", changed),
    ("a refused upload is an answer", refused),
    ("a login goes to no origin without approval", unapproved),
];

fn put(bench: &mut Bench<'_>, answer: Canned, body: Body) -> Ask {
    let get = bench.get(answer);
    Ask::Http(Exchange { method: Method::Put, body, ..get })
}

fn given(bench: &mut Bench<'_>) -> Verdict {
    let body = bytes(2_000);
    let get = bench.get(Canned::new(200, &[], b""));
    let headers = vec![("X-Extra".to_owned(), "one, two".to_owned())];
    let ask = Ask::Http(Exchange { method: Method::Post, body: Body::Bytes(body.clone()), headers, ..get });
    bench.ask(ask)?;
    let heard = bench.host.heard();
    let [one] = &heard[..] else { return Err(format!("{} requests", heard.len())) };
    same("body", &one.body, &body)?;
    let extra = one.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-extra"));
    same("header", extra.map(|(_, value)| value.as_str()), Some("one, two"))
}

fn hashed(bench: &mut Bench<'_>) -> Verdict {
    for length in [0, 500, 70_000, 700_000] {
        let content = bytes(length);
        bench.host.place_file("file", Some(&content));
        let (revision, blob) = file(bench, "file")?;
        let whole = Body::File { name: "file".into(), revision, offset: 0, length: blob.size };
        let ask = put(bench, Canned::new(200, &[], b""), whole);
        let replies = bench.ask(ask)?;
        match &replies[..] {
            [Said::Sent(sent), Said::Head(200, _), Said::End] => same("sent", sent, &blob)?,
            other => return Err(short(other)),
        }
        let heard = bench.host.heard();
        same("arrived", heard.iter().map(|heard| heard.body.len()).collect(), vec![length])?;
        same("bytes", bench.host.blob(&heard[0].body), blob)?;
    }
    Ok(())
}

fn part(bench: &mut Bench<'_>) -> Verdict {
    let content = bytes(300_000);
    bench.host.place_file("file", Some(&content));
    for (offset, length) in [(0, 100), (100, 50), (1_000, 200_000), (299_999, 1)] {
        let (revision, _) = file(bench, "file")?;
        let slice = Body::File { name: "file".into(), revision, offset, length };
        let ask = put(bench, Canned::new(200, &[], b""), slice);
        let replies = bench.ask(ask)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let expected = &content[start..start + usize::try_from(length).unwrap_or(usize::MAX)];
        same("sent", replies.first(), Some(&Said::Sent(bench.host.blob(expected))))?;
        let heard = bench.host.heard();
        same("arrived", heard.first().map(|heard| heard.body.as_slice()), Some(expected))?;
    }
    Ok(())
}

fn changed(bench: &mut Bench<'_>) -> Verdict {
    bench.host.place_file("file", Some(&bytes(5_000)));
    let (revision, blob) = file(bench, "file")?;
    let whole = Body::File { name: "file".into(), revision, offset: 0, length: blob.size };
    for now in [Some(bytes(5_001)), Some(bytes(4_999)), None] {
        bench.host.place_file("file", now.as_deref());
        let ask = put(bench, Canned::new(200, &[], b""), whole.clone());
        same("replies", bench.ask(ask)?, vec![Said::Conflict])?;
        let arrived = bench.host.heard().iter().map(|heard| heard.body.len()).sum::<usize>();
        same("bytes that went out", arrived, 0)?;
    }
    Ok(())
}

fn refused(bench: &mut Bench<'_>) -> Verdict {
    bench.host.place_file("file", Some(&bytes(5_000)));
    let (revision, blob) = file(bench, "file")?;
    let whole = Body::File { name: "file".into(), revision, offset: 0, length: blob.size };
    let ask = put(bench, Canned::new(403, &[], b"no"), whole);
    let replies = bench.ask(ask)?;
    match &replies[..] {
        [Said::Sent(_), Said::Head(403, _), words @ ..] => {
            same("words", bench.digest(words), Some(bench.host.blob(b"no")))
        }
        other => Err(short(other)),
    }
}

fn unapproved(bench: &mut Bench<'_>) -> Verdict {
    let foreign = bench.host.foreign();
    let get = bench.get(Canned::new(200, &[], b""));
    let replies = bench.ask(Ask::Http(Exchange { url: foreign, login: true, ..get }))?;
    fails(&replies, Why::Denied)?;
    same("requests", bench.host.heard().len(), 0)
}
