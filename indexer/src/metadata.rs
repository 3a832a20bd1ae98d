//! What tokens say of themselves, read once from the node and kept as raw data.

use alloy::primitives::{Address, Bytes};
use alloy::sol_types::SolValue as _;
use anyhow::bail;
use kopilka_store::chain::rows::{Rows, TokenMetadataRow, TokenRow};

use crate::rpc::{Node, TokenAnswers};

/// Longer names are cut: the longest real ones are a third of it.
const MAX_CHARACTERS: usize = 200;

/// Asks the tokens among `rows` that are seen for the first time, and adds the answers to the rows.
pub(crate) async fn ask_new_tokens(node: &Node, block: u64, rows: &mut Rows) -> anyhow::Result<()> {
    if rows.tokens.is_empty() {
        return Ok(());
    }
    let addresses: Vec<Address> = rows.tokens.iter().map(|token| token.address).collect();
    let answers = node.token_answers(&addresses, block).await?;
    for (token, answers) in rows.tokens.iter_mut().zip(answers) {
        // Ours always answer: silence comes from a node that does not have the block of the creation (any more).
        if token.round.is_some() && answers.name.as_ref().is_none_or(|answer| answer.is_empty()) {
            bail!("the node does not know the budget token {} that it announced itself", token.address);
        }
        let metadata = read(token.address, token.block_number, &answers);
        fill(token, &metadata);
        rows.token_metadata.push(metadata);
    }
    Ok(())
}

/// Gives a token the name, symbol and decimals that were kept.
pub(crate) fn fill(token: &mut TokenRow, metadata: &TokenMetadataRow) {
    token.name.clone_from(&metadata.name);
    token.symbol.clone_from(&metadata.symbol);
    token.decimals = metadata.decimals;
}

/// The row of a token whose first event is in a block.
pub(crate) fn read(address: Address, block_number: u64, answers: &TokenAnswers) -> TokenMetadataRow {
    TokenMetadataRow {
        address,
        name: answers.name.as_ref().and_then(text),
        symbol: answers.symbol.as_ref().and_then(text),
        decimals: answers.decimals.as_ref().and_then(small_number),
        block_number,
    }
}

/// A `string`, or the `bytes32` that some early tokens answer.
fn text(answer: &Bytes) -> Option<String> {
    let text = match String::abi_decode(answer) {
        Ok(text) => text,
        Err(_) if answer.len() == 32 => {
            let end = answer.iter().position(|byte| *byte == 0).unwrap_or(answer.len());
            std::str::from_utf8(&answer[..end]).ok()?.to_owned()
        }
        Err(_) => return None,
    };
    // What Postgres cannot keep becomes what the bulk encoding would write.
    let text: String = text.chars().take(MAX_CHARACTERS).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect();
    (!text.is_empty()).then_some(text)
}

fn small_number(answer: &Bytes) -> Option<u8> {
    let (last, rest) = answer.split_last().filter(|_| answer.len() == 32)?;
    rest.iter().all(|byte| *byte == 0).then_some(*last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_all_kinds_are_read() {
        assert_eq!(text(&"Рубль".to_owned().abi_encode().into()).as_deref(), Some("Рубль"));
        let mut short = b"MKR".to_vec();
        short.resize(32, 0);
        assert_eq!(text(&short.into()).as_deref(), Some("MKR"));
        assert_eq!(text(&Bytes::new()), None);
        assert_eq!(text(&Bytes::from_static(&[0xff; 64])), None);
        assert_eq!(text(&"a\0b".to_owned().abi_encode().into()).as_deref(), Some("a\u{fffd}b"));
        let mut two = vec![0; 31];
        two.push(2);
        assert_eq!(small_number(&two.clone().into()), Some(2));
        two[0] = 1;
        assert_eq!(small_number(&two.into()), None);
    }
}
