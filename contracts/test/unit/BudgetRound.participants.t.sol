// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title How many accounts have a recorded allocation
contract BudgetRoundParticipantsTest is RoundFixture {
    function setUp() public override {
        super.setUp();
        // Ids of rounds and their numbers of participants are not to be confused.
        _create(_approval());
        _pledgingWith(_cumulative(), 5, 3);
    }

    function _participants() private view returns (uint256) {
        return round.participants(2);
    }

    function test_ZeroForAnotherId() public {
        _allocate(0, 1, _list(1), _list(1));
        assertEq(round.participants(1), 0, "another round");
        assertEq(round.participants(3), 0, "no round");
        assertEq(round.participants(0), 0, "no round");
        assertEq(round.participants(2), 1, "this round");
    }

    function test_EachAccountCountsOnce() public {
        assertEq(_participants(), 0, "registration is not participation");
        _allocate(0, 3, _list(1), _list(1));
        assertEq(_participants(), 1, "first");
        _allocate(0, 4, _list(2), _list(1));
        assertEq(_participants(), 1, "changed");
        _allocate(0, 5, _list(), _list());
        assertEq(_participants(), 1, "taken back: it took part all the same");
        _allocate(1, 1, _list(), _list());
        assertEq(_participants(), 2, "an empty distribution is recorded");
        assertEq(token.balanceOf(address(round)), APPROPRIATION, "and moves nothing");
    }

    function test_SkippedItemsDoNotCount() public {
        _allocate(99, 1, _list(1), _list(1));
        _allocate(0, 0, _list(1), _list(1));
        _allocate(0, 1, _list(9), _list(1));
        IBudgetRound.Allocation[] memory batch = new IBudgetRound.Allocation[](1);
        batch[0] = _allocation(0, 1, _list(1), _list(1));
        round.allocate(batch, _sign(1, batch[0]));
        assertEq(_participants(), 0, "nobody took part");
    }

    function test_CountedWithinABatch() public {
        IBudgetRound.Allocation[] memory batch = new IBudgetRound.Allocation[](4);
        batch[0] = _allocation(0, 1, _list(1), _list(1));
        batch[1] = _allocation(1, 1, _list(2), _list(1));
        batch[2] = _allocation(0, 2, _list(3), _list(1));
        batch[3] = _allocation(88, 1, _list(3), _list(1));
        bytes memory signatures =
            bytes.concat(_sign(0, batch[0]), _sign(1, batch[1]), _sign(0, batch[2]), _sign(88, batch[3]));
        round.allocate(batch, signatures);
        assertEq(_participants(), 2, "two accounts");
    }

    function test_StaysToTheEnd() public {
        _allocate(0, 1, _list(1), _list(100));
        _allocate(1, 1, _list(1), _list(100));
        _closePledging();
        _settle(_list(1));
        vm.prank(treasurer);
        round.returnRemainder(1);
        vm.prank(treasurer);
        round.close();
        assertEq(_participants(), 2, "stamps are claimed later");
        assertEq(round.budget(), APPROPRIATION, "the budget beside it is untouched");
        assertEq(round.registeredCount(), 5, "and so is the number of the registered");
    }
}
