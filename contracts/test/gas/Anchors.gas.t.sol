// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {AnchorsFixture} from "../AnchorsFixture.sol";
import {AnchorsTree} from "../AnchorsTree.sol";

/// @title Gas of whole transactions with anchors, recorded in contracts/snapshots
/// forge-config: default.isolate = true
contract AnchorsGasTest is AnchorsFixture {
    function _gas(bytes memory data) private returns (uint256) {
        vm.prank(registrar);
        (bool success,) = address(anchors).call(data);
        assertTrue(success, "taken");
        return vm.lastCallGas().gasTotalUsed;
    }

    function _anchorGas(uint64 size) private returns (uint256) {
        bytes32[] memory proof = _consistency(anchors.latest(stream).leafCount, size);
        return _gas(abi.encodeCall(anchors.anchor, (stream, size, _root(size), proof)));
    }

    function test_OpenStream() public {
        vm.snapshotValue(
            "anchor", "a register is begun", _gas(abi.encodeCall(anchors.openStream, (municipalityId, NAME)))
        );
    }

    function test_Anchor() public {
        _open(101);
        vm.snapshotValue("anchor", "the first 1", _anchorGas(1));
        vm.snapshotValue("anchor", "from 1 to 20", _anchorGas(20));
        vm.snapshotValue("anchor", "from 20 to 101", _anchorGas(101));
    }

    /// @notice A register of a billion leaves, all of them the same, so that its proof can be made.
    function test_AnchorABillion() public {
        _open(0);
        bytes32 leaf = sha256(hex"00");
        bytes32[] memory complete = new bytes32[](31);
        complete[0] = leaf;
        for (uint256 i = 1; i < 31; ++i) {
            complete[i] = sha256(bytes.concat(hex"01", complete[i - 1], complete[i - 1]));
        }
        // From 2^29 + 1 leaves to 2^30: the lone leaf, its siblings one after the other, the left half.
        bytes32[] memory proof = new bytes32[](31);
        proof[0] = leaf;
        for (uint256 i = 1; i < 31; ++i) {
            proof[i] = complete[i - 1];
        }
        bytes32 first = sha256(bytes.concat(hex"01", complete[29], leaf));
        vm.prank(registrar);
        anchors.anchor(stream, (1 << 29) + 1, first, _none());
        vm.snapshotValue(
            "anchor",
            "from 2^29 + 1 to 2^30",
            _gas(abi.encodeCall(anchors.anchor, (stream, 1 << 30, complete[30], proof)))
        );
        assertEq(AnchorsTree.split(1 << 30), 1 << 29, "the halves are of the same size");
    }
}
