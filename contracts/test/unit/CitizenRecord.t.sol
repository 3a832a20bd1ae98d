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

    function test_NewRecord() public {
        harness.create(0);
        assertEq(harness.record(), 1, "registered, class 0: never zero, because zero means not registered");
        harness.create(0xab);
        assertEq(harness.record(), 0xab01, "the class in bits 8 to 15");
    }

    // ---------------------------------------------------------------------------------------------
    // The layout, word by word
    // ---------------------------------------------------------------------------------------------

    /// @dev Choice i is initiative i + 1 with 0x100 * (i + 1) points.
    function _plain(uint256 count) private pure returns (uint256[] memory choices) {
        choices = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            choices[i] = (i + 1) << 16 | 0x100 * (i + 1);
        }
    }

    function test_LayoutOfPoints() public {
        harness.create(9);
        harness.write(false, 0x01020304, _plain(16));
        assertEq(
            harness.record(),
            0x000606000005050000040400000303000002020000010100_00_10_01020304_0901,
            "six choices, their number, version, class"
        );
        assertEq(harness.more(0), 0x000e0e00000d0d00000c0c00000b0b00000a0a00000909000008080000070700, "eight more");
        assertEq(harness.more(1), 0x0010100000_0f0f00, "the rest in the last word, nothing above them");
        assertEq(harness.more(2), 0, "no word more than needed");
    }

    function test_LayoutOfPointsWithinTheRecord() public {
        harness.create(9);
        harness.write(false, 1, _plain(6));
        assertEq(harness.more(0), 0, "six choices need no further word");
        harness.write(false, 2, _plain(7));
        assertEq(harness.more(0), 0x00070700, "the seventh does");
        assertEq(harness.more(1), 0, "but only one");
        harness.write(false, 3, _plain(14));
        assertEq(harness.more(1), 0, "fourteen fill the second word");
        harness.write(false, 4, _plain(15));
        assertEq(harness.more(1), 0x000f0f00, "the fifteenth opens a third");
    }

    function test_LayoutOfApprovals() public {
        harness.create(9);
        uint256[] memory choices = new uint256[](7);
        uint16[7] memory ids = [1, 2, 192, 193, 448, 449, 450];
        for (uint256 i = 0; i < ids.length; ++i) {
            choices[i] = uint256(ids[i]) << 16 | 1;
        }
        harness.write(true, 0x01020304, choices);
        assertEq(
            harness.record(),
            0x800000000000000000000000000000000000000000000003_00_07_01020304_0901,
            "ids 1 to 192, their number, version, class"
        );
        assertEq(harness.more(0), 1 << 255 | 1, "ids 193 to 448");
        assertEq(harness.more(1), 3, "ids 449 and on");
        assertEq(harness.more(2), 0, "no word more than needed");
    }

    function test_LayoutOfApprovalsWithinTheRecord() public {
        harness.create(9);
        uint256[] memory choices = new uint256[](1);
        choices[0] = 192 << 16 | 1;
        harness.write(true, 1, choices);
        assertEq(harness.more(0), 0, "number 192 needs no further word");
        choices[0] = 449 << 16 | 1;
        harness.write(true, 2, choices);
        assertEq(harness.record(), 0x00_01_00000002_0901, "none within the record");
        assertEq(harness.more(0), 0, "a word without choices is written all the same");
        assertEq(harness.more(1), 1, "number 449");
    }

    /// @notice More ids than a round may have today: the words go on as they began.
    function test_LayoutOfApprovalsFarOut() public {
        harness.create(9);
        uint256[] memory choices = new uint256[](3);
        (choices[0], choices[1], choices[2]) = (704 << 16 | 1, 705 << 16 | 1, 961 << 16 | 1);
        _checkWritten(true, 1, choices);
        assertEq(harness.more(0), 0, "ids 193 to 448");
        assertEq(harness.more(1), 1 << 255, "ids 449 to 704");
        assertEq(harness.more(2), 1, "ids 705 to 960");
        assertEq(harness.more(3), 1, "ids 961 and on");
    }

    /// @notice A word that is used again holds nothing of what it held before.
    function test_WordsAreReplaced() public {
        harness.create(9);
        harness.write(false, 1, _plain(16));
        harness.write(false, 2, _plain(8));
        assertEq(harness.more(0), 0x0008080000070700, "two choices in place of eight");
        assertEq(harness.more(1), 0x0010100000_0f0f00, "a word out of use stays as it was");
        assertEq(harness.read(false).length, 8, "and is not read");

        uint256[] memory choices = new uint256[](1);
        choices[0] = 500 << 16 | 1;
        harness.write(true, 3, choices);
        assertEq(harness.more(0), 0, "below the first id in use");
        assertEq(harness.more(1), 1 << (500 - 449), "in place of two choices");
    }

    /// @notice The most choices and the highest ids that there can be.
    function test_Most() public {
        harness.create(9);
        uint256[] memory choices = new uint256[](255);
        for (uint256 i = 0; i < 255; ++i) {
            choices[i] = (65_281 + i) << 16 | 10_000;
        }
        _checkWritten(false, type(uint32).max, choices);
        for (uint256 i = 0; i < 255; ++i) {
            choices[i] = (146 + i) << 16 | 1;
        }
        _checkWritten(true, type(uint32).max, choices);
    }
}
