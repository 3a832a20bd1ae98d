//! Transfers, tokens, mints.

use alloy::primitives::{Address, B256, U256};

use crate::chain::copy::{CopyRow, Encoder, Field};

rows! {
    /// An ERC-20 transfer.
    TransferRow in "transfers" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Position of the transaction.
        tx_index: u32,
        /// Token.
        token: Address,
        /// Payer; zero for a mint.
        from_address: Address,
        /// Payee; zero for a burn.
        to_address: Address,
        /// Base units.
        amount: U256,
    }
    /// A token at its first event.
    TokenRow in "tokens" {
        /// Token.
        address: Address,
        /// Its round; none for a foreign token.
        round: Option<Address>,
        /// Id of the round.
        round_id: Option<u64>,
        /// `erc20` or `erc721`.
        standard: &'static str,
        /// Name.
        name: Option<String>,
        /// Symbol.
        symbol: Option<String>,
        /// Decimals.
        decimals: Option<u8>,
        /// Most that may be minted.
        appropriation_amount: Option<U256>,
        /// Year of the budget.
        fiscal_year: Option<u32>,
        /// Budget classification code.
        kbk: Option<String>,
        /// Hash of the budget decision.
        document_hash: Option<B256>,
        /// Where the decision is published.
        document_uri: Option<String>,
        /// Block of the first event.
        block_number: u64,
        /// Its position.
        log_index: u32,
    }
    /// BudgetMinted.
    MintRow in "mints" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Token.
        token: Address,
        /// Id of the mint within the token.
        mint_id: u64,
        /// Who proposed.
        treasurer: Address,
        /// Who approved.
        approver: Address,
        /// Kopecks.
        amount: U256,
        /// Kopecks minted so far.
        minted_total: U256,
    }
    /// ReturnedToBudget.
    ReturnRow in "returns" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Token.
        token: Address,
        /// Whose tokens were burnt.
        from_address: Address,
        /// Kopecks.
        amount: U256,
    }
    /// An ERC-721 transfer.
    NftTransferRow in "nft_transfers" {
        /// Block.
        block_number: u64,
        /// Position in the block.
        log_index: u32,
        /// Transaction.
        tx_hash: B256,
        /// Position of the transaction.
        tx_index: u32,
        /// Token.
        token: Address,
        /// Giver; zero for a mint.
        from_address: Address,
        /// Receiver; zero for a burn.
        to_address: Address,
        /// Which piece.
        token_id: U256,
    }
}
