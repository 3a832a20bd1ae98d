// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {Polls} from "../../src/polls/Polls.sol";
import {Assertions} from "../Assertions.sol";
import {Vm} from "../Vm.sol";
import {PollHandler} from "./PollHandler.sol";
import {PollStore} from "./PollStore.sol";

/// @title The invariants POL-1 to POL-16 of docs/invariants.md
abstract contract PollInvariants is Assertions {
    PollHandler internal handler;
    PollStore internal store;
    Polls internal polls;

    function _start(bool isSealed) internal {
        handler = new PollHandler(isSealed);
        handler.setUp();
        store = handler.store();
        polls = Polls(handler.thePolls());
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (Vm.FuzzSelector[] memory targets) {
        // Voters act more often than the staff: a selector named several times is drawn as often.
        bytes4[18] memory drawn = [
            PollHandler.cast.selector,
            PollHandler.cast.selector,
            PollHandler.cast.selector,
            PollHandler.cast.selector,
            PollHandler.castForged.selector,
            PollHandler.publishSecret.selector,
            PollHandler.open.selector,
            PollHandler.open.selector,
            PollHandler.publishIssued.selector,
            PollHandler.publishIssued.selector,
            PollHandler.cancel.selector,
            PollHandler.pauseOrGoOn.selector,
            PollHandler.grantOrRevoke.selector,
            PollHandler.tryToGovern.selector,
            PollHandler.pauseOrGoOn.selector,
            PollHandler.pass.selector,
            PollHandler.pass.selector,
            PollHandler.pass.selector
        ];
        bytes4[] memory selectors = new bytes4[](drawn.length);
        for (uint256 i = 0; i < drawn.length; ++i) {
            selectors[i] = drawn[i];
        }
        targets = new Vm.FuzzSelector[](1);
        targets[0] = Vm.FuzzSelector({addr: address(handler), selectors: selectors});
    }

    function _check(uint256 id) private view {
        address[] memory accounts = handler.accounts();
        PollStore.PollModel memory model = store.pollModel(id);
        IPolls.PollInfo memory info = polls.poll(id);
        uint256 recorded = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            IPolls.BallotInfo memory ballot = polls.ballotOf(id, accounts[i]);
            PollStore.VoterModel memory voter = store.voter(id, accounts[i]);
            assertTrue(ballot.status == voter.status, "POL-1: recorded exactly if an accepted batch had it");
            assertEq(ballot.version, voter.version, "POL-4: the highest valid version, or the first");
            bool known = voter.status == IPolls.BallotStatus.Counted;
            assertEq(ballot.choice, known ? voter.choice : 0, "POL-5: the choice signed with it, once it is known");
            if (ballot.status != IPolls.BallotStatus.None) ++recorded;
        }
        assertEq(polls.participants(id), recorded, "POL-2: participants are the accounts with a ballot");
        assertEq(polls.participants(id), store.accountsSeen(id), "POL-2: as many as the events name");
        assertLe(info.ballots, info.issued, "POL-3: no more ballots than credentials are published");
        assertEq(info.issued, model.issued, "POL-3: what the issuer said last");
        bytes memory counts = abi.encode(polls.results(id));
        assertEq(counts, abi.encode(store.tally(id, accounts)), "POL-6: results are the count of recorded choices");
        assertEq(counts, abi.encode(store.tallyOfEvents(id, accounts)), "POL-7: events alone give the results");
        assertEq(info.opened, model.opened, "POL-10: opened");
        assertEq(info.spoilt, model.spoilt, "POL-10: spoilt");
        assertLe(uint256(info.opened) + info.spoilt, info.ballots, "POL-10: no more than were cast");
        assertTrue((info.sealingSecret != 0) == model.secretKnown, "POL-11: the secret is known once published");
        bool isFinal = store.status(id) == IPolls.PollStatus.Closed
            && (model.config.sealingKey == 0 || model.opened + model.spoilt == model.ballots);
        assertTrue(polls.isFinal(id) == isFinal, "POL-12: final exactly when closed and all opened");
        assertEq(abi.encode(info.config), abi.encode(model.config), "POL-13: nothing of the configuration changes");
        assertTrue(info.status == store.status(id), "POL-15: the status follows the hours and the clerk");
    }

    function invariant_Polls() public view {
        assertFalse(store.broken("POL-3"), "POL-3: published counts never fall, ballots never exceed them");
        assertFalse(store.broken("POL-4"), "POL-4: one ballot where no other is allowed");
        assertFalse(store.broken("POL-8"), "POL-8: versions of an account only rise");
        assertFalse(store.broken("POL-9"), "POL-9: ballots are accepted exactly in the hours, unless paused");
        assertFalse(store.broken("POL-10"), "POL-10: a ballot is opened once, in its last version");
        assertFalse(store.broken("POL-11"), "POL-11: no secret before the end, no opening before the secret");
        assertFalse(store.broken("POL-12"), "POL-12: final results stay");
        assertFalse(store.broken("POL-14"), "POL-14: staff in their roles, voters with their credentials, nobody else");
        assertFalse(store.broken("POL-15"), "POL-15: called off once");
        assertFalse(store.broken("POL-16"), "POL-16: a pause never stops opening");
        assertEq(polls.pollCount(), handler.POLLS(), "POL-14: nobody else creates polls");
        for (uint256 id = 1; id <= handler.POLLS(); ++id) {
            _check(id);
        }
    }
}

contract OpenPollsInvariantTest is PollInvariants {
    function setUp() public {
        _start(false);
    }
}

contract SealedPollsInvariantTest is PollInvariants {
    function setUp() public {
        _start(true);
    }
}
