// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {PollFixture} from "../PollFixture.sol";

contract PollsViewsTest is PollFixture {
    function test_RevertWhen_PollIsUnknown() public {
        _create(_single());
        uint256[3] memory ids = [uint256(0), 2, type(uint256).max];
        for (uint256 i = 0; i < ids.length; ++i) {
            bytes memory expected = abi.encodeWithSelector(IPolls.PollUnknown.selector, ids[i]);
            vm.expectRevert(expected);
            polls.poll(ids[i]);
            vm.expectRevert(expected);
            polls.results(ids[i]);
            vm.expectRevert(expected);
            polls.isFinal(ids[i]);
            vm.expectRevert(expected);
            polls.ballotOf(ids[i], stranger);
            vm.expectRevert(expected);
            polls.participants(ids[i]);
            vm.expectRevert(expected);
            polls.credentialMessage(ids[i], stranger);
        }
    }

    function _assertStatus(uint256 time, IPolls.PollStatus expected, bool isFinal) private {
        vm.warp(time);
        assertTrue(polls.poll(pollId).status == expected, "status");
        assertTrue(polls.isFinal(pollId) == isFinal, "final");
    }

    function test_StatusByTime() public {
        _create(_single());
        _assertStatus(OPENS_AT - 1, IPolls.PollStatus.Announced, false);
        _assertStatus(OPENS_AT, IPolls.PollStatus.Open, false);
        _assertStatus(CLOSES_AT - 1, IPolls.PollStatus.Open, false);
        _assertStatus(CLOSES_AT, IPolls.PollStatus.Closing, false);
        _assertStatus(CLOSES_AT + GRACE - 1, IPolls.PollStatus.Closing, false);
        _assertStatus(CLOSES_AT + GRACE, IPolls.PollStatus.Closed, true);
    }

    function test_StatusWithoutGrace() public {
        IPolls.PollConfig memory config = _single();
        config.grace = 0;
        _create(config);
        _assertStatus(CLOSES_AT - 1, IPolls.PollStatus.Open, false);
        _assertStatus(CLOSES_AT, IPolls.PollStatus.Closed, true);
    }

    function test_StatusAtTheEndOfTime() public {
        IPolls.PollConfig memory config = _single();
        config.closesAt = type(uint64).max - 7 days;
        config.grace = 7 days;
        _create(config);
        _assertStatus(type(uint64).max - 1, IPolls.PollStatus.Closing, false);
        _assertStatus(type(uint64).max, IPolls.PollStatus.Closed, true);
    }

    function test_OpenIsFinalWhenItIsClosed() public {
        _open(_single(), 5);
        _cast(0, 1, 1);
        vm.warp(CLOSES_AT + GRACE - 1);
        assertFalse(polls.isFinal(pollId), "ballots may come");
        _close();
        assertTrue(polls.isFinal(pollId), "closed");
    }

    /// @notice Polls that are sealed are final once all ballots are opened, and at once if there is none.
    function test_SealedIsFinalWhenAllAreOpened() public {
        _open(_sealed(IPolls.PollKind.Single), 5);
        _close();
        assertTrue(polls.isFinal(pollId), "nothing to open");

        vm.warp(START);
        _open(_sealed(IPolls.PollKind.Single), 5);
        IPolls.SealedBallot memory good = _seal(0, 1, 1);
        IPolls.SealedBallot memory spoilt = _seal(1, 1, 3);
        _castSealed(0, good);
        _castSealed(1, spoilt);
        _close();
        _publishSecret();
        assertFalse(polls.isFinal(pollId), "two are sealed");
        _openBallot(0, good);
        assertFalse(polls.isFinal(pollId), "one is sealed");
        _openBallot(1, spoilt);
        assertTrue(polls.isFinal(pollId), "all are opened");
    }

    function test_CancelledSealedIsNeverFinal() public {
        _open(_sealed(IPolls.PollKind.Single), 5);
        vm.prank(clerk);
        polls.cancelPoll(pollId, keccak256("reason"));
        _close();
        assertFalse(polls.isFinal(pollId), "no result");
    }

    function test_BallotOfNobody() public {
        _create(_single());
        IPolls.BallotInfo memory info = polls.ballotOf(pollId, stranger);
        assertTrue(info.status == IPolls.BallotStatus.None, "status");
        assertEq(info.version, 0, "version");
        assertEq(info.choice, 0, "choice");
    }

    function test_CountersOfEveryKind() public {
        _create(_single());
        assertEq(polls.results(pollId).length, 5, "single: one for each option");
        _create(_config(IPolls.PollKind.Multiple));
        assertEq(polls.results(pollId).length, 5, "multiple: one for each option");
        _create(_config(IPolls.PollKind.Rating));
        assertEq(polls.results(pollId).length, 25, "rating: five for each option");
    }

    function test_CredentialMessage() public {
        _create(_single());
        _create(_single());
        assertEq(
            polls.credentialMessage(2, stranger),
            abi.encodePacked(block.chainid, address(polls), uint256(2), uint8(0), stranger),
            "message"
        );
        assertEq(polls.credentialMessage(2, stranger).length, 105, "length");
    }

    function test_Domain() public view {
        (, string memory name, string memory version, uint256 chainId, address verifier,,) = polls.eip712Domain();
        assertEq(name, "Kopilka", "name");
        assertEq(version, "1", "version");
        assertEq(chainId, block.chainid, "chain");
        assertEq(verifier, address(polls), "contract");
    }

    /// @notice Reading is never blocked.
    function test_ReadGiven_Paused() public {
        _open(_single(), 5);
        _cast(0, 1, 1);
        _pause();
        assertEq(polls.results(pollId)[0], 1, "counts");
        assertEq(polls.participants(pollId), 1, "participants");
        assertEq(polls.ballotOf(pollId, _voter(0)).choice, 1, "ballot");
    }

    /// @notice Counters have 32 bits: more votes than a test can cast are written where the contract keeps them.
    function test_ResultsOfLargePolls() public {
        _open(_single(), 5);
        _cast(0, 1, 1);
        vm.record();
        polls.results(pollId);
        (bytes32[] memory reads,) = vm.accesses(address(polls));
        bytes32 tally = reads[reads.length - 1];
        assertEq(uint256(vm.load(address(polls), tally)), 1, "the counters' word is read last");
        vm.store(address(polls), tally, bytes32(uint256(type(uint32).max) << 32 | 70_000));
        uint32[] memory counts = polls.results(pollId);
        assertEq(counts[0], 70_000, "first option");
        assertEq(counts[1], type(uint32).max, "second option");
        assertEq(counts[2], 0, "third option");
    }
}
