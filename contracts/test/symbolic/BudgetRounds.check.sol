// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BudgetRound} from "../../src/budget/BudgetRound.sol";
import {BudgetRounds} from "../../src/budget/BudgetRounds.sol";
import {BudgetToken} from "../../src/budget/BudgetToken.sol";
import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {Money} from "./Money.sol";

/// @title Who creates rounds, and who claims keys for them
/// @dev This contract stands in for the register of issuer keys.
contract BudgetRoundsCheck is Money {
    BudgetRounds private rounds;
    uint256 private _claims;

    function claim(bytes32) external {
        ++_claims;
    }

    function setUp() public {
        _people();
        address round = address(new BudgetRound());
        address token = address(new BudgetToken());
        rounds = new BudgetRounds(address(municipalities), address(this), round, token);
    }

    function _create(address caller, uint32 municipality, uint128 amount) private returns (bool) {
        IBudgetRound.RoundConfig memory config;
        config.municipalityId = municipality;
        config.sharePoints = 100;
        config.allotment = IBudgetRound.Allotment.Equal;
        config.contentHash = bytes32(uint256(1));
        return
            _try(
                caller, address(rounds), abi.encodeCall(rounds.createRound, (config, _appropriation(amount), "n", "S"))
            );
    }

    /// @notice Only a clerk of the municipality creates a round, and an appropriation is never nothing.
    function check_OnlyClerksCreate(address caller, uint32 municipality, uint128 amount) public {
        bool done = _create(caller, municipality, amount);
        assert(done == (caller == CLERK && municipality == 1 && amount != 0 && amount <= type(uint96).max));
        assert(rounds.roundCount() == (done ? 1 : 0));
        (address round, address token) = rounds.roundAt(1);
        assert((round != address(0)) == done);
        if (!done) return;
        assert(BudgetRound(round).token() == token && BudgetToken(token).round() == round);
        assert(BudgetToken(token).appropriation().amount == amount);
    }

    function check_OnlyRoundsClaimKeys(address caller, bytes32 key) public {
        assert(_create(CLERK, 1, 1));
        (address round,) = rounds.roundAt(1);
        bool done = _try(caller, address(rounds), abi.encodeCall(rounds.claimIssuerKey, (key)));
        assert(done == (caller == round));
        assert(_claims == (done ? 1 : 0));
    }
}
