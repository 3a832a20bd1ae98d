// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BlindCredential} from "../../src/credential/BlindCredential.sol";
import {IssuerKey} from "../../src/credential/IssuerKey.sol";

/// @title The credential libraries behind external functions
contract CredentialHarness {
    using IssuerKey for bytes;
    using IssuerKey for uint256[6];

    function isIssuerKey(bytes calldata key) external view returns (bool) {
        return BlindCredential.isIssuerKey(key);
    }

    function pack(bytes calldata key) external pure returns (uint256[6] memory) {
        return key.pack();
    }

    function unpack(uint256[6] memory packed) external pure returns (bytes memory) {
        return packed.unpack();
    }

    function repack(bytes calldata key) external pure returns (bytes memory) {
        return key.pack().unpack();
    }

    function message(BlindCredential.Scope memory scope, address account) external view returns (bytes memory) {
        return BlindCredential.message(scope, account);
    }

    function hashToG1(BlindCredential.Scope memory scope, address account) external view returns (bytes memory) {
        return BlindCredential.hashToG1(scope, account);
    }

    function seed(
        BlindCredential.Scope memory scope,
        bytes memory issuerKey,
        address[] calldata accounts,
        bytes calldata signatures
    ) external view returns (bytes32) {
        return BlindCredential.seed(scope, issuerKey, accounts, signatures);
    }

    /// @notice Checks all accounts.
    function verify(
        BlindCredential.Scope memory scope,
        bytes memory issuerKey,
        address[] calldata accounts,
        bytes calldata signatures
    ) external view returns (bool) {
        uint256[] memory kept = new uint256[](accounts.length);
        for (uint256 i = 0; i < kept.length; ++i) {
            kept[i] = i;
        }
        return BlindCredential.verify(scope, issuerKey, accounts, signatures, kept);
    }

    /// @notice Checks the accounts at `kept` alone.
    function verifyKept(
        BlindCredential.Scope memory scope,
        bytes memory issuerKey,
        address[] calldata accounts,
        bytes calldata signatures,
        uint256[] memory kept
    ) external view returns (bool) {
        return BlindCredential.verify(scope, issuerKey, accounts, signatures, kept);
    }
}
