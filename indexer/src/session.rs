//! One leadership: from the lock to the first trouble. Whatever goes wrong, the next session starts from what the
//! database holds, so nothing in memory needs repair.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256};
use alloy::sol_types::SolEvent as _;
use anyhow::Context as _;
use futures::{Stream, StreamExt as _};
use kopilka_bindings::budget_rounds::BudgetRounds;
use kopilka_bindings::deploy::Deployment;
use kopilka_store::chain::rows::Rows;
use kopilka_store::chain::{indexes, rollback, state, write};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::check::Checks;
use crate::decode::{DECODER_VERSION, Known, created, decode, deployment_contracts};
use crate::fetch::{FetchError, Order, Scope, fetch_range, joined, last_block};
use crate::health::Status;
use crate::plan::{Ancestor, BlockId, NodeHead, RangeSize, Step, find_ancestor, next_step};
use crate::rpc::Node;
use crate::{Config, Finality, IndexerError, metadata, rebuild, watched};

/// `RoundCreated`, from which rounds and tokens are known.
const ROUND_CREATED: B256 = BudgetRounds::RoundCreated::SIGNATURE_HASH;

/// How often the database hears from an indexer that has nothing to write.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Payloads of notifications stay below Postgres's 8,000 bytes.
const MAX_NOTIFIED_ROUNDS: usize = 100;

/// Blocks in which rounds are looked for before their logs are fetched.
const DISCOVERY_BLOCKS: u64 = 50_000;

/// An empty database that is so far behind gets the indexes of readers when it is at the head, not before.
const BLOCKS_OF_PAST: u64 = 50;

/// What a look at the node's head led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Something changed; there may be more.
    Made,
    /// Nothing to do now.
    None,
    /// The last block that was asked for is indexed.
    Done,
}

/// An indexer that holds the lock.
pub(crate) struct Session<'a> {
    config: &'a Config,
    node: Node,
    connection: PgConnection,
    known: Known,
    watched: Vec<Address>,
    checks: Checks,
    tip: Option<BlockId>,
    /// Highest final block that the node's head means.
    finalized: Option<u64>,
    /// Highest block that readers were told is final.
    told_final: Option<u64>,
    /// Since when the node's chain is shorter than ours.
    behind_since: Option<Instant>,
    size: Arc<Mutex<RangeSize>>,
    /// Whether indexes of readers are left out.
    deferred: bool,
    status: &'a watch::Sender<Status>,
    last_sign_of_life: Instant,
}

impl<'a> Session<'a> {
    /// Checks that database and node belong together, and takes up where the database stands.
    pub(crate) async fn start(
        config: &'a Config,
        mut connection: PgConnection,
        status: &'a watch::Sender<Status>,
    ) -> anyhow::Result<Self> {
        let node = Node::new(config.rpc_url.clone());
        check_chain(config, &node, &mut connection).await?;
        let tokens = state::known_tokens(&mut connection).await?;
        let watched = state::meta(&mut connection).await?.map(|meta| meta.watched).unwrap_or_default();
        let known = Known::new(&config.deployment, &watched, tokens);
        let told_final = state::finalized(&mut connection).await?;
        let tip = state::tip(&mut connection).await?.map(|(number, hash)| BlockId { number, hash });
        let deferred = indexes::are_deferred(&mut connection).await?;
        let size = Arc::new(Mutex::new(RangeSize::new(config.max_range)));
        tracing::info!(block.number = tip.map(|tip| tip.number), "indexing");
        let mut session = Self {
            config,
            node,
            connection,
            known,
            watched,
            checks: Checks::new(config.completeness),
            tip,
            finalized: told_final,
            told_final,
            behind_since: None,
            size,
            deferred,
            status,
            last_sign_of_life: Instant::now(),
        };
        session.watch_tokens().await?;
        Ok(session)
    }

    /// Looks at the node's head once and does all that follows from it.
    pub(crate) async fn advance(&mut self) -> anyhow::Result<Progress> {
        let until = self.config.until.unwrap_or(u64::MAX);
        if self.tip.is_some_and(|tip| tip.number >= until) {
            return Ok(Progress::Done);
        }
        let head = self.node.head().await?.context("the node has no blocks yet")?;
        let head =
            NodeHead { block: BlockId { number: head.number.to(), hash: head.hash }, parent_hash: head.parent_hash };
        let number = head.block.number;
        let finalized = match self.config.finality {
            Finality::Depth(depth) => number.checked_sub(depth),
            Finality::Tag => self.node.finalized().await?,
        };
        self.finalized = self.finalized.max(finalized);
        let stored_at_head = match self.tip {
            Some(tip) if number == tip.number => Some(tip.hash),
            Some(tip) if number < tip.number => {
                state::block_hashes(&mut self.connection, number, number).await?.first().map(|(_, hash)| *hash)
            }
            _ => None,
        };
        self.report(number);
        let step = next_step(self.config.first_block(), self.tip, head, stored_at_head);
        if step != Step::Behind {
            self.behind_since = None;
        }
        match step {
            Step::Wait => {
                self.make_indexes().await?;
                self.show_life(number).await?;
                Ok(Progress::None)
            }
            Step::Fetch { from, to } => {
                if to - from < BLOCKS_OF_PAST {
                    self.make_indexes().await?;
                } else if self.tip.is_none() && !self.deferred {
                    self.defer_indexes().await?;
                }
                if !self.fetch(from, to.min(until)).await? {
                    self.follow_reorg(number).await?;
                }
                Ok(Progress::Made)
            }
            Step::FindAncestor => {
                self.follow_reorg(number).await?;
                Ok(Progress::Made)
            }
            Step::Behind => self.wait_for_node(number).await,
        }
    }

    /// The node's chain is the beginning of ours. Patience first; what then is above its head is gone, unless it was final.
    async fn wait_for_node(&mut self, node_block: u64) -> anyhow::Result<Progress> {
        let since = match self.behind_since {
            Some(since) => since,
            None => {
                check_genesis(&self.node, &mut self.connection).await?;
                *self.behind_since.insert(Instant::now())
            }
        };
        metrics::gauge!("kopilka_indexer_node_behind_seconds").set(since.elapsed().as_secs_f64());
        let cut = self.tip.filter(|_| self.told_final.is_none_or(|told| node_block >= told));
        match cut {
            Some(tip) if since.elapsed() >= self.config.shorter_after => {
                tracing::warn!(block.number = tip.number, node_block, "the node's chain became shorter");
                self.behind_since = None;
                self.roll_back(tip, Some(node_block), node_block).await?;
                Ok(Progress::Made)
            }
            _ => {
                self.show_life(node_block).await?;
                Ok(Progress::None)
            }
        }
    }

    async fn defer_indexes(&mut self) -> anyhow::Result<()> {
        let mut transaction = self.connection.begin().await?;
        indexes::defer(&mut transaction).await?;
        transaction.commit().await?;
        self.deferred = true;
        Ok(())
    }

    async fn make_indexes(&mut self) -> anyhow::Result<()> {
        if !self.deferred {
            return Ok(());
        }
        let started = Instant::now();
        let mut transaction = self.connection.begin().await?;
        let made = indexes::make_deferred(&mut transaction, None).await?;
        transaction.commit().await?;
        self.deferred = false;
        tracing::info!(made, duration_ms = started.elapsed().as_millis(), "made the indexes for readers");
        Ok(())
    }

    /// Gives tokens that are watched from now on their past.
    async fn watch_tokens(&mut self) -> anyhow::Result<()> {
        let Some(mut meta) = state::meta(&mut self.connection).await? else { return Ok(()) };
        let added: Vec<Address> =
            self.config.watch.iter().copied().filter(|token| !meta.watched.contains(token)).collect();
        if self.config.full || added.is_empty() {
            return Ok(());
        }
        if let Some(tip) = self.tip {
            // Past and present must be of one chain.
            if self.node.hashes(&[tip.number]).await?.first().copied().flatten() != Some(tip.hash) {
                self.follow_reorg(tip.number).await?;
            }
        }
        let order = Order {
            scope: Scope::Contracts(Arc::new(added)),
            checks: self.checks.clone(),
            sparse: !self.checks.needs_all_headers(),
        };
        let blocks = (self.config.first_block(), self.tip.map(|tip| tip.number));
        let database = &self.config.database;
        watched::catch_up(&self.node, database, &mut self.connection, &mut meta, order, blocks, &self.size).await?;
        self.watched = meta.watched;
        let tokens = state::known_tokens(&mut self.connection).await?;
        self.known = Known::new(&self.config.deployment, &self.watched, tokens);
        Ok(())
    }

    /// Ends the session in order, giving the lock back at once.
    pub(crate) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "closing the database connection failed");
        }
    }

    /// Readers tell a silent chain from a dead indexer by `chain.head.updated_at`.
    async fn show_life(&mut self, node_block: u64) -> anyhow::Result<()> {
        if self.last_sign_of_life.elapsed() >= SIGN_OF_LIFE {
            let indexed = self.tip.map(|tip| tip.number);
            state::write_head(&mut self.connection, indexed, node_block, self.finalized, 0).await?;
            self.told_final = self.finalized;
            self.last_sign_of_life = Instant::now();
        }
        Ok(())
    }

    fn report(&self, node_block: u64) {
        let indexed_block = self.tip.map(|tip| tip.number);
        let lag = indexed_block.map_or(node_block + 1, |indexed| node_block.saturating_sub(indexed));
        metrics::gauge!("kopilka_indexer_node_block").set(node_block as f64);
        metrics::gauge!("kopilka_indexer_indexed_block").set(indexed_block.unwrap_or_default() as f64);
        metrics::gauge!("kopilka_indexer_lag_blocks").set(lag as f64);
        metrics::gauge!("kopilka_indexer_finalized_block").set(self.finalized.unwrap_or_default() as f64);
        let range = self.size.lock().unwrap_or_else(std::sync::PoisonError::into_inner).blocks();
        metrics::gauge!("kopilka_indexer_range_blocks").set(range as f64);
        self.status.send_replace(Status {
            leads: true,
            indexed_block,
            node_block: Some(node_block),
            last_success: Some(Instant::now()),
        });
    }

    /// Indexes `from..=to` with several ranges on their way at once, written in order. False when the chain turned out to
    /// have changed underneath.
    async fn fetch(&mut self, from: u64, to: u64) -> anyhow::Result<bool> {
        let mut from = from;
        // Contracts that the node did not mention when it was asked which there are.
        let mut overlooked: BTreeSet<Address> = BTreeSet::new();
        while from <= to {
            let until = if self.config.full { to } else { to.min(from + DISCOVERY_BLOCKS - 1) };
            let scope = self.scope(from, until, &overlooked).await?;
            let ranges = self.ranges(scope.clone(), from, until).ready_chunks(self.config.concurrency.max(1));
            let mut ranges = std::pin::pin!(ranges.map(|ready| futures::stream::iter(joined(ready))).flatten());
            while let Some(rows) = ranges.next().await {
                let rows = match rows {
                    Ok(rows) => rows,
                    Err(FetchError::Contradiction { block, what }) => {
                        tracing::warn!(block.number = block, what, "the node contradicted itself; looking again");
                        metrics::counter!("kopilka_indexer_contradictions_total").increment(1);
                        tokio::time::sleep(self.config.poll).await;
                        return Ok(false);
                    }
                    Err(error) => return Err(error.into()),
                };
                let unknown = self.outside(&scope, &rows)?;
                if !unknown.is_empty() {
                    tracing::warn!(
                        ?unknown,
                        "the node had left out the creation of contracts; asking for their logs, too"
                    );
                    overlooked.extend(unknown);
                    break;
                }
                if !self.commit(rows, to).await? {
                    return Ok(false);
                }
            }
            from = self.tip.map_or(from, |tip| tip.number + 1);
        }
        Ok(true)
    }

    /// Contracts that a range creates though its logs were not asked for.
    fn outside(&self, scope: &Scope, rows: &Rows) -> anyhow::Result<Vec<Address>> {
        let Scope::Contracts(asked) = scope else { return Ok(Vec::new()) };
        let mut outside = Vec::new();
        for log in &rows.logs {
            if log.address == self.config.deployment.rounds && log.topic0 == Some(ROUND_CREATED) {
                let (round, token) = created(log).map_err(IndexerError::Unreadable)?;
                outside.extend([round, token].into_iter().filter(|address| !asked.contains(address)));
            }
        }
        Ok(outside)
    }

    /// What to ask for in a range: everything, or the logs of the contracts known now and of those created in the range.
    async fn scope(&self, from: u64, to: u64, overlooked: &BTreeSet<Address>) -> anyhow::Result<Scope> {
        if self.config.full {
            return Ok(Scope::FullChain);
        }
        let mut addresses: BTreeSet<Address> = self.known.addresses();
        addresses.extend(overlooked);
        let mut parts = vec![(from, to)];
        while let Some((from, to)) = parts.pop() {
            match self.node.logs(from, to, &[self.config.deployment.rounds], Some(ROUND_CREATED)).await {
                Ok(logs) => {
                    for log in logs {
                        // round and token are the first two words of the data.
                        let word = |at: usize| log.data.get(at * 32 + 12..at * 32 + 32).map(Address::from_slice);
                        addresses.extend(word(0).into_iter().chain(word(1)));
                    }
                }
                Err(error) if from == to => return Err(error.into()),
                Err(_) => {
                    let middle = from + (to - from) / 2;
                    parts.push((middle + 1, to));
                    parts.push((from, middle));
                }
            }
        }
        Ok(Scope::Contracts(Arc::new(addresses.into_iter().collect())))
    }

    fn ranges(&self, scope: Scope, from: u64, to: u64) -> impl Stream<Item = Result<Rows, FetchError>> + use<> {
        let (node, size, checks) = (self.node.clone(), self.size.clone(), self.checks.clone());
        // Below finality blocks without our logs may be left out; a range is on one side of it.
        let sparse_to = self.finalized.filter(|_| !checks.needs_all_headers() && !self.config.full);
        let requests = futures::stream::unfold(from, move |from| {
            let (node, size) = (node.clone(), size.clone());
            let sparse = sparse_to.is_some_and(|last| from <= last);
            let order = Order { scope: scope.clone(), checks: checks.clone(), sparse };
            let (last, to) = (to, if sparse { to.min(sparse_to.unwrap_or(to)) } else { to });
            async move {
                if from > last {
                    return None;
                }
                let blocks = size.lock().unwrap_or_else(std::sync::PoisonError::into_inner).blocks();
                let until = to.min(from.saturating_add(blocks - 1));
                // A task of its own goes on while the one before is written.
                let task = AbortOnDropHandle::new(tokio::spawn(fetch_range(node, order, from, until, size)));
                Some((task, until + 1))
            }
        });
        requests.buffered(self.config.concurrency.max(1)).map(|answer| match answer {
            Ok(rows) => rows,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        })
    }

    /// Writes a range in one transaction. False when it does not continue what is stored.
    async fn commit(&mut self, mut rows: Rows, node_block: u64) -> anyhow::Result<bool> {
        let (Some(first), Some(last)) = (rows.blocks.first(), last_block(&rows)) else { return Ok(true) };
        if self.tip.is_some_and(|tip| first.parent_hash != Some(tip.hash) || first.number != tip.number + 1) {
            return Ok(false);
        }
        let started = Instant::now();
        let from = first.number;
        let logs = std::mem::take(&mut rows.logs);
        let times: Vec<(u64, u64)> = rows.blocks.iter().map(|block| (block.number, block.block_at.0)).collect();
        let time = |block: u64| times.binary_search_by_key(&block, |(number, _)| *number).map_or(0, |at| times[at].1);
        decode(&mut self.known, &logs, time, &mut rows).map_err(IndexerError::Unreadable)?;
        rows.logs = logs;
        metadata::ask_new_tokens(&self.node, last.number, &mut rows).await?;
        let rounds = self.touched_rounds(&rows);
        let topics = rows.derived_tables();
        let node_block = node_block.max(last.number);

        let mut transaction = self.connection.begin().await?;
        write::write_range(&mut transaction, &rows).await?;
        state::write_head(&mut transaction, Some(last.number), node_block, self.finalized, 0).await?;
        state::notify_head(&mut transaction, &notification(from, last, &rounds, Some(&topics))).await?;
        transaction.commit().await?;

        self.tip = Some(last);
        self.told_final = self.finalized;
        self.report(node_block);
        metrics::counter!("kopilka_indexer_blocks_total").increment(rows.blocks.len() as u64);
        metrics::counter!("kopilka_indexer_logs_total").increment(rows.logs.len() as u64);
        metrics::histogram!("kopilka_indexer_commit_seconds").record(started.elapsed().as_secs_f64());
        tracing::debug!(
            from,
            to = last.number,
            logs = rows.logs.len(),
            transactions = rows.transactions.len(),
            duration_ms = started.elapsed().as_millis(),
            "indexed a range"
        );
        Ok(true)
    }

    fn touched_rounds(&self, rows: &Rows) -> BTreeSet<Address> {
        rows.logs.iter().filter_map(|log| self.known.round_of(log.address)).collect()
    }

    /// Finds the common ancestor and removes what is above it.
    async fn follow_reorg(&mut self, node_block: u64) -> anyhow::Result<()> {
        let Some(tip) = self.tip else { return Ok(()) };
        let first = self.config.first_block();
        let lowest = tip.number.saturating_sub(self.config.window).max(first);
        let stored: Vec<BlockId> = state::block_hashes(&mut self.connection, lowest, tip.number)
            .await?
            .into_iter()
            .map(|(number, hash)| BlockId { number, hash })
            .collect();
        let numbers: Vec<u64> = stored.iter().map(|block| block.number).collect();
        let node_hashes = self.node.hashes(&numbers).await?;
        let at = |number: u64| {
            let place = numbers.iter().position(|stored| *stored == number)?;
            node_hashes.get(place).copied().flatten()
        };
        let keep = match find_ancestor(first, &stored, at) {
            Ancestor::At(number) if number == tip.number => return Ok(()),
            Ancestor::At(number) => Some(number),
            Ancestor::BelowFirst => {
                check_genesis(&self.node, &mut self.connection).await?;
                first.checked_sub(1)
            }
            Ancestor::TooDeep { compared_down_to } => {
                check_genesis(&self.node, &mut self.connection).await?;
                return Err(IndexerError::ReorgTooDeep {
                    indexed_block: tip.number,
                    compared_down_to,
                    window: self.config.window,
                }
                .into());
            }
        };
        self.roll_back(tip, keep, node_block).await
    }

    async fn roll_back(&mut self, tip: BlockId, keep: Option<u64>, node_block: u64) -> anyhow::Result<()> {
        let keep = keep.context("the chain's first block changed: this is another chain")?;
        if let Some(finalized) = self.told_final.map(|told| told.min(tip.number)).filter(|told| keep < *told) {
            return Err(IndexerError::ReorgOfFinal { ancestor: keep, finalized }.into());
        }
        let started = Instant::now();
        let mut transaction = self.connection.begin().await?;
        let rounds = rollback::roll_back(&mut transaction, keep).await?;
        let tip_after = state::tip(&mut transaction).await?.map(|(number, hash)| BlockId { number, hash });
        let indexed = tip_after.map(|tip| tip.number);
        state::write_head(&mut transaction, indexed, node_block, self.finalized, 1).await?;
        if let Some(tip) = tip_after {
            let rounds = rounds.into_iter().collect();
            state::notify_head(&mut transaction, &notification(tip.number, tip, &rounds, None)).await?;
        }
        let tokens = state::known_tokens(&mut transaction).await?;
        transaction.commit().await?;
        self.known = Known::new(&self.config.deployment, &self.watched, tokens);
        self.tip = tip_after;
        self.told_final = self.finalized;
        metrics::counter!("kopilka_indexer_reorgs_total").increment(1);
        metrics::histogram!("kopilka_indexer_reorg_depth_blocks").record((tip.number - keep) as f64);
        tracing::info!(
            from = tip.number,
            ancestor = keep,
            depth = tip.number - keep,
            duration_ms = started.elapsed().as_millis(),
            "rolled back after a reorg"
        );
        self.report(node_block);
        Ok(())
    }
}

/// JSON for listeners, see [`kopilka_store::chain::HEAD_CHANNEL`]; without topics after a reorg.
fn notification(from: u64, last: BlockId, rounds: &BTreeSet<Address>, topics: Option<&[&str]>) -> String {
    let rounds = (rounds.len() <= MAX_NOTIFIED_ROUNDS).then_some(rounds);
    serde_json::json!({
        "from": from, "block": last.number, "hash": last.hash, "reorg": topics.is_none(), "rounds": rounds, "topics": topics,
    })
    .to_string()
}

/// On the first start notes which chain this is; later refuses any other.
async fn check_chain(config: &Config, node: &Node, connection: &mut PgConnection) -> anyhow::Result<()> {
    let deployment = &config.deployment;
    let chain_id = node.chain_id().await?;
    if chain_id != deployment.chain_id {
        return Err(IndexerError::OtherChainId { expected: deployment.chain_id, node: chain_id }.into());
    }
    let Some(meta) = state::meta(connection).await? else {
        let genesis_hash = genesis(node).await?;
        let meta = state::Meta {
            genesis_hash,
            first_block: config.first_block(),
            deployment: deployment.clone(),
            full_chain: config.full,
            watched: if config.full { Vec::new() } else { config.watch.clone() },
            decoder_version: DECODER_VERSION,
        };
        let rows = Rows { contracts: deployment_contracts(deployment), ..Rows::default() };
        let mut transaction = connection.begin().await?;
        state::write_meta(&mut transaction, &meta).await?;
        write::write_derived(&mut transaction, &rows).await?;
        transaction.commit().await?;
        return Ok(());
    };
    if meta.deployment != *deployment {
        return Err(IndexerError::OtherDeployment {
            stored: describe(&meta.deployment),
            configured: describe(deployment),
        }
        .into());
    }
    if meta.full_chain != config.full || meta.first_block != config.first_block() {
        return Err(IndexerError::OtherMode { full: meta.full_chain, first_block: meta.first_block }.into());
    }
    check_genesis(node, connection).await?;
    if meta.decoder_version != DECODER_VERSION {
        tracing::info!(from = meta.decoder_version, to = DECODER_VERSION, "another decoder made the derived tables");
        rebuild::rebuild(&config.database, connection, &meta).await?;
    }
    Ok(())
}

fn describe(deployment: &Deployment) -> String {
    let contracts = deployment.contracts().map(|(kind, address)| format!("{kind} {address}"));
    format!("chain {} from block {}: {}", deployment.chain_id, deployment.first_block, contracts.join(", "))
}

async fn genesis(node: &Node) -> anyhow::Result<B256> {
    let hash = node.hashes(&[0]).await?.into_iter().next().flatten();
    hash.context("the node does not have block 0")
}

async fn check_genesis(node: &Node, connection: &mut PgConnection) -> anyhow::Result<()> {
    let Some(meta) = state::meta(connection).await? else { return Ok(()) };
    let found = genesis(node).await?;
    if found == meta.genesis_hash {
        return Ok(());
    }
    Err(IndexerError::OtherGenesis { stored: meta.genesis_hash, node: found }.into())
}
