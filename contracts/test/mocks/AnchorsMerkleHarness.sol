// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {MerkleLog} from "../../src/anchors/MerkleLog.sol";

/// @title The Merkle library behind external functions
contract AnchorsMerkleHarness {
    function hashLeaf(bytes calldata data) external pure returns (bytes32) {
        return MerkleLog.hashLeaf(data);
    }

    function hashNode(bytes32 left, bytes32 right) external pure returns (bytes32) {
        return MerkleLog.hashNode(left, right);
    }

    function includes(bytes32 root, uint64 treeSize, uint64 leafIndex, bytes32 leafHash, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return MerkleLog.includes(root, treeSize, leafIndex, leafHash, proof);
    }

    function isConsistent(
        bytes32 firstRoot,
        uint64 firstSize,
        bytes32 secondRoot,
        uint64 secondSize,
        bytes32[] calldata proof
    ) external pure returns (bool) {
        return MerkleLog.isConsistent(firstRoot, firstSize, secondRoot, secondSize, proof);
    }
}
