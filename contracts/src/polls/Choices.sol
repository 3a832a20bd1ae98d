// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title What a choice means, and how choices are counted
/// @notice A choice is one bit for each option, or four bits (a grade) for each; see `IPolls.PollKind`.
/// @dev Counters have 32 bits, eight in a word: one for each option, or five for each option of a rating. They never
/// overflow into one another, because a poll has less than 2^32 ballots, and what is subtracted was added before.
library Choices {
    /// @notice Counters in a word.
    uint256 internal constant COUNTERS_PER_WORD = 8;
    /// @notice Counters of one option of a rating.
    uint256 internal constant GRADES = 5;
    /// @notice Bits of one option of a rating.
    uint256 internal constant GRADE_BITS = 4;

    uint256 private constant GRADE_MASK = 15;
    /// @dev The highest bit of every grade.
    uint256 private constant GRADE_HIGH_BITS = 0x88888888888888888888888888888888;
    /// @dev Bits 0, 31, 62, ..., 217.
    uint256 private constant SPREAD = 0x2000000040000000800000010000000200000004000000080000001;
    /// @dev Bits 0, 32, 64, ..., 224.
    uint256 private constant LOWEST_BITS = 0x100000001000000010000000100000001000000010000000100000001;

    /// @notice How many counters a poll has.
    function counterCount(bool rating, uint256 optionCount) internal pure returns (uint256) {
        return rating ? optionCount * GRADES : optionCount;
    }

    /// @notice Bits that a choice may use, the lowest ones.
    function bitCount(bool rating, uint256 optionCount) internal pure returns (uint256) {
        return rating ? optionCount * GRADE_BITS : optionCount;
    }

    /// @notice Whether a choice fits the poll.
    /// @param bits See `bitCount`.
    /// @param maxChoices Most options that may be chosen; not asked of ratings.
    function isWellFormed(uint256 choice, bool rating, uint256 bits, uint256 maxChoices) internal pure returns (bool) {
        if (choice == 0 || choice >> bits != 0) return false;
        if (rating) {
            // Grades above 5: 8 and more, or 4 and 2 together.
            return (choice | (choice & choice << 1) << 1) & GRADE_HIGH_BITS == 0;
        }
        // Takes the lowest options away, as many as there may be.
        for (uint256 i = 0; i < maxChoices; ++i) {
            unchecked {
                choice &= choice - 1;
            }
            if (choice == 0) return true;
        }
        return false;
    }

    /// @notice Adds a well-formed choice to the counters.
    /// @param words The counters, as many as the poll has.
    function add(uint256[] memory words, uint256 choice, bool rating) internal pure {
        _change(words, _counters(choice, rating), 1);
    }

    /// @notice Takes a choice that was added back out of them.
    function subtract(uint256[] memory words, uint256 choice, bool rating) internal pure {
        _change(words, _counters(choice, rating), type(uint256).max);
    }

    /// @dev Adds `unit`, 1 or -1 in two's complement, to each of the counters.
    ///
    /// Eight of their bits at a time are spread over a word, bit i from place i to place 32i: multiplied by SPREAD, bit i
    /// stands at all places i + 31j, no two of which are the same, and i + 31j is a multiple of 32 for j = i alone. A
    /// loop over the options would cost several times as much.
    function _change(uint256[] memory words, uint256 counters, uint256 unit) private pure {
        assembly ("memory-safe") {
            for { let word := add(words, 32) } counters { word := add(word, 32) } {
                let ones := and(mul(and(counters, 0xff), SPREAD), LOWEST_BITS)
                mstore(word, add(mload(word), mul(unit, ones)))
                counters := shr(8, counters)
            }
        }
    }

    /// @dev The counters that a choice adds one to, as bits.
    function _counters(uint256 choice, bool rating) private pure returns (uint256 counters) {
        if (!rating) return choice;
        unchecked {
            for (uint256 first = 0; choice != 0; first += GRADES) {
                uint256 grade = choice & GRADE_MASK;
                // Grade 0 leaves no bit.
                counters |= (1 << grade >> 1) << first;
                choice >>= GRADE_BITS;
            }
        }
    }
}
