//! Writes `demo/Zarechensk_2026.pb`: an invented election in an invented town, so that the project can be shown on data
//! that belong to nobody. `cargo run -p kopilka-domain --example zarechensk > demo/Zarechensk_2026.pb`
//!
//! The town has four districts. Nearly half of the citizens live in the centre, and everyone chooses mostly close to
//! home; so the greedy rule spends the whole budget in the centre, and equal shares do not.

/// An initiative: cost in rubles, index of its district (4: the whole town), how much people like it, name.
type Initiative = (u32, usize, u64, &'static str);

const DISTRICTS: [(&str, usize); 4] = [("Центр", 178), ("Заречье", 98), ("Северный", 76), ("Лесной", 52)];

const INITIATIVES: [Initiative; 14] = [
    (1_180_000, 0, 10, "Восстановление фонтана на площади Труда"),
    (890_000, 0, 9, "Освещение набережной от моста до лодочной станции"),
    (720_000, 0, 8, "Детская площадка «Кораблик» в сквере Победы"),
    (690_000, 0, 5, "Скейт-площадка у Дворца спорта"),
    (420_000, 1, 9, "Ремонт тротуара по улице Мостовой"),
    (560_000, 1, 7, "Спортивная площадка во дворе школы № 3"),
    (140_000, 1, 5, "Остановка с навесом на улице Луговой"),
    (310_000, 2, 7, "Контейнерные площадки в микрорайоне Северный"),
    (270_000, 2, 6, "Площадка для воркаута на улице Строителей"),
    (185_000, 2, 8, "Освещённый переход у детского сада «Ромашка»"),
    (230_000, 3, 9, "Колодец и водоразборная колонка в посёлке Лесном"),
    (350_000, 3, 6, "Пожарный водоём в посёлке Лесном"),
    (160_000, 3, 5, "Благоустройство памятника землякам-фронтовикам"),
    (95_000, 4, 3, "Стерилизация и вакцинация бездомных животных"),
];

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

    /// An index, each as probable as its weight.
    fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        weights
            .iter()
            .position(|&weight| {
                let here = left < weight;
                left = left.saturating_sub(weight);
                here
            })
            .unwrap_or(0)
    }
}

/// Ids and points of one ballot: one to four initiatives, ten points, more for the first.
fn ballot(numbers: &mut Numbers, home: usize) -> Vec<(usize, u64)> {
    let mut weights: Vec<u64> = INITIATIVES
        .iter()
        .map(|&(_, district, liking, _)| match district {
            4 => liking * 4,
            district if district == home => liking * 14,
            // Everybody uses the centre a little.
            0 => liking,
            _ => 1,
        })
        .collect();
    let count = 1 + numbers.weighted(&[12, 28, 36, 24]);
    let mut choices = Vec::new();
    let mut left = 10;
    for place in 0..count {
        let index = numbers.weighted(&weights);
        weights[index] = 0;
        let others = (count - place - 1) as u64;
        let points = if others == 0 { left } else { (left / 2 + numbers.below(3)).clamp(1, left - others) };
        left -= points;
        choices.push((index + 1, points));
    }
    choices
}

fn main() {
    let mut numbers = Numbers(2026);
    let homes = DISTRICTS.iter().enumerate().flat_map(|(index, &(_, citizens))| std::iter::repeat_n(index, citizens));
    let mut votes: Vec<(usize, Vec<(usize, u64)>)> = homes.map(|home| (home, ballot(&mut numbers, home))).collect();
    // Citizens of all districts vote in turn, not district by district.
    for last in (1..votes.len()).rev() {
        votes.swap(last, numbers.below(last as u64 + 1) as usize);
    }
    print!(
        "META\nkey;value\ndescription;Выдуманные данные: инициативные проекты города Зареченска (такого города нет)\ncountry;Russia\n\
         unit;Зареченск\ninstance;2026\nnum_projects;{}\nnum_votes;{}\nbudget;3000000\nvote_type;cumulative\nrule;equalshares\n\
         date_begin;01.09.2026\ndate_end;20.09.2026\nmax_sum_points;10\nedition;1\nlanguage;ru\ncurrency;RUB\n",
        INITIATIVES.len(),
        votes.len()
    );
    println!("PROJECTS\nproject_id;cost;votes;score;name;district");
    for (index, (cost, district, _, name)) in INITIATIVES.iter().enumerate() {
        let points = votes.iter().flat_map(|(_, choices)| choices).filter(|choice| choice.0 == index + 1);
        let district = DISTRICTS.get(*district).map_or("весь город", |district| district.0);
        let (count, score) = points.fold((0, 0), |(count, score), choice| (count + 1, score + choice.1));
        println!("{};{cost};{count};{score};{name};{district}", index + 1);
    }
    println!("VOTES\nvoter_id;vote;points;district");
    for (index, (home, choices)) in votes.iter().enumerate() {
        let joined = |number: fn(&(usize, u64)) -> u64| {
            choices.iter().map(|choice| number(choice).to_string()).collect::<Vec<_>>().join(",")
        };
        let (ids, points) = (joined(|choice| choice.0 as u64), joined(|choice| choice.1));
        println!("{};{ids};{points};{}", index + 1, DISTRICTS[*home].0);
    }
}
