// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Municipalities} from "../src/access/Municipalities.sol";
import {Anchors} from "../src/anchors/Anchors.sol";
import {IMunicipalities} from "../src/interfaces/IMunicipalities.sol";
import {AnchorsTree} from "./AnchorsTree.sol";
import {Assertions} from "./Assertions.sol";

/// @title Anchors, a registrar and a register whose leaves are known
abstract contract AnchorsFixture is Assertions {
    uint64 internal constant START = 1_800_000_000;
    string internal constant NAME = "appeals";

    address internal operator = _named("operator");
    address internal registrar = _named("registrar");
    address internal stranger = _named("stranger");

    Municipalities internal municipalities;
    Anchors internal anchors;
    uint32 internal municipalityId;
    /// @dev The register at hand.
    bytes32 internal stream;
    bytes[] internal leaves;

    function setUp() public virtual {
        vm.warp(START);
        municipalities = new Municipalities(operator);
        anchors = new Anchors(address(municipalities));
        municipalityId = _admitted("66401000");
        _grantIn(municipalityId, registrar);
    }

    function _named(string memory name) internal pure returns (address) {
        return address(uint160(uint256(keccak256(bytes(name)))));
    }

    function _admitted(string memory oktmo) internal returns (uint32) {
        vm.prank(operator);
        return municipalities.admit(oktmo, unicode"Тагил");
    }

    function _grantIn(uint32 municipality, address account) internal {
        vm.prank(operator);
        municipalities.grantRole(
            municipality, IMunicipalities.Role.Registrar, account, START, START + 365 days, keccak256("application")
        );
    }

    /// @dev Opens the register at hand; its leaves are of 0 to 40 bytes.
    function _open(uint256 leafCount) internal {
        vm.prank(registrar);
        stream = anchors.openStream(municipalityId, NAME);
        _grow(leafCount);
    }

    function _grow(uint256 leafCount) internal {
        while (leaves.length < leafCount) {
            leaves.push(_leaf(leaves.length));
        }
    }

    function _leaf(uint256 i) internal pure returns (bytes memory leaf) {
        leaf = new bytes(i % 41);
        for (uint256 j = 0; j < leaf.length; ++j) {
            leaf[j] = bytes1(uint8(i + j));
        }
    }

    function _list(bytes32 a) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = a;
    }

    function _none() internal pure returns (bytes32[] memory) {
        return new bytes32[](0);
    }

    function _root(uint64 size) internal view returns (bytes32) {
        return AnchorsTree.root(leaves, size);
    }

    function _consistency(uint64 from, uint64 to) internal view returns (bytes32[] memory) {
        return from == 0 ? _none() : AnchorsTree.consistency(leaves, from, to);
    }

    /// @dev Anchors the first `size` leaves of the register at hand.
    function _anchor(uint64 size) internal returns (uint64) {
        bytes32[] memory proof = _consistency(anchors.latest(stream).leafCount, size);
        bytes32 root = _root(size);
        vm.prank(registrar);
        return anchors.anchor(stream, size, root, proof);
    }

    function _lacksRole(address caller) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("CallerLacksRole(address,uint8)", caller, uint8(IMunicipalities.Role.Registrar));
    }
}
