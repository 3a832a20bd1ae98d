//! When a batch is due: as soon as it is full, or once its first message has waited long enough.
//!
//! How long a message waits is known to this process alone and written nowhere.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use kopilka_domain::MessageKind;
use kopilka_store::relay::Group;

use crate::config::BatchConfig;

/// Waiting groups and the batches that are being made of them.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    first_seen: HashMap<Group, Instant>,
    /// Batches at work: their messages still count as queued until they are stored.
    at_work: HashMap<Group, u64>,
    /// Groups that could not be submitted, and when to try again.
    held: HashMap<Group, Instant>,
}

impl Schedule {
    /// The groups to make a batch of now, one entry for each batch.
    pub(crate) fn due(&mut self, ready: &[(Group, u64, u64)], config: &BatchConfig, now: Instant) -> Vec<Group> {
        self.first_seen.retain(|group, _| ready.iter().any(|(other, _, _)| other == group));
        self.held.retain(|_, until| *until > now);
        let mut due = Vec::new();
        for &(group, count, gas) in ready {
            if self.held.contains_key(&group) {
                continue;
            }
            let batch = size(&group, count, gas, config);
            let at_work = self.at_work.get(&group).copied().unwrap_or_default();
            let left = count.saturating_sub(at_work * batch);
            if left == 0 {
                continue;
            }
            let first_seen = *self.first_seen.entry(group).or_insert(now);
            let wait = wait(&group, config);
            if left >= batch {
                due.extend(std::iter::repeat_n(group, usize::try_from(left / batch).unwrap_or(usize::MAX).min(64)));
            } else if now.duration_since(first_seen) >= wait {
                due.push(group);
            }
        }
        due
    }

    pub(crate) fn started(&mut self, group: Group, now: Instant) {
        *self.at_work.entry(group).or_default() += 1;
        self.first_seen.insert(group, now);
    }

    pub(crate) fn finished(&mut self, group: Group) {
        if let Some(count) = self.at_work.get_mut(&group) {
            *count -= 1;
            if *count == 0 {
                self.at_work.remove(&group);
            }
        }
    }

    pub(crate) fn hold(&mut self, group: Group, until: Instant) {
        self.held.insert(group, until);
    }
}

/// How many messages make a full batch.
fn size(group: &Group, count: u64, gas: u64, config: &BatchConfig) -> u64 {
    if group.alone {
        return 1;
    }
    let each = (gas / count.max(1)).max(1);
    (config.target_gas / each).clamp(1, u64::from(config.max_items))
}

fn wait(group: &Group, config: &BatchConfig) -> Duration {
    if group.alone {
        return Duration::ZERO;
    }
    match group.kind {
        MessageKind::Registration => config.registration_wait,
        MessageKind::Allocation => config.allocation_wait,
        MessageKind::Ballot => config.ballot_wait,
        MessageKind::StampClaim => config.claim_wait,
        MessageKind::Redemption => config.redemption_wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Address;

    #[test]
    fn full_batches_go_at_once_and_others_after_a_while() {
        let config = BatchConfig::default();
        let group =
            Group { kind: MessageKind::Registration, contract: Address::ZERO, scope: 0, class: 0, alone: false };
        let mut schedule = Schedule::default();
        let start = Instant::now();
        let ready = |count| [(group, count, count * 66_000)];
        assert!(schedule.due(&ready(10), &config, start).is_empty());
        assert_eq!(schedule.due(&ready(10), &config, start + config.registration_wait).len(), 1);
        assert_eq!(schedule.due(&ready(450), &config, start).len(), 2);
        schedule.started(group, start);
        schedule.started(group, start);
        assert!(schedule.due(&ready(450), &config, start).is_empty(), "50 are left and wait for others");
        schedule.finished(group);
        assert_eq!(schedule.due(&ready(450), &config, start).len(), 1);
        schedule.hold(group, start + Duration::from_secs(3));
        assert!(schedule.due(&ready(450), &config, start + Duration::from_secs(2)).is_empty());
        assert_eq!(schedule.due(&ready(450), &config, start + Duration::from_secs(4)).len(), 1);
    }
}
