//! Clouds, hosters, networks and databases.

use super::{PLAIN, base64};
use crate::rules::{Start, Token};

const AZURE_KEYS: &str = "https://github.com/microsoft/security-utilities";

pub(super) const TOKENS: &[Token] = &[
    Token {
        kind: "aws-access-key",
        what: "the id of an access key of AWS, or a token that stands for one",
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
        begins: &["AKIA", "ASIA", "ABIA", "ACCA"],
        pattern: "A(?:KI|SI|BI|CC)A[A-Z2-7]{16}",
        ..PLAIN
    },
    Token {
        kind: "aws-session-token",
        what: "a session token of AWS",
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html",
        begins: &["IQoJb3JpZ2luX2Vj"],
        pattern: "IQoJb3JpZ2luX2Vj[A-Za-z0-9+/]{180,}={0,2}",
        ..PLAIN
    },
    Token {
        kind: "aws-bedrock-key",
        what: "an API key of Amazon Bedrock, for a short or a long time",
        source: "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-how.html",
        begins: &["ABSKQmVkcm9ja0FQSUtleS", "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t"],
        pattern: "(?:ABSKQmVkcm9ja0FQSUtleS|bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t)[A-Za-z0-9+/]{70,}={0,2}",
        ..PLAIN
    },
    Token {
        kind: "google-api-key",
        what: "an API key of Google",
        source: "https://cloud.google.com/docs/authentication/api-keys",
        begins: &["AIza"],
        pattern: "AIza[A-Za-z0-9_-]{35}",
        ..PLAIN
    },
    Token {
        kind: "google-oauth-token",
        what: "an OAuth access token of Google",
        source: "https://cloud.google.com/docs/authentication/token-types",
        begins: &["ya29."],
        pattern: r"ya29\.[A-Za-z0-9_-]{30,}(?:\.[A-Za-z0-9_-]+)*",
        ..PLAIN
    },
    Token {
        kind: "google-refresh-token",
        what: "an OAuth refresh token of Google",
        source: "https://developers.google.com/identity/protocols/oauth2",
        begins: &["1//0"],
        pattern: "1//0[A-Za-z0-9_-]{60,}",
        ..PLAIN
    },
    Token {
        kind: "google-oauth-secret",
        what: "the secret of an OAuth client of Google",
        source: "https://developers.google.com/identity/protocols/oauth2",
        begins: &["GOCSPX-"],
        pattern: "GOCSPX-[A-Za-z0-9_-]{28}",
        ..PLAIN
    },
    Token {
        kind: "azure-client-secret",
        what: "the secret of an application at Microsoft Entra (Azure AD)",
        source: "https://learn.microsoft.com/en-us/purview/sit-defn-azure-ad-client-secret",
        begins: &["0Q~", "1Q~", "2Q~", "3Q~", "4Q~", "5Q~", "6Q~", "7Q~", "8Q~", "9Q~"],
        start: Start::before(3, is_of_client_secret),
        // The dot of a sentence is no part of it.
        pattern: "[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{30,33}[A-Za-z0-9_~-]",
        ..PLAIN
    },
    Token {
        kind: "azure-storage-key",
        what: "the key of a storage account of Azure, in a connection string",
        source: "https://learn.microsoft.com/en-us/azure/storage/common/storage-configure-connection-string",
        begins: &["AccountKey="],
        start: Start::Behind,
        pattern: "[A-Za-z0-9+/]{86}==",
        ..PLAIN
    },
    Token {
        kind: "azure-storage-key",
        what: "the key of a storage account of Azure, in a connection string",
        source: "https://learn.microsoft.com/en-us/azure/storage/common/storage-configure-connection-string",
        begins: &["+ASt"],
        start: Start::before(76, base64),
        pattern: r"[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{6}==",
        ..PLAIN
    },
    Token {
        kind: "azure-shared-access-key",
        what: "a shared access key of Azure's buses and hubs, in a connection string",
        source: "https://learn.microsoft.com/en-us/azure/service-bus-messaging/service-bus-sas",
        begins: &["SharedAccessKey="],
        start: Start::Behind,
        pattern: "[A-Za-z0-9+/]{43}=",
        ..PLAIN
    },
    Token {
        kind: "azure-sas-signature",
        what: "the signature of an address that grants access to Azure's storage (SAS)",
        source: "https://learn.microsoft.com/en-us/rest/api/storageservices/create-service-sas",
        begins: &["&sig=", "?sig=", ";sig="],
        start: Start::Behind,
        pattern: "(?:[A-Za-z0-9+/]|%2[BbFf]){43}(?:=|%3[Dd])",
        ..PLAIN
    },
    Token {
        kind: "azure-devops-pat",
        what: "a personal access token of Azure DevOps",
        source: "https://learn.microsoft.com/en-us/azure/devops/organizations/accounts/\
            use-personal-access-tokens-to-authenticate",
        begins: &["AZDO"],
        start: Start::before(76, u8::is_ascii_alphanumeric),
        pattern: "[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
        ..PLAIN
    },
    Token {
        kind: "azure-key",
        what: "a key of a service of Azure that says itself which, such as Azure OpenAI",
        source: AZURE_KEYS,
        begins: &["JQQJ99"],
        start: Start::before(52, u8::is_ascii_alphanumeric),
        pattern: "[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}",
        ..PLAIN
    },
    Token {
        kind: "azure-cosmos-key",
        what: "a key of Azure Cosmos DB",
        source: AZURE_KEYS,
        begins: &["ACDb"],
        start: Start::before(76, base64),
        pattern: "[A-Za-z0-9+/]{76}ACDb[A-Za-z0-9+/]{6}==",
        ..PLAIN
    },
    Token {
        kind: "azure-registry-key",
        what: "a key of Azure Container Registry",
        source: AZURE_KEYS,
        begins: &["+ACR"],
        start: Start::before(42, base64),
        pattern: r"[A-Za-z0-9+/]{42}\+ACR[A-Za-z0-9+/]{6}",
        ..PLAIN
    },
    Token {
        kind: "azure-function-key",
        what: "a key of Azure Functions",
        source: AZURE_KEYS,
        begins: &["AzFu"],
        start: Start::before(44, is_of_client_secret),
        pattern: "[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}==",
        ..PLAIN
    },
    Token {
        kind: "azure-search-key",
        what: "a key of Azure AI Search",
        source: AZURE_KEYS,
        begins: &["AzSe"],
        start: Start::before(42, u8::is_ascii_alphanumeric),
        pattern: "[A-Za-z0-9]{42}AzSe[A-Za-z0-9]{6}",
        ..PLAIN
    },
    Token {
        kind: "digitalocean-token",
        what: "an access or refresh token of DigitalOcean",
        source: "https://docs.digitalocean.com/reference/api/create-personal-access-token/",
        begins: &["dop_v1_", "doo_v1_", "dor_v1_"],
        pattern: "do[por]_v1_[0-9a-f]{64}",
        ..PLAIN
    },
    Token {
        kind: "heroku-key",
        what: "an API key or OAuth token of Heroku",
        source: "https://devcenter.heroku.com/changelog-items/2842",
        begins: &["HRKU-"],
        pattern: "HRKU-(?:AA[A-Za-z0-9_-]{58}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
        ..PLAIN
    },
    Token {
        kind: "fly-token",
        what: "an access token of Fly.io",
        source: "https://fly.io/docs/security/tokens/",
        begins: &["fm1r_", "fm1a_", "fm2_", "fo1_"],
        pattern: "(?:fm1[ar]_|fm2_)[A-Za-z0-9+/]{80,}={0,3}|fo1_[A-Za-z0-9_-]{43}",
        ..PLAIN
    },
    Token {
        kind: "netlify-token",
        what: "an access token of Netlify",
        source: "https://docs.netlify.com/api-and-cli-guides/api-guides/get-started-with-api/",
        begins: &["nfp_", "nfc_", "nfo_", "nfu_"],
        pattern: "nf[pcou]_[A-Za-z0-9]{36}",
        ..PLAIN
    },
    Token {
        kind: "vercel-token",
        what: "a token or key of Vercel: of a person, an integration, an app, or for models",
        source: "https://vercel.com/changelog/new-token-formats-and-secret-scanning",
        begins: &["vcp_", "vci_", "vca_", "vcr_", "vck_"],
        pattern: "vc[piark]_[A-Za-z0-9]{24,80}",
        ..PLAIN
    },
    Token {
        kind: "render-key",
        what: "an API key of Render",
        source: "https://render.com/docs/api",
        begins: &["rnd_"],
        pattern: "rnd_[A-Za-z0-9]{28,40}",
        ..PLAIN
    },
    Token {
        kind: "cloudflare-token",
        what: "an API token or the global key of Cloudflare",
        source: "https://developers.cloudflare.com/fundamentals/api/get-started/token-formats/",
        begins: &["cfk_", "cfut_", "cfat_"],
        pattern: "cf(?:k|ut|at)_[A-Za-z0-9]{41,56}",
        ..PLAIN
    },
    Token {
        kind: "cloudflare-origin-ca-key",
        what: "a key of Cloudflare's Origin CA",
        source: "https://developers.cloudflare.com/fundamentals/api/get-started/ca-keys/",
        begins: &["v1.0-"],
        pattern: r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}",
        ..PLAIN
    },
    Token {
        kind: "supabase-token",
        what: "a personal access token of Supabase",
        source: "https://supabase.com/docs/reference/api/introduction",
        begins: &["sbp_"],
        pattern: "sbp_(?:oauth_|v0_)?[0-9a-f]{40}",
        ..PLAIN
    },
    Token {
        kind: "supabase-secret-key",
        what: "the secret key of a project at Supabase",
        source: "https://supabase.com/docs/guides/api/api-keys",
        begins: &["sb_secret_"],
        pattern: "sb_secret_[A-Za-z0-9_-]{31}",
        ..PLAIN
    },
    Token {
        kind: "planetscale-token",
        what: "a service or OAuth token, or the password of a database, of PlanetScale",
        source: "https://planetscale.com/docs/concepts/service-tokens",
        begins: &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
        pattern: "pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_=-]{32,64}",
        ..PLAIN
    },
    Token {
        kind: "neon-key",
        what: "an API key of Neon",
        source: "https://neon.com/docs/manage/api-keys",
        begins: &["napi_"],
        pattern: "napi_[a-z0-9]{64}",
        ..PLAIN
    },
    Token {
        kind: "databricks-token",
        what: "a personal access token of Databricks",
        source: "https://docs.databricks.com/aws/en/dev-tools/auth/pat",
        begins: &["dapi"],
        pattern: "dapi[0-9a-f]{32}(?:-[0-9]{1,2})?",
        ..PLAIN
    },
    Token {
        kind: "tailscale-key",
        what: "a key of Tailscale: to join, for its API, of an OAuth client, for SCIM or a webhook",
        source: "https://tailscale.com/kb/1277/key-prefixes",
        begins: &["tskey-auth-", "tskey-api-", "tskey-client-", "tskey-scim-", "tskey-webhook-"],
        pattern: "tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{8,24}-[A-Za-z0-9]{20,64}",
        ..PLAIN
    },
    Token {
        kind: "vault-token",
        what: "a token of HashiCorp's Vault: service, batch or recovery",
        source: "https://developer.hashicorp.com/vault/docs/concepts/tokens",
        begins: &["hvs.", "hvb.", "hvr."],
        pattern: r"hv[sbr]\.[A-Za-z0-9_-]{24,}",
        ..PLAIN
    },
    Token {
        kind: "pulumi-token",
        what: "an access token of Pulumi",
        source: "https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/",
        begins: &["pul-"],
        pattern: "pul-[0-9a-f]{40}",
        ..PLAIN
    },
    Token {
        kind: "openshift-token",
        what: "a token of a person or a program at OpenShift",
        source: "https://docs.openshift.com/container-platform/latest/authentication/managing-oauth-access-tokens.html",
        begins: &["sha256~"],
        pattern: "sha256~[A-Za-z0-9_-]{43}",
        ..PLAIN
    },
    Token {
        kind: "infracost-key",
        what: "an API key of Infracost",
        source: "https://www.infracost.io/docs/features/cli_commands/",
        begins: &["ico-"],
        pattern: "ico-[A-Za-z0-9]{32}",
        ..PLAIN
    },
];

fn is_of_client_secret(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_~.-".contains(byte)
}
