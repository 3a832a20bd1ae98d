// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Choices} from "../../src/polls/Choices.sol";
import {Assertions} from "../Assertions.sol";

contract ChoicesGradesTest is Assertions {
    /// @dev Every value of every nibble of four options, against a plain reading of the rule.
    function test_GradesAreUpToFive() public pure {
        for (uint256 choice = 0; choice < 1 << 16; ++choice) {
            bool good = choice != 0;
            for (uint256 i = 0; i < 4; ++i) {
                if (choice >> (4 * i) & 15 > 5) good = false;
            }
            assertTrue(Choices.isWellFormed(choice, true, 16, 0) == good, "grades 0 to 5, one at least");
        }
    }
}
