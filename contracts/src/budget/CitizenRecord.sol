// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title What is known of a registered account, in one storage slot
/// @notice Class, version and the recorded distribution. A distribution in memory is a list of choices, each of the form
/// `id << 16 | points`; approvals carry one point each.
/// @dev Bits of the record, from the lowest: 1 registered, 7 unused, 8 class, 32 version, 8 number of choices, 8
/// unused, 192 choices. Cumulative: six choices of 32 bits. Approval: one bit for each of the ids 1 to 192. What does
/// not fit goes to further words, eight choices or 256 ids each; they are written before they are read and never
/// cleared.
library CitizenRecord {
    /// @notice Most choices in one distribution.
    uint256 internal constant MAX_CHOICES = 255;

    uint256 private constant CLASS_SHIFT = 8;
    uint256 private constant VERSION_SHIFT = 16;
    uint256 private constant COUNT_SHIFT = 48;
    uint256 private constant CHOICES_SHIFT = 64;

    uint256 private constant CHOICES_INLINE = 6;
    uint256 private constant CHOICES_PER_WORD = 8;
    uint256 private constant IDS_INLINE = 192;
    uint256 private constant IDS_PER_WORD = 256;

    // ---------------------------------------------------------------------------------------------
    // The record alone
    // ---------------------------------------------------------------------------------------------

    /// @notice A new registration. Never zero, so that zero means "not registered".
    function create(uint8 class) internal pure returns (uint256 record) {
        return 1 | uint256(class) << CLASS_SHIFT;
    }

    function classOf(uint256 record) internal pure returns (uint8) {
        return uint8(record >> CLASS_SHIFT);
    }

    function versionOf(uint256 record) internal pure returns (uint32) {
        return uint32(record >> VERSION_SHIFT);
    }

    function choiceCount(uint256 record) internal pure returns (uint256) {
        return uint8(record >> COUNT_SHIFT);
    }

    // ---------------------------------------------------------------------------------------------
    // Cumulative distributions
    // ---------------------------------------------------------------------------------------------

    /// @notice Writes the recorded choices into `choices`, which must be long enough.
    function readPoints(uint256 record, mapping(uint256 index => uint256 word) storage more, uint256[] memory choices)
        internal
        view
        returns (uint256 count)
    {
        count = choiceCount(record);
        uint256 word = record >> CHOICES_SHIFT;
        // The counters stay below 256.
        unchecked {
            uint256 left = CHOICES_INLINE;
            for (uint256 i = 0; i < count; ++i) {
                if (left == 0) {
                    word = more[(i - CHOICES_INLINE) / CHOICES_PER_WORD];
                    left = CHOICES_PER_WORD;
                }
                choices[i] = uint32(word);
                word >>= 32;
                --left;
            }
        }
    }

    /// @notice The record with a new version and the first `count` of `choices`.
    function writePoints(
        uint256 record,
        mapping(uint256 index => uint256 word) storage more,
        uint32 version,
        uint256[] memory choices,
        uint256 count
    ) internal returns (uint256) {
        record = _renew(record, version, count);
        // The counters stay below 256.
        unchecked {
            for (uint256 i = 0; i < count && i < CHOICES_INLINE; ++i) {
                record |= choices[i] << (CHOICES_SHIFT + 32 * i);
            }
            for (uint256 i = CHOICES_INLINE; i < count; i += CHOICES_PER_WORD) {
                uint256 word = 0;
                for (uint256 j = 0; j < CHOICES_PER_WORD && i + j < count; ++j) {
                    word |= choices[i + j] << (32 * j);
                }
                more[(i - CHOICES_INLINE) / CHOICES_PER_WORD] = word;
            }
        }
        return record;
    }

    // ---------------------------------------------------------------------------------------------
    // Approvals
    // ---------------------------------------------------------------------------------------------

    /// @notice Writes the recorded choices into `choices`, which must be long enough.
    function readApprovals(
        uint256 record,
        mapping(uint256 index => uint256 word) storage more,
        uint256[] memory choices
    ) internal view returns (uint256 count) {
        uint256 total = choiceCount(record);
        count = _readBits(record >> CHOICES_SHIFT, 1, choices, 0);
        for (uint256 i = 0; count < total; ++i) {
            count = _readBits(more[i], IDS_INLINE + 1 + i * IDS_PER_WORD, choices, count);
        }
    }

    function _readBits(uint256 bits, uint256 firstId, uint256[] memory choices, uint256 count)
        private
        pure
        returns (uint256)
    {
        for (; bits != 0; bits &= bits - 1) {
            // The lowest bit that is set.
            uint256 id = firstId + Math.log2(bits & (~bits + 1));
            choices[count++] = id << 16 | 1;
        }
        return count;
    }

    /// @notice The record with a new version and the first `count` of `choices`, whose ids ascend.
    function writeApprovals(
        uint256 record,
        mapping(uint256 index => uint256 word) storage more,
        uint32 version,
        uint256[] memory choices,
        uint256 count
    ) internal returns (uint256) {
        record = _renew(record, version, count);
        uint256 i = 0;
        for (; i < count && choices[i] >> 16 <= IDS_INLINE; ++i) {
            record |= 1 << (CHOICES_SHIFT - 1 + (choices[i] >> 16));
        }
        uint256 firstId = IDS_INLINE + 1;
        for (uint256 index = 0; i < count; ++index) {
            // Every word up to the last one in use is written, so that nothing old is ever read.
            uint256 word = 0;
            for (; i < count && choices[i] >> 16 < firstId + IDS_PER_WORD; ++i) {
                word |= 1 << ((choices[i] >> 16) - firstId);
            }
            more[index] = word;
            firstId += IDS_PER_WORD;
        }
        return record;
    }

    /// @dev Keeps registration and class.
    function _renew(uint256 record, uint32 version, uint256 count) private pure returns (uint256) {
        return record & type(uint16).max | uint256(version) << VERSION_SHIFT | count << COUNT_SHIFT;
    }
}
