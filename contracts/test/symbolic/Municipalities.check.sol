// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Municipalities} from "../../src/access/Municipalities.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {Symbolic} from "./Symbolic.sol";

/// @title Access, for every account, period and moment
contract MunicipalitiesCheck is Symbolic {
    address private constant OPERATOR = address(0x0123);

    Municipalities private register;

    function setUp() public {
        register = new Municipalities(OPERATOR);
        vm.prank(OPERATOR);
        register.admit("66401000", "T");
        vm.prank(OPERATOR);
        register.admit("66402000", "U");
    }

    function _grant(uint32 id, uint8 role, address account, uint64 validFrom, uint64 validUntil)
        private
        returns (bool)
    {
        bytes memory data = abi.encodeWithSelector(
            IMunicipalities.grantRole.selector, id, role, account, validFrom, validUntil, bytes32(0)
        );
        return _try(OPERATOR, address(register), data);
    }

    function _hasRole(uint32 id, uint8 role, address account) private view returns (bool) {
        return register.hasRole(id, IMunicipalities.Role(role), account);
    }

    /// @notice A grant is access from its first second until before its end, and at no other time.
    function check_AccessIsExactlyThePeriod(address account, uint64 validFrom, uint64 validUntil, uint64 moment)
        public
    {
        vm.assume(_grant(1, 2, account, validFrom, validUntil));
        vm.warp(moment);
        assert(_hasRole(1, 2, account) == (validFrom <= moment && moment < validUntil));
    }

    function check_EmptyPeriodsAreRefused(address account, uint64 validFrom, uint64 validUntil) public {
        bool granted = _grant(1, 2, account, validFrom, validUntil);
        assert(granted == (validFrom < validUntil && account != OPERATOR));
    }

    function check_NoneIsNeverGranted(address account, uint64 validFrom, uint64 validUntil) public {
        assert(!_grant(1, 0, account, validFrom, validUntil));
    }

    function check_OnlyAdmittedMunicipalitiesGrant(uint32 id, address account) public {
        assert(_grant(id, 1, account, 0, 1) == ((id == 1 || id == 2) && account != OPERATOR));
    }

    /// @notice A grant gives one role in one municipality to one account, and changes nobody else's access.
    function check_GrantsAreSeparate(uint32 id, uint8 role, address account, uint64 moment) public {
        vm.assume(role <= uint8(type(IMunicipalities.Role).max));
        vm.assume(_grant(1, 2, address(0x7777), 0, type(uint64).max));
        vm.warp(moment);
        bool granted = id == 1 && role == 2 && account == address(0x7777) && moment < type(uint64).max;
        assert(_hasRole(id, role, account) == granted);
    }

    function check_RevokedIsNoAccess(address account, uint64 validFrom, uint64 validUntil, uint64 moment) public {
        vm.assume(_grant(1, 2, account, validFrom, validUntil));
        vm.prank(OPERATOR);
        register.revokeRole(1, IMunicipalities.Role.Clerk, account);
        vm.warp(moment);
        assert(!_hasRole(1, 2, account));
    }

    /// @notice Nor does somebody who had a role before becoming the owner.
    function check_OwnerNeverHasRole(address account, uint8 role, uint64 moment) public {
        vm.assume(role <= uint8(type(IMunicipalities.Role).max));
        vm.assume(_grant(1, role, account, 0, type(uint64).max));
        vm.prank(OPERATOR);
        register.transferOwnership(account);
        vm.prank(account);
        register.acceptOwnership();
        assert(register.owner() == account);
        vm.warp(moment);
        assert(!_hasRole(1, role, account));
    }

    /// @notice Named, but not accepted: nothing has changed.
    function check_OwnershipMovesInTwoSteps(address account, address caller) public {
        vm.assume(account != caller);
        vm.prank(OPERATOR);
        register.transferOwnership(account);
        assert(register.owner() == OPERATOR);
        bool accepted = _try(caller, address(register), abi.encodeWithSignature("acceptOwnership()"));
        assert(!accepted && register.owner() == OPERATOR);
    }

    function check_OnlyTheOwnerChangesAnything(address caller, address account) public {
        vm.assume(caller != OPERATOR);
        vm.assume(_grant(1, 1, account, 0, 1));
        address target = address(register);
        assert(!_try(caller, target, abi.encodeCall(register.admit, ("66403000", "V"))));
        assert(!_try(caller, target, abi.encodeCall(register.pause, (bytes32(0)))));
        assert(!_try(caller, target, abi.encodeCall(register.unpause, ())));
        assert(!_try(caller, target, abi.encodeCall(register.transferOwnership, (caller))));
        assert(!_try(caller, target, abi.encodeCall(register.revokeRole, (1, IMunicipalities.Role.Treasurer, account))));
        bytes memory data = abi.encodeCall(
            register.grantRole, (1, IMunicipalities.Role.Clerk, caller, 0, type(uint64).max, bytes32(0))
        );
        assert(!_try(caller, target, data));
    }

    function check_NobodyRenouncesOwnership(address caller) public {
        assert(!_try(caller, address(register), abi.encodeCall(register.renounceOwnership, ())));
        assert(register.owner() == OPERATOR);
    }

    function check_PauseIsSetAndEndedOnce(bytes32 reason) public {
        assert(!_try(OPERATOR, address(register), abi.encodeCall(register.unpause, ())));
        assert(_try(OPERATOR, address(register), abi.encodeCall(register.pause, (reason))));
        assert(register.paused());
        assert(!_try(OPERATOR, address(register), abi.encodeCall(register.pause, (reason))));
        assert(_try(OPERATOR, address(register), abi.encodeCall(register.unpause, ())));
        assert(!register.paused());
    }

    /// @notice Exactly the texts of eight digits are codes, and each is admitted once, under the next number.
    function check_CodesAreDigits(bytes1 first, bytes1 last) public {
        bool digits = first >= "0" && first <= "9" && last >= "0" && last <= "9";
        bytes memory data = abi.encodeCall(register.admit, (string(abi.encodePacked(first, "641000", last)), "V"));
        vm.assume(first != "6" || last != "0");
        assert(_try(OPERATOR, address(register), data) == digits);
        assert(register.municipalityCount() == (digits ? 3 : 2));
        assert(!_try(OPERATOR, address(register), data));
    }
}
