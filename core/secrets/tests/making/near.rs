//! Texts that come near: names, numbers and ids that stand beside the word for a secret, as transcripts are full of.

use super::decoys::{Decoy, decoy, word};
use super::{BASE36, BASE62, BASE64, DIGITS, HEX, LOWER, URL_SAFE, padded};

pub(crate) const NEAR: &[Decoy] = &[
    decoy("output of grep", |r| {
        let (file, line) = (*r.pick(&["token", "secrets", "api_key", "password", "auth_token"]), r.between(10, 4000));
        let code = *r.pick(&["const", "func", "pub", "export", "return", "import", "//", "if"]);
        let ending = *r.pick(&["rs", "go", "ts", "py", "test.tsx", "kt"]);
        format!("src/{}/{file}.{ending}:{line}:{code} x\nsrc/{file}.{ending}:{line}:{}: note\n", word(r), r.below(99))
    }),
    decoy("types with numbers", |r| {
        r.pick(&[
            "token: TokenStream2,",
            "secret_key: Ed25519PrivateKey,",
            "private_key: RSA2048PrivateKey;",
            "secret: Hmac256Key",
            "let token: Base64Token = parse(input)?;",
            "password: Argon2PasswordHash,",
            "token=Token@6d06d69c secret=SecretKeySpec@fffe8a3b",
            "secret: [u8; 32],",
            "api_key: impl Into<String>,",
            "credential: AWSCredentialV4;",
            "Password string `json:\"password,omitempty\" yaml:\"password\"`",
            "token: Token![=>],",
        ])
        .to_string()
    }),
    decoy("ranges of versions", |r| {
        let name = *r.pick(&["jsonwebtoken", "@octokit/auth-token", "password", "csrf-token", "oauth-secret"]);
        let (one, two) = (r.below(20), r.below(99));
        match r.below(4) {
            0 => format!("\"{name}\": \"^{one}.{two}.0-beta.{}\",", r.below(9)),
            1 => format!("\"{name}\": \">={one}.{two}.0 <{}.0.0\",", one + 1),
            2 => format!("  {name}: ~{one}.{two}.{}", r.below(9)),
            _ => format!("\"{name}@^{one}.{two}.1\":\n  version \"{one}.{two}.7\""),
        }
    }),
    decoy("pages of lists", |r| {
        let cursor = padded(&r.bytes(33));
        let name = *r.pick(&[
            "nextToken",
            "next_page_token",
            "NextToken",
            "pageToken",
            "continuationToken",
            "nextPageToken",
            "syncToken",
            "continuation_token",
            "NextContinuationToken",
            "nextSyncToken",
        ]);
        match r.below(3) {
            0 => format!("{{\"items\":[],\"{name}\":\"{cursor}\"}}"),
            1 => format!("{name}: {cursor}"),
            _ => format!("GET /list?{name}={}", r.of(URL_SAFE, 44)),
        }
    }),
    decoy("assemblies of .NET", |r| {
        format!("System.Text.Json, Version=8.0.0.{}, Culture=neutral, PublicKeyToken={}", r.below(9), r.of(HEX, 16))
    }),
    decoy("styles", |r| {
        let colour = r.of(HEX, 8);
        match r.below(4) {
            0 => format!("--token-color-{}: #{colour};", r.below(9)),
            1 => format!("--password-input-border: {}px solid #{colour};", r.below(9)),
            2 => format!("\"debugTokenExpression.string\": \"#{colour}\",\n\"token.foreground\": \"#{colour}\","),
            _ => format!(".token-{} {{ color: #{colour}; }}", r.of(BASE36, 6)),
        }
    }),
    decoy("texts of programs", |r| {
        r.pick(&[
            "\"password\": \"Passwort:\",",
            "\"forgotPassword\": \"Passwort-vergessen?\",",
            "\"wrong_password\": \"Mot-de-passe-incorrect!\",",
            "msgid \"password\"\nmsgstr \"Wachtwoord\"",
            "\"apiKey\": \"API-Schl\u{fc}ssel\",",
            "\"enterToken\": \"Token/Code:\",",
            "\"password\": \"validation.password.too-short\",",
            "\"token\": \"errors:token_expired\",",
            "\"secret\": \"(optional)\",",
        ])
        .to_string()
    }),
    decoy("forms and patterns", |r| {
        r.pick(&[
            "password_regex = \"^(?=.*[A-Z])(?=.*\\\\d).{8,}$\"",
            "TOKEN_PATTERN = r\"[A-Za-z0-9_-]{20,}\"",
            "token: /^[a-z0-9]{8,}$/i,",
            "token_format: \"%Y-%m-%dT%H:%M\"",
            "\"token\": \"^[0-9a-f]{40}$\",",
            "SECRET_FORMAT='sk-{env}-{n:04d}'",
            "api_key: [REDACTED]",
            "password: {{ .Values.db.password }}",
            "token: !Ref GitHubToken2",
            "token: #{ENV['TOKEN_1']}",
            "password = @DbPassword",
            "password: :db_password_1,",
        ])
        .to_string()
    }),
    decoy("words of models", |r| {
        let id = r.between(100, 200_000);
        let special = *r.pick(&["<|endoftext|>", "<|im_end|>", "[SEP]", "</s>", "<|fim_prefix|>", "<unk>"]);
        match r.below(3) {
            0 => format!("\"eos_token\": \"{special}\",\n\"eos_token_id\": {id},"),
            1 => format!("{{\"id\":{id},\"token\":\"\u{120}{}\",\"logprob\":-0.{}}}", word(r), r.of(DIGITS, 6)),
            _ => format!("{{\"token\":\" {}\",\"bytes\":[32,{},{}]}}", word(r), r.below(255), r.below(255)),
        }
    }),
    decoy("headers of answers", |r| {
        let headers = [
            format!("etag: W/\"{}\"", r.of(HEX, 40)),
            format!("x-request-id: {}", r.uuid()),
            format!("traceparent: 00-{}-{}-01", r.of(HEX, 32), r.of(HEX, 16)),
            format!("x-amz-id-2: {}", padded(&r.bytes(56))),
            format!("content-security-policy: script-src 'nonce-{}'", padded(&r.bytes(16))),
            format!("cf-ray: {}-FRA", r.of(HEX, 16)),
            format!("x-github-request-id: {}:{}:{}", r.of(HEX, 4), r.of(HEX, 6), r.of(HEX, 7)),
            format!("x-oauth-scopes: repo, workflow\nx-ratelimit-used: {}", r.below(5000)),
            format!("digest: sha-256={}", padded(&r.bytes(32))),
            format!("strict-transport-security: max-age={}", r.of(DIGITS, 8)),
        ];
        r.pick(&headers).clone()
    }),
    decoy("lists of what runs", |r| {
        let (set, pod) = (r.of("bcdf2456789", 10), r.of("bcdfghjklmnpqrstvwxz2456789", 5));
        let name = *r.pick(&["token-refresher", "secret-operator", "vault-credential-sync", "password-reset"]);
        match r.below(3) {
            0 => format!("{name}-{set}-{pod}   1/1   Running   0   {}d", r.below(99)),
            1 => format!("{}   {name}:1.2.{}   \"/bin/{name}\"   Up 3 days", r.of(HEX, 12), r.below(9)),
            _ => format!("pod/{name}: {name}-{set}-{pod} created"),
        }
    }),
    decoy("people", |r| {
        let (name, number) = (word(r), r.below(99));
        match r.below(3) {
            0 => format!("secret_owner: {name}{number}@example.com"),
            1 => format!("password reset was sent to {name}.{number}@mail.example.org"),
            _ => format!("token issued to user-{number}, credential: \"{name}.service@project-{number}.example.com\""),
        }
    }),
    decoy("what is public", |r| {
        let keys = [
            format!("{}{}", *r.pick(&["pk_live_", "pk_test_"]), r.of(BASE62, 24)),
            format!("{}-{}.apps.googleusercontent.com", r.of(DIGITS, 12), r.of(BASE36, 32)),
            format!("arn:aws:secretsmanager:eu-west-1:{}:secret:prod/db-{}", r.of(DIGITS, 12), r.of(BASE62, 6)),
            format!("arn:aws:iam::{}:role/token-vending", r.of(DIGITS, 12)),
            format!("client_id={}", r.uuid()),
            format!("G-{} UA-{}-1", r.of("ABCDEFGHJK0123456789", 10), r.of(DIGITS, 8)),
            format!("token_type=urn:ietf:params:oauth:token-type:access_token&client_id={}", r.of(HEX, 20)),
        ];
        r.pick(&keys).clone()
    }),
    decoy("traces of errors", |r| {
        let (line, column) = (r.between(10, 900), r.below(99));
        match r.below(4) {
            0 => format!("    at TokenService.refresh (/app/src/token.service.ts:{line}:{column})"),
            1 => format!("  File \"/app/secrets/token.py\", line {line}, in read_token\n    token = self._token_v2"),
            2 => format!("\tat com.example.SecretStore$Inner.read(SecretStore.java:{line})"),
            _ => {
                format!("thread 'main' panicked at src/token.rs:{line}:{column}:\ninvalid token: Ident(\"x{column}\")")
            }
        }
    }),
    decoy("values of tests", |r| {
        let number = r.below(99);
        let values = [
            format!("token: 'test-token-{number}'"),
            format!("password = \"test_password_{number}\""),
            format!("secret: \"fake-secret-{number}\","),
            format!("apiKey: 'mock-api-key-{number}',"),
            format!("expect(token).toBe('access-token-{number}')"),
            format!("API_KEY=test-key-{number}"),
            format!("\"refreshToken\": \"refresh-token-{number}\""),
            format!("token: \"valid.jwt.token{number}\""),
            format!("password: 'Test1234!example{number}'"),
        ];
        r.pick(&values).clone()
    }),
    decoy("bytes in base64", |r| {
        let count = r.between(40, 900);
        let bytes = padded(&r.bytes(count));
        match r.below(4) {
            0 => format!("data:font/woff2;base64,{bytes}"),
            1 => format!("//# sourceMappingURL=data:application/json;base64,{bytes}"),
            2 => format!("{{\"blob\":\"{bytes}\",\"encoding\":\"base64\"}}"),
            _ => format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", bytes.replace('=', "")),
        }
    }),
    decoy("names in the environment", |r| {
        let name = word(r);
        let lines = [
            format!("AUTH_TOKEN_HEADER=X-Auth-Token-V2\nPASSWORD_RESET_TIMEOUT_DAYS={}", r.below(9)),
            format!("SSH_AUTH_SOCK=/tmp/ssh-{}/agent.{}", r.of(BASE62, 12), r.of(DIGITS, 5)),
            format!("PWD=/home/me/{name}-{}\nOLDPWD=/home/me", r.of(BASE36, 8)),
            "DOCKER_CREDENTIAL_HELPER=osxkeychain\nGIT_ASKPASS=/usr/lib/git-core/git-gui--askpass".to_owned(),
            format!(
                "XDG_SESSION_ID=c{}\nDBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus,guid={}",
                r.below(9),
                r.of(HEX, 32)
            ),
            format!("INVOCATION_ID={}\nJOURNAL_STREAM=8:{}", r.of(HEX, 32), r.of(DIGITS, 5)),
            "SECRETS_BACKEND=vault+kv2\nTOKEN_STORE=redis-v7".to_owned(),
            format!("CACHE_KEY={}\nBUILD_KEY=linux-x64-{}", r.of(HEX, 40), r.of(HEX, 12)),
        ];
        r.pick(&lines).clone()
    }),
    decoy("chance in words", |r| {
        let id = r.of(BASE62, 21);
        let lines = [
            format!("nanoid {id}, short {}", r.of(BASE62, 11)),
            format!("https://youtu.be/{}?si={}", r.of(URL_SAFE, 11), r.of(URL_SAFE, 16)),
            format!("https://docs.google.com/document/d/1{}/edit", r.of(URL_SAFE, 43)),
            format!("webpack chunk {}.{}.js", r.of(LOWER, 6), r.of(HEX, 20)),
            format!("https://gravatar.com/avatar/{}?s=80", r.of(HEX, 32)),
            format!("bundle-{}.br {}", r.of(BASE64, 22).replace('/', "_"), r.of(HEX, 16)),
        ];
        r.pick(&lines).clone()
    }),
];
