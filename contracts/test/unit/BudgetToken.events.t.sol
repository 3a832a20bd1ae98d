// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {RoundFixture} from "../RoundFixture.sol";
import {Vm} from "../Vm.sol";

/// @title Every event of every step of money, and not one event more
/// @notice A ledger rebuilt from events must be exact, so an event too many is as bad as one too few.
contract BudgetTokenEventsTest is RoundFixture {
    bytes32[] private _expected;

    function setUp() public override {
        super.setUp();
        _pledgingWith(_cumulative(), 1, 3);
    }

    // ---------------------------------------------------------------------------------------------
    // Exact lists of events
    // ---------------------------------------------------------------------------------------------

    function _expectTransfer(address from, address to, uint256 amount) private {
        bytes32[] memory topics = new bytes32[](3);
        (topics[0], topics[1], topics[2]) =
        (IERC20.Transfer.selector, bytes32(uint256(uint160(from))), bytes32(uint256(uint160(to))));
        _expected.push(keccak256(abi.encode(topics, abi.encode(amount))));
    }

    function _expectReturned(address from, uint256 amount) private {
        bytes32[] memory topics = new bytes32[](2);
        (topics[0], topics[1]) = (IBudgetToken.ReturnedToBudget.selector, bytes32(uint256(uint160(from))));
        _expected.push(keccak256(abi.encode(topics, abi.encode(amount))));
    }

    function _expectPaid(uint16 id, uint256 amount, bytes32 paymentReference, bytes32 documentHash) private {
        bytes32[] memory topics = new bytes32[](3);
        (topics[0], topics[1], topics[2]) =
        (IBudgetToken.PaymentBurned.selector, bytes32(uint256(id)), bytes32(uint256(uint160(_wallet(id)))));
        _expected.push(keccak256(abi.encode(topics, abi.encode(amount, paymentReference, documentHash))));
    }

    /// @dev The token's events since `recordLogs` are the expected ones, in their order.
    function _checkEvents() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 count = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(token)) continue;
            assertTrue(count < _expected.length, "an event too many");
            assertEq(keccak256(abi.encode(logs[i].topics, logs[i].data)), _expected[count], "event");
            ++count;
        }
        assertEq(count, _expected.length, "number of events");
        delete _expected;
    }

    function _asRound(bytes memory data) private returns (bytes memory result) {
        bool success;
        vm.recordLogs();
        vm.prank(address(round));
        (success, result) = address(token).call(data);
        assertTrue(success, "the round may");
        _checkEvents();
    }

    // ---------------------------------------------------------------------------------------------
    // Moves
    // ---------------------------------------------------------------------------------------------

    function _move(uint256 id, int256 change) private pure returns (uint256) {
        return id << 240 | uint240(int240(change));
    }

    /// @dev One citizen's step with the changes of initiatives 1, 2 and 3; zero is left out.
    function _apply(address account, int256[3] memory changes) private {
        uint256 count = 0;
        for (uint256 i = 0; i < 3; ++i) {
            if (changes[i] != 0) ++count;
        }
        uint256[] memory moves = new uint256[](count + 1);
        moves[0] = count << 160 | uint160(account);
        uint256 next = 1;
        for (uint256 i = 0; i < 3; ++i) {
            if (changes[i] != 0) moves[next++] = _move(i + 1, changes[i]);
        }
        _asRound(abi.encodeCall(token.applyMoves, (moves, 3)));
    }

    function test_MovesThatTakeFromThePurse() public {
        _expectTransfer(address(round), stranger, 150);
        _expectTransfer(stranger, _wallet(1), 100);
        _expectTransfer(stranger, _wallet(3), 50);
        _apply(stranger, [int256(100), 0, 50]);
        assertEq(token.balanceOf(address(round)), APPROPRIATION - 150, "purse");
        assertEq(_inWallet(1), 100, "wallet 1");
        assertEq(_inWallet(2), 0, "wallet 2");
        assertEq(_inWallet(3), 50, "wallet 3");
        assertEq(token.balanceOf(stranger), 0, "the citizen keeps nothing");
    }

    function test_MovesThatGiveToThePurse() public {
        test_MovesThatTakeFromThePurse();
        _expectTransfer(_wallet(1), stranger, 100);
        _expectTransfer(stranger, _wallet(2), 30);
        _expectTransfer(stranger, address(round), 70);
        _apply(stranger, [int256(-100), 30, 0]);
        assertEq(token.balanceOf(address(round)), APPROPRIATION - 80, "purse");
        assertEq(_inWallet(1), 0, "wallet 1");
        assertEq(_inWallet(2), 30, "wallet 2");
        assertEq(_inWallet(3), 50, "wallet 3");
    }

    /// @notice From one initiative to another: the purse is no part of it.
    function test_MovesThatLeaveThePurse() public {
        test_MovesThatTakeFromThePurse();
        _expectTransfer(_wallet(1), stranger, 40);
        _expectTransfer(_wallet(3), stranger, 10);
        _expectTransfer(stranger, _wallet(2), 50);
        _apply(stranger, [int256(-40), 50, -10]);
        assertEq(token.balanceOf(address(round)), APPROPRIATION - 150, "purse");
    }

    function test_MovesThatOnlyGiveBack() public {
        test_MovesThatTakeFromThePurse();
        _expectTransfer(_wallet(1), stranger, 100);
        _expectTransfer(_wallet(3), stranger, 50);
        _expectTransfer(stranger, address(round), 150);
        _apply(stranger, [int256(-100), 0, -50]);
        assertEq(token.balanceOf(address(round)), APPROPRIATION, "purse");
    }

    /// @notice Two citizens in one batch: each one's step stands for itself, the balances change by the sums.
    function test_MovesOfTwoCitizens() public {
        uint256[] memory moves = new uint256[](5);
        moves[0] = 1 << 160 | uint160(stranger);
        moves[1] = _move(2, 7);
        moves[2] = 2 << 160 | uint160(clerk);
        moves[3] = _move(2, 5);
        moves[4] = _move(3, 1);
        _expectTransfer(address(round), stranger, 7);
        _expectTransfer(stranger, _wallet(2), 7);
        _expectTransfer(address(round), clerk, 6);
        _expectTransfer(clerk, _wallet(2), 5);
        _expectTransfer(clerk, _wallet(3), 1);
        _asRound(abi.encodeCall(token.applyMoves, (moves, 3)));
        assertEq(_inWallet(2), 12, "wallet 2");
        assertEq(_inWallet(3), 1, "wallet 3");
        assertEq(token.balanceOf(address(round)), APPROPRIATION - 13, "purse");
    }

    function test_MovesOfNobody() public {
        _apply(stranger, [int256(0), 0, 0]);
        assertEq(token.balanceOf(address(round)), APPROPRIATION, "purse");
    }

    // ---------------------------------------------------------------------------------------------
    // Rebalancing
    // ---------------------------------------------------------------------------------------------

    function _targets(uint256 a, uint256 b, uint256 c) private pure returns (uint256[] memory targets) {
        targets = new uint256[](3);
        (targets[0], targets[1], targets[2]) = (a, b, c);
    }

    /// @notice First what comes back, then what is missing; a wallet at its target is left alone.
    function test_Rebalance() public {
        _expectTransfer(address(round), _wallet(1), 10);
        _expectTransfer(address(round), _wallet(2), 20);
        _expectTransfer(address(round), _wallet(3), 30);
        bytes memory result = _asRound(abi.encodeCall(token.rebalance, (_targets(10, 20, 30))));
        assertEq(keccak256(result), keccak256(abi.encode(_targets(0, 0, 0))), "held before");

        _expectTransfer(_wallet(1), address(round), 9);
        _expectTransfer(address(round), _wallet(3), 1);
        result = _asRound(abi.encodeCall(token.rebalance, (_targets(1, 20, 31))));
        assertEq(keccak256(result), keccak256(abi.encode(_targets(10, 20, 30))), "held before");
        assertEq(_inWallet(1), 1, "wallet 1");
        assertEq(_inWallet(2), 20, "wallet 2");
        assertEq(_inWallet(3), 31, "wallet 3");
        assertEq(token.balanceOf(address(round)), APPROPRIATION - 52, "purse");
    }

    /// @notice What comes back can be given out again at once, to the last kopeck.
    function test_RebalanceTheWholeBudget() public {
        _expectTransfer(address(round), _wallet(1), APPROPRIATION);
        _asRound(abi.encodeCall(token.rebalance, (_targets(APPROPRIATION, 0, 0))));
        _expectTransfer(_wallet(1), address(round), APPROPRIATION);
        _expectTransfer(address(round), _wallet(2), APPROPRIATION);
        _asRound(abi.encodeCall(token.rebalance, (_targets(0, APPROPRIATION, 0))));
        assertEq(token.balanceOf(address(round)), 0, "purse");
        assertEq(_inWallet(2), APPROPRIATION, "wallet 2");
    }

    // ---------------------------------------------------------------------------------------------
    // Burning
    // ---------------------------------------------------------------------------------------------

    function test_BurnPaid() public {
        test_RebalanceTheWholeBudget();
        _expectTransfer(_wallet(2), address(0), 400);
        _expectPaid(2, 400, "order 7", "document");
        _asRound(abi.encodeCall(token.burnPaid, (2, 400, "order 7", "document")));
        _expectTransfer(_wallet(2), address(0), 100);
        _expectPaid(2, 100, "order 8", "other document");
        _asRound(abi.encodeCall(token.burnPaid, (2, 100, "order 8", "other document")));
        assertEq(token.paidTotal(), 500, "paid");
        assertEq(token.returnedTotal(), 0, "returned");
        assertEq(token.totalSupply(), APPROPRIATION - 500, "supply");
        assertEq(_inWallet(2), APPROPRIATION - 500, "wallet 2");

        _expectTransfer(_wallet(2), address(0), APPROPRIATION - 500);
        _expectReturned(_wallet(2), APPROPRIATION - 500);
        bytes memory result = _asRound(abi.encodeCall(token.returnWallet, (2)));
        assertEq(abi.decode(result, (uint256)), APPROPRIATION - 500, "amount");
        assertEq(token.totalSupply(), 0, "supply");
    }

    function test_ReturnPurseAndWallet() public {
        _expectTransfer(address(round), _wallet(1), 10);
        _asRound(abi.encodeCall(token.rebalance, (_targets(10, 0, 0))));
        _expectTransfer(address(round), address(0), APPROPRIATION - 10);
        _expectReturned(address(round), APPROPRIATION - 10);
        bytes memory result = _asRound(abi.encodeCall(token.returnPurse, ()));
        assertEq(abi.decode(result, (uint256)), APPROPRIATION - 10, "amount");
        assertEq(token.returnedTotal(), APPROPRIATION - 10, "returned");

        _expectTransfer(_wallet(1), address(0), 10);
        _expectReturned(_wallet(1), 10);
        _asRound(abi.encodeCall(token.returnWallet, (1)));
        assertEq(token.returnedTotal(), APPROPRIATION, "returned");
        assertEq(token.paidTotal(), 0, "paid");
    }

    /// @notice Nothing to return is no event.
    function test_NothingToReturn() public {
        bytes memory result = _asRound(abi.encodeCall(token.returnWallet, (1)));
        assertEq(abi.decode(result, (uint256)), 0, "amount");
        test_ReturnPurseAndWallet();
        result = _asRound(abi.encodeCall(token.returnPurse, ()));
        assertEq(abi.decode(result, (uint256)), 0, "amount");
    }

    // ---------------------------------------------------------------------------------------------
    // Minting and release
    // ---------------------------------------------------------------------------------------------

    function test_ReleaseMovesTheTreasuryOnce() public {
        _create(_approval());
        _mint(700);
        _expectTransfer(address(token), address(round), 700);
        bytes memory result = _asRound(abi.encodeCall(token.release, ()));
        assertEq(abi.decode(result, (uint256)), 700, "amount");
        assertEq(token.balanceOf(address(token)), 0, "treasury");
        assertEq(token.balanceOf(address(round)), 700, "purse");
        result = _asRound(abi.encodeCall(token.release, ()));
        assertEq(abi.decode(result, (uint256)), 0, "nothing the second time");
    }

    function test_ReleaseOfNothingEndsMinting() public {
        _create(_approval());
        _asRound(abi.encodeCall(token.release, ()));
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.MintingClosed.selector));
        vm.prank(treasurer);
        token.proposeMint(1, keccak256("order"));
    }
}
