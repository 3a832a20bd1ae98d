//! What an operator sets of the relayer: waits, fees, allowances. What is not given stays as [`Config::new`] has it.

use std::str::FromStr;
use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use kopilka_relayer::Config;
use kopilka_relayer::config::{FeeConfig, FollowConfig, Rate};

/// Settings of the relayer.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings of the relayer")]
pub struct RelayerSettings {
    /// How long a batch that is not full waits for more messages: SECONDS for all kinds, or KIND=SECONDS for each of
    /// registrations, allocations, ballots, claims, redemptions. In public, minutes for registrations: the longer, the more citizens
    /// arrive on the chain at one moment. [default: 0.5]
    #[arg(long = "relayer-wait", env = "KOPILKA_RELAYER_WAIT", value_name = "[KIND=]SECONDS", value_delimiter = ',')]
    waits: Vec<Wait>,
    /// Most gwei for a unit of gas, tip included, whatever happens. [default: 500]
    #[arg(long = "relayer-max-fee", env = "KOPILKA_RELAYER_MAX_FEE", value_name = "GWEI")]
    max_fee: Option<Gwei>,
    /// Least tip for a unit of gas, in gwei; 0 on a chain without fees. [default: 0.1]
    #[arg(long = "relayer-min-tip", env = "KOPILKA_RELAYER_MIN_TIP", value_name = "GWEI")]
    min_tip: Option<Gwei>,
    /// Blocks after which a transaction that is not mined is replaced by a dearer one. [default: 5]
    #[arg(long = "relayer-bump-after", env = "KOPILKA_RELAYER_BUMP_AFTER", value_name = "BLOCKS",
        value_parser = clap::value_parser!(u64).range(1..=1_000))]
    bump_after: Option<u64>,
    /// Balance of a sender below which a warning is given, in gwei; 0 on a chain without fees. [default: 100000000, a
    /// tenth of an ether]
    #[arg(long = "relayer-low-balance", env = "KOPILKA_RELAYER_LOW_BALANCE", value_name = "GWEI")]
    low_balance: Option<Gwei>,
    /// Blocks, the transaction's own included, after which it counts as permanent. [default: 1]
    #[arg(long = "relayer-confirmations", env = "KOPILKA_RELAYER_CONFIRMATIONS", value_name = "BLOCKS",
        value_parser = clap::value_parser!(u64).range(1..=10_000))]
    confirmations: Option<u64>,
    /// Most messages in the queue; beyond it citizens are asked to come back in a while. [default: 100000]
    #[arg(long = "relayer-queue-limit", env = "KOPILKA_RELAYER_QUEUE_LIMIT", value_name = "MESSAGES",
        value_parser = clap::value_parser!(u64).range(1..))]
    queue_limit: Option<u64>,
    /// Messages a second from one network, and how many at once: 50/1000, or «any». Citizens of a mobile operator share a
    /// network. [default: 50/1000]
    #[arg(long = "relayer-network-rate", env = "KOPILKA_RELAYER_NETWORK_RATE", value_name = "RATE")]
    network_rate: Option<Allowance>,
    /// The same for one account. [default: 0.5/30]
    #[arg(long = "relayer-account-rate", env = "KOPILKA_RELAYER_ACCOUNT_RATE", value_name = "RATE")]
    account_rate: Option<Allowance>,
    /// A reverse proxy of yours stands before the relayer and sets `X-Forwarded-For`.
    #[arg(long = "relayer-behind-proxy", env = "KOPILKA_RELAYER_BEHIND_PROXY")]
    behind_proxy: bool,
}

impl RelayerSettings {
    /// Checks what can be checked before anything is known of chain and database.
    ///
    /// # Errors
    /// Settings that contradict each other, or what is the default for others.
    pub fn check(&self) -> anyhow::Result<()> {
        let fees = self.fees(FeeConfig::default());
        ensure!(
            fees.min_priority_fee <= fees.max_fee_ceiling,
            "the least tip ({} wei) is above the most that may be paid ({} wei): lower --relayer-min-tip or raise \
             --relayer-max-fee",
            fees.min_priority_fee,
            fees.max_fee_ceiling
        );
        let follow = self.follow(FollowConfig::default());
        ensure!(
            follow.confirmations < follow.prune_after_blocks,
            "{} confirmations are more than the {} blocks for which contents are kept: lower --relayer-confirmations",
            follow.confirmations,
            follow.prune_after_blocks
        );
        Ok(())
    }

    fn fees(&self, mut fees: FeeConfig) -> FeeConfig {
        set(&mut fees.max_fee_ceiling, self.max_fee.map(|fee| fee.0));
        set(&mut fees.min_priority_fee, self.min_tip.map(|fee| fee.0));
        set(&mut fees.low_balance, self.low_balance.map(|balance| balance.0));
        set(&mut fees.bump_after_blocks, self.bump_after);
        fees
    }

    fn follow(&self, mut follow: FollowConfig) -> FollowConfig {
        set(&mut follow.confirmations, self.confirmations);
        follow
    }

    /// Puts what was given into the configuration.
    pub fn apply(&self, config: &mut Config) {
        for wait in &self.waits {
            let batch = &mut config.batch;
            let all = [
                ("registrations", &mut batch.registration_wait),
                ("allocations", &mut batch.allocation_wait),
                ("ballots", &mut batch.ballot_wait),
                ("claims", &mut batch.claim_wait),
                ("redemptions", &mut batch.redemption_wait),
            ];
            for (kind, place) in all {
                if wait.kind.is_none_or(|wanted| wanted == kind) {
                    *place = wait.time;
                }
            }
        }
        config.fees = self.fees(config.fees.clone());
        config.follow = self.follow(config.follow.clone());
        set(&mut config.intake.queue_limit, self.queue_limit);
        set(&mut config.limits.per_network, self.network_rate.map(|rate| rate.0));
        set(&mut config.limits.per_account, self.account_rate.map(|rate| rate.0));
        config.limits.behind_proxy |= self.behind_proxy;
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

const KINDS: [&str; 5] = ["registrations", "allocations", "ballots", "claims", "redemptions"];

/// A wait for all kinds of messages or one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wait {
    kind: Option<&'static str>,
    time: Duration,
}

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, seconds) = match text.split_once('=') {
            None => (None, text),
            Some((name, seconds)) => {
                let kind = KINDS.into_iter().find(|kind| *kind == name);
                (
                    Some(
                        kind.ok_or_else(|| format!("«{name}» is no kind of message: say one of {}", KINDS.join(", ")))?,
                    ),
                    seconds,
                )
            }
        };
        let seconds: f64 = seconds
            .parse()
            .map_err(|_| format!("«{seconds}» is no number of seconds: say 0.5 or registrations=120"))?;
        if !(0.0..=3_600.0).contains(&seconds) {
            return Err(format!("{seconds} seconds: a wait is between 0 and 3600"));
        }
        Ok(Self { kind, time: Duration::from_secs_f64(seconds) })
    }
}

/// An amount given in gwei, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gwei(u128);

impl FromStr for Gwei {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('-') {
            return Err("less than nothing: say 0 or more".to_owned());
        }
        let amount = alloy::primitives::utils::parse_units(text, "gwei")
            .map_err(|_| format!("«{text}» is no amount in gwei: say 30 or 0.1"))?;
        u128::try_from(amount.get_absolute()).map(Self).map_err(|_| format!("«{text}» gwei is too much"))
    }
}

/// How often somebody may send; `None` for any number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Allowance(Option<Rate>);

impl FromStr for Allowance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "any" {
            return Ok(Self(None));
        }
        let rate = text.split_once('/').and_then(|(per_second, burst)| {
            let per_second: f64 = per_second.parse().ok()?;
            let burst: u32 = burst.parse().ok()?;
            (per_second.is_finite() && per_second > 0.0 && burst > 0).then_some(Rate { per_second, burst })
        });
        rate.map(|rate| Self(Some(rate))).ok_or_else(|| {
            format!("«{text}» is no rate: say 50/1000 for 50 a second and 1000 at once, or «any» for no limit")
        })
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Address;
    use clap::Parser;
    use kopilka_bindings::deploy::Deployment;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        settings: RelayerSettings,
    }

    fn config() -> Config {
        let zero = Address::ZERO;
        let deployment = Deployment {
            chain_id: 1,
            first_block: 0,
            municipalities: zero,
            issuer_keys: zero,
            rounds: zero,
            round_implementation: zero,
            token_implementation: zero,
            polls: zero,
            reward_points: zero,
            reward_shop: zero,
            anchors: zero,
            milestones: zero,
        };
        Config::new(String::new(), "http://127.0.0.1:1".parse().unwrap(), &deployment, Vec::new())
    }

    fn with(arguments: &[&str]) -> anyhow::Result<Config> {
        let command = Command::try_parse_from([&["relayer"], arguments].concat())?;
        let mut config = config();
        command.settings.check()?;
        command.settings.apply(&mut config);
        Ok(config)
    }

    #[test]
    fn what_is_not_given_stays() {
        assert_eq!(format!("{:?}", with(&[]).unwrap()), format!("{:?}", config()));
    }

    #[test]
    fn each_setting_reaches_its_place() {
        let config = with(&[
            "--relayer-wait",
            "2,registrations=120.5,claims=0",
            "--relayer-max-fee=40",
            "--relayer-min-tip=0.25",
            "--relayer-low-balance=7",
            "--relayer-bump-after=3",
            "--relayer-confirmations=12",
            "--relayer-queue-limit=5",
            "--relayer-network-rate=any",
            "--relayer-account-rate=0.1/2",
            "--relayer-behind-proxy",
        ])
        .unwrap();
        assert_eq!(config.batch.registration_wait, Duration::from_millis(120_500));
        assert_eq!(config.batch.claim_wait, Duration::ZERO);
        for wait in [config.batch.allocation_wait, config.batch.ballot_wait, config.batch.redemption_wait] {
            assert_eq!(wait, Duration::from_secs(2));
        }
        assert_eq!(config.fees.max_fee_ceiling, 40_000_000_000);
        assert_eq!(config.fees.min_priority_fee, 250_000_000);
        assert_eq!(config.fees.low_balance, 7_000_000_000);
        assert_eq!(config.fees.bump_after_blocks, 3);
        assert_eq!(config.follow.confirmations, 12);
        assert_eq!(config.intake.queue_limit, 5);
        assert_eq!(config.limits.per_network, None);
        assert_eq!(config.limits.per_account, Some(Rate { per_second: 0.1, burst: 2 }));
        assert!(config.limits.behind_proxy);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        for (argument, remedy) in [
            ("--relayer-wait=soon", "0.5 or registrations=120"),
            ("--relayer-wait=votes=3", "registrations, allocations, ballots, claims, redemptions"),
            ("--relayer-wait=-1", "between 0 and 3600"),
            ("--relayer-wait=NaN", "between 0 and 3600"),
            ("--relayer-max-fee=much", "30 or 0.1"),
            ("--relayer-min-tip=-1", "0 or more"),
            ("--relayer-min-tip=501", "lower --relayer-min-tip or raise --relayer-max-fee"),
            ("--relayer-confirmations=0", "1..=10000"),
            ("--relayer-confirmations=5000", "lower --relayer-confirmations"),
            ("--relayer-network-rate=50", "50/1000"),
            ("--relayer-account-rate=0/5", "50/1000"),
        ] {
            let said = with(&[argument]).unwrap_err().to_string();
            assert!(said.contains(remedy), "{argument}: {said}");
        }
    }
}
