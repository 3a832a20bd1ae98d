// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Merkle trees of append-only logs, as RFC 9162 has them
/// @notice Leaf: SHA-256(0x00 ‖ data). Inner node: SHA-256(0x01 ‖ left ‖ right). Of n leaves the left subtree has the
/// largest power of two below n. SHA-256 and not keccak256, so that every tool for Certificate Transparency can check
/// these logs; a step costs some 300 gas more, and a proof has at most 64 steps or so.
/// @dev The two algorithms are those of the RFC, to the letter; `fn`, `sn`, `fr` and `sr` are its names.
library MerkleLog {
    /// @notice Hash of a leaf.
    function hashLeaf(bytes memory data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), data));
    }

    /// @notice Hash of an inner node.
    function hashNode(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// @notice Section 2.1.3.2: whether the leaf is at `leafIndex` in the tree of `treeSize` leaves.
    function includes(bytes32 root, uint64 treeSize, uint64 leafIndex, bytes32 leafHash, bytes32[] calldata proof)
        internal
        pure
        returns (bool)
    {
        if (leafIndex >= treeSize) return false;
        uint64 fn = leafIndex;
        uint64 sn = treeSize - 1;
        bytes32 r = leafHash;
        for (uint256 i = 0; i < proof.length; ++i) {
            if (sn == 0) return false;
            if (fn & 1 == 1 || fn == sn) {
                r = hashNode(proof[i], r);
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                r = hashNode(r, proof[i]);
            }
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && r == root;
    }

    /// @notice Section 2.1.4.2: whether the tree of `secondSize` leaves begins with the tree of `firstSize` leaves.
    /// @param firstSize Not zero, and not more than `secondSize`.
    function isConsistent(
        bytes32 firstRoot,
        uint64 firstSize,
        bytes32 secondRoot,
        uint64 secondSize,
        bytes32[] calldata proof
    ) internal pure returns (bool) {
        if (firstSize == 0 || firstSize > secondSize) return false;
        // The RFC leaves this case to the caller.
        if (firstSize == secondSize) return proof.length == 0 && firstRoot == secondRoot;
        if (proof.length == 0) return false;

        // A complete subtree is its own first node, which the proof therefore leaves out.
        bool complete = firstSize & (firstSize - 1) == 0;
        bytes32 fr = complete ? firstRoot : proof[0];
        bytes32 sr = fr;
        uint64 fn = firstSize - 1;
        uint64 sn = secondSize - 1;
        while (fn & 1 == 1) {
            fn >>= 1;
            sn >>= 1;
        }
        for (uint256 i = complete ? 0 : 1; i < proof.length; ++i) {
            bytes32 c = proof[i];
            if (sn == 0) return false;
            if (fn & 1 == 1 || fn == sn) {
                fr = hashNode(c, fr);
                sr = hashNode(c, sr);
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                sr = hashNode(sr, c);
            }
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && fr == firstRoot && sr == secondRoot;
    }
}
