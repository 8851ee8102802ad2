//! Messages: chat, mail, telephone.

use super::PLAIN;
use crate::rules::{Start, Token};

const SLACK: &str = "https://docs.slack.dev/authentication/tokens/";
const DISCORD: &str = "https://discord.com/developers/docs/reference#authentication";

pub(super) const TOKENS: &[Token] = &[
    Token {
        kind: "slack-token",
        what: "a token of Slack: of a bot, a person, a workspace, or an earlier app",
        source: SLACK,
        begins: &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxc-"],
        pattern: "xox[bparsoc]-(?:2-)?[0-9]{8,}-[0-9A-Za-z-]{20,}",
        ..PLAIN
    },
    Token {
        kind: "slack-rotated-token",
        what: "a token of Slack that expires, or one that refreshes it",
        source: "https://docs.slack.dev/authentication/using-token-rotation/",
        begins: &["xoxe-", "xoxe."],
        pattern: r"xoxe(?:\.xox[bp])?-[0-9]-[A-Za-z0-9]{100,}",
        ..PLAIN
    },
    Token {
        kind: "slack-cookie",
        what: "the cookie of a session at Slack",
        source: SLACK,
        begins: &["xoxd-"],
        pattern: "xoxd-[A-Za-z0-9%+/]{60,}={0,2}",
        ..PLAIN
    },
    Token {
        kind: "slack-app-token",
        what: "a token of an app at Slack",
        source: SLACK,
        begins: &["xapp-"],
        pattern: "xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{10,14}-[0-9a-f]{64}",
        ..PLAIN
    },
    Token {
        kind: "slack-webhook",
        what: "the address of a webhook, workflow or trigger of Slack",
        source: "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/",
        begins: &["hooks.slack.com/services/", "hooks.slack.com/workflows/", "hooks.slack.com/triggers/"],
        pattern: concat!(
            r"hooks\.slack\.com/(?:services|workflows|triggers)/",
            "[A-Z0-9]{8,14}/[A-Z0-9]{8,20}/(?:[0-9]{15,20}/)?[A-Za-z0-9]{24,32}"
        ),
        ..PLAIN
    },
    Token {
        kind: "discord-bot-token",
        what: "the token of a bot at Discord",
        source: DISCORD,
        // The first part is the number of the bot, in base64: these are the numbers that begin with 10 to 19.
        begins: &["MTA", "MTE", "MTI", "MTM", "MTQ", "MTU", "MTY", "MTc", "MTg", "MTk"],
        pattern: r"MT[AEIMQUYcgk][A-Za-z0-9]{20,23}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",
        ..PLAIN
    },
    Token {
        kind: "discord-bot-token",
        what: "the token of a bot at Discord",
        source: DISCORD,
        begins: &["Authorization: Bot ", "Authorization\": \"Bot "],
        start: Start::Behind,
        pattern: r"[MNO][A-Za-z0-9]{22,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",
        ..PLAIN
    },
    Token {
        kind: "discord-webhook",
        what: "the address of a webhook of Discord",
        source: "https://discord.com/developers/docs/resources/webhook",
        begins: &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        pattern: r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,80}",
        ..PLAIN
    },
    Token {
        kind: "telegram-bot-token",
        what: "the token of a bot at Telegram",
        source: "https://core.telegram.org/bots/api#authorizing-your-bot",
        begins: &[":AA"],
        start: Start::Before { least: 8, most: 10, of: u8::is_ascii_digit },
        pattern: "[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
        ..PLAIN
    },
    Token {
        kind: "teams-webhook",
        what: "the address of a webhook of Microsoft Teams",
        source: "https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/\
            add-incoming-webhook",
        begins: &["webhook.office.com/webhookb2/"],
        pattern: concat!(
            r"webhook\.office\.com/webhookb2/[0-9a-f-]{36}@[0-9a-f-]{36}/",
            "IncomingWebhook/[0-9a-f]{32}/[0-9a-f-]{36}"
        ),
        ..PLAIN
    },
    Token {
        kind: "sendgrid-key",
        what: "an API key of SendGrid",
        source: "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
        begins: &["SG."],
        pattern: r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
        ..PLAIN
    },
    Token {
        kind: "mailgun-key",
        what: "an API key of Mailgun, as the password of `api`",
        source: "https://documentation.mailgun.com/docs/mailgun/api-reference/authentication/",
        begins: &["api:key-"],
        start: Start::Behind,
        pattern: "[0-9a-f]{32}",
        ..PLAIN
    },
    Token {
        kind: "mailchimp-key",
        what: "an API key of Mailchimp",
        source: "https://mailchimp.com/developer/marketing/guides/quick-start/",
        begins: &["-us1", "-us2", "-us3", "-us4", "-us5", "-us6", "-us7", "-us8", "-us9"],
        start: Start::before(32, u8::is_ascii_alphanumeric),
        pattern: "[0-9a-f]{32}-us[0-9]{1,2}",
        ..PLAIN
    },
    Token {
        kind: "brevo-key",
        what: "an API or SMTP key of Brevo",
        source: "https://developers.brevo.com/docs/getting-started",
        begins: &["xkeysib-", "xsmtpsib-"],
        pattern: "x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
        ..PLAIN
    },
    Token {
        kind: "resend-key",
        what: "an API key of Resend",
        source: "https://resend.com/docs/dashboard/api-keys/introduction",
        begins: &["re_"],
        pattern: "re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}",
        ..PLAIN
    },
];
