// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IMilestones} from "../../src/interfaces/IMilestones.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title How winners are carried out: deadlines, documents, postponements, two people, giving up
contract MilestonesTest is RoundFixture {
    bytes32 private constant REASON = keccak256("contractor failed");
    bytes32 private constant DOCUMENT = keccak256("act");
    uint64 private nowAt;
    address private anotherClerk = _named("another clerk");

    function setUp() public override {
        super.setUp();
        _pledgingWith(_cumulative(), 2, 3);
        _closePledging();
        _settle(_list(1, 3));
        nowAt = uint64(block.timestamp);
        _grant(IMunicipalities.Role.Clerk, anotherClerk);
    }

    function _deadlines() private view returns (uint64[4] memory) {
        return [nowAt + 10 days, nowAt + 20 days, nowAt + 20 days, nowAt + 40 days];
    }

    function _schedule(uint16 id) private {
        vm.prank(clerk);
        milestones.schedule(address(round), id, _deadlines());
    }

    function _postpone(uint16 id, IMilestones.Stage stage, uint64 deadline) private {
        vm.prank(clerk);
        milestones.postpone(address(round), id, stage, deadline, REASON);
    }

    function _reach(address caller, uint16 id, IMilestones.Stage stage) private {
        vm.prank(caller);
        milestones.reach(address(round), id, stage, DOCUMENT);
    }

    function _reachAll(uint16 id, uint256 count) private {
        for (uint256 i = 0; i < count; ++i) {
            _reach(i == 2 ? controller : clerk, id, IMilestones.Stage(i));
        }
    }

    function _abandon(uint16 id) private {
        vm.prank(clerk);
        milestones.abandon(address(round), id, REASON);
    }

    function _returned(uint16 id) private {
        vm.prank(treasurer);
        round.returnRemainder(id);
    }

    function _lacksRole(address caller, IMunicipalities.Role role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMilestones.CallerLacksRole.selector, caller, uint8(role));
    }

    function _assertStatus(IMilestones.Status status, IMilestones.Stage next, string memory message) private view {
        (IMilestones.Status actual, IMilestones.Stage actualNext) = milestones.statusOf(address(round), 1);
        assertEq(uint256(actual), uint256(status), message);
        assertEq(uint256(actualNext), uint256(next), message);
    }

    /// @dev Every function that changes something, called by `caller` for initiative `id` of `round_`.
    function _expectAllRevert(address caller, address round_, uint16 id, bytes memory error_) private {
        bytes[4] memory calls = [
            abi.encodeCall(milestones.schedule, (round_, id, _deadlines())),
            abi.encodeCall(milestones.postpone, (round_, id, IMilestones.Stage.Plan, nowAt + 50 days, REASON)),
            abi.encodeCall(milestones.reach, (round_, id, IMilestones.Stage.Plan, DOCUMENT)),
            abi.encodeCall(milestones.abandon, (round_, id, REASON))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(caller);
            (bool success, bytes memory result) = address(milestones).call(calls[i]);
            assertFalse(success, "refused");
            assertEq(result, error_, "and says why");
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Whoever and whatever it is for
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_RoundIsUnknown() public {
        _expectAllRevert(clerk, stranger, 1, abi.encodeWithSelector(IMilestones.RoundUnknown.selector, stranger));
        address implementation = rounds.roundImplementation();
        _expectAllRevert(
            clerk, implementation, 1, abi.encodeWithSelector(IMilestones.RoundUnknown.selector, implementation)
        );
    }

    function test_RevertWhen_CallerIsNotClerk() public {
        address[4] memory callers = [treasurer, controller, operator, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectAllRevert(callers[i], address(round), 1, _lacksRole(callers[i], IMunicipalities.Role.Clerk));
        }
    }

    function test_RevertWhen_ClerkIsOfAnotherMunicipality() public {
        vm.prank(operator);
        uint32 other = municipalities.admit("66402000", "Other");
        vm.prank(operator);
        municipalities.grantRole(other, IMunicipalities.Role.Clerk, stranger, START, START + 365 days, 0);
        _expectAllRevert(stranger, address(round), 1, _lacksRole(stranger, IMunicipalities.Role.Clerk));
    }

    function test_RevertWhen_AccessHasExpired() public {
        vm.warp(START + 365 days);
        _expectAllRevert(clerk, address(round), 1, _lacksRole(clerk, IMunicipalities.Role.Clerk));
    }

    function test_RevertWhen_InitiativeIsNotWinner() public {
        bytes memory error_ = abi.encodeWithSelector(IMilestones.InitiativeNotWinner.selector, address(round), 2);
        _expectAllRevert(clerk, address(round), 2, error_);
        _expectAllRevert(clerk, address(round), 4, abi.encodeWithSelector(IBudgetRound.InitiativeUnknown.selector, 4));
    }

    function test_RevertGiven_RoundIsNotSettled() public {
        vm.warp(START);
        _pledgingWith(_cumulative(), 1, 1);
        _closePledging();
        _propose(_list(1));
        _approve(_list(1));
        bytes memory error_ = abi.encodeWithSelector(IMilestones.InitiativeNotWinner.selector, address(round), 1);
        _expectAllRevert(clerk, address(round), 1, error_);
    }

    function test_RevertGiven_Abandoned() public {
        _schedule(1);
        _returned(1);
        _abandon(1);
        bytes memory error_ = abi.encodeWithSelector(IMilestones.AlreadyAbandoned.selector, address(round), 1);
        _expectAllRevert(clerk, address(round), 1, error_);
    }

    function test_RevertGiven_Paused() public {
        _pause();
        bytes memory error_ = abi.encodeWithSelector(IMilestones.ActionsPaused.selector);
        vm.expectRevert(error_);
        _schedule(1);
        vm.expectRevert(error_);
        _postpone(1, IMilestones.Stage.Plan, nowAt + 11 days);
        vm.expectRevert(error_);
        _reach(clerk, 1, IMilestones.Stage.Plan);
    }

    function test_RevertGiven_NotScheduled() public {
        bytes memory error_ = abi.encodeWithSelector(IMilestones.NotScheduled.selector, address(round), 1);
        vm.expectRevert(error_);
        _postpone(1, IMilestones.Stage.Plan, nowAt + 11 days);
        vm.expectRevert(error_);
        _reach(clerk, 1, IMilestones.Stage.Plan);
    }

    // ---------------------------------------------------------------------------------------------
    // schedule
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_AlreadyScheduled() public {
        _schedule(1);
        vm.expectRevert(abi.encodeWithSelector(IMilestones.AlreadyScheduled.selector, address(round), 1));
        _schedule(1);
    }

    function test_RevertWhen_DeadlineIsInThePast() public {
        uint64[4] memory deadlines = _deadlines();
        deadlines[0] = nowAt - 1;
        vm.expectRevert(abi.encodeWithSelector(IMilestones.DeadlineInThePast.selector, nowAt - 1, nowAt));
        vm.prank(clerk);
        milestones.schedule(address(round), 1, deadlines);
        deadlines[0] = nowAt;
        vm.prank(clerk);
        milestones.schedule(address(round), 1, deadlines);
    }

    function test_RevertWhen_DeadlinesDescend() public {
        for (uint256 i = 1; i < 4; ++i) {
            uint64[4] memory deadlines = _deadlines();
            deadlines[i] = deadlines[i - 1] - 1;
            vm.expectRevert(
                abi.encodeWithSelector(
                    IMilestones.DeadlinesNotAscending.selector, i, deadlines[i - 1] - 1, deadlines[i - 1]
                )
            );
            vm.prank(clerk);
            milestones.schedule(address(round), 1, deadlines);
        }
    }

    function test_Schedule() public {
        _assertStatus(IMilestones.Status.Unscheduled, IMilestones.Stage.Plan, "nothing is promised yet");
        vm.expectEmit(address(milestones));
        emit IMilestones.ExecutionScheduled(address(round), 1, clerk, _deadlines());
        _schedule(1);
        IMilestones.Milestone[4] memory stages = milestones.milestones(address(round), 1);
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(stages[i].promised, _deadlines()[i], "promised");
            assertEq(stages[i].deadline, _deadlines()[i], "deadline");
            assertEq(stages[i].postponements, 0, "postponements");
            assertEq(stages[i].reachedAt, 0, "not reached");
            assertEq(stages[i].account, address(0), "by nobody");
            assertEq(stages[i].documentHash, bytes32(0), "no document");
            assertEq(milestones.milestones(address(round), 3)[i].promised, 0, "another winner is not scheduled");
        }
        _assertStatus(IMilestones.Status.OnTime, IMilestones.Stage.Plan, "scheduled");
        assertEq(milestones.municipalities(), address(municipalities), "register of people");
        assertEq(milestones.rounds(), address(rounds), "register of rounds");
    }

    // ---------------------------------------------------------------------------------------------
    // postpone
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_ReasonIsMissing() public {
        _schedule(1);
        vm.expectRevert(abi.encodeWithSelector(IMilestones.ReasonMissing.selector));
        vm.prank(clerk);
        milestones.postpone(address(round), 1, IMilestones.Stage.Plan, nowAt + 11 days, 0);
    }

    function test_RevertGiven_PostponedStageIsReached() public {
        _schedule(1);
        _reach(clerk, 1, IMilestones.Stage.Plan);
        vm.expectRevert(abi.encodeWithSelector(IMilestones.StageAlreadyReached.selector, IMilestones.Stage.Plan));
        _postpone(1, IMilestones.Stage.Plan, nowAt + 11 days);
    }

    function test_RevertWhen_DeadlineIsNotLater() public {
        _schedule(1);
        for (uint64 earlier = 0; earlier < 2; ++earlier) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IMilestones.DeadlineNotLater.selector,
                    IMilestones.Stage.Contract,
                    nowAt + 20 days,
                    nowAt + 20 days - earlier
                )
            );
            _postpone(1, IMilestones.Stage.Contract, nowAt + 20 days - earlier);
        }
    }

    function test_RevertWhen_DeadlineOvertakesTheNextStage() public {
        _schedule(1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IMilestones.DeadlinesNotAscending.selector, IMilestones.Stage.Plan, nowAt + 20 days + 1, nowAt + 20 days
            )
        );
        _postpone(1, IMilestones.Stage.Plan, nowAt + 20 days + 1);
        _postpone(1, IMilestones.Stage.Plan, nowAt + 20 days);
        // The last stage has none after it.
        _postpone(1, IMilestones.Stage.Report, type(uint64).max);
    }

    function test_Postpone() public {
        _schedule(1);
        vm.warp(nowAt + 10 days + 1);
        _assertStatus(IMilestones.Status.Overdue, IMilestones.Stage.Plan, "late");
        vm.expectEmit(address(milestones));
        emit IMilestones.MilestonePostponed(
            address(round), 1, IMilestones.Stage.Plan, anotherClerk, nowAt + 10 days, nowAt + 12 days, REASON
        );
        vm.prank(anotherClerk);
        milestones.postpone(address(round), 1, IMilestones.Stage.Plan, nowAt + 12 days, REASON);
        _postpone(1, IMilestones.Stage.Plan, nowAt + 15 days);
        IMilestones.Milestone memory plan = milestones.milestones(address(round), 1)[0];
        assertEq(plan.promised, nowAt + 10 days, "what was promised stays");
        assertEq(plan.deadline, nowAt + 15 days, "present deadline");
        assertEq(plan.postponements, 2, "postponements");
        _assertStatus(IMilestones.Status.OnTime, IMilestones.Stage.Plan, "in time again");
        assertEq(milestones.milestones(address(round), 1)[1].postponements, 0, "another stage is untouched");
        assertEq(milestones.milestones(address(round), 1)[1].deadline, nowAt + 20 days, "another stage is untouched");
    }

    // ---------------------------------------------------------------------------------------------
    // reach
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_DocumentIsMissing() public {
        _schedule(1);
        vm.expectRevert(abi.encodeWithSelector(IMilestones.DocumentMissing.selector));
        vm.prank(clerk);
        milestones.reach(address(round), 1, IMilestones.Stage.Plan, 0);
    }

    function test_RevertWhen_AcceptedByAnotherThanAController() public {
        _schedule(1);
        _reachAll(1, 2);
        vm.expectRevert(_lacksRole(anotherClerk, IMunicipalities.Role.Controller));
        _reach(anotherClerk, 1, IMilestones.Stage.Acceptance);
        // Nor does a controller report what clerks do.
        _reach(controller, 1, IMilestones.Stage.Acceptance);
        vm.expectRevert(_lacksRole(controller, IMunicipalities.Role.Clerk));
        _reach(controller, 1, IMilestones.Stage.Report);
    }

    /// @notice Whoever bound the contractor does not accept the work, whatever roles he holds.
    function test_RevertWhen_AcceptedByWhoRecordedTheContract() public {
        _grant(IMunicipalities.Role.Controller, clerk);
        _schedule(1);
        _reachAll(1, 2);
        vm.expectRevert(abi.encodeWithSelector(IMilestones.AcceptedByContractingPerson.selector, clerk));
        _reach(clerk, 1, IMilestones.Stage.Acceptance);
        _reach(controller, 1, IMilestones.Stage.Acceptance);
    }

    function test_RevertWhen_StageIsOutOfOrder() public {
        _schedule(1);
        for (uint256 reached = 0; reached < 4; ++reached) {
            for (uint256 i = 0; i < 4; ++i) {
                if (i == reached) continue;
                IMilestones.Stage stage = IMilestones.Stage(i);
                vm.expectRevert(
                    i < reached
                        ? abi.encodeWithSelector(IMilestones.StageAlreadyReached.selector, stage)
                        : abi.encodeWithSelector(
                            IMilestones.StageOutOfOrder.selector, stage, IMilestones.Stage(reached)
                        )
                );
                _reach(i == 2 ? controller : clerk, 1, stage);
            }
            _reach(reached == 2 ? controller : clerk, 1, IMilestones.Stage(reached));
        }
        vm.expectRevert(abi.encodeWithSelector(IMilestones.StageAlreadyReached.selector, IMilestones.Stage.Report));
        _reach(clerk, 1, IMilestones.Stage.Report);
    }

    function test_Reach() public {
        _schedule(1);
        for (uint256 i = 0; i < 4; ++i) {
            vm.warp(nowAt + 1 + i);
            _assertStatus(IMilestones.Status.OnTime, IMilestones.Stage(i), "next");
            address caller = i == 2 ? controller : clerk;
            vm.expectEmit(address(milestones));
            emit IMilestones.MilestoneReached(
                address(round), 1, IMilestones.Stage(i), caller, _deadlines()[i], DOCUMENT
            );
            _reach(caller, 1, IMilestones.Stage(i));
            IMilestones.Milestone memory stage = milestones.milestones(address(round), 1)[i];
            assertEq(stage.reachedAt, nowAt + 1 + i, "when");
            assertEq(stage.account, caller, "by whom");
            assertEq(stage.documentHash, DOCUMENT, "document");
        }
        _assertStatus(IMilestones.Status.Done, IMilestones.Stage.Report, "done");
        vm.warp(nowAt + 365 days);
        _assertStatus(IMilestones.Status.Done, IMilestones.Stage.Report, "what is done is never late");
    }

    function test_ReachLateAndAfterTheRoundIsClosed() public {
        _schedule(1);
        _reachAll(1, 3);
        _returned(1);
        _returned(3);
        vm.prank(treasurer);
        round.close();
        vm.warp(nowAt + 41 days);
        _assertStatus(IMilestones.Status.Overdue, IMilestones.Stage.Report, "late");
        _reach(clerk, 1, IMilestones.Stage.Report);
        assertEq(milestones.milestones(address(round), 1)[3].reachedAt, nowAt + 41 days, "recorded as late as it is");
    }

    function testFuzz_OverdueFromTheSecondAfterTheDeadline(uint64 time, uint256 reached) public {
        reached = bound(reached, 0, 3);
        _schedule(1);
        _reachAll(1, reached);
        time = uint64(bound(time, nowAt, nowAt + 60 days));
        vm.warp(time);
        bool late = time > _deadlines()[reached];
        _assertStatus(
            late ? IMilestones.Status.Overdue : IMilestones.Status.OnTime, IMilestones.Stage(reached), "by time"
        );
    }

    function test_TheLastSecondIsInTime() public {
        _schedule(1);
        vm.warp(nowAt + 10 days);
        _assertStatus(IMilestones.Status.OnTime, IMilestones.Stage.Plan, "the last second");
        vm.warp(nowAt + 10 days + 1);
        _assertStatus(IMilestones.Status.Overdue, IMilestones.Stage.Plan, "the first second late");
    }

    // ---------------------------------------------------------------------------------------------
    // abandon
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_AbandonedWithoutReason() public {
        _returned(1);
        vm.expectRevert(abi.encodeWithSelector(IMilestones.ReasonMissing.selector));
        vm.prank(clerk);
        milestones.abandon(address(round), 1, 0);
    }

    function test_RevertGiven_EverythingIsReached() public {
        _schedule(1);
        _reachAll(1, 4);
        _returned(1);
        vm.expectRevert(abi.encodeWithSelector(IMilestones.EverythingReached.selector, address(round), 1));
        _abandon(1);
    }

    /// @notice Nobody calls a winner given up while its money is still there.
    function test_RevertGiven_WalletIsNotEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(IMilestones.WalletNotEmpty.selector, 1, 100_000_00));
        _abandon(1);
        vm.prank(treasurer);
        round.recordPayment(1, 99_999_99, "order", keccak256("act"));
        vm.expectRevert(abi.encodeWithSelector(IMilestones.WalletNotEmpty.selector, 1, 1));
        _abandon(1);
    }

    /// @notice A winner is called off: what is left goes back to the budget, also while paused.
    function test_AbandonWithRefundWhilePaused() public {
        _schedule(1);
        _reachAll(1, 2);
        vm.prank(treasurer);
        round.recordPayment(1, 30_000_00, "advance", keccak256("act"));
        uint256 returnedBefore = token.returnedTotal();
        _pause();
        _returned(1);
        assertEq(token.returnedTotal() - returnedBefore, 70_000_00, "the remainder is back in the budget");
        vm.expectEmit(address(milestones));
        emit IMilestones.ExecutionAbandoned(address(round), 1, clerk, REASON);
        _abandon(1);
        _assertStatus(IMilestones.Status.Abandoned, IMilestones.Stage.Acceptance, "given up before the acceptance");
        assertEq(milestones.abandonedBecause(address(round), 1), REASON, "why");
        assertEq(milestones.abandonedBecause(address(round), 3), bytes32(0), "not the other winner");
        vm.warp(nowAt + 365 days);
        _assertStatus(IMilestones.Status.Abandoned, IMilestones.Stage.Acceptance, "never late");
        assertEq(milestones.milestones(address(round), 1)[1].documentHash, DOCUMENT, "what was recorded stays");
    }

    function test_AbandonUnscheduled() public {
        _returned(1);
        _abandon(1);
        _assertStatus(IMilestones.Status.Abandoned, IMilestones.Stage.Plan, "given up before it began");
    }
}
