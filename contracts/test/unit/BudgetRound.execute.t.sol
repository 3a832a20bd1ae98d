// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {RoundFixture} from "../RoundFixture.sol";
import {Vm} from "../Vm.sol";

/// @title Payments, remainders, closing, cancelling
contract BudgetRoundExecuteTest is RoundFixture {
    bytes32 private constant ORDER = "order 17";
    bytes32 private constant ACT = keccak256("act");

    function setUp() public override {
        super.setUp();
        _pledgingWith(_cumulative(), 2, 3);
        _closePledging();
        _settle(_list(1, 2));
    }

    function _lacksRole(address caller, IMunicipalities.Role role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBudgetRound.CallerLacksRole.selector, caller, uint8(role));
    }

    function _pay(uint16 id, uint256 amount, bytes32 paymentReference) private {
        vm.prank(treasurer);
        round.recordPayment(id, amount, paymentReference, ACT);
    }

    // ---------------------------------------------------------------------------------------------
    // Payments
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_CallerIsNotTreasurer() public {
        vm.expectRevert(_lacksRole(clerk, IMunicipalities.Role.Treasurer));
        vm.prank(clerk);
        round.recordPayment(1, 1, ORDER, ACT);
        vm.expectRevert(_lacksRole(clerk, IMunicipalities.Role.Treasurer));
        vm.prank(clerk);
        round.returnRemainder(1);
        vm.expectRevert(_lacksRole(clerk, IMunicipalities.Role.Treasurer));
        vm.prank(clerk);
        round.close();
    }

    function test_RevertGiven_NotSettled() public {
        _pledgingWith(_cumulative(), 0, 1);
        bytes memory error_ = abi.encodeWithSelector(
            IBudgetRound.PhaseWrong.selector, IBudgetRound.Phase.Pledging, IBudgetRound.Phase.Settled
        );
        vm.expectRevert(error_);
        _pay(1, 1, ORDER);
        vm.expectRevert(error_);
        vm.prank(treasurer);
        round.returnRemainder(1);
        vm.expectRevert(error_);
        vm.prank(treasurer);
        round.close();
    }

    function test_RevertWhen_InitiativeIsNotWinner() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.InitiativeNotWinner.selector, 3));
        _pay(3, 1, ORDER);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.InitiativeUnknown.selector, 4));
        _pay(4, 1, ORDER);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.InitiativeNotWinner.selector, 3));
        vm.prank(treasurer);
        round.returnRemainder(3);
    }

    function test_RevertWhen_PaymentIsBad() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.AmountZero.selector));
        _pay(1, 0, ORDER);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.PaymentExceedsWallet.selector, 1, 100_000_01, 100_000_00));
        _pay(1, 100_000_01, ORDER);
        _pay(1, 1, ORDER);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.PaymentAlreadyRecorded.selector, 1, ORDER));
        _pay(1, 1, ORDER);
    }

    function test_Payment() public {
        address wallet = _wallet(1);
        vm.expectEmit(address(round));
        emit IBudgetRound.PaymentRecorded(1, 40_000_00, ORDER, ACT);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(wallet, address(0), 40_000_00);
        vm.expectEmit(address(token));
        emit IBudgetToken.PaymentBurned(1, wallet, 40_000_00, ORDER, ACT);
        _pay(1, 40_000_00, ORDER);
        // One order may pay for two initiatives.
        _pay(2, 110_000_00, ORDER);
        assertEq(_inWallet(1), 60_000_00, "left");
        assertEq(token.paidTotal(), 150_000_00, "paid");
        assertEq(token.totalSupply(), 60_000_00, "supply");
    }

    function test_ReturnRemainder() public {
        _pay(1, 40_000_00, ORDER);
        address wallet = _wallet(1);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(wallet, address(0), 60_000_00);
        vm.expectEmit(address(token));
        emit IBudgetToken.ReturnedToBudget(wallet, 60_000_00);
        vm.prank(treasurer);
        round.returnRemainder(1);
        assertEq(token.returnedTotal(), 790_000_00 + 60_000_00, "returned");
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.AmountZero.selector));
        vm.prank(treasurer);
        round.returnRemainder(1);
    }

    // ---------------------------------------------------------------------------------------------
    // Closing
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_WalletsAreNotEmpty() public {
        _pay(1, 100_000_00, ORDER);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.WalletsNotEmpty.selector, 110_000_00));
        vm.prank(treasurer);
        round.close();
    }

    function test_Close() public {
        _pay(1, 100_000_00, ORDER);
        vm.prank(treasurer);
        round.returnRemainder(2);
        vm.prank(treasurer);
        round.close();
        assertTrue(round.phase() == IBudgetRound.Phase.Closed, "closed");
        assertEq(token.mintedTotal(), token.paidTotal() + token.returnedTotal(), "minted = paid + returned");
    }

    // ---------------------------------------------------------------------------------------------
    // Cancelling
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_CancelledByStranger() public {
        vm.expectRevert(_lacksRole(treasurer, IMunicipalities.Role.Clerk));
        vm.prank(treasurer);
        round.cancel();
    }

    function test_RevertGiven_CancelledAfterSettlement() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IBudgetRound.PhaseWrong.selector, IBudgetRound.Phase.Settled, IBudgetRound.Phase.Objection
            )
        );
        vm.prank(clerk);
        round.cancel();
    }

    /// @dev Whether the recorded events say that a proposal fell.
    function _assertWithdrawn(bool expected) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bool withdrawn = false;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IBudgetRound.SettlementWithdrawn.selector) continue;
            withdrawn = true;
            assertEq(logs[i].topics[1], bytes32(uint256(uint160(clerk))), "who called the round off");
            assertEq(logs[i].data, abi.encode(keccak256("transcript")), "which proposal");
        }
        assertTrue(withdrawn == expected, "a proposal falls with the round");
    }

    function testFuzz_CancelInAnyPhaseBeforeSettlement(uint256 phase) public {
        phase = bound(phase, 0, uint256(IBudgetRound.Phase.Objection));
        _createWith(_cumulative(), 1, 3);
        _mint(APPROPRIATION);
        if (phase >= 1) {
            _openRegistration();
            _register(0, 0, 3);
        }
        if (phase >= 2) {
            _openPledging();
            _allocate(0, 1, _list(1, 3), _list(33, 33));
            _allocate(1, 1, _list(2), _list(100));
        }
        if (phase >= 3) _closePledging();
        if (phase >= 4) _propose(_list(1));
        assertEq(uint256(round.phase()), phase, "phase");

        vm.expectEmit(address(round));
        emit IBudgetRound.PhaseChanged(IBudgetRound.Phase.Cancelled);
        vm.recordLogs();
        vm.prank(clerk);
        round.cancel();
        _assertWithdrawn(phase == uint256(IBudgetRound.Phase.Objection));
        assertEq(token.totalSupply(), 0, "nothing is left");
        assertEq(token.returnedTotal(), APPROPRIATION, "everything returned");
        assertEq(_inWallet(1) + _inWallet(2) + _inWallet(3), 0, "wallets are empty");
        vm.expectRevert(
            abi.encodeWithSelector(
                IBudgetRound.PhaseWrong.selector, IBudgetRound.Phase.Cancelled, IBudgetRound.Phase.Objection
            )
        );
        vm.prank(clerk);
        round.cancel();
    }
}
