//! Answers that are fed: whole, bounded, and never followed anywhere.

use super::{Ask, Bench, Canned, Check, Ending, Exchange, Said, Verdict, Why, bytes, fails, same, short};

pub(crate) const CHECKS: &[Check] = &[
    ("an answer is fed with status, headers and body", fed_whole),
    ("an answer without a body is an answer", fed_empty),
    ("a fed answer ends at its bound", fed_to_the_bound),
    ("a redirect is an answer", redirect),
    ("a broken answer is offline", broken),
    ("silence is timed out", silent),
    ("a cancelled exchange is aborted", cancelled),
];

fn fed_whole(bench: &mut Bench<'_>) -> Verdict {
    let body = bytes(3_000);
    let get = bench.get(Canned::new(404, &[("X-Kind", "odd")], &body));
    let replies = bench.ask(Ask::Http(get))?;
    let Some(Said::Head(404, headers)) = replies.first() else { return Err(short(&replies)) };
    let named = headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("x-kind") && value == "odd");
    same("the header is there", named, true)?;
    same("body", bench.digest(&replies), Some(bench.host.blob(&body)))?;
    same("requests", bench.host.heard().len(), 1)
}

fn fed_empty(bench: &mut Bench<'_>) -> Verdict {
    let get = bench.get(Canned::new(200, &[], b""));
    let replies = bench.ask(Ask::Http(get))?;
    same("replies", replies.len(), 2)
}

fn fed_to_the_bound(bench: &mut Bench<'_>) -> Verdict {
    let body = bytes(100_000);
    for bound in [1, 1_000, 99_999, 100_000] {
        let get = bench.get(Canned::new(200, &[], &body));
        let replies = bench.ask(Ask::Http(Exchange { answer_bytes_max: bound, ..get }))?;
        let expected = bench.host.blob(&body[..usize::try_from(bound).unwrap_or(usize::MAX)]);
        same("bytes", bench.digest(&replies), Some(expected))?;
    }
    Ok(())
}

fn redirect(bench: &mut Bench<'_>) -> Verdict {
    let foreign = bench.host.foreign();
    let get = bench.get(Canned::new(302, &[("Location", &foreign)], b""));
    let replies = bench.ask(Ask::Http(get))?;
    let Some(Said::Head(302, headers)) = replies.first() else { return Err(short(&replies)) };
    let location = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("location"));
    same("location", location.map(|(_, value)| value.clone()), Some(foreign))?;
    same("requests", bench.host.heard().len(), 1)
}

fn broken(bench: &mut Bench<'_>) -> Verdict {
    let get = bench.get(Canned::new(200, &[], &bytes(3_000)).ending(Ending::Breaks));
    let replies = bench.ask(Ask::Http(get))?;
    fails(&replies, Why::Offline)?;
    same("requests", bench.host.heard().len(), 1)
}

fn silent(bench: &mut Bench<'_>) -> Verdict {
    let get = bench.get(Canned::new(200, &[], &bytes(3_000)).ending(Ending::Stalls));
    let replies = bench.ask(Ask::Http(Exchange { idle_max: 300, ..get }))?;
    fails(&replies, Why::TimedOut)
}

fn cancelled(bench: &mut Bench<'_>) -> Verdict {
    let get = bench.get(Canned::new(200, &[], &bytes(3_000)).ending(Ending::Stalls));
    let replies = bench.host.cancel_after_head(get.clone());
    super::grammar::fits(&Ask::Http(get), &replies)?;
    fails(&replies, Why::Aborted)?;
    let closed = replies.iter().filter(|reply| matches!(reply, Said::Failed(..))).count();
    same("failures", closed, 1)
}
