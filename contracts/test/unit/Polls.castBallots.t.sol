// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {PollFixture} from "../PollFixture.sol";

contract PollsCastBallotsTest is PollFixture {
    // ---------------------------------------------------------------------------------------------
    // The whole batch is refused
    // ---------------------------------------------------------------------------------------------

    function _expectStatusWrong(IPolls.PollStatus current) private {
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollStatusWrong.selector, pollId, current));
    }

    /// @dev Arguments of a batch of one first ballot.
    function _castOne() private {
        polls.castBallots(pollId, _voters(0, 1), _ballots(1, 1), new bytes(64), new bytes(96));
    }

    function test_RevertGiven_Paused() public {
        _open(_single(), 1);
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IPolls.ActionsPaused.selector));
        _castOne();
    }

    function test_RevertWhen_PollIsUnknown() public {
        _open(_single(), 1);
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollUnknown.selector, 0));
        polls.castBallots(0, _voters(0, 1), _ballots(1, 1), new bytes(64), new bytes(96));
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollUnknown.selector, 2));
        polls.castBallots(2, _voters(0, 1), _ballots(1, 1), new bytes(64), new bytes(96));
    }

    function test_RevertGiven_PollIsSealed() public {
        _open(_sealed(IPolls.PollKind.Single), 1);
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollSealingWrong.selector, pollId, true));
        _castOne();
    }

    function test_RevertGiven_NotOpenYet() public {
        _open(_single(), 1);
        vm.warp(OPENS_AT - 1);
        _expectStatusWrong(IPolls.PollStatus.Announced);
        _castOne();
    }

    function test_RevertGiven_Closed() public {
        _open(_single(), 1);
        vm.warp(CLOSES_AT + GRACE);
        _expectStatusWrong(IPolls.PollStatus.Closed);
        _castOne();
    }

    function test_RevertGiven_Cancelled() public {
        _open(_single(), 1);
        vm.prank(clerk);
        polls.cancelPoll(pollId, keccak256("reason"));
        _expectStatusWrong(IPolls.PollStatus.Cancelled);
        _castOne();
    }

    function _expectMalformed() private {
        vm.expectRevert(abi.encodeWithSelector(IPolls.BatchMalformed.selector));
    }

    function test_RevertWhen_LengthsDiffer() public {
        _open(_single(), 5);
        _expectMalformed();
        polls.castBallots(pollId, new address[](0), new IPolls.Ballot[](0), "", "");
        _expectMalformed();
        polls.castBallots(pollId, _voters(0, 2), _ballots(1, 1), new bytes(128), new bytes(96));
        _expectMalformed();
        polls.castBallots(pollId, _voters(0, 1), new IPolls.Ballot[](2), new bytes(64), new bytes(96));
        _expectMalformed();
        polls.castBallots(pollId, _voters(0, 1), _ballots(1, 1), new bytes(65), new bytes(96));
        _expectMalformed();
        polls.castBallots(pollId, _voters(0, 1), _ballots(1, 1), new bytes(63), new bytes(96));
        _expectMalformed();
        polls.castBallots(pollId, _voters(0, 1), _ballots(1, 1), new bytes(64), new bytes(95));
        _expectMalformed();
        polls.castBallots(pollId, _voters(0, 1), _ballots(1, 1), new bytes(64), new bytes(192));
    }

    /// @dev A batch of one whose ballot's word at `index` is replaced.
    function _callWithWord(uint256 index, uint256 word) private returns (bool success, bytes memory result) {
        IPolls.Ballot[] memory ballots = _ballots(1, 1);
        address[] memory accounts = _voters(0, 1);
        bytes memory data = abi.encodeCall(
            polls.castBallots, (pollId, accounts, ballots, _sign(0, ballots[0]), _credentials(accounts))
        );
        // Selector, five heads, two words of accounts, the length of the ballots.
        uint256 position = 32 + 4 + 5 * 32 + 2 * 32 + 32 + 32 * index;
        assembly ("memory-safe") {
            mstore(add(data, position), word)
        }
        return address(polls).call(data);
    }

    function test_RevertWhen_VersionExceedsItsType() public {
        _open(_single(), 5);
        (bool success, bytes memory result) = _callWithWord(0, 1 << 32 | 1);
        assertFalse(success, "a version beyond 32 bits");
        assertEq(result, abi.encodeWithSelector(IPolls.BatchMalformed.selector), "reason");
        (success,) = _callWithWord(0, 1);
        assertTrue(success, "the position is right");
    }

    function test_RevertWhen_OneCredentialOfManyIsBad() public {
        _open(_single(), 5);
        address[] memory accounts = _voters(0, 3);
        IPolls.Ballot[] memory ballots = new IPolls.Ballot[](3);
        bytes memory signatures;
        for (uint256 i = 0; i < 3; ++i) {
            ballots[i] = IPolls.Ballot({version: 1, choice: 1});
            signatures = bytes.concat(signatures, _sign(i, ballots[i]));
        }
        bytes memory credentials = _credentials(accounts);
        credentials[96 * 2 + 10] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(IPolls.CredentialsInvalid.selector, pollId));
        polls.castBallots(pollId, accounts, ballots, signatures, credentials);
        assertEq(polls.participants(pollId), 0, "nothing is cast");
        assertEq(polls.results(pollId)[0], 0, "nothing is counted");
    }

    // ---------------------------------------------------------------------------------------------
    // Items are skipped
    // ---------------------------------------------------------------------------------------------

    function _expectSkipped(uint256 voter, uint32 version, IPolls.SkipReason reason) private {
        vm.expectEmit(address(polls));
        emit IPolls.BallotSkipped(pollId, _voter(voter), version, reason);
    }

    function test_SkipWhen_CredentialIsMissing() public {
        _open(_single(), 5);
        _expectSkipped(0, 3, IPolls.SkipReason.CredentialMissing);
        _recast(0, 3, 1);
        assertEq(polls.participants(pollId), 0, "not cast");
    }

    function test_SkipGiven_IssuedIsReached() public {
        _open(_single(), 1);
        _cast(0, 1, 1);
        _expectSkipped(1, 1, IPolls.SkipReason.IssuedReached);
        _cast(1, 1, 1);
        assertEq(polls.participants(pollId), 1, "not cast");
        _publishIssued(2);
        _cast(1, 1, 1);
        assertEq(polls.participants(pollId), 2, "cast later");
    }

    function test_SkipGiven_RevoteIsForbidden() public {
        _open(_single(), 5);
        _cast(0, 1, 1);
        _expectSkipped(0, 2, IPolls.SkipReason.RevoteForbidden);
        _cast(0, 2, 2);
        _expectSkipped(0, 2, IPolls.SkipReason.RevoteForbidden);
        _recast(0, 2, 2);
        assertEq(polls.ballotOf(pollId, _voter(0)).choice, 1, "the first ballot stays");
    }

    function test_SkipWhen_VersionIsNotHigher() public {
        _open(_revotable(IPolls.PollKind.Single), 5);
        _expectSkipped(0, 0, IPolls.SkipReason.VersionNotHigher);
        _cast(0, 0, 1);
        _cast(0, 7, 1);
        _expectSkipped(0, 7, IPolls.SkipReason.VersionNotHigher);
        _recast(0, 7, 2);
        _expectSkipped(0, 6, IPolls.SkipReason.VersionNotHigher);
        _cast(0, 6, 2);
        assertEq(polls.ballotOf(pollId, _voter(0)).choice, 1, "the first ballot stays");
    }

    // ---------------------------------------------------------------------------------------------
    // Accepted
    // ---------------------------------------------------------------------------------------------

    function test_CastSingle() public {
        _open(_single(), 5);
        address[] memory accounts = _voters(0, 1);
        IPolls.Ballot[] memory ballots = _ballots(4, 8);
        bytes memory signature = _sign(0, ballots[0]);
        bytes memory credentials = _credentials(accounts);
        vm.expectEmit(address(polls));
        emit IPolls.BallotCast(pollId, accounts[0], 4, 8);
        vm.prank(stranger);
        polls.castBallots(pollId, accounts, ballots, signature, credentials);

        IPolls.BallotInfo memory info = polls.ballotOf(pollId, accounts[0]);
        assertTrue(info.status == IPolls.BallotStatus.Counted, "status");
        assertEq(info.version, 4, "version");
        assertEq(info.choice, 8, "choice");
        assertEq(polls.participants(pollId), 1, "participants");
        assertEq(polls.poll(pollId).ballots, 1, "ballots");
        uint32[] memory counts = polls.results(pollId);
        assertEq(counts.length, 5, "options");
        assertEq(abi.encode(counts), _encoded(counts, 3), "counts");
    }

    /// @dev What `counts` must be if only `one` has been chosen, once.
    function _encoded(uint32[] memory counts, uint256 one) private pure returns (bytes memory) {
        uint32[] memory expected = new uint32[](counts.length);
        expected[one] = 1;
        return abi.encode(expected);
    }

    function test_RevoteReplaces() public {
        _open(_revotable(IPolls.PollKind.Multiple), 5);
        _cast(0, 1, 7);
        _cast(1, 1, 3);
        _recast(0, 2, 24);
        uint32[] memory counts = polls.results(pollId);
        assertEq(counts[0], 1, "option 0");
        assertEq(counts[1], 1, "option 1");
        assertEq(counts[2], 0, "option 2");
        assertEq(counts[3], 1, "option 3");
        assertEq(counts[4], 1, "option 4");
        assertEq(polls.participants(pollId), 2, "participants");
    }

    function test_RevertWhen_OneSignatureOnTheSumIsSplitInTwo() public {
        _open(_single(), 5);
        address[] memory accounts = _voters(0, 2);
        bytes memory sum = BlsSigner.add(_hashPoint(pollId, accounts[0]), _hashPoint(pollId, accounts[1]));
        bytes memory issued = BlsSigner.multiply(sum, _issuerSecret(pollId));
        bytes memory half = BlsSigner.multiply(sum, 31337);
        bytes memory credentials =
            bytes.concat(BlsSigner.unpad(half), BlsSigner.unpad(BlsSigner.add(issued, BlsSigner.negate(half))));
        IPolls.Ballot[] memory ballots = new IPolls.Ballot[](2);
        ballots[0] = ballots[1] = IPolls.Ballot({version: 1, choice: 1});
        bytes memory signatures = bytes.concat(_sign(0, ballots[0]), _sign(1, ballots[1]));
        vm.expectRevert(abi.encodeWithSelector(IPolls.CredentialsInvalid.selector, pollId));
        polls.castBallots(pollId, accounts, ballots, signatures, credentials);
    }

    function test_SealedLife() public {
        _open(_sealed(IPolls.PollKind.Rating), 5);
        _castSealed(0, 1, _grades(5, 0, 1, 2, 3));
        IPolls.SealedBallot memory last = _seal(0, 2, _grades(1, 2, 3, 4, 5));
        _castSealed(0, last);
        IPolls.SealedBallot memory bad = _seal(1, 1, _grades(6, 2, 3, 4, 5));
        _castSealed(1, bad);
        _close();
        _publishSecret();
        _openBallot(0, last);
        assertFalse(polls.isFinal(pollId), "one is sealed");
        _openBallot(1, bad);
        assertTrue(polls.isFinal(pollId), "final");
        uint32[] memory counts = polls.results(pollId);
        for (uint256 i = 0; i < 25; ++i) {
            assertEq(counts[i], i % 6 == 0 ? 1 : 0, "grades");
        }
        assertTrue(polls.ballotOf(pollId, _voter(1)).status == IPolls.BallotStatus.Spoilt, "spoilt");
        assertEq(polls.poll(pollId).spoilt, 1, "spoilt");
        assertEq(polls.poll(pollId).opened, 1, "opened");
    }
}
