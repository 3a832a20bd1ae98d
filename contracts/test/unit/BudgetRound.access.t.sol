// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title Every function of a round and its token that asks for a role, called by everybody who lacks it now
/// @notice Each call is refused in a state from which the rightful caller then succeeds with the same words, so that the
/// refusal is for the role and for nothing else.
contract BudgetRoundAccessTest is RoundFixture {
    IMunicipalities.Role private constant TREASURER = IMunicipalities.Role.Treasurer;
    IMunicipalities.Role private constant CLERK = IMunicipalities.Role.Clerk;
    IMunicipalities.Role private constant ISSUER = IMunicipalities.Role.Issuer;
    IMunicipalities.Role private constant CONTROLLER = IMunicipalities.Role.Controller;

    bytes32 private constant DIGEST = keccak256("transcript");

    /// @dev Owner of the register, with a valid grant of every role from before.
    address private heir = _named("heir");
    uint32 private neighbour;

    function setUp() public override {
        super.setUp();
        vm.prank(operator);
        neighbour = municipalities.admit("66401001", unicode"Соседний");
        for (uint8 i = 1; i <= uint8(type(IMunicipalities.Role).max); ++i) {
            _grantIn(municipalityId, IMunicipalities.Role(i), heir, START, START + 365 days);
            assertTrue(municipalities.hasRole(municipalityId, IMunicipalities.Role(i), heir), "awake until it owns");
        }
        _handOver(heir);
    }

    function _grantIn(uint32 municipality, IMunicipalities.Role role, address account, uint64 from, uint64 until)
        private
    {
        vm.prank(municipalities.owner());
        municipalities.grantRole(municipality, role, account, from, until, keccak256("application"));
    }

    function _someone(string memory reason, IMunicipalities.Role role) private pure returns (address) {
        return _named(string.concat(reason, vm.toString(uint256(role))));
    }

    /// @dev Accounts that lack both roles now, each for another reason.
    function _lacking(IMunicipalities.Role role, IMunicipalities.Role alternative)
        private
        returns (address[8] memory callers)
    {
        address others = _someone("every other role", role);
        address expired = _someone("expired this second", role);
        address revoked = _someone("revoked", role);
        address early = _someone("valid from the next second", role);
        address abroad = _someone("of another municipality", role);
        uint64 nowAt = uint64(block.timestamp);
        for (uint8 i = 1; i <= uint8(type(IMunicipalities.Role).max); ++i) {
            IMunicipalities.Role each = IMunicipalities.Role(i);
            if (each != role && each != alternative) {
                _grantIn(municipalityId, each, others, START, START + 365 days);
                continue;
            }
            _grantIn(municipalityId, each, expired, nowAt - 1, nowAt);
            _grantIn(municipalityId, each, early, nowAt + 1, START + 365 days);
            _grantIn(neighbour, each, abroad, START, START + 365 days);
            _grantIn(municipalityId, each, revoked, START, START + 365 days);
            vm.prank(heir);
            municipalities.revokeRole(municipalityId, each, revoked);
        }
        return [stranger, others, expired, revoked, early, abroad, heir, operator];
    }

    /// @dev `role` is the one that the error names.
    function _assertGuarded(
        address target,
        IMunicipalities.Role role,
        IMunicipalities.Role alternative,
        address rightful,
        bytes memory data
    ) private {
        address[8] memory callers = _lacking(role, alternative);
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.prank(callers[i]);
            (bool accepted, bytes memory result) = target.call(data);
            assertFalse(accepted, "refused without the role");
            // The token's error is the same.
            assertEq(
                result,
                abi.encodeWithSelector(IBudgetRound.CallerLacksRole.selector, callers[i], uint8(role)),
                "and says why"
            );
        }
        vm.prank(rightful);
        (bool success,) = target.call(data);
        assertTrue(success, "from the same state the rightful caller succeeds");
    }

    function _assertGuarded(IMunicipalities.Role role, address rightful, bytes memory data) private {
        _assertGuarded(address(round), role, role, rightful, data);
    }

    // ---------------------------------------------------------------------------------------------
    // Draft
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_ClassIsAddedWithoutTheRole() public {
        _create(_cumulative());
        _assertGuarded(CLERK, clerk, abi.encodeCall(round.addClass, (1, BlsSigner.publicKey(7))));
        assertEq(round.classCount(), 1, "added once");
    }

    function test_RevertWhen_InitiativeIsAddedWithoutTheRole() public {
        _create(_cumulative());
        _assertGuarded(CLERK, clerk, abi.encodeCall(round.addInitiative, (1, 0)));
        assertEq(round.initiativeCount(), 1, "added once");
    }

    function test_RevertWhen_RegistrationIsOpenedWithoutTheRole() public {
        _createWith(_cumulative(), 1, 1);
        _assertGuarded(CLERK, clerk, abi.encodeCall(round.openRegistration, ()));
    }

    // ---------------------------------------------------------------------------------------------
    // Money
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_MintIsProposedWithoutTheRole() public {
        _create(_cumulative());
        _assertGuarded(
            address(token), TREASURER, TREASURER, treasurer, abi.encodeCall(token.proposeMint, (5, keccak256("order")))
        );
        assertEq(token.mintCount(), 1, "proposed once");
    }

    function test_RevertWhen_MintIsApprovedWithoutTheRole() public {
        _create(_cumulative());
        _proposeMint(5);
        bytes memory data = abi.encodeCall(token.approveMint, (1, uint256(5), keccak256("order")));
        _assertGuarded(address(token), CONTROLLER, CONTROLLER, controller, data);
        assertEq(token.mintedTotal(), 5, "minted once");
    }

    /// @notice Another treasurer, who is among those that are refused, has no say in a colleague's proposal.
    function test_RevertWhen_MintIsCancelledWithoutTheRole() public {
        _create(_cumulative());
        _proposeMint(5);
        _assertGuarded(address(token), CONTROLLER, CONTROLLER, controller, abi.encodeCall(token.cancelMint, (1)));
    }

    // ---------------------------------------------------------------------------------------------
    // Registration and pledging
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_IssuedIsPublishedWithoutTheRole() public {
        _createWith(_cumulative(), 1, 1);
        _openRegistration();
        _assertGuarded(ISSUER, issuer, abi.encodeCall(round.publishIssued, (0, 5)));
        assertEq(round.classInfo(0).issued, 5, "published");
    }

    function test_RevertWhen_IssuedIsPublishedWithoutTheRoleWhilePledging() public {
        _pledgingWith(_config(IBudgetRound.BallotKind.Approval, IBudgetRound.Allotment.Fixed), 0, 1);
        _assertGuarded(ISSUER, issuer, abi.encodeCall(round.publishIssued, (0, 5)));
        assertEq(round.classInfo(0).issued, 5, "published");
    }

    function test_RevertWhen_PledgingIsOpenedWithoutTheRole() public {
        _createWith(_cumulative(), 1, 1);
        _mint(APPROPRIATION);
        _openRegistration();
        vm.warp(REGISTRATION_UNTIL);
        _assertGuarded(CLERK, clerk, abi.encodeCall(round.openPledging, ()));
    }

    function test_RevertWhen_PledgingIsClosedWithoutTheRole() public {
        _pledgingWith(_cumulative(), 1, 1);
        vm.warp(PLEDGING_UNTIL + CLOSING_GRACE - 1);
        _assertGuarded(CLERK, clerk, abi.encodeCall(round.closePledging, ()));
    }

    // ---------------------------------------------------------------------------------------------
    // Settlement
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_SettlementIsProposedWithoutTheRole() public {
        _pledgingWith(_cumulative(), 1, 2);
        _closePledging();
        _assertGuarded(CLERK, clerk, abi.encodeCall(round.proposeSettlement, (_list(1), DIGEST)));
        assertEq(round.settlement().proposer, clerk, "the clerk's proposal");
    }

    function test_RevertWhen_SettlementIsApprovedWithoutTheRole() public {
        _pledgingWith(_cumulative(), 1, 2);
        _closePledging();
        _propose(_list(1));
        _assertGuarded(CONTROLLER, controller, abi.encodeCall(round.approveSettlement, (_list(1), DIGEST)));
        assertEq(round.settlement().approver, controller, "the controller's approval");
    }

    /// @notice Clerk and controller may both; who is refused lacks both.
    function test_RevertWhen_SettlementIsWithdrawnWithoutEitherRole() public {
        _pledgingWith(_cumulative(), 1, 2);
        _closePledging();
        _propose(_list(1));
        bytes memory data = abi.encodeCall(round.withdrawSettlement, ());
        uint256 snapshot = vm.snapshotState();
        _assertGuarded(address(round), CLERK, CONTROLLER, clerk, data);
        vm.revertToState(snapshot);
        assertTrue(round.phase() == IBudgetRound.Phase.Objection, "as before");
        _assertGuarded(address(round), CLERK, CONTROLLER, controller, data);
    }

    // ---------------------------------------------------------------------------------------------
    // Execution
    // ---------------------------------------------------------------------------------------------

    function _settled() private {
        _pledgingWith(_cumulative(), 1, 2);
        _closePledging();
        _settle(_list(1));
    }

    function test_RevertWhen_PaymentIsRecordedWithoutTheRole() public {
        _settled();
        _assertGuarded(
            TREASURER, treasurer, abi.encodeCall(round.recordPayment, (1, 5, bytes32("order"), keccak256("act")))
        );
        assertEq(token.paidTotal(), 5, "paid once");
    }

    function test_RevertWhen_RemainderIsReturnedWithoutTheRole() public {
        _settled();
        _assertGuarded(TREASURER, treasurer, abi.encodeCall(round.returnRemainder, (1)));
        assertEq(_inWallet(1), 0, "returned");
    }

    function test_RevertWhen_RoundIsClosedWithoutTheRole() public {
        _settled();
        vm.prank(treasurer);
        round.returnRemainder(1);
        _assertGuarded(TREASURER, treasurer, abi.encodeCall(round.close, ()));
    }

    // ---------------------------------------------------------------------------------------------
    // Calling off
    // ---------------------------------------------------------------------------------------------

    /// @dev Leaves the round as it was.
    function _assertCancelIsGuarded(IBudgetRound.Phase phase) private {
        assertTrue(round.phase() == phase, "phase");
        uint256 snapshot = vm.snapshotState();
        _assertGuarded(CLERK, clerk, abi.encodeCall(round.cancel, ()));
        assertTrue(round.phase() == IBudgetRound.Phase.Cancelled, "called off by the clerk");
        vm.revertToState(snapshot);
    }

    function test_RevertWhen_RoundIsCancelledWithoutTheRole() public {
        _createWith(_cumulative(), 1, 2);
        _assertCancelIsGuarded(IBudgetRound.Phase.Draft);
        _mint(APPROPRIATION);
        _openRegistration();
        _assertCancelIsGuarded(IBudgetRound.Phase.Registration);
        _openPledging();
        _assertCancelIsGuarded(IBudgetRound.Phase.Pledging);
        _closePledging();
        _assertCancelIsGuarded(IBudgetRound.Phase.Tallying);
        _propose(_list(1));
        _assertCancelIsGuarded(IBudgetRound.Phase.Objection);
    }

    // ---------------------------------------------------------------------------------------------
    // The owner
    // ---------------------------------------------------------------------------------------------

    /// @notice Nothing but owning the register stood between the owner and its roles.
    function test_RolesOfTheOwnerWakeWhenTheRegisterIsHandedOn() public {
        _createWith(_cumulative(), 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CallerLacksRole.selector, heir, uint8(CLERK)));
        vm.prank(heir);
        round.openRegistration();
        _handOver(operator);
        vm.prank(heir);
        round.openRegistration();
        assertTrue(round.phase() == IBudgetRound.Phase.Registration, "a clerk again");
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CallerLacksRole.selector, operator, uint8(CLERK)));
        vm.prank(operator);
        round.cancel();
    }
}
