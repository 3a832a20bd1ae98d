// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";
import {Vm} from "../Vm.sol";

/// @title Rounds after a reorganisation of the chain
contract RoundReorgTest is RoundFixture {
    function _state() private view returns (bytes memory state) {
        state = abi.encode(round.registeredCount(), round.classInfo(0), round.participants(round.roundId()));
        for (uint256 i = 0; i < 6; ++i) {
            state = bytes.concat(state, abi.encode(round.citizen(_citizen(i)), round.unspentOf(_citizen(i))));
        }
        for (uint16 id = 1; id <= round.initiativeCount(); ++id) {
            state = bytes.concat(state, abi.encode(round.initiative(id)));
        }
        state = bytes.concat(state, abi.encode(token.reconciliation()));
    }

    function test_RegistrationsBroughtAgainAfterAReorgCountOnce() public {
        _createWith(_cumulative(), 1, 3);
        _mint(APPROPRIATION);
        _openRegistration();
        uint256 snapshot = vm.snapshotState();
        _register(0, 0, 6);
        bytes memory expected = _state();
        assertEq(round.registeredCount(), 6, "six");

        vm.revertToState(snapshot);
        assertEq(round.registeredCount(), 0, "all is gone");
        vm.recordLogs();
        _register(0, 2, 3);
        _register(0, 0, 6);
        _register(0, 5, 1);
        assertEq(_state(), expected, "as if nothing had happened");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 registered = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IBudgetRound.Registered.selector) ++registered;
        }
        assertEq(registered, 6, "each once");
    }

    function test_AllocationsBroughtAgainAfterAReorgCountOnce() public {
        _pledgingWith(_cumulative(), 6, 3);
        uint256 snapshot = vm.snapshotState();
        _allocate(0, 1, _list(1, 2), _list(50, 50));
        _allocate(1, 1, _list(3), _list(100));
        _allocate(0, 2, _list(3), _list(70));
        bytes memory expected = _state();

        vm.revertToState(snapshot);
        assertEq(_inWallet(3), 0, "all is gone");
        // The later version of citizen 0 comes first, then everything again.
        _allocate(0, 2, _list(3), _list(70));
        _allocate(0, 1, _list(1, 2), _list(50, 50));
        _allocate(1, 1, _list(3), _list(100));
        _allocate(0, 2, _list(3), _list(70));
        assertEq(_state(), expected, "as if nothing had happened");
        assertEq(round.participants(round.roundId()), 2, "two took part");
    }

    // ---------------------------------------------------------------------------------------------
    // Two creations exchange their places
    // ---------------------------------------------------------------------------------------------

    /// @dev A round with one class under this key, and an initiative, pledging.
    function _begin(bytes32 contentHash, uint256 secret) private {
        IBudgetRound.RoundConfig memory config = _cumulative();
        config.contentHash = contentHash;
        _create(config);
        bytes memory key = BlsSigner.publicKey(secret);
        vm.prank(clerk);
        round.addClass(1, key);
        vm.prank(clerk);
        round.addInitiative(1_000_00, contentHash);
        _mint(APPROPRIATION);
        _openRegistration();
    }

    function _credentialUnder(uint256 secret) private view returns (bytes memory) {
        return BlsSigner.unpad(BlsSigner.multiply(_hashPoint(0, _citizen(0)), secret));
    }

    /// @notice A round's address follows from the order of creation too: after a reorganisation another round may stand
    /// there, under the same id. Credentials are of a key, so they do not pass over; a signed allocation of an account
    /// that is admitted to the other round would count in it. The rule for operators is the same as for polls.
    function test_RoundsThatExchangeTheirPlacesShareNoCredentialButSignedAllocations() public {
        uint256 snapshot = vm.snapshotState();
        _begin(keccak256("north"), 111);
        address place = address(round);
        bytes memory credential = _credentialUnder(111);
        round.register(0, _accounts(0, 1), credential);
        IBudgetRound.Allocation[] memory batch = new IBudgetRound.Allocation[](1);
        batch[0] = _allocation(0, 1, _list(1), _list(100));
        bytes memory signature = _sign(0, batch[0]);

        vm.revertToState(snapshot);
        _begin(keccak256("south"), 222);
        assertEq(address(round), place, "another round in the same place");
        assertEq(round.roundId(), 1, "under the same id");
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, 0));
        round.register(0, _accounts(0, 1), credential);
        assertEq(round.registeredCount(), 0, "the credential is of the other key");
        round.register(0, _accounts(0, 1), _credentialUnder(222));
        _openPledging();
        round.allocate(batch, signature);
        assertEq(round.citizen(_citizen(0)).version, 1, "meant for the north, counted in the south");
    }
}
