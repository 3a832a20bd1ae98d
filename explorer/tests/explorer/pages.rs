//! Blocks, transactions, addresses, tokens, search.

use axum::http::{StatusCode, header};

use crate::fixture::{Fixture, RELAYER, SETTLED, TIP, TOKEN, TREASURER, UNUSED, block_hash, citizen, tx_hash, wallet};

#[tokio::test]
async fn the_start_page_says_how_far_it_is() {
    let explorer = Fixture::without_node().await;
    let page = explorer.page("/").await;
    assert!(page.contains("Раунд № 2") && page.contains("Дворы Заречья"), "{page}");
    assert!(page.contains("<dd>2 блока</dd>"), "{page}");
    assert!(page.contains("Конец сбора"), "{page}");
    assert!(explorer.page("/?lang=en").await.contains("<dd>2 blocks</dd>"));
}

#[tokio::test]
async fn blocks_are_found_by_number_and_hash_in_any_case() {
    let explorer = Fixture::without_node().await;
    let by_number = explorer.page("/block/9").await;
    assert!(by_number.contains(&format!("{:#x}", tx_hash(9))[..6]) && by_number.contains("Распределение долей"));
    let upper = format!("0x{}", format!("{:x}", block_hash(9)).to_uppercase());
    assert!(explorer.page(&format!("/block/{upper}")).await.contains("<h1>Блок 9</h1>"));
    for (path, text) in [
        ("/block/41", "обозреватель его ещё не обработал"),
        ("/block/1000", "Такого блока нет"),
        ("/block/abc", "Это не номер и не хеш блока"),
        ("/block/-1", "Это не номер и не хеш блока"),
        ("/block/99999999999999999999", "Это не номер и не хеш блока"),
    ] {
        let (status, headers, body) = explorer.get(path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(
            headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html") && body.contains(text),
            "{path}: {body}"
        );
    }
}

#[tokio::test]
async fn transactions_are_told_in_words() {
    let explorer = Fixture::without_node().await;
    let registration = explorer.page(&format!("/tx/{:#x}", tx_hash(5))).await;
    assert!(registration.contains("Регистрация 4 жителей класса 0: "), "{registration}");
    assert!(registration.contains("Раунд № 1 «Дворы Заречья»") && registration.contains("Окончательно"));
    assert!(registration.contains(">Ретранслятор</a>"));
    assert!(registration.contains("register(uint8,address[],bytes)"));

    let allocation = explorer.page(&format!("/tx/0X{}", format!("{:x}", tx_hash(9)).to_uppercase())).await;
    assert!(allocation.contains("4 жителя распределили свои доли"), "{allocation}");
    assert!(allocation.contains("№ 1 «Лавочки»</a> — 4 балла"), "{allocation}");
    assert!(allocation.contains("уже записана такая же или более новая версия"));
    assert!(
        allocation.contains("отложено для") && allocation.contains("100&nbsp;") || allocation.contains("100\u{a0}₽")
    );

    let refused = explorer.page(&format!("/tx/{:#x}", tx_hash(20))).await;
    assert!(refused.contains("Отклонена") && refused.contains("ничего не изменила"), "{refused}");

    for path in [format!("/tx/{:#x}", block_hash(9)), "/tx/0x12".to_owned(), "/tx/abc".to_owned()] {
        assert_eq!(explorer.get(&path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn addresses_say_who_they_are() {
    let explorer = Fixture::without_node().await;
    let account = explorer.page(&format!("/address/{:#x}", citizen(1))).await;
    assert!(account.contains("<h1>Анонимный аккаунт жителя</h1>"), "{account}");
    assert!(account.contains("версия 2") && account.contains("версия 1") && account.contains("действует"));
    assert!(explorer.page(&format!("/address/{:#x}", citizen(2))).await.contains("Сообщение пропущено"));
    for (address, name) in [
        (SETTLED, "Раунд № 1 «Дворы Заречья»"),
        (TOKEN, "Токен ZAR1"),
        (wallet(SETTLED, 1), "Копилка № 1 «Лавочки»"),
        (wallet(SETTLED, 3), "Копилка № 3"),
        (RELAYER, "Ретранслятор"),
        (TREASURER, "Казначей, Город Зареченск"),
    ] {
        for tab in ["", "/transfers", "/logs"] {
            let page = explorer.page(&format!("/address/{address:#x}{tab}")).await;
            assert!(page.contains(&format!("<h1>{name}</h1>")), "{address} {tab}: {page}");
        }
    }
    let upper = format!("0x{}", format!("{SETTLED:x}").to_uppercase());
    assert!(explorer.page(&format!("/address/{upper}")).await.contains("Раунд № 1"));
    let unused = explorer.page(&format!("/address/{UNUSED:#x}")).await;
    assert!(unused.contains("Этим адресом ещё никто не пользовался"), "{unused}");
    for path in ["/address/0x12", "/address/abc", "/address/0xzz00000000000000000000000000000000000000"] {
        assert_eq!(explorer.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn long_lists_have_pages_without_gaps() {
    let explorer = Fixture::without_node().await;
    let mut path = format!("/address/{RELAYER:#x}");
    let mut blocks = Vec::new();
    for _ in 0..10 {
        let page = explorer.page(&path).await;
        for part in page.split("href=\"/block/").skip(1) {
            blocks.push(part.split('"').next().unwrap().parse::<u64>().unwrap());
        }
        match page.split("rel=\"next\" href=\"").nth(1) {
            Some(rest) => path = rest.split('"').next().unwrap().replace("&amp;", "&"),
            None => break,
        }
    }
    let mut expected: Vec<u64> = (26..=TIP).rev().collect();
    expected.extend([9, 5]);
    assert_eq!(blocks, expected);
}

#[tokio::test]
async fn a_token_shows_its_appropriation_and_holders() {
    let explorer = Fixture::without_node().await;
    let page = explorer.page(&format!("/token/{TOKEN:#x}")).await;
    assert!(page.contains("2\u{a0}000\u{a0}₽") && page.contains("90105031234567890244"), "{page}");
    assert!(page.contains("https://zarechensk.example/budget"));
    let holders = explorer.page(&format!("/token/{TOKEN:#x}/holders")).await;
    assert!(
        holders.contains("90\u{a0}%") && holders.contains("10\u{a0}%") && holders.contains("Копилка № 1"),
        "{holders}"
    );
    let (status, _, body) = explorer.get(&format!("/token/{UNUSED:#x}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.contains("По этому адресу нет токена"));
}

#[tokio::test]
async fn one_hit_leads_straight_there() {
    let explorer = Fixture::without_node().await;
    let hash = format!("{:#x}", tx_hash(9));
    for (query, target) in [
        ("9", "/block/9".to_owned()),
        ("%20%209%20", "/block/9".to_owned()),
        (hash.as_str(), format!("/tx/{hash}")),
        (&format!("{:#x}", block_hash(9)), format!("/block/{:#x}", block_hash(9))),
        (&format!("{SETTLED:#X}"), format!("/round/{SETTLED:#x}")),
        (&format!("{TOKEN:#x}"), format!("/token/{TOKEN:#x}")),
        (&format!("{RELAYER:#x}"), format!("/address/{RELAYER:#x}")),
        ("ZAR1", format!("/token/{TOKEN:#x}")),
        ("%D0%B4%D0%B2%D0%BE%D1%80%D1%8B", format!("/round/{SETTLED:#x}")),
    ] {
        let (status, headers, body) = explorer.get(&format!("/search?q={query}")).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{query}: {body}");
        assert_eq!(headers[header::LOCATION], target.as_str(), "{query}");
    }
    let several = explorer.page("/search?q=%D0%BB%D0%B0%D0%B2%D0%BE%D1%87%D0%BA%D0%B8").await;
    assert!(several.contains("Найдено 2 результата"), "{several}");
    assert!(explorer.page("/search?q=%3Cscript%3E").await.contains("ничего не нашлось"));
    explorer.page("/search").await;
}
