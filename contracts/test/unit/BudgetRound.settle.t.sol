// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title From the opening of pledging to the final result
contract BudgetRoundSettleTest is RoundFixture {
    function setUp() public override {
        super.setUp();
        _createWith(_cumulative(), 2, 4);
        _openRegistration();
    }

    function _lacksRole(address caller) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBudgetRound.CallerLacksRole.selector, caller, uint8(IMunicipalities.Role.Clerk));
    }

    function _phaseWrong(IBudgetRound.Phase current, IBudgetRound.Phase required) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBudgetRound.PhaseWrong.selector, current, required);
    }

    function _toTallying() private {
        _mint(APPROPRIATION);
        _register(0, 0, 4);
        _openPledging();
        _allocate(0, 1, _list(1), _list(100));
        _allocate(1, 1, _list(1, 2), _list(50, 50));
        _closePledging();
    }

    // ---------------------------------------------------------------------------------------------
    // Opening pledging
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_OpenedByStranger() public {
        vm.expectRevert(_lacksRole(stranger));
        vm.prank(stranger);
        round.openPledging();
    }

    function test_RevertWhen_OpenedTooEarly() public {
        _mint(1);
        vm.warp(REGISTRATION_UNTIL - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IBudgetRound.TooEarly.selector, REGISTRATION_UNTIL - 1, REGISTRATION_UNTIL)
        );
        vm.prank(clerk);
        round.openPledging();
    }

    function test_RevertGiven_OpenedWithoutBudget() public {
        vm.warp(REGISTRATION_UNTIL);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.BudgetMissing.selector));
        vm.prank(clerk);
        round.openPledging();
    }

    function test_RevertGiven_MoreAreRegisteredThanIssued() public {
        _mint(1);
        _register(1, 0, 3);
        vm.prank(issuer);
        round.publishIssued(1, 2);
        vm.warp(REGISTRATION_UNTIL);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.RegisteredExceedsIssued.selector, 1, 3, 2));
        vm.prank(clerk);
        round.openPledging();
    }

    function test_RevertGiven_OpenedTwice() public {
        _mint(1);
        _openPledging();
        vm.expectRevert(_phaseWrong(IBudgetRound.Phase.Pledging, IBudgetRound.Phase.Registration));
        vm.prank(clerk);
        round.openPledging();
    }

    function test_OpenPledging() public {
        _mint(1_000);
        _register(0, 0, 1);
        _register(1, 1, 2);
        _publishIssued();
        vm.warp(REGISTRATION_UNTIL);
        vm.expectEmit(address(round));
        emit IBudgetRound.PhaseChanged(IBudgetRound.Phase.Pledging);
        vm.expectEmit(address(round));
        emit IBudgetRound.PledgingOpened(1_000, 5);
        vm.prank(clerk);
        round.openPledging();
        assertEq(token.balanceOf(address(token)), 0, "treasury");
        assertEq(token.balanceOf(address(round)), 1_000, "purse");
    }

    // ---------------------------------------------------------------------------------------------
    // Closing pledging
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_ClosedTooEarlyOrByStranger() public {
        _mint(1);
        _openPledging();
        vm.expectRevert(_lacksRole(stranger));
        vm.prank(stranger);
        round.closePledging();
        vm.warp(PLEDGING_UNTIL - 1);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.TooEarly.selector, PLEDGING_UNTIL - 1, PLEDGING_UNTIL));
        vm.prank(clerk);
        round.closePledging();
    }

    /// @notice A clerk who opens at the last moment does not shorten pledging.
    function test_RevertWhen_OpenedLateAndClosedAsPlanned() public {
        _mint(1);
        vm.warp(PLEDGING_UNTIL - 1);
        assertEq(round.pledgingClosesAt(), 0, "unknown before pledging opens");
        vm.prank(clerk);
        round.openPledging();
        uint64 closesAt = PLEDGING_UNTIL - 1 + (PLEDGING_UNTIL - REGISTRATION_UNTIL);
        assertEq(round.pledgingClosesAt(), closesAt, "as long as planned");
        uint64[3] memory moments = [PLEDGING_UNTIL - 1, PLEDGING_UNTIL, closesAt - 1];
        for (uint256 i = 0; i < moments.length; ++i) {
            vm.warp(moments[i]);
            vm.expectRevert(abi.encodeWithSelector(IBudgetRound.TooEarly.selector, moments[i], closesAt));
            vm.prank(clerk);
            round.closePledging();
        }
        vm.warp(closesAt);
        vm.prank(clerk);
        round.closePledging();
        assertTrue(round.phase() == IBudgetRound.Phase.Tallying, "tallying");
    }

    /// @notice A clerk cannot wait for a standing that suits him: a day after the end anybody closes.
    function test_RevertWhen_StrangerClosesWithinTheGrace() public {
        _mint(1);
        _openPledging();
        assertEq(round.CLOSING_GRACE(), CLOSING_GRACE, "a day");
        uint64[2] memory moments = [PLEDGING_UNTIL, PLEDGING_UNTIL + CLOSING_GRACE - 1];
        for (uint256 i = 0; i < moments.length; ++i) {
            vm.warp(moments[i]);
            vm.expectRevert(_lacksRole(stranger));
            vm.prank(stranger);
            round.closePledging();
        }
    }

    function test_AnybodyClosesAfterTheGrace() public {
        _mint(1);
        _openPledging();
        _revoke(IMunicipalities.Role.Clerk, clerk);
        vm.warp(PLEDGING_UNTIL + CLOSING_GRACE);
        vm.expectEmit(address(round));
        emit IBudgetRound.PhaseChanged(IBudgetRound.Phase.Tallying);
        vm.prank(stranger);
        round.closePledging();
    }

    function test_RevertGiven_StrangerClosesWhatThePauseOrTheIssuerHolds() public {
        _createWith(_config(IBudgetRound.BallotKind.Approval, IBudgetRound.Allotment.Fixed), 1, 1);
        _mint(APPROPRIATION);
        _openRegistration();
        _openPledging();
        _register(0, 0, 1);
        vm.warp(PLEDGING_UNTIL + CLOSING_GRACE);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.RegisteredExceedsIssued.selector, 0, 1, 0));
        vm.prank(stranger);
        round.closePledging();
        _publishIssued();
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.ActionsPaused.selector));
        vm.prank(stranger);
        round.closePledging();
    }

    function test_RevertGiven_MoreWereRegisteredWhilePledging() public {
        _createWith(_config(IBudgetRound.BallotKind.Approval, IBudgetRound.Allotment.Fixed), 1, 1);
        _mint(APPROPRIATION);
        _openRegistration();
        _openPledging();
        _register(0, 0, 1);
        vm.warp(PLEDGING_UNTIL);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.RegisteredExceedsIssued.selector, 0, 1, 0));
        vm.prank(clerk);
        round.closePledging();
    }

    // ---------------------------------------------------------------------------------------------
    // Proposing
    // ---------------------------------------------------------------------------------------------

    function _expectProposalRevert(uint16[] memory winners, bytes memory error_) private {
        vm.expectRevert(error_);
        vm.prank(clerk);
        round.proposeSettlement(winners, 0);
    }

    function test_RevertGiven_NotTallying() public {
        _expectProposalRevert(_list(1), _phaseWrong(IBudgetRound.Phase.Registration, IBudgetRound.Phase.Tallying));
    }

    function test_RevertWhen_ProposalIsBad() public {
        _toTallying();
        vm.expectRevert(_lacksRole(stranger));
        vm.prank(stranger);
        round.proposeSettlement(_list(1), 0);
        _expectProposalRevert(_list(2, 1), abi.encodeWithSelector(IBudgetRound.WinnersNotAscending.selector));
        _expectProposalRevert(_list(1, 1), abi.encodeWithSelector(IBudgetRound.WinnersNotAscending.selector));
        _expectProposalRevert(_list(0), abi.encodeWithSelector(IBudgetRound.WinnersNotAscending.selector));
        _expectProposalRevert(_list(5), abi.encodeWithSelector(IBudgetRound.InitiativeUnknown.selector, 5));
    }

    function test_RevertWhen_WinnersExceedTheBudget() public {
        _mint(310_000_00 - 1);
        _openPledging();
        _closePledging();
        _expectProposalRevert(
            _list(1, 2, 3), abi.encodeWithSelector(IBudgetRound.BudgetExceeded.selector, 330_000_00, 310_000_00 - 1)
        );
        _expectProposalRevert(
            _list(1, 2, 3), abi.encodeWithSelector(IBudgetRound.BudgetExceeded.selector, 330_000_00, 310_000_00 - 1)
        );
    }

    function test_Propose() public {
        _toTallying();
        uint64 finalAt = uint64(block.timestamp) + OBJECTION_PERIOD;
        vm.expectEmit(address(round));
        emit IBudgetRound.PhaseChanged(IBudgetRound.Phase.Objection);
        vm.expectEmit(address(round));
        emit IBudgetRound.SettlementProposed(clerk, _list(1, 2), keccak256("transcript"), 210_000_00, finalAt);
        _propose(_list(1, 2));
        IBudgetRound.Settlement memory result = round.settlement();
        assertEq(result.winners.length, 2, "winners");
        assertEq(result.totalCost, 210_000_00, "total cost");
        assertEq(result.proposer, clerk, "proposer");
        assertEq(result.approver, address(0), "nobody approved yet");
        assertEq(result.transcriptDigest, keccak256("transcript"), "digest");
        assertEq(result.proposedAt, block.timestamp, "time");
    }

    // ---------------------------------------------------------------------------------------------
    // Approving
    // ---------------------------------------------------------------------------------------------

    bytes32 private constant DIGEST = keccak256("transcript");

    function _expectApprovalRevert(address caller, uint16[] memory winners, bytes32 digest, bytes memory error_)
        private
    {
        vm.expectRevert(error_);
        vm.prank(caller);
        round.approveSettlement(winners, digest);
        assertEq(round.settlement().approver, address(0), "not approved");
    }

    function _notController(address caller) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IBudgetRound.CallerLacksRole.selector, caller, uint8(IMunicipalities.Role.Controller)
            );
    }

    function test_RevertGiven_ApprovedWithoutProposal() public {
        _toTallying();
        _expectApprovalRevert(
            controller, _list(1), DIGEST, _phaseWrong(IBudgetRound.Phase.Tallying, IBudgetRound.Phase.Objection)
        );
    }

    function test_RevertWhen_ApproverIsNotController() public {
        _toTallying();
        _propose(_list(1));
        address[5] memory callers = [clerk, treasurer, issuer, operator, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectApprovalRevert(callers[i], _list(1), DIGEST, _notController(callers[i]));
        }
    }

    function test_RevertWhen_ApproversAccessHasExpired() public {
        _toTallying();
        _propose(_list(1));
        uint64 until = uint64(block.timestamp);
        vm.prank(operator);
        municipalities.grantRole(municipalityId, IMunicipalities.Role.Controller, stranger, START, until, 0);
        _expectApprovalRevert(stranger, _list(1), DIGEST, _notController(stranger));
    }

    function test_RevertWhen_ApproverIsTheProposer() public {
        _toTallying();
        _grant(IMunicipalities.Role.Controller, clerk);
        _propose(_list(1));
        _expectApprovalRevert(
            clerk, _list(1), DIGEST, abi.encodeWithSelector(IBudgetRound.ApproverIsProposer.selector, clerk)
        );
    }

    function test_RevertGiven_ProposerLostAccess() public {
        _toTallying();
        _propose(_list(1));
        _revoke(IMunicipalities.Role.Clerk, clerk);
        _expectApprovalRevert(
            controller, _list(1), DIGEST, abi.encodeWithSelector(IBudgetRound.ProposerLostAccess.selector, clerk)
        );
    }

    function _differs(uint16[] memory winners, bytes32 digest) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IBudgetRound.ApprovalDiffers.selector,
            keccak256(abi.encode(_list(1, 2), DIGEST)),
            keccak256(abi.encode(winners, digest))
        );
    }

    function test_RevertWhen_ApprovalNamesAnotherResult() public {
        _toTallying();
        _propose(_list(1, 2));
        _expectApprovalRevert(controller, _list(1), DIGEST, _differs(_list(1), DIGEST));
        _expectApprovalRevert(controller, _list(1, 3), DIGEST, _differs(_list(1, 3), DIGEST));
        _expectApprovalRevert(controller, _list(1, 2), 0, _differs(_list(1, 2), 0));
    }

    /// @notice The clerk puts another result, under the same digest, in the place of the one that the controller saw.
    function test_RevertGiven_ProposalWasSwapped() public {
        _toTallying();
        _propose(_list(1));
        vm.prank(clerk);
        round.withdrawSettlement();
        _propose(_list(1, 2));
        _expectApprovalRevert(controller, _list(1), DIGEST, _differs(_list(1), DIGEST));
    }

    function test_RevertGiven_ApprovedAlready() public {
        _toTallying();
        _propose(_list(1));
        _approve(_list(1));
        _grant(IMunicipalities.Role.Controller, stranger);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.SettlementAlreadyApproved.selector, controller));
        vm.prank(stranger);
        round.approveSettlement(_list(1), DIGEST);
    }

    function test_Approve() public {
        _toTallying();
        _propose(_list(1, 2));
        vm.expectEmit(address(round));
        emit IBudgetRound.SettlementApproved(clerk, controller, DIGEST);
        _approve(_list(1, 2));
        IBudgetRound.Settlement memory result = round.settlement();
        assertEq(result.approver, controller, "approver");
        assertEq(result.proposer, clerk, "proposer");
        assertEq(result.transcriptDigest, DIGEST, "digest");
        assertEq(result.winners.length, 2, "winners");
        assertTrue(round.phase() == IBudgetRound.Phase.Objection, "the window stays open");
    }

    function test_ApproveAfterTheWindow() public {
        _toTallying();
        _propose(_list(1));
        vm.warp(block.timestamp + OBJECTION_PERIOD + 30 days);
        _approve(_list(1));
        round.finalizeSettlement();
        assertTrue(round.phase() == IBudgetRound.Phase.Settled, "settled");
    }

    // ---------------------------------------------------------------------------------------------
    // Withdrawing
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_WithdrawnByStranger() public {
        _toTallying();
        _propose(_list(1));
        vm.expectRevert(_lacksRole(stranger));
        vm.prank(stranger);
        round.withdrawSettlement();
        vm.expectRevert(_lacksRole(treasurer));
        vm.prank(treasurer);
        round.withdrawSettlement();
    }

    function test_RevertGiven_NothingToWithdraw() public {
        _toTallying();
        vm.expectRevert(_phaseWrong(IBudgetRound.Phase.Tallying, IBudgetRound.Phase.Objection));
        vm.prank(clerk);
        round.withdrawSettlement();
    }

    /// @notice A founded objection undoes an approval too, and the next proposal needs its own.
    function test_WithdrawByAControllerAfterApproval() public {
        _toTallying();
        _propose(_list(1));
        _approve(_list(1));
        vm.expectEmit(address(round));
        emit IBudgetRound.PhaseChanged(IBudgetRound.Phase.Tallying);
        vm.expectEmit(address(round));
        emit IBudgetRound.SettlementWithdrawn(controller, DIGEST);
        vm.prank(controller);
        round.withdrawSettlement();
        assertEq(round.settlement().approver, address(0), "the approval fell with it");
        _propose(_list(1));
        vm.warp(block.timestamp + OBJECTION_PERIOD);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.SettlementNotApproved.selector));
        round.finalizeSettlement();
    }

    function test_Withdraw() public {
        _toTallying();
        _propose(_list(1));
        vm.expectEmit(address(round));
        emit IBudgetRound.SettlementWithdrawn(clerk, keccak256("transcript"));
        vm.prank(clerk);
        round.withdrawSettlement();
        assertEq(round.settlement().winners.length, 0, "no proposal");
        assertEq(round.settlement().proposedAt, 0, "no proposal");
        _settle(_list(2));
        assertTrue(round.initiative(2).won, "the second proposal counts");
        assertFalse(round.initiative(1).won, "the first does not");
    }

    // ---------------------------------------------------------------------------------------------
    // Finality
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_NothingIsProposed() public {
        _toTallying();
        vm.expectRevert(_phaseWrong(IBudgetRound.Phase.Tallying, IBudgetRound.Phase.Objection));
        round.finalizeSettlement();
    }

    function test_RevertGiven_ObjectionWindowIsOpen() public {
        _toTallying();
        _propose(_list(1));
        _approve(_list(1));
        uint64 finalAt = uint64(block.timestamp) + OBJECTION_PERIOD;
        vm.warp(finalAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.TooEarly.selector, finalAt - 1, finalAt));
        round.finalizeSettlement();
    }

    /// @notice One person alone settles nothing, however long the window.
    function test_RevertGiven_NotApproved() public {
        _toTallying();
        _propose(_list(1));
        vm.warp(block.timestamp + OBJECTION_PERIOD);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.SettlementNotApproved.selector));
        round.finalizeSettlement();
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.SettlementNotApproved.selector));
        vm.prank(clerk);
        round.finalizeSettlement();
        assertTrue(round.phase() == IBudgetRound.Phase.Objection, "not final");
    }

    /// @notice Access that ends after the approval does not undo it: the record stands, anybody makes it final.
    function test_FinalizeAfterStaffLostAccess() public {
        _toTallying();
        _propose(_list(1));
        _approve(_list(1));
        _revoke(IMunicipalities.Role.Clerk, clerk);
        _revoke(IMunicipalities.Role.Controller, controller);
        vm.warp(block.timestamp + OBJECTION_PERIOD);
        round.finalizeSettlement();
        assertTrue(round.phase() == IBudgetRound.Phase.Settled, "settled");
    }

    function test_Finalize() public {
        _toTallying();
        // Initiative 1 holds 375 000 of 100 000, initiative 2 holds 125 000 of 110 000, initiative 3 nothing of 120
        // 000.
        _propose(_list(1, 3));
        _approve(_list(1, 3));
        vm.warp(block.timestamp + OBJECTION_PERIOD);
        vm.expectEmit(address(round));
        emit IBudgetRound.InitiativeSettled(1, true, 375_000_00, 100_000_00);
        vm.expectEmit(address(round));
        emit IBudgetRound.InitiativeSettled(2, false, 125_000_00, 0);
        vm.expectEmit(address(round));
        emit IBudgetRound.InitiativeSettled(3, true, 0, 120_000_00);
        vm.expectEmit(address(round));
        emit IBudgetRound.InitiativeSettled(4, false, 0, 0);
        vm.expectEmit(address(round));
        emit IBudgetRound.SettlementFinalized(_list(1, 3), keccak256("transcript"), 220_000_00, 780_000_00);
        vm.prank(stranger);
        round.finalizeSettlement();
        assertTrue(round.phase() == IBudgetRound.Phase.Settled, "settled");
        assertEq(_inWallet(1), 100_000_00, "exactly its cost");
        assertEq(_inWallet(2), 0, "nothing");
        assertEq(_inWallet(3), 120_000_00, "exactly its cost");
        assertEq(token.totalSupply(), 220_000_00, "supply");
        assertEq(token.returnedTotal(), 780_000_00, "returned");
        assertEq(round.unspentOf(_citizen(2)), 0, "the purse has returned");
        assertEq(round.allotmentOf(_citizen(2)), 250_000_00, "the share is still known");
    }
}

/// @title Settlement of more initiatives than eight bits can number
contract BudgetRoundSettleManyTest is RoundFixture {
    function test_FinalizeSettlementOfManyInitiatives() public {
        _pledgingWith(_cumulative(), 1, 300);
        _allocate(0, 1, _list(300), _list(100));
        _closePledging();
        _propose(_list(1));
        _approve(_list(1));
        vm.warp(block.timestamp + OBJECTION_PERIOD);
        vm.expectEmit(address(round));
        emit IBudgetRound.InitiativeSettled(1, true, 0, 100_000_00);
        vm.expectEmit(address(round));
        emit IBudgetRound.InitiativeSettled(300, false, APPROPRIATION, 0);
        round.finalizeSettlement();
    }
}
