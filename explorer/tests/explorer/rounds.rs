//! Rounds, initiatives, results.

use axum::http::StatusCode;

use crate::fixture::{Fixture, OPEN, SETTLED, UNUSED, wallet};

#[tokio::test]
async fn a_round_tells_all_about_itself() {
    let explorer = Fixture::without_node().await;
    let page = explorer.page(&format!("/round/{SETTLED:#x}")).await;
    for text in [
        "<h1>Дворы Заречья</h1>",
        "Город Зареченск",
        "Первый раунд.",
        "Лавочки",
        "ул. Мира",
        "Метод равных долей",
        "Победила",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(page.contains("data-live-still"), "a settled round does not change while it is read");
    assert!(page.contains("Выдано всего 5 удостоверений"), "a small crowd is warned of");
    assert!(page.contains(&format!("https://portal.example/rounds/{SETTLED:#x}")));

    let open = explorer.page(&format!("/round/{OPEN:#x}")).await;
    assert!(
        open.contains("Описание не опубликовано") && open.contains("60 из") || open.contains("Поддержали 60 человек"),
        "{open}"
    );
    assert!(!open.contains("data-live-still"));
    let all = explorer.page("/rounds").await;
    assert!(all.contains("Раунд № 2") && all.contains("Дворы Заречья"));
    assert_eq!(explorer.get(&format!("/round/{UNUSED:#x}")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_text_that_hashes_wrong_is_not_shown() {
    let explorer = Fixture::without_node().await;
    let page = explorer.page(&format!("/round/{SETTLED:#x}/initiative/2")).await;
    assert!(page.contains("<h1>Инициатива № 2</h1>") && page.contains("Описание не опубликовано"), "{page}");
    let shown = explorer.page(&format!("/round/{SETTLED:#x}/initiative/1")).await;
    assert!(shown.contains("<h1>Лавочки</h1>") && shown.contains("Десять лавочек."));
    assert!(shown.contains(&format!("{:#x}", wallet(SETTLED, 1))) && shown.contains("400\u{a0}₽"));
    for path in ["initiative/9", "initiative/0", "initiative/x", "initiative/70000"] {
        assert_eq!(explorer.get(&format!("/round/{SETTLED:#x}/{path}")).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_result_is_counted_again_and_compared() {
    let explorer = Fixture::without_node().await;
    let page = explorer.page(&format!("/round/{SETTLED:#x}/result")).await;
    assert!(page.contains("Подсчёт сходится."), "{page}");
    assert!(page.contains(&explorer.outcome.transcript.digest_hex()));
    assert!(!explorer.outcome.losers.is_empty() && page.contains("Почему не победила"));
    assert!(page.contains("data-chain-id=\"31337\"") && page.contains("data-recount-start"));

    // Somebody settles differently: the explorer says so.
    sqlx::query("update chain.settlements set winners = '{3}'").execute(&explorer.pool).await.unwrap();
    let page = explorer.page(&format!("/round/{SETTLED:#x}/result")).await;
    assert!(page.contains("Подсчёт не сходится!"), "{page}");

    let early = explorer.page(&format!("/round/{OPEN:#x}/result")).await;
    assert!(early.contains("Подсчёта ещё не было") && !early.contains("data-recount-start"));
}

#[tokio::test]
async fn distributions_have_pages() {
    let explorer = Fixture::without_node().await;
    let page = explorer.page(&format!("/round/{OPEN:#x}/allocations")).await;
    assert_eq!(page.matches("<tr>").count(), 26, "a head and 25 rows");
    let settled = explorer.page(&format!("/round/{SETTLED:#x}/allocations")).await;
    assert!(settled.contains("заменено") && settled.contains("№ 1 «Лавочки»</a> — 4 балла"), "{settled}");
}
