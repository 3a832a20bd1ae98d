// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IIssuerKeys} from "../../src/interfaces/IIssuerKeys.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";

contract BudgetRoundPrepareTest is RoundFixture {
    bytes private key;

    function setUp() public override {
        super.setUp();
        _create(_cumulative());
        key = BlsSigner.publicKey(77);
    }

    function _lacksRole(address caller) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBudgetRound.CallerLacksRole.selector, caller, uint8(IMunicipalities.Role.Clerk));
    }

    function _draftIsOver() private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IBudgetRound.PhaseWrong.selector, IBudgetRound.Phase.Registration, IBudgetRound.Phase.Draft
        );
    }

    function test_RevertWhen_CallerIsNotClerk() public {
        vm.expectRevert(_lacksRole(issuer));
        vm.prank(issuer);
        round.addClass(1, key);
        vm.expectRevert(_lacksRole(stranger));
        vm.prank(stranger);
        round.addInitiative(1, 0);
        vm.expectRevert(_lacksRole(stranger));
        vm.prank(stranger);
        round.openRegistration();
    }

    function test_RevertGiven_NotDraft() public {
        _addClass(1);
        vm.prank(clerk);
        round.addInitiative(1, 0);
        _openRegistration();
        vm.expectRevert(_draftIsOver());
        vm.prank(clerk);
        round.addClass(1, key);
        vm.expectRevert(_draftIsOver());
        vm.prank(clerk);
        round.addInitiative(1, 0);
        vm.expectRevert(_draftIsOver());
        vm.prank(clerk);
        round.openRegistration();
    }

    function test_RevertWhen_WeightIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.ConfigInvalid.selector, "weight"));
        vm.prank(clerk);
        round.addClass(0, key);
    }

    function test_RevertWhen_KeyIsMalformed() public {
        key[200] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.IssuerKeyMalformed.selector));
        vm.prank(clerk);
        round.addClass(1, key);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.IssuerKeyMalformed.selector));
        vm.prank(clerk);
        round.addClass(1, new bytes(256));
    }

    function test_RevertWhen_KeyIsReused() public {
        vm.prank(clerk);
        round.addClass(1, key);
        vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.IssuerKeyReused.selector, keccak256(key)));
        vm.prank(clerk);
        round.addClass(2, key);
        _create(_approval());
        vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.IssuerKeyReused.selector, keccak256(key)));
        vm.prank(clerk);
        round.addClass(1, key);
    }

    function test_RevertWhen_TooManyClasses() public {
        for (uint256 i = 0; i < 16; ++i) {
            _addClass(1);
        }
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.ClassLimitReached.selector, 16));
        vm.prank(clerk);
        round.addClass(1, key);
    }

    function test_RevertWhen_TooManyInitiatives() public {
        for (uint256 i = 0; i < 400; ++i) {
            vm.prank(clerk);
            round.addInitiative(1, 0);
        }
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.InitiativeLimitReached.selector, 400));
        vm.prank(clerk);
        round.addInitiative(1, 0);
    }

    function test_RevertWhen_CostIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CostInvalid.selector, 0));
        vm.prank(clerk);
        round.addInitiative(0, 0);
    }

    function test_RevertGiven_ClassesOrInitiativesAreMissing() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.ClassesMissing.selector));
        vm.prank(clerk);
        round.openRegistration();
        _addClass(1);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.InitiativesMissing.selector));
        vm.prank(clerk);
        round.openRegistration();
    }

    function test_RevertWhen_ViewedIdIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.ClassUnknown.selector, 0));
        round.classInfo(0);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.InitiativeUnknown.selector, 0));
        round.initiative(0);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.InitiativeUnknown.selector, 1));
        round.walletOf(1);
    }

    function test_Prepare() public {
        vm.expectEmit(address(round));
        emit IBudgetRound.ClassAdded(0, 3, key);
        vm.prank(clerk);
        round.addClass(3, key);
        assertEq(round.classInfo(0).weight, 3, "weight");
        assertEq(round.classInfo(0).issuerKey, key, "issuer key");
        assertEq(round.classCount(), 1, "classes");

        address wallet =
            address(uint160(uint256(keccak256(abi.encode("kopilka.initiative", address(round), uint256(1))))));
        vm.expectEmit(address(round));
        emit IBudgetRound.InitiativeAdded(1, 5_000, keccak256("playground"), wallet);
        vm.prank(clerk);
        round.addInitiative(5_000, keccak256("playground"));
        IBudgetRound.Initiative memory initiative = round.initiative(1);
        assertEq(initiative.cost, 5_000, "cost");
        assertEq(initiative.contentHash, keccak256("playground"), "description");
        assertEq(initiative.wallet, wallet, "wallet");
        assertEq(wallet.code.length, 0, "a wallet has no code");
        assertFalse(initiative.won, "not yet");
        assertEq(round.initiativeCount(), 1, "initiatives");

        vm.expectEmit(address(round));
        emit IBudgetRound.PhaseChanged(IBudgetRound.Phase.Registration);
        _openRegistration();
    }
}
