// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Assertions} from "../Assertions.sol";
import {CitizenRecordHarness} from "../mocks/CitizenRecordHarness.sol";

contract CitizenRecordTest is Assertions {
    CitizenRecordHarness private harness;

    function setUp() public {
        harness = new CitizenRecordHarness();
    }

    /// @dev Ascending ids with gaps of up to `gap`, at most 500.
    function _choices(uint256 seed, uint256 count, uint256 gap, bool approval)
        private
        pure
        returns (uint256[] memory choices)
    {
        choices = new uint256[](count);
        uint256 id = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            id += 1 + random % gap;
            choices[i] = id << 16 | (approval ? 1 : 1 + (random >> 128) % 10_000);
        }
    }

    function _checkWritten(bool approval, uint32 version, uint256[] memory choices) private {
        harness.write(approval, version, choices);
        uint256[] memory read = harness.read(approval);
        assertEq(keccak256(abi.encode(read)), keccak256(abi.encode(choices)), "what was written is read");
        (uint8 class, uint32 version_, uint256 count) = harness.fields();
        assertEq(class, 9, "the class stays");
        assertEq(version_, version, "version");
        assertEq(count, choices.length, "number of choices");
    }

    /// @notice One distribution replaces another of any size: nothing old shines through.
    function testFuzz_Replace(uint256 seed, uint256 count, uint256 newCount, uint256 gap, bool approval) public {
        gap = bound(gap, 1, 60);
        count = bound(count, 0, gap == 1 ? 255 : 500 / gap);
        newCount = bound(newCount, 0, gap == 1 ? 255 : 500 / gap);
        if (count > 255) count = 255;
        if (newCount > 255) newCount = 255;
        harness.create(9);
        _checkWritten(approval, 1, _choices(seed, count, gap, approval));
        _checkWritten(approval, type(uint32).max, _choices(~seed, newCount, gap, approval));
        _checkWritten(approval, 7, _choices(seed, count, gap, approval));
    }

    function test_Edges() public {
        harness.create(9);
        uint256[] memory choices = new uint256[](4);
        (choices[0], choices[1], choices[2], choices[3]) = (1 << 16 | 1, 192 << 16 | 1, 193 << 16 | 1, 449 << 16 | 1);
        _checkWritten(true, 1, choices);
        choices = new uint256[](1);
        choices[0] = 500 << 16 | 1;
        _checkWritten(true, 2, choices);
        _checkWritten(true, 3, new uint256[](0));
    }

    function test_NewRecordIsNotZero() public {
        harness.create(0);
        assertTrue(harness.record() != 0, "zero means not registered");
    }
}
