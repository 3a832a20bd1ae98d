// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Context} from "@openzeppelin/contracts/utils/Context.sol";

import {IAnchors} from "../interfaces/IAnchors.sol";
import {IMunicipalities} from "../interfaces/IMunicipalities.sol";
import {MerkleLog} from "./MerkleLog.sol";

/// @title Roots of off-chain registers
contract Anchors is IAnchors, Context {
    address public immutable municipalities;

    /// @dev A municipality's id is never zero, so a stream that stands has one.
    mapping(bytes32 stream => uint32 municipalityId) private _municipalityOf;
    mapping(bytes32 stream => Anchor[]) private _anchors;

    constructor(address municipalities_) {
        municipalities = municipalities_;
    }

    function _requireRegistrar(uint32 municipalityId) private view {
        IMunicipalities.Role role = IMunicipalities.Role.Registrar;
        if (!IMunicipalities(municipalities).hasRole(municipalityId, role, _msgSender())) {
            revert CallerLacksRole(_msgSender(), uint8(role));
        }
    }

    // ---------------------------------------------------------------------------------------------
    // The registrar anchors
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IAnchors
    function openStream(uint32 municipalityId, string calldata name) external returns (bytes32 stream) {
        _requireRegistrar(municipalityId);
        if (bytes(name).length == 0) revert StreamNameEmpty();
        stream = streamIdOf(municipalityId, name);
        if (_municipalityOf[stream] != 0) revert StreamOpenAlready(stream);

        _municipalityOf[stream] = municipalityId;
        emit StreamOpened(stream, municipalityId, name);
    }

    /// @inheritdoc IAnchors
    function anchor(bytes32 stream, uint64 leafCount, bytes32 root, bytes32[] calldata proof)
        external
        returns (uint64 index)
    {
        _requireRegistrar(_known(stream));
        Anchor memory last = latest(stream);
        if (leafCount <= last.leafCount) revert LeafCountNotHigher(stream, last.leafCount, leafCount);
        bool consistent = last.leafCount == 0
            ? proof.length == 0
            : MerkleLog.isConsistent(last.root, last.leafCount, root, leafCount, proof);
        if (!consistent) revert ConsistencyNotProven(stream, last.leafCount, leafCount);

        index = uint64(_anchors[stream].length);
        _anchors[stream].push(Anchor({root: root, leafCount: leafCount, anchoredAt: uint64(block.timestamp)}));
        emit Anchored(stream, index, root, leafCount, uint64(block.timestamp));
    }

    function _known(bytes32 stream) private view returns (uint32 municipalityId) {
        municipalityId = _municipalityOf[stream];
        if (municipalityId == 0) revert StreamUnknown(stream);
    }

    // ---------------------------------------------------------------------------------------------
    // Anyone checks
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IAnchors
    function includes(bytes32 stream, uint64 index, uint64 leafIndex, bytes calldata leaf, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        Anchor memory anchored = anchorAt(stream, index);
        return MerkleLog.includes(anchored.root, anchored.leafCount, leafIndex, MerkleLog.hashLeaf(leaf), proof);
    }

    /// @inheritdoc IAnchors
    function isConsistent(bytes32 stream, uint64 earlier, uint64 later, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        Anchor memory first = anchorAt(stream, earlier);
        Anchor memory second = anchorAt(stream, later);
        return MerkleLog.isConsistent(first.root, first.leafCount, second.root, second.leafCount, proof);
    }

    // ---------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IAnchors
    function streamIdOf(uint32 municipalityId, string calldata name) public pure returns (bytes32 stream) {
        return keccak256(abi.encode(municipalityId, name));
    }

    /// @inheritdoc IAnchors
    function streamInfo(bytes32 stream) external view returns (Stream memory) {
        return Stream({
            municipalityId: _known(stream),
            anchorCount: uint64(_anchors[stream].length),
            leafCount: latest(stream).leafCount
        });
    }

    /// @inheritdoc IAnchors
    function anchorAt(bytes32 stream, uint64 index) public view returns (Anchor memory) {
        if (index >= _anchors[stream].length) revert AnchorUnknown(stream, index);
        return _anchors[stream][index];
    }

    /// @inheritdoc IAnchors
    function latest(bytes32 stream) public view returns (Anchor memory last) {
        uint256 count = _anchors[stream].length;
        if (count != 0) last = _anchors[stream][count - 1];
    }
}
