// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Merkle trees and their proofs by the definitions of RFC 9162, sections 2.1.1, 2.1.3.1 and 2.1.4.1
/// @notice Recursive over the list of leaves, as the RFC defines them, and so independent of the iterative checkers of
/// sections 2.1.3.2 and 2.1.4.2 that are tested with it.
library AnchorsTree {
    /// @notice MTH(D[from:to]).
    function root(bytes[] memory leaves, uint256 from, uint256 to) internal pure returns (bytes32) {
        if (to == from) return sha256("");
        if (to == from + 1) return sha256(bytes.concat(hex"00", leaves[from]));
        uint256 k = from + split(to - from);
        return sha256(bytes.concat(hex"01", root(leaves, from, k), root(leaves, k, to)));
    }

    /// @notice MTH of the first `size` leaves.
    function root(bytes[] memory leaves, uint256 size) internal pure returns (bytes32) {
        return root(leaves, 0, size);
    }

    /// @notice PATH(m, D[0:size]).
    function inclusion(bytes[] memory leaves, uint256 size, uint256 m) internal pure returns (bytes32[] memory) {
        return _path(leaves, 0, size, m);
    }

    function _path(bytes[] memory leaves, uint256 from, uint256 to, uint256 m) private pure returns (bytes32[] memory) {
        if (to - from == 1) return new bytes32[](0);
        uint256 k = split(to - from);
        return m < k
            ? _append(_path(leaves, from, from + k, m), root(leaves, from + k, to))
            : _append(_path(leaves, from + k, to, m - k), root(leaves, from, from + k));
    }

    /// @notice PROOF(m, D[0:size]).
    function consistency(bytes[] memory leaves, uint256 m, uint256 size) internal pure returns (bytes32[] memory) {
        return _subproof(leaves, 0, size, m, true);
    }

    function _subproof(bytes[] memory leaves, uint256 from, uint256 to, uint256 m, bool complete)
        private
        pure
        returns (bytes32[] memory)
    {
        if (m == to - from) {
            return complete ? new bytes32[](0) : _append(new bytes32[](0), root(leaves, from, to));
        }
        uint256 k = split(to - from);
        return m <= k
            ? _append(_subproof(leaves, from, from + k, m, complete), root(leaves, from + k, to))
            : _append(_subproof(leaves, from + k, to, m - k, false), root(leaves, from, from + k));
    }

    /// @notice The largest power of two below n.
    function split(uint256 n) internal pure returns (uint256 k) {
        k = 1;
        while (2 * k < n) {
            k *= 2;
        }
    }

    function _append(bytes32[] memory list, bytes32 last) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }
}
