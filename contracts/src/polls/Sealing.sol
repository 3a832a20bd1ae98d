// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Hashed ElGamal over secp256k1, decrypted with one call of the precompile that recovers signers
/// @notice Points are named by their x alone and mean the one with an even y. A shared point S is named by its Ethereum
/// address: nobody who does not know S knows it, and the precompile yields nothing else.
/// @dev ECRECOVER answers the address of r⁻¹(sR − zG), R being the point with x = r and y even (v = 27). With z = 0 and
/// s = k·r this is the address of k·R: multiplication by any scalar for 3,000 gas. It answers nothing when there is no
/// such R, or when its x is not below the order, which happens for one point in 2^128.
library Sealing {
    /// @notice Order of the group.
    uint256 internal constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    /// @dev x of the generator, whose y is even.
    bytes32 private constant GENERATOR = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798;

    /// @notice Whether `key` is the x of a point.
    function isKey(bytes32 key) internal pure returns (bool) {
        return _multiply(1, key) != address(0);
    }

    /// @notice Whether secret·G is the key.
    function isSecretOf(uint256 secret, bytes32 key) internal pure returns (bool) {
        return secret < ORDER && secret != 0 && _multiply(secret, GENERATOR) == _multiply(1, key);
    }

    /// @notice What a ballot's choice was masked with.
    /// @param secret Known to be the secret of the poll's key.
    /// @param point What the ballot says.
    /// @return valid False if there is no such point; then nobody can have masked anything with it.
    /// @dev The account and the version go in, so that a copy of somebody's sealed choice under another name is noise.
    function unmask(
        uint256 secret,
        bytes32 point,
        uint128 maskedChoice,
        uint256 pollId,
        address account,
        uint32 version
    ) internal view returns (bool valid, uint128 choice) {
        address shared = _multiply(secret, point);
        bytes32 mask = keccak256(abi.encodePacked(address(this), pollId, account, version, shared));
        return (shared != address(0), maskedChoice ^ uint128(bytes16(mask)));
    }

    /// @dev Address of scalar·point, zero if there is no such point. The scalar is known to be no multiple of the order.
    function _multiply(uint256 scalar, bytes32 point) private pure returns (address) {
        return ecrecover(0, 27, point, bytes32(mulmod(scalar, uint256(point), ORDER)));
    }
}
