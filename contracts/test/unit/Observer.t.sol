// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {PollFixture} from "../PollFixture.sol";
import {Vm} from "../Vm.sol";

/// @title What an observer reads of a ballot in storage and events
/// @notice Nothing on chain hides an account's choice or when it was cast; what is hidden is whose account it is. See "What
/// a poll shows" in docs/threat-model.md. Transactions are public too: their calldata adds who submitted and the
/// credentials, which were signed blind.
contract ObserverTest is PollFixture {
    /// @dev Where `Polls` keeps its polls, and where in a poll the counters, the tally and the ballots are.
    uint256 private constant POLLS_SLOT = 3;
    uint256 private constant COUNTERS = 1;
    uint256 private constant TALLY = 11;
    uint256 private constant RECORDS = 31;

    function _base() private view returns (uint256) {
        return uint256(keccak256(abi.encode(pollId, POLLS_SLOT)));
    }

    function _slotOf(address account) private view returns (bytes32) {
        return keccak256(abi.encode(account, _base() + RECORDS));
    }

    /// @dev Voter i casts version 4i + 1 for option i.
    function _ballotOf(uint256 voter) private pure returns (IPolls.Ballot memory) {
        return IPolls.Ballot({version: uint32(4 * voter + 1), choice: uint128(1 << voter)});
    }

    /// @dev Casts the ballots of three voters in this order and looks at everything that is left of them.
    function _assertObserved(uint8[3] memory order, address submitter) private {
        address[] memory accounts = new address[](3);
        IPolls.Ballot[] memory ballots = new IPolls.Ballot[](3);
        bytes memory signatures;
        for (uint256 i = 0; i < 3; ++i) {
            accounts[i] = _voter(order[i]);
            ballots[i] = _ballotOf(order[i]);
            signatures = bytes.concat(signatures, _sign(order[i], ballots[i]));
        }
        bytes memory credentials = _credentials(accounts);
        vm.recordLogs();
        vm.record();
        vm.prank(submitter);
        polls.castBallots(pollId, accounts, ballots, signatures, credentials);

        // Events: account, version and choice, in the order of the batch, and not a word more.
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 3, "one event for each ballot");
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(logs[i].topics.length, 3, "indexed words");
            assertEq(logs[i].topics[0], IPolls.BallotCast.selector, "cast");
            assertEq(uint256(logs[i].topics[1]), pollId, "poll");
            assertEq(logs[i].topics[2], bytes32(uint256(uint160(accounts[i]))), "account, by its place in the batch");
            assertEq(logs[i].data, abi.encode(ballots[i].version, ballots[i].choice), "version and choice");
        }

        // Storage: a word for each account, the counters, the tally, and no other slot of any contract.
        (, bytes32[] memory writes) = vm.accesses(address(polls));
        for (uint256 i = 0; i < writes.length; ++i) {
            assertTrue(_isExpected(writes[i]), "no other slot is written");
        }
        (, writes) = vm.accesses(address(issuerKeys));
        assertEq(writes.length, 0, "nothing in the register of keys");
        (, writes) = vm.accesses(address(municipalities));
        assertEq(writes.length, 0, "nothing in the register of municipalities");
        for (uint256 voter = 0; voter < 3; ++voter) {
            IPolls.Ballot memory ballot = _ballotOf(voter);
            assertEq(
                uint256(vm.load(address(polls), _slotOf(_voter(voter)))),
                uint256(ballot.choice) << 40 | 1 << 32 | ballot.version,
                "who knows the account reads choice and version, and nothing else is in the word"
            );
        }
        assertEq(uint256(vm.load(address(polls), bytes32(_base() + COUNTERS))), uint256(3) << 32 | 100, "counters");
        assertEq(uint256(vm.load(address(polls), bytes32(_base() + TALLY))), 1 << 64 | 1 << 32 | 1, "tally");
    }

    function _isExpected(bytes32 slot) private view returns (bool) {
        for (uint256 voter = 0; voter < 3; ++voter) {
            if (slot == _slotOf(_voter(voter))) return true;
        }
        return slot == bytes32(_base() + COUNTERS) || slot == bytes32(_base() + TALLY);
    }

    /// @notice Whoever submits, in whatever order and at whatever time: storage is the same to the last bit, so neither
    /// submitter nor order nor time nor credential is in it. The block of a ballot is known from the transaction.
    function test_ObserverLearnsAccountVersionChoiceAndBlockAndNothingElse() public {
        _open(_revotable(IPolls.PollKind.Single), 100);
        uint256 snapshot = vm.snapshotState();
        _assertObserved([0, 1, 2], stranger);
        vm.revertToState(snapshot);
        vm.warp(OPENS_AT + 5 hours);
        _assertObserved([2, 0, 1], clerk);
        vm.revertToState(snapshot);
        vm.warp(CLOSES_AT - 1);
        _assertObserved([1, 2, 0], _voter(0));
    }

    /// @notice Replaced ballots leave the storage, not the chain.
    function test_ObserverReadsEveryVersionEverCast() public {
        _open(_revotable(IPolls.PollKind.Single), 100);
        vm.recordLogs();
        _cast(0, 1, 1);
        bytes32 slot = _slotOf(_voter(0));
        bytes32 first = vm.load(address(polls), slot);
        _recast(0, 2, 4);
        bytes32 second = vm.load(address(polls), slot);
        assertEq(uint256(first), uint256(1) << 40 | 1 << 32 | 1, "a node that keeps old states shows the first choice");
        assertEq(uint256(second), uint256(4) << 40 | 1 << 32 | 2, "and then the second");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2, "both are in the events");
        assertEq(logs[0].data, abi.encode(uint32(1), uint128(1)), "that it changed its mind is seen");
        assertEq(logs[1].data, abi.encode(uint32(2), uint128(4)), "and from what to what");
    }

    /// @notice Of a sealed ballot: account, version and block, and a hash for the choice.
    function test_ObserverLearnsNoChoiceOfASealedBallot() public {
        _open(_sealed(IPolls.PollKind.Single), 100);
        IPolls.SealedBallot memory ballot = _seal(0, 3, 4);
        vm.recordLogs();
        vm.record();
        _castSealed(0, ballot);
        (, bytes32[] memory writes) = vm.accesses(address(polls));
        for (uint256 i = 0; i < writes.length; ++i) {
            assertTrue(
                writes[i] == _slotOf(_voter(0)) || writes[i] == bytes32(_base() + COUNTERS), "no tally is written"
            );
        }
        uint256 hash = uint256(keccak256(abi.encode(ballot.point, bytes32(uint256(ballot.maskedChoice)))));
        uint256 word = uint256(vm.load(address(polls), _slotOf(_voter(0))));
        assertEq(word, hash >> 40 << 40 | 2 << 32 | 3, "hash, sealed, version");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "one event");
        assertEq(logs[0].data, abi.encode(ballot.version, ballot.point, ballot.maskedChoice), "what opening takes");
        assertTrue(ballot.maskedChoice != 4, "the choice is masked");
    }
}
