// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title An issuer key in six storage slots instead of nine
/// @dev EIP-2537 pads each of the four coordinates (48 bytes) to 64. Here words 0 to 3 are the low 32 bytes of the
/// coordinates, words 4 and 5 the high 16 bytes of two coordinates each.
library IssuerKey {
    /// @param key 256 bytes, EIP-2537 encoding, padding known to be zero.
    function pack(bytes calldata key) internal pure returns (uint256[6] memory packed) {
        for (uint256 i = 0; i < 4; ++i) {
            packed[i] = uint256(bytes32(key[64 * i + 32:64 * i + 64]));
        }
        packed[4] = uint256(bytes32(key[0:32])) << 128 | uint256(bytes32(key[64:96]));
        packed[5] = uint256(bytes32(key[128:160])) << 128 | uint256(bytes32(key[192:224]));
    }

    /// @return key 256 bytes, EIP-2537 encoding.
    function unpack(uint256[6] memory packed) internal pure returns (bytes memory key) {
        return abi.encode(
            packed[4] >> 128,
            packed[0],
            packed[4] & type(uint128).max,
            packed[1],
            packed[5] >> 128,
            packed[2],
            packed[5] & type(uint128).max,
            packed[3]
        );
    }
}
