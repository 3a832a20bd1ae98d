// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";

contract BudgetRoundRegisterTest is RoundFixture {
    function setUp() public override {
        super.setUp();
        _createWith(_cumulative(), 2, 1);
        _openRegistration();
    }

    function _phaseWrong(IBudgetRound.Phase current) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBudgetRound.PhaseWrong.selector, current, IBudgetRound.Phase.Registration);
    }

    function _fixed() private {
        IBudgetRound.RoundConfig memory config = _config(IBudgetRound.BallotKind.Approval, IBudgetRound.Allotment.Fixed);
        config.fixedAmount = 100;
        _createWith(config, 2, 1);
    }

    // ---------------------------------------------------------------------------------------------
    // The whole batch is refused
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_Draft() public {
        _createWith(_cumulative(), 1, 1);
        address[] memory accounts = _accounts(0, 1);
        bytes memory signatures = _credentials(0, accounts);
        vm.expectRevert(_phaseWrong(IBudgetRound.Phase.Draft));
        round.register(0, accounts, signatures);
    }

    function test_RevertGiven_PledgingAndEqualShares() public {
        _mint(1);
        _openPledging();
        address[] memory accounts = _accounts(0, 1);
        bytes memory signatures = _credentials(0, accounts);
        vm.expectRevert(_phaseWrong(IBudgetRound.Phase.Pledging));
        round.register(0, accounts, signatures);
    }

    function test_RevertGiven_TallyingAndFixedShares() public {
        _fixed();
        _mint(1_000);
        _openRegistration();
        _openPledging();
        _closePledging();
        address[] memory accounts = _accounts(0, 1);
        bytes memory signatures = _credentials(0, accounts);
        vm.expectRevert(_phaseWrong(IBudgetRound.Phase.Tallying));
        round.register(0, accounts, signatures);
    }

    function test_RevertWhen_ClassIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.ClassUnknown.selector, 2));
        round.register(2, new address[](1), new bytes(96));
    }

    function test_RevertWhen_LengthsDiffer() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.BatchMalformed.selector));
        round.register(0, new address[](0), "");
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.BatchMalformed.selector));
        round.register(0, new address[](2), new bytes(96));
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.BatchMalformed.selector));
        round.register(0, new address[](1), new bytes(97));
    }

    function test_RevertWhen_CredentialIsOfAnotherClass() public {
        address[] memory accounts = _accounts(0, 1);
        bytes memory signatures = _credentials(0, accounts);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, 1));
        round.register(1, accounts, signatures);
    }

    function test_RevertWhen_CredentialIsOfAnotherRound() public {
        address[] memory accounts = _accounts(0, 1);
        bytes memory signatures = _credentials(0, accounts);
        _createWith(_cumulative(), 1, 1);
        _openRegistration();
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, 0));
        round.register(0, accounts, signatures);
    }

    function test_RevertWhen_OneCredentialOfManyIsBad() public {
        address[] memory accounts = _accounts(0, 5);
        bytes memory signatures = _credentials(0, accounts);
        signatures[96 * 3 + 10] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, 0));
        round.register(0, accounts, signatures);
        assertEq(round.registeredCount(), 0, "nobody is registered");
        assertFalse(round.citizen(accounts[0]).registered, "nobody is registered");
    }

    /// @notice The sum forgery, end to end: one issued signature, two accounts.
    function test_RevertWhen_OneSignatureOnTheSumIsSplitInTwo() public {
        address[] memory accounts = _accounts(0, 2);
        bytes memory sum = BlsSigner.add(_hashPoint(0, accounts[0]), _hashPoint(0, accounts[1]));
        bytes memory issued = BlsSigner.multiply(sum, _secretOf(0));
        bytes memory half = BlsSigner.multiply(sum, 31337);
        bytes memory otherHalf = BlsSigner.add(issued, BlsSigner.negate(half));
        bytes memory signatures = bytes.concat(BlsSigner.unpad(half), BlsSigner.unpad(otherHalf));
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, 0));
        round.register(0, accounts, signatures);
    }

    // ---------------------------------------------------------------------------------------------
    // Items are skipped
    // ---------------------------------------------------------------------------------------------

    function _expectSkipped(address account, uint8 class, IBudgetRound.SkipReason reason) private {
        vm.expectEmit(address(round));
        emit IBudgetRound.RegistrationSkipped(account, class, reason);
    }

    function test_SkipWhen_AlreadyRegistered() public {
        _register(0, 0, 2);
        _expectSkipped(_citizen(1), 0, IBudgetRound.SkipReason.AlreadyRegistered);
        _register(0, 1, 2);
        assertEq(round.registeredCount(), 3, "the new one is registered");
        // A second credential of another class does not count either.
        _expectSkipped(_citizen(1), 1, IBudgetRound.SkipReason.AlreadyRegistered);
        _register(1, 1, 1);
        assertEq(round.registeredCount(), 3, "registered once");
        assertEq(round.citizen(_citizen(1)).class, 0, "the class stays");
    }

    function test_SkipWhen_TwiceInOneBatch() public {
        address[] memory accounts = _accounts(0, 3);
        accounts[2] = accounts[0];
        bytes memory signatures = _credentials(0, accounts);
        _expectSkipped(accounts[0], 0, IBudgetRound.SkipReason.AlreadyRegistered);
        round.register(0, accounts, signatures);
        assertEq(round.registeredCount(), 2, "registered once");
    }

    function test_SkipWhen_SkippedItemsHaveBadCredentials() public {
        _register(0, 0, 2);
        address[] memory accounts = _accounts(0, 3);
        bytes memory signatures = _credentials(0, accounts);
        signatures[5] ^= 0x01;
        round.register(0, accounts, signatures);
        assertEq(round.registeredCount(), 3, "a replayed item cannot spoil the batch");
    }

    function test_SkipWhen_FundsAreExhausted() public {
        _fixed();
        _mint(399);
        _openRegistration();
        _register(1, 0, 1);
        _expectSkipped(_citizen(2), 0, IBudgetRound.SkipReason.FundsExhausted);
        _register(0, 1, 3);
        assertEq(round.registeredCount(), 2, "200 + 100 kopecks of 399");
        _mint(1);
        _register(0, 2, 1);
        assertEq(round.registeredCount(), 3, "more was minted");
        _openPledging();
        _expectSkipped(_citizen(3), 0, IBudgetRound.SkipReason.FundsExhausted);
        _register(0, 3, 1);
        assertEq(round.registeredCount(), 3, "the budget is fixed");
    }

    // ---------------------------------------------------------------------------------------------
    // Registered
    // ---------------------------------------------------------------------------------------------

    function test_Register() public {
        address[] memory accounts = _accounts(0, 2);
        bytes memory signatures = _credentials(1, accounts);
        vm.expectEmit(address(round));
        emit IBudgetRound.Registered(accounts[0], 1);
        vm.expectEmit(address(round));
        emit IBudgetRound.Registered(accounts[1], 1);
        vm.prank(stranger);
        round.register(1, accounts, signatures);
        IBudgetRound.Citizen memory citizen = round.citizen(accounts[1]);
        assertTrue(citizen.registered, "registered");
        assertEq(citizen.class, 1, "class");
        assertEq(citizen.version, 0, "no allocation yet");
        assertEq(citizen.initiatives.length, 0, "no allocation yet");
        assertEq(round.classInfo(1).registered, 2, "registered in the class");
        assertEq(round.classInfo(0).registered, 0, "registered in the other class");
        assertEq(round.credentialMessage(1, accounts[0]).length, 105, "message");
        assertEq(
            round.credentialMessage(1, accounts[0]),
            abi.encodePacked(block.chainid, address(round), uint256(1), uint8(1), accounts[0]),
            "message"
        );
    }

    function test_RegisterDuringPledgingWithFixedShares() public {
        _fixed();
        _mint(1_000);
        _openRegistration();
        _openPledging();
        _register(0, 0, 2);
        assertEq(round.registeredCount(), 2, "while funds last");
        assertEq(round.allotmentOf(_citizen(0)), 100, "share");
    }

    // ---------------------------------------------------------------------------------------------
    // The number of credentials issued
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_PublisherIsNotIssuer() public {
        vm.expectRevert(
            abi.encodeWithSelector(IBudgetRound.CallerLacksRole.selector, clerk, uint8(IMunicipalities.Role.Issuer))
        );
        vm.prank(clerk);
        round.publishIssued(0, 1);
    }

    function test_RevertWhen_IssuedDecreases() public {
        vm.prank(issuer);
        round.publishIssued(0, 5);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.IssuedNotMonotone.selector, 0, 5, 4));
        vm.prank(issuer);
        round.publishIssued(0, 4);
    }

    function test_RevertWhen_PublishedClassIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.ClassUnknown.selector, 2));
        vm.prank(issuer);
        round.publishIssued(2, 4);
    }

    function test_RevertGiven_RegistrationIsOver() public {
        _mint(1);
        _openPledging();
        vm.expectRevert(_phaseWrong(IBudgetRound.Phase.Pledging));
        vm.prank(issuer);
        round.publishIssued(0, 4);
    }

    function test_PublishIssued() public {
        vm.expectEmit(address(round));
        emit IBudgetRound.CredentialsIssued(1, 9);
        vm.prank(issuer);
        round.publishIssued(1, 9);
        assertEq(round.classInfo(1).issued, 9, "issued");
    }
}
