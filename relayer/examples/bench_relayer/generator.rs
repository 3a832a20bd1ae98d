//! The load: a process of its own that posts prepared messages at times fixed beforehand, whether the relayer answers or
//! not. A wait counts from the time at which the message should have been sent, so a relayer that stalls cannot make its
//! stall disappear from the figures.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use clap::Args;
use kopilka_domain::MessageKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use url::Url;

use crate::ground::folder;
use crate::load::Load;

/// From the start of the process to the first message, for opening connections.
const HEAD_START: Duration = Duration::from_millis(500);

/// What the process is told.
#[derive(Debug, Clone, Args)]
pub struct Order {
    #[arg(long)]
    file: PathBuf,
    #[arg(long)]
    kind: MessageKind,
    #[arg(long)]
    first: usize,
    #[arg(long)]
    count: usize,
    /// Messages a second.
    #[arg(long)]
    rate: f64,
    /// Messages in a request.
    #[arg(long)]
    bulk: usize,
    /// Requests that may be waiting for an answer.
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    url: Url,
    #[arg(long)]
    out: PathBuf,
}

/// What became of one request; times in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// Position of its first message in the load.
    pub first: usize,
    pub messages: usize,
    pub scheduled: u64,
    pub answered: u64,
    /// 0 where no answer came.
    pub status: u16,
    /// Messages of a bulk request that were refused.
    pub refused: usize,
}

/// What the load did, and the processor time of the process that made it.
pub struct Run {
    pub sent: Vec<Sent>,
    pub cpu_seconds: f64,
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64
}

/// Posts `count` messages of the load from position `first` on, in a process of its own.
pub async fn drive(load: &Load, first: usize, count: usize, rate: f64, bulk: usize, url: &Url) -> anyhow::Result<Run> {
    ensure!(first + count <= load.accounts.len(), "the load has no {count} messages from {first} on");
    let out = folder().join("sent.csv");
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("generate").arg("--file").arg(&load.file).arg("--out").arg(&out);
    // So many messages at once as the relayer takes into its collection; beyond it answers 503.
    let connections = if bulk > 1 { 3_200 / bulk } else { 1_000 };
    for (name, value) in [
        ("--kind", load.kind.to_string()),
        ("--first", first.to_string()),
        ("--count", count.to_string()),
        ("--rate", rate.to_string()),
        ("--bulk", bulk.to_string()),
        ("--connections", connections.to_string()),
        ("--url", url.to_string()),
    ] {
        command.arg(name).arg(value);
    }
    let output = tokio::task::spawn_blocking(move || command.stderr(std::process::Stdio::inherit()).output()).await??;
    ensure!(output.status.success(), "the generator failed");
    let cpu_seconds = String::from_utf8_lossy(&output.stdout).trim().parse().context("processor time")?;
    Ok(Run { sent: read(&out)?, cpu_seconds })
}

fn read(path: &Path) -> anyhow::Result<Vec<Sent>> {
    BufReader::new(File::open(path)?)
        .lines()
        .map(|line| {
            let line = line?;
            let numbers = line.split(',').map(str::parse).collect::<Result<Vec<u64>, _>>()?;
            let [first, messages, scheduled, answered, status, refused] = numbers[..] else {
                anyhow::bail!("a line of {} numbers", numbers.len())
            };
            Ok(Sent {
                first: first as usize,
                messages: messages as usize,
                scheduled,
                answered,
                status: status as u16,
                refused: refused as usize,
            })
        })
        .collect()
}

/// The body of the process. Prints its processor seconds.
pub async fn generate(order: Order) -> anyhow::Result<()> {
    let requests = Arc::new(requests(&order)?);
    let gap = order.bulk as f64 / order.rate;
    let start = (tokio::time::Instant::now() + HEAD_START, now() + HEAD_START.as_micros() as u64);
    let next = Arc::new(AtomicUsize::new(0));
    let sent = Arc::new(Mutex::new(Vec::with_capacity(requests.len())));
    let address = order.url.socket_addrs(|| None)?.first().copied().context("no address")?;
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..order.connections.min(requests.len()) {
        let (requests, next, sent) = (requests.clone(), next.clone(), sent.clone());
        let (first, bulk, count) = (order.first, order.bulk, order.count);
        workers.spawn(async move {
            let mut connection = TcpStream::connect(address).await.ok();
            let mut buffer = Vec::with_capacity(8 * 1024);
            let mut own = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(index) else { break };
                let after = Duration::from_secs_f64(gap * index as f64);
                tokio::time::sleep_until(start.0 + after).await;
                if connection.is_none() {
                    connection = TcpStream::connect(address).await.ok();
                }
                let answer = match &mut connection {
                    Some(open) => exchange(open, request, &mut buffer).await.ok(),
                    None => None,
                };
                if answer.is_none() {
                    connection = None;
                }
                let (status, refused) = answer.unwrap_or_default();
                own.push(Sent {
                    first: first + index * bulk,
                    messages: bulk.min(count - index * bulk),
                    scheduled: start.1 + after.as_micros() as u64,
                    answered: now(),
                    status,
                    refused,
                });
            }
            sent.lock().await.extend(own);
        });
    }
    while workers.join_next().await.is_some() {}
    let mut writer = BufWriter::new(File::create(&order.out)?);
    for sent in sent.lock().await.iter() {
        let Sent { first, messages, scheduled, answered, status, refused } = sent;
        writeln!(writer, "{first},{messages},{scheduled},{answered},{status},{refused}")?;
    }
    writer.flush()?;
    println!("{}", crate::measure::processor_seconds(std::process::id())?);
    Ok(())
}

/// The bytes of every request.
fn requests(order: &Order) -> anyhow::Result<Vec<Vec<u8>>> {
    let lines = BufReader::new(File::open(&order.file)?).lines().skip(order.first).take(order.count);
    let lines = lines.collect::<Result<Vec<String>, _>>()?;
    let path = if order.bulk > 1 { "/v1/messages" } else { path(order.kind)? };
    Ok(lines
        .chunks(order.bulk)
        .map(|lines| {
            let body = if order.bulk > 1 {
                let named = |line: &String| format!("{{\"kind\":\"{}\",{}", order.kind, &line[1..]);
                format!("{{\"messages\":[{}]}}", lines.iter().map(named).collect::<Vec<_>>().join(","))
            } else {
                lines.concat()
            };
            format!(
                "POST {path} HTTP/1.1\r\nhost: relayer\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        })
        .collect())
}

fn path(kind: MessageKind) -> anyhow::Result<&'static str> {
    Ok(match kind {
        MessageKind::Registration => "/v1/registrations",
        MessageKind::Allocation => "/v1/allocations",
        MessageKind::Ballot => "/v1/ballots",
        other => anyhow::bail!("there is no load of the kind {other}"),
    })
}

/// One request on an open connection: status, and how many messages of it were refused.
async fn exchange(connection: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> anyhow::Result<(u16, usize)> {
    connection.set_nodelay(true)?;
    connection.write_all(request).await?;
    buffer.clear();
    loop {
        ensure!(connection.read_buf(buffer).await? > 0, "the connection was closed");
        let Some(head) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head])?.to_ascii_lowercase();
        let status = text.get(9..12).context("no status")?.parse()?;
        let (_, length) = text.split_once("content-length: ").context("no length")?;
        let length: usize = length.lines().next().unwrap_or_default().trim().parse()?;
        while buffer.len() < head + 4 + length {
            ensure!(connection.read_buf(buffer).await? > 0, "the connection was closed");
        }
        let refused = buffer[head..].windows(9).filter(|bytes| bytes == b"\"problem\"").count();
        return Ok((status, refused));
    }
}
