//! Texts that hold no secret and look as if they did: one maker for each class of them.

use super::{BASE36, BASE62, BASE64, DIGITS, HEX, LOWER, Random, UPPER, URL_SAFE, padded};

pub(crate) struct Decoy {
    pub(crate) class: &'static str,
    pub(crate) make: fn(&mut Random) -> String,
}

pub(crate) const fn decoy(class: &'static str, make: fn(&mut Random) -> String) -> Decoy {
    Decoy { class, make }
}

pub(crate) const DECOYS: &[Decoy] = &[
    decoy("git log", |r| {
        let (name, from, to) = (word(r), r.of(HEX, 7), r.of(HEX, 7));
        format!(
            "commit {} (HEAD -> main, origin/main)\nMerge: {from} {to}\nAuthor: {name} <{name}@example.org>\n\
             Date:   Mon Nov 30 15:22:57 2026 +0000\n\n    {}\n\nindex {from}..{to} 100644\n",
            r.of(HEX, 40),
            prose(r)
        )
    }),
    decoy("ids of resources", |r| {
        let ulid = format!("01{}", r.of("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24));
        format!("id: {}\nulid: {ulid}\nobject: {}\n", r.uuid(), r.of(HEX, 24))
    }),
    decoy("pointers of LFS", |r| {
        let size = r.below(9_000_000);
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {size}\n", r.of(HEX, 64))
    }),
    decoy("lock file of npm", |r| {
        let name = word(r);
        let url = format!("https://registry.npmjs.org/{name}/-/{name}-1.{}.0.tgz", r.below(40));
        let sum = padded(&r.bytes(64));
        format!("\"node_modules/{name}\": {{\n  \"resolved\": \"{url}\",\n  \"integrity\": \"sha512-{sum}\",\n}},\n")
    }),
    decoy("lock file of cargo", |r| {
        let name = *r.pick(&["secrecy", "token-stream", "password-hash", "keyring", "serde"]);
        let at = "registry+https://github.com/rust-lang/crates.io-index";
        format!("[[package]]\nname = \"{name}\"\nsource = \"{at}\"\nchecksum = \"{}\"\n", r.of(HEX, 64))
    }),
    decoy("lock file of pip", |r| {
        format!(
            "{}==1.2.{} \\\n    --hash=sha256:{} \\\n    --hash=sha256:{}\n",
            word(r),
            r.below(9),
            r.of(HEX, 64),
            r.of(HEX, 64)
        )
    }),
    decoy("other lock files", |r| match r.below(4) {
        0 => format!("golang.org/x/crypto v0.{}.0 h1:{}\n", r.below(40), padded(&r.bytes(32))),
        1 => format!("  checksum: 10c0/{}\n  languageName: node\n", r.of(HEX, 128)),
        2 => format!("  hash = \"sha256-{}\";\n", padded(&r.bytes(32))),
        _ => format!("    resolution: {{integrity: sha512-{}}}\n", padded(&r.bytes(64))),
    }),
    decoy("ids of models' messages", |r| {
        let ids = [
            format!("toolu_01{}", r.of(BASE62, 22)),
            format!("msg_01{}", r.of(BASE62, 22)),
            format!("req_011C{}", r.of(BASE62, 20)),
            format!("call_{}", r.of(BASE62, 24)),
            format!("chatcmpl-{}", r.of(BASE62, 29)),
            format!("resp_{}", r.of(HEX, 48)),
            format!("fc_{}", r.of(HEX, 48)),
            format!("rs_{}", r.of(HEX, 48)),
            format!("thread_{}", r.of(BASE62, 24)),
        ];
        format!("it used {} and then {}\n", r.pick(&ids), r.pick(&ids))
    }),
    decoy("placeholders", |r| {
        r.pick(&[
            "export OPENAI_API_KEY=sk-...",
            "GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "token: ${GITHUB_TOKEN}",
            "token: ${{ secrets.GITHUB_TOKEN }}",
            "password: \"changeme\"",
            "API_KEY=your-api-key-here",
            "api_key = \"<your-api-key>\"",
            "SECRET_KEY=replace-me-with-a-long-random-string",
            "TOKEN=\"$(cat /run/secrets/token)\"",
            "curl -H \"Authorization: Bearer $TOKEN\" https://host/it",
            "curl -H 'Authorization: Bearer <token>' https://host/it",
            "Authorization: Basic ${CREDENTIALS}",
            "Authorization: Bearer YOUR_ACCESS_TOKEN_HERE",
            "DATABASE_URL=postgres://user:${DB_PASSWORD}@db:5432/app",
            "set PASSWORD=%PASSWORD%",
            "password=********",
            "\"token\": \"[REDACTED:github-token#1]\"",
        ])
        .to_string()
            + "\n"
    }),
    decoy("code that reads and compares", |r| {
        r.pick(&[
            "if (apiKey === \"\" || token == null) { return false; }",
            "if api_key == \"\" { return Err(Error::MissingApiKey) }",
            "assert_eq!(token, expected_token);",
            "if (password !== confirmPassword) setError('passwords differ');",
            "const token = await getToken();",
            "let secret = std::env::var(\"SECRET\")?;",
            "token = os.environ.get(\"TOKEN\")",
            "token = os.environ['GITHUB_TOKEN']",
            "self.token = token",
            "this.accessToken = response.data.accessToken;",
            "api_key: Option<String>,",
            "password: string;",
            "password: str = Field(min_length=12)",
            "const { token, secret } = req.body;",
            "const apiKey = process.env.OPENAI_API_KEY ?? '';",
            "token := strings.TrimPrefix(header, \"Bearer \")",
            "private final String password;",
            "def login(self, username: str, password: str) -> Token:",
            "if token.kind != TokenKind::Ident { return None }",
            "let token = tokens.next().ok_or(Error::UnexpectedEof)?;",
            "tokens.push(Token { kind: TokenKind::Plus, span });",
            "next_token: Some(Token::Eof),",
            "return secrets.compare_digest(token, self.token)",
            "password = hash_password(password, salt)",
            "headers: { Authorization: `Bearer ${token}` },",
            "match secret.as_deref() { Some(secret) => secret, None => return }",
            "fn token(&self) -> &str { &self.token }",
            "credentials: 'same-origin',",
            "export const tokenStorageKey = 'app.auth.token.v2';",
            "public const string PasswordSignInScheme = \"PasswordSignIn\";",
        ])
        .to_string()
            + "\n"
    }),
    decoy("counts", |r| {
        let (input, output) = (r.below(900_000), r.below(90_000));
        match r.below(5) {
            0 => format!("input_tokens: {input}, output_tokens: {output}\n"),
            1 => format!("{{\"input_tokens\":{input},\"cache_read_input_tokens\":{output}}}\n"),
            2 => format!("max_tokens={input} token_budget={output}\n"),
            3 => format!("tokens used: {input} total_token_count: {output}\n"),
            _ => format!("token: {input}\nsecret_version: {output}\n"),
        }
    }),
    decoy("output of tests", |r| {
        let name = *r.pick(&["TokenRefresh", "PasswordHash", "SecretStore", "ApiKeyRotation"]);
        match r.below(4) {
            0 => format!("=== RUN   Test{name}/expired_token\n--- PASS: Test{name} (0.0{}s)\n", r.below(9)),
            1 => format!("test auth::token::tests::refreshes_{} ... ok\n", word(r)),
            2 => format!("tests/test_{}.py::test_password_is_hashed PASSED [ {}%]\n", word(r), r.below(99)),
            _ => format!("  ✓ {name} > returns a token ({} ms)\n", r.below(99)),
        }
    }),
    decoy("names in humps", |r| {
        let parts =
            ["access", "Token", "Expiration", "Seconds", "Password", "Secret", "Provider", "Manager", "Default"];
        let mut name = || format!("{}{}{}{}", word(r), r.pick(&parts), r.pick(&parts), r.pick(&parts));
        format!("{} = {};\nnew {}({});\n", name(), name(), name(), name())
    }),
    decoy("paths", |r| {
        let (one, two) = (word(r), word(r));
        match r.below(5) {
            0 => format!(
                "/Users/{one}.{two}/Library/Application Support/Code/User/globalStorage/SomeOne.Thing-{two}/x.json\n"
            ),
            1 => format!("SECRET_FILE=/run/secrets/{one}_password\n"),
            2 => format!("token_path: ~/.config/{one}/hosts.yml\n"),
            3 => format!("password = \"./{one}/{two}/Password.kt\"\n"),
            _ => format!("src/main/java/org/{one}/AuthTokenProviderFactoryBean{two}.java:12: token\n"),
        }
    }),
    decoy("images", |r| {
        let count = r.between(60, 400);
        let image = format!("iVBORw0KGgoAAAANSUhEUgAA{}", padded(&r.bytes(count)));
        match r.below(2) {
            0 => format!("![it](data:image/png;base64,{image})\n"),
            _ => format!(
                "{{\"type\":\"image\",\"source\":{{\"type\":\"base64\",\
                 \"media_type\":\"image/png\",\"data\":\"{image}\"}}}}\n"
            ),
        }
    }),
    decoy("minified JavaScript", |r| {
        let name = r.of(LOWER, 1);
        format!(
            "!function(e,t){{var {name}=e.token||t.apiKey;if(!{name})throw Error(\"token required\");\
             t.password=e.password,t.secret=function(){{return {name}}},n.tokenize=r,\
             o.Token={{kind:\"Ident\"}}}}(this,{});\n",
            r.below(99)
        )
    }),
    decoy("maps of sources", |r| {
        let groups: Vec<String> = (0..30).map(|_| format!("{}A{}", r.of("ACEGIKMOQSUWY", 1), r.of(LOWER, 2))).collect();
        format!("{{\"version\":3,\"file\":\"main.{}.js\",\"mappings\":\"{}\"}}\n", r.of(HEX, 8), groups.join(";"))
    }),
    decoy("Terraform", |r| {
        let name = word(r);
        let texts = [
            format!("resource \"aws_db_instance\" \"{name}\" {{\n  password = var.{name}_password\n}}\n"),
            format!("  token = data.aws_eks_cluster_auth.{name}.token\n"),
            format!("  secret_name = \"{name}-db-credentials\"\n  secret_id   = aws_secretsmanager_secret.{name}.id\n"),
            "variable \"db_password\" {\n  type      = string\n  sensitive = true\n}\n".to_owned(),
            format!("  password = random_password.{name}.result\n"),
        ];
        r.pick(&texts).clone()
    }),
    decoy("Kubernetes", |r| {
        let name = word(r);
        let texts = [
            format!(
                "  - name: DB_PASSWORD\n    valueFrom:\n      secretKeyRef:\n  \
                 \u{20}     name: {name}-credentials\n        key: password\n"
            ),
            "  - serviceAccountToken:\n      path: token\n      expirationSeconds: 3600\n".to_owned(),
            format!("  image: ghcr.io/{name}/{name}@sha256:{}\n", r.of(HEX, 64)),
            format!("  imagePullSecrets:\n    - name: {name}-registry-credentials\n"),
            format!("  secretName: {name}-tls-secret-production\n"),
            "  automountServiceAccountToken: false\n".to_owned(),
        ];
        r.pick(&texts).clone()
    }),
    decoy("tables of tests", |r| {
        let (one, two) = (word(r), word(r));
        let texts = [
            format!(
                "{{name: \"empty token\", token: \"\", want: false}},\n\
                 {{name: \"{one}\", token: \"abc\", want: true}},\n"
            ),
            "(\"password\", \"PASSWORD\"), (\"secret\", \"SECRET\"),\n".to_owned(),
            format!("| {one} | password | required |\n| {two} | token | optional |\n"),
            format!("case(token = \"{one}\", secret = \"{two}\"),\n"),
            "@pytest.mark.parametrize(\"token\", [\"\", \" \", None])\n".to_owned(),
        ];
        r.pick(&texts).clone()
    }),
    decoy("prose", |r| format!("{}. {}.\n", prose(r), prose(r))),
    decoy("digests", |r| match r.below(5) {
        0 => format!("etag: \"{}\"\n", r.of(HEX, 32)),
        1 => format!("cache key: npm-cache-key-{}\n", r.of(HEX, 32)),
        2 => format!("sha256:{} sha1:{}\n", r.of(HEX, 64), r.of(HEX, 40)),
        3 => format!("{}  dist/app-{}.tar.gz\n", r.of(HEX, 64), r.of(HEX, 8)),
        _ => format!("digest = {}\nfingerprint: SHA256:{}\n", padded(&r.bytes(32)), r.of(BASE64, 43)),
    }),
    decoy("public keys", |r| match r.below(3) {
        0 => format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} {}@host\n", r.of(BASE64, 43), word(r)),
        1 => format!("-----BEGIN CERTIFICATE-----\nMII{}\n-----END CERTIFICATE-----\n", r.of(BASE64, 61)),
        _ => format!("-----BEGIN PUBLIC KEY-----\nMII{}\n-----END PUBLIC KEY-----\n", r.of(BASE64, 61)),
    }),
    decoy("schemas", |r| {
        let name = word(r);
        let texts = [
            "{\"token_type\":\"bearer\",\"expires_in\":3600}\n".to_owned(),
            "{\"password\":{\"type\":\"string\",\"minLength\":12}}\n".to_owned(),
            format!("{{\"required\":[\"token\",\"secret\",\"{name}\"]}}\n"),
            format!("{{\"secret\":{{\"$ref\":\"#/components/schemas/{name}\"}}}}\n"),
            "{\"token\":null,\"password\":false,\"apiKey\":\"\"}\n".to_owned(),
            "{\"description\":\"The token that the server gave. Send it in the header.\"}\n".to_owned(),
        ];
        r.pick(&texts).clone()
    }),
    decoy("addresses", |r| {
        let name = word(r);
        let texts = [
            format!("https://{name}@github.com/{name}/one.git"),
            format!("git@github.com:{name}/one.git"),
            format!("ssh://git@host.example:2222/{name}.git"),
            format!("https://example.org/{name}?key=value&token=#at"),
            format!("https://host/it?id={}&v={}", r.uuid(), r.of(HEX, 8)),
            format!("redis://localhost:6379/{}", r.below(9)),
        ];
        r.pick(&texts).clone() + "\n"
    }),
    decoy("pages", |r| {
        r.pick(&[
            "<input type=\"password\" name=\"password\" autocomplete=\"current-password\">",
            "<label for=\"token\">Token</label>",
            "<meta name=\"csrf-token\" content=\"{{ csrf_token }}\">",
            "<a href=\"/settings/tokens\" class=\"token-list token--active\">Tokens</a>",
            ".token.punctuation { color: #999; } .token-string { color: #690; }",
        ])
        .to_string()
            + "\n"
    }),
    decoy("log lines", |r| {
        let (id, time) = (r.of(HEX, 16), r.below(59));
        format!("2026-11-30T15:22:{time:02}.123Z INFO trace={id}{id} span={id} token refreshed user={}\n", r.uuid())
    }),
    decoy("names of files that were built", |r| {
        format!(
            "assets/index-{}.js  {}.{} kB\nchunk-{}.mjs\n",
            r.of(URL_SAFE, 8),
            r.below(99),
            r.below(99),
            r.of(UPPER, 8)
        )
    }),
    decoy("numbers of versions", |r| {
        format!("{}@{}.{}.{}-canary.{}\n", word(r), r.below(9), r.below(9), r.below(99), r.of(BASE36, 8))
    }),
    decoy("longer words with a token's beginning", |r| {
        let begin =
            *r.pick(&["sk-", "hf_", "pat", "re_", "fc-", "cio", "npm_", "SG.", "key-", "glpat-", "xoxb-", "dapi"]);
        format!("use {begin}{} or {}{begin}{}\n", word(r), word(r), word(r))
    }),
    decoy("assembly and dumps", |r| {
        let at = r.below(9999);
        format!("{at:08x}  {}  |................|\n  mov eax, 0x{}\n", r.of(HEX, 32), r.of(HEX, 8))
    }),
    decoy("signatures", |r| {
        let count = r.between(120, 600);
        let signature = padded(&r.bytes(count));
        let key = *r.pick(&["signature", "thoughtSignature", "encrypted_content"]);
        format!("{{\"type\":\"thinking\",\"thinking\":\"{}\",\"{key}\":\"{signature}\"}}\n", prose(r))
    }),
    decoy("telephone and times", |r| {
        format!(
            "+49 {} {}, {}:AA-{}, 17{}\n",
            r.of(DIGITS, 3),
            r.of(DIGITS, 8),
            r.of(DIGITS, 6),
            word(r),
            r.of(DIGITS, 8)
        )
    }),
];

pub(crate) fn word(r: &mut Random) -> String {
    const WORDS: [&str; 24] = [
        "river",
        "garden",
        "token",
        "secret",
        "widget",
        "parser",
        "orders",
        "billing",
        "auth",
        "session",
        "payload",
        "kernel",
        "cluster",
        "backend",
        "metrics",
        "password",
        "credential",
        "harbor",
        "lantern",
        "meadow",
        "compiler",
        "router",
        "editor",
        "archive",
    ];
    (*r.pick(&WORDS)).to_owned()
}

fn prose(r: &mut Random) -> String {
    const SENTENCES: [&str; 16] = [
        "The token is sent in the header",
        "Set the password: it must have twelve characters",
        "A secret: nobody reads the manual",
        "Rotate the credentials every 90 days",
        "password: required, at least one digit",
        "The API key is read from the environment",
        "Each token = one word, more or less",
        "Use --token or the variable GITHUB_TOKEN",
        "Pass --password to be asked for it",
        "Bearer tokens are like cash",
        "Basic authentication is not supported any more",
        "The tokenizer splits it into tokens: words, signs and numbers",
        "Your access token expired, log in again",
        "We keep the secret key in a vault",
        "Fix the token refresh: race between two requests",
        "Add a test that the password is hashed",
    ];
    (*r.pick(&SENTENCES)).to_owned()
}
