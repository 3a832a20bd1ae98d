// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "./IBudgetRound.sol";
import {IBudgetToken} from "./IBudgetToken.sol";

/// @title Factory and register of rounds
/// @notice Creates a round and its token as minimal proxies (ERC-1167) of two fixed implementations.
interface IBudgetRounds {
    error CallerNotClerk(address caller, uint32 municipalityId);
    error CallerNotRound(address caller);
    error ActionsPaused();

    /// @dev The only place from which a reader learns of rounds and tokens. Ids count from 1 without gaps.
    event RoundCreated(
        uint256 indexed roundId,
        uint32 indexed municipalityId,
        address round,
        address token,
        IBudgetRound.RoundConfig config
    );

    /// @notice Caller: clerk of `config.municipalityId`.
    function createRound(
        IBudgetRound.RoundConfig calldata config,
        IBudgetToken.Appropriation calldata appropriation,
        string calldata tokenName,
        string calldata tokenSymbol
    ) external returns (uint256 roundId, address round, address token);

    /// @notice A round claims the key of a new class. Caller: a round of this register.
    /// @dev Passed on to `IIssuerKeys.claim`: one key must never serve two.
    /// @param keyHash keccak256 of the key's 256 bytes.
    function claimIssuerKey(bytes32 keyHash) external;

    function municipalities() external view returns (address);
    function issuerKeys() external view returns (address);
    function roundImplementation() external view returns (address);
    function tokenImplementation() external view returns (address);
    function roundCount() external view returns (uint256);
    /// @notice Whether this register created the round.
    function isRound(address round) external view returns (bool);
    /// @notice Round and token of an id; zero addresses if there is no such round.
    function roundAt(uint256 roundId) external view returns (address round, address token);
}
