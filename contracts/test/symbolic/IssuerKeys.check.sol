// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Municipalities} from "../../src/access/Municipalities.sol";
import {IssuerKeys} from "../../src/credential/IssuerKeys.sol";
import {Symbolic} from "./Symbolic.sol";

/// @title An issuer key is claimed once for ever
contract IssuerKeysCheck is Symbolic {
    address private constant OPERATOR = address(0x0123);
    address private constant ROUNDS = address(0x4001);
    address private constant POLLS = address(0x4002);

    IssuerKeys private register;

    function setUp() public {
        address[] memory verifiers = new address[](2);
        (verifiers[0], verifiers[1]) = (ROUNDS, POLLS);
        register = new IssuerKeys(address(new Municipalities(OPERATOR)), verifiers);
    }

    function _claim(address caller, bytes32 key) private returns (bool) {
        return _try(caller, address(register), abi.encodeCall(register.claim, (key)));
    }

    /// @notice Whoever has claimed a key, nobody claims it again.
    function check_ClaimedOnce(bytes32 key, address first, address second) public {
        vm.assume(_claim(first, key));
        assert(register.claimedBy(key) == first);
        assert(!_claim(second, key));
        assert(register.claimedBy(key) == first);
    }

    function check_OnlyVerifiersClaim(bytes32 key, address caller) public {
        assert(_claim(caller, key) == (caller == ROUNDS || caller == POLLS));
    }

    function check_ClaimsAreSeparate(bytes32 key, bytes32 other, address caller) public {
        vm.assume(key != other && _claim(caller, key));
        assert(register.claimedBy(other) == address(0));
        assert(_claim(POLLS, other));
        assert(register.claimedBy(key) == caller);
    }

    function check_OnlyTheOwnerAdmits(address caller, address verifier) public {
        bool admitted = _try(caller, address(register), abi.encodeCall(register.admitVerifier, (verifier)));
        assert(admitted == (caller == OPERATOR && verifier != ROUNDS && verifier != POLLS));
        assert(register.isVerifier(verifier) == (admitted || verifier == ROUNDS || verifier == POLLS));
    }
}
