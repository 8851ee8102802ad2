//! Laws 4 and 10: secrets of the server and of the user stand in no error, outcome, progress, debug print or
//! trace, whatever goes wrong.

use crate::native;
use crate::play::{Answer, Play, bytes, moved, part, status, upload, wants};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Source;
use hydrant_lfs::contract::{Exchange, Failure, Login};
use serde_json::json;

/// Stands in everything that is secret.
const PLANTED: &str = "pl4nted";
/// A query may be a signature, so the endpoint's may be one too.
const ENDPOINT: &str = "https://lfs.test/r?key=pl4nted";

/// Actions with secrets in query, userinfo and headers.
fn secret_offer() -> Answer {
    Answer::Offer(|entry| {
        let kept = entry["oid"].as_str().unwrap_or_default().to_owned();
        let action = json!({
            "href": format!("https://me:pl4nted@store.test/o/{kept}?sig=pl4nted#pl4nted"),
            "header": {"X-Token": "pl4nted", "Authorization": "Bearer pl4nted"},
        });
        entry["actions"] = json!({"download": action, "upload": action, "verify": action});
    })
}

/// Everything that can be said of a request.
fn answers() -> Vec<Answer> {
    let mut answers: Vec<Answer> =
        [200, 201, 302, 400, 401, 403, 404, 410, 413, 416, 422, 429, 500, 501, 507].map(status).into();
    for location in [
        "/x?sig=pl4nted",
        "https://me:pl4nted@else.test/x?sig=pl4nted",
        "http://else.test/?sig=pl4nted",
        "//me:pl4nted@store.test/again?sig=pl4nted",
        "x:pl4nted",
        "https://a b/pl4nted",
    ] {
        answers.extend([301, 307].map(|code| moved(code, location)));
    }
    answers.push(bytes(b"eno"));
    answers.push(part("bytes 7-9/pl4nted", b"one"));
    answers.push(status(401).with("WWW-Authenticate", "Bearer realm=\"x\", token=\"pl4nted\""));
    answers.push(status(429).with("Retry-After", "pl4nted"));
    answers.extend([Failure::Offline, Failure::Denied, Failure::Blocked, Failure::TimedOut].map(Answer::Failed));
    answers.push(Answer::Offer(|entry| entry["actions"] = json!({"download": {"href": "pl4nted"}})));
    answers.push(Answer::Offer(|entry| {
        let action = json!({"href": "http://store.test/pl4nted?pl4nted", "header": {"X-Token": "pl4nted"}});
        entry["actions"] = json!({"download": action, "upload": action});
    }));
    answers.push(Answer::Offer(|entry| {
        entry["actions"]["download"]["header"] = json!({"X\r\npl4nted": "pl4nted"});
    }));
    answers.push(Answer::Early);
    answers.push(Answer::Other);
    answers
}

fn hold_nothing(what: &str, said: &str) {
    assert!(!said.contains(PLANTED) && !said.contains("cGw0bnRlZA"), "{what} shows a secret:\n{said}");
}

/// A play of each kind that has something to hide.
fn plays() -> Vec<Play> {
    let config = Config { login: Login::Stored, retries_max: 1, ..Config::new(ENDPOINT, 0) };
    let sources = vec![Source { name: "a".into(), expects: None }];
    let mut uploading = upload(&[b"one"]);
    uploading.operation = native::upload(config.clone(), sources).expect("it begins");
    vec![Play::new(native::download(config, wants(&[b"one"]))), uploading]
}

#[test]
fn no_secret_is_said_whatever_goes_wrong() {
    for answer in answers() {
        for kind in 0..2 {
            for before in 0..3 {
                let mut play = plays().remove(kind);
                let mut script = vec![secret_offer(), status(200)];
                script.truncate(before);
                script.push(answer.clone());
                for answer in script {
                    play.settle();
                    if play.open.is_empty() {
                        break;
                    }
                    for (_, exchange) in &play.open {
                        hold_nothing("a debug print of a request", &shown(exchange));
                    }
                    play.answer(answer);
                }
                play.settle();
                play.operation.stop();
                play.settle();
                hold_nothing("the progress", &format!("{:?}", play.notes));
                hold_nothing("the trace", &play.lines.join("\n"));
                let ended = play.operation.outcomes();
                hold_nothing("the outcome", &format!("{ended:?}"));
                let errors: Vec<String> = match ended {
                    Ok(outcomes) => {
                        outcomes.iter().filter_map(|one| Some(one.ended.as_ref().err()?.to_string())).collect()
                    }
                    Err(error) => vec![error.to_string()],
                };
                hold_nothing("an error", &errors.join("\n"));
            }
        }
    }
}

/// A request as it would look in a log.
fn shown(exchange: &Exchange) -> String {
    format!("{:?} {:?}", exchange.request, exchange.request.headers)
}

#[test]
fn an_address_with_a_login_is_refused_without_repeating_it() {
    for endpoint in ["https://me:pl4nted@lfs.test/r", "pl4nted", "http://me:pl4nted@h/r?pl4nted", "http://h/?pl4nted"] {
        let refused = native::download(Config::new(endpoint, 0), Vec::new()).map(|_| ()).expect_err("not usable");
        hold_nothing("an error", &format!("{refused} {refused:?}"));
    }
}

#[test]
fn actions_of_a_batch_are_printed_without_what_opens_them() {
    let objects = vec![hydrant_tests::world::blob(b"one")];
    let operation = native::batch(Config::new(ENDPOINT, 0), hydrant_lfs::contract::Direction::Upload, objects);
    let mut play = Play::new(operation);
    play.settle();
    play.answer(secret_offer());
    play.settle();
    let objects = play.operation.objects().expect("actions");
    let all = format!("{objects:?}");
    assert!(all.contains("store.test"), "{all}");
    hold_nothing("a debug print of an action", &all);
}
