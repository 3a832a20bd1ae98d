// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title Who can move the money: the round, within its purse and wallets, and nobody else
contract BudgetTokenTransferTest is RoundFixture {
    function setUp() public override {
        super.setUp();
        _pledgingWith(_cumulative(), 1, 3);
    }

    function testFuzz_RevertWhen_HolderTransfers(address holder, address to, uint256 amount) public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.TransferForbidden.selector));
        vm.prank(holder);
        token.transfer(to, amount);
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.TransferForbidden.selector));
        vm.prank(holder);
        token.transferFrom(address(round), to, amount);
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.TransferForbidden.selector));
        vm.prank(holder);
        token.approve(to, amount);
        assertEq(token.allowance(holder, to), 0, "no allowances");
    }

    function testFuzz_RevertWhen_CallerIsNotRound(address caller) public {
        vm.assume(caller != address(round));
        bytes[] memory calls = new bytes[](6);
        calls[0] = abi.encodeCall(token.release, ());
        calls[1] = abi.encodeCall(token.applyMoves, (new uint256[](0), 3));
        calls[2] = abi.encodeCall(token.rebalance, (new uint256[](3)));
        calls[3] = abi.encodeCall(token.burnPaid, (1, 1, 0, 0));
        calls[4] = abi.encodeCall(token.returnWallet, (1));
        calls[5] = abi.encodeCall(token.returnPurse, ());
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(caller);
            (bool success, bytes memory result) = address(token).call(calls[i]);
            assertFalse(success, "refused");
            assertEq(result, abi.encodeWithSelector(IBudgetToken.CallerNotRound.selector, caller), "only the round may");
        }
    }

    function _moves(address account, int256 first, int256 second) private pure returns (uint256[] memory moves) {
        moves = new uint256[](3);
        moves[0] = uint256(2) << 160 | uint160(account);
        moves[1] = uint256(1) << 240 | uint256(first) & type(uint240).max;
        moves[2] = uint256(3) << 240 | uint256(second) & type(uint240).max;
    }

    function test_RevertWhen_PurseIsOverdrawn() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientBalance.selector, address(round), APPROPRIATION, APPROPRIATION + 1
            )
        );
        vm.prank(address(round));
        token.applyMoves(_moves(stranger, int256(uint256(APPROPRIATION)), 1), 3);
    }

    function test_RevertWhen_WalletIsOverdrawn() public {
        address wallet = _wallet(1);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, wallet, 0, 1));
        vm.prank(address(round));
        token.applyMoves(_moves(stranger, -1, 1), 3);
    }

    function test_RevertWhen_RebalanceExceedsPurse() public {
        uint256[] memory targets = new uint256[](3);
        targets[2] = APPROPRIATION + 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientBalance.selector, address(round), APPROPRIATION, APPROPRIATION + 1
            )
        );
        vm.prank(address(round));
        token.rebalance(targets);
    }

    function test_RevertWhen_BurnExceedsWallet() public {
        address wallet = _wallet(1);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, wallet, 0, 1));
        vm.prank(address(round));
        token.burnPaid(1, 1, 0, 0);
    }

    function _expectTransfer(address from, address to, uint256 amount) private {
        vm.expectEmit(address(token));
        emit IERC20.Transfer(from, to, amount);
    }

    function test_ApplyMoves_ShowsTheCitizensStep() public {
        address wallet = _wallet(1);
        address other = _wallet(3);
        _expectTransfer(address(round), stranger, 150);
        _expectTransfer(stranger, wallet, 100);
        _expectTransfer(stranger, other, 50);
        vm.prank(address(round));
        token.applyMoves(_moves(stranger, 100, 50), 3);
        assertEq(token.balanceOf(address(round)), APPROPRIATION - 150, "purse");
        assertEq(token.balanceOf(wallet), 100, "first wallet");
        assertEq(token.balanceOf(stranger), 0, "a citizen's balance passes through");

        // More goes in than comes back.
        _expectTransfer(wallet, stranger, 30);
        _expectTransfer(address(round), stranger, 10);
        _expectTransfer(stranger, other, 40);
        vm.prank(address(round));
        token.applyMoves(_moves(stranger, -30, 40), 3);

        // More comes back than goes in.
        _expectTransfer(other, stranger, 90);
        _expectTransfer(stranger, wallet, 5);
        _expectTransfer(stranger, address(round), 85);
        vm.prank(address(round));
        token.applyMoves(_moves(stranger, 5, -90), 3);
        assertEq(token.balanceOf(wallet), 75, "first wallet");
        assertEq(token.balanceOf(other), 0, "second wallet");
        assertEq(token.balanceOf(address(round)), APPROPRIATION - 75, "purse");
    }
}
