//! Providers of models, and what works beside them.

use super::PLAIN;
use crate::rules::{Start, Token};

const OPENAI: &str = "https://help.openai.com/en/articles/5112595-best-practices-for-api-key-safety";
const ANTHROPIC: &str = "https://docs.claude.com/en/api/admin-api/apikeys/get-api-key";

pub(super) const TOKENS: &[Token] = &[
    Token {
        kind: "openai-key",
        what: "an API key of OpenAI: of a project, a service account or an administrator, or one of a person",
        source: OPENAI,
        begins: &["sk-proj-", "sk-svcacct-", "sk-admin-"],
        pattern: "sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}",
        ..PLAIN
    },
    Token {
        kind: "openai-key",
        what: "an API key of OpenAI: of a project, a service account or an administrator, or one of a person",
        source: OPENAI,
        begins: &["T3BlbkFJ"],
        start: Start::before(23, is_of_key),
        pattern: "sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}",
        ..PLAIN
    },
    Token {
        kind: "anthropic-key",
        what: "an API key of Anthropic",
        source: ANTHROPIC,
        begins: &["sk-ant-api"],
        pattern: "sk-ant-api[0-9]{2}-[A-Za-z0-9_-]{80,120}",
        ..PLAIN
    },
    Token {
        kind: "anthropic-admin-key",
        what: "an administrator's key of Anthropic",
        source: "https://docs.claude.com/en/api/administration-api",
        begins: &["sk-ant-admin"],
        pattern: "sk-ant-admin[0-9]{2}-[A-Za-z0-9_-]{80,120}",
        ..PLAIN
    },
    Token {
        kind: "anthropic-oauth-token",
        what: "an OAuth token of Anthropic, or one that refreshes it, as Claude Code has them",
        source: "https://docs.claude.com/en/docs/claude-code/github-actions",
        begins: &["sk-ant-oat", "sk-ant-ort"],
        pattern: "sk-ant-o[ar]t[0-9]{2}-[A-Za-z0-9_-]{80,120}",
        ..PLAIN
    },
    Token {
        kind: "huggingface-token",
        what: "an access token of Hugging Face",
        source: "https://huggingface.co/docs/hub/security-tokens",
        begins: &["hf_", "api_org_"],
        pattern: "(?:hf|api_org)_[A-Za-z0-9]{34}",
        ..PLAIN
    },
    Token {
        kind: "replicate-token",
        what: "an API token of Replicate",
        source: "https://replicate.com/docs/topics/security/api-tokens",
        begins: &["r8_"],
        pattern: "r8_[A-Za-z0-9]{37}",
        ..PLAIN
    },
    Token {
        kind: "groq-key",
        what: "an API key of Groq",
        source: "https://console.groq.com/docs/quickstart",
        begins: &["gsk_"],
        pattern: "gsk_[A-Za-z0-9]{52}",
        ..PLAIN
    },
    Token {
        kind: "xai-key",
        what: "an API key of xAI",
        source: "https://docs.x.ai/docs/tutorial",
        begins: &["xai-"],
        pattern: "xai-[A-Za-z0-9]{70,90}",
        ..PLAIN
    },
    Token {
        kind: "perplexity-key",
        what: "an API key of Perplexity",
        source: "https://docs.perplexity.ai/getting-started/quickstart",
        begins: &["pplx-"],
        pattern: "pplx-[A-Za-z0-9]{48}",
        ..PLAIN
    },
    Token {
        kind: "openrouter-key",
        what: "an API key of OpenRouter",
        source: "https://openrouter.ai/docs/api-reference/authentication",
        begins: &["sk-or-v1-"],
        pattern: "sk-or-v1-[0-9a-f]{64}",
        ..PLAIN
    },
    Token {
        kind: "deepseek-key",
        what: "an API key of DeepSeek, or of Alibaba's model studio",
        source: "https://api-docs.deepseek.com/",
        begins: &["sk-"],
        pattern: "sk-[0-9a-f]{32}",
        ..PLAIN
    },
    Token {
        kind: "nvidia-key",
        what: "an API key of NVIDIA",
        source: "https://docs.nvidia.com/nim/large-language-models/latest/getting-started.html",
        begins: &["nvapi-"],
        pattern: "nvapi-[A-Za-z0-9_-]{60,70}",
        ..PLAIN
    },
    Token {
        kind: "cerebras-key",
        what: "an API key of Cerebras",
        source: "https://inference-docs.cerebras.ai/quickstart",
        begins: &["csk-"],
        pattern: "csk-[a-z0-9]{48}",
        ..PLAIN
    },
    Token {
        kind: "together-key",
        what: "an API key of Together AI",
        source: "https://docs.together.ai/docs/api-keys-authentication",
        begins: &["tgp_v1_"],
        pattern: "tgp_v1_[A-Za-z0-9_-]{43}",
        ..PLAIN
    },
    Token {
        kind: "elevenlabs-key",
        what: "an API key of ElevenLabs",
        source: "https://elevenlabs.io/docs/api-reference/authentication",
        begins: &["sk_"],
        pattern: "sk_[0-9a-f]{48}",
        ..PLAIN
    },
    Token {
        kind: "langsmith-key",
        what: "a personal or service key of LangSmith",
        source: "https://docs.langchain.com/langsmith/create-account-api-key",
        begins: &["lsv2_pt_", "lsv2_sk_"],
        pattern: "lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}",
        ..PLAIN
    },
    Token {
        kind: "langfuse-key",
        what: "the secret key of a project at Langfuse",
        source: "https://langfuse.com/docs/api-and-data-platform/features/public-api",
        begins: &["sk-lf-"],
        pattern: "sk-lf-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        ..PLAIN
    },
    Token {
        kind: "pinecone-key",
        what: "an API key of Pinecone",
        source: "https://docs.pinecone.io/guides/projects/manage-api-keys",
        begins: &["pcsk_"],
        pattern: "pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{63}",
        ..PLAIN
    },
    Token {
        kind: "tavily-key",
        what: "an API key of Tavily",
        source: "https://docs.tavily.com/documentation/quickstart",
        begins: &["tvly-"],
        pattern: "tvly-(?:dev-|prod-)?[A-Za-z0-9]{32}",
        ..PLAIN
    },
    Token {
        kind: "firecrawl-key",
        what: "an API key of Firecrawl",
        source: "https://docs.firecrawl.dev/introduction",
        begins: &["fc-"],
        pattern: "fc-[0-9a-f]{32}",
        ..PLAIN
    },
    Token {
        kind: "e2b-key",
        what: "an API key of E2B",
        source: "https://e2b.dev/docs/api-key",
        begins: &["e2b_"],
        pattern: "e2b_[0-9a-f]{40}",
        ..PLAIN
    },
];

fn is_of_key(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'-'
}
