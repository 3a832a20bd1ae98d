// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BlindCredential} from "../../src/credential/BlindCredential.sol";
import {Assertions} from "../Assertions.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {CredentialHarness} from "../mocks/CredentialHarness.sol";
import {PlainSumVerifier} from "../mocks/PlainSumVerifier.sol";

/// @title The vectors that Rust, TypeScript and Solidity share
contract BlindCredentialVectorsTest is Assertions {
    CredentialHarness private harness;
    PlainSumVerifier private plainSum;
    string private json;

    function setUp() public {
        harness = new CredentialHarness();
        plainSum = new PlainSumVerifier();
        json = vm.readFile("crates/credential/vectors/credential.json");
    }

    function _batch()
        private
        returns (BlindCredential.Scope memory scope, bytes memory key, address[] memory accounts)
    {
        vm.chainId(vm.parseJsonUint(json, ".batch.chainId"));
        scope = BlindCredential.Scope({
            verifier: vm.parseJsonAddress(json, ".batch.contract"),
            id: vm.parseJsonUint(json, ".batch.scopeId"),
            class: uint8(vm.parseJsonUint(json, ".batch.class"))
        });
        key = vm.parseJsonBytes(json, ".batch.issuerPublicKeyEip2537");
        accounts = vm.parseJsonAddressArray(json, ".batch.account");
    }

    function _join(bytes[] memory parts) private pure returns (bytes memory whole) {
        for (uint256 i = 0; i < parts.length; ++i) {
            whole = bytes.concat(whole, parts[i]);
        }
    }

    function test_RevertWhen_EncodingIsBad() public {
        (BlindCredential.Scope memory scope, bytes memory key, address[] memory accounts) = _batch();
        bytes[] memory signatures = vm.parseJsonBytesArray(json, ".batch.signatureUncompressed");
        bytes[] memory bad = vm.parseJsonBytesArray(json, ".badG1Uncompressed.encoding");
        string[] memory what = vm.parseJsonStringArray(json, ".badG1Uncompressed.what");
        uint256 tried = 0;
        for (uint256 i = 0; i < bad.length; ++i) {
            // A wrong length is refused before any point is looked at, see BudgetRound.register.
            if (bad[i].length != 96) continue;
            bytes memory good = signatures[7];
            signatures[7] = bad[i];
            assertFalse(harness.verify(scope, key, accounts, _join(signatures)), what[i]);
            signatures[7] = good;
            ++tried;
        }
        assertTrue(tried >= 10, "vectors are there");
    }

    function test_RevertWhen_IssuerKeyIsBad() public view {
        bytes[] memory bad = vm.parseJsonBytesArray(json, ".badG2Eip2537.encoding");
        string[] memory what = vm.parseJsonStringArray(json, ".badG2Eip2537.what");
        for (uint256 i = 0; i < bad.length; ++i) {
            assertFalse(harness.isIssuerKey(bad[i]), what[i]);
        }
        assertTrue(bad.length >= 10, "vectors are there");
    }

    function test_RevertWhen_Forged() public {
        (BlindCredential.Scope memory scope, bytes memory key,) = _batch();
        address[] memory accounts = vm.parseJsonAddressArray(json, ".forgeries.account");
        bytes[] memory signatures = vm.parseJsonBytesArray(json, ".forgeries.signatureUncompressed");
        string[] memory name = vm.parseJsonStringArray(json, ".forgeries.name");
        bool[] memory plainSumAccepts = vm.parseJsonBoolArray(json, ".forgeries.plainSumAccepts");
        uint256 size = accounts.length;
        for (uint256 i = 0; i < name.length; ++i) {
            bytes memory joined;
            for (uint256 j = 0; j < size; ++j) {
                joined = bytes.concat(joined, signatures[size * i + j]);
            }
            assertFalse(harness.verify(scope, key, accounts, joined), name[i]);
            if (plainSumAccepts[i]) {
                assertTrue(plainSum.verify(scope, key, accounts, joined), string.concat("plain sum: ", name[i]));
            }
        }
        assertTrue(name.length >= 5, "vectors are there");
    }

    function test_Credentials() public {
        uint256[] memory chainIds = vm.parseJsonUintArray(json, ".credentials.chainId");
        address[] memory contracts = vm.parseJsonAddressArray(json, ".credentials.contract");
        uint256[] memory ids = vm.parseJsonUintArray(json, ".credentials.scopeId");
        uint256[] memory classes = vm.parseJsonUintArray(json, ".credentials.class");
        address[] memory accounts = vm.parseJsonAddressArray(json, ".credentials.account");
        bytes[] memory messages = vm.parseJsonBytesArray(json, ".credentials.message");
        bytes[] memory points = vm.parseJsonBytesArray(json, ".credentials.messagePointUncompressed");
        bytes[] memory keys = vm.parseJsonBytesArray(json, ".credentials.issuerPublicKeyEip2537");
        uint256[] memory secrets = vm.parseJsonUintArray(json, ".credentials.issuerSecret");
        bytes[] memory signatures = vm.parseJsonBytesArray(json, ".credentials.signatureUncompressed");
        for (uint256 i = 0; i < accounts.length; ++i) {
            vm.chainId(chainIds[i]);
            BlindCredential.Scope memory scope =
                BlindCredential.Scope({verifier: contracts[i], id: ids[i], class: uint8(classes[i])});
            assertEq(harness.message(scope, accounts[i]), messages[i], "message");
            assertEq(BlsSigner.unpad(harness.hashToG1(scope, accounts[i])), points[i], "hash to curve");
            assertTrue(harness.isIssuerKey(keys[i]), "issuer key");
            assertEq(harness.repack(keys[i]), keys[i], "issuer key packed and unpacked");
            assertEq(BlsSigner.publicKey(secrets[i]), keys[i], "the tests' signer makes the same key");
            address[] memory one = new address[](1);
            one[0] = accounts[i];
            assertTrue(harness.verify(scope, keys[i], one, signatures[i]), "credential");
        }
        assertTrue(accounts.length >= 10, "vectors are there");
    }

    function test_Batch() public {
        (BlindCredential.Scope memory scope, bytes memory key, address[] memory accounts) = _batch();
        bytes[] memory signatures = vm.parseJsonBytesArray(json, ".batch.signatureUncompressed");
        assertTrue(harness.verify(scope, key, accounts, _join(signatures)), "batch");
        (signatures[3], signatures[11]) = (signatures[11], signatures[3]);
        assertFalse(harness.verify(scope, key, accounts, _join(signatures)), "two signatures swapped");
    }
}
