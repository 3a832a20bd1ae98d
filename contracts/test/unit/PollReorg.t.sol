// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {PollFixture} from "../PollFixture.sol";

/// @title Polls after a reorganisation of the chain
/// @dev A reorganisation is modelled by going back to an earlier state; whoever keeps signed messages brings them again.
contract PollReorgTest is PollFixture {
    struct Items {
        address[] accounts;
        IPolls.Ballot[] ballots;
        bytes signatures;
        bytes credentials;
    }

    /// @dev First ballots of voters `first`, ..., for their own options.
    function _items(uint256 first, uint256 count, uint32 version) private view returns (Items memory items) {
        items.accounts = _voters(first, count);
        items.ballots = new IPolls.Ballot[](count);
        for (uint256 i = 0; i < count; ++i) {
            items.ballots[i] = IPolls.Ballot({version: version, choice: uint128(1 << (first + i + version) % 5)});
            items.signatures = bytes.concat(items.signatures, _sign(first + i, items.ballots[i]));
        }
        items.credentials = _credentials(items.accounts);
    }

    function _submit(Items memory items) private {
        polls.castBallots(pollId, items.accounts, items.ballots, items.signatures, items.credentials);
    }

    function _state() private view returns (bytes memory state) {
        state = abi.encode(polls.poll(pollId), polls.results(pollId));
        for (uint256 i = 0; i < 6; ++i) {
            state = bytes.concat(state, abi.encode(polls.ballotOf(pollId, _voter(i))));
        }
    }

    /// @notice The same ballots again, by others, in other batches, in another order, twice: each counts once, and the
    /// end is the same as without the reorganisation.
    function test_BallotsBroughtAgainAfterAReorgCountOnce() public {
        _open(_revotable(IPolls.PollKind.Single), 100);
        Items memory all = _items(0, 6, 1);
        Items memory some = _items(2, 3, 1);
        Items memory later = _items(1, 3, 2);
        uint256 snapshot = vm.snapshotState();
        _submit(all);
        _submit(later);
        bytes memory expected = _state();
        assertEq(polls.participants(pollId), 6, "six");

        vm.revertToState(snapshot);
        assertEq(polls.participants(pollId), 0, "all is gone");
        _submit(later);
        _submit(some);
        _submit(all);
        _submit(later);
        _submit(all);
        assertEq(_state(), expected, "as if nothing had happened");
    }

    /// @notice Where ballots cannot be changed, the first one that arrives stays, and after a reorganisation that may be
    /// another one of the same account: it still has one.
    function test_WithoutRevoteAReorgMayChangeWhichBallotCounts() public {
        _open(_single(), 100);
        Items memory first = _items(0, 1, 1);
        Items memory second = _items(0, 1, 2);
        uint256 snapshot = vm.snapshotState();
        _submit(first);
        _submit(second);
        assertEq(polls.ballotOf(pollId, _voter(0)).version, 1, "the first one");
        vm.revertToState(snapshot);
        _submit(second);
        _submit(first);
        assertEq(polls.ballotOf(pollId, _voter(0)).version, 2, "the one that came first this time");
        assertEq(polls.participants(pollId), 1, "one ballot");
    }

    // ---------------------------------------------------------------------------------------------
    // Two creations exchange their ids
    // ---------------------------------------------------------------------------------------------

    uint256 private constant PLAYGROUND_SECRET = 111;
    uint256 private constant ROAD_SECRET = 222;

    /// @dev Creates both polls, publishes counts and opens them.
    function _createBoth(bool exchanged) private {
        IPolls.PollConfig memory playground = _single();
        IPolls.PollConfig memory road = _single();
        (playground.contentHash, road.contentHash) = (keccak256("playground"), keccak256("road"));
        bytes memory playgroundKey = BlsSigner.publicKey(PLAYGROUND_SECRET);
        bytes memory roadKey = BlsSigner.publicKey(ROAD_SECRET);
        vm.prank(clerk);
        polls.createPoll(exchanged ? road : playground, exchanged ? roadKey : playgroundKey);
        vm.prank(clerk);
        polls.createPoll(exchanged ? playground : road, exchanged ? playgroundKey : roadKey);
        for (pollId = 2; pollId > 0; --pollId) {
            _publishIssued(100);
        }
        pollId = 1;
        vm.warp(OPENS_AT);
        assertEq(
            polls.poll(1).config.contentHash, exchanged ? road.contentHash : playground.contentHash, "poll 1 is another"
        );
    }

    /// @dev A ballot for poll 1, which was the playground's when it was signed.
    function _playgroundBallot() private view returns (Items memory items) {
        items.accounts = _voters(0, 1);
        items.ballots = _ballots(1, 2);
        items.signatures = _sign(0, items.ballots[0]);
        items.credentials = _credentialUnder(PLAYGROUND_SECRET);
    }

    function _credentialUnder(uint256 secret) private view returns (bytes memory) {
        return BlsSigner.unpad(BlsSigner.multiply(_hashPoint(1, _voter(0)), secret));
    }

    /// @notice Ids follow the order of creation, so a reorganisation can exchange them. A ballot names the id; but its
    /// credential was signed for that id with the key of the earlier poll, and serves neither poll now.
    function test_RevertGiven_AReorgExchangedPollsAndTheCredentialIsOfTheOther() public {
        pollId = 1;
        Items memory items = _playgroundBallot();
        uint256 snapshot = vm.snapshotState();
        _createBoth(false);
        _submit(items);
        assertEq(polls.results(1)[1], 1, "before the reorganisation it counts");

        vm.revertToState(snapshot);
        _createBoth(true);
        vm.expectRevert(abi.encodeWithSelector(IPolls.CredentialsInvalid.selector, 1));
        _submit(items);
        // The playground is number 2 now: the ballot names another poll,
        pollId = 2;
        vm.expectEmit(address(polls));
        emit IPolls.BallotSkipped(2, _voter(0), 1, IPolls.SkipReason.SignatureInvalid);
        _submit(items);
        // and signed anew it still lacks a credential, though the key is the playground's.
        items.signatures = _sign(0, items.ballots[0]);
        vm.expectRevert(abi.encodeWithSelector(IPolls.CredentialsInvalid.selector, 2));
        _submit(items);
        assertEq(polls.participants(1) + polls.participants(2), 0, "it counts nowhere");
    }

    /// @notice What no contract can see: if the same account is admitted to the other poll, the ballot signed for the
    /// earlier poll of that number counts there, with a choice meant for other options. Therefore operators open
    /// registration only once the block of the creation is final; docs/threat-model.md tells them so.
    function test_BallotSignedBeforeAReorgCountsInTheOtherPollIfItsAccountIsAdmittedThere() public {
        pollId = 1;
        Items memory items = _playgroundBallot();
        _createBoth(true);
        items.credentials = _credentialUnder(ROAD_SECRET);
        _submit(items);
        assertEq(polls.results(1)[1], 1, "counted on the road, meant for the playground");
        assertEq(polls.ballotOf(1, _voter(0)).choice, 2, "the choice as it was signed");
        assertEq(polls.participants(2), 0, "the playground has none");
    }
}
