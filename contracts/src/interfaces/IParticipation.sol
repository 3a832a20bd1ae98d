// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title What people can take part in: polls and rounds
interface IParticipation {
    /// @notice How many accounts have taken part so far, each counted once however often it changed its choice. Never
    /// decreases.
    /// @param id Poll or round within the contract.
    function participants(uint256 id) external view returns (uint256);
}
