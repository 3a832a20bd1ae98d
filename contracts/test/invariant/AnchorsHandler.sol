// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Anchors} from "../../src/anchors/Anchors.sol";
import {IAnchors} from "../../src/interfaces/IAnchors.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {AnchorsFixture} from "../AnchorsFixture.sol";
import {AnchorsTree} from "../AnchorsTree.sol";
import {Vm} from "../Vm.sol";
import {AnchorsStore} from "./AnchorsStore.sol";

/// @title What honest and dishonest registrars, the operator and strangers do, in any order
/// @notice No action reverts; the store remembers what must have happened, and whether the contract agreed.
contract AnchorsHandler is AnchorsFixture {
    uint256 public constant REGISTERS = 3;

    AnchorsStore public store;
    bool private _hasRole = true;
    uint256 private _turn;
    mapping(uint256 register => bytes32) public streamOf;

    function setUp() public override {
        super.setUp();
        store = new AnchorsStore();
        for (uint256 i = 0; i < REGISTERS; ++i) {
            vm.prank(registrar);
            streamOf[i] = anchors.openStream(municipalityId, i == 0 ? "issued" : i == 1 ? "appeals" : "moderation");
        }
    }

    function theAnchors() external view returns (Anchors) {
        return anchors;
    }

    function _mixed(uint256 seed) private returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++_turn)));
    }

    function wait(uint256 seed) external {
        vm.warp(block.timestamp + _mixed(seed) % 2 days);
    }

    function grantOrRevoke() external {
        if (_hasRole) {
            vm.prank(operator);
            municipalities.revokeRole(municipalityId, IMunicipalities.Role.Registrar, registrar);
        } else {
            _grantIn(municipalityId, registrar);
        }
        _hasRole = !_hasRole;
    }

    function pauseOrUnpause() external {
        bool paused = municipalities.paused();
        vm.prank(operator);
        if (paused) municipalities.unpause();
        else municipalities.pause(0);
    }

    function addLeaves(uint256 seed) external {
        seed = _mixed(seed);
        for (uint256 i = 0; i < 1 + (seed >> 8) % 6; ++i) {
            store.addLeaf(seed % REGISTERS, abi.encodePacked(seed, i));
        }
    }

    function _lastCount(uint256 register) private view returns (uint64) {
        return anchors.latest(streamOf[register]).leafCount;
    }

    /// @dev Anchors some or all leaves; now and then none that are new.
    function anchor(uint256 seed) external {
        seed = _mixed(seed);
        uint256 register = seed % REGISTERS;
        bytes[] memory all = store.leaves(register);
        if (all.length == 0) return;
        uint64 size = uint64((seed >> 8) % 3 == 0 ? 1 + (seed >> 16) % all.length : all.length);
        uint64 last = _lastCount(register);
        bool expected = _hasRole && size > last;
        bytes32[] memory proof = last == 0 || size < last ? _none() : AnchorsTree.consistency(all, last, size);
        _submit(register, size, AnchorsTree.root(all, size), proof, expected);
    }

    function _submit(uint256 register, uint64 size, bytes32 root, bytes32[] memory proof, bool expected) private {
        vm.recordLogs();
        vm.prank(registrar);
        try anchors.anchor(streamOf[register], size, root, proof) {
            store.compare(true, expected, "anchor");
            store.addAnchor(register, root, size);
            Vm.Log[] memory logs = vm.getRecordedLogs();
            for (uint256 i = 0; i < logs.length; ++i) {
                if (logs[i].topics[0] == IAnchors.Anchored.selector) store.sawAnchored(register);
            }
        } catch {
            store.compare(false, expected, "anchor");
        }
    }

    /// @dev The registrar changes, removes or exchanges leaves that are anchored, and proves as well as can be proved.
    function rewrite(uint256 seed) external {
        seed = _mixed(seed);
        uint256 register = seed % REGISTERS;
        uint64 last = _lastCount(register);
        if (last < 2) return;
        bytes[] memory all = store.leaves(register);
        uint256 which = (seed >> 8) % last;
        uint256 other = (which + 1) % last;
        uint256 kind = (seed >> 16) % 3;
        if (kind == 0) all[which] = "rewritten";
        if (kind == 1) (all[which], all[other]) = (all[other], all[which]);
        if (kind == 2) all[which] = all[all.length - 1];
        uint64 size = uint64(all.length);
        if (size == last || keccak256(all[which]) == keccak256(store.leaves(register)[which])) return;
        bytes32 root = AnchorsTree.root(all, size);
        bytes32[] memory proof = AnchorsTree.consistency(all, last, size);
        vm.prank(registrar);
        try anchors.anchor(streamOf[register], size, root, proof) {
            store.sawRewritten(true);
        } catch {}
    }

    function tryToAnchor(uint256 seed, address somebody) external {
        seed = _mixed(seed);
        address caller = seed % 3 == 0 ? operator : somebody;
        if (caller == registrar) return;
        uint256 register = (seed >> 8) % REGISTERS;
        bytes[] memory all = store.leaves(register);
        uint64 last = _lastCount(register);
        uint64 size = uint64(all.length);
        if (size <= last) return;
        bytes32 root = AnchorsTree.root(all, size);
        bytes32[] memory proof = last == 0 ? _none() : AnchorsTree.consistency(all, last, size);
        vm.prank(caller);
        (bool success,) = address(anchors).call(abi.encodeCall(anchors.anchor, (streamOf[register], size, root, proof)));
        store.forbidden(success);
        vm.prank(caller);
        (success,) = address(anchors).call(abi.encodeCall(anchors.openStream, (municipalityId, "another")));
        store.forbidden(success);
    }
}
