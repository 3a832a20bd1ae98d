// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title What is said when a phase begins, and what cannot be done once it has ended
contract BudgetRoundEndsTest is RoundFixture {
    function setUp() public override {
        super.setUp();
        _pledgingWith(_cumulative(), 1, 2);
    }

    function _expectPhase(IBudgetRound.Phase phase) private {
        vm.expectEmit(address(round));
        emit IBudgetRound.PhaseChanged(phase);
    }

    function _closed() private {
        _closePledging();
        _settle(_list(1));
        vm.prank(treasurer);
        round.returnRemainder(1);
        vm.prank(treasurer);
        round.close();
    }

    function test_CreateSaysDraft() public {
        // The factory creates the round first, then its token.
        vm.expectEmit(vm.computeCreateAddress(address(rounds), vm.getNonce(address(rounds))));
        emit IBudgetRound.PhaseChanged(IBudgetRound.Phase.Draft);
        _create(_cumulative());
        assertTrue(round.phase() == IBudgetRound.Phase.Draft, "draft");
    }

    function test_ClosePledging() public {
        vm.warp(PLEDGING_UNTIL);
        _expectPhase(IBudgetRound.Phase.Tallying);
        vm.prank(clerk);
        round.closePledging();
        assertTrue(round.phase() == IBudgetRound.Phase.Tallying, "tallying");
        assertEq(token.balanceOf(address(round)), APPROPRIATION, "no money moves");
    }

    function test_FinalizeSaysSettled() public {
        _closePledging();
        _propose(_list(1));
        _approve(_list(1));
        vm.warp(block.timestamp + OBJECTION_PERIOD);
        _expectPhase(IBudgetRound.Phase.Settled);
        round.finalizeSettlement();
    }

    function test_CloseSaysClosed() public {
        _closePledging();
        _settle(_list(1));
        vm.prank(treasurer);
        round.returnRemainder(1);
        _expectPhase(IBudgetRound.Phase.Closed);
        vm.prank(treasurer);
        round.close();
        assertTrue(round.phase() == IBudgetRound.Phase.Closed, "closed");
    }

    function test_RevertWhen_RemainderIsOfAnUnknownInitiative() public {
        _closePledging();
        _settle(_list(1));
        uint16[3] memory ids = [uint16(0), 3, type(uint16).max];
        for (uint256 i = 0; i < ids.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IBudgetRound.InitiativeUnknown.selector, ids[i]));
            vm.prank(treasurer);
            round.returnRemainder(ids[i]);
        }
        assertEq(_inWallet(1), 100_000_00, "the winner's wallet is as it was");
    }

    function test_RevertGiven_CancelledAfterClosing() public {
        _closed();
        vm.expectRevert(
            abi.encodeWithSelector(
                IBudgetRound.PhaseWrong.selector, IBudgetRound.Phase.Closed, IBudgetRound.Phase.Objection
            )
        );
        vm.prank(clerk);
        round.cancel();
        assertTrue(round.initiative(1).won, "the result stands");
    }

    function test_RevertGiven_ClosedTwice() public {
        _closed();
        bytes memory error_ = abi.encodeWithSelector(
            IBudgetRound.PhaseWrong.selector, IBudgetRound.Phase.Closed, IBudgetRound.Phase.Settled
        );
        vm.expectRevert(error_);
        vm.prank(treasurer);
        round.close();
        vm.expectRevert(error_);
        vm.prank(treasurer);
        round.returnRemainder(1);
        vm.expectRevert(error_);
        vm.prank(treasurer);
        round.recordPayment(1, 1, "order", keccak256("act"));
    }
}
