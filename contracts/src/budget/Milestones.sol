// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Context} from "@openzeppelin/contracts/utils/Context.sol";

import {IBudgetRound} from "../interfaces/IBudgetRound.sol";
import {IBudgetRounds} from "../interfaces/IBudgetRounds.sol";
import {IMilestones} from "../interfaces/IMilestones.sol";
import {IMunicipalities} from "../interfaces/IMunicipalities.sol";

/// @title How the winners of settled rounds are carried out
contract Milestones is IMilestones, Context {
    /// @notice Stages of every execution.
    uint256 public constant STAGES = 4;

    /// @param scheduled Whether the deadlines are set.
    /// @param reached How many stages are reached: the next stage's number.
    /// @param reasonHash Why it was given up; zero if it was not.
    struct Execution {
        bool scheduled;
        uint8 reached;
        bytes32 reasonHash;
        Milestone[STAGES] stages;
    }

    address public immutable municipalities;
    address public immutable rounds;
    mapping(address round => mapping(uint16 initiativeId => Execution)) private _executions;

    constructor(address municipalities_, address rounds_) {
        municipalities = municipalities_;
        rounds = rounds_;
    }

    modifier whenActive() {
        if (IMunicipalities(municipalities).paused()) revert ActionsPaused();
        _;
    }

    // ---------------------------------------------------------------------------------------------
    // A clerk schedules and postpones
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IMilestones
    function schedule(address round, uint16 initiativeId, uint64[4] calldata deadlines) external whenActive {
        _requireRole(round, IMunicipalities.Role.Clerk);
        Execution storage execution = _open(round, initiativeId);
        if (execution.scheduled) revert AlreadyScheduled(round, initiativeId);
        if (deadlines[0] < block.timestamp) revert DeadlineInThePast(deadlines[0], uint64(block.timestamp));
        for (uint256 i = 1; i < STAGES; ++i) {
            if (deadlines[i] < deadlines[i - 1]) {
                revert DeadlinesNotAscending(Stage(i), deadlines[i], deadlines[i - 1]);
            }
        }

        execution.scheduled = true;
        for (uint256 i = 0; i < STAGES; ++i) {
            execution.stages[i].promised = deadlines[i];
            execution.stages[i].deadline = deadlines[i];
        }
        emit ExecutionScheduled(round, initiativeId, _msgSender(), deadlines);
    }

    /// @inheritdoc IMilestones
    function postpone(address round, uint16 initiativeId, Stage stage, uint64 deadline, bytes32 reasonHash)
        external
        whenActive
    {
        _requireRole(round, IMunicipalities.Role.Clerk);
        if (reasonHash == 0) revert ReasonMissing();
        Execution storage execution = _openScheduled(round, initiativeId);
        if (uint8(stage) < execution.reached) revert StageAlreadyReached(stage);
        Milestone storage milestone = execution.stages[uint8(stage)];
        uint64 previous = milestone.deadline;
        if (deadline <= previous) revert DeadlineNotLater(stage, previous, deadline);
        if (stage != Stage.Report) {
            uint64 following = execution.stages[uint8(stage) + 1].deadline;
            if (deadline > following) revert DeadlinesNotAscending(stage, deadline, following);
        }

        milestone.deadline = deadline;
        ++milestone.postponements;
        emit MilestonePostponed(round, initiativeId, stage, _msgSender(), previous, deadline, reasonHash);
    }

    // ---------------------------------------------------------------------------------------------
    // Two people record what is reached
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IMilestones
    function reach(address round, uint16 initiativeId, Stage stage, bytes32 documentHash) external whenActive {
        bool acceptance = stage == Stage.Acceptance;
        _requireRole(round, acceptance ? IMunicipalities.Role.Controller : IMunicipalities.Role.Clerk);
        if (documentHash == 0) revert DocumentMissing();
        Execution storage execution = _openScheduled(round, initiativeId);
        uint8 next = execution.reached;
        if (uint8(stage) < next) revert StageAlreadyReached(stage);
        if (uint8(stage) > next) revert StageOutOfOrder(stage, Stage(next));
        address caller = _msgSender();
        if (acceptance && caller == execution.stages[uint8(Stage.Contract)].account) {
            revert AcceptedByContractingPerson(caller);
        }

        Milestone storage milestone = execution.stages[next];
        execution.reached = next + 1;
        milestone.reachedAt = uint64(block.timestamp);
        milestone.account = caller;
        milestone.documentHash = documentHash;
        emit MilestoneReached(round, initiativeId, stage, caller, milestone.deadline, documentHash);
    }

    // ---------------------------------------------------------------------------------------------
    // A clerk gives up what will not be done
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IMilestones
    function abandon(address round, uint16 initiativeId, bytes32 reasonHash) external {
        _requireRole(round, IMunicipalities.Role.Clerk);
        if (reasonHash == 0) revert ReasonMissing();
        Execution storage execution = _open(round, initiativeId);
        if (execution.reached == STAGES) revert EverythingReached(round, initiativeId);
        uint256 balance = IBudgetRound(round).initiative(initiativeId).pledged;
        if (balance != 0) revert WalletNotEmpty(initiativeId, balance);

        execution.reasonHash = reasonHash;
        emit ExecutionAbandoned(round, initiativeId, _msgSender(), reasonHash);
    }

    // ---------------------------------------------------------------------------------------------
    // Checks
    // ---------------------------------------------------------------------------------------------

    /// @dev Asks the register first: an unknown contract is never called.
    function _requireRole(address round, IMunicipalities.Role role) private view {
        if (!IBudgetRounds(rounds).isRound(round)) revert RoundUnknown(round);
        uint32 municipalityId = IBudgetRound(round).config().municipalityId;
        if (!IMunicipalities(municipalities).hasRole(municipalityId, role, _msgSender())) {
            revert CallerLacksRole(_msgSender(), uint8(role));
        }
    }

    /// @dev An initiative is a winner from the finality of the settlement on, and for ever.
    function _open(address round, uint16 initiativeId) private view returns (Execution storage execution) {
        execution = _executions[round][initiativeId];
        if (execution.reasonHash != 0) revert AlreadyAbandoned(round, initiativeId);
        if (!IBudgetRound(round).initiative(initiativeId).won) revert InitiativeNotWinner(round, initiativeId);
    }

    function _openScheduled(address round, uint16 initiativeId) private view returns (Execution storage execution) {
        execution = _open(round, initiativeId);
        if (!execution.scheduled) revert NotScheduled(round, initiativeId);
    }

    // ---------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IMilestones
    function milestones(address round, uint16 initiativeId) external view returns (Milestone[4] memory) {
        return _executions[round][initiativeId].stages;
    }

    /// @inheritdoc IMilestones
    function statusOf(address round, uint16 initiativeId) external view returns (Status status, Stage next) {
        Execution storage execution = _executions[round][initiativeId];
        uint256 reached = execution.reached;
        bool done = reached == STAGES;
        next = done ? Stage.Report : Stage(reached);
        if (execution.reasonHash != 0) return (Status.Abandoned, next);
        if (!execution.scheduled) return (Status.Unscheduled, next);
        if (done) return (Status.Done, next);
        bool late = block.timestamp > execution.stages[reached].deadline;
        return (late ? Status.Overdue : Status.OnTime, next);
    }

    /// @inheritdoc IMilestones
    function abandonedBecause(address round, uint16 initiativeId) external view returns (bytes32 reasonHash) {
        return _executions[round][initiativeId].reasonHash;
    }
}
