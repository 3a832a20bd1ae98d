//! What a node means by refusing: providers say the same few things in many words.

use alloy::transports::{RpcError, TransportError, TransportErrorKind};

/// What a node means by refusing a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The range is too wide, by a rule of the provider that holds for every request.
    TooManyBlocks {
        /// Most blocks that it allows, if it says.
        at_most: Option<u64>,
    },
    /// The answer would be too large, or take too long: fewer blocks, this time.
    TooMuch {
        /// Blocks that it suggests, if it does.
        at_most: Option<u64>,
    },
    /// Too many requests: the same again, later.
    Busy,
    /// Anything else.
    Other,
}

/// Reads the refusal of a request for a range of blocks.
pub(crate) fn of(error: &TransportError) -> Refusal {
    match error {
        RpcError::ErrorResp(answer) => {
            let data = answer.data.as_ref().map(|data| data.get()).unwrap_or_default();
            read(answer.code, &format!("{} {data}", answer.message))
        }
        RpcError::Transport(
            TransportErrorKind::HttpError(answer) | TransportErrorKind::HttpErrorWithRetryAfter { error: answer, .. },
        ) => match (answer.status, read(0, &answer.body)) {
            (413 | 504, Refusal::Other) => Refusal::TooMuch { at_most: None },
            (429 | 502 | 503, _) => Refusal::Busy,
            (_, refusal) => refusal,
        },
        // Our own patience is at an end.
        RpcError::Transport(error) if error.to_string().contains("did not answer within") => {
            Refusal::TooMuch { at_most: None }
        }
        _ => Refusal::Other,
    }
}

/// Whether a node says that it has too much to do, and not that a call fails. A contract chooses the words of its revert.
pub(crate) fn is_overload(code: i64, message: &str) -> bool {
    if code == 3 || message.to_lowercase().contains("revert") {
        return false;
    }
    matches!(read(code, message), Refusal::Busy | Refusal::TooMuch { .. })
}

/// Reads the code and the words of a JSON-RPC error.
pub fn read(code: i64, message: &str) -> Refusal {
    let words = message.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));

    // "this block range should work: [0x1, 0x20]", "Try with this block range [0x1, 0x20]."
    for lead in ["block range should work", "with this block range"] {
        if let Some(rest) = after(&words, lead) {
            return Refusal::TooMuch { at_most: suggested(rest) };
        }
    }
    // Before rate limits: "eth_getLogs requests with up to a 10 block range" mentions requests, too.
    for (lead, end) in [
        ("limited to a ", "range"),
        ("limited to 0 - ", "block"),
        ("limited to ", "block"),
        ("up to a ", "block range"),
        ("at most ", "block"),
        ("max range: ", ""),
        ("maximum block range: ", ""),
        ("max block range: ", ""),
        ("max block range ", ""),
        ("max block range of ", ""),
        ("block range greater than ", ""),
        ("block range exceeds ", ""),
        ("ranges over ", "block"),
        ("requested blocks is ", ""),
        ("is too large, max is ", "block"),
        ("too wide (maximum ", ""),
        ("blocks distance: ", ""),
        ("smaller than size ", ""),
        ("should not exceed ", "block"),
    ] {
        if let Some((number, rest)) = after(&words, lead).and_then(number)
            && rest.trim_start().starts_with(end)
        {
            return Refusal::TooManyBlocks { at_most: Some(number) };
        }
    }
    if says(&[
        "block range is too wide",
        "block range limit exceeded",
        "range is too large",
        "block range too large",
        "block range threshold exceeded",
        "range exceeds maximum",
        "exceed maximum block range",
        "exceeds the range allowed",
        "exceeded max allowed",
    ]) {
        return Refusal::TooManyBlocks { at_most: None };
    }
    if says(&[
        "too many requests",
        "rate limit",
        "rate-limit",
        "request limit",
        "requests per second",
        "compute units per second",
        "capacity",
        "slow down",
        "throttl",
        "daily request count exceeded",
        "no backend is currently healthy",
    ]) || code == 429
        || code == -32016
    {
        return Refusal::Busy;
    }
    if says(&[
        "query returned more than",
        "query exceeds max results",
        "response size",
        "response too large",
        "response is too big",
        "too many results",
        "more than 10000 logs",
        "logs matched by query exceeds limit",
        "query timeout",
        "timed out",
        "timeout",
        "took too long",
    ]) {
        return Refusal::TooMuch { at_most: None };
    }
    // "limit exceeded" (EIP-1474), without a word about what.
    if code == -32005 || words.contains("limit exceeded") { Refusal::Busy } else { Refusal::Other }
}

fn after<'a>(words: &'a str, lead: &str) -> Option<&'a str> {
    words.split_once(lead).map(|(_, rest)| rest)
}

/// A number at the beginning, as in `10,000 range`, `2k block range`, `10k blocks`.
fn number(words: &str) -> Option<(u64, &str)> {
    let end = words.find(|c: char| !c.is_ascii_digit() && c != ',' && c != '_').unwrap_or(words.len());
    let (digits, rest) = words.split_at(end);
    let number: u64 = digits.replace([',', '_'], "").parse().ok()?;
    match rest.strip_prefix('k') {
        Some(rest) => Some((number.checked_mul(1_000)?, rest)),
        None => Some((number, rest)),
    }
    .filter(|(number, _)| *number > 0)
}

/// Blocks in `[0x1, 0x20]`.
fn suggested(words: &str) -> Option<u64> {
    let (from, rest) = words.split_once('[')?.1.split_once(',')?;
    let (to, _) = rest.split_once(']')?;
    let block = |text: &str| {
        let text = text.trim();
        match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        }
    };
    block(to)?.checked_sub(block(from)?)?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn blocks(at_most: u64) -> Refusal {
        Refusal::TooManyBlocks { at_most: Some(at_most) }
    }

    /// Words of providers as their users reported them.
    const WORDS: &[(&str, i64, &str, Refusal)] = &[
        (
            "Alchemy",
            -32602,
            "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the \
             response size, or you can request any block range with a cap of 10K logs in the response. Based on your \
             parameters and the response size limit, this block range should work: [0xbef2c8, 0xbef31c]",
            Refusal::TooMuch { at_most: Some(85) },
        ),
        (
            "Alchemy, free",
            -32600,
            "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. Upgrade to PAYG for \
             expanded block range.",
            blocks(10),
        ),
        (
            "Alchemy, busy",
            429,
            "Your app has exceeded its compute units per second capacity. If you have retries enabled, you can safely \
             ignore this message.",
            Refusal::Busy,
        ),
        (
            "Infura",
            -32005,
            "query returned more than 10000 results. Try with this block range [0x100001, 0x1000FF].",
            Refusal::TooMuch { at_most: Some(255) },
        ),
        ("Infura, busy", -32005, "daily request count exceeded, request rate limited", Refusal::Busy),
        ("QuickNode", -32614, "eth_getLogs is limited to a 10,000 range", blocks(10_000)),
        ("QuickNode, free", -32614, "eth_getLogs is limited to a 5 range", blocks(5)),
        ("QuickNode, busy", -32007, "50/second request limit reached - reduce calls per second", Refusal::Busy),
        ("Ankr", -32600, "block range is too wide", Refusal::TooManyBlocks { at_most: None }),
        ("Ankr, results", -32005, "query exceeds max results 20000", Refusal::TooMuch { at_most: None }),
        (
            "Cloudflare",
            -32047,
            "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800",
            blocks(800),
        ),
        (
            "Chainstack",
            -32602,
            "Block range limit exceeded. See more details at https://docs.chainstack.com",
            Refusal::TooManyBlocks { at_most: None },
        ),
        (
            "BlockPI",
            -32602,
            "eth_getLogs is limited to 1024 block range. Please check the parameter requirements",
            blocks(1_024),
        ),
        ("1RPC", -32602, "eth_getLogs is limited to 0 - 10000 blocks range", blocks(10_000)),
        ("Coinbase", -32602, "please limit the query to at most 1000 blocks", blocks(1_000)),
        ("PublicNode", -32701, "exceed maximum block range: 50000", blocks(50_000)),
        ("dRPC, free", 35, "ranges over 10000 blocks are not supported on freetier", blocks(10_000)),
        ("Merkle", -32602, "eth_getLogs range is too large, max is 10k blocks", blocks(10_000)),
        ("thirdweb", -32602, "Maximum allowed number of requested blocks is 3500", blocks(3_500)),
        ("LlamaRPC", -32602, "query exceeds max block range 1000", blocks(1_000)),
        ("Optimism", -32020, "backend response too large", Refusal::TooMuch { at_most: None }),
        ("Base", -32011, "no backend is currently healthy to serve traffic", Refusal::Busy),
        ("Besu", -32005, "Requested range exceeds maximum RPC range limit", Refusal::TooManyBlocks { at_most: None }),
        ("geth", -32000, "query timeout exceeded", Refusal::TooMuch { at_most: None }),
        ("Erigon", -32000, "query returned more than 10000 results", Refusal::TooMuch { at_most: None }),
        ("EIP-1474", -32005, "limit exceeded", Refusal::Busy),
        ("geth, pruned", -32000, "missing trie node", Refusal::Other),
        ("any", -32601, "the method eth_getBlockReceipts does not exist/is not available", Refusal::Other),
    ];

    #[test]
    fn the_words_of_providers_are_understood() {
        for (provider, code, words, expected) in WORDS {
            assert_eq!(read(*code, words), *expected, "{provider}: {words}");
        }
    }

    #[test]
    fn answers_over_http_are_understood() {
        let http = |status, body: &str| of(&TransportErrorKind::http_error(status, body.to_owned()));
        assert_eq!(http(429, "<html>slow down</html>"), Refusal::Busy);
        assert_eq!(http(503, ""), Refusal::Busy);
        assert_eq!(http(413, ""), Refusal::TooMuch { at_most: None });
        assert_eq!(
            http(413, r#"{"error":{"code":-32614,"message":"eth_getLogs is limited to a 10,000 range"}}"#),
            blocks(10_000)
        );
        assert_eq!(
            http(400, r#"{"error":{"message":"... this block range should work: [0x1, 0x10]"}}"#),
            Refusal::TooMuch { at_most: Some(16) }
        );
        let answer = r#"{"code":-32602,"message":"query exceeds max block range 7"}"#;
        let answer = serde_json::from_str(answer).expect("an error of JSON-RPC");
        assert_eq!(of(&TransportError::ErrorResp(answer)), blocks(7));
    }

    #[test]
    fn nonsense_is_no_number() {
        assert_eq!(read(0, "max range: 0"), Refusal::Other);
        assert_eq!(read(0, "this block range should work: [0x20, 0x1]"), Refusal::TooMuch { at_most: None });
        assert_eq!(read(0, "this block range should work: 5 to 7"), Refusal::TooMuch { at_most: None });
        assert_eq!(read(0, "max block range 99999999999999999999999999"), Refusal::Other);
        assert!(!is_overload(3, "execution reverted: too many requests"));
        assert!(is_overload(-32005, "limit exceeded"));
    }
}
