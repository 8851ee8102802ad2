//! Where code is kept, built, checked and published.

use super::PLAIN;
use crate::rules::{Check, Start, Token};

const GITHUB_BLOG: &str =
    "https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/";
const GITHUB_APP: &str = "https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/\
    generating-an-installation-access-token-for-a-github-app";
const GITHUB_PAT: &str = "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/\
    about-authentication-to-github";
const GITLAB: &str = "https://docs.gitlab.com/security/tokens/#token-prefixes";

/// A token of GitLab: as it always was, or one that names the cell it belongs to, with a checksum at its end.
/// Source: <https://handbook.gitlab.com/handbook/engineering/architecture/design-documents/cells/routable_tokens/>.
macro_rules! gitlab {
    ($begin:literal, $plain:literal) => {
        concat!($begin, r"(?:[A-Za-z0-9_-]{27,300}\.(?:[0-9a-z]{2}\.)?[0-9a-z]{9}|", $plain, ")")
    };
}

pub(super) const TOKENS: &[Token] = &[
    Token {
        kind: "github-token",
        what: "a token of GitHub: personal, OAuth, of an app's user or server, or to refresh one",
        source: GITHUB_BLOG,
        begins: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        pattern: "gh[pousr]_[A-Za-z0-9]{36,251}",
        check: Check::Crc32InBase62,
        ..PLAIN
    },
    Token {
        kind: "github-app-token",
        what: "a token of a GitHub app's installation that says itself what it is for",
        source: GITHUB_APP,
        begins: &["ghs_"],
        pattern: r"ghs_[0-9]{1,20}_eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
        ..PLAIN
    },
    Token {
        kind: "github-pat",
        what: "a fine-grained personal access token of GitHub",
        source: GITHUB_PAT,
        begins: &["github_pat_"],
        pattern: "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        ..PLAIN
    },
    Token {
        kind: "gitlab-pat",
        what: "a personal, project, group or impersonation access token of GitLab",
        source: GITLAB,
        begins: &["glpat-"],
        pattern: gitlab!("glpat-", "[A-Za-z0-9_-]{20,26}"),
        check: Check::Crc32InBase36,
        ..PLAIN
    },
    Token {
        kind: "gitlab-trigger-token",
        what: "a token that starts pipelines of GitLab",
        source: GITLAB,
        begins: &["glptt-"],
        pattern: gitlab!("glptt-", "[A-Za-z0-9_-]{20,64}"),
        check: Check::Crc32InBase36,
        ..PLAIN
    },
    Token {
        kind: "gitlab-deploy-token",
        what: "a deploy token of GitLab",
        source: GITLAB,
        begins: &["gldt-"],
        pattern: gitlab!("gldt-", "[A-Za-z0-9_-]{20,64}"),
        check: Check::Crc32InBase36,
        ..PLAIN
    },
    Token {
        kind: "gitlab-runner-token",
        what: "a token of a runner of GitLab, or one that registers runners",
        source: GITLAB,
        begins: &["glrt-", "glrtr-", "GR1348941"],
        pattern: gitlab!("(?:glrt-(?:t[0-9]_)?|glrtr-|GR1348941)", "[A-Za-z0-9_-]{20,64}"),
        check: Check::Crc32InBase36,
        ..PLAIN
    },
    Token {
        kind: "gitlab-job-token",
        what: "a token of a job of GitLab's CI",
        source: GITLAB,
        begins: &["glcbt-"],
        pattern: concat!(
            r"glcbt-(?:eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}|",
            "[0-9a-z]{1,5}_[A-Za-z0-9_-]{20,64})"
        ),
        ..PLAIN
    },
    Token {
        kind: "gitlab-feed-token",
        what: "a token for feeds of GitLab",
        source: GITLAB,
        begins: &["glft-"],
        pattern: gitlab!("glft-", "[A-Za-z0-9_-]{20,80}"),
        check: Check::Crc32InBase36,
        ..PLAIN
    },
    Token {
        kind: "gitlab-scim-token",
        what: "a token for provisioning (SCIM) of GitLab",
        source: GITLAB,
        begins: &["glsoat-"],
        pattern: gitlab!("glsoat-", "[A-Za-z0-9_-]{20,64}"),
        check: Check::Crc32InBase36,
        ..PLAIN
    },
    Token {
        kind: "gitlab-mail-token",
        what: "a token for mail that comes in to GitLab",
        source: GITLAB,
        begins: &["glimt-"],
        pattern: gitlab!("glimt-", "[A-Za-z0-9_-]{20,64}"),
        check: Check::Crc32InBase36,
        ..PLAIN
    },
    Token {
        kind: "gitlab-agent-token",
        what: "a token of GitLab's agent for Kubernetes",
        source: GITLAB,
        begins: &["glagent-"],
        pattern: gitlab!("glagent-", "[A-Za-z0-9_-]{50,1024}"),
        check: Check::Crc32InBase36,
        ..PLAIN
    },
    Token {
        kind: "gitlab-oauth-secret",
        what: "the secret of an OAuth application of GitLab",
        source: GITLAB,
        begins: &["gloas-"],
        pattern: "gloas-[A-Za-z0-9_-]{64}",
        ..PLAIN
    },
    Token {
        kind: "gitlab-feature-flags-token",
        what: "a token of a client of GitLab's feature flags",
        source: GITLAB,
        begins: &["glffct-"],
        pattern: gitlab!("glffct-", "[A-Za-z0-9_-]{20,64}"),
        check: Check::Crc32InBase36,
        ..PLAIN
    },
    Token {
        kind: "bitbucket-app-password",
        what: "an app password of Bitbucket",
        source: "https://support.atlassian.com/bitbucket-cloud/docs/app-passwords/",
        begins: &["ATBB"],
        pattern: "ATBB[A-Za-z0-9_]{32}",
        ..PLAIN
    },
    Token {
        kind: "atlassian-api-token",
        what: "an API token of an account at Atlassian",
        source: "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/",
        begins: &["ATATT3"],
        pattern: "ATATT3[A-Za-z0-9_=-]{100,600}",
        ..PLAIN
    },
    Token {
        kind: "atlassian-access-token",
        what: "an access token of a repository, project or workspace at Bitbucket, or of an organization at Atlassian",
        source: "https://support.atlassian.com/bitbucket-cloud/docs/access-tokens/",
        begins: &["ATCTT3"],
        pattern: "ATCTT3[A-Za-z0-9_=-]{100,600}",
        ..PLAIN
    },
    Token {
        kind: "npm-token",
        what: "an access token of npm",
        source: "https://github.blog/2021-09-23-announcing-npms-new-access-token-format/",
        begins: &["npm_"],
        pattern: "npm_[A-Za-z0-9]{36}",
        check: Check::Crc32InBase62,
        ..PLAIN
    },
    Token {
        kind: "pypi-token",
        what: "an API token of PyPI",
        source: "https://pypi.org/help/#apitoken",
        begins: &["pypi-AgE"],
        pattern: "pypi-AgE[A-Za-z0-9_-]{60,}",
        ..PLAIN
    },
    Token {
        kind: "rubygems-key",
        what: "an API key of RubyGems",
        source: "https://guides.rubygems.org/api-key-scopes/",
        begins: &["rubygems_"],
        pattern: "rubygems_[0-9a-f]{48}",
        ..PLAIN
    },
    Token {
        kind: "crates-io-token",
        what: "an API token of crates.io",
        source: "https://github.com/rust-lang/crates.io/blob/main/src/util/token.rs",
        begins: &["cio"],
        pattern: "cio[A-Za-z0-9]{32}",
        ..PLAIN
    },
    Token {
        kind: "nuget-key",
        what: "an API key of NuGet",
        source: "https://learn.microsoft.com/en-us/nuget/nuget-org/publish-a-package",
        begins: &["oy2"],
        pattern: "oy2[a-z0-9]{43}",
        ..PLAIN
    },
    Token {
        kind: "docker-token",
        what: "an access token of a person or an organization at Docker Hub",
        source: "https://docs.docker.com/security/access-tokens/",
        begins: &["dckr_pat_", "dckr_oat_"],
        pattern: "dckr_(?:pat_[A-Za-z0-9_-]{27}|oat_[A-Za-z0-9_-]{32})",
        ..PLAIN
    },
    Token {
        kind: "clojars-token",
        what: "a deploy token of Clojars",
        source: "https://github.com/clojars/clojars-web/wiki/Deploy-Tokens",
        begins: &["CLOJARS_"],
        pattern: "CLOJARS_[0-9a-f]{60}",
        ..PLAIN
    },
    Token {
        kind: "artifactory-token",
        what: "a reference token or an API key of JFrog's Artifactory",
        source: "https://jfrog.com/help/r/jfrog-platform-administration-documentation/reference-tokens",
        begins: &["cmVmdGtu", "AKCp"],
        pattern: "(?:cmVmdGtu[A-Za-z0-9]{56}|AKCp[A-Za-z0-9]{69})",
        ..PLAIN
    },
    Token {
        kind: "circleci-token",
        what: "an API token of a person or a project at CircleCI",
        source: "https://circleci.com/docs/managing-api-tokens/",
        begins: &["CCIPAT_", "CCIPRJ_"],
        pattern: "CCIP(?:AT|RJ)_[A-Za-z0-9]{22}_[0-9a-f]{40}",
        ..PLAIN
    },
    Token {
        kind: "buildkite-token",
        what: "an API access token of a person at Buildkite",
        source: "https://buildkite.com/docs/apis/managing-api-tokens",
        begins: &["bkua_"],
        pattern: "bkua_[0-9a-f]{40}",
        ..PLAIN
    },
    Token {
        kind: "sonar-token",
        what: "a token of SonarQube: of a person, a project, or for analysis",
        source: "https://docs.sonarsource.com/sonarqube-server/user-guide/managing-tokens/",
        begins: &["squ_", "sqp_", "sqa_"],
        pattern: "sq[upa]_[0-9a-f]{40}",
        ..PLAIN
    },
    Token {
        kind: "sourcegraph-token",
        what: "an access token of Sourcegraph",
        source: "https://sourcegraph.com/docs/cli/how-tos/creating-an-access-token",
        begins: &["sgp_"],
        pattern: "sgp_(?:(?:[0-9a-f]{16}|local)_)?[0-9a-f]{40}",
        ..PLAIN
    },
    Token {
        kind: "json-web-token",
        what: "a signed JSON Web Token",
        source: "https://www.rfc-editor.org/rfc/rfc7519",
        begins: &["eyJ"],
        pattern: r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
        check: Check::JwsHeader,
        ..PLAIN
    },
    Token {
        kind: "age-key",
        what: "a secret key of age",
        source: "https://github.com/C2SP/C2SP/blob/main/age.md",
        begins: &["AGE-SECRET-KEY-1"],
        pattern: "AGE-SECRET-KEY-1[AC-HJ-NP-Z02-9]{58}",
        ..PLAIN
    },
    Token {
        kind: "terraform-token",
        what: "an API token of HCP Terraform or Terraform Enterprise",
        source: "https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens",
        begins: &[".atlasv1."],
        start: Start::before(14, u8::is_ascii_alphanumeric),
        pattern: r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,70}",
        ..PLAIN
    },
];
