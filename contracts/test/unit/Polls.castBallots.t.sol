// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
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

    function _assertMalformed(uint128 choice) private {
        _expectSkipped(0, 1, IPolls.SkipReason.ChoiceMalformed);
        _cast(0, 1, choice);
        assertEq(polls.participants(pollId), 0, "not cast");
    }

    function test_SkipWhen_SingleChoiceIsMalformed() public {
        _open(_single(), 5);
        _assertMalformed(0);
        _assertMalformed(3);
        _assertMalformed(1 << 4 | 1);
        _assertMalformed(1 << 5);
        _assertMalformed(1 << 127);
        _cast(0, 1, 1 << 4);
        assertEq(polls.results(pollId)[4], 1, "the last option is one");
    }

    function test_SkipWhen_MultipleChoiceIsMalformed() public {
        _open(_config(IPolls.PollKind.Multiple), 5);
        _assertMalformed(0);
        _assertMalformed(15);
        _assertMalformed(31);
        _assertMalformed(1 << 5 | 1);
        _cast(0, 1, 7 << 2);
        assertEq(polls.results(pollId)[4], 1, "three options are allowed");
    }

    function test_SkipWhen_RatingIsMalformed() public {
        _open(_config(IPolls.PollKind.Rating), 5);
        _assertMalformed(0);
        for (uint128 grade = 6; grade < 16; ++grade) {
            _assertMalformed(_grades(grade, 1, 1, 1, 1));
            _assertMalformed(_grades(1, 1, 1, 1, grade));
        }
        _assertMalformed(1 << 20);
        _cast(0, 1, _grades(0, 0, 0, 0, 5));
        assertEq(polls.results(pollId)[24], 1, "one grade is enough");
    }

    function test_SkipWhen_ChoiceExceedsItsType() public {
        _open(_config(IPolls.PollKind.Rating), 5);
        vm.expectEmit(address(polls));
        emit IPolls.BallotSkipped(pollId, _voter(0), 1, IPolls.SkipReason.ChoiceMalformed);
        (bool success,) = _callWithWord(1, 1 << 128 | 1);
        assertTrue(success, "not the end of the batch");
        assertEq(polls.participants(pollId), 0, "not cast");
    }

    function _castSigned(bytes memory signature) private {
        address[] memory accounts = _voters(0, 1);
        polls.castBallots(pollId, accounts, _ballots(1, 1), signature, _credentials(accounts));
    }

    function _assertUnsigned(bytes memory signature) private {
        _expectSkipped(0, 1, IPolls.SkipReason.SignatureInvalid);
        _castSigned(signature);
        assertEq(polls.participants(pollId), 0, "not cast");
    }

    function test_SkipWhen_SignatureIsInvalid() public {
        _open(_single(), 5);
        IPolls.Ballot memory ballot = _ballots(1, 1)[0];
        _assertUnsigned(new bytes(64));
        _assertUnsigned(_sign(1, ballot));
        _assertUnsigned(_sign(0, IPolls.Ballot({version: 2, choice: 1})));
        _assertUnsigned(_sign(0, IPolls.Ballot({version: 1, choice: 2})));
        _assertUnsigned(_signature(0, _digest(address(polls), pollId, _voter(1), ballot)));
        bytes memory signature = _sign(0, ballot);
        signature[63] ^= 0x01;
        _assertUnsigned(signature);
        signature[63] ^= 0x01;
        // The other parity.
        signature[32] ^= 0x80;
        _assertUnsigned(signature);
        signature[32] ^= 0x80;
        _castSigned(signature);
        assertEq(polls.participants(pollId), 1, "cast");
    }

    /// @notice What cannot be recovered comes out as the zero address; a credential for it must not let everybody vote.
    function test_SkipWhen_AccountIsZeroAndSignatureRecoversNothing() public {
        _open(_single(), 5);
        address[] memory accounts = new address[](1);
        bytes memory credentials = _credentials(accounts);
        vm.expectEmit(address(polls));
        emit IPolls.BallotSkipped(pollId, address(0), 1, IPolls.SkipReason.SignatureInvalid);
        polls.castBallots(pollId, accounts, _ballots(1, 1), new bytes(64), credentials);
        assertEq(polls.participants(pollId), 0, "not cast");
    }

    function test_SkipWhen_SkippedItemsHaveBadCredentials() public {
        _open(_single(), 5);
        _cast(0, 1, 1);
        Items memory items = _items(0, 3, 1, 1);
        items.credentials[5] ^= 0x01;
        _submit(items);
        assertEq(polls.participants(pollId), 3, "a replayed item cannot spoil the batch");
    }

    function test_SkipWhen_BatchIsAllBad() public {
        _open(_revotable(IPolls.PollKind.Single), 2);
        _cast(0, 5, 1);
        Items memory items = _items(0, 4, 5, 1);
        items.ballots[1].choice = 3;
        items.signatures[64 * 2 + 40] ^= 0x01;
        items.ballots[3].version = 0;
        _expectSkipped(0, 5, IPolls.SkipReason.VersionNotHigher);
        _expectSkipped(1, 5, IPolls.SkipReason.ChoiceMalformed);
        _expectSkipped(2, 5, IPolls.SkipReason.SignatureInvalid);
        _expectSkipped(3, 0, IPolls.SkipReason.VersionNotHigher);
        _submit(items);
        assertEq(polls.participants(pollId), 1, "nothing has changed");
        assertEq(polls.results(pollId)[0], 1, "nothing has changed");
    }

    function test_SkipWhen_OnlyTheLastOfABatchExceedsIssued() public {
        _open(_single(), 2);
        _expectSkipped(2, 1, IPolls.SkipReason.IssuedReached);
        _submit(_items(0, 3, 1, 1));
        assertEq(polls.participants(pollId), 2, "as many as are issued");
        assertTrue(polls.ballotOf(pollId, _voter(2)).status == IPolls.BallotStatus.None, "the last one waits");
    }

    // ---------------------------------------------------------------------------------------------
    // Batches
    // ---------------------------------------------------------------------------------------------

    struct Items {
        address[] accounts;
        IPolls.Ballot[] ballots;
        bytes signatures;
        bytes credentials;
    }

    /// @dev Ballots of voters `first`, ..., all with credentials.
    function _items(uint256 first, uint256 count, uint32 version, uint128 choice)
        private
        view
        returns (Items memory items)
    {
        items.accounts = _voters(first, count);
        items.ballots = new IPolls.Ballot[](count);
        for (uint256 i = 0; i < count; ++i) {
            items.ballots[i] = IPolls.Ballot({version: version, choice: choice});
            items.signatures = bytes.concat(items.signatures, _sign(first + i, items.ballots[i]));
        }
        items.credentials = _credentials(items.accounts);
    }

    function _submit(Items memory items) private {
        polls.castBallots(pollId, items.accounts, items.ballots, items.signatures, items.credentials);
    }

    /// @notice First those that bring credentials, then those that have a ballot already.
    function test_CastMixedBatch() public {
        _open(_revotable(IPolls.PollKind.Single), 5);
        _cast(2, 1, 1);
        Items memory items = _items(0, 4, 2, 2);
        bytes memory two = new bytes(192);
        for (uint256 i = 0; i < 192; ++i) {
            two[i] = items.credentials[i];
        }
        items.credentials = two;
        _expectSkipped(3, 2, IPolls.SkipReason.CredentialMissing);
        _submit(items);
        assertEq(polls.participants(pollId), 3, "two new ones");
        assertEq(polls.results(pollId)[0], 0, "replaced");
        assertEq(polls.results(pollId)[1], 3, "counted");
    }

    function test_CastTwiceInOneBatch() public {
        _open(_revotable(IPolls.PollKind.Single), 5);
        Items memory items = _items(0, 2, 1, 1);
        items.accounts[1] = items.accounts[0];
        items.ballots[1] = IPolls.Ballot({version: 2, choice: 8});
        items.signatures = bytes.concat(_sign(0, items.ballots[0]), _sign(0, items.ballots[1]));
        items.credentials = _credentials(items.accounts);
        _submit(items);
        assertEq(polls.participants(pollId), 1, "one account");
        assertEq(polls.results(pollId)[0], 0, "replaced");
        assertEq(polls.results(pollId)[3], 1, "the second counts");
    }

    /// @notice A relayer need not know whether an account has voted: a credential that is not needed is not looked at.
    function test_CastAgainWithCredential() public {
        _open(_revotable(IPolls.PollKind.Single), 1);
        _cast(0, 1, 1);
        Items memory items = _items(0, 1, 2, 2);
        items.credentials = new bytes(96);
        _submit(items);
        assertEq(polls.ballotOf(pollId, _voter(0)).version, 2, "replaced, though as many as issued are accepted");
        assertEq(polls.participants(pollId), 1, "one account");
    }

    function test_CastInTheFirstAndTheLastSecond() public {
        _open(_single(), 5);
        vm.warp(OPENS_AT);
        _cast(0, 1, 1);
        vm.warp(CLOSES_AT + GRACE - 1);
        _cast(1, type(uint32).max, 1);
        assertEq(polls.participants(pollId), 2, "both count");
        assertEq(polls.ballotOf(pollId, _voter(1)).version, type(uint32).max, "the highest version");
    }

    /// @notice Whatever the order in which versions arrive, the highest one counts.
    function testFuzz_TheHighestVersionCounts(uint32[6] memory versions, uint8[6] memory options) public {
        _open(_revotable(IPolls.PollKind.Single), 1);
        uint256 highest = 0;
        uint256 option = 0;
        for (uint256 i = 0; i < 6; ++i) {
            uint256 chosen = options[i] % 5;
            _cast(0, versions[i], uint128(1 << chosen));
            if (versions[i] > highest) (highest, option) = (versions[i], chosen);
        }
        vm.assume(highest != 0);
        assertEq(polls.ballotOf(pollId, _voter(0)).version, highest, "version");
        uint32[] memory counts = polls.results(pollId);
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(counts[i], i == option ? 1 : 0, "counts");
        }
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

    function test_CastRating() public {
        _open(_revotable(IPolls.PollKind.Rating), 5);
        _cast(0, 1, _grades(1, 2, 3, 4, 5));
        _cast(1, 1, _grades(5, 0, 3, 0, 1));
        uint32[] memory counts = polls.results(pollId);
        for (uint256 i = 0; i < 25; ++i) {
            uint256 expected = i % 6 == 0 ? 1 : 0;
            if (i == 4 || i == 20 || i == 12) ++expected;
            assertEq(counts[i], expected, "grades");
        }
        _recast(0, 2, _grades(0, 5, 0, 0, 0));
        counts = polls.results(pollId);
        for (uint256 i = 0; i < 25; ++i) {
            assertEq(counts[i], i == 4 || i == 9 || i == 12 || i == 20 ? 1 : 0, "grades after the change");
        }
    }

    function test_CastWithAllOptions() public {
        IPolls.PollConfig memory config = _config(IPolls.PollKind.Multiple);
        (config.optionCount, config.maxChoices) = (32, 32);
        _open(config, 5);
        _cast(0, 1, type(uint32).max);
        _cast(1, 1, 1 << 31);
        uint32[] memory counts = polls.results(pollId);
        for (uint256 i = 0; i < 32; ++i) {
            assertEq(counts[i], i == 31 ? 2 : 1, "every option");
        }
    }

    function test_CastRatingOfAllOptions() public {
        IPolls.PollConfig memory config = _config(IPolls.PollKind.Rating);
        config.optionCount = 32;
        _open(config, 5);
        _cast(0, 1, 0x55555555555555555555555555555555);
        uint32[] memory counts = polls.results(pollId);
        for (uint256 i = 0; i < 160; ++i) {
            assertEq(counts[i], i % 5 == 4 ? 1 : 0, "every option");
        }
        assertEq(polls.ballotOf(pollId, _voter(0)).choice, 0x55555555555555555555555555555555, "the whole choice");
    }

    /// @notice Polls have nothing in common but the contract.
    function test_PollsAreIndependent() public {
        _open(_revotable(IPolls.PollKind.Single), 5);
        _cast(0, 9, 1);
        _open(_revotable(IPolls.PollKind.Single), 5);
        _cast(0, 1, 2);
        assertEq(polls.ballotOf(1, _voter(0)).version, 9, "first poll");
        assertEq(polls.ballotOf(2, _voter(0)).version, 1, "second poll");
        assertEq(polls.results(1)[0], 1, "first poll");
        assertEq(polls.results(1)[1], 0, "first poll");
        assertEq(polls.results(2)[0], 0, "second poll");
        assertEq(polls.results(2)[1], 1, "second poll");
        assertEq(polls.participants(2), 1, "second poll");
    }
}
