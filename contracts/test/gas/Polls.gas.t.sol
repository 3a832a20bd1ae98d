// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {PollFixture} from "../PollFixture.sol";

/// @title Gas of whole transactions, recorded in contracts/snapshots
/// @notice Every call is a transaction of its own: intrinsic gas and calldata are included, and every slot is cold.
/// forge-config: default.isolate = true
contract PollsGasTest is PollFixture {
    /// @dev EIP-7825.
    uint256 private constant TRANSACTION_GAS_LIMIT = 16_777_216;

    /// @dev Calls the contract and returns what the transaction cost.
    function _transact(bytes memory data) private returns (uint256 gas) {
        (bool success, bytes memory result) = address(polls).call(data);
        gas = vm.lastCallGas().gasTotalUsed;
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
        assertLe(gas, TRANSACTION_GAS_LIMIT, "fits one transaction");
    }

    /// @dev Ballots of voters 0, 1, ..., each with a choice of its own.
    function _cast(uint256 count, uint32 version, bool first) private view returns (bytes memory) {
        address[] memory accounts = _voters(0, count);
        IPolls.Ballot[] memory ballots = new IPolls.Ballot[](count);
        bytes memory signatures = new bytes(64 * count);
        for (uint256 i = 0; i < count; ++i) {
            ballots[i] = IPolls.Ballot({version: version, choice: _choice(i + version)});
            _copy(_sign(i, ballots[i]), signatures, 64 * i);
        }
        return abi.encodeCall(
            polls.castBallots, (pollId, accounts, ballots, signatures, first ? _credentials(accounts) : bytes(""))
        );
    }

    function _choice(uint256 seed) private view returns (uint128) {
        IPolls.PollConfig memory config = polls.poll(pollId).config;
        if (config.kind == IPolls.PollKind.Single) return uint128(1 << seed % config.optionCount);
        if (config.kind == IPolls.PollKind.Multiple) return uint128(7 << seed % (config.optionCount - 2));
        uint256 choice = 0;
        for (uint256 i = 0; i < config.optionCount; ++i) {
            choice |= (1 + (seed + i) % 5) << 4 * i;
        }
        return uint128(choice);
    }

    /// @dev A poll with ten options in which all options have been chosen before, so that the batch does not pay for the
    /// counters' slots.
    function _openGas(IPolls.PollKind kind, uint8 optionCount) private {
        IPolls.PollConfig memory config = _revotable(kind);
        config.optionCount = optionCount;
        _open(config, 100_000);
        for (uint256 i = 0; i < 5 && kind == IPolls.PollKind.Rating; ++i) {
            _cast(1_000_000 + i, 1, _choice(i));
        }
        for (uint256 i = 0; i < optionCount && kind != IPolls.PollKind.Rating; ++i) {
            _cast(1_000_000 + i, 1, _choice(i));
        }
    }

    function _first(IPolls.PollKind kind, uint8 optionCount, uint256 count) private returns (uint256 gas) {
        _openGas(kind, optionCount);
        uint256 before = polls.participants(pollId);
        gas = _transact(_cast(count, 1, true));
        assertEq(polls.participants(pollId), before + count, "ballots");
    }

    function test_First1() public {
        vm.snapshotValue("ballot", "single, batch of 1, first, each", _first(IPolls.PollKind.Single, 10, 1));
    }

    function test_First20() public {
        vm.snapshotValue("ballot", "single, batch of 20, first, each", _first(IPolls.PollKind.Single, 10, 20) / 20);
    }

    function test_First200() public {
        uint256 each = _first(IPolls.PollKind.Single, 10, 200) / 200;
        vm.snapshotValue("ballot", "single, batch of 200, first, each", each);
        assertLe(each, 60_000, "a ballot in a batch of 200");
    }
}
