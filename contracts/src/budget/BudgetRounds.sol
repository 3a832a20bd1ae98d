// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Context} from "@openzeppelin/contracts/utils/Context.sol";

import {IBudgetRound} from "../interfaces/IBudgetRound.sol";
import {IBudgetRoundClone} from "../interfaces/IBudgetRoundClone.sol";
import {IBudgetRounds} from "../interfaces/IBudgetRounds.sol";
import {IBudgetToken} from "../interfaces/IBudgetToken.sol";
import {IBudgetTokenRound} from "../interfaces/IBudgetTokenRound.sol";
import {IIssuerKeys} from "../interfaces/IIssuerKeys.sol";
import {IMunicipalities} from "../interfaces/IMunicipalities.sol";

/// @title Factory and register of rounds
contract BudgetRounds is IBudgetRounds, Context {
    struct Entry {
        address round;
        address token;
    }

    address public immutable municipalities;
    address public immutable issuerKeys;
    address public immutable roundImplementation;
    address public immutable tokenImplementation;

    uint256 public roundCount;
    mapping(uint256 roundId => Entry) private _rounds;
    mapping(address round => bool) public isRound;

    constructor(
        address municipalities_,
        address issuerKeys_,
        address roundImplementation_,
        address tokenImplementation_
    ) {
        municipalities = municipalities_;
        issuerKeys = issuerKeys_;
        roundImplementation = roundImplementation_;
        tokenImplementation = tokenImplementation_;
    }

    // ---------------------------------------------------------------------------------------------
    // A clerk creates a round
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetRounds
    function createRound(
        IBudgetRound.RoundConfig calldata config,
        IBudgetToken.Appropriation calldata appropriation,
        string calldata tokenName,
        string calldata tokenSymbol
    ) external returns (uint256 roundId, address round, address token) {
        if (IMunicipalities(municipalities).paused()) revert ActionsPaused();
        address caller = _msgSender();
        uint32 municipalityId = config.municipalityId;
        if (!IMunicipalities(municipalities).hasRole(municipalityId, IMunicipalities.Role.Clerk, caller)) {
            revert CallerNotClerk(caller, municipalityId);
        }

        roundId = ++roundCount;
        round = Clones.clone(roundImplementation);
        token = Clones.clone(tokenImplementation);
        _rounds[roundId] = Entry({round: round, token: token});
        isRound[round] = true;
        emit RoundCreated(roundId, municipalityId, round, token, config);

        IBudgetTokenRound(token)
            .initialize(round, roundId, municipalities, municipalityId, appropriation, tokenName, tokenSymbol);
        IBudgetRoundClone(round).initialize(roundId, municipalities, token, config);
    }

    // ---------------------------------------------------------------------------------------------
    // A round claims an issuer key
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetRounds
    function claimIssuerKey(bytes32 keyHash) external {
        if (!isRound[_msgSender()]) revert CallerNotRound(_msgSender());
        IIssuerKeys(issuerKeys).claim(keyHash);
    }

    // ---------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetRounds
    function roundAt(uint256 roundId) external view returns (address round, address token) {
        Entry storage entry = _rounds[roundId];
        return (entry.round, entry.token);
    }
}
