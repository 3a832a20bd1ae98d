//! Every URL of the sites, so that none is written as a literal in a template. A site that links to another one has the
//! other's public address in its configuration; links inside a site are paths.

use std::fmt::Display;

/// URLs of the explorer (EIP-3091 for blocks, transactions, addresses and tokens).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExplorerUrls(Base);

/// URLs of the portal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortalUrls(Base);

/// What stands before every path: nothing inside the site itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Base(String);

impl Base {
    fn new(url: &str) -> Self {
        Self(url.trim_end_matches('/').to_owned())
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

macro_rules! urls {
    ($site:ident { $($(#[$doc:meta])* $name:ident($($arg:ident),*) = $format:literal,)+ }) => {
        impl $site {
            /// Paths inside the site itself.
            pub fn local() -> Self {
                Self::default()
            }

            /// Links from elsewhere: `public_url` is the site's address without a path, such as `https://example.org`.
            pub fn at(public_url: &str) -> Self {
                Self(Base::new(public_url))
            }

            $(
                $(#[$doc])*
                pub fn $name(&self $(, $arg: impl Display)*) -> String {
                    self.0.path(&format!($format $(, $arg = $arg)*))
                }
            )+
        }
    };
}

urls! {
    ExplorerUrls {
        /// Start page.
        home() = "/",
        /// Search form's target.
        search() = "/search",
        /// Search for a text; the text must be percent-encoded if it can hold more than letters and digits.
        search_for(query) = "/search?q={query}",
        /// Latest blocks.
        blocks() = "/blocks",
        /// A block, by number or hash.
        block(block) = "/block/{block}",
        /// Latest transactions.
        transactions() = "/txs",
        /// A transaction.
        transaction(hash) = "/tx/{hash}",
        /// An address.
        address(address) = "/address/{address}",
        /// Transfers of an address.
        address_transfers(address) = "/address/{address}/transfers",
        /// Events of an address.
        address_logs(address) = "/address/{address}/logs",
        /// A token.
        token(token) = "/token/{token}",
        /// Who holds a token.
        token_holders(token) = "/token/{token}/holders",
        /// Transfers of a token as CSV.
        token_transfers_csv(token) = "/token/{token}/transfers.csv",
        /// All rounds.
        rounds() = "/rounds",
        /// A round.
        round(round) = "/round/{round}",
        /// Changes of a round as server-sent events.
        round_events(round) = "/round/{round}/events",
        /// The amounts of a round's wallets, as JSON.
        round_wallets(round) = "/round/{round}/wallets.json",
        /// An initiative of a round.
        initiative(round, id) = "/round/{round}/initiative/{id}",
        /// Result of a round.
        result(round) = "/round/{round}/result",
        /// Allocations of a round.
        allocations(round) = "/round/{round}/allocations",
        /// Allocations of a round as CSV.
        allocations_csv(round) = "/round/{round}/allocations.csv",
        /// The election as a Pabulib file.
        election_pb(round) = "/round/{round}/election.pb",
        /// The election as JSON.
        election_json(round) = "/round/{round}/election.json",
        /// Read-only JSON-RPC.
        eth_rpc() = "/api/eth-rpc",
    }
}

urls! {
    PortalUrls {
        /// Start page.
        home() = "/",
        /// A round.
        round(round) = "/rounds/{round}",
        /// Exact bytes of a published document.
        document(hash) = "/documents/{hash}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_is_not_doubled() {
        assert_eq!(ExplorerUrls::at("https://example.org/").transaction("0x1"), "https://example.org/tx/0x1");
        assert_eq!(ExplorerUrls::local().initiative("0x1", 2), "/round/0x1/initiative/2");
    }
}
