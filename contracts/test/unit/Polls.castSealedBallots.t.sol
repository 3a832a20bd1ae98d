// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {PollFixture} from "../PollFixture.sol";

contract PollsCastSealedBallotsTest is PollFixture {
    function setUp() public override {
        super.setUp();
        _open(_sealed(IPolls.PollKind.Single), 5);
    }

    // ---------------------------------------------------------------------------------------------
    // The whole batch is refused
    // ---------------------------------------------------------------------------------------------

    /// @dev Arguments of a batch of one first ballot.
    function _castOne() private {
        polls.castSealedBallots(pollId, _voters(0, 1), new IPolls.SealedBallot[](1), new bytes(64), new bytes(96));
    }

    function test_RevertGiven_Paused() public {
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IPolls.ActionsPaused.selector));
        _castOne();
    }

    function test_RevertWhen_PollIsUnknown() public {
        pollId = 2;
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollUnknown.selector, 2));
        _castOne();
    }

    function test_RevertGiven_PollIsOpenToAll() public {
        _open(_single(), 5);
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollSealingWrong.selector, pollId, false));
        _castOne();
    }

    function _expectStatusWrong(IPolls.PollStatus current) private {
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollStatusWrong.selector, pollId, current));
    }

    function test_RevertGiven_NotOpenYet() public {
        vm.warp(OPENS_AT - 1);
        _expectStatusWrong(IPolls.PollStatus.Announced);
        _castOne();
    }

    function test_RevertGiven_Closed() public {
        _close();
        _expectStatusWrong(IPolls.PollStatus.Closed);
        _castOne();
    }

    function test_RevertGiven_Cancelled() public {
        vm.prank(clerk);
        polls.cancelPoll(pollId, keccak256("reason"));
        _expectStatusWrong(IPolls.PollStatus.Cancelled);
        _castOne();
    }

    function _expectMalformed() private {
        vm.expectRevert(abi.encodeWithSelector(IPolls.BatchMalformed.selector));
    }

    function test_RevertWhen_LengthsDiffer() public {
        IPolls.SealedBallot[] memory one = new IPolls.SealedBallot[](1);
        _expectMalformed();
        polls.castSealedBallots(pollId, new address[](0), new IPolls.SealedBallot[](0), "", "");
        _expectMalformed();
        polls.castSealedBallots(pollId, _voters(0, 2), one, new bytes(128), new bytes(96));
        _expectMalformed();
        polls.castSealedBallots(pollId, _voters(0, 1), new IPolls.SealedBallot[](2), new bytes(64), new bytes(96));
        _expectMalformed();
        polls.castSealedBallots(pollId, _voters(0, 1), one, new bytes(65), new bytes(96));
        _expectMalformed();
        polls.castSealedBallots(pollId, _voters(0, 1), one, new bytes(64), new bytes(97));
        _expectMalformed();
        polls.castSealedBallots(pollId, _voters(0, 1), one, new bytes(64), new bytes(192));
    }

    /// @dev A batch of one whose ballot's word at `index` is replaced; the signature is over the words as they stand.
    function _callWithWord(uint256 index, uint256 word) private returns (bool success, bytes memory result) {
        IPolls.SealedBallot memory ballot = _seal(0, 1, 1);
        uint256[3] memory words = [uint256(ballot.version), uint256(ballot.point), uint256(ballot.maskedChoice)];
        words[index] = word;
        address[] memory accounts = _voters(0, 1);
        bytes32 typehash =
            keccak256("SealedBallot(uint256 pollId,address account,uint32 version,bytes32 point,uint128 maskedChoice)");
        bytes32 structHash = keccak256(abi.encode(typehash, pollId, accounts[0], words));
        bytes memory data = abi.encodeCall(
            polls.castSealedBallots,
            (pollId, accounts, _one(ballot), _signature(0, _typed(address(polls), structHash)), _credentials(accounts))
        );
        // Selector, five heads, two words of accounts, the length of the ballots.
        uint256 position = 32 + 4 + 5 * 32 + 2 * 32 + 32 + 32 * index;
        assembly ("memory-safe") {
            mstore(add(data, position), word)
        }
        return address(polls).call(data);
    }

    function test_RevertWhen_WordsExceedTheirTypes() public {
        bytes memory expected = abi.encodeWithSelector(IPolls.BatchMalformed.selector);
        (bool success, bytes memory result) = _callWithWord(0, 1 << 32);
        assertFalse(success, "a version beyond 32 bits");
        assertEq(result, expected, "reason");
        (success, result) = _callWithWord(2, 1 << 128);
        assertFalse(success, "a masked choice beyond 128 bits");
        assertEq(result, expected, "reason");
        (success,) = _callWithWord(2, type(uint128).max);
        assertTrue(success, "the largest masked choice");
    }

    function test_RevertWhen_CredentialIsBad() public {
        IPolls.SealedBallot memory ballot = _seal(0, 1, 1);
        bytes memory signature = _sign(0, ballot);
        bytes memory credentials = _credentials(_voters(1, 1));
        vm.expectRevert(abi.encodeWithSelector(IPolls.CredentialsInvalid.selector, pollId));
        polls.castSealedBallots(pollId, _voters(0, 1), _one(ballot), signature, credentials);
        assertTrue(polls.ballotOf(pollId, _voter(0)).status == IPolls.BallotStatus.None, "not cast");
    }

    // ---------------------------------------------------------------------------------------------
    // Items are skipped
    // ---------------------------------------------------------------------------------------------

    function _expectSkipped(uint256 voter, uint32 version, IPolls.SkipReason reason) private {
        vm.expectEmit(address(polls));
        emit IPolls.BallotSkipped(pollId, _voter(voter), version, reason);
    }

    function test_SkipWhen_CredentialIsMissing() public {
        IPolls.SealedBallot memory ballot = _seal(0, 1, 1);
        _expectSkipped(0, 1, IPolls.SkipReason.CredentialMissing);
        polls.castSealedBallots(pollId, _voters(0, 1), _one(ballot), _sign(0, ballot), "");
        assertEq(polls.participants(pollId), 0, "not cast");
    }

    function test_SkipGiven_IssuedIsReached() public {
        _open(_sealed(IPolls.PollKind.Single), 1);
        _castSealed(0, 1, 1);
        IPolls.SealedBallot memory ballot = _seal(1, 1, 1);
        _expectSkipped(1, 1, IPolls.SkipReason.IssuedReached);
        _castSealed(1, ballot);
        assertEq(polls.participants(pollId), 1, "not cast");
    }

    function test_SkipGiven_RevoteIsForbidden() public {
        IPolls.PollConfig memory config = _sealed(IPolls.PollKind.Single);
        config.revote = false;
        _open(config, 5);
        _castSealed(0, 1, 1);
        IPolls.SealedBallot memory ballot = _seal(0, 2, 1);
        _expectSkipped(0, 2, IPolls.SkipReason.RevoteForbidden);
        _castSealed(0, ballot);
        assertEq(polls.ballotOf(pollId, _voter(0)).version, 1, "the first ballot stays");
    }

    function test_SkipWhen_VersionIsNotHigher() public {
        IPolls.SealedBallot memory ballot = _seal(0, 0, 1);
        _expectSkipped(0, 0, IPolls.SkipReason.VersionNotHigher);
        _castSealed(0, ballot);
        _castSealed(0, 4, 1);
        ballot = _seal(0, 4, 1);
        _expectSkipped(0, 4, IPolls.SkipReason.VersionNotHigher);
        _castSealed(0, ballot);
        assertEq(polls.participants(pollId), 1, "cast once");
    }

    function test_SkipWhen_SignatureIsInvalid() public {
        IPolls.SealedBallot memory ballot = _seal(0, 1, 1);
        IPolls.SealedBallot[3] memory others = [_seal(0, 1, 1), _seal(0, 1, 1), _seal(0, 1, 1)];
        others[0].version = 2;
        others[1].point ^= bytes32(uint256(1));
        others[2].maskedChoice ^= 1;
        address[] memory accounts = _voters(0, 1);
        bytes memory credentials = _credentials(accounts);
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory signature = _sign(0, others[i]);
            _expectSkipped(0, 1, IPolls.SkipReason.SignatureInvalid);
            polls.castSealedBallots(pollId, accounts, _one(ballot), signature, credentials);
        }
        assertEq(polls.participants(pollId), 0, "not cast");
    }

    // ---------------------------------------------------------------------------------------------
    // Accepted
    // ---------------------------------------------------------------------------------------------

    function test_CastSealed() public {
        IPolls.SealedBallot memory ballot = _seal(0, 3, 8);
        address[] memory accounts = _voters(0, 1);
        bytes memory credentials = _credentials(accounts);
        bytes memory signature = _sign(0, ballot);
        vm.expectEmit(address(polls));
        emit IPolls.SealedBallotCast(pollId, accounts[0], 3, ballot.point, ballot.maskedChoice);
        vm.prank(stranger);
        polls.castSealedBallots(pollId, accounts, _one(ballot), signature, credentials);

        IPolls.BallotInfo memory info = polls.ballotOf(pollId, accounts[0]);
        assertTrue(info.status == IPolls.BallotStatus.Sealed, "status");
        assertEq(info.version, 3, "version");
        assertEq(info.choice, 0, "nobody knows the choice");
        assertEq(polls.participants(pollId), 1, "participants");
        uint32[] memory counts = polls.results(pollId);
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(counts[i], 0, "nothing is counted");
        }
    }

    function test_RevoteReplaces() public {
        IPolls.SealedBallot memory first = _seal(0, 1, 8);
        IPolls.SealedBallot memory second = _seal(0, 2, 1);
        _castSealed(0, first);
        bytes memory signature = _sign(0, second);
        polls.castSealedBallots(pollId, _voters(0, 1), _one(second), signature, "");
        assertEq(polls.participants(pollId), 1, "one account");
        assertEq(polls.ballotOf(pollId, _voter(0)).version, 2, "version");
        _close();
        _publishSecret();
        _openBallot(0, first);
        _openBallot(0, second);
        assertEq(polls.results(pollId)[3], 0, "the first does not count");
        assertEq(polls.results(pollId)[0], 1, "the second counts");
    }
}
