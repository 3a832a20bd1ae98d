//! A random round: people who register late, twice or in vain, change their minds, take everything back, and send what does
//! not count.

use kopilka_domain::{Allocation, Allotment, BallotKind, Completion, InitiativeId, Kopecks, Points, Rule};

use super::{Registration, Round, Submission};
use crate::elections::Numbers;

/// Every rule with every completion that it knows.
const RULES: [(Rule, Completion); 5] = [
    (Rule::Greedy, Completion::NONE),
    (Rule::EqualShares, Completion::NONE),
    (Rule::EqualShares, Completion { raise: true, fill: false }),
    (Rule::EqualShares, Completion { raise: false, fill: true }),
    (Rule::EqualShares, Completion::FULL),
];

fn pick<T: Copy>(numbers: &mut Numbers, list: &[T]) -> T {
    list[numbers.below(list.len() as u64) as usize]
}

/// Twenty rounds after one another have all combinations of ballot kind, allotment, rule and completions.
pub(super) fn round(numbers: &mut Numbers, index: u64) -> Round {
    let kind = [BallotKind::Cumulative, BallotKind::Approval][(index % 2) as usize];
    let allotment = [Allotment::Equal, Allotment::Fixed][(index / 2 % 2) as usize];
    let (rule, completion) = RULES[(index / 4 % 5) as usize];
    let share_points = match kind {
        BallotKind::Cumulative => Points(pick(numbers, &[1, 3, 10, 10, 100, 100, 997, 10_000])),
        BallotKind::Approval => Points(0),
    };
    let weight = pick(numbers, &[1, 2, 3, 5, 1_000_000, u64::from(u32::MAX)]);
    let weights: Vec<_> = (0..1 + numbers.below(4)).map(|_| 1 + numbers.below(weight) as u32).collect();
    let costs = costs(numbers);
    let budget = budget(numbers, &costs);
    let unused = if numbers.one_in(4) { u128::from(numbers.below(1_000)) } else { 0 };

    let citizens = match numbers.below(20) {
        0 => 0,
        1..=2 => 1 + numbers.below(3),
        _ => 4 + numbers.below(13),
    } as usize;
    let mut registrations = registrations(numbers, citizens, weights.len());
    let mut round = Round {
        name: format!("round {index}"),
        kind,
        allotment,
        rule,
        completion,
        threshold: 0,
        share_points,
        fixed_amount: Kopecks::ZERO,
        appropriation: Kopecks(budget + unused),
        mints: mints(numbers, budget),
        weights,
        costs,
        citizens,
        registrations: Vec::new(),
        late: Vec::new(),
        batches: Vec::new(),
        proposals: Vec::new(),
    };
    if allotment == Allotment::Fixed {
        // For all together from a tenth of the budget to more than all of it, when funds run out.
        let people =
            registrations.iter().map(|some| some.count as u128 * u128::from(round.weights[some.class as usize]));
        let shares = people.sum::<u128>().max(1);
        round.fixed_amount = Kopecks((budget / shares * u128::from(1 + numbers.below(12)) / 10).max(1));
    }
    round.batches = batches(numbers, &round);
    if allotment == Allotment::Fixed && !round.batches.is_empty() && numbers.one_in(2) {
        let early = registrations.len() as u64 / 2;
        round.late = registrations.split_off((early + numbers.below(early + 1)) as usize);
    }
    round.registrations = registrations;
    if numbers.one_in(3) {
        let scale = 1 + numbers.below(weight.min(5)) * u64::from(share_points.0.max(1));
        round.threshold = 1 + numbers.below(scale * 3);
    }
    round.proposals = proposals(numbers, &round.costs);
    round
}

fn costs(numbers: &mut Numbers) -> Vec<Kopecks> {
    let unit = pick(numbers, &[1, 1, 7, 100, 12_345, 10_000_000, 10_000_000, 10_u128.pow(12), 10_u128.pow(26)]);
    let most = pick(numbers, &[3, 6, 6, 9, 14]);
    let cost = |numbers: &mut Numbers| {
        // Odd kopecks, so that next to nothing divides evenly and some differ by a kopeck alone.
        let odd = if unit > 1_000 { u128::from(numbers.below(3)) } else { 0 };
        Kopecks(unit * u128::from(1 + numbers.below(8)) + odd)
    };
    let count = if numbers.one_in(12) { 1 } else { 2 + numbers.below(most - 1) };
    (0..count).map(|_| cost(numbers)).collect()
}

/// Often just what some of the initiatives cost, or a kopeck less; sometimes a few kopecks in all.
fn budget(numbers: &mut Numbers, costs: &[Kopecks]) -> u128 {
    let all = costs.iter().map(|cost| cost.0).sum::<u128>();
    let some = costs.iter().filter(|_| numbers.one_in(2)).map(|cost| cost.0).sum::<u128>();
    let part = all * u128::from(1 + numbers.below(9)) / 10 + u128::from(numbers.below(3));
    let budget = match numbers.below(20) {
        0..=3 if some > 0 => some,
        4..=5 if some > 1 => some - 1,
        6 => all + u128::from(numbers.below(5)),
        7 => u128::from(numbers.below(30)),
        _ => part,
    };
    budget.clamp(1, (1 << 96) - 1_001)
}

/// One to three parts of a sum.
fn mints(numbers: &mut Numbers, budget: u128) -> Vec<Kopecks> {
    let mut left = budget;
    let mut mints = Vec::new();
    while mints.len() < 2 && numbers.one_in(3) && left > 1 {
        let part = 1 + u128::from(numbers.next()) % (left - 1);
        mints.push(Kopecks(part));
        left -= part;
    }
    mints.push(Kopecks(left));
    mints
}

/// Groups of neighbours; now and then the last of one group is in the next one too.
fn registrations(numbers: &mut Numbers, citizens: usize, classes: usize) -> Vec<Registration> {
    let mut list = Vec::new();
    let mut first = 0;
    while first < citizens {
        let count = 1 + numbers.below(((citizens - first) as u64).min(6)) as usize;
        let again = usize::from(first > 0 && numbers.one_in(4));
        let class = numbers.below(classes as u64) as u8;
        list.push(Registration { class, first: first - again, count: count + again });
        first += count;
        // Some never register.
        first += usize::from(numbers.one_in(10));
    }
    list
}

fn batches(numbers: &mut Numbers, round: &Round) -> Vec<Vec<Submission>> {
    let mut versions = vec![0_u32; round.citizens];
    let mut submissions = Vec::new();
    for citizen in 0..round.citizens {
        if numbers.one_in(5) {
            // Has a share, and never decides.
            continue;
        }
        let times = 1 + if numbers.one_in(2) { numbers.below(3) } else { 0 };
        submissions.extend((0..times).map(|_| citizen));
    }
    submissions.sort_by_cached_key(|_| numbers.next());
    let submissions = submissions.into_iter().map(|citizen| {
        versions[citizen] += 1 + if numbers.one_in(8) { numbers.below(1_000_000) as u32 } else { 0 };
        let old = numbers.one_in(10).then(|| versions[citizen] - 1);
        Submission {
            citizen,
            version: old.unwrap_or(versions[citizen]),
            allocation: if numbers.one_in(8) { malformed(numbers, round) } else { allocation(numbers, round) },
            forged: numbers.one_in(20),
        }
    });
    let mut batches: Vec<Vec<_>> = Vec::new();
    let mut room = 0;
    for submission in submissions.collect::<Vec<_>>() {
        if room == 0 {
            batches.push(Vec::new());
            room = 1 + numbers.below(12);
        }
        batches.last_mut().unwrap().push(submission);
        room -= 1;
    }
    batches
}

/// One in eight takes everything back.
fn allocation(numbers: &mut Numbers, round: &Round) -> Allocation {
    if numbers.one_in(8) {
        return Allocation::default();
    }
    let most = pick(numbers, &[1, 3, 14]).min(round.costs.len() as u64);
    let wanted = 1 + numbers.below(most);
    let mut left = u64::from(round.share_points.0);
    let mut choices: Vec<(InitiativeId, Points)> = Vec::new();
    for place in 0..wanted {
        let count = round.costs.len() as u64;
        // Half of the choices are squares of uniform numbers, for which low ids are popular.
        let (uniform, popular) = (numbers.below(count * 100), numbers.one_in(2));
        let square = uniform * uniform / (count * 100);
        let id = InitiativeId(1 + (if popular { square } else { uniform } / 100) as u16);
        if choices.iter().any(|choice| choice.0 == id) {
            continue;
        }
        // Some give all that they have, some leave points over.
        let points = if place + 1 == wanted && numbers.one_in(2) { left } else { 1 + numbers.below(left.max(1)) };
        if round.kind == BallotKind::Approval {
            choices.push((id, Points(1)));
        } else if points > 0 && points <= left {
            left -= points;
            choices.push((id, Points(points as u16)));
        }
    }
    match round.kind {
        BallotKind::Approval => Allocation::approval(choices.into_iter().map(|choice| choice.0)),
        BallotKind::Cumulative => Allocation::cumulative(choices),
    }
}

/// An allocation and one change to it, after which it may be malformed.
fn malformed(numbers: &mut Numbers, round: &Round) -> Allocation {
    let mut spoilt = allocation(numbers, round);
    let last = spoilt.initiatives.last().copied();
    match numbers.below(7) {
        0 => spoilt.initiatives.reverse(),
        1 => spoilt.initiatives.extend(last),
        2 => spoilt.initiatives.push(InitiativeId(round.costs.len() as u16 + 1)),
        3 => spoilt.initiatives.insert(0, InitiativeId(0)),
        4 => spoilt.points.push(Points(1)),
        5 => spoilt.points.iter_mut().for_each(|points| points.0 = points.0.saturating_mul(2)),
        _ => spoilt.points.iter_mut().take(1).for_each(|points| points.0 = 0),
    }
    // Only the ids were changed: as many points as ids again, so that this alone is wrong.
    if !spoilt.points.is_empty() && spoilt.initiatives.len() > spoilt.points.len() {
        spoilt.points.push(Points(1));
        if let Some(first) = spoilt.points.iter_mut().find(|points| points.0 > 1) {
            first.0 -= 1;
        }
    }
    spoilt
}

/// Random sets, and three that no settlement could have: one out of order, one that repeats, one of an unknown initiative.
fn proposals(numbers: &mut Numbers, costs: &[Kopecks]) -> Vec<Vec<InitiativeId>> {
    let ids: Vec<_> = (1..=costs.len() as u16).map(InitiativeId).collect();
    let some = |numbers: &mut Numbers| ids.iter().copied().filter(|_| numbers.one_in(2)).collect::<Vec<_>>();
    let mut proposals = vec![some(numbers), ids.clone()];
    let mut wrong = some(numbers);
    let first = numbers.below(costs.len() as u64) as usize;
    match numbers.below(4) {
        0 => wrong = vec![ids[first], ids[first]],
        1 => wrong.insert(0, InitiativeId(0)),
        2 => wrong = ids.iter().rev().copied().take(first.max(2)).collect(),
        _ => wrong.push(InitiativeId(costs.len() as u16 + 1)),
    }
    proposals.push(wrong);
    proposals
}
