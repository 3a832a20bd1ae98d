// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IPolls} from "../../src/interfaces/IPolls.sol";
import {PollFixture} from "../PollFixture.sol";

contract PollsCancelPollTest is PollFixture {
    bytes32 private constant REASON = keccak256("reason");

    // ---------------------------------------------------------------------------------------------
    // cancelPoll
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_PollIsUnknown() public {
        _create(_single());
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollUnknown.selector, 2));
        vm.prank(clerk);
        polls.cancelPoll(2, REASON);
    }

    function test_RevertWhen_CallerIsNotClerk() public {
        _create(_single());
        vm.expectRevert(
            abi.encodeWithSelector(IPolls.CallerLacksRole.selector, issuer, uint8(IMunicipalities.Role.Clerk))
        );
        vm.prank(issuer);
        polls.cancelPoll(pollId, REASON);
    }

    function test_RevertGiven_Cancelled() public {
        _create(_single());
        vm.prank(clerk);
        polls.cancelPoll(pollId, REASON);
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollStatusWrong.selector, pollId, IPolls.PollStatus.Cancelled));
        vm.prank(clerk);
        polls.cancelPoll(pollId, REASON);
    }

    /// @notice A result that is in cannot be called off.
    function test_RevertGiven_Closed() public {
        _create(_single());
        _close();
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollStatusWrong.selector, pollId, IPolls.PollStatus.Closed));
        vm.prank(clerk);
        polls.cancelPoll(pollId, REASON);
    }

    function _cancelAt(uint256 time) private {
        vm.warp(time);
        vm.expectEmit(address(polls));
        emit IPolls.PollCancelled(pollId, REASON);
        vm.prank(clerk);
        polls.cancelPoll(pollId, REASON);
        assertTrue(polls.poll(pollId).status == IPolls.PollStatus.Cancelled, "cancelled");
        assertFalse(polls.isFinal(pollId), "no result");
    }

    function test_CancelBeforeItOpens() public {
        _create(_single());
        _pause();
        _cancelAt(START);
        _close();
        assertTrue(polls.poll(pollId).status == IPolls.PollStatus.Cancelled, "for ever");
        assertFalse(polls.isFinal(pollId), "no result, however late");
    }

    function test_CancelWhileOpen() public {
        _open(_single(), 5);
        _cast(0, 3, 2);
        _cancelAt(CLOSES_AT - 1);
        assertEq(polls.participants(pollId), 1, "participants stay");
        assertEq(polls.results(pollId)[1], 1, "counts stay");
        assertEq(polls.ballotOf(pollId, _voter(0)).version, 3, "ballots stay");
    }

    function test_CancelInTheLastSecond() public {
        _create(_single());
        _cancelAt(CLOSES_AT + GRACE - 1);
    }

    // ---------------------------------------------------------------------------------------------
    // publishIssued
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_PausedWhenPublishing() public {
        _create(_single());
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IPolls.ActionsPaused.selector));
        _publishIssued(1);
    }

    function test_RevertWhen_PublishedPollIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollUnknown.selector, 0));
        _publishIssued(1);
    }

    function test_RevertWhen_PublisherIsNotIssuer() public {
        _create(_single());
        vm.expectRevert(
            abi.encodeWithSelector(IPolls.CallerLacksRole.selector, clerk, uint8(IMunicipalities.Role.Issuer))
        );
        vm.prank(clerk);
        polls.publishIssued(pollId, 1);
    }

    function test_RevertGiven_ClosedWhenPublishing() public {
        _create(_single());
        _close();
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollStatusWrong.selector, pollId, IPolls.PollStatus.Closed));
        _publishIssued(1);
    }

    function test_RevertGiven_CancelledWhenPublishing() public {
        _create(_single());
        vm.prank(clerk);
        polls.cancelPoll(pollId, REASON);
        vm.expectRevert(abi.encodeWithSelector(IPolls.PollStatusWrong.selector, pollId, IPolls.PollStatus.Cancelled));
        _publishIssued(1);
    }

    function test_RevertWhen_IssuedDecreases() public {
        _create(_single());
        _publishIssued(5);
        vm.expectRevert(abi.encodeWithSelector(IPolls.IssuedNotMonotone.selector, pollId, 5, 4));
        _publishIssued(4);
    }

    function _publishAt(uint256 time, uint32 issued) private {
        vm.warp(time);
        vm.expectEmit(address(polls));
        emit IPolls.CredentialsIssued(pollId, issued);
        _publishIssued(issued);
        assertEq(polls.poll(pollId).issued, issued, "issued");
    }

    function test_PublishIssued() public {
        _create(_single());
        _publishAt(START, 5);
        _publishAt(OPENS_AT, 5);
        _publishAt(CLOSES_AT, 6);
        _publishAt(CLOSES_AT + GRACE - 1, type(uint32).max);
    }
}
