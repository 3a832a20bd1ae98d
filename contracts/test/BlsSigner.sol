// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title A BLS signer out of the precompiles, for tests only
/// @notice Points are in EIP-2537 encoding: 128 bytes in G1, 256 in G2.
library BlsSigner {
    /// @notice Order of the groups.
    uint256 internal constant ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    bytes internal constant G2_GENERATOR = abi.encode(
        0x024aa2b2f08f0a91260805272dc51051,
        0xc6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8,
        0x13e02b6052719f607dacd3a088274f65,
        0x596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e,
        0x0ce5d527727d6e118cc9cdc6da2e351a,
        0xadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801,
        0x0606c4a02ea734cc32acd2b02bc28b99,
        0xcb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be
    );

    error PrecompileFailed(uint256 precompile);

    function publicKey(uint256 secret) internal view returns (bytes memory) {
        return _call(0x0e, abi.encodePacked(G2_GENERATOR, secret));
    }

    function multiply(bytes memory point, uint256 scalar) internal view returns (bytes memory) {
        return _call(0x0c, abi.encodePacked(point, scalar));
    }

    function add(bytes memory a, bytes memory b) internal view returns (bytes memory) {
        return _call(0x0b, abi.encodePacked(a, b));
    }

    function negate(bytes memory point) internal view returns (bytes memory) {
        return multiply(point, ORDER - 1);
    }

    /// @notice 128 bytes to 96: without the padding.
    function unpad(bytes memory point) internal pure returns (bytes memory signature) {
        signature = new bytes(96);
        for (uint256 i = 0; i < 48; ++i) {
            signature[i] = point[16 + i];
            signature[48 + i] = point[80 + i];
        }
    }

    /// @notice 96 bytes to 128.
    function pad(bytes memory signature) internal pure returns (bytes memory point) {
        point = new bytes(128);
        for (uint256 i = 0; i < 48; ++i) {
            point[16 + i] = signature[i];
            point[80 + i] = signature[48 + i];
        }
    }

    function _call(uint256 precompile, bytes memory input) private view returns (bytes memory) {
        (bool success, bytes memory output) = address(uint160(precompile)).staticcall(input);
        if (!success) revert PrecompileFailed(precompile);
        return output;
    }
}
