//! How winners are carried out: deadlines, stages and documents on the chain.

use alloy::primitives::{Address, B256, keccak256};
use alloy::providers::DynProvider;
use kopilka_bindings::milestones::Milestones::{self, MilestonesInstance};

use super::Staff;
use super::actions::mined;

/// Stages of a winner, as `IMilestones.Stage` numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Stage {
    /// The works are planned.
    Plan,
    /// A contractor is bound.
    Contract,
    /// What was done is accepted.
    Acceptance,
    /// The public has the report.
    Report,
}

impl Stage {
    /// All stages in their order.
    pub const ALL: [Self; 4] = [Self::Plan, Self::Contract, Self::Acceptance, Self::Report];

    fn code(self) -> u8 {
        self as u8
    }
}

impl Staff {
    /// Clerk: sets the four deadlines of a winner, Unix seconds, once.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn schedule(&self, round: Address, initiative: u16, deadlines: [u64; 4]) -> anyhow::Result<()> {
        mined(self.clerk_milestones().schedule(round, initiative, deadlines).send().await, "schedule").await.map(drop)
    }

    /// Clerk: gives a stage more time, with the hash of the published reason.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn postpone(
        &self,
        round: Address,
        initiative: u16,
        stage: Stage,
        deadline: u64,
        reason: &str,
    ) -> anyhow::Result<()> {
        let milestones = self.clerk_milestones();
        let call = milestones.postpone(round, initiative, stage.code(), deadline, keccak256(reason));
        mined(call.send().await, "postpone").await.map(drop)
    }

    /// Records that a stage is reached: the clerk, but for the acceptance the controller.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn reach(&self, round: Address, initiative: u16, stage: Stage, document: B256) -> anyhow::Result<()> {
        let milestones = match stage {
            Stage::Acceptance => Milestones::new(self.deployment.milestones, self.controller.clone()),
            Stage::Plan | Stage::Contract | Stage::Report => self.clerk_milestones(),
        };
        mined(milestones.reach(round, initiative, stage.code(), document).send().await, "reach").await.map(drop)
    }

    /// Clerk: gives up a winner whose money is back in the budget, with the hash of the published reason.
    ///
    /// # Errors
    /// When the contract refuses.
    pub async fn abandon(&self, round: Address, initiative: u16, reason: &str) -> anyhow::Result<()> {
        let milestones = self.clerk_milestones();
        let call = milestones.abandon(round, initiative, keccak256(reason));
        mined(call.send().await, "abandon").await.map(drop)
    }

    fn clerk_milestones(&self) -> MilestonesInstance<DynProvider> {
        Milestones::new(self.deployment.milestones, self.clerk.clone())
    }
}
