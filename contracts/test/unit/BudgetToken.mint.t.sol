// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {RoundFixture} from "../RoundFixture.sol";

contract BudgetTokenMintTest is RoundFixture {
    function setUp() public override {
        super.setUp();
        _createWith(_cumulative(), 1, 1);
    }

    function test_RevertWhen_CallerIsNotTreasurer() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.CallerNotTreasurer.selector, clerk));
        vm.prank(clerk);
        token.mint(1);
    }

    function test_RevertWhen_AmountIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.AmountZero.selector));
        _mint(0);
    }

    function testFuzz_RevertWhen_AppropriationIsExceeded(uint256 minted, uint256 amount) public {
        minted = bound(minted, 1, APPROPRIATION);
        amount = bound(amount, APPROPRIATION - minted + 1, type(uint256).max);
        _mint(minted);
        vm.expectRevert(
            abi.encodeWithSelector(IBudgetToken.AppropriationExceeded.selector, minted, amount, APPROPRIATION)
        );
        _mint(amount);
    }

    function test_RevertGiven_PledgingIsOpen() public {
        _mint(1);
        _openRegistration();
        _openPledging();
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.MintingClosed.selector));
        _mint(1);
    }

    function test_RevertGiven_Cancelled() public {
        vm.prank(clerk);
        round.cancel();
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.MintingClosed.selector));
        _mint(1);
    }

    function testFuzz_Mint(uint256 first, uint256 second) public {
        first = bound(first, 1, APPROPRIATION - 1);
        second = bound(second, 1, APPROPRIATION - first);
        _mint(first);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(0), address(token), second);
        vm.expectEmit(address(token));
        emit IBudgetToken.BudgetMinted(treasurer, second, first + second);
        _mint(second);
        assertEq(token.balanceOf(address(token)), first + second, "treasury");
        assertEq(token.mintedTotal(), first + second, "minted");
        assertEq(token.totalSupply(), first + second, "supply");
        assertEq(round.budget(), first + second, "the budget before pledging is the treasury");
    }
}
