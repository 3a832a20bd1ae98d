//! A restart with a long queue, and a million messages.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::{Duration, Instant};

use anyhow::ensure;
use kopilka_domain::MessageKind;

use crate::generator::drive;
use crate::ground::{Ground, RelayerProcess, folder};
use crate::load::{Load, allocation};
use crate::measure::{Blocks, effects, resident};
use crate::steps::Stage;

/// Messages in a request.
const BULK: usize = 100;

/// Accepts `count` messages while nobody settles them, then starts the relayer again with senders.
pub async fn restart(
    ground: &Ground,
    blocks: &Blocks,
    relayer: RelayerProcess,
    load: &Load,
    count: usize,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let run = drive(load, 0, count, 5_000.0, BULK, &relayer.url).await?;
    let refused: usize = run.sent.iter().map(|sent| if sent.status == 202 { sent.refused } else { BULK }).sum();
    ensure!(refused == 0, "{refused} messages were refused");
    println!("{count} messages accepted in {:.1} s, {} MB", began.elapsed().as_secs_f64(), resident(relayer.id())?);
    let relayer = relayer.restart(true).await?;
    println!(
        "ready {:.2} s after the start of the process, {} MB",
        relayer.ready_after.as_secs_f64(),
        resident(relayer.id())?
    );
    let began = Instant::now();
    loop {
        let status = relayer.client.status().await?;
        if status.queued < count as u64 {
            println!("the first batch left the queue {:.2} s later", began.elapsed().as_secs_f64());
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let first_block = blocks.times().last_key_value().map_or(0, |(number, _)| *number);
    loop {
        let status = relayer.client.status().await?;
        if status.finalized + status.failed >= count as u64 {
            ensure!(status.failed == 0, "{} messages failed", status.failed);
            break;
        }
        ensure!(began.elapsed() < Duration::from_secs(600), "the queue does not become empty: {status:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("all final after {seconds:.0} s ({:.0} /s), {} MB", count as f64 / seconds, resident(relayer.id())?);
    let found = effects(ground, load.kind, first_block.saturating_sub(3)).await?;
    let doubled = found.values().filter(|places| places.len() > 1).count();
    println!("lost {}, doubled {doubled}", count - found.len().min(count));
    Ok(())
}

/// Has accounts allocate anew, version after version, and prints the relayer's memory as it goes.
pub async fn million(stage: &Stage<'_>, registrations: &Load, rate: f64, total: usize) -> anyhow::Result<()> {
    let accounts = registrations.accounts.len();
    let posted = drive(registrations, 0, accounts, rate, BULK, &stage.relayer.url).await?;
    ensure!(posted.sent.iter().all(|sent| sent.status == 202 && sent.refused == 0), "registrations were refused");
    let mut done = accounts;
    let mut version = 0;
    println!("| messages | resident memory, MB |\n|---|---|");
    println!("| {done} | {} |", resident(stage.relayer.id())?);
    while done < total {
        version += 1;
        let load = versions(stage, registrations, version)?;
        let run = drive(&load, 0, accounts, rate, BULK, &stage.relayer.url).await?;
        let refused: usize = run.sent.iter().map(|sent| if sent.status == 202 { sent.refused } else { BULK }).sum();
        ensure!(refused == 0, "{refused} of {accounts} messages of version {version} were refused");
        done += accounts;
        let status = stage.relayer.client.status().await?;
        println!(
            "| {done} | {} | (queued {}, submitted {}, finalized {}, failed {}; anvil {} MB)",
            resident(stage.relayer.id())?,
            status.queued,
            status.submitted,
            status.finalized,
            status.failed,
            resident(stage.ground.world.chain.anvil.process_id())?,
        );
    }
    Ok(())
}

/// The next version of everyone's allocation.
fn versions(stage: &Stage<'_>, registrations: &Load, version: u32) -> anyhow::Result<Load> {
    let file = folder().join("allocation-versions.jsonl");
    let threads = std::thread::available_parallelism()?.get();
    let count = registrations.accounts.len();
    let ground = stage.ground;
    let parts: Vec<Vec<String>> = std::thread::scope(|scope| {
        let each = count.div_ceil(threads);
        let works: Vec<_> = (0..threads)
            .map(|part| {
                let range = part * each..count.min((part + 1) * each);
                scope.spawn(move || {
                    let line = |number| serde_json::to_string(&allocation(ground, number, version));
                    range.map(|number| line(number).expect("an allocation is JSON")).collect()
                })
            })
            .collect();
        works.into_iter().map(|work| work.join().expect("signing does not panic")).collect()
    });
    let mut writer = BufWriter::new(File::create(&file)?);
    for line in parts.iter().flatten() {
        writeln!(writer, "{line}")?;
    }
    writer.flush()?;
    Ok(Load { kind: MessageKind::Allocation, file, accounts: registrations.accounts.clone() })
}
