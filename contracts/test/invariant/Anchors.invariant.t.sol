// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Anchors} from "../../src/anchors/Anchors.sol";
import {IAnchors} from "../../src/interfaces/IAnchors.sol";
import {AnchorsTree} from "../AnchorsTree.sol";
import {Assertions} from "../Assertions.sol";
import {Vm} from "../Vm.sol";
import {AnchorsHandler} from "./AnchorsHandler.sol";
import {AnchorsStore} from "./AnchorsStore.sol";

/// @title The invariants ANC of docs/invariants.md
contract AnchorsInvariantTest is Assertions {
    AnchorsHandler private _handler;
    AnchorsStore private _store;
    Anchors private _anchors;

    function setUp() public {
        _handler = new AnchorsHandler();
        _handler.setUp();
        _store = _handler.store();
        _anchors = _handler.theAnchors();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (Vm.FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](12);
        selectors[0] = AnchorsHandler.wait.selector;
        selectors[1] = AnchorsHandler.grantOrRevoke.selector;
        selectors[2] = AnchorsHandler.pauseOrUnpause.selector;
        selectors[3] = AnchorsHandler.tryToAnchor.selector;
        for (uint256 i = 4; i < 6; ++i) {
            selectors[i] = AnchorsHandler.rewrite.selector;
        }
        for (uint256 i = 6; i < 9; ++i) {
            selectors[i] = AnchorsHandler.addLeaves.selector;
        }
        for (uint256 i = 9; i < 12; ++i) {
            selectors[i] = AnchorsHandler.anchor.selector;
        }
        targets = new Vm.FuzzSelector[](1);
        targets[0] = Vm.FuzzSelector({addr: address(_handler), selectors: selectors});
    }

    // ---------------------------------------------------------------------------------------------
    // ANC: anchors
    // ---------------------------------------------------------------------------------------------

    function _check(uint256 register) private view {
        bytes32 stream = _handler.streamOf(register);
        bytes[] memory leaves = _store.leaves(register);
        AnchorsStore.AnchorModel[] memory models = _store.anchorsOf(register);
        IAnchors.Stream memory info = _anchors.streamInfo(stream);
        assertEq(info.anchorCount, models.length, "ANC-1: every anchor taken is kept, and no other");
        assertEq(_store.anchoredEvents(register), models.length, "ANC-2: one event for each");
        for (uint64 i = 0; i < models.length; ++i) {
            IAnchors.Anchor memory anchored = _anchors.anchorAt(stream, i);
            assertTrue(anchored.root == models[i].root, "ANC-3: a root never changes");
            assertEq(anchored.leafCount, models[i].leafCount, "ANC-3: nor its number of leaves");
            assertEq(anchored.anchoredAt, models[i].anchoredAt, "ANC-3: nor its time");
            if (i == 0) continue;
            assertLe(models[i - 1].leafCount + 1, anchored.leafCount, "ANC-4: leaves only become more");
            assertLe(models[i - 1].anchoredAt, anchored.anchoredAt, "ANC-5: times never go back");
            bytes32[] memory proof = AnchorsTree.consistency(leaves, models[i - 1].leafCount, anchored.leafCount);
            assertTrue(_anchors.isConsistent(stream, i - 1, i, proof), "ANC-6: each begins with the one before");
        }
        if (models.length == 0) return;

        // The first leaf that was ever anchored is in every tree since; the last in the last.
        uint64 last = uint64(models.length - 1);
        uint64 size = models[last].leafCount;
        assertTrue(
            _anchors.includes(stream, last, 0, leaves[0], AnchorsTree.inclusion(leaves, size, 0)),
            "ANC-7: an anchored leaf stays"
        );
        assertTrue(
            _anchors.includes(stream, last, size - 1, leaves[size - 1], AnchorsTree.inclusion(leaves, size, size - 1)),
            "ANC-7: an anchored leaf stays"
        );
        assertTrue(
            _anchors.isConsistent(stream, 0, last, AnchorsTree.consistency(leaves, models[0].leafCount, size)),
            "ANC-6: the last begins with the first"
        );
    }

    function invariant_Holds() public view {
        for (uint256 register = 0; register < _handler.REGISTERS(); ++register) {
            _check(register);
        }
        assertFalse(_store.rewritten(), "ANC-8: no register is rewritten");
        assertFalse(_store.forbiddenSucceeded(), "ANC-9: only the municipality's registrar anchors");
        assertEq(_store.disagreement(), "", "ANC-10: accepted and refused as the model says");
    }
}
