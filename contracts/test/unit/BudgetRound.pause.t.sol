// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title A pause stops everything new in a round, and nothing that gives money back
contract BudgetRoundPauseTest is RoundFixture {
    function setUp() public override {
        super.setUp();
        _createWith(_cumulative(), 1, 3);
    }

    /// @dev Pauses, expects the call to be refused whoever makes it, and goes on.
    function _expectRefused(address caller, bytes memory data) private {
        _pause();
        address[3] memory callers = [caller, stranger, operator];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.prank(callers[i]);
            (bool success, bytes memory result) = address(round).call(data);
            assertFalse(success, "refused while paused");
            assertEq(result, abi.encodeWithSelector(IBudgetRound.ActionsPaused.selector), "and says why");
        }
        _unpause();
    }

    // ---------------------------------------------------------------------------------------------
    // What a pause stops
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_PausedInDraft() public {
        _expectRefused(clerk, abi.encodeCall(round.addClass, (1, BlsSigner.publicKey(77))));
        _expectRefused(clerk, abi.encodeCall(round.addInitiative, (1, 0)));
        _expectRefused(clerk, abi.encodeCall(round.openRegistration, ()));
        _openRegistration();
    }

    function test_RevertGiven_PausedInRegistration() public {
        _mint(APPROPRIATION);
        _openRegistration();
        address[] memory accounts = _accounts(0, 2);
        _expectRefused(stranger, abi.encodeCall(round.register, (0, accounts, _credentials(0, accounts))));
        assertEq(round.registeredCount(), 0, "nobody is registered");
        _expectRefused(issuer, abi.encodeCall(round.publishIssued, (0, 5)));
        vm.warp(REGISTRATION_UNTIL);
        _expectRefused(clerk, abi.encodeCall(round.openPledging, ()));
        _register(0, 0, 2);
        _openPledging();
    }

    function test_RevertGiven_PausedInPledging() public {
        _mint(APPROPRIATION);
        _openRegistration();
        _register(0, 0, 1);
        _openPledging();
        IBudgetRound.Allocation[] memory batch = new IBudgetRound.Allocation[](1);
        batch[0] = _allocation(0, 1, _list(1), _list(100));
        _expectRefused(stranger, abi.encodeCall(round.allocate, (batch, _sign(0, batch[0]))));
        assertEq(round.citizen(_citizen(0)).version, 0, "nothing is recorded");
        // The same signed message counts after the pause.
        round.allocate(batch, _sign(0, batch[0]));
        assertEq(round.citizen(_citizen(0)).version, 1, "recorded");
        vm.warp(PLEDGING_UNTIL);
        _expectRefused(clerk, abi.encodeCall(round.closePledging, ()));
    }

    function test_RevertGiven_PausedInSettlement() public {
        _mint(APPROPRIATION);
        _openRegistration();
        _openPledging();
        _closePledging();
        _expectRefused(clerk, abi.encodeCall(round.proposeSettlement, (_list(1), keccak256("transcript"))));
        _propose(_list(1));
        _expectRefused(controller, abi.encodeCall(round.approveSettlement, (_list(1), keccak256("transcript"))));
        _approve(_list(1));
        vm.warp(block.timestamp + OBJECTION_PERIOD);
        _expectRefused(stranger, abi.encodeCall(round.finalizeSettlement, ()));
        round.finalizeSettlement();
        _expectRefused(treasurer, abi.encodeCall(round.recordPayment, (1, 1, "order", keccak256("act"))));
        assertEq(token.paidTotal(), 0, "nothing is paid");
    }

    // ---------------------------------------------------------------------------------------------
    // What a pause never stops
    // ---------------------------------------------------------------------------------------------

    function test_CancelInAnyPhaseWhilePaused() public {
        for (uint256 phase = 0; phase <= uint256(IBudgetRound.Phase.Objection); ++phase) {
            vm.warp(START);
            _createWith(_cumulative(), 1, 3);
            _mint(APPROPRIATION);
            if (phase >= 1) {
                _openRegistration();
                _register(0, 0, 2);
            }
            if (phase >= 2) {
                _openPledging();
                _allocate(0, 1, _list(1, 3), _list(33, 33));
            }
            if (phase >= 3) _closePledging();
            if (phase >= 4) _propose(_list(1));
            assertEq(uint256(round.phase()), phase, "phase");
            _pause();
            vm.prank(clerk);
            round.cancel();
            _unpause();
            assertEq(token.returnedTotal(), APPROPRIATION, "everything returned");
            assertEq(token.totalSupply(), 0, "nothing is left");
        }
    }

    function test_WithdrawWhilePaused() public {
        _mint(APPROPRIATION);
        _openRegistration();
        _openPledging();
        _closePledging();
        _propose(_list(1));
        _pause();
        vm.prank(clerk);
        round.withdrawSettlement();
        assertTrue(round.phase() == IBudgetRound.Phase.Tallying, "withdrawn");
    }

    function test_ReturnAndCloseWhilePaused() public {
        _mint(APPROPRIATION);
        _openRegistration();
        _openPledging();
        _closePledging();
        _settle(_list(1, 2));
        _pause();
        vm.prank(treasurer);
        round.returnRemainder(1);
        assertEq(_inWallet(1), 0, "returned");
        vm.prank(treasurer);
        round.returnRemainder(2);
        vm.prank(treasurer);
        round.close();
        assertTrue(round.phase() == IBudgetRound.Phase.Closed, "closed");
        assertEq(token.returnedTotal(), APPROPRIATION, "everything returned");
    }

    function test_ReadWhilePaused() public {
        _mint(APPROPRIATION);
        _openRegistration();
        _register(0, 0, 2);
        _openPledging();
        _allocate(0, 1, _list(1), _list(100));
        _closePledging();
        _propose(_list(1));
        bytes32 before = _everything();
        _pause();
        assertEq(_everything(), before, "every view answers as before");
    }

    /// @dev Every view of the round and its token.
    function _everything() private view returns (bytes32 digest) {
        address account = _citizen(0);
        digest = keccak256(
            abi.encode(
                round.roundId(),
                round.config(),
                round.phase(),
                round.token(),
                round.budget(),
                round.classCount(),
                round.classInfo(0),
                round.initiativeCount(),
                round.initiative(1),
                round.walletOf(1)
            )
        );
        digest = keccak256(
            abi.encode(
                digest,
                round.registeredCount(),
                round.participants(round.roundId()),
                round.citizen(account),
                round.allotmentOf(account),
                round.unspentOf(account),
                round.settlement(),
                round.credentialMessage(0, account)
            )
        );
        digest = keccak256(
            abi.encode(
                digest,
                token.appropriation(),
                token.reconciliation(),
                token.mintProposal(1),
                token.mintCount(),
                token.totalSupply(),
                token.balanceOf(round.walletOf(1)),
                token.treasury(),
                token.round()
            )
        );
    }
}
