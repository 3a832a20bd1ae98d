// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title Whole lives of rounds, with every number worked out by hand
contract RoundLifeTest is RoundFixture {
    function test_CumulativeEqual() public {
        _createWith(_cumulative(), 2, 3);
        _mint(600_000_00);
        _mint(200_000_01);
        _openRegistration();
        // Classes weigh 1 and 2: 3 + 2 x 2 = 7 shares.
        _register(0, 0, 3);
        _register(1, 3, 2);
        assertEq(round.registeredCount(), 5, "registered");
        assertEq(round.allotmentOf(_citizen(0)), 0, "the share is not known before pledging opens");
        _openPledging();

        assertEq(round.budget(), 800_000_01, "budget");
        assertEq(token.balanceOf(address(round)), 800_000_01, "purse");
        assertEq(round.allotmentOf(_citizen(0)), uint256(800_000_01) / 7, "share of weight 1");
        assertEq(round.allotmentOf(_citizen(3)), uint256(800_000_01) * 2 / 7, "share of weight 2");

        // Share of weight 1: 114 285.71; of weight 2: 228 571.43 rubles.
        _allocate(0, 1, _list(1, 2), _list(50, 50));
        assertEq(_inWallet(1), 57_142_85, "half of the share");
        assertEq(_inWallet(2), 57_142_85, "half of the share");
        assertEq(round.unspentOf(_citizen(0)), 1, "the odd kopeck stays in the purse");
        _allocate(3, 1, _list(1, 3), _list(75, 25));
        assertEq(_inWallet(1), 57_142_85 + 171_428_57, "three quarters");
        assertEq(_inWallet(3), 57_142_85, "one quarter");
        _allocate(0, 2, _list(2), _list(100));
        assertEq(_inWallet(1), 171_428_57, "taken back");
        assertEq(_inWallet(2), 114_285_71, "whole share");

        _closePledging();
        // Initiative 1 costs 100 000 and has too much, 2 costs 110 000, 3 costs 120 000 and has too little.
        _settle(_list(1, 3));
        assertEq(_inWallet(1), 100_000_00, "the winner's wallet holds exactly its cost");
        assertEq(_inWallet(2), 0, "the loser's wallet is empty");
        assertEq(_inWallet(3), 120_000_00, "the winner's wallet holds exactly its cost");
        assertEq(token.balanceOf(address(round)), 0, "purse");
        assertEq(token.returnedTotal(), 580_000_01, "the rest returned to the budget");

        vm.prank(treasurer);
        round.recordPayment(1, 99_000_00, "order 1", keccak256("act"));
        vm.prank(treasurer);
        round.returnRemainder(1);
        vm.prank(treasurer);
        round.recordPayment(3, 120_000_00, "order 2", keccak256("act"));
        vm.prank(treasurer);
        round.close();
        assertTrue(round.phase() == IBudgetRound.Phase.Closed, "closed");
        assertEq(token.paidTotal(), 219_000_00, "paid");
        assertEq(token.returnedTotal(), 581_000_01, "returned");
        assertEq(token.totalSupply(), 0, "nothing is left");
    }

    function test_ApprovalFixed() public {
        IBudgetRound.RoundConfig memory config = _config(IBudgetRound.BallotKind.Approval, IBudgetRound.Allotment.Fixed);
        config.fixedAmount = 50_000_00;
        _createWith(config, 1, 3);
        _mint(170_000_00);
        _openRegistration();
        _register(0, 0, 2);
        assertEq(round.allotmentOf(_citizen(0)), 50_000_00, "a fixed share is known at once");
        _openPledging();
        // Three shares fit the budget, the fourth does not.
        _register(0, 2, 2);
        assertEq(round.registeredCount(), 3, "while funds last");
        assertFalse(round.citizen(_citizen(3)).registered, "funds exhausted");

        _allocate(0, 1, _list(1, 2, 3), _list());
        assertEq(_inWallet(2), 16_666_66, "a third");
        _allocate(1, 7, _list(1), _list());
        _allocate(2, 1, _list(1, 3), _list());
        assertEq(_inWallet(1), 16_666_66 + 50_000_00 + 25_000_00, "three supporters");
        assertEq(round.unspentOf(_citizen(0)), 2, "the odd kopecks stay in the purse");

        _closePledging();
        _settle(_list(1));
        assertEq(_inWallet(1), 100_000_00, "filled up from the purse");
        assertEq(token.returnedTotal(), 70_000_00, "returned");
        vm.prank(treasurer);
        round.recordPayment(1, 100_000_00, "order", keccak256("act"));
        vm.prank(treasurer);
        round.close();
        assertEq(token.totalSupply(), 0, "nothing is left");
    }

    function test_CumulativeFixedWithoutWinners() public {
        _createWith(_config(IBudgetRound.BallotKind.Cumulative, IBudgetRound.Allotment.Fixed), 1, 2);
        _mint(APPROPRIATION);
        _openRegistration();
        _register(0, 0, 1);
        _openPledging();
        _allocate(0, 1, _list(2), _list(33));
        assertEq(_inWallet(2), 330_00, "33 % of 1 000 rubles");
        _closePledging();
        _settle(_list());
        assertEq(token.returnedTotal(), APPROPRIATION, "everything returned");
        vm.prank(treasurer);
        round.close();
    }

    function test_ApprovalEqualCancelled() public {
        _pledgingWith(_approval(), 4, 3);
        _allocate(0, 1, _list(1, 2, 3), _list());
        _allocate(1, 1, _list(2), _list());
        vm.prank(clerk);
        round.cancel();
        assertTrue(round.phase() == IBudgetRound.Phase.Cancelled, "cancelled");
        assertEq(token.totalSupply(), 0, "nothing is left");
        assertEq(token.returnedTotal(), APPROPRIATION, "everything returned");
        assertEq(round.unspentOf(_citizen(1)), 0, "nothing to spend");
    }

    function test_CancelledBeforePledging() public {
        _createWith(_approval(), 1, 1);
        _mint(5);
        vm.prank(clerk);
        round.cancel();
        assertEq(token.totalSupply(), 0, "nothing is left");
        assertEq(token.returnedTotal(), 5, "everything returned");
    }
}
