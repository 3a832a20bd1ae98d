// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IssuerKeys} from "../../src/credential/IssuerKeys.sol";
import {IIssuerKeys} from "../../src/interfaces/IIssuerKeys.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";

contract IssuerKeysTest is RoundFixture {
    bytes32 private constant KEY = keccak256("key");
    address private verifier = _named("verifier");

    function _admit(address account) private {
        vm.prank(operator);
        issuerKeys.admitVerifier(account);
    }

    // ---------------------------------------------------------------------------------------------
    // Construction
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_ConstructedWithAVerifierTwice() public {
        address[] memory verifiers = new address[](2);
        verifiers[0] = verifier;
        verifiers[1] = verifier;
        vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.VerifierAlreadyAdmitted.selector, verifier));
        new IssuerKeys(address(municipalities), verifiers);
    }

    function test_Construct() public {
        address[] memory verifiers = new address[](2);
        verifiers[0] = verifier;
        verifiers[1] = stranger;
        vm.expectEmit(vm.computeCreateAddress(address(this), vm.getNonce(address(this))));
        emit IIssuerKeys.VerifierAdmitted(verifier);
        vm.expectEmit(vm.computeCreateAddress(address(this), vm.getNonce(address(this))));
        emit IIssuerKeys.VerifierAdmitted(stranger);
        IssuerKeys keys = new IssuerKeys(address(municipalities), verifiers);
        assertEq(keys.municipalities(), address(municipalities), "register");
        assertTrue(keys.isVerifier(verifier), "first");
        assertTrue(keys.isVerifier(stranger), "second");
        assertFalse(keys.isVerifier(operator), "nobody else");
        assertEq(rounds.issuerKeys(), address(issuerKeys), "the factory knows the register");
        assertTrue(issuerKeys.isVerifier(address(rounds)), "the register knows the factory");
    }

    // ---------------------------------------------------------------------------------------------
    // admitVerifier
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_AdmittedByAnotherThanTheOwner() public {
        address[3] memory callers = [clerk, stranger, verifier];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.CallerNotOwner.selector, callers[i]));
            vm.prank(callers[i]);
            issuerKeys.admitVerifier(verifier);
        }
    }

    function test_RevertWhen_AdmittedByTheFormerOwner() public {
        _handOver(stranger);
        vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.CallerNotOwner.selector, operator));
        _admit(verifier);
        vm.prank(stranger);
        issuerKeys.admitVerifier(verifier);
        assertTrue(issuerKeys.isVerifier(verifier), "the new owner may");
    }

    function test_RevertGiven_VerifierIsAdmitted() public {
        vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.VerifierAlreadyAdmitted.selector, address(rounds)));
        _admit(address(rounds));
    }

    function test_AdmitVerifier() public {
        assertFalse(issuerKeys.isVerifier(verifier), "not yet");
        vm.expectEmit(address(issuerKeys));
        emit IIssuerKeys.VerifierAdmitted(verifier);
        _admit(verifier);
        assertTrue(issuerKeys.isVerifier(verifier), "admitted");
    }

    // ---------------------------------------------------------------------------------------------
    // claim
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_CallerIsNotVerifier() public {
        address[3] memory callers = [operator, clerk, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.CallerNotVerifier.selector, callers[i]));
            vm.prank(callers[i]);
            issuerKeys.claim(KEY);
        }
        assertEq(issuerKeys.claimedBy(KEY), address(0), "nobody");
    }

    function test_RevertGiven_KeyIsClaimed() public {
        _admit(verifier);
        vm.prank(verifier);
        issuerKeys.claim(KEY);
        vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.IssuerKeyReused.selector, KEY));
        vm.prank(verifier);
        issuerKeys.claim(KEY);
        // Nor may another verifier: what a poll accepted, a round never accepts.
        vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.IssuerKeyReused.selector, KEY));
        vm.prank(address(rounds));
        issuerKeys.claim(KEY);
        assertEq(issuerKeys.claimedBy(KEY), verifier, "the first one");
    }

    function test_Claim() public {
        _admit(verifier);
        vm.expectEmit(address(issuerKeys));
        emit IIssuerKeys.IssuerKeyClaimed(KEY, verifier);
        vm.prank(verifier);
        issuerKeys.claim(KEY);
        assertEq(issuerKeys.claimedBy(KEY), verifier, "claimed");
        assertEq(issuerKeys.claimedBy(keccak256("another")), address(0), "another key is free");
    }

    function test_ClaimOfARoundsClassIsTheFactorys() public {
        _create(_cumulative());
        _addClass(1);
        bytes32 keyHash = keccak256(BlsSigner.publicKey(_secretOf(0)));
        assertEq(issuerKeys.claimedBy(keyHash), address(rounds), "by the factory of the round");
        _admit(verifier);
        vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.IssuerKeyReused.selector, keyHash));
        vm.prank(verifier);
        issuerKeys.claim(keyHash);
    }
}
