//! Measures complete log-ins (authorization request, login page, code, tokens, person with address) of generated
//! citizens over real HTTP, client and stand-in in one process:
//! `cargo run -p kopilka-esia --example logins -- [log-ins] [at once]`.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use kopilka_esia::{
    CallbackQuery, EsiaClient, EsiaConfig, LoginState, RsaSigner, TrustedKeys,
    standin::{self, RegisteredClient, StandIn, StandInConfig},
};
use url::Url;

type AnyError = Box<dyn Error + Send + Sync>;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), AnyError> {
    let argument = |place, default| std::env::args().nth(place).map_or(Ok(default), |text| text.parse::<u32>());
    let (count, at_once) = (argument(1, 4000)?, argument(2, 16)?);

    let signer = Arc::new(RsaSigner::generate("KOPILKA")?);
    let municipalities = standin::demo_municipalities();
    let fias = municipalities[0].fias;
    let started = Instant::now();
    let esia = StandIn::new(StandInConfig {
        generated: vec![(fias, count)],
        municipalities,
        clients: vec![RegisteredClient::local("KOPILKA", signer.certificate_pem())],
        ..StandInConfig::default()
    })?;
    println!("stand-in made in {:.1?}", started.elapsed());
    let trusted = TrustedKeys::from_pem(esia.certificate_pem())?;
    println!("its key made in {:.1?}", started.elapsed());

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base_url: Url = format!("http://{}", listener.local_addr()?).parse()?;
    let server = esia.clone();
    tokio::spawn(async move { server.serve(listener).await });

    let redirect_uri = "http://localhost:8080/esia/callback".parse()?;
    let config = EsiaConfig::new(base_url, esia.issuer(), "KOPILKA", redirect_uri, trusted);
    let client = EsiaClient::new(config, signer.clone())?;
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;

    let before = cpu_time()?;
    for _ in 0..500 {
        std::hint::black_box(signer.sign_now(b"a message")?);
    }
    println!("one RSA-2048 signature: {:.2} ms of CPU", millis(cpu_time()? - before) / 500.0);

    let next = Arc::new(AtomicU32::new(0));
    let before = cpu_time()?;
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..at_once {
        let (client, browser, next) = (client.clone(), browser.clone(), next.clone());
        tasks.spawn(async move {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return Ok::<(), AnyError>(());
                }
                let state = LoginState::new();
                let url = client.authorization_url(&state).await?;
                let callback = standin::log_in_as(&browser, &url, standin::generated_oid(0, index)).await?;
                let person = client.log_in(&query(&callback), &state).await?;
                if person.registration_fias != Some(fias) {
                    return Err("a citizen without the expected address".into());
                }
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result??;
    }
    let (wall, cpu) = (started.elapsed(), cpu_time()? - before);
    println!(
        "{count} log-ins, {at_once} at once: {:.0} a second, {:.2} ms of CPU each, {wall:.1?} in all",
        f64::from(count) / wall.as_secs_f64(),
        millis(cpu) / f64::from(count),
    );
    Ok(())
}

fn query(url: &Url) -> CallbackQuery {
    let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    CallbackQuery {
        code: value("code"),
        state: value("state"),
        error: value("error"),
        error_description: value("error_description"),
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// CPU time of this process so far (Linux; in hundredths of a second).
fn cpu_time() -> Result<Duration, AnyError> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is a name in brackets that may contain spaces; user and system time are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(')').ok_or("unexpected /proc/self/stat")?;
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}
