// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Choices} from "../../src/polls/Choices.sol";
import {Symbolic} from "./Symbolic.sol";

/// @title Counters of polls, for every choice
contract ChoicesCheck is Symbolic {
    function _counter(uint256[] memory words, uint256 index) private pure returns (uint256) {
        return uint32(words[index / 8] >> 32 * (index % 8));
    }

    /// @dev Two words with any counters, none of them at its last value.
    function _words(uint256 first, uint256 second) private pure returns (uint256[] memory words) {
        words = new uint256[](2);
        (words[0], words[1]) = (first, second);
        for (uint256 i = 0; i < 16; ++i) {
            vm.assume(_counter(words, i) < type(uint32).max);
        }
    }

    /// @notice A choice among sixteen options adds one to each option chosen and to nothing else.
    function check_EachChosenOptionCountsOnce(uint256 first, uint256 second, uint16 choice) public pure {
        uint256[] memory words = _words(first, second);
        uint256[] memory before = new uint256[](2);
        (before[0], before[1]) = (first, second);
        vm.assume(choice >= 256);
        Choices.add(words, choice, false);
        for (uint256 i = 0; i < 16; ++i) {
            assert(_counter(words, i) == _counter(before, i) + (choice >> i & 1));
        }
    }

    /// @notice Taking a choice back leaves the counters as they were.
    function check_SubtractUndoesAdd(uint256 first, uint256 second, uint16 choice) public pure {
        uint256[] memory words = new uint256[](2);
        (words[0], words[1]) = (first, second);
        vm.assume(choice >= 256);
        Choices.add(words, choice, false);
        Choices.subtract(words, choice, false);
        assert(words[0] == first && words[1] == second);
    }

    /// @notice Ratings of two options, ten counters: a grade of 1 to 5 adds one to its own counter, no grade to none.
    function check_EachGradeCountsOnce(uint256 first, uint256 second, uint8 grade, uint8 otherGrade) public pure {
        vm.assume(grade <= 5 && otherGrade >= 4 && otherGrade <= 5);
        uint256[] memory words = _words(first, second);
        uint256[] memory before = new uint256[](2);
        (before[0], before[1]) = (first, second);
        Choices.add(words, uint256(otherGrade) << 4 | grade, true);
        for (uint256 i = 0; i < 10; ++i) {
            bool chosen = i < 5 ? grade == i + 1 : otherGrade == i - 4;
            assert(_counter(words, i) == _counter(before, i) + (chosen ? 1 : 0));
        }
    }

    /// @notice Single choice: exactly the powers of two within the options.
    function check_SingleChoiceIsOneOption(uint128 choice) public pure {
        bool one = choice != 0 && choice & (choice - 1) == 0;
        assert(Choices.isWellFormed(choice, false, 9, 1) == (one && choice < 1 << 9));
    }

    /// @notice At most three of eight: exactly the choices of one, two or three options.
    function check_MultipleChoiceIsLimited(uint8 choice) public pure {
        uint256 count = 0;
        for (uint256 i = 0; i < 8; ++i) {
            count += choice >> i & 1;
        }
        assert(Choices.isWellFormed(choice, false, 8, 3) == (count >= 1 && count <= 3));
    }

    /// @notice Ratings: at least one grade, and none above 5.
    function check_GradesAreUpToFive(uint128 choice) public pure {
        bool good = choice != 0 && choice >> 16 == 0;
        for (uint256 i = 0; i < 4; ++i) {
            if (choice >> (4 * i) & 15 > 5) good = false;
        }
        assert(Choices.isWellFormed(choice, true, 16, 0) == good);
    }
}
