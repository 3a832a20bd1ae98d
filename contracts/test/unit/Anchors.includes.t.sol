// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {AnchorsFixture} from "../AnchorsFixture.sol";
import {AnchorsTree} from "../AnchorsTree.sol";
import {AnchorsMerkleHarness} from "../mocks/AnchorsMerkleHarness.sol";

/// @notice `includes` and `isConsistent` of the contract, and of the library behind it, against the definitions of
/// RFC 9162.
contract AnchorsIncludesTest is AnchorsFixture {
    AnchorsMerkleHarness private _log;

    function setUp() public override {
        super.setUp();
        _log = new AnchorsMerkleHarness();
    }

    // ---------------------------------------------------------------------------------------------
    // Known vectors: the eight leaves with which implementations of Certificate Transparency are tested
    // ---------------------------------------------------------------------------------------------

    function _known() private {
        leaves.push("");
        leaves.push(hex"00");
        leaves.push(hex"10");
        leaves.push(hex"2021");
        leaves.push(hex"3031");
        leaves.push(hex"40414243");
        leaves.push(hex"5051525354555657");
        leaves.push(hex"606162636465666768696a6b6c6d6e6f");
    }

    bytes32[9] private _knownRoots = [
        bytes32(0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855),
        0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d,
        0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125,
        0xaeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77,
        0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7,
        0x4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4,
        0x76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef,
        0xddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c,
        0x5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
    ];

    function _list(bytes32 a, bytes32 b, bytes32 c) private pure returns (bytes32[] memory list) {
        list = new bytes32[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function _list(bytes32 a, bytes32 b) private pure returns (bytes32[] memory list) {
        list = new bytes32[](2);
        (list[0], list[1]) = (a, b);
    }

    function test_KnownRoots() public {
        _known();
        for (uint64 size = 0; size <= 8; ++size) {
            assertEq(_root(size), _knownRoots[size], "root");
        }
        assertEq(_log.hashLeaf(""), _knownRoots[1], "leaf");
    }

    function test_KnownProofs() public {
        _known();
        _assertIncludes(
            8,
            0,
            _list(
                0x96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7,
                0x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e,
                0x6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4
            )
        );
        _assertIncludes(
            8,
            5,
            _list(
                0xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b,
                0xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0,
                0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
            )
        );
        _assertIncludes(3, 2, _list(0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125));
        _assertIncludes(
            5,
            1,
            _list(
                0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d,
                0x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e,
                0xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b
            )
        );
        _assertConsistent(
            1,
            8,
            _list(
                0x96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7,
                0x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e,
                0x6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4
            )
        );
        _assertConsistent(
            6,
            8,
            _list(
                0x0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a,
                0xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0,
                0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
            )
        );
        _assertConsistent(
            2,
            5,
            _list(
                0x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e,
                0xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b
            )
        );
    }

    function _assertIncludes(uint64 size, uint64 leafIndex, bytes32[] memory proof) private view {
        assertTrue(
            _log.includes(_knownRoots[size], size, leafIndex, _log.hashLeaf(leaves[leafIndex]), proof), "included"
        );
    }

    function _assertConsistent(uint64 first, uint64 second, bytes32[] memory proof) private view {
        assertTrue(_log.isConsistent(_knownRoots[first], first, _knownRoots[second], second, proof), "consistent");
    }

    // ---------------------------------------------------------------------------------------------
    // Against the definitions, exhaustively for small trees
    // ---------------------------------------------------------------------------------------------

    uint64 private constant SMALL = 17;

    function test_IncludesEveryLeafOfSmallTrees() public {
        _grow(SMALL);
        for (uint64 size = 1; size <= SMALL; ++size) {
            bytes32 root = _root(size);
            for (uint64 i = 0; i < size; ++i) {
                bytes32[] memory proof = AnchorsTree.inclusion(leaves, size, i);
                assertTrue(_log.includes(root, size, i, _log.hashLeaf(leaves[i]), proof), "included");
                // At no other place, and no other leaf there.
                for (uint64 j = 0; j <= size; ++j) {
                    if (i == j) continue;
                    assertFalse(_log.includes(root, size, j, _log.hashLeaf(leaves[i]), proof), "another place");
                    if (j == size) continue;
                    assertFalse(_log.includes(root, size, i, _log.hashLeaf(leaves[j]), proof), "another leaf");
                }
                _assertNothingElseIncludes(root, size, i, proof);
            }
        }
    }

    /// @dev No proof with one node changed, dropped or added.
    function _assertNothingElseIncludes(bytes32 root, uint64 size, uint64 i, bytes32[] memory proof) private view {
        bytes32 leaf = _log.hashLeaf(leaves[i]);
        for (uint256 k = 0; k < proof.length; ++k) {
            proof[k] ^= bytes32(uint256(1));
            assertFalse(_log.includes(root, size, i, leaf, proof), "a node is changed");
            proof[k] ^= bytes32(uint256(1));
        }
        assertFalse(_log.includes(root, size, i, leaf, _longer(proof, root)), "a node is added");
        if (proof.length != 0) assertFalse(_log.includes(root, size, i, leaf, _shorter(proof)), "a node is dropped");
        assertFalse(_log.includes(~root, size, i, leaf, proof), "another root");
    }

    function test_ConsistentForEveryPairOfSmallTrees() public {
        _grow(SMALL);
        for (uint64 second = 1; second <= SMALL; ++second) {
            for (uint64 first = 1; first <= second; ++first) {
                bytes32[] memory proof = AnchorsTree.consistency(leaves, first, second);
                _assertOnlyConsistent(first, second, proof);
            }
        }
    }

    function _assertOnlyConsistent(uint64 first, uint64 second, bytes32[] memory proof) private view {
        bytes32 a = _root(first);
        bytes32 b = _root(second);
        assertTrue(_log.isConsistent(a, first, b, second, proof), "consistent");
        assertFalse(_log.isConsistent(~a, first, b, second, proof), "another first root");
        assertFalse(_log.isConsistent(a, first, ~b, second, proof), "another second root");
        if (first != second) assertFalse(_log.isConsistent(b, second, a, first, proof), "the wrong way round");
        for (uint256 k = 0; k < proof.length; ++k) {
            proof[k] ^= bytes32(uint256(1));
            assertFalse(_log.isConsistent(a, first, b, second, proof), "a node is changed");
            proof[k] ^= bytes32(uint256(1));
        }
        assertFalse(_log.isConsistent(a, first, b, second, _longer(proof, b)), "a node is added");
        if (proof.length != 0) assertFalse(_log.isConsistent(a, first, b, second, _shorter(proof)), "one is dropped");
    }

    function _longer(bytes32[] memory proof, bytes32 last) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](proof.length + 1);
        for (uint256 i = 0; i < proof.length; ++i) {
            longer[i] = proof[i];
        }
        longer[proof.length] = last;
    }

    function _shorter(bytes32[] memory proof) private pure returns (bytes32[] memory shorter) {
        shorter = new bytes32[](proof.length - 1);
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = proof[i];
        }
    }

    function test_NothingIsConsistentWithNoLeaves() public view {
        assertFalse(_log.isConsistent(sha256(""), 0, sha256(""), 0, _none()), "two empty trees");
        assertFalse(_log.isConsistent(sha256(""), 0, keccak256("root"), 3, _none()), "an empty tree");
        assertFalse(_log.includes(sha256(""), 0, 0, sha256(hex"00"), _none()), "in an empty tree");
    }

    /// @notice Sizes of which all 64 bits are used do not overflow and do not loop for ever.
    function test_LargestSizes() public view {
        uint64 most = type(uint64).max;
        bytes32[] memory proof = new bytes32[](70);
        assertFalse(_log.includes(0, most, most - 1, 0, proof), "not included");
        assertFalse(_log.includes(0, most, most, 0, proof), "beyond the end");
        assertFalse(_log.isConsistent(0, most - 1, 0, most, proof), "not consistent");
        assertFalse(_log.isConsistent(0, 1, 0, most, proof), "not consistent");
        assertFalse(_log.isConsistent(0, 1 << 63, 0, most, proof), "not consistent");
    }

    // ---------------------------------------------------------------------------------------------
    // Domain separation
    // ---------------------------------------------------------------------------------------------

    /// @notice The children of an inner node, given as the bytes of a leaf, are not a leaf.
    function test_InnerNodeIsNoLeaf() public {
        _open(4);
        _anchor(4);
        bytes32 left = AnchorsTree.root(leaves, 0, 2);
        bytes32 right = AnchorsTree.root(leaves, 2, 4);
        bytes memory children = bytes.concat(_log.hashLeaf(leaves[0]), _log.hashLeaf(leaves[1]));
        assertEq(_log.hashNode(_log.hashLeaf(leaves[0]), _log.hashLeaf(leaves[1])), left, "the inner node");
        assertFalse(anchors.includes(stream, 0, 0, children, _list(right)), "not a leaf of the tree");
        assertFalse(
            anchors.includes(stream, 0, 0, bytes.concat(hex"01", children), _list(right)), "nor with its prefix"
        );
        assertFalse(anchors.includes(stream, 0, 0, abi.encodePacked(left), _list(right)), "nor the hash itself");
        assertEq(_log.hashLeaf(children), sha256(bytes.concat(hex"00", children)), "leaf");
        assertTrue(_log.hashLeaf(children) != left, "domains are separated");
    }

    // ---------------------------------------------------------------------------------------------
    // Through the contract
    // ---------------------------------------------------------------------------------------------

    function test_Includes() public {
        _open(7);
        _anchor(3);
        _anchor(7);
        bytes32[] memory proof = AnchorsTree.inclusion(leaves, 3, 1);
        assertTrue(anchors.includes(stream, 0, 1, leaves[1], proof), "in the first");
        assertFalse(anchors.includes(stream, 1, 1, leaves[1], proof), "another proof is needed for the second");
        assertTrue(anchors.includes(stream, 1, 1, leaves[1], AnchorsTree.inclusion(leaves, 7, 1)), "in the second");
        assertFalse(anchors.includes(stream, 0, 1, leaves[2], proof), "another leaf");
        assertFalse(anchors.includes(stream, 0, 2, leaves[1], proof), "another place");
        assertFalse(anchors.includes(stream, 0, 3, leaves[3], _none()), "not yet in the first");
    }

    function test_IsConsistent() public {
        _open(7);
        _anchor(3);
        _anchor(5);
        _anchor(7);
        assertTrue(anchors.isConsistent(stream, 0, 2, AnchorsTree.consistency(leaves, 3, 7)), "first and third");
        assertTrue(anchors.isConsistent(stream, 1, 1, _none()), "one with itself");
        assertFalse(anchors.isConsistent(stream, 1, 1, _list(_root(5))), "without a proof");
        assertFalse(anchors.isConsistent(stream, 0, 1, AnchorsTree.consistency(leaves, 3, 7)), "another proof");
        assertFalse(anchors.isConsistent(stream, 2, 0, AnchorsTree.consistency(leaves, 3, 7)), "backwards");
    }

    function testFuzz_Includes(uint256 size, uint256 leafIndex, uint256 other) public {
        size = bound(size, 1, 80);
        leafIndex = bound(leafIndex, 0, size - 1);
        other = bound(other, 0, size + 3);
        _open(size);
        _anchor(uint64(size));
        bytes32[] memory proof = AnchorsTree.inclusion(leaves, size, leafIndex);
        assertTrue(anchors.includes(stream, 0, uint64(leafIndex), leaves[leafIndex], proof), "included");
        if (other == leafIndex) return;
        assertFalse(anchors.includes(stream, 0, uint64(other), leaves[leafIndex], proof), "another place");
    }

    /// @notice Random nodes prove nothing.
    function testFuzz_ForgedProof(bytes32[] calldata proof, uint256 first, uint256 second) public {
        second = bound(second, 2, 40);
        first = bound(first, 1, second - 1);
        _open(second);
        _anchor(uint64(first));
        assertFalse(
            _log.isConsistent(_root(uint64(first)), uint64(first), keccak256("root"), uint64(second), proof), "forged"
        );
        assertFalse(_log.includes(_root(uint64(first)), uint64(first), 0, keccak256("leaf"), proof), "forged");
    }
}
