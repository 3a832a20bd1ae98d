//! What to do next, decided from numbers and hashes alone.

use alloy::primitives::B256;

/// A block by number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockId {
    /// Height.
    pub number: u64,
    /// Hash.
    pub hash: B256,
}

/// The node's highest block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeHead {
    /// The block.
    pub block: BlockId,
    /// Hash of the block before it.
    pub parent_hash: B256,
}

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing new.
    Wait,
    /// Index these blocks, both included.
    Fetch {
        /// Lowest.
        from: u64,
        /// Highest.
        to: u64,
    },
    /// Our highest block is not on the node's chain: find where the two part.
    FindAncestor,
    /// The node's chain is the beginning of ours: it is behind, or its chain became shorter. Time tells.
    Behind,
}

/// Decides what the node's head means for an index that starts at `first` and stands at `tip`. `stored_at_head` is our
/// hash at the height of the node's head, if we have that height.
pub fn next_step(first: u64, tip: Option<BlockId>, head: NodeHead, stored_at_head: Option<B256>) -> Step {
    let node = head.block;
    match tip {
        None if node.number < first => Step::Wait,
        None => Step::Fetch { from: first, to: node.number },
        Some(tip) if node.number == tip.number + 1 && head.parent_hash != tip.hash => Step::FindAncestor,
        Some(tip) if node.number > tip.number => Step::Fetch { from: tip.number + 1, to: node.number },
        Some(tip) if node == tip => Step::Wait,
        // Of final blocks we may keep only those with logs of ours.
        Some(_) if stored_at_head.is_none_or(|stored| stored == node.hash) => Step::Behind,
        Some(_) => Step::FindAncestor,
    }
}

/// Where the stored chain and the node's chain part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ancestor {
    /// The highest common block: keep it and everything below.
    At(u64),
    /// Not one stored block is on the node's chain, and all that are stored were compared.
    BelowFirst,
    /// None of the compared blocks is common, and deeper ones were not compared.
    TooDeep {
        /// The lowest block that was compared.
        compared_down_to: u64,
    },
}

/// Finds the common ancestor. `stored` is the window of our blocks, highest first; `node` gives the node's hash at a
/// height, or none where its chain is shorter; `first` is the lowest block that we index.
pub fn find_ancestor(first: u64, stored: &[BlockId], node: impl Fn(u64) -> Option<B256>) -> Ancestor {
    match stored.iter().find(|block| node(block.number) == Some(block.hash)) {
        Some(block) => Ancestor::At(block.number),
        None => match stored.last() {
            Some(lowest) if lowest.number > first => Ancestor::TooDeep { compared_down_to: lowest.number },
            _ => Ancestor::BelowFirst,
        },
    }
}

/// How many blocks to ask for at once: grows while answers come quickly, shrinks when they are slow or fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeSize {
    blocks: u64,
    max: u64,
}

/// How a request for a range went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It came.
    Came {
        /// How long it took.
        milliseconds: u64,
        /// Logs in it.
        logs: u64,
    },
    /// The node refused so many.
    Refused {
        /// Blocks that it may give.
        at_most: u64,
        /// Whether more will never be given.
        lasting: bool,
    },
    /// It did not come.
    Failed,
}

impl RangeSize {
    const QUICK_MS: u64 = 500;
    const SLOW_MS: u64 = 3_000;
    const MANY_LOGS: u64 = 20_000;

    /// Starts small, never above `max`.
    pub fn new(max: u64) -> Self {
        let max = max.max(1);
        Self { blocks: max.min(16), max }
    }

    /// Blocks to ask for.
    pub fn blocks(self) -> u64 {
        self.blocks
    }

    /// Learns from an answer for `asked` blocks. Answers for few blocks, as at the head, do not make it grow.
    pub fn learn(&mut self, asked: u64, answer: Answer) {
        match answer {
            Answer::Refused { at_most, lasting } => {
                if lasting {
                    self.max = self.max.min(at_most).max(1);
                }
                self.blocks = self.blocks.min(at_most).max(1);
            }
            Answer::Failed => self.blocks = (asked / 2).clamp(1, self.blocks.max(1)),
            Answer::Came { milliseconds, logs } if milliseconds > Self::SLOW_MS || logs > 2 * Self::MANY_LOGS => {
                self.blocks = (asked / 2).clamp(1, self.blocks.max(1));
            }
            Answer::Came { milliseconds, logs }
                if milliseconds < Self::QUICK_MS && logs < Self::MANY_LOGS / 2 && asked >= self.blocks =>
            {
                self.blocks = (self.blocks * 2).min(self.max);
            }
            Answer::Came { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(byte: u8) -> B256 {
        B256::repeat_byte(byte)
    }

    fn block(number: u64, byte: u8) -> BlockId {
        BlockId { number, hash: hash(byte) }
    }

    fn head(number: u64, byte: u8, parent: u8) -> NodeHead {
        NodeHead { block: block(number, byte), parent_hash: hash(parent) }
    }

    #[test]
    fn the_first_blocks_are_fetched() {
        assert_eq!(next_step(5, None, head(4, 4, 3), None), Step::Wait);
        assert_eq!(next_step(5, None, head(5, 5, 4), None), Step::Fetch { from: 5, to: 5 });
        assert_eq!(next_step(0, None, head(9, 9, 8), None), Step::Fetch { from: 0, to: 9 });
    }

    #[test]
    fn the_head_is_followed() {
        let tip = Some(block(7, 7));
        assert_eq!(next_step(0, tip, head(7, 7, 6), Some(hash(7))), Step::Wait);
        assert_eq!(next_step(0, tip, head(8, 8, 7), None), Step::Fetch { from: 8, to: 8 });
        assert_eq!(next_step(0, tip, head(12, 12, 11), None), Step::Fetch { from: 8, to: 12 });
    }

    #[test]
    fn another_block_at_or_above_our_height_is_a_reorg() {
        let tip = Some(block(7, 7));
        assert_eq!(next_step(0, tip, head(7, 77, 6), Some(hash(7))), Step::FindAncestor);
        assert_eq!(next_step(0, tip, head(8, 88, 77), None), Step::FindAncestor);
        assert_eq!(next_step(0, tip, head(5, 55, 4), Some(hash(5))), Step::FindAncestor);
    }

    #[test]
    fn a_node_behind_us_is_noticed() {
        assert_eq!(next_step(0, Some(block(7, 7)), head(5, 5, 4), Some(hash(5))), Step::Behind);
        assert_eq!(next_step(0, Some(block(7, 7)), head(5, 5, 4), None), Step::Behind, "we do not keep that block");
    }

    #[test]
    fn the_highest_common_block_is_found() {
        let stored: Vec<_> = (3..=7).rev().map(|n| block(n, n as u8)).collect();
        let node = |n: u64| (n <= 6).then(|| hash(if n <= 4 { n as u8 } else { 100 + n as u8 }));
        assert_eq!(find_ancestor(0, &stored, node), Ancestor::At(4));
        assert_eq!(find_ancestor(0, &stored, |n| Some(hash(100 + n as u8))), Ancestor::TooDeep { compared_down_to: 3 });
        assert_eq!(find_ancestor(3, &stored, |_| None), Ancestor::BelowFirst);
    }

    #[test]
    fn ranges_grow_and_shrink() {
        let mut size = RangeSize::new(100);
        let quick = Answer::Came { milliseconds: 10, logs: 10 };
        assert_eq!(size.blocks(), 16);
        size.learn(1, quick);
        assert_eq!(size.blocks(), 16, "a single block at the head says nothing about ranges");
        for _ in 0..5 {
            size.learn(size.blocks(), quick);
        }
        assert_eq!(size.blocks(), 100);
        size.learn(100, Answer::Failed);
        assert_eq!(size.blocks(), 50);
        size.learn(50, Answer::Came { milliseconds: 9_000, logs: 10 });
        assert_eq!(size.blocks(), 25);
        size.learn(25, Answer::Came { milliseconds: 1_000, logs: 10 });
        assert_eq!(size.blocks(), 25);
        for _ in 0..9 {
            size.learn(1, Answer::Failed);
        }
        assert_eq!(size.blocks(), 1);
        size.learn(1, quick);
        assert_eq!(size.blocks(), 2);
    }

    #[test]
    fn a_lasting_limit_is_kept_and_another_forgotten() {
        let quick = Answer::Came { milliseconds: 10, logs: 10 };
        let mut size = RangeSize::new(100);
        size.learn(16, Answer::Refused { at_most: 3, lasting: false });
        assert_eq!(size.blocks(), 3);
        for _ in 0..9 {
            size.learn(size.blocks(), quick);
        }
        assert_eq!(size.blocks(), 100);
        size.learn(100, Answer::Refused { at_most: 10, lasting: true });
        for _ in 0..9 {
            size.learn(size.blocks(), quick);
        }
        assert_eq!(size.blocks(), 10);
    }
}
