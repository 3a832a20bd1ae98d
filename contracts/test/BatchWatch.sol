// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Assertions} from "./Assertions.sol";
import {Vm} from "./Vm.sol";

/// @title Watches what a batch does: storage, events and gas of the whole transaction
/// @notice A batch of nothing but bad items costs its submitter no more than as many good ones, fits one transaction,
/// changes no slot of any contract and says of each item, in order, why it was skipped.
abstract contract BatchWatch is Assertions {
    /// @dev Items of every batch.
    uint256 internal constant COUNT = 200;
    /// @dev EIP-7825.
    uint256 internal constant TRANSACTION_GAS_LIMIT = 16_777_216;

    /// @dev Bad items, all for one reason.
    /// @param topic Event of a skipped item; the reason is the last word of its data.
    /// @param accountTopic Which of its topics is the account.
    struct Bad {
        address target;
        bytes data;
        bytes32 topic;
        uint256 accountTopic;
        address[] accounts;
        uint8 reason;
    }

    /// @dev All contracts that a batch could change.
    function _watched() internal view virtual returns (address[] memory);

    /// @dev Sends the batch, looks, and takes it back. `changed` is how many slots of the watched contracts have another
    /// value.
    function _submit(address target, bytes memory data)
        private
        returns (bool success, bytes memory result, uint256 gas, uint256 changed, Vm.Log[] memory logs)
    {
        uint256 snapshot = vm.snapshotState();
        vm.recordLogs();
        vm.record();
        (success, result) = target.call(data);
        gas = vm.lastCallGas().gasTotalUsed;
        assertLe(21_000 + 1_000 * COUNT, gas, "the whole transaction is measured");
        logs = vm.getRecordedLogs();

        address[] memory watched = _watched();
        bytes32[][] memory slots = new bytes32[][](watched.length);
        bytes32[][] memory values = new bytes32[][](watched.length);
        for (uint256 i = 0; i < watched.length; ++i) {
            (, slots[i]) = vm.accesses(watched[i]);
            values[i] = new bytes32[](slots[i].length);
            for (uint256 j = 0; j < slots[i].length; ++j) {
                values[i][j] = vm.load(watched[i], slots[i][j]);
            }
        }
        vm.revertToState(snapshot);
        for (uint256 i = 0; i < watched.length; ++i) {
            for (uint256 j = 0; j < slots[i].length; ++j) {
                if (vm.load(watched[i], slots[i][j]) != values[i][j]) ++changed;
            }
        }
    }

    /// @dev The measure: a batch of as many good items.
    /// @return gas What the transaction costs.
    function _good(address target, bytes memory data) internal returns (uint256 gas) {
        bool success;
        uint256 changed;
        (success,, gas, changed,) = _submit(target, data);
        assertTrue(success, "the good batch is accepted");
        assertLe(COUNT, changed, "and its changes are seen: a slot for each item at least");
        assertLe(gas, TRANSACTION_GAS_LIMIT, "and fits one transaction");
    }

    function _assertAllSkipped(Bad memory bad, uint256 goodGas) internal {
        (bool success,, uint256 gas, uint256 changed, Vm.Log[] memory logs) = _submit(bad.target, bad.data);
        assertTrue(success, "bad items do not end the batch");
        assertEq(changed, 0, "no slot of any contract has another value");
        assertEq(bad.accounts.length, COUNT, "as many bad items");
        assertEq(logs.length, COUNT, "one event for each item, and no other");
        for (uint256 i = 0; i < COUNT; ++i) {
            assertEq(logs[i].emitter, bad.target, "emitter");
            assertEq(logs[i].topics[0], bad.topic, "skipped");
            assertEq(
                address(uint160(uint256(logs[i].topics[bad.accountTopic]))), bad.accounts[i], "in order of the batch"
            );
            bytes memory data = logs[i].data;
            uint256 reason;
            assembly ("memory-safe") {
                reason := mload(add(data, mload(data)))
            }
            assertEq(reason, bad.reason, "reason");
        }
        assertLe(gas, goodGas, "no dearer than as many good items");
        assertLe(gas, TRANSACTION_GAS_LIMIT, "fits one transaction");
    }

    /// @dev The whole batch is refused.
    function _assertRefused(address target, bytes memory data, bytes memory error_, uint256 goodGas) internal {
        (bool success, bytes memory result, uint256 gas, uint256 changed,) = _submit(target, data);
        assertFalse(success, "one bad credential refuses the batch");
        assertEq(result, error_, "reason");
        assertEq(changed, 0, "no slot of any contract has another value");
        // All that was done is undone and paid for. A precompile that refuses a point keeps no more than it was given.
        assertLe(gas, goodGas + 1_000, "no dearer than a good batch, but for the words of the refusal");
        assertLe(gas, TRANSACTION_GAS_LIMIT, "fits one transaction");
    }

    /// @dev Points that are no credential, in 96 bytes: somebody else's, not on the curve, outside the field, on the curve
    /// but outside the subgroup, infinity.
    function _badPoints(bytes memory anothers) internal pure returns (bytes[5] memory points) {
        bytes memory offCurve = bytes.concat(anothers);
        offCurve[95] ^= 0x01;
        bytes memory outsideField = bytes.concat(anothers);
        for (uint256 i = 0; i < 48; ++i) {
            outsideField[i] = 0xff;
        }
        // x = 4, y = the smaller root of 4^3 + 4.
        bytes memory outsideSubgroup = new bytes(96);
        outsideSubgroup[47] = 0x04;
        bytes memory y =
            hex"0a989badd40d6212b33cffc3f3763e9bc760f988c9926b26da9dd85e928483446346b8ed00e1de5d5ea93e354abe706c";
        for (uint256 i = 0; i < 48; ++i) {
            outsideSubgroup[48 + i] = y[i];
        }
        return [anothers, offCurve, outsideField, outsideSubgroup, new bytes(96)];
    }

    /// @dev A copy of `credentials` with another one at `index`.
    function _replaced(bytes memory credentials, uint256 index, bytes memory credential)
        internal
        pure
        returns (bytes memory result)
    {
        result = bytes.concat(credentials);
        for (uint256 i = 0; i < 96; ++i) {
            result[96 * index + i] = credential[i];
        }
    }

    function _repeated(address account) internal pure returns (address[] memory accounts) {
        accounts = new address[](COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            accounts[i] = account;
        }
    }

    function _garbage(uint256 size) internal pure returns (bytes memory bytes_) {
        bytes_ = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            bytes_[i] = bytes1(uint8(1 + i % 251));
        }
    }
}
