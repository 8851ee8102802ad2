//! What is found where, and that every other byte stays as it is.

use hydrant_secrets::{Finding, Named, Piece, Redact, Rules, Scan, Secrets};

/// A token that GitHub never gave to anybody, made when it is needed.
fn token(seed: u32) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut state = u64::from(seed) * 7919 + 12345;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(DIGITS[(state >> 33) as usize % 62])
    };
    format!("gh{}_{}", 'p', (0..36).map(|_| next()).collect::<String>())
}

/// What is found in a text: kind, line, and the bytes that stand there.
fn found(text: &str) -> Vec<(String, u64, String)> {
    let rules = Rules::built_in().expect("rules");
    let named = Named::default();
    let mut all = Vec::new();
    let mut scan = Scan::new(&rules, &named);
    let mut heard = |finding: Finding<'_>| {
        let place = finding.place.start as usize..finding.place.end as usize;
        all.push((rules.name(finding.kind).to_owned(), finding.line, text[place].to_owned()));
    };
    scan.push(text.as_bytes(), &mut heard).expect("lines");
    scan.end(&mut heard);
    all
}

fn redacted(text: &str, piece: usize) -> String {
    let rules = Rules::built_in().expect("rules");
    let mut secrets = Secrets::default();
    let none = Named::default();
    let mut scan = Scan::new(&rules, &none);
    let mut note = |finding: Finding<'_>| secrets.note(&finding);
    scan.push(text.as_bytes(), &mut note).expect("lines");
    let marked = scan.end(&mut note);
    secrets.note_marked(&marked);
    let named = secrets.named([]);
    let mut markers = secrets.markers(&rules);
    let mut out = Vec::new();
    let mut redact = Redact::new(&rules, &named, &mut markers);
    let mut give = |piece: Piece<'_>| match piece {
        Piece::Kept(bytes) => out.extend_from_slice(bytes),
        Piece::Marker(marker, _) => out.extend_from_slice(marker.as_bytes()),
        Piece::Rest(_) => {}
    };
    for piece in text.as_bytes().chunks(piece) {
        redact.push(piece, &mut give).expect("lines");
    }
    redact.end(&mut give);
    String::from_utf8(out).expect("text")
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in text.as_bytes().chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            out.push(if at <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[test]
fn a_secret_is_found_in_every_dress() {
    let secret = token(1);
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let escaped: String = secret.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let nested = format!(r#"{{\"a\":\"x {secret}\"}}"#);
    let twice = format!(r#"{{\\\"a\\\":\\\"x\\n{secret}\\\"}}"#);
    let table = [
        ("plain", format!("it is {secret}, you see\n")),
        ("no line end", secret.clone()),
        ("a value", format!("{{\"a\":\"{secret}\"}}\n")),
        ("behind an escape", format!("{{\"a\":\"one\\n{secret}\\ntwo\"}}\n")),
        ("escaped", format!("{{\"a\":\"{escaped}\"}}\n")),
        ("JSON in JSON", format!("{{\"a\":\"{nested}\"}}\n")),
        ("JSON in JSON in JSON", format!("{{\"a\":\"{twice}\"}}\n")),
        ("percent signs", format!("{{\"a\":\"https://host/?t={percent}\"}}\n")),
        ("percent signs, plain", format!("GET /?t={percent} HTTP/1.1\n")),
        ("base64", format!("{{\"a\":\"see {}\"}}\n", base64(&format!("user:{secret}")))),
        ("base64, plain", format!("{}\n", base64(&secret))),
        ("hexadecimal digits", format!("{hex}\n")),
        ("a key", format!("{{\"{secret}\":1}}\n")),
        ("a pretty document", format!("{{\n  \"a\": [\n    \"{secret}\"\n  ]\n}}\n")),
    ];
    for (what, text) in table {
        let found = found(&text);
        assert_eq!(found.len(), 1, "{what}: {found:?} in {text}");
        assert_eq!(found[0].0, "github-token", "{what}");
        let out = redacted(&text, 7);
        assert!(out.contains("[REDACTED:github-token#1]"), "{what}: {out}");
        assert_eq!(redacted(&out, 4096), out, "{what}: once is enough");
        assert_eq!(redacted(&text, 1), out, "{what}: however it is cut");
    }
}

#[test]
fn every_other_byte_stays() {
    let (one, two) = (token(1), token(2));
    let text = format!(
        "{{\"b\":1.50,\"a\":\"\\u00e9\\/{one}\\u0020\", \"a\":\"{two}\"}}\r\n\
         \tnot json {one}\n{{\"password\":\"Zk4!qvT9xw\"}}\n"
    );
    let expected = "{\"b\":1.50,\"a\":\"\\u00e9\\/[REDACTED:github-token#1]\\u0020\", \
        \"a\":\"[REDACTED:github-token#2]\"}\r\n\
        \tnot json [REDACTED:github-token#1]\n{\"password\":\"[REDACTED:keyed-value#1]\"}\n";
    assert_eq!(redacted(&text, 5), expected);
}

#[test]
fn what_is_found_once_is_found_wherever_it_stands() {
    let text = "DB_PASSWORD=Zk4!qvT9xw\nthen it printed Zk4!qvT9xw and no more\n";
    assert_eq!(
        redacted(text, 64),
        "DB_PASSWORD=[REDACTED:keyed-value#1]\nthen it printed [REDACTED:keyed-value#1] and no more\n"
    );
}

#[test]
fn a_token_keeps_its_place_within_a_value() {
    let secret = token(4);
    for (text, expected) in [
        (
            format!("https://x-access-token:{secret}@example.org/one.git"),
            "https://x-access-token:@@@example.org/one.git",
        ),
        (format!("GITHUB_TOKEN={secret}/20261130/eu"), "GITHUB_TOKEN=@@/20261130/eu"),
        (format!("the token: {secret}."), "the token: @@."),
    ] {
        let expected = expected.replacen("@@", "[REDACTED:github-token#1]", 1);
        assert_eq!(redacted(&text, 64), expected);
        assert_eq!(redacted(&expected, 64), expected, "once is enough");
    }
}

#[test]
fn private_keys_are_found_over_lines_which_keep_their_numbers() {
    let body: String = (0..3).map(|line| format!("{}\n", base64(&token(line))[..48].to_owned())).collect();
    let label = ["RSA PRIVATE", "KEY"].join(" ");
    let key = format!("-----BEGIN {label}-----\n{body}-----END {label}-----");
    let table = [
        ("lines", format!("before\n{key}\nafter\n"), "before\n[REDACTED:private-key#1]\n\n\n\n\nafter\n".to_owned()),
        (
            "one string",
            format!("{{\"a\":\"{}\\n\"}}\n", key.replace('\n', "\\n")),
            "{\"a\":\"[REDACTED:private-key#1]\\n\"}\n".to_owned(),
        ),
        (
            "cut",
            format!("x\n-----BEGIN {label}-----\n{body}\nand so on it goes, for as long as it likes\n"),
            "x\n[REDACTED:private-key#1]\n\n\n\n\nand so on it goes, for as long as it likes\n".to_owned(),
        ),
    ];
    for (what, text, expected) in table {
        assert_eq!(redacted(&text, 16), expected, "{what}");
    }
    let public = key.replace("RSA PRIVATE", "PUBLIC");
    assert_eq!(redacted(&public, 16), public);
}

#[test]
fn logins_of_addresses_and_headers_are_found() {
    let secret = "q7Rt0pLx2vBn8sKd";
    for (text, kind) in [
        (format!("postgres://app:{secret}@db.example.org/x"), "url-password"),
        (format!("git clone https://{secret}@example.org/x.git"), "url-password"),
        (format!("curl -H 'Authorization: Bearer {secret}'"), "authorization"),
        (format!("{{\"authorization\":\"Basic {}\"}}", base64(&format!("me:{secret}"))), "authorization"),
        (format!("export API_KEY=\"{secret}\""), "keyed-value"),
        (format!("mysql --password {secret} -u me"), "keyed-value"),
        (format!("<clientSecret>{secret}</clientSecret>"), "keyed-value"),
        (format!("env['token'] = '{secret}'"), "keyed-value"),
    ] {
        let found = found(&text);
        assert!(found.len() == 1 && found[0].0 == kind, "{text}: {found:?}");
    }
    for text in [
        "postgres://app:${DB_PASSWORD}@db/x",
        "https://example.org/@me:x",
        "Authorization: Bearer $TOKEN",
        "if (apiKey == \"q7Rt0pLx2vBn8sKd\") {",
        "const token = getToken();",
        "password: string;",
        "\"input_tokens\": 123456789",
        "password=os.environ[\"DB_PASSWORD\"]",
        "token: <your-token-here-1>",
        "secret_name: my-secret-1a2b3c",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod-AbCdEf",
        "http://user:password@example.org/",
        "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "export ANTHROPIC_API_KEY=sk-ant-...",
        "token: mio::Token,",
        "let token = input.parse::<Token>()",
    ] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
    }
}

#[test]
fn a_secret_that_is_told_in_pieces_is_found() {
    let secret = token(9);
    let escaped = format!("\\n{secret}");
    let anthropic = |piece: &str| {
        format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{piece}"}}}}"#)
    };
    let openai = |piece: &str| format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{piece}"}}}}]}}"#);
    let codex = |piece: &str| format!(r#"{{"type":"response.output_text.delta","item_id":"m1","delta":"{piece}"}}"#);
    let forms: [&dyn Fn(&str) -> String; 3] = [&anthropic, &openai, &codex];
    for form in forms {
        for cut in [3, 7, 20, 39] {
            let (one, two) = escaped.split_at(cut);
            let lines =
                [form("it is "), form(one), form(two), form(", you see"), "{\"done\":true}".to_owned(), String::new()];
            let text = lines.join("\n");
            let expected = [
                form("it is "),
                form("\\n[REDACTED:github-token#1]"),
                form(""),
                form(", you see"),
                lines[4].clone(),
                String::new(),
            ];
            for piece in [3, 4096] {
                assert_eq!(redacted(&text, piece), expected.join("\n"), "cut at {cut}");
            }
        }
    }
    // Two messages at once: what belongs to the other one lies between.
    let other = |piece: &str| anthropic(piece).replace("\"index\":0", "\"index\":1");
    let (one, two) = secret.split_at(15);
    let text = [anthropic(one), other("else"), anthropic(two)].join("\n");
    assert_eq!(redacted(&text, 64), [anthropic("[REDACTED:github-token#1]"), other("else"), anthropic("")].join("\n"));
}

#[test]
fn what_a_command_printed_whose_output_is_a_credential_goes_as_a_whole() {
    let claude = |command: &str| {
        format!(
            r#"{{"content":[{{"type":"tool_use","id":"toolu_1","name":"Bash","input":{{"command":"{command}"}}}}]}}"#
        )
    };
    let printed = |text: &str| {
        format!(
            r#"{{"content":[{{"tool_use_id":"toolu_1","content":"{text}"}}],"toolUseResult":{{"stdout":"{text}"}}}}"#
        )
    };
    let codex = |command: &str| {
        format!(r#"{{"type":"function_call","arguments":"{{\"command\":\"{command}\"}}","call_id":"call_1"}}"#)
    };
    let codex_printed =
        |text: &str| format!(r#"{{"type":"function_call_output","call_id":"call_1","output":"{text}"}}"#);
    let marker = "[REDACTED:command-output#1]";
    let table = [
        (claude("gh auth token"), printed("not-like-one\\n"), printed(marker)),
        (claude("cat ~/.aws/credentials"), printed("whatever"), printed(marker)),
        (codex("op read op://x/y"), codex_printed("whatever"), codex_printed(marker)),
    ];
    for (call, output, expected) in table {
        let between = "{\"a\":\"between\"}";
        let text = [&call, between, &output].join("\n");
        let out = redacted(&text, 9);
        assert_eq!(out, [&call, between, &expected].join("\n"));
        assert_eq!(redacted(&out, 9), out, "once is enough");
    }
    let other = [claude("gh auth status"), printed("whatever")].join("\n");
    assert_eq!(redacted(&other, 9), other);
}

#[test]
fn markers_that_stand_there_keep_their_numbers() {
    let secret = token(5);
    let text = format!("[REDACTED:github-token#3] and {secret}, [REDACTED:github-token#x]\n");
    assert_eq!(redacted(&text, 8), text.replace(&secret, "[REDACTED:github-token#4]"));
}

#[test]
fn a_key_without_an_end_takes_no_line_of_json_along() {
    let label = ["PRIVATE", "KEY"].join(" ");
    let body = base64(&token(6).repeat(3));
    let line = format!("{{\"signature\":\"{}\",\"n\":1}}\n", base64(&token(7).repeat(3)).replace(['+', '/'], "x"));
    let text = format!("torn -----BEGIN {label}-----\n{body}\n{line}{line}");
    assert_eq!(redacted(&text, 32), format!("torn [REDACTED:private-key#1]\n\n{line}{line}"));
}
