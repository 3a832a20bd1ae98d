// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

import {BudgetRound} from "../../src/budget/BudgetRound.sol";
import {BudgetToken} from "../../src/budget/BudgetToken.sol";
import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IBudgetRounds} from "../../src/interfaces/IBudgetRounds.sol";
import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {RoundFixture} from "../RoundFixture.sol";

contract BudgetRoundsCreateRoundTest is RoundFixture {
    function _try(IBudgetRound.RoundConfig memory config, IBudgetToken.Appropriation memory appropriation) private {
        vm.prank(clerk);
        rounds.createRound(config, appropriation, "name", "SYM");
    }

    function _expectConfigInvalid(IBudgetRound.RoundConfig memory config, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.ConfigInvalid.selector, field));
        _try(config, _appropriation());
    }

    function test_RevertWhen_CallerIsNotClerk() public {
        IBudgetRound.RoundConfig memory config = _cumulative();
        vm.expectRevert(abi.encodeWithSelector(IBudgetRounds.CallerNotClerk.selector, treasurer, municipalityId));
        vm.prank(treasurer);
        rounds.createRound(config, _appropriation(), "name", "SYM");
    }

    function test_RevertWhen_MunicipalityIsAnother() public {
        IBudgetRound.RoundConfig memory config = _cumulative();
        config.municipalityId = 2;
        vm.expectRevert(abi.encodeWithSelector(IBudgetRounds.CallerNotClerk.selector, clerk, 2));
        _try(config, _appropriation());
    }

    function test_RevertWhen_AccessHasExpired() public {
        vm.warp(START + 365 days);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRounds.CallerNotClerk.selector, clerk, municipalityId));
        _try(_cumulative(), _appropriation());
    }

    function test_RevertWhen_ConfigIsInvalid() public {
        IBudgetRound.RoundConfig memory config = _cumulative();
        config.sharePoints = 0;
        _expectConfigInvalid(config, "sharePoints");
        config.sharePoints = 10_001;
        _expectConfigInvalid(config, "sharePoints");
        config = _approval();
        config.sharePoints = 1;
        _expectConfigInvalid(config, "sharePoints");
        config = _cumulative();
        config.fixedAmount = 1;
        _expectConfigInvalid(config, "fixedAmount");
        config.allotment = IBudgetRound.Allotment.Fixed;
        config.fixedAmount = 0;
        _expectConfigInvalid(config, "fixedAmount");
        config = _cumulative();
        config.rule = IBudgetRound.Rule.Greedy;
        _expectConfigInvalid(config, "completionRaise");
        config.completionRaise = false;
        _expectConfigInvalid(config, "completionFill");
        config = _cumulative();
        config.pledgingUntil = config.registrationUntil - 1;
        _expectConfigInvalid(config, "pledgingUntil");
        config.pledgingUntil = config.registrationUntil + 366 days + 1;
        _expectConfigInvalid(config, "pledgingUntil");
        config.pledgingUntil = type(uint64).max;
        _expectConfigInvalid(config, "pledgingUntil");
        // One of the two alone: pledging would last until it, counted from its opening.
        (config.registrationUntil, config.pledgingUntil) = (0, PLEDGING_UNTIL);
        _expectConfigInvalid(config, "pledgingUntil");
        config = _cumulative();
        config.contentHash = 0;
        _expectConfigInvalid(config, "contentHash");
    }

    function test_PledgingOfNoTimeAndOfAYear() public {
        IBudgetRound.RoundConfig memory config = _cumulative();
        config.pledgingUntil = config.registrationUntil;
        _try(config, _appropriation());
        config.pledgingUntil = config.registrationUntil + 366 days;
        _try(config, _appropriation());
        assertEq(rounds.roundCount(), 2, "both are rounds");
    }

    function test_RevertWhen_AppropriationIsZero() public {
        IBudgetToken.Appropriation memory appropriation = _appropriation();
        appropriation.amount = 0;
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.AppropriationZero.selector));
        _try(_cumulative(), appropriation);
    }

    function test_RevertWhen_AppropriationIsTooLarge() public {
        IBudgetToken.Appropriation memory appropriation = _appropriation();
        appropriation.amount = type(uint96).max;
        _try(_cumulative(), appropriation);
        appropriation.amount = uint128(type(uint96).max) + 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                IBudgetToken.AppropriationTooLarge.selector, uint256(2) ** 96, uint256(type(uint96).max)
            )
        );
        _try(_cumulative(), appropriation);
    }

    function test_RevertGiven_Paused() public {
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IBudgetRounds.ActionsPaused.selector));
        _try(_cumulative(), _appropriation());
        assertEq(rounds.roundCount(), 0, "no round");
    }

    function test_RevertWhen_KbkIsMalformed() public {
        string[3] memory bad = ["", "9040503000000000024", "9040503000000000024a"];
        IBudgetToken.Appropriation memory appropriation = _appropriation();
        for (uint256 i = 0; i < bad.length; ++i) {
            appropriation.kbk = bad[i];
            vm.expectRevert(abi.encodeWithSelector(IBudgetToken.KbkMalformed.selector, bad[i]));
            _try(_cumulative(), appropriation);
        }
    }

    function test_RevertWhen_InitializedAgain() public {
        _create(_cumulative());
        vm.expectRevert(abi.encodeWithSelector(Initializable.InvalidInitialization.selector));
        round.initialize(1, address(municipalities), address(token), _cumulative());
        vm.expectRevert(abi.encodeWithSelector(Initializable.InvalidInitialization.selector));
        token.initialize(stranger, 1, address(municipalities), municipalityId, _appropriation(), "", "");
    }

    function test_RevertWhen_ImplementationIsInitialized() public {
        BudgetRound roundImplementation = BudgetRound(rounds.roundImplementation());
        BudgetToken tokenImplementation = BudgetToken(rounds.tokenImplementation());
        vm.expectRevert(abi.encodeWithSelector(Initializable.InvalidInitialization.selector));
        roundImplementation.initialize(1, address(municipalities), address(this), _cumulative());
        vm.expectRevert(abi.encodeWithSelector(Initializable.InvalidInitialization.selector));
        tokenImplementation.initialize(stranger, 1, address(municipalities), 1, _appropriation(), "", "");
    }

    function test_RevertWhen_KeyIsClaimedByStranger() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRounds.CallerNotRound.selector, stranger));
        vm.prank(stranger);
        rounds.claimIssuerKey(keccak256("key"));
    }

    function test_CreateRound() public {
        IBudgetRound.RoundConfig memory config = _cumulative();
        _create(config);
        (address first,) = rounds.roundAt(1);
        assertEq(first, address(round), "registered");
        _create(_approval());
        (address second, address secondToken) = rounds.roundAt(2);
        assertEq(second, address(round), "registered");
        assertEq(secondToken, address(token), "registered");
        assertEq(rounds.roundCount(), 2, "ids count from 1 without gaps");
        (address none,) = rounds.roundAt(3);
        assertEq(none, address(0), "no such round");
        assertTrue(rounds.isRound(first) && rounds.isRound(second), "rounds of the register");
        assertFalse(rounds.isRound(secondToken) || rounds.isRound(stranger), "nothing else is");

        assertEq(round.roundId(), 2, "round id");
        assertEq(round.token(), address(token), "token");
        assertTrue(round.phase() == IBudgetRound.Phase.Draft, "starts as a draft");
        assertEq(keccak256(abi.encode(round.config())), keccak256(abi.encode(_approval())), "configuration");
        assertEq(token.round(), address(round), "round");
        assertEq(token.treasury(), address(token), "the treasury is the token itself");
        assertEq(token.name(), unicode"Бюджет", "name");
        assertEq(token.symbol(), "BUD", "symbol");
        assertEq(token.decimals(), 2, "kopecks");
        assertEq(keccak256(abi.encode(token.appropriation())), keccak256(abi.encode(_appropriation())), "appropriation");
    }

    function test_ContractsFitTheSizeLimit() public view {
        assertLe(rounds.roundImplementation().code.length, 24_576, "EIP-170");
        assertLe(rounds.tokenImplementation().code.length, 24_576, "EIP-170");
        assertLe(address(rounds).code.length, 24_576, "EIP-170");
        assertLe(address(municipalities).code.length, 24_576, "EIP-170");
        assertLe(address(milestones).code.length, 24_576, "EIP-170");
    }
}
