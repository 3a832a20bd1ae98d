// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {MerkleLog} from "../../src/anchors/MerkleLog.sol";
import {Symbolic} from "./Symbolic.sol";

/// @title Proofs in logs of up to four leaves, whatever the leaves
contract MerkleLogCheck is Symbolic {
    function includes(bytes32 root, uint64 size, uint64 index, bytes32 leaf, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return MerkleLog.includes(root, size, index, leaf, proof);
    }

    function isConsistent(bytes32 root, uint64 size, bytes32 later, uint64 laterSize, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return MerkleLog.isConsistent(root, size, later, laterSize, proof);
    }

    function _list(bytes32 a) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = a;
    }

    function _list(bytes32 a, bytes32 b) private pure returns (bytes32[] memory list) {
        list = new bytes32[](2);
        (list[0], list[1]) = (a, b);
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return MerkleLog.hashNode(left, right);
    }

    function check_EveryLeafOfThree(bytes32 a, bytes32 b, bytes32 c) public view {
        bytes32 root = _node(_node(a, b), c);
        assert(this.includes(root, 3, 0, a, _list(b, c)));
        assert(this.includes(root, 3, 1, b, _list(a, c)));
        assert(this.includes(root, 3, 2, c, _list(_node(a, b))));
    }

    function check_EveryLeafOfFour(bytes32 a, bytes32 b, bytes32 c, bytes32 d) public view {
        bytes32 right = _node(c, d);
        bytes32 left = _node(a, b);
        bytes32 root = _node(left, right);
        assert(this.includes(root, 4, 0, a, _list(b, right)));
        assert(this.includes(root, 4, 1, b, _list(a, right)));
        assert(this.includes(root, 4, 2, c, _list(d, left)));
        assert(this.includes(root, 4, 3, d, _list(c, left)));
    }

    function check_IndexIsWithinTheLog(bytes32 root, uint64 size, uint64 index, bytes32 leaf, bytes32 step)
        public
        view
    {
        vm.assume(index >= size);
        assert(!this.includes(root, size, index, leaf, _list(step)));
    }

    function check_SingleLeafIsItsOwnRoot(bytes32 root, bytes32 leaf) public view {
        assert(this.includes(root, 1, 0, leaf, new bytes32[](0)) == (root == leaf));
    }

    /// @notice A log that grew from one, two or three leaves to four proves it; from the same size only with the same root.
    function check_GrowthIsConsistent(bytes32 a, bytes32 b, bytes32 c, bytes32 d) public view {
        bytes32 right = _node(c, d);
        bytes32 left = _node(a, b);
        bytes32 root = _node(left, right);
        assert(this.isConsistent(a, 1, root, 4, _list(b, right)));
        assert(this.isConsistent(left, 2, root, 4, _list(right)));
        bytes32[] memory three = new bytes32[](3);
        (three[0], three[1], three[2]) = (c, d, left);
        assert(this.isConsistent(_node(left, c), 3, root, 4, three));
    }

    function check_SameSizeMeansSameRoot(bytes32 root, bytes32 other, uint64 size) public view {
        bool same = this.isConsistent(root, size, other, size, new bytes32[](0));
        assert(same == (size != 0 && root == other));
    }

    /// @notice What shrank, or began with nothing, is never consistent.
    function check_LogsDoNotShrink(bytes32 root, bytes32 other, uint64 size, uint64 later, bytes32 step) public view {
        vm.assume(size == 0 || later < size);
        assert(!this.isConsistent(root, size, other, later, _list(step)));
        assert(!this.isConsistent(root, size, other, later, new bytes32[](0)));
    }
}
