// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {RoundFixture} from "../RoundFixture.sol";

contract MunicipalitiesGrantRoleTest is RoundFixture {
    bytes32 private constant APPLICATION = keccak256("application 2");

    function _try(uint32 id, IMunicipalities.Role role, uint64 from, uint64 until) private {
        vm.prank(operator);
        municipalities.grantRole(id, role, stranger, from, until, APPLICATION);
    }

    function test_RevertWhen_CallerIsNotOperator() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, clerk));
        vm.prank(clerk);
        municipalities.grantRole(1, IMunicipalities.Role.Clerk, clerk, START, START + 1, APPLICATION);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, clerk));
        vm.prank(clerk);
        municipalities.revokeRole(1, IMunicipalities.Role.Clerk, clerk);
    }

    function test_RevertWhen_MunicipalityIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.MunicipalityUnknown.selector, 2));
        _try(2, IMunicipalities.Role.Clerk, START, START + 1);
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.MunicipalityUnknown.selector, 0));
        _try(0, IMunicipalities.Role.Clerk, START, START + 1);
    }

    function test_AnyAdmittedMunicipality_NotOnlyTheLast() public {
        for (uint32 id = 2; id < 4; ++id) {
            vm.prank(operator);
            municipalities.admit(id == 2 ? "01701000001" : "01701000002", unicode"Барнаул");
        }
        for (uint32 id = 1; id < 4; ++id) {
            _try(id, IMunicipalities.Role.Controller, START, START + 1);
            assertEq(
                municipalities.grantOf(id, IMunicipalities.Role.Controller, stranger).applicationHash,
                APPLICATION,
                "recorded in each municipality"
            );
        }
    }

    function test_RevertWhen_RoleIsNone() public {
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.RoleNotGrantable.selector, IMunicipalities.Role.None));
        _try(1, IMunicipalities.Role.None, START, START + 1);
    }

    function test_RevertWhen_AccountIsTheOwner() public {
        for (uint8 role = 1; role < 7; ++role) {
            vm.expectRevert(abi.encodeWithSelector(IMunicipalities.OwnerHoldsNoRole.selector, operator));
            _grant(IMunicipalities.Role(role), operator);
        }
    }

    function test_RevertWhen_PeriodIsBackwards() public {
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.GrantPeriodEmpty.selector, START + 1, START));
        _try(1, IMunicipalities.Role.Clerk, START + 1, START);
    }

    function test_RevertWhen_PeriodIsEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.GrantPeriodEmpty.selector, START, START));
        _try(1, IMunicipalities.Role.Clerk, START, START);
    }

    function test_RevertWhen_GrantIsMissing() public {
        vm.expectRevert(
            abi.encodeWithSelector(IMunicipalities.GrantMissing.selector, 1, IMunicipalities.Role.Clerk, stranger)
        );
        vm.prank(operator);
        municipalities.revokeRole(1, IMunicipalities.Role.Clerk, stranger);
    }

    function testFuzz_AccessHoldsExactlyInItsPeriod(uint64 from, uint64 until, uint64 now_) public {
        from = uint64(bound(from, 1, type(uint64).max - 1));
        until = uint64(bound(until, from + 1, type(uint64).max));
        vm.expectEmit(address(municipalities));
        emit IMunicipalities.RoleGranted(1, IMunicipalities.Role.Partner, stranger, from, until, APPLICATION);
        _try(1, IMunicipalities.Role.Partner, from, until);
        vm.warp(now_);
        assertTrue(
            municipalities.hasRole(1, IMunicipalities.Role.Partner, stranger) == (from <= now_ && now_ < until),
            "expired access is no access"
        );
        assertFalse(municipalities.hasRole(1, IMunicipalities.Role.Clerk, stranger), "one role is not another");
        assertFalse(municipalities.hasRole(2, IMunicipalities.Role.Partner, stranger), "one town is not another");
        assertEq(
            municipalities.grantOf(1, IMunicipalities.Role.Partner, stranger).applicationHash,
            APPLICATION,
            "the grant names its application"
        );
    }

    function test_Revoke() public {
        vm.expectEmit(address(municipalities));
        emit IMunicipalities.RoleRevoked(1, IMunicipalities.Role.Clerk, clerk);
        vm.prank(operator);
        municipalities.revokeRole(1, IMunicipalities.Role.Clerk, clerk);
        assertFalse(municipalities.hasRole(1, IMunicipalities.Role.Clerk, clerk), "revoked");
        IMunicipalities.Grant memory grant = municipalities.grantOf(1, IMunicipalities.Role.Clerk, clerk);
        assertEq(grant.validFrom, 0, "no grant");
        assertEq(grant.validUntil, 0, "no grant");
        assertEq(grant.applicationHash, bytes32(0), "no grant");
        vm.expectRevert(
            abi.encodeWithSelector(IMunicipalities.GrantMissing.selector, 1, IMunicipalities.Role.Clerk, clerk)
        );
        _revoke(IMunicipalities.Role.Clerk, clerk);
    }

    /// @notice A later grant replaces the earlier one, be it shorter.
    function test_GrantReplaces() public {
        _try(1, IMunicipalities.Role.Clerk, START, START + 100);
        _try(1, IMunicipalities.Role.Clerk, START + 10, START + 20);
        assertFalse(municipalities.hasRole(1, IMunicipalities.Role.Clerk, stranger), "not yet");
        assertEq(municipalities.grantOf(1, IMunicipalities.Role.Clerk, stranger).validFrom, START + 10, "from");
        assertEq(municipalities.grantOf(1, IMunicipalities.Role.Clerk, stranger).validUntil, START + 20, "until");
        vm.warp(START + 50);
        assertFalse(municipalities.hasRole(1, IMunicipalities.Role.Clerk, stranger), "no more");
    }

    function test_OperatorHoldsNoRole() public view {
        for (uint8 role = 0; role < 7; ++role) {
            assertFalse(municipalities.hasRole(1, IMunicipalities.Role(role), operator), "no role by being owner");
        }
    }

    /// @notice What somebody was granted before becoming the owner sleeps, and wakes when he hands over again in time.
    function test_TheNewOwnerHoldsNoRole() public {
        for (uint8 role = 1; role < 7; ++role) {
            _grant(IMunicipalities.Role(role), stranger);
            assertTrue(municipalities.hasRole(1, IMunicipalities.Role(role), stranger), "granted");
        }
        _handOver(stranger);
        for (uint8 role = 1; role < 7; ++role) {
            assertFalse(municipalities.hasRole(1, IMunicipalities.Role(role), stranger), "the owner has none");
        }
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, operator));
        vm.prank(operator);
        municipalities.revokeRole(1, IMunicipalities.Role.Clerk, clerk);
        vm.prank(stranger);
        municipalities.revokeRole(1, IMunicipalities.Role.Partner, stranger);
        _handOver(operator);
        assertTrue(municipalities.hasRole(1, IMunicipalities.Role.Clerk, stranger), "wakes");
        assertFalse(municipalities.hasRole(1, IMunicipalities.Role.Partner, stranger), "but for what was revoked");
    }

    function test_OwnershipMovesInTwoSteps() public {
        vm.prank(operator);
        municipalities.transferOwnership(stranger);
        assertEq(municipalities.owner(), operator, "not before it is accepted");
        vm.prank(stranger);
        municipalities.acceptOwnership();
        assertEq(municipalities.owner(), stranger, "accepted");
    }
}
