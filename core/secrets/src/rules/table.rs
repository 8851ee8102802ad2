//! The tokens that can be told by their looks. Specific ones stand before general ones.

use super::{Check, Token};

/// All of them.
pub const TOKENS: &[Token] = &[
    Token {
        kind: "github-token",
        what: "a token of GitHub: personal, OAuth, of an app's user or server, or to refresh one",
        source: "https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/",
        begins: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        pattern: "gh[pousr]_[A-Za-z0-9]{36,251}",
        check: Check::Crc32InBase62,
    },
    Token {
        kind: "github-pat",
        what: "a fine-grained personal access token of GitHub",
        source: "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
        begins: &["github_pat_"],
        pattern: "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        check: Check::NoPlaceholder,
    },
    Token {
        kind: "aws-access-key",
        what: "the id of an access key of AWS",
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
        begins: &["AKIA", "ASIA"],
        pattern: "A[KS]IA[A-Z2-7]{16}",
        check: Check::NoPlaceholder,
    },
];
