// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {BallotRecord} from "../../src/polls/BallotRecord.sol";
import {Choices} from "../../src/polls/Choices.sol";
import {Sealing} from "../../src/polls/Sealing.sol";

/// @title The libraries of polls behind external functions
contract PollHarness {
    function isWellFormed(uint256 choice, bool rating, uint256 optionCount, uint256 maxChoices)
        external
        pure
        returns (bool)
    {
        return Choices.isWellFormed(choice, rating, Choices.bitCount(rating, optionCount), maxChoices);
    }

    /// @notice The counters after `added` were added, in order, and then `subtracted` subtracted.
    function count(uint256[] calldata added, uint256[] calldata subtracted, bool rating, uint256 optionCount)
        external
        pure
        returns (uint256[] memory words)
    {
        words = new uint256[]((Choices.counterCount(rating, optionCount) + 7) / 8);
        for (uint256 i = 0; i < added.length; ++i) {
            Choices.add(words, added[i], rating);
        }
        for (uint256 i = 0; i < subtracted.length; ++i) {
            Choices.subtract(words, subtracted[i], rating);
        }
    }

    function isKey(bytes32 key) external pure returns (bool) {
        return Sealing.isKey(key);
    }

    function isSecretOf(uint256 secret, bytes32 key) external pure returns (bool) {
        return Sealing.isSecretOf(secret, key);
    }

    function unmask(
        uint256 secret,
        bytes32 point,
        uint128 maskedChoice,
        uint256 pollId,
        address account,
        uint32 version
    ) external view returns (bool valid, uint128 choice) {
        return Sealing.unmask(secret, point, maskedChoice, pollId, account, version);
    }

    function createCounted(uint32 version, uint128 choice) external pure returns (uint256) {
        return BallotRecord.createCounted(version, choice);
    }

    function createSealed(uint32 version, bytes32 point, uint128 maskedChoice) external pure returns (uint256) {
        return BallotRecord.createSealed(version, uint256(point), maskedChoice);
    }

    function createSpoilt(uint32 version) external pure returns (uint256) {
        return BallotRecord.createSpoilt(version);
    }

    function fields(uint256 record) external pure returns (uint32 version, IPolls.BallotStatus status, uint128 choice) {
        return (BallotRecord.versionOf(record), BallotRecord.statusOf(record), BallotRecord.choiceOf(record));
    }
}
