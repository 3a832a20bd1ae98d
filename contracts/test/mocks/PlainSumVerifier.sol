// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BlindCredential} from "../../src/credential/BlindCredential.sol";
import {BlsSigner} from "../BlsSigner.sol";

/// @title How a batch must never be checked: e(Σσᵢ, g₂) = e(ΣH(mᵢ), pk)
/// @notice Tests show with it that a forgery is real: this check takes it, ours does not.
contract PlainSumVerifier {
    function verify(
        BlindCredential.Scope memory scope,
        bytes memory issuerKey,
        address[] calldata accounts,
        bytes calldata signatures
    ) external view returns (bool) {
        bytes memory signatureSum = new bytes(128);
        bytes memory hashSum = new bytes(128);
        for (uint256 i = 0; i < accounts.length; ++i) {
            signatureSum = BlsSigner.add(signatureSum, BlsSigner.pad(signatures[96 * i:96 * i + 96]));
            hashSum = BlsSigner.add(hashSum, BlindCredential.hashToG1(scope, accounts[i]));
        }
        (bool success, bytes memory result) = address(0x0f)
            .staticcall(abi.encodePacked(BlsSigner.negate(signatureSum), BlsSigner.G2_GENERATOR, hashSum, issuerKey));
        return success && abi.decode(result, (bool));
    }
}
