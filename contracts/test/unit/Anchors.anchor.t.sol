// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IAnchors} from "../../src/interfaces/IAnchors.sol";
import {AnchorsFixture} from "../AnchorsFixture.sol";
import {AnchorsTree} from "../AnchorsTree.sol";

/// @notice `openStream` and `anchor`.
contract AnchorsAnchorTest is AnchorsFixture {
    // ---------------------------------------------------------------------------------------------
    // A register is begun
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_OpenerIsNotRegistrar() public {
        vm.expectRevert(_lacksRole(stranger));
        vm.prank(stranger);
        anchors.openStream(municipalityId, NAME);
        uint32 other = _admitted("66401001");
        vm.expectRevert(_lacksRole(registrar));
        vm.prank(registrar);
        anchors.openStream(other, NAME);
        vm.expectRevert(_lacksRole(registrar));
        vm.prank(registrar);
        anchors.openStream(0, NAME);
    }

    function test_RevertWhen_NameIsEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(IAnchors.StreamNameEmpty.selector));
        vm.prank(registrar);
        anchors.openStream(municipalityId, "");
    }

    function test_RevertGiven_StreamIsOpen() public {
        _open(0);
        vm.expectRevert(abi.encodeWithSelector(IAnchors.StreamOpenAlready.selector, stream));
        vm.prank(registrar);
        anchors.openStream(municipalityId, NAME);
    }

    function test_OpenStream() public {
        bytes32 expected = keccak256(abi.encode(municipalityId, NAME));
        vm.expectEmit(address(anchors));
        emit IAnchors.StreamOpened(expected, municipalityId, NAME);
        _open(0);
        assertEq(stream, expected, "id");
        assertEq(anchors.streamIdOf(municipalityId, NAME), expected, "id");
        IAnchors.Stream memory info = anchors.streamInfo(stream);
        assertEq(info.municipalityId, municipalityId, "municipality");
        assertEq(info.anchorCount, 0, "anchors");
        assertEq(info.leafCount, 0, "leaves");
        assertEq(anchors.latest(stream).anchoredAt, 0, "none yet");
        assertEq(anchors.municipalities(), address(municipalities), "register");
        // The same name in another municipality is another register.
        uint32 other = _admitted("66401001");
        _grantIn(other, registrar);
        vm.prank(registrar);
        assertTrue(anchors.openStream(other, NAME) != stream, "another register");
    }

    // ---------------------------------------------------------------------------------------------
    // Refused
    // ---------------------------------------------------------------------------------------------

    function _try(address caller, bytes32 stream_, uint64 leafCount, bytes32 root, bytes32[] memory proof) private {
        vm.prank(caller);
        anchors.anchor(stream_, leafCount, root, proof);
    }

    function _expectInconsistent(uint64 from, uint64 to, bytes32 root, bytes32[] memory proof) private {
        vm.expectRevert(abi.encodeWithSelector(IAnchors.ConsistencyNotProven.selector, stream, from, to));
        _try(registrar, stream, to, root, proof);
    }

    function test_RevertWhen_StreamIsUnknown() public {
        bytes memory unknown = abi.encodeWithSelector(IAnchors.StreamUnknown.selector, bytes32(uint256(1)));
        vm.expectRevert(unknown);
        _try(registrar, bytes32(uint256(1)), 1, bytes32(0), _none());
        vm.expectRevert(unknown);
        anchors.streamInfo(bytes32(uint256(1)));
    }

    function test_RevertWhen_CallerIsNotRegistrar() public {
        _open(1);
        bytes32 root = _root(1);
        vm.expectRevert(_lacksRole(stranger));
        _try(stranger, stream, 1, root, _none());
        _grantIn(_admitted("66401001"), stranger);
        vm.expectRevert(_lacksRole(stranger));
        _try(stranger, stream, 1, root, _none());
    }

    function test_RevertGiven_AccessHasEnded() public {
        _open(1);
        bytes32 root = _root(1);
        vm.warp(START + 365 days);
        vm.expectRevert(_lacksRole(registrar));
        _try(registrar, stream, 1, root, _none());
    }

    function test_RevertWhen_LeafCountIsNotHigher() public {
        _open(8);
        vm.expectRevert(abi.encodeWithSelector(IAnchors.LeafCountNotHigher.selector, stream, 0, 0));
        _try(registrar, stream, 0, bytes32(0), _none());
        _anchor(5);
        for (uint64 size = 0; size <= 5; ++size) {
            bytes32 root = _root(size);
            vm.expectRevert(abi.encodeWithSelector(IAnchors.LeafCountNotHigher.selector, stream, 5, size));
            _try(registrar, stream, size, root, _none());
        }
    }

    function test_RevertWhen_FirstAnchorHasAProof() public {
        _open(2);
        _expectInconsistent(0, 2, _root(2), _list(_root(1)));
    }

    function test_RevertWhen_ProofIsMissing() public {
        _open(8);
        _anchor(4);
        _expectInconsistent(4, 8, _root(8), _none());
    }

    /// @notice The break that matters: an anchored leaf is changed, removed or moved.
    function test_RevertWhen_HistoryIsRewritten() public {
        _open(7);
        _anchor(7);
        _grow(13);
        bytes memory kept = leaves[3];
        leaves[3] = "another word";
        // A proof that is right for the changed register.
        _expectInconsistent(7, 13, _root(13), _consistency(7, 13));
        // Two leaves change places.
        leaves[3] = leaves[4];
        leaves[4] = kept;
        _expectInconsistent(7, 13, _root(13), _consistency(7, 13));
        // One is removed, the others move up.
        leaves[4] = leaves[3];
        leaves[3] = kept;
        for (uint256 i = 3; i < 12; ++i) {
            leaves[i] = leaves[i + 1];
        }
        _expectInconsistent(7, 12, _root(12), _consistency(7, 12));
    }

    function test_RevertWhen_ProofIsForOtherSizes() public {
        _open(20);
        _anchor(6);
        _expectInconsistent(6, 12, _root(12), _consistency(6, 13));
        _expectInconsistent(6, 12, _root(12), _consistency(5, 12));
        // Sizes of another shape.
        _expectInconsistent(6, 8, _root(12), _consistency(6, 12));
        _expectInconsistent(6, 17, _root(12), _consistency(6, 12));
        _anchor(12);
        assertEq(anchors.streamInfo(stream).leafCount, 12, "the right one is taken");
    }

    /// @notice A limit of these trees, not of this contract: a root does not contain the number of its leaves. Where the
    /// shape of the proof leaves it open, a wrong number is taken, and whoever has the leaves sees that it is wrong.
    function test_NumberOfLeavesIsTheRegistrarsWord() public {
        _open(12);
        _anchor(6);
        _try(registrar, stream, 13, _root(12), _consistency(6, 12));
        assertEq(anchors.latest(stream).leafCount, 13, "taken");
        assertTrue(anchors.latest(stream).root == _root(12), "but it is the root of twelve");
        // Nothing earlier was lost by it, and nothing new can be shown: there is no thirteenth leaf.
        assertTrue(anchors.includes(stream, 0, 5, leaves[5], AnchorsTree.inclusion(leaves, 6, 5)), "still included");
        assertFalse(anchors.includes(stream, 1, 12, "", AnchorsTree.inclusion(leaves, 12, 11)), "not included");
    }

    // ---------------------------------------------------------------------------------------------
    // Anchored
    // ---------------------------------------------------------------------------------------------

    function test_Anchor() public {
        _open(5);
        bytes32 first = _root(3);
        vm.expectEmit(address(anchors));
        emit IAnchors.Anchored(stream, 0, first, 3, START);
        assertEq(_anchor(3), 0, "indices count from 0");
        vm.warp(START + 7);
        bytes32 second = _root(5);
        vm.expectEmit(address(anchors));
        emit IAnchors.Anchored(stream, 1, second, 5, START + 7);
        assertEq(_anchor(5), 1, "indices count without gaps");

        IAnchors.Anchor memory anchored = anchors.anchorAt(stream, 0);
        assertEq(anchored.root, first, "root");
        assertEq(anchored.leafCount, 3, "leaves");
        assertEq(anchored.anchoredAt, START, "time");
        anchored = anchors.anchorAt(stream, 1);
        assertEq(anchored.root, second, "root");
        assertEq(anchored.leafCount, 5, "leaves");
        assertEq(anchored.anchoredAt, START + 7, "time");
        assertEq(keccak256(abi.encode(anchors.latest(stream))), keccak256(abi.encode(anchored)), "latest");
        IAnchors.Stream memory info = anchors.streamInfo(stream);
        assertEq(info.municipalityId, municipalityId, "municipality");
        assertEq(info.anchorCount, 2, "anchors");
        assertEq(info.leafCount, 5, "leaves");
    }

    /// @notice It records, so a pause does not stop it.
    function test_AnchorWhilePaused() public {
        vm.prank(operator);
        municipalities.pause(keccak256("reason"));
        _open(1);
        assertEq(_anchor(1), 0, "anchored");
    }

    function test_RevertWhen_AnchorIsUnknown() public {
        _open(1);
        vm.expectRevert(abi.encodeWithSelector(IAnchors.AnchorUnknown.selector, stream, 0));
        anchors.anchorAt(stream, 0);
        _anchor(1);
        vm.expectRevert(abi.encodeWithSelector(IAnchors.AnchorUnknown.selector, stream, 1));
        anchors.anchorAt(stream, 1);
        vm.expectRevert(abi.encodeWithSelector(IAnchors.AnchorUnknown.selector, stream, 1));
        anchors.includes(stream, 1, 0, leaves[0], _none());
        vm.expectRevert(abi.encodeWithSelector(IAnchors.AnchorUnknown.selector, stream, 1));
        anchors.isConsistent(stream, 0, 1, _none());
        vm.expectRevert(abi.encodeWithSelector(IAnchors.AnchorUnknown.selector, stream, 2));
        anchors.isConsistent(stream, 2, 0, _none());
    }

    /// @notice Any growth is taken, and any two anchors are consistent.
    function testFuzz_AnchorAnySizes(uint256 seed) public {
        _open(64);
        uint64[5] memory sizes;
        uint64 size = 0;
        for (uint256 i = 0; i < 5; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            size += uint64(1 + seed % 12);
            sizes[i] = size;
            assertEq(_anchor(size), i, "taken");
        }
        for (uint64 i = 0; i < 5; ++i) {
            for (uint64 j = i; j < 5; ++j) {
                bytes32[] memory proof = AnchorsTree.consistency(leaves, sizes[i], sizes[j]);
                assertTrue(anchors.isConsistent(stream, i, j, proof), "consistent");
                if (i != j) assertFalse(anchors.isConsistent(stream, j, i, proof), "not the other way round");
            }
        }
    }
}
