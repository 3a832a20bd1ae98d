// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title What the register of keys says
contract IssuerKeysViewsTest is RoundFixture {
    bytes32 private constant KEY = keccak256("key");
    address private verifier = _named("verifier");

    function _claimed() private returns (bytes32 roundKey) {
        _create(_cumulative());
        _addClass(1);
        vm.prank(operator);
        issuerKeys.admitVerifier(verifier);
        vm.prank(verifier);
        issuerKeys.claim(KEY);
        return keccak256(BlsSigner.publicKey(_secretOf(0)));
    }

    function test_IsVerifier() public {
        assertFalse(issuerKeys.isVerifier(verifier), "not admitted yet");
        _claimed();
        assertTrue(issuerKeys.isVerifier(address(rounds)), "named at construction");
        assertTrue(issuerKeys.isVerifier(verifier), "admitted");
        address[6] memory others = [operator, clerk, stranger, address(round), address(token), address(0)];
        for (uint256 i = 0; i < others.length; ++i) {
            assertFalse(issuerKeys.isVerifier(others[i]), "nobody else, rounds themselves included");
        }
    }

    function test_ClaimedBy() public {
        assertEq(issuerKeys.claimedBy(KEY), address(0), "nobody yet");
        bytes32 roundKey = _claimed();
        assertEq(issuerKeys.claimedBy(KEY), verifier, "who claimed it");
        assertEq(issuerKeys.claimedBy(roundKey), address(rounds), "the factory for its rounds");
        assertEq(issuerKeys.claimedBy(0), address(0), "no key");
        assertEq(issuerKeys.claimedBy(keccak256(abi.encode(KEY))), address(0), "another key");
    }

    /// @notice Whatever becomes of the register's owner, the round and the pause: a claim is for ever.
    function test_NothingIsTakenBack() public {
        bytes32 roundKey = _claimed();
        vm.prank(clerk);
        round.cancel();
        _pause();
        _handOver(stranger);
        assertEq(issuerKeys.claimedBy(roundKey), address(rounds), "the key of a cancelled round");
        assertEq(issuerKeys.claimedBy(KEY), verifier, "claimed");
        assertTrue(issuerKeys.isVerifier(verifier), "admitted by the former owner");
        assertEq(issuerKeys.municipalities(), address(municipalities), "the register");
    }
}
