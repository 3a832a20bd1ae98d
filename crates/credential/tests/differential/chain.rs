//! The credential libraries of the contracts on an anvil, asked by `eth_call`, many at a time.

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol;
use alloy::sol_types::{SolCall as _, SolValue as _};
use kopilka_embedded::{Anvil, AnvilConfig, Toolchain};
use serde_json::{Value, json};

use crate::cases::{Batch, SCOPE_CHAIN};

sol! {
    struct Scope { address verifier; uint256 id; uint8 class; }
    function isIssuerKey(bytes key) external view returns (bool);
    function hashToG1(Scope scope, address account) external view returns (bytes);
    function verifyKept(Scope scope, bytes issuerKey, address[] accounts, bytes signatures, uint256[] kept) external view returns (bool);
}

/// Where the harness is put.
const HARNESS: Address = Address::repeat_byte(0xc0);
/// Calls in one HTTP request.
const CALLS: usize = 50;

pub(crate) struct Chain {
    anvil: Anvil,
    client: reqwest::Client,
    _dir: tempfile::TempDir,
}

impl Chain {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = AnvilConfig { chain_id: SCOPE_CHAIN, ..AnvilConfig::for_test(dir.path()) };
        let anvil = Anvil::start(&Toolchain::locate().unwrap(), &config).await.unwrap();
        let chain = Self { anvil, client: reqwest::Client::new(), _dir: dir };
        let artifact: Value = serde_json::from_str(include_str!("CredentialHarness.json")).unwrap();
        let params = json!([HARNESS, artifact["deployedBytecode"]]);
        chain.ask(vec![json!({ "jsonrpc": "2.0", "id": 0, "method": "anvil_setCode", "params": params })]).await;
        chain
    }

    /// Answers in the order of the requests.
    async fn ask(&self, requests: Vec<Value>) -> Vec<Value> {
        let response = self.client.post(self.anvil.url()).json(&requests).send().await.unwrap();
        let mut answers: Vec<Value> = response.json().await.unwrap();
        answers.sort_by_key(|answer| answer["id"].as_u64().unwrap());
        assert_eq!(answers.len(), requests.len());
        for answer in &answers {
            assert!(answer.get("error").is_none(), "the harness never reverts: {answer}");
        }
        answers
    }

    async fn call(&self, calls: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut results = Vec::new();
        for chunk in calls.chunks(CALLS) {
            let request = |(id, data): (usize, &Vec<u8>)| {
                let transaction = json!({ "to": HARNESS, "data": Bytes::from(data.clone()) });
                json!({ "jsonrpc": "2.0", "id": id, "method": "eth_call", "params": [transaction, "latest"] })
            };
            for answer in self.ask(chunk.iter().enumerate().map(request).collect()).await {
                results.push(serde_json::from_value::<Bytes>(answer["result"].clone()).unwrap().to_vec());
            }
        }
        results
    }

    async fn verdicts(&self, calls: Vec<Vec<u8>>) -> Vec<bool> {
        self.call(calls).await.iter().map(|result| bool::abi_decode(result).unwrap()).collect()
    }

    /// Which of the byte strings the contracts would take as issuer keys.
    pub(crate) async fn are_issuer_keys(&self, keys: &[Vec<u8>]) -> Vec<bool> {
        let calls = keys.iter().map(|key| isIssuerKeyCall { key: key.clone().into() }.abi_encode());
        self.verdicts(calls.collect()).await
    }

    /// H(m) of a scope and account, x and y without padding.
    pub(crate) async fn hashes(&self, messages: &[(kopilka_credential::CredentialScope, [u8; 20])]) -> Vec<[u8; 96]> {
        let calls = messages
            .iter()
            .map(|(of, account)| hashToG1Call { scope: scope(of), account: Address::from(*account) }.abi_encode());
        let results = self.call(calls.collect()).await;
        results.iter().map(|result| unpadded(&Bytes::abi_decode(result).unwrap())).collect()
    }

    /// Which of the batches the contracts would take.
    pub(crate) async fn accept(&self, batches: &[Batch]) -> Vec<bool> {
        self.verdicts(batches.iter().map(encode).collect()).await
    }
}

fn scope(of: &kopilka_credential::CredentialScope) -> Scope {
    Scope { verifier: of.contract.to_bytes().into(), id: U256::from_be_bytes(of.id.to_bytes()), class: of.class }
}

fn encode(batch: &Batch) -> Vec<u8> {
    let call = verifyKeptCall {
        scope: scope(&batch.scope),
        issuerKey: batch.key.to_vec().into(),
        accounts: batch.accounts.iter().map(|account| Address::from(*account)).collect(),
        signatures: batch.signatures.concat().into(),
        kept: batch.kept.iter().map(|index| U256::from(*index)).collect(),
    };
    let mut data = call.abi_encode();
    if batch.dirty_accounts {
        // The 12 bytes before each address, which must count for nothing. After the selector stand the scope's three words, the
        // place of the key and that of the accounts, which begin with their number.
        let place = U256::from_be_slice(&data[4 + 4 * 32..4 + 5 * 32]).to::<usize>();
        for index in 0..batch.accounts.len() {
            let at = 4 + place + 32 * (index + 1);
            assert_eq!(data[at + 12..at + 32], batch.accounts[index]);
            data[at..at + 12].fill(0xd1);
        }
    }
    data
}

fn unpadded(point: &[u8]) -> [u8; 96] {
    assert_eq!(point.len(), 128);
    assert!(point[..16].iter().chain(&point[64..80]).all(|byte| *byte == 0), "padding is zero");
    [&point[16..64], &point[80..]].concat().try_into().unwrap()
}
