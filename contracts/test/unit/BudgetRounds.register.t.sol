// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IBudgetRounds} from "../../src/interfaces/IBudgetRounds.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title What the register of rounds says, and what it claims for them
contract BudgetRoundsRegisterTest is RoundFixture {
    function test_KnowsWhatItWasCreatedWith() public view {
        assertEq(rounds.municipalities(), address(municipalities), "register of municipalities");
        assertEq(rounds.issuerKeys(), address(issuerKeys), "register of keys");
        assertTrue(rounds.roundImplementation().code.length != 0, "implementation of rounds");
        assertTrue(rounds.tokenImplementation().code.length != 0, "implementation of tokens");
        assertTrue(rounds.roundImplementation() != rounds.tokenImplementation(), "two implementations");
        assertEq(rounds.roundCount(), 0, "no rounds yet");
    }

    function test_RoundCreatedSaysEverything() public {
        IBudgetRound.RoundConfig memory config = _cumulative();
        address expectedRound = vm.computeCreateAddress(address(rounds), vm.getNonce(address(rounds)));
        address expectedToken = vm.computeCreateAddress(address(rounds), vm.getNonce(address(rounds)) + 1);
        vm.expectEmit(address(rounds));
        emit IBudgetRounds.RoundCreated(1, municipalityId, expectedRound, expectedToken, config);
        vm.prank(clerk);
        (uint256 roundId, address round_, address token_) =
            rounds.createRound(config, _appropriation(), unicode"Бюджет", "BUD");
        assertEq(roundId, 1, "id");
        assertEq(round_, expectedRound, "round");
        assertEq(token_, expectedToken, "token");
        (address listedRound, address listedToken) = rounds.roundAt(1);
        assertEq(listedRound, expectedRound, "round in the list");
        assertEq(listedToken, expectedToken, "token in the list");
        assertTrue(rounds.isRound(round_), "a round");
        assertFalse(rounds.isRound(token_), "a token is none");
    }

    function test_RevertWhen_TokenClaimsKey() public {
        _create(_cumulative());
        vm.expectRevert(abi.encodeWithSelector(IBudgetRounds.CallerNotRound.selector, address(token)));
        vm.prank(address(token));
        rounds.claimIssuerKey(keccak256("key"));
    }

    function test_ClaimsKeysOfItsRounds() public {
        _create(_cumulative());
        vm.prank(address(round));
        rounds.claimIssuerKey(keccak256("key"));
        assertEq(issuerKeys.claimedBy(keccak256("key")), address(rounds), "claimed by the register for the round");

        uint8 class = _addClass(1);
        bytes32 keyHash = keccak256(BlsSigner.publicKey(_secretOf(class)));
        assertEq(issuerKeys.claimedBy(keyHash), address(rounds), "claimed when the class was added");
    }
}
