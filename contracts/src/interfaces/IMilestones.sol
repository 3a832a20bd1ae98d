// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title How the winners of settled rounds are carried out
/// @notice Every winner goes through four stages, each with a deadline and a document. Nothing recorded is ever
/// rewritten: a later deadline is a postponement with a reason, and what was promised first stays readable. Money does
/// not depend on it: payments are the round's.
interface IMilestones {
    /// @notice Stages, in this order.
    enum Stage {
        /// @notice The works are planned.
        Plan,
        /// @notice A contractor is bound.
        Contract,
        /// @notice What was done is accepted, by another person than the one who recorded the contract.
        Acceptance,
        /// @notice The public has the report.
        Report
    }

    /// @notice Where the execution of an initiative stands. `Overdue` comes by time alone; all else, its end too, by
    /// transactions.
    enum Status {
        /// @notice Deadlines are not set yet.
        Unscheduled,
        /// @notice The next stage is still in time.
        OnTime,
        /// @notice The deadline of the next stage has passed.
        Overdue,
        /// @notice All stages are reached.
        Done,
        /// @notice Given up; what had not been paid is back in the budget.
        Abandoned
    }

    /// @notice One stage of one initiative. Times are Unix times.
    /// @param promised The first deadline.
    /// @param deadline The present deadline: the last second in time.
    /// @param postponements How often it was postponed.
    /// @param reachedAt When it was recorded as reached; 0 until then.
    /// @param account Who recorded that.
    /// @param documentHash keccak256 of the document that proves it.
    struct Milestone {
        uint64 promised;
        uint64 deadline;
        uint32 postponements;
        uint64 reachedAt;
        address account;
        bytes32 documentHash;
    }

    error ActionsPaused();
    error RoundUnknown(address round);
    error CallerLacksRole(address caller, uint8 role);
    error InitiativeNotWinner(address round, uint16 initiativeId);
    error AlreadyScheduled(address round, uint16 initiativeId);
    error NotScheduled(address round, uint16 initiativeId);
    error AlreadyAbandoned(address round, uint16 initiativeId);
    error DeadlineInThePast(uint64 deadline, uint64 nowAt);
    error DeadlinesNotAscending(Stage stage, uint64 deadline, uint64 bound);
    error DeadlineNotLater(Stage stage, uint64 deadline, uint64 proposed);
    error ReasonMissing();
    error DocumentMissing();
    error StageAlreadyReached(Stage stage);
    error StageOutOfOrder(Stage stage, Stage next);
    error AcceptedByContractingPerson(address account);
    error EverythingReached(address round, uint16 initiativeId);
    error WalletNotEmpty(uint16 initiativeId, uint256 balance);

    /// @dev Once for each winner of a round of the register; the deadlines never descend from stage to stage.
    event ExecutionScheduled(
        address indexed round, uint16 indexed initiativeId, address indexed account, uint64[4] deadlines
    );
    /// @dev Only for a stage that is not reached yet; `deadline` is later than `previousDeadline`.
    event MilestonePostponed(
        address indexed round,
        uint16 indexed initiativeId,
        Stage indexed stage,
        address account,
        uint64 previousDeadline,
        uint64 deadline,
        bytes32 reasonHash
    );
    /// @dev Once for each stage, in the order of stages; it was in time if the block is not later than `deadline`.
    event MilestoneReached(
        address indexed round,
        uint16 indexed initiativeId,
        Stage indexed stage,
        address account,
        uint64 deadline,
        bytes32 documentHash
    );
    /// @dev At most once; nothing follows for this initiative, and its wallet is empty for ever.
    event ExecutionAbandoned(
        address indexed round, uint16 indexed initiativeId, address indexed account, bytes32 reasonHash
    );

    /// @notice Clerk: sets the deadlines of a winner, once.
    /// @param deadlines Last second in time for each stage; none in the past, none before the one before.
    function schedule(address round, uint16 initiativeId, uint64[4] calldata deadlines) external;

    /// @notice Clerk: gives a stage more time.
    /// @param deadline Later than the present one, and not after that of the next stage (postpone that one first).
    /// @param reasonHash keccak256 of the published reason; not zero.
    function postpone(address round, uint16 initiativeId, Stage stage, uint64 deadline, bytes32 reasonHash) external;

    /// @notice Records that the next stage is reached. Caller: clerk; for the acceptance a controller, and not the
    /// person who recorded the contract.
    /// @param documentHash keccak256 of the document that proves it; not zero.
    function reach(address round, uint16 initiativeId, Stage stage, bytes32 documentHash) external;

    /// @notice Clerk: gives a winner up, scheduled or not, once its money is back in the budget (the treasurer calls
    /// `IBudgetRound.returnRemainder` first). Works while actions are paused.
    /// @param reasonHash keccak256 of the published reason; not zero.
    function abandon(address round, uint16 initiativeId, bytes32 reasonHash) external;

    function municipalities() external view returns (address);
    /// @notice Register of the rounds whose winners are recorded here.
    function rounds() external view returns (address);
    /// @notice The four stages; all zero before they are scheduled.
    function milestones(address round, uint16 initiativeId) external view returns (Milestone[4] memory);
    /// @notice Where the execution stands, and the stage that comes next (`Report` once all are reached).
    function statusOf(address round, uint16 initiativeId) external view returns (Status status, Stage next);
    /// @notice Why the initiative was given up; zero if it was not.
    function abandonedBecause(address round, uint16 initiativeId) external view returns (bytes32 reasonHash);
}
