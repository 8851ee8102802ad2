//! For each kind of token one that makes such tokens as its provider describes them.

use super::{
    BASE32, BASE36, BASE62, BASE64, DIGITS, HEX, HEX_UPPER, LOWER, Random, UPPER, URL_SAFE, base64, crc32, in_digits,
    padded,
};

/// What makes tokens of a kind.
pub(crate) struct Sample {
    pub(crate) kind: &'static str,
    /// What stands before it and is no part of it.
    pub(crate) before: &'static str,
    /// How much of it is too little.
    pub(crate) little: Little,
    pub(crate) make: fn(&mut Random) -> String,
}

#[derive(Clone, Copy)]
pub(crate) enum Little {
    /// All but the last character.
    ButOne,
    /// So many characters, or all but the last one.
    First(usize),
}

const fn sample(kind: &'static str, make: fn(&mut Random) -> String) -> Sample {
    Sample { kind, before: "", little: Little::ButOne, make }
}

impl Sample {
    const fn behind(self, before: &'static str) -> Self {
        Self { before, ..self }
    }

    const fn too_little(self, characters: usize) -> Self {
        Self { little: Little::First(characters), ..self }
    }
}

pub(crate) const SAMPLES: &[Sample] = &[
    // Code.
    sample("github-token", |r| {
        let begin = *r.pick(&["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]);
        with_crc(r, begin)
    }),
    sample("github-app-token", |r| format!("ghs_{}_{}", r.between(1000, 9_999_999), jwt(r))).too_little(40),
    sample("github-pat", |r| format!("github_pat_{}_{}", r.of(BASE62, 22), r.of(BASE62, 59))),
    sample("gitlab-pat", |r| gitlab(r, "glpat-", URL_SAFE, 20)).too_little(25),
    sample("gitlab-trigger-token", |r| gitlab(r, "glptt-", HEX, 40)).too_little(25),
    sample("gitlab-deploy-token", |r| gitlab(r, "gldt-", URL_SAFE, 20)).too_little(24),
    sample("gitlab-runner-token", |r| {
        let begin = *r.pick(&["glrt-", "glrt-t1_", "glrtr-", "GR1348941"]);
        gitlab(r, begin, URL_SAFE, 20)
    })
    .too_little(20),
    sample("gitlab-job-token", |r| match r.below(2) {
        0 => format!("glcbt-{}_{}", r.of(BASE36, 2), r.of(URL_SAFE, 20)),
        _ => format!("glcbt-{}", jwt(r)),
    })
    .too_little(20),
    sample("gitlab-feed-token", |r| gitlab(r, "glft-", URL_SAFE, 20)).too_little(24),
    sample("gitlab-scim-token", |r| gitlab(r, "glsoat-", URL_SAFE, 20)).too_little(26),
    sample("gitlab-mail-token", |r| gitlab(r, "glimt-", BASE36, 25)).too_little(25),
    sample("gitlab-agent-token", |r| gitlab(r, "glagent-", URL_SAFE, 50)).too_little(57),
    sample("gitlab-oauth-secret", |r| format!("gloas-{}", r.of(HEX, 64))),
    sample("gitlab-feature-flags-token", |r| gitlab(r, "glffct-", URL_SAFE, 20)).too_little(26),
    sample("bitbucket-app-password", |r| format!("ATBB{}{}", r.of(BASE62, 24), r.of(HEX_UPPER, 8))),
    sample("atlassian-api-token", |r| format!("ATATT3xFfGF0{}={}", r.of(URL_SAFE, 171), r.of(HEX_UPPER, 8)))
        .too_little(105),
    sample("atlassian-access-token", |r| format!("ATCTT3xFfGN0{}={}", r.of(URL_SAFE, 171), r.of(HEX_UPPER, 8)))
        .too_little(105),
    sample("npm-token", |r| with_crc(r, "npm_")),
    sample("pypi-token", |r| {
        // A macaroon: the place that it is for, an identity, a signature.
        let place = *r.pick(&["pypi.org", "test.pypi.org"]);
        let mut bytes = vec![2, 1, u8::try_from(place.len()).unwrap()];
        bytes.extend(place.as_bytes());
        bytes.extend([2, 0x24]);
        bytes.extend(r.uuid().as_bytes());
        bytes.extend([0, 2, 0x2C]);
        let rest = r.between(80, 120);
        bytes.extend(r.bytes(rest));
        format!("pypi-{}", base64(URL_SAFE, &bytes))
    })
    .too_little(60),
    sample("rubygems-key", |r| format!("rubygems_{}", r.of(HEX, 48))),
    sample("crates-io-token", |r| format!("cio{}", r.of(BASE62, 32))),
    sample("nuget-key", |r| format!("oy2{}", r.of(&BASE32.to_lowercase(), 43))),
    sample("docker-token", |r| match r.below(2) {
        0 => format!("dckr_pat_{}", r.of(URL_SAFE, 27)),
        _ => format!("dckr_oat_{}", r.of(URL_SAFE, 32)),
    }),
    sample("clojars-token", |r| format!("CLOJARS_{}", r.of(HEX, 60))),
    sample("artifactory-token", |r| match r.below(2) {
        0 => base64(BASE64, format!("reftkn:01:{}:{}", r.of(DIGITS, 10), r.of(BASE62, 27)).as_bytes()),
        _ => format!("AKCp{}", r.of(BASE62, 69)),
    }),
    sample("circleci-token", |r| {
        let begin = *r.pick(&["CCIPAT_", "CCIPRJ_"]);
        format!("{begin}{}_{}", r.of(BASE62, 22), r.of(HEX, 40))
    }),
    sample("buildkite-token", |r| format!("bkua_{}", r.of(HEX, 40))),
    sample("sonar-token", |r| format!("{}{}", *r.pick(&["squ_", "sqp_", "sqa_"]), r.of(HEX, 40))),
    sample("sourcegraph-token", |r| {
        let begin = match r.below(3) {
            0 => String::new(),
            1 => "local_".into(),
            _ => r.of(HEX, 16) + "_",
        };
        format!("sgp_{begin}{}", r.of(HEX, 40))
    }),
    sample("json-web-token", jwt).too_little(30),
    sample("age-key", |r| format!("AGE-SECRET-KEY-1{}", r.of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58))),
    sample("terraform-token", |r| format!("{}.atlasv1.{}", r.of(BASE62, 14), r.of(BASE62, 67))).too_little(80),
    // Clouds.
    sample("aws-access-key", |r| format!("{}{}", *r.pick(&["AKIA", "ASIA", "ABIA", "ACCA"]), r.of(BASE32, 16))),
    sample("aws-session-token", |r| {
        let mut bytes = b"!\n\torigin_ec".to_vec();
        let rest = r.between(240, 700);
        bytes.extend(r.bytes(rest));
        padded(&bytes)
    })
    .too_little(190),
    sample("aws-bedrock-key", |r| match r.below(2) {
        0 => {
            let account = r.of(DIGITS, 12);
            let secret = format!("BedrockAPIKey-{}-at-{account}:{}", r.of(BASE36, 4), r.of(BASE64, 44));
            format!("ABSK{}", padded(secret.as_bytes()))
        }
        _ => {
            let address = format!("bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Date={}", r.of(BASE62, 200));
            format!("bedrock-api-key-{}", padded(address.as_bytes()))
        }
    })
    .too_little(85),
    sample("google-api-key", |r| format!("AIza{}", r.of(URL_SAFE, 35))),
    sample("google-oauth-token", |r| {
        let count = r.between(100, 220);
        format!("ya29.{}", r.of(URL_SAFE, count))
    })
    .too_little(30),
    sample("google-refresh-token", |r| {
        let count = r.between(90, 110);
        format!("1//0{}", r.of(URL_SAFE, count))
    })
    .too_little(60),
    sample("google-oauth-secret", |r| format!("GOCSPX-{}", r.of(URL_SAFE, 28))),
    sample("azure-client-secret", |r| {
        let (alphabet, count) = (format!("{BASE62}_~.-"), r.between(31, 34));
        format!("{}{}Q~{}{}", r.of(BASE62, 3), r.of(DIGITS, 1), r.of(&alphabet, count - 1), r.of(BASE62, 1))
    })
    .too_little(36),
    sample("azure-storage-key", |r| padded(&r.bytes(64))).behind("AccountKey="),
    sample("azure-storage-key", |r| format!("{}+ASt{}==", r.of(BASE64, 76), r.of(BASE64, 6))),
    sample("azure-shared-access-key", |r| padded(&r.bytes(32))).behind("SharedAccessKey="),
    sample("azure-sas-signature", |r| {
        let signature = padded(&r.bytes(32));
        match r.below(2) {
            0 => signature,
            _ => signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"),
        }
    })
    .behind("https://host/it?sv=2024-11-04&sig=")
    .too_little(42),
    sample("azure-devops-pat", |r| format!("{}AZDO{}", r.of(BASE62, 76), r.of(BASE62, 4))),
    sample("azure-key", |r| format!("{}JQQJ99{}", r.of(BASE62, 52), r.of(BASE62, 26))),
    sample("azure-cosmos-key", |r| format!("{}ACDb{}==", r.of(BASE64, 76), r.of(BASE64, 6))),
    sample("azure-registry-key", |r| format!("{}+ACR{}", r.of(BASE64, 42), r.of(BASE62, 6))),
    sample("azure-function-key", |r| format!("{}AzFu{}==", r.of(URL_SAFE, 44), r.of(URL_SAFE, 6))),
    sample("azure-search-key", |r| format!("{}AzSe{}", r.of(BASE62, 42), r.of(BASE62, 6))),
    sample("digitalocean-token", |r| format!("{}{}", *r.pick(&["dop_v1_", "doo_v1_", "dor_v1_"]), r.of(HEX, 64))),
    sample("heroku-key", |r| match r.below(2) {
        0 => format!("HRKU-AA{}", r.of(URL_SAFE, 58)),
        _ => format!("HRKU-{}", r.uuid()),
    }),
    sample("fly-token", |r| match r.below(2) {
        0 => {
            let begin = *r.pick(&["fm1r_", "fm1a_", "fm2_"]);
            let count = r.between(120, 300);
            format!("{begin}{}", padded(&r.bytes(count)))
        }
        _ => format!("fo1_{}", r.of(URL_SAFE, 43)),
    })
    .too_little(46),
    sample("netlify-token", |r| format!("{}{}", *r.pick(&["nfp_", "nfc_", "nfo_", "nfu_"]), r.of(BASE62, 36))),
    sample("vercel-token", |r| format!("{}{}", *r.pick(&["vcp_", "vci_", "vca_", "vcr_", "vck_"]), r.of(BASE62, 56)))
        .too_little(27),
    sample("render-key", |r| format!("rnd_{}", r.of(BASE62, 28))),
    sample("cloudflare-token", |r| {
        let begin = *r.pick(&["cfk_", "cfut_", "cfat_"]);
        format!("{begin}{}{}", r.of(BASE62, 40), r.of(HEX, 8))
    })
    .too_little(43),
    sample("cloudflare-origin-ca-key", |r| format!("v1.0-{}-{}", r.of(HEX, 24), r.of(HEX, 146))),
    sample("supabase-token", |r| format!("sbp_{}", r.of(HEX, 40))),
    sample("supabase-secret-key", |r| format!("sb_secret_{}_{}", r.of(URL_SAFE, 22), r.of(URL_SAFE, 8))),
    sample("planetscale-token", |r| {
        let begin = *r.pick(&["pscale_tkn_", "pscale_pw_", "pscale_oauth_"]);
        format!("{begin}{}", r.of(URL_SAFE, 43))
    })
    .too_little(40),
    sample("neon-key", |r| format!("napi_{}", r.of(BASE36, 64))),
    sample("databricks-token", |r| format!("dapi{}{}", r.of(HEX, 32), *r.pick(&["", "-2", "-3"]))).too_little(35),
    sample("tailscale-key", |r| {
        let begin = *r.pick(&["tskey-auth-", "tskey-api-", "tskey-client-", "tskey-scim-", "tskey-webhook-"]);
        format!("{begin}k{}CNTRL-{}", r.of(BASE62, 6), r.of(BASE62, 32))
    })
    .too_little(35),
    sample("vault-token", |r| match r.below(2) {
        0 => format!("{}{}", *r.pick(&["hvs.", "hvr."]), r.of(BASE62, 24)),
        _ => {
            let count = r.between(90, 140);
            format!("{}{}", *r.pick(&["hvs.", "hvb."]), r.of(URL_SAFE, count))
        }
    })
    .too_little(27),
    sample("pulumi-token", |r| format!("pul-{}", r.of(HEX, 40))),
    sample("openshift-token", |r| format!("sha256~{}", r.of(URL_SAFE, 43))),
    sample("infracost-key", |r| format!("ico-{}", r.of(BASE62, 32))),
    // Models.
    sample("openai-key", |r| match r.below(3) {
        0 => format!("sk-{}T3BlbkFJ{}", r.of(BASE62, 20), r.of(BASE62, 20)),
        1 => format!("sk-proj-{}T3BlbkFJ{}", r.of(URL_SAFE, 74), r.of(URL_SAFE, 74)),
        _ => {
            let begin = *r.pick(&["sk-svcacct-", "sk-admin-"]);
            format!("{begin}{}T3BlbkFJ{}", r.of(URL_SAFE, 58), r.of(URL_SAFE, 58))
        }
    })
    .too_little(47),
    sample("anthropic-key", |r| format!("sk-ant-api03-{}AA", r.of(URL_SAFE, 93))).too_little(80),
    sample("anthropic-admin-key", |r| format!("sk-ant-admin01-{}AA", r.of(URL_SAFE, 93))).too_little(80),
    sample("anthropic-oauth-token", |r| {
        let begin = *r.pick(&["sk-ant-oat01-", "sk-ant-ort01-"]);
        format!("{begin}{}AA", r.of(URL_SAFE, 93))
    })
    .too_little(80),
    sample("huggingface-token", |r| {
        let begin = *r.pick(&["hf_", "api_org_"]);
        format!("{begin}{}", r.of(&format!("{LOWER}{UPPER}"), 34))
    }),
    sample("replicate-token", |r| format!("r8_{}", r.of(BASE62, 37))),
    sample("groq-key", |r| format!("gsk_{}", r.of(BASE62, 52))),
    sample("xai-key", |r| format!("xai-{}", r.of(BASE62, 80))).too_little(70),
    sample("perplexity-key", |r| format!("pplx-{}", r.of(BASE62, 48))),
    sample("openrouter-key", |r| format!("sk-or-v1-{}", r.of(HEX, 64))),
    sample("deepseek-key", |r| format!("sk-{}", r.of(HEX, 32))),
    sample("nvidia-key", |r| format!("nvapi-{}", r.of(URL_SAFE, 64))).too_little(60),
    sample("cerebras-key", |r| format!("csk-{}", r.of(BASE36, 48))),
    sample("together-key", |r| format!("tgp_v1_{}", r.of(URL_SAFE, 43))),
    sample("elevenlabs-key", |r| format!("sk_{}", r.of(HEX, 48))),
    sample("langsmith-key", |r| {
        let begin = *r.pick(&["lsv2_pt_", "lsv2_sk_"]);
        format!("{begin}{}_{}", r.of(HEX, 32), r.of(HEX, 10))
    }),
    sample("langfuse-key", |r| format!("sk-lf-{}", r.uuid())),
    sample("pinecone-key", |r| {
        let count = r.between(5, 6);
        format!("pcsk_{}_{}", r.of(BASE62, count), r.of(BASE62, 63))
    }),
    sample("tavily-key", |r| format!("tvly-{}{}", *r.pick(&["", "dev-", "prod-"]), r.of(BASE62, 32))),
    sample("firecrawl-key", |r| format!("fc-{}", r.of(HEX, 32))),
    sample("e2b-key", |r| format!("e2b_{}", r.of(HEX, 40))),
    // Chat.
    sample("slack-token", |r| {
        let (team, user) = (r.of("123456789", 12), r.of("123456789", 13));
        match r.below(3) {
            0 => format!("xoxb-{team}-{user}-{}", r.of(BASE62, 24)),
            1 => format!("xoxp-{team}-{user}-{user}-{}", r.of(HEX, 32)),
            _ => format!("{}2-{team}-{user}-{}", *r.pick(&["xoxa-", "xoxr-"]), r.of(HEX, 64)),
        }
    })
    .too_little(22),
    sample("slack-rotated-token", |r| {
        let begin = *r.pick(&["xoxe-1-", "xoxe.xoxp-1-", "xoxe.xoxb-1-"]);
        let count = r.between(146, 166);
        format!("{begin}{}", r.of(BASE62, count))
    })
    .too_little(100),
    sample("slack-cookie", |r| {
        let count = r.between(90, 160);
        format!("xoxd-{}", r.of(BASE64, count).replace('+', "%2B").replace('/', "%2F"))
    })
    .too_little(60),
    sample("slack-app-token", |r| {
        format!("xapp-1-A{}-{}-{}", r.of(&format!("{UPPER}{DIGITS}"), 10), r.of(DIGITS, 13), r.of(HEX, 64))
    }),
    sample("slack-webhook", |r| {
        let id = format!("{UPPER}{DIGITS}");
        format!("hooks.slack.com/services/T{}/B{}/{}", r.of(&id, 10), r.of(&id, 10), r.of(BASE62, 24))
    }),
    sample("discord-bot-token", |r| {
        let id = format!("1{}", r.of(DIGITS, 18));
        format!("{}.{}.{}", base64(URL_SAFE, id.as_bytes()), r.of(URL_SAFE, 6), r.of(URL_SAFE, 38))
    })
    .too_little(55),
    sample("discord-bot-token", |r| {
        let id = format!("{}{}", r.of("23456789", 1), r.of(DIGITS, 17));
        format!("{}.{}.{}", base64(URL_SAFE, id.as_bytes()), r.of(URL_SAFE, 6), r.of(URL_SAFE, 27))
    })
    .behind("Authorization: Bot "),
    sample("discord-webhook", |r| {
        let host = *r.pick(&["discord.com", "discordapp.com"]);
        format!("{host}/api/webhooks/1{}/{}", r.of(DIGITS, 18), r.of(URL_SAFE, 68))
    })
    .too_little(100),
    sample("telegram-bot-token", |r| {
        let count = r.between(7, 9);
        format!("{}{}:AA{}", r.of("123456789", 1), r.of(DIGITS, count), r.of(URL_SAFE, 33))
    }),
    sample("teams-webhook", |r| {
        let (group, tenant, owner) = (r.uuid(), r.uuid(), r.uuid());
        format!("webhook.office.com/webhookb2/{group}@{tenant}/IncomingWebhook/{}/{owner}", r.of(HEX, 32))
    }),
    sample("sendgrid-key", |r| format!("SG.{}.{}", r.of(URL_SAFE, 22), r.of(URL_SAFE, 43))),
    sample("mailgun-key", |r| r.of(HEX, 32)).behind("api:key-"),
    sample("mailchimp-key", |r| format!("{}-us{}", r.of(HEX, 32), r.between(1, 21))).too_little(35),
    sample("brevo-key", |r| format!("{}{}-{}", *r.pick(&["xkeysib-", "xsmtpsib-"]), r.of(HEX, 64), r.of(BASE62, 16))),
    sample("resend-key", |r| format!("re_{}_{}", r.of(BASE62, 8), r.of(BASE62, 24))),
    // Payments.
    sample("stripe-key", |r| {
        let begin = *r.pick(&["sk_live_", "sk_test_", "rk_live_", "rk_test_"]);
        let count = *r.pick(&[24, 99]);
        format!("{begin}{}", r.of(BASE62, count))
    })
    .too_little(31),
    sample("stripe-webhook-secret", |r| match r.below(2) {
        0 => format!("whsec_{}", r.of(BASE62, 32)),
        _ => format!("whsec_{}", padded(&r.bytes(32))),
    })
    .too_little(37),
    sample("square-token", |r| match r.below(3) {
        0 => format!("EAAA{}", r.of(URL_SAFE, 60)),
        1 => format!("sq0atp-{}", r.of(URL_SAFE, 22)),
        _ => format!("sq0csp-{}", r.of(URL_SAFE, 43)),
    }),
    sample("braintree-token", |r| {
        let place = *r.pick(&["production", "sandbox"]);
        format!("access_token${place}${}${}", r.of(BASE36, 16), r.of(HEX, 32))
    }),
    sample("shopify-token", |r| format!("{}{}", *r.pick(&["shpat_", "shpca_", "shppa_", "shpss_"]), r.of(HEX, 32))),
    sample("plaid-token", |r| format!("access-{}-{}", *r.pick(&["sandbox", "development", "production"]), r.uuid())),
    sample("paddle-key", |r| {
        let place = *r.pick(&["live", "sdbx"]);
        format!("pdl_{place}_apikey_{}_{}_{}", r.of(BASE36, 26), r.of(BASE62, 22), r.of(BASE62, 3))
    }),
    sample("shippo-token", |r| format!("{}{}", *r.pick(&["shippo_live_", "shippo_test_"]), r.of(HEX, 40))),
    // Services.
    sample("doppler-token", |r| match r.below(2) {
        0 => format!("{}{}", *r.pick(&["dp.pt.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."]), r.of(BASE62, 43)),
        _ => format!("dp.st.{}.{}", *r.pick(&["dev", "prd", "stg_ci"]), r.of(BASE62, 43)),
    })
    .too_little(45),
    sample("1password-token", |r| {
        let claims = format!(r#"{{"signInAddress":"my.1password.com","srpX":"{}"}}"#, r.of(BASE62, 220));
        format!("ops_{}", base64(URL_SAFE, claims.as_bytes()))
    })
    .too_little(200),
    sample("1password-secret-key", |r| {
        let of = "23456789ABCDEFGHJKLMNPQRSTVWXYZ";
        let ends = format!("{}-{}-{}", r.of(of, 5), r.of(of, 5), r.of(of, 5));
        match r.below(2) {
            0 => format!("A3-{}-{}-{ends}", r.of(of, 6), r.of(of, 11)),
            _ => format!("A3-{}-{}-{}-{ends}", r.of(of, 6), r.of(of, 6), r.of(of, 5)),
        }
    }),
    sample("new-relic-key", |r| format!("NRAK-{}", r.of(&format!("{UPPER}{DIGITS}"), 27))),
    sample("new-relic-license-key", |r| match r.below(2) {
        0 => format!("{}FFFFNRAL", r.of(HEX, 32)),
        _ => format!("eu01xx{}FFFFNRAL", r.of(HEX, 26)),
    }),
    sample("sentry-token", |r| format!("{}{}", *r.pick(&["sntryu_", "sntrya_", "sntryi_"]), r.of(HEX, 64))),
    sample("sentry-org-token", |r| {
        let of = format!(r#"{{"iat":17{}.5,"url":"https://sentry.io","org":"{}"}}"#, r.of(DIGITS, 8), r.of(LOWER, 7));
        format!("sntrys_{}_{}", padded(of.as_bytes()), r.of(BASE64, 43))
    }),
    sample("grafana-token", |r| format!("glsa_{}_{}", r.of(BASE62, 32), r.of(HEX, 8))),
    sample("grafana-cloud-token", |r| {
        let of = format!(r#"{{"o":"{}","n":"reader","k":"{}","m":{{"r":"eu"}}}}"#, r.of(DIGITS, 6), r.of(BASE62, 24));
        format!("glc_{}", padded(of.as_bytes()))
    })
    .too_little(60),
    sample("dynatrace-token", |r| {
        let begin = *r.pick(&["dt0c01.", "dt0s01.", "dt0s08."]);
        format!("{begin}{}.{}", r.of(BASE32, 24), r.of(BASE32, 64))
    }),
    sample("posthog-key", |r| format!("phx_{}", r.of(BASE62, 43))),
    sample("linear-key", |r| match r.below(2) {
        0 => format!("lin_api_{}", r.of(BASE62, 40)),
        _ => format!("lin_oauth_{}", r.of(HEX, 64)),
    }),
    sample("notion-token", |r| match r.below(2) {
        0 => format!("ntn_{}{}", r.of(DIGITS, 11), r.of(BASE62, 35)),
        _ => format!("secret_{}", r.of(BASE62, 43)),
    }),
    sample("airtable-token", |r| format!("pat{}.{}", r.of(BASE62, 14), r.of(HEX, 64))),
    sample("figma-token", |r| format!("figd_{}", r.of(URL_SAFE, 40))),
    sample("postman-key", |r| format!("PMAK-{}-{}", r.of(HEX, 24), r.of(HEX, 34))),
    sample("hubspot-token", |r| format!("{}{}", *r.pick(&["pat-na1-", "pat-eu1-"]), r.uuid())),
    sample("contentful-token", |r| format!("CFPAT-{}", r.of(URL_SAFE, 43))),
    sample("mapbox-token", |r| {
        let claims = format!(r#"{{"u":"{}","a":"{}"}}"#, r.of(LOWER, 8), r.of(BASE36, 25));
        format!("sk.{}.{}", base64(URL_SAFE, claims.as_bytes()), r.of(URL_SAFE, 22))
    }),
    sample("prefect-key", |r| format!("{}{}", *r.pick(&["pnu_", "pnb_"]), r.of(BASE62, 36))),
];

fn with_crc(r: &mut Random, begin: &str) -> String {
    let random = r.of(BASE62, 30);
    let sum = in_digits(BASE62, crc32(&random), 6);
    format!("{begin}{random}{sum}")
}

/// As it always was, or with the cell that it belongs to and a checksum.
fn gitlab(r: &mut Random, begin: &str, alphabet: &str, count: usize) -> String {
    if r.below(2) == 0 {
        return format!("{begin}{}", r.of(alphabet, count));
    }
    let payload = format!("{}o:{}\nu:{}", r.of(BASE62, 16), r.of(BASE36, 3), r.of(BASE36, 4));
    let payload = base64(URL_SAFE, payload.as_bytes());
    let length = in_digits(BASE36, u32::try_from(payload.len()).unwrap(), 2);
    let signed = format!("{begin}{payload}.{}{length}", *r.pick(&["", "01."]));
    let sum = in_digits(BASE36, crc32(&signed), 7);
    signed + &sum
}

fn jwt(r: &mut Random) -> String {
    let algorithm = *r.pick(&["HS256", "RS256", "ES256"]);
    let header = match r.below(2) {
        0 => format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#),
        _ => format!(r#"{{"typ":"JWT","alg":"{algorithm}","kid":"{}"}}"#, r.of(HEX, 8)),
    };
    let claims = format!(r#"{{"sub":"{}","iat":17{}}}"#, r.uuid(), r.of(DIGITS, 8));
    [base64(URL_SAFE, header.as_bytes()), base64(URL_SAFE, claims.as_bytes()), r.of(URL_SAFE, 43)].join(".")
}
