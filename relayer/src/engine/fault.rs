//! Points at which tests break the relayer off, as a kill -9 would: nothing after the point happens, nothing is tidied up.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A place between two steps that must survive being torn apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPoint {
    /// Messages are committed, but whoever sent them has no answer. Only for a plan that aborts the process.
    MessagesStored,
    /// Messages are taken and the transaction is signed, but nothing is committed.
    BatchSigned,
    /// Nonce and signed bytes are committed, nothing is sent.
    BatchStored,
    /// The transaction is sent; nobody knows yet what became of it.
    BatchSent,
    /// A dearer replacement is committed, but not sent.
    ReplacementStored,
    /// A receipt was read, but what it says is not committed.
    ReceiptRead,
    /// What a receipt says is committed, but not yet final.
    OutcomeStored,
    /// A block is gone, and what it did is taken back, but nothing is sent again.
    BlockGone,
    /// Messages of a sender that cannot pay are back in the queue, its nonces are not yet closed.
    MessagesReleased,
    /// A filler of a gap is committed, but not sent.
    FillerStored,
    /// What a block did is final.
    BatchFinal,
}

impl FaultPoint {
    /// Every point.
    pub const ALL: [Self; 11] = [
        Self::MessagesStored,
        Self::BatchSigned,
        Self::BatchStored,
        Self::BatchSent,
        Self::ReplacementStored,
        Self::ReceiptRead,
        Self::OutcomeStored,
        Self::BlockGone,
        Self::MessagesReleased,
        Self::FillerStored,
        Self::BatchFinal,
    ];
}

/// The text names no [`FaultPoint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no point at which the relayer can be broken off")]
pub struct UnknownFaultPoint(String);

impl FromStr for FaultPoint {
    type Err = UnknownFaultPoint;

    /// Reads the name of the variant.
    fn from_str(text: &str) -> Result<Self, UnknownFaultPoint> {
        Self::ALL
            .into_iter()
            .find(|point| format!("{point:?}") == text)
            .ok_or_else(|| UnknownFaultPoint(text.to_owned()))
    }
}

/// Where to break off, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultPlan {
    /// The place.
    pub point: FaultPoint,
    /// How many times it is passed first.
    pub after: u32,
    /// Ends the process there and then, instead of ending [`crate::run`] with a [`Fault`].
    pub aborts: bool,
}

impl From<FaultPoint> for FaultPlan {
    fn from(point: FaultPoint) -> Self {
        Self { point, after: 0, aborts: false }
    }
}

/// The plan that was asked for, if any.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Option<Arc<(FaultPlan, AtomicU32)>>);

/// The relayer reached the point at which it was to break off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("broken off at {0:?}, as configured")]
pub struct Fault(pub FaultPoint);

impl Faults {
    pub(crate) fn new(plan: Option<FaultPlan>) -> Self {
        Self(plan.map(|plan| Arc::new((plan, AtomicU32::new(0)))))
    }

    pub(crate) fn pass(&self, point: FaultPoint) -> Result<(), Fault> {
        let Some((plan, passed)) = self.0.as_deref() else { return Ok(()) };
        if plan.point != point || passed.fetch_add(1, Ordering::Relaxed) < plan.after {
            return Ok(());
        }
        if plan.aborts {
            std::process::abort();
        }
        Err(Fault(point))
    }
}
