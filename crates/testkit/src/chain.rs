//! A fresh anvil with the contracts deployed.

use alloy::network::EthereumWallet;
use alloy::primitives::Address;
use alloy::providers::{DynProvider, Provider as _, ProviderBuilder};
use alloy::signers::local::PrivateKeySigner;
use anyhow::Context as _;
use kopilka_bindings::deploy::{self, Deployment};
use kopilka_embedded::{Anvil, AnvilConfig, Toolchain};

/// The first five well-known private keys of anvil: never of value outside a development chain.
pub const DEV_KEYS: [&str; 5] = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
];

/// The last of anvil's ten keys, that of the region's operator: the owner of the register holds no role, so the accounts of
/// [`DEV_KEYS`] are free to.
pub const OPERATOR_KEY: &str = "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6";

/// An anvil of its own for one test, contracts deployed by the operator, which owns the register.
#[derive(Debug)]
pub struct TestChain {
    /// The node; stops when dropped.
    pub anvil: Anvil,
    /// Addresses of the contracts.
    pub deployment: Deployment,
    _dir: tempfile::TempDir,
}

impl TestChain {
    /// Starts a chain that mines a block for each transaction.
    ///
    /// # Errors
    /// When anvil does not come up or the deployment fails.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(|_| {}).await
    }

    /// Starts a chain with other settings.
    ///
    /// # Errors
    /// When anvil does not come up or the deployment fails.
    pub async fn start_with(change: impl FnOnce(&mut AnvilConfig)) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut config = AnvilConfig::for_test(dir.path());
        change(&mut config);
        let anvil = Anvil::start(&Toolchain::locate()?, &config).await?;
        let operator: PrivateKeySigner = OPERATOR_KEY.parse()?;
        let owner = operator.address();
        let deployment = deploy::deploy(provider(&anvil.url(), operator)?, owner).await?;
        Ok(Self { anvil, deployment, _dir: dir })
    }

    /// A provider that signs with the `index`-th development key.
    ///
    /// # Errors
    /// When the index is out of range.
    pub fn provider(&self, index: usize) -> anyhow::Result<DynProvider> {
        provider(&self.anvil.url(), signer(index)?)
    }

    /// A provider that signs as the operator.
    ///
    /// # Errors
    /// Never in practice: the key is well formed.
    pub fn operator(&self) -> anyhow::Result<DynProvider> {
        provider(&self.anvil.url(), OPERATOR_KEY.parse()?)
    }

    /// Address of the `index`-th development key.
    ///
    /// # Errors
    /// When the index is out of range.
    pub fn account(&self, index: usize) -> anyhow::Result<Address> {
        Ok(signer(index)?.address())
    }
}

fn signer(index: usize) -> anyhow::Result<PrivateKeySigner> {
    Ok(DEV_KEYS.get(index).context("there are five development keys")?.parse()?)
}

fn provider(url: &str, signer: PrivateKeySigner) -> anyhow::Result<DynProvider> {
    let wallet = EthereumWallet::from(signer);
    Ok(ProviderBuilder::new().wallet(wallet).connect_http(url.parse()?).erased())
}
