// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "./IBudgetRound.sol";

/// @title What the factory does with a new round and nobody else can do again
interface IBudgetRoundClone {
    /// @notice Once, in the transaction that creates the clone; the caller becomes the round's register.
    /// @param roundId_ Id in the register.
    /// @param municipalities Register that knows the clerks, issuers and treasurers.
    /// @param token_ The round's own token.
    /// @param config_ What is fixed for the round's whole life.
    function initialize(
        uint256 roundId_,
        address municipalities,
        address token_,
        IBudgetRound.RoundConfig calldata config_
    ) external;
}
