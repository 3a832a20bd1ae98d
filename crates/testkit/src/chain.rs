//! A fresh anvil with the contracts deployed.

use alloy::network::EthereumWallet;
use alloy::primitives::{Address, B256, U256};
use alloy::providers::{DynProvider, Provider as _, ProviderBuilder};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context as _, ensure};
use kopilka_bindings::budget_token::BudgetToken;
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

/// The ninth of anvil's ten keys, for a municipality's controller: money needs two people, whoever else a test has.
pub const CONTROLLER_KEY: &str = "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97";

/// `Controller` of `IMunicipalities.Role`.
pub const CONTROLLER_ROLE: u8 = 5;

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

    /// A provider that signs as the controller, which has no role before a test grants it [`CONTROLLER_ROLE`].
    ///
    /// # Errors
    /// Never in practice: the key is well formed.
    pub fn controller(&self) -> anyhow::Result<DynProvider> {
        provider(&self.anvil.url(), CONTROLLER_KEY.parse()?)
    }

    /// Address of the controller.
    ///
    /// # Errors
    /// Never in practice: the key is well formed.
    pub fn controller_account(&self) -> anyhow::Result<Address> {
        let signer: PrivateKeySigner = CONTROLLER_KEY.parse()?;
        Ok(signer.address())
    }

    /// Mints as two people do: `treasurer` proposes, the controller approves.
    ///
    /// # Errors
    /// When one of the two lacks access, or the token refuses.
    pub async fn mint(&self, token: Address, treasurer: &DynProvider, amount: U256) -> anyhow::Result<()> {
        let proposal = BudgetToken::new(token, treasurer).proposeMint(amount, B256::ZERO).send().await?;
        let receipt = proposal.get_receipt().await?;
        let proposed = receipt.decoded_log::<BudgetToken::MintProposed>().context("nothing was proposed")?;
        let controller = self.controller()?;
        controller.client().set_poll_interval(treasurer.client().poll_interval());
        let token = BudgetToken::new(token, controller);
        let approval = token.approveMint(proposed.mintId, amount, B256::ZERO).send().await?;
        ensure!(approval.get_receipt().await?.status(), "the approval was reverted");
        Ok(())
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
