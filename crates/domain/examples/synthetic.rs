//! Writes a large invented election for measurements: `synthetic VOTERS INITIATIVES > FILE.pb`.
//!
//! Cumulative ballots of ten points on one to six initiatives; a few initiatives are much more popular than the rest, and
//! popular ones cost more.

/// SplitMix64: the same numbers every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map_while(|argument| argument.parse::<u64>().ok());
    let (Some(voters), Some(initiatives)) = (arguments.next(), arguments.next()) else {
        eprintln!("how large? synthetic VOTERS INITIATIVES");
        std::process::exit(1);
    };
    let mut numbers = Numbers(1);
    let budget = 1_000_000 * initiatives / 5;
    println!("META\nkey;value\ndescription;Synthetic\nnum_projects;{initiatives}\nnum_votes;{voters}\nbudget;{budget}");
    println!("vote_type;cumulative\nmax_sum_points;10\nPROJECTS\nproject_id;cost");
    for id in 1..=initiatives {
        println!("{id};{}", 50_000 + numbers.below(500_000) + 2_000_000 / (id + 2));
    }
    println!("VOTES\nvoter_id;vote;points");
    for voter in 1..=voters {
        let mut choices: Vec<u64> = Vec::new();
        for _ in 0..1 + numbers.below(6) {
            // The square of a uniform number: low ids are popular.
            let uniform = numbers.below(initiatives * 1_000);
            let id = 1 + uniform * uniform / (initiatives * 1_000_000);
            if !choices.contains(&id) {
                choices.push(id);
            }
        }
        let mut left = 10;
        let mut points = Vec::new();
        for places in (1..=choices.len() as u64).rev() {
            let given = if places == 1 { left } else { 1 + numbers.below((left - places).max(1)) };
            left -= given;
            points.push(given);
        }
        let joined = |list: &[u64]| list.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        println!("{voter};{};{}", joined(&choices), joined(&points));
    }
}
