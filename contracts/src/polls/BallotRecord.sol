// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

import {IPolls} from "../interfaces/IPolls.sol";

/// @title An account's ballot in one storage slot
/// @dev From the lowest bit: version (32 bits) | status (8) | the choice (128), or while sealed the upper 216 bits of the
/// hash of what is sealed. Never zero.
library BallotRecord {
    uint256 private constant STATUS_SHIFT = 32;
    uint256 private constant PAYLOAD_SHIFT = 40;

    /// @param version Below 2^32.
    /// @param choice Below 2^128.
    function createCounted(uint256 version, uint256 choice) internal pure returns (uint256) {
        return choice << PAYLOAD_SHIFT | uint256(IPolls.BallotStatus.Counted) << STATUS_SHIFT | version;
    }

    /// @param version Below 2^32.
    function createSpoilt(uint256 version) internal pure returns (uint256) {
        return uint256(IPolls.BallotStatus.Spoilt) << STATUS_SHIFT | version;
    }

    /// @param version Below 2^32.
    function createSealed(uint256 version, uint256 point, uint256 maskedChoice) internal pure returns (uint256) {
        uint256 hash = uint256(Hashes.efficientKeccak256(bytes32(point), bytes32(maskedChoice)));
        return hash >> PAYLOAD_SHIFT << PAYLOAD_SHIFT | uint256(IPolls.BallotStatus.Sealed) << STATUS_SHIFT | version;
    }

    function versionOf(uint256 record) internal pure returns (uint32) {
        return uint32(record);
    }

    function statusOf(uint256 record) internal pure returns (IPolls.BallotStatus) {
        return IPolls.BallotStatus(uint8(record >> STATUS_SHIFT));
    }

    /// @param record Known to be counted.
    function choiceOf(uint256 record) internal pure returns (uint128) {
        return uint128(record >> PAYLOAD_SHIFT);
    }
}
