//! What teams work with: monitoring, planning, design, passwords, content.

use super::PLAIN;
use crate::rules::{Start, Token};

const SENTRY: &str = "https://docs.sentry.io/security-legal-pii/security/token-formats/";
const NEW_RELIC: &str = "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/";
const NOTION: &str = "https://developers.notion.com/docs/authorization";

pub(super) const TOKENS: &[Token] = &[
    Token {
        kind: "doppler-token",
        what: "a token of Doppler: personal, service, of its command, of a service account, for SCIM or audit",
        source: "https://docs.doppler.com/reference/auth-token-formats",
        begins: &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.said.", "dp.scim.", "dp.audit."],
        pattern: r"dp\.(?:pt|st|ct|sa|said|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}",
        ..PLAIN
    },
    Token {
        kind: "1password-token",
        what: "a token of a service account at 1Password",
        source: "https://developer.1password.com/docs/service-accounts/security/",
        begins: &["ops_eyJ"],
        pattern: "ops_eyJ[A-Za-z0-9+/_-]{200,}={0,2}",
        ..PLAIN
    },
    Token {
        kind: "1password-secret-key",
        what: "the secret key of an account at 1Password",
        source: "https://support.1password.com/secret-key/",
        begins: &["A3-"],
        pattern: "A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}",
        ..PLAIN
    },
    Token {
        kind: "new-relic-key",
        what: "the key of a user at New Relic",
        source: NEW_RELIC,
        begins: &["NRAK-"],
        pattern: "NRAK-[A-Z0-9]{27}",
        ..PLAIN
    },
    Token {
        kind: "new-relic-license-key",
        what: "the license key of an account at New Relic",
        source: NEW_RELIC,
        begins: &["NRAL"],
        start: Start::before(36, u8::is_ascii_alphanumeric),
        pattern: "(?:[a-z]{2}[0-9]{2}xx|[0-9a-f]{6})[0-9a-f]{26}FFFFNRAL",
        ..PLAIN
    },
    Token {
        kind: "sentry-token",
        what: "a token of a person, an app or an integration at Sentry",
        source: SENTRY,
        begins: &["sntryu_", "sntrya_", "sntryi_"],
        pattern: "sntry[uai]_[0-9a-f]{64}",
        ..PLAIN
    },
    Token {
        kind: "sentry-org-token",
        what: "a token of an organization at Sentry",
        source: SENTRY,
        begins: &["sntrys_eyJ"],
        pattern: "sntrys_eyJ[A-Za-z0-9+/]{60,}={0,2}_[A-Za-z0-9+/]{43}",
        ..PLAIN
    },
    Token {
        kind: "grafana-token",
        what: "a token of a service account at Grafana",
        source: "https://grafana.com/docs/grafana/latest/administration/service-accounts/",
        begins: &["glsa_"],
        pattern: "glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}",
        ..PLAIN
    },
    Token {
        kind: "grafana-cloud-token",
        what: "a token of an access policy at Grafana Cloud",
        source: "https://grafana.com/docs/grafana-cloud/security-and-account-management/\
            authentication-and-permissions/",
        begins: &["glc_eyJ"],
        pattern: "glc_eyJ[A-Za-z0-9+/_-]{60,}={0,2}",
        ..PLAIN
    },
    Token {
        kind: "dynatrace-token",
        what: "an access token of Dynatrace",
        source: "https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients/",
        begins: &["dt0c01.", "dt0s01.", "dt0s08."],
        pattern: r"dt0[cs]0[18]\.[A-Z2-7]{24}\.[A-Z2-7]{64}",
        ..PLAIN
    },
    Token {
        kind: "posthog-key",
        what: "a personal API key of PostHog",
        source: "https://posthog.com/docs/api",
        begins: &["phx_"],
        pattern: "phx_[A-Za-z0-9]{43,60}",
        ..PLAIN
    },
    Token {
        kind: "linear-key",
        what: "an API key or OAuth token of Linear",
        source: "https://linear.app/developers/graphql",
        begins: &["lin_api_", "lin_oauth_"],
        pattern: "lin_(?:api_[A-Za-z0-9]{40}|oauth_[0-9a-f]{64})",
        ..PLAIN
    },
    Token {
        kind: "notion-token",
        what: "the secret of an integration at Notion",
        source: NOTION,
        begins: &["ntn_", "secret_"],
        pattern: "(?:ntn_[0-9]{11}[A-Za-z0-9]{35}|secret_[A-Za-z0-9]{43})",
        ..PLAIN
    },
    Token {
        kind: "airtable-token",
        what: "a personal access token of Airtable",
        source: "https://airtable.com/developers/web/guides/personal-access-tokens",
        begins: &["pat"],
        pattern: r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
        ..PLAIN
    },
    Token {
        kind: "figma-token",
        what: "a personal access token of Figma",
        source: "https://www.figma.com/developers/api#access-tokens",
        begins: &["figd_"],
        pattern: "figd_[A-Za-z0-9_-]{40,50}",
        ..PLAIN
    },
    Token {
        kind: "postman-key",
        what: "an API key of Postman",
        source: "https://learning.postman.com/docs/developer/postman-api/authentication/",
        begins: &["PMAK-"],
        pattern: "PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
        ..PLAIN
    },
    Token {
        kind: "hubspot-token",
        what: "the access token of a private app at HubSpot",
        source: "https://developers.hubspot.com/docs/guides/apps/private-apps/overview",
        begins: &["pat-na1-", "pat-na2-", "pat-na3-", "pat-eu1-", "pat-ap1-"],
        pattern: "pat-(?:na|eu|ap)[0-9]-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        ..PLAIN
    },
    Token {
        kind: "contentful-token",
        what: "a personal access token of Contentful",
        source: "https://www.contentful.com/developers/docs/references/authentication/",
        begins: &["CFPAT-"],
        pattern: "CFPAT-[A-Za-z0-9_-]{43}",
        ..PLAIN
    },
    Token {
        kind: "mapbox-token",
        what: "a secret access token of Mapbox",
        source: "https://docs.mapbox.com/help/dive-deeper/access-tokens/",
        begins: &["sk.eyJ"],
        pattern: r"sk\.eyJ[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{22}",
        ..PLAIN
    },
    Token {
        kind: "prefect-key",
        what: "an API key of a person or a service account at Prefect",
        source: "https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/api-keys",
        begins: &["pnu_", "pnb_"],
        pattern: "pn[ub]_[A-Za-z0-9]{36}",
        ..PLAIN
    },
];
