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

    function _record(string memory name, uint256 value) private {
        vm.snapshotValue("ballot", name, value);
    }

    // ---------------------------------------------------------------------------------------------
    // Ballots
    // ---------------------------------------------------------------------------------------------

    /// @dev Single: one of all options in turn. Multiple: three neighbours. Rating: all options are graded.
    function _choice(IPolls.PollConfig memory config, uint256 seed) private pure returns (uint128) {
        if (config.kind == IPolls.PollKind.Single) return uint128(1 << seed % config.optionCount);
        if (config.kind == IPolls.PollKind.Multiple) return uint128(7 << seed % (config.optionCount - 2));
        uint256 choice = 0;
        for (uint256 i = 0; i < config.optionCount; ++i) {
            choice |= (1 + (seed + i) % 5) << 4 * i;
        }
        return uint128(choice);
    }

    /// @dev Ballots of voters 0, 1, ...; with `first` all bring credentials.
    function _castData(uint256 count, uint32 version, bool first) private view returns (bytes memory) {
        IPolls.PollConfig memory config = polls.poll(pollId).config;
        address[] memory accounts = _voters(0, count);
        IPolls.Ballot[] memory ballots = new IPolls.Ballot[](count);
        bytes memory signatures = new bytes(64 * count);
        for (uint256 i = 0; i < count; ++i) {
            ballots[i] = IPolls.Ballot({version: version, choice: _choice(config, i + version)});
            _copy(_sign(i, ballots[i]), signatures, 64 * i);
        }
        return abi.encodeCall(
            polls.castBallots, (pollId, accounts, ballots, signatures, first ? _credentials(accounts) : bytes(""))
        );
    }

    /// @dev A poll in which everything has been chosen before, so that the batch does not pay for the counters' slots.
    function _openUsed(IPolls.PollKind kind, uint8 optionCount) private {
        IPolls.PollConfig memory config = _revotable(kind);
        config.optionCount = optionCount;
        _open(config, 100_000);
        for (uint256 i = 0; i < (kind == IPolls.PollKind.Rating ? 5 : optionCount); ++i) {
            _cast(1_000_000 + i, 1, _choice(config, i));
        }
    }

    function _castGas(uint256 count, uint32 version, bool first) private returns (uint256 gas) {
        uint256 before = polls.participants(pollId);
        gas = _transact(_castData(count, version, first));
        assertEq(polls.participants(pollId), before + (first ? count : 0), "accepted");
        assertEq(polls.ballotOf(pollId, _voter(count - 1)).version, version, "accepted");
    }

    function test_First1() public {
        _openUsed(IPolls.PollKind.Single, 10);
        _record("single of 10 options, batch of 1, each", _castGas(1, 1, true));
    }

    function test_First20() public {
        _openUsed(IPolls.PollKind.Single, 10);
        _record("single of 10 options, batch of 20, each", _castGas(20, 1, true) / 20);
    }

    function test_First200() public {
        _openUsed(IPolls.PollKind.Single, 10);
        uint256 each = _castGas(200, 1, true) / 200;
        assertLe(each, 59_999, "a ballot in a batch of 200");
        _record("single of 10 options, batch of 200, each", each);
        _record("single of 10 options, change, batch of 200, each", _castGas(200, 2, false) / 200);
    }

    function test_FirstMultiple200() public {
        _openUsed(IPolls.PollKind.Multiple, 10);
        uint256 each = _castGas(200, 1, true) / 200;
        assertLe(each, 59_999, "a ballot in a batch of 200");
        _record("three of 10 options, batch of 200, each", each);
    }

    function test_FirstRating200() public {
        _openUsed(IPolls.PollKind.Rating, 5);
        _record("rating of 5 options, batch of 200, each", _castGas(200, 1, true) / 200);
        _record("rating of 5 options, change, batch of 200, each", _castGas(200, 2, false) / 200);
    }

    function test_FirstLargestRating200() public {
        _openUsed(IPolls.PollKind.Rating, 32);
        _record("rating of 32 options, batch of 200, each", _castGas(200, 1, true) / 200);
    }

    /// @notice The largest batch, of the dearest ballots, that fits one transaction.
    function test_LargestBatch() public {
        IPolls.PollConfig memory config = _revotable(IPolls.PollKind.Rating);
        config.optionCount = 32;
        _open(config, 100_000);
        _record("rating of 32 options, nothing counted yet, batch of 250, whole transaction", _castGas(250, 1, true));
    }

    function test_LargestUsualBatch() public {
        _openUsed(IPolls.PollKind.Single, 10);
        _record("single of 10 options, batch of 280, whole transaction", _castGas(280, 1, true));
    }

    // ---------------------------------------------------------------------------------------------
    // Bad batches
    // ---------------------------------------------------------------------------------------------

    function test_SkippedReplay200() public {
        _openUsed(IPolls.PollKind.Single, 10);
        bytes memory data = _castData(200, 1, true);
        _transact(data);
        bytes memory before = abi.encode(polls.poll(pollId), polls.results(pollId));
        _record("batch of 200, all replayed, each", _transact(data) / 200);
        assertEq(abi.encode(polls.poll(pollId), polls.results(pollId)), before, "nothing has changed");
    }

    function test_SkippedSignature200() public {
        _openUsed(IPolls.PollKind.Single, 10);
        uint256 id = pollId;
        // Ballots for another poll.
        _open(_revotable(IPolls.PollKind.Single), 100_000);
        pollId = id;
        bytes memory data = _castData(200, 1, true);
        assembly ("memory-safe") {
            mstore(add(data, 36), add(id, 1))
        }
        _record("batch of 200, all badly signed, each", _transact(data) / 200);
        assertEq(polls.participants(id + 1), 0, "nothing has changed");
    }

    // ---------------------------------------------------------------------------------------------
    // Sealed ballots
    // ---------------------------------------------------------------------------------------------

    function _sealedBatch(uint256 count)
        private
        returns (address[] memory accounts, IPolls.SealedBallot[] memory ballots)
    {
        IPolls.PollConfig memory config = polls.poll(pollId).config;
        accounts = _voters(0, count);
        ballots = new IPolls.SealedBallot[](count);
        for (uint256 i = 0; i < count; ++i) {
            ballots[i] = _seal(i, 1, _choice(config, i));
        }
    }

    function _castSealedGas(address[] memory accounts, IPolls.SealedBallot[] memory ballots) private returns (uint256) {
        bytes memory signatures = new bytes(64 * accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            _copy(_sign(i, ballots[i]), signatures, 64 * i);
        }
        return _transact(
            abi.encodeCall(polls.castSealedBallots, (pollId, accounts, ballots, signatures, _credentials(accounts)))
        );
    }

    function _openSealed(IPolls.PollKind kind, uint8 optionCount) private {
        IPolls.PollConfig memory config = _sealed(kind);
        config.optionCount = optionCount;
        _open(config, 100_000);
        _castSealed(1_000_000, 1, 1);
    }

    function test_Sealed200() public {
        _openSealed(IPolls.PollKind.Single, 10);
        (address[] memory accounts, IPolls.SealedBallot[] memory ballots) = _sealedBatch(200);
        _record("sealed, batch of 200, each", _castSealedGas(accounts, ballots) / 200);
        _close();
        _publishSecret();
        bytes memory data = abi.encodeCall(polls.openBallots, (pollId, accounts, ballots));
        _record("opening, single of 10 options, batch of 200, each", _transact(data) / 200);
        assertEq(polls.poll(pollId).opened, 200, "opened");
        _record("opening, batch of 200, all opened already, each", _transact(data) / 200);
        assertEq(polls.poll(pollId).opened, 200, "nothing has changed");
    }

    function test_LargestOpening() public {
        _openSealed(IPolls.PollKind.Single, 10);
        (address[] memory accounts, IPolls.SealedBallot[] memory ballots) = _sealedBatch(1_150);
        for (uint256 i = 0; i < 1_150; ++i) {
            _castSealed(i, ballots[i]);
        }
        _close();
        _publishSecret();
        _record(
            "opening, single of 10 options, batch of 1150, whole transaction",
            _transact(abi.encodeCall(polls.openBallots, (pollId, accounts, ballots)))
        );
        assertEq(polls.poll(pollId).opened, 1_150, "opened");
    }

    // ---------------------------------------------------------------------------------------------
    // A poll by itself
    // ---------------------------------------------------------------------------------------------

    function test_Create() public {
        IPolls.PollConfig memory config = _sealed(IPolls.PollKind.Single);
        bytes memory key = _issuerKey(1);
        vm.prank(clerk);
        polls.createPoll(config, key);
        _record("creating a sealed poll", vm.lastCallGas().gasTotalUsed);
    }
}
