//! The pages: one type for each, with the template of the same name in `templates/pages/`.

pub(crate) mod address;
pub(crate) mod allocations;
pub(crate) mod blocks;
pub(crate) mod home;
pub(crate) mod initiative;
pub(crate) mod result;
pub(crate) mod round;
pub(crate) mod rounds;
pub(crate) mod rpc;
pub(crate) mod search;
pub(crate) mod token;
pub(crate) mod transaction;
pub(crate) mod transactions;

#[cfg(test)]
mod markup;
#[cfg(test)]
mod samples;

use alloy::primitives::Address;
use kopilka_store::chain::query::{Transaction, Transfer};
use kopilka_web::Html;
use kopilka_web::components::{Tone, tag};

use crate::decode::method_key;
use crate::words::Words;

/// Addresses in a list of transactions.
fn in_transactions(transactions: &[Transaction]) -> impl Iterator<Item = Address> + '_ {
    transactions.iter().flat_map(|tx| [Some(tx.from_address), tx.to_address, tx.created_contract]).flatten()
}

/// Addresses in a list of transfers.
fn in_transfers(transfers: &[Transfer]) -> impl Iterator<Item = Address> + '_ {
    transfers.iter().flat_map(|transfer| [transfer.from_address, transfer.to_address, transfer.token])
}

/// What a transaction does, in a word or two.
fn method(words: &Words, tx: &Transaction) -> Html {
    if tx.to_address.is_none() {
        return tag(Tone::Neutral, &words.text("method-deployment"));
    }
    match &tx.method {
        None => tag(Tone::Neutral, &words.text("method-transfer")),
        Some(method) => {
            let is_ours = tx.to_address.is_some_and(|to| words.names.contracts.contains_key(&to));
            match method_key(method).filter(|_| is_ours) {
                Some(key) => Html::escaped(words.text(key)),
                None => Html::trusted(format!("<code>{method}</code>")),
            }
        }
    }
}
