// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {CitizenRecord} from "../../src/budget/CitizenRecord.sol";

/// @title One citizen's record behind external functions
contract CitizenRecordHarness {
    using CitizenRecord for uint256;

    uint256 public record;
    mapping(uint256 index => uint256 word) public more;

    function create(uint8 class) external {
        record = CitizenRecord.create(class);
    }

    function write(bool approval, uint32 version, uint256[] memory choices) external {
        record = approval
            ? record.writeApprovals(more, version, choices, choices.length)
            : record.writePoints(more, version, choices, choices.length);
    }

    function read(bool approval) external view returns (uint256[] memory choices) {
        uint256[] memory buffer = new uint256[](CitizenRecord.MAX_CHOICES);
        uint256 count = approval ? record.readApprovals(more, buffer) : record.readPoints(more, buffer);
        choices = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            choices[i] = buffer[i];
        }
    }

    function fields() external view returns (uint8 class, uint32 version, uint256 count) {
        return (record.classOf(), record.versionOf(), record.choiceCount());
    }
}
