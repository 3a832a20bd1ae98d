// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BlindCredential} from "../../src/credential/BlindCredential.sol";
import {Assertions} from "../Assertions.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {CredentialHarness} from "../mocks/CredentialHarness.sol";
import {PlainSumVerifier} from "../mocks/PlainSumVerifier.sol";

/// @title Ways to make more valid credentials out of fewer, none of which may work
contract BlindCredentialVerifyTest is Assertions {
    uint256 private constant SECRET = 0x1f3a_77aa_0b5e_9d21_4c68;

    CredentialHarness private harness;
    PlainSumVerifier private plainSum;
    BlindCredential.Scope private scope;
    bytes private key;

    function setUp() public {
        harness = new CredentialHarness();
        plainSum = new PlainSumVerifier();
        scope = BlindCredential.Scope({verifier: address(0x1234), id: 5, class: 2});
        key = BlsSigner.publicKey(SECRET);
    }

    function _account(uint256 index) private pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode(index)))));
    }

    function _accounts(uint256 count) private pure returns (address[] memory accounts) {
        accounts = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = _account(i);
        }
    }

    function _hash(uint256 index) private view returns (bytes memory) {
        return harness.hashToG1(scope, _account(index));
    }

    /// @dev A blind issuer signs whatever point it is given.
    function _issue(bytes memory point) private view returns (bytes memory) {
        return BlsSigner.multiply(point, SECRET);
    }

    /// @dev The pair of points as credentials of accounts 0 and 1.
    function _verifyPair(bytes memory first, bytes memory second) private view returns (bool) {
        return harness.verify(scope, key, _accounts(2), bytes.concat(BlsSigner.unpad(first), BlsSigner.unpad(second)));
    }

    function _plainSumAcceptsPair(bytes memory first, bytes memory second) private view returns (bool) {
        return plainSum.verify(scope, key, _accounts(2), bytes.concat(BlsSigner.unpad(first), BlsSigner.unpad(second)));
    }

    // ---------------------------------------------------------------------------------------------
    // The sum forgery
    // ---------------------------------------------------------------------------------------------

    /// @notice One credential, two votes: the citizen has H(m₁) + H(m₂) signed, blinded like any other point, and
    /// splits the signature in two arbitrary halves. A plain sum takes them; the random linear combination must not.
    function test_RevertWhen_OneSignatureOnTheSumIsSplitInTwo() public view {
        bytes memory issued = _issue(BlsSigner.add(_hash(0), _hash(1)));
        bytes memory half = BlsSigner.multiply(_hash(7), 424242);
        bytes memory otherHalf = BlsSigner.add(issued, BlsSigner.negate(half));

        assertTrue(_plainSumAcceptsPair(half, otherHalf), "the forgery is real: a plain sum takes it");
        assertFalse(_verifyPair(half, otherHalf), "one signature must not register two accounts");
    }

    function testFuzz_RevertWhen_OneSignatureOnAnyCombinationIsSplit(uint256 weight, uint256 otherWeight, uint256 split)
        public
        view
    {
        weight = bound(weight, 1, BlsSigner.ORDER - 1);
        otherWeight = bound(otherWeight, 1, BlsSigner.ORDER - 1);
        bytes memory issued =
            _issue(BlsSigner.add(BlsSigner.multiply(_hash(0), weight), BlsSigner.multiply(_hash(1), otherWeight)));
        bytes memory half = BlsSigner.multiply(_hash(7), bound(split, 1, BlsSigner.ORDER - 1));
        bytes memory otherHalf = BlsSigner.add(issued, BlsSigner.negate(half));
        assertFalse(_verifyPair(half, otherHalf), "one signature must not register two accounts");
    }

    function test_RevertWhen_TwoSignaturesCoverThree() public view {
        bytes memory first = _issue(BlsSigner.add(_hash(0), _hash(1)));
        bytes memory second = _issue(BlsSigner.add(_hash(1), _hash(2)));
        bytes memory signatures = bytes.concat(
            BlsSigner.unpad(first),
            BlsSigner.unpad(BlsSigner.add(second, BlsSigner.negate(_issue(_hash(2))))),
            BlsSigner.unpad(_issue(_hash(2)))
        );
        // The second is in truth σ₁, but the first still holds σ₀ + σ₁.
        assertFalse(harness.verify(scope, key, _accounts(3), signatures), "two must not register three");
    }

    function test_RevertWhen_ErrorsCancelOut() public view {
        bytes memory error_ = _issue(_hash(9));
        bytes memory first = BlsSigner.add(_issue(_hash(0)), error_);
        bytes memory second = BlsSigner.add(_issue(_hash(1)), BlsSigner.negate(error_));
        assertTrue(_plainSumAcceptsPair(first, second), "a plain sum does not see it");
        assertFalse(_verifyPair(first, second), "errors must not cancel out");
    }

    function test_RevertWhen_CredentialsAreSwapped() public view {
        assertTrue(_plainSumAcceptsPair(_issue(_hash(1)), _issue(_hash(0))), "a plain sum does not see it");
        assertFalse(_verifyPair(_issue(_hash(1)), _issue(_hash(0))), "each account needs its own credential");
    }

    /// @notice Coefficients known before the signatures are chosen would be as bad as none: a citizen would have
    /// c₀H(m₀) + c₁H(m₁) signed. So any change of any input must change them all.
    function testFuzz_CoefficientsDependOnTheWholeBatch(uint256 position, uint8 change, uint256 index) public {
        if (change == 0) change = 1;
        address[] memory accounts = _accounts(4);
        bytes memory signatures = _batch(4);
        bytes32 seed = harness.seed(scope, key, accounts, signatures);

        position = bound(position, 0, signatures.length - 1);
        signatures[position] ^= bytes1(change);
        assertTrue(harness.seed(scope, key, accounts, signatures) != seed, "signatures");
        signatures[position] ^= bytes1(change);

        index = bound(index, 0, 3);
        accounts[index] = address(uint160(accounts[index]) ^ change);
        assertTrue(harness.seed(scope, key, accounts, signatures) != seed, "accounts");
        accounts[index] = address(uint160(accounts[index]) ^ change);

        bytes memory otherKey = key;
        otherKey[position % 256] ^= bytes1(change);
        assertTrue(harness.seed(scope, otherKey, accounts, signatures) != seed, "issuer key");

        BlindCredential.Scope memory other = scope;
        other.class ^= change;
        assertTrue(harness.seed(other, key, accounts, signatures) != seed, "class");
        other = scope;
        other.id ^= change;
        assertTrue(harness.seed(other, key, accounts, signatures) != seed, "round");
        other = scope;
        other.verifier = address(uint160(other.verifier) ^ change);
        assertTrue(harness.seed(other, key, accounts, signatures) != seed, "contract");
        vm.chainId(block.chainid + change);
        assertTrue(harness.seed(scope, key, accounts, signatures) != seed, "chain");
        vm.chainId(block.chainid - change);
        assertEq(harness.seed(scope, key, accounts, signatures), seed, "the same batch, the same coefficients");
    }

    // ---------------------------------------------------------------------------------------------
    // Relatives of a good credential
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_Scaled() public view {
        assertFalse(_verifyPair(_issue(_hash(0)), BlsSigner.multiply(_issue(_hash(1)), 2)), "scaled");
    }

    function test_RevertWhen_Negated() public view {
        assertFalse(_verifyPair(_issue(_hash(0)), BlsSigner.negate(_issue(_hash(1)))), "negated");
        assertFalse(_verifyPair(BlsSigner.negate(_issue(_hash(0))), BlsSigner.negate(_issue(_hash(1)))), "both negated");
    }

    function test_RevertWhen_Infinity() public view {
        assertFalse(_verifyPair(new bytes(128), new bytes(128)), "both infinity");
        assertFalse(_verifyPair(_issue(_hash(0)), new bytes(128)), "infinity next to a good one");
    }

    function test_RevertWhen_OffCurve() public view {
        bytes memory point = _issue(_hash(1));
        point[127] ^= 0x01;
        assertFalse(_verifyPair(_issue(_hash(0)), point), "off the curve");
    }

    function test_RevertWhen_OutOfSubgroup() public view {
        // (0, 2) lies on y² = x³ + 4 and has order 3.
        bytes memory point = new bytes(128);
        point[127] = 0x02;
        assertFalse(_verifyPair(_issue(_hash(0)), point), "out of the subgroup");
        assertFalse(_verifyPair(_issue(_hash(0)), BlsSigner.add(_issue(_hash(1)), point)), "good plus order 3");
    }

    function test_RevertWhen_AnotherScope() public view {
        address[] memory one = _accounts(1);
        bytes memory signature = BlsSigner.unpad(_issue(_hash(0)));
        assertTrue(harness.verify(scope, key, one, signature), "the credential is good");
        BlindCredential.Scope memory other = scope;
        other.class = 3;
        assertFalse(harness.verify(other, key, one, signature), "another class");
        other = scope;
        other.id = 6;
        assertFalse(harness.verify(other, key, one, signature), "another round");
        other = scope;
        other.verifier = address(0x1235);
        assertFalse(harness.verify(other, key, one, signature), "another contract");
    }

    function test_RevertWhen_AnotherChain() public {
        address[] memory one = _accounts(1);
        bytes memory signature = BlsSigner.unpad(_issue(_hash(0)));
        vm.chainId(99);
        assertFalse(harness.verify(scope, key, one, signature), "another chain");
    }

    function test_RevertWhen_AnotherKey() public view {
        assertFalse(
            harness.verify(scope, BlsSigner.publicKey(SECRET + 1), _accounts(1), BlsSigner.unpad(_issue(_hash(0)))),
            "another key"
        );
    }

    // ---------------------------------------------------------------------------------------------
    // Good batches
    // ---------------------------------------------------------------------------------------------

    function _batch(uint256 count) private view returns (bytes memory signatures) {
        for (uint256 i = 0; i < count; ++i) {
            signatures = bytes.concat(signatures, BlsSigner.unpad(_issue(_hash(i))));
        }
    }

    function test_Batches() public view {
        for (uint256 count = 1; count <= 33; count += 8) {
            assertTrue(harness.verify(scope, key, _accounts(count), _batch(count)), "good batch");
        }
    }

    function testFuzz_RevertWhen_OneByteIsWrong(uint256 position, uint8 change) public view {
        bytes memory signatures = _batch(3);
        position = bound(position, 0, signatures.length - 1);
        if (change == 0) change = 1;
        signatures[position] ^= bytes1(change);
        assertFalse(harness.verify(scope, key, _accounts(3), signatures), "one wrong byte");
    }

    function test_OnlyTheKeptAreChecked() public view {
        bytes memory signatures = _batch(3);
        signatures[96 + 5] ^= 0x01;
        uint256[] memory kept = new uint256[](2);
        (kept[0], kept[1]) = (0, 2);
        assertTrue(harness.verifyKept(scope, key, _accounts(3), signatures, kept), "the bad one is left out");
        kept[1] = 1;
        assertFalse(harness.verifyKept(scope, key, _accounts(3), signatures, kept), "the bad one is checked");
    }

    function testFuzz_HashIsInTheSubgroup(address account) public view {
        // The precompile refuses to multiply a point outside.
        BlsSigner.multiply(harness.hashToG1(scope, account), 1);
    }

    function testFuzz_KeyRepacks(uint256 secret) public view {
        bytes memory key_ = BlsSigner.publicKey(bound(secret, 1, BlsSigner.ORDER - 1));
        assertTrue(harness.isIssuerKey(key_), "a key");
        assertEq(harness.repack(key_), key_, "packed and unpacked");
    }

    /// @notice A refused point burns the gas given to the precompile, which is bounded.
    function test_RefusalDoesNotBurnEverything() public view {
        bytes memory signatures = _batch(20);
        signatures[0] ^= 0x01;
        uint256 before = gasleft();
        harness.verify{gas: 16_000_000}(scope, key, _accounts(20), signatures);
        assertLe(before - gasleft(), 700_000, "gas of a refusal");
    }
}
