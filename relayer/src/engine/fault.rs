//! Points at which tests break the engine off, as a kill -9 would: nothing after the point happens, nothing is tidied up.

/// A place between two steps that must survive being torn apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPoint {
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
}

/// The point that was asked for, if any.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults(pub(crate) Option<FaultPoint>);

/// The engine reached the point at which it was to break off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("broken off at {0:?}, as configured")]
pub struct Fault(pub FaultPoint);

impl Faults {
    pub(crate) fn pass(self, point: FaultPoint) -> Result<(), Fault> {
        if self.0 == Some(point) { Err(Fault(point)) } else { Ok(()) }
    }
}
