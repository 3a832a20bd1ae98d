// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {PollFixture} from "../PollFixture.sol";

contract PollsOpenBallotsTest is PollFixture {
    bytes32 private constant NO_POINT = bytes32(uint256(5));

    function setUp() public override {
        super.setUp();
        _open(_sealed(IPolls.PollKind.Multiple), 10);
    }

    function _secret() private returns (uint256 secret) {
        (secret,) = _evenPair(_sealingSecretOf(pollId));
    }

    // ---------------------------------------------------------------------------------------------
    // publishSealingSecret
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_SecretIsOfUnknownPoll() public {
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollUnknown.selector, 2));
        polls.publishSealingSecret(2, 1);
    }

    function test_RevertWhen_SecretIsOfOpenPoll() public {
        _open(_single(), 0);
        _close();
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollSealingWrong.selector, pollId, false));
        polls.publishSealingSecret(pollId, 1);
    }

    function _assertTooEarly(uint256 time, IPolls.PollStatus current) private {
        uint256 secret = _secret();
        vm.warp(time);
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollStatusWrong.selector, pollId, current));
        polls.publishSealingSecret(pollId, secret);
    }

    function test_RevertGiven_BallotsAreStillAccepted() public {
        _assertTooEarly(OPENS_AT - 1, IPolls.PollStatus.Announced);
        _assertTooEarly(OPENS_AT, IPolls.PollStatus.Open);
        _assertTooEarly(CLOSES_AT + GRACE - 1, IPolls.PollStatus.Closing);
    }

    function test_RevertGiven_SecretIsKnown() public {
        _close();
        _publishSecret();
        uint256 secret = _secret();
        vm.expectRevert(abi.encodeWithSelector(IPolls.SealingSecretKnown.selector, pollId));
        polls.publishSealingSecret(pollId, secret);
    }

    function test_RevertWhen_SecretIsWrong() public {
        uint256 secret = _secret();
        _close();
        uint256[6] memory wrong = [0, 1, secret + 1, SECP_ORDER - secret, SECP_ORDER, type(uint256).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IPolls.SealingSecretWrong.selector, pollId));
            polls.publishSealingSecret(pollId, wrong[i]);
        }
    }

    function _assertPublished() private {
        uint256 secret = _secret();
        vm.expectEmit(address(polls));
        emit IPolls.SealingSecretPublished(pollId, secret);
        vm.prank(stranger);
        polls.publishSealingSecret(pollId, secret);
        assertEq(polls.poll(pollId).sealingSecret, secret, "secret");
    }

    function test_PublishGiven_Closed() public {
        _close();
        _pause();
        _assertPublished();
    }

    function test_PublishGiven_Cancelled() public {
        vm.prank(clerk);
        polls.cancelPoll(pollId, keccak256("reason"));
        _assertPublished();
    }

    // ---------------------------------------------------------------------------------------------
    // openBallots: the whole batch is refused
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_PollIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollUnknown.selector, 0));
        polls.openBallots(0, _voters(0, 1), new IPolls.SealedBallot[](1));
    }

    function test_RevertGiven_SecretIsUnknown() public {
        IPolls.SealedBallot memory ballot = _seal(0, 1, 1);
        _castSealed(0, ballot);
        _close();
        vm.expectRevert(abi.encodeWithSelector(IPolls.SealingSecretUnknown.selector, pollId));
        _openBallot(0, ballot);
    }

    function test_RevertGiven_PollIsOpenToAll() public {
        _open(_single(), 5);
        _cast(0, 1, 1);
        _close();
        vm.expectRevert(abi.encodeWithSelector(IPolls.SealingSecretUnknown.selector, pollId));
        polls.openBallots(pollId, _voters(0, 1), new IPolls.SealedBallot[](1));
    }

    function test_RevertWhen_LengthsDiffer() public {
        _close();
        _publishSecret();
        bytes memory expected = abi.encodeWithSelector(IPolls.BatchMalformed.selector);
        vm.expectRevert(expected);
        polls.openBallots(pollId, new address[](0), new IPolls.SealedBallot[](0));
        vm.expectRevert(expected);
        polls.openBallots(pollId, _voters(0, 1), new IPolls.SealedBallot[](2));
        vm.expectRevert(expected);
        polls.openBallots(pollId, _voters(0, 2), new IPolls.SealedBallot[](1));
    }

    // ---------------------------------------------------------------------------------------------
    // openBallots: items are skipped
    // ---------------------------------------------------------------------------------------------

    function _expectSkipped(uint256 voter, uint32 version, IPolls.SkipReason reason) private {
        vm.expectEmit(address(polls));
        emit IPolls.OpeningSkipped(pollId, _voter(voter), version, reason);
    }

    function test_SkipWhen_NotSealed() public {
        IPolls.SealedBallot memory ballot = _seal(0, 1, 1);
        IPolls.SealedBallot memory spoilt = _seal(1, 1, 15);
        _castSealed(0, ballot);
        _castSealed(1, spoilt);
        _close();
        _publishSecret();
        _expectSkipped(2, 1, IPolls.SkipReason.NotSealed);
        _openBallot(2, ballot);
        _openBallot(0, ballot);
        _expectSkipped(0, 1, IPolls.SkipReason.NotSealed);
        _openBallot(0, ballot);
        _openBallot(1, spoilt);
        _expectSkipped(1, 1, IPolls.SkipReason.NotSealed);
        _openBallot(1, spoilt);
        assertEq(polls.results(pollId)[0], 1, "counted once");
        assertEq(polls.poll(pollId).opened, 1, "opened once");
        assertEq(polls.poll(pollId).spoilt, 1, "spoilt once");
    }

    function test_SkipWhen_SealDiffers() public {
        IPolls.SealedBallot memory ballot = _seal(0, 3, 1);
        _castSealed(0, ballot);
        _close();
        _publishSecret();
        ballot.version = 2;
        _expectSkipped(0, 2, IPolls.SkipReason.SealMismatch);
        _openBallot(0, ballot);
        ballot.version = 3;
        ballot.point ^= bytes32(uint256(1));
        _expectSkipped(0, 3, IPolls.SkipReason.SealMismatch);
        _openBallot(0, ballot);
        ballot.point ^= bytes32(uint256(1));
        ballot.maskedChoice ^= 1;
        _expectSkipped(0, 3, IPolls.SkipReason.SealMismatch);
        _openBallot(0, ballot);
        assertTrue(polls.ballotOf(pollId, _voter(0)).status == IPolls.BallotStatus.Sealed, "still sealed");
        ballot.maskedChoice ^= 1;
        _openBallot(0, ballot);
        assertEq(polls.ballotOf(pollId, _voter(0)).choice, 1, "opened");
    }

    // ---------------------------------------------------------------------------------------------
    // openBallots: spoilt
    // ---------------------------------------------------------------------------------------------

    function _assertSpoilt(uint256 voter, IPolls.SealedBallot memory ballot) private {
        uint256 before = polls.poll(pollId).spoilt;
        vm.expectEmit(address(polls));
        emit IPolls.BallotSpoilt(pollId, _voter(voter), ballot.version);
        _openBallot(voter, ballot);
        IPolls.BallotInfo memory info = polls.ballotOf(pollId, _voter(voter));
        assertTrue(info.status == IPolls.BallotStatus.Spoilt, "status");
        assertEq(info.version, ballot.version, "version");
        assertEq(info.choice, 0, "choice");
        assertEq(polls.poll(pollId).spoilt, before + 1, "spoilt");
        assertEq(polls.poll(pollId).opened, 0, "opened");
        uint32[] memory counts = polls.results(pollId);
        for (uint256 i = 0; i < counts.length; ++i) {
            assertEq(counts[i], 0, "counts for no option");
        }
    }

    function test_SpoiltWhen_ChoiceIsMalformed() public {
        IPolls.SealedBallot[4] memory ballots =
            [_seal(0, 1, 0), _seal(1, 2, 15), _seal(2, 3, 1 << 5), _seal(3, 4, type(uint128).max)];
        for (uint256 i = 0; i < 4; ++i) {
            _castSealed(i, ballots[i]);
        }
        _close();
        _publishSecret();
        for (uint256 i = 0; i < 4; ++i) {
            _assertSpoilt(i, ballots[i]);
        }
    }

    /// @notice Nobody can have masked anything with a point that does not exist, whatever the masked choice would be.
    function test_SpoiltWhen_PointDoesNotExist() public {
        bytes32[3] memory points = [NO_POINT, bytes32(0), bytes32(SECP_ORDER)];
        IPolls.SealedBallot[3] memory ballots;
        for (uint256 i = 0; i < 3; ++i) {
            // The choice that would come out if the zero address were a shared point like any other.
            bytes32 hash = keccak256(abi.encodePacked(address(polls), pollId, _voter(i), uint32(1), address(0)));
            ballots[i] = IPolls.SealedBallot({version: 1, point: points[i], maskedChoice: 1 ^ uint128(bytes16(hash))});
            _castSealed(i, ballots[i]);
        }
        _close();
        _publishSecret();
        for (uint256 i = 0; i < 3; ++i) {
            _assertSpoilt(i, ballots[i]);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // openBallots: opened
    // ---------------------------------------------------------------------------------------------

    function test_Open() public {
        IPolls.SealedBallot memory ballot = _seal(0, 7, 19);
        _castSealed(0, ballot);
        _close();
        _publishSecret();
        _pause();
        vm.expectEmit(address(polls));
        emit IPolls.BallotOpened(pollId, _voter(0), 7, 19);
        vm.prank(stranger);
        _openBallot(0, ballot);

        IPolls.BallotInfo memory info = polls.ballotOf(pollId, _voter(0));
        assertTrue(info.status == IPolls.BallotStatus.Counted, "status");
        assertEq(info.version, 7, "version");
        assertEq(info.choice, 19, "choice");
        assertEq(polls.poll(pollId).opened, 1, "opened");
        assertEq(polls.poll(pollId).spoilt, 0, "spoilt");
        uint32[] memory counts = polls.results(pollId);
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(counts[i], i == 0 || i == 1 || i == 4 ? 1 : 0, "counts");
        }
        assertTrue(polls.isFinal(pollId), "final");
    }

    function test_OpenGiven_Cancelled() public {
        IPolls.SealedBallot memory ballot = _seal(0, 1, 1);
        _castSealed(0, ballot);
        vm.prank(clerk);
        polls.cancelPoll(pollId, keccak256("reason"));
        _publishSecret();
        _openBallot(0, ballot);
        assertEq(polls.results(pollId)[0], 1, "readable");
        assertFalse(polls.isFinal(pollId), "no result");
    }

    /// @notice A batch with bad items: those that are good count, each once.
    function test_OpenMixedBatch() public {
        IPolls.SealedBallot[] memory ballots = new IPolls.SealedBallot[](5);
        address[] memory accounts = new address[](5);
        for (uint256 i = 0; i < 3; ++i) {
            (ballots[i], accounts[i]) = (_seal(i, 1, uint128(i == 1 ? 31 : 1 << i)), _voter(i));
            _castSealed(i, ballots[i]);
        }
        (ballots[3], accounts[3]) = (ballots[0], accounts[0]);
        (ballots[4], accounts[4]) = (ballots[0], accounts[2]);
        _close();
        _publishSecret();
        _expectSkipped(0, 1, IPolls.SkipReason.NotSealed);
        _expectSkipped(2, 1, IPolls.SkipReason.NotSealed);
        polls.openBallots(pollId, accounts, ballots);
        assertEq(polls.poll(pollId).opened, 2, "opened");
        assertEq(polls.poll(pollId).spoilt, 1, "spoilt");
        assertEq(polls.results(pollId)[0], 1, "option 0");
        assertEq(polls.results(pollId)[1], 0, "option 1");
        assertEq(polls.results(pollId)[2], 1, "option 2");
        assertTrue(polls.isFinal(pollId), "final");
    }

    /// @notice Whatever is sealed is what is counted, or spoilt.
    function testFuzz_OpenWhatWasSealed(uint128 choice, uint32 version, uint256 voter) public {
        version = uint32(bound(version, 1, type(uint32).max));
        voter = bound(voter, 0, type(uint64).max);
        // Mostly well formed.
        if (choice % 4 != 0) choice = uint128(7 << choice % 3);
        IPolls.SealedBallot memory ballot = _seal(voter, version, choice);
        _castSealed(voter, ballot);
        _close();
        _publishSecret();
        _openBallot(voter, ballot);
        IPolls.BallotInfo memory info = polls.ballotOf(pollId, _voter(voter));
        bool wellFormed = choice == 7 || choice == 14 || choice == 28;
        if (wellFormed) assertTrue(info.status == IPolls.BallotStatus.Counted, "counted");
        if (info.status == IPolls.BallotStatus.Counted) assertEq(info.choice, choice, "choice");
        else assertEq(polls.poll(pollId).spoilt, 1, "spoilt");
    }
}
