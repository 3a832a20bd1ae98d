// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title What the handler remembers of registers: every leaf, and every anchor that was taken
contract AnchorsStore {
    struct AnchorModel {
        bytes32 root;
        uint64 leafCount;
        uint64 anchoredAt;
    }

    // The model; registers are small numbers.
    mapping(uint256 register => bytes[]) private _leaves;
    mapping(uint256 register => AnchorModel[]) private _anchors;

    // What the events say.
    mapping(uint256 register => uint256) public anchoredEvents;

    // What must never happen.
    bool public forbiddenSucceeded;
    bool public rewritten;
    string public disagreement;

    function compare(bool accepted, bool expected, string calldata action) external {
        if (accepted != expected) disagreement = action;
    }

    function forbidden(bool success) external {
        if (success) forbiddenSucceeded = true;
    }

    function sawRewritten(bool success) external {
        if (success) rewritten = true;
    }

    function sawAnchored(uint256 register) external {
        ++anchoredEvents[register];
    }

    function addLeaf(uint256 register, bytes calldata leaf) external {
        _leaves[register].push(leaf);
    }

    function addAnchor(uint256 register, bytes32 root, uint64 leafCount) external {
        _anchors[register].push(AnchorModel({root: root, leafCount: leafCount, anchoredAt: uint64(block.timestamp)}));
    }

    function leaves(uint256 register) external view returns (bytes[] memory) {
        return _leaves[register];
    }

    function anchorsOf(uint256 register) external view returns (AnchorModel[] memory) {
        return _anchors[register];
    }
}
