// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title Gas of whole transactions, recorded in contracts/snapshots
/// @notice Every call is a transaction of its own: intrinsic gas and calldata are included, and every slot is cold.
/// forge-config: default.isolate = true
contract GasTest is RoundFixture {
    uint256 private constant INITIATIVES = 40;
    /// @dev EIP-7825.
    uint256 private constant TRANSACTION_GAS_LIMIT = 16_777_216;

    /// @dev Calls the round and returns what the transaction cost.
    function _transact(bytes memory data) private returns (uint256 gas) {
        (bool success, bytes memory result) = address(round).call(data);
        gas = vm.lastCallGas().gasTotalUsed;
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
        assertLe(gas, TRANSACTION_GAS_LIMIT, "fits one transaction");
    }

    // ---------------------------------------------------------------------------------------------
    // Registration
    // ---------------------------------------------------------------------------------------------

    function _registerGas(uint256 count) private returns (uint256 gas) {
        _createWith(_cumulative(), 1, INITIATIVES);
        _openRegistration();
        // Whoever registers first pays for the counters' slots.
        _register(0, 1_000_000, 1);
        address[] memory accounts = _accounts(0, count);
        gas = _transact(abi.encodeCall(round.register, (0, accounts, _credentials(0, accounts))));
        assertEq(round.registeredCount(), count + 1, "registered");
    }

    function test_Register1() public {
        vm.snapshotValue("registration", "batch of 1, each", _registerGas(1));
    }

    function test_Register20() public {
        vm.snapshotValue("registration", "batch of 20, each", _registerGas(20) / 20);
    }

    function test_Register200() public {
        uint256 each = _registerGas(200) / 200;
        assertLe(each, 54_000, "a registration in a batch of 200");
        vm.snapshotValue("registration", "batch of 200, each", each);
    }

    function test_RegisterSkipped200() public {
        _createWith(_cumulative(), 1, 1);
        _openRegistration();
        address[] memory accounts = _accounts(0, 200);
        bytes memory data = abi.encodeCall(round.register, (0, accounts, _credentials(0, accounts)));
        _transact(data);
        vm.snapshotValue("registration", "batch of 200, all registered already, each", _transact(data) / 200);
    }

    // ---------------------------------------------------------------------------------------------
    // Allocation
    // ---------------------------------------------------------------------------------------------

    function _batch(uint32 version, uint256 count, uint256 choices, uint256 offset)
        private
        view
        returns (bytes memory data)
    {
        bool approval = round.config().ballotKind == IBudgetRound.BallotKind.Approval;
        IBudgetRound.Allocation[] memory batch = new IBudgetRound.Allocation[](count);
        bytes memory signatures = new bytes(64 * count);
        for (uint256 i = 0; i < count; ++i) {
            uint16[] memory initiatives = _series(1 + (i * 7 + offset) % (INITIATIVES - 2 * choices), 2, choices);
            uint16[] memory points = _series(100 / choices, 0, approval ? 0 : choices);
            batch[i] = _allocation(i, version, initiatives, points);
            _copy(_sign(i, batch[i]), signatures, 64 * i);
        }
        data = abi.encodeCall(round.allocate, (batch, signatures));
    }

    function _allocateGas(IBudgetRound.RoundConfig memory config, string memory kind, uint256 count, uint256 choices)
        private
    {
        _pledgingWith(config, count + 4, INITIATIVES);
        // Whoever comes first pays for the wallets' slots.
        bool approval = config.ballotKind == IBudgetRound.BallotKind.Approval;
        for (uint256 i = 0; i < 4; ++i) {
            _allocate(count + i, 1, _series(1 + 10 * i, 1, 10), approval ? _list() : _series(10, 0, 10));
        }
        string memory name =
            string.concat(kind, ", initiatives: ", vm.toString(choices), ", batch of ", vm.toString(count));
        uint256 each = _transact(_batch(1, count, choices, 0)) / count;
        vm.snapshotValue("allocation", string.concat(name, ", first, each"), each);
        vm.snapshotValue(
            "allocation", string.concat(name, ", change, each"), _transact(_batch(2, count, choices, 1)) / count
        );
        if (choices <= 3 && count >= 100) assertLe(each, 45_000, "an allocation to three initiatives");
    }

    function test_AllocateCumulative1() public {
        _allocateGas(_cumulative(), "cumulative", 120, 1);
    }

    function test_AllocateCumulative3() public {
        _allocateGas(_cumulative(), "cumulative", 120, 3);
    }

    function test_AllocateCumulative10() public {
        _allocateGas(_cumulative(), "cumulative", 120, 10);
    }

    function test_AllocateCumulative3Single() public {
        _allocateGas(_cumulative(), "cumulative", 1, 3);
    }

    function test_AllocateApproval1() public {
        _allocateGas(_approval(), "approval", 120, 1);
    }

    function test_AllocateApproval3() public {
        _allocateGas(_approval(), "approval", 120, 3);
    }

    function test_AllocateApproval10() public {
        _allocateGas(_approval(), "approval", 120, 10);
    }

    // ---------------------------------------------------------------------------------------------
    // Settlement of the largest round
    // ---------------------------------------------------------------------------------------------

    /// @dev As many initiatives as there may be; in `pledgedEach` all of them have been pledged to.
    function _largest(bool pledgedEach) private {
        _createWith(_approval(), 1, 0);
        for (uint256 i = 0; i < round.MAX_INITIATIVES(); ++i) {
            vm.prank(clerk);
            round.addInitiative(300_00, keccak256("initiative"));
        }
        _mint(APPROPRIATION);
        _openRegistration();
        _register(0, 0, 4);
        _openPledging();
        for (uint256 i = 0; i < 4 && pledgedEach; ++i) {
            _allocate(i, 1, _series(1 + 100 * i, 1, 100), _list());
        }
    }

    function _finalizeGas(uint16[] memory winners) private returns (uint256) {
        _closePledging();
        _propose(winners);
        _approve(winners);
        vm.warp(block.timestamp + OBJECTION_PERIOD);
        return _transact(abi.encodeCall(round.finalizeSettlement, ()));
    }

    function test_FinalizeLargest() public {
        _largest(true);
        vm.snapshotValue("settlement", "400 initiatives, 200 winners, finalize", _finalizeGas(_series(1, 2, 200)));
    }

    /// @notice The dearest settlement: every wallet is empty and has to be filled from the purse.
    function test_FinalizeDearest() public {
        _largest(false);
        vm.snapshotValue("settlement", "400 empty wallets, 400 winners, finalize", _finalizeGas(_series(1, 1, 400)));
    }

    function test_CancelLargest() public {
        _largest(true);
        _grant(IMunicipalities.Role.Clerk, address(this));
        vm.snapshotValue("settlement", "400 initiatives, cancel", _transact(abi.encodeCall(round.cancel, ())));
    }
}
