//! Payments and shops.

use super::PLAIN;
use crate::rules::Token;

pub(super) const TOKENS: &[Token] = &[
    Token {
        kind: "stripe-key",
        what: "a secret or restricted key of Stripe, live or for tests",
        source: "https://docs.stripe.com/keys",
        begins: &["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
        pattern: "[sr]k_(?:live|test)_[A-Za-z0-9]{24,250}",
        ..PLAIN
    },
    Token {
        kind: "stripe-webhook-secret",
        what: "the secret that signs webhooks of Stripe, and of others that use its form",
        source: "https://docs.stripe.com/webhooks/signature",
        begins: &["whsec_"],
        pattern: "whsec_[A-Za-z0-9+/]{32,88}={0,2}",
        ..PLAIN
    },
    Token {
        kind: "square-token",
        what: "an access token or the secret of an application at Square",
        source: "https://developer.squareup.com/docs/build-basics/access-tokens",
        begins: &["EAAA", "sq0atp-", "sq0csp-"],
        pattern: "(?:EAAA[A-Za-z0-9_-]{60}|sq0atp-[A-Za-z0-9_-]{22}|sq0csp-[A-Za-z0-9_-]{43})",
        ..PLAIN
    },
    Token {
        kind: "braintree-token",
        what: "an access token of PayPal's Braintree",
        source: "https://developer.paypal.com/braintree/articles/control-panel/important-gateway-credentials",
        begins: &["access_token$production$", "access_token$sandbox$"],
        pattern: r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
        ..PLAIN
    },
    Token {
        kind: "shopify-token",
        what: "a token of an app at Shopify, or the secret that they share",
        source: "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens",
        begins: &["shpat_", "shpca_", "shppa_", "shpss_"],
        pattern: "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
        ..PLAIN
    },
    Token {
        kind: "plaid-token",
        what: "an access token of Plaid",
        source: "https://plaid.com/docs/api/items/",
        begins: &["access-sandbox-", "access-development-", "access-production-"],
        pattern: "access-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        ..PLAIN
    },
    Token {
        kind: "paddle-key",
        what: "an API key of Paddle",
        source: "https://developer.paddle.com/api-reference/about/api-keys",
        begins: &["pdl_live_apikey_", "pdl_sdbx_apikey_"],
        pattern: "pdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}",
        ..PLAIN
    },
    Token {
        kind: "shippo-token",
        what: "an API token of Shippo",
        source: "https://docs.goshippo.com/docs/guides_general/authentication/",
        begins: &["shippo_live_", "shippo_test_"],
        pattern: "shippo_(?:live|test)_[0-9a-f]{40}",
        ..PLAIN
    },
];
