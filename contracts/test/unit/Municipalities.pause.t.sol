// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {RoundFixture} from "../RoundFixture.sol";

contract MunicipalitiesPauseTest is RoundFixture {
    bytes32 private constant REASON = keccak256("reason");

    function test_RevertWhen_CallerIsNotOperator() public {
        address[3] memory callers = [clerk, controller, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, callers[i]));
            vm.prank(callers[i]);
            municipalities.pause(REASON);
        }
        _pause();
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, callers[i]));
            vm.prank(callers[i]);
            municipalities.unpause();
        }
        assertTrue(municipalities.paused(), "still paused");
    }

    function test_RevertGiven_PauseIsUnchanged() public {
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.PauseUnchanged.selector, false));
        _unpause();
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.PauseUnchanged.selector, true));
        _pause();
    }

    function test_PauseAndUnpause() public {
        assertFalse(municipalities.paused(), "at first");
        vm.expectEmit(address(municipalities));
        emit IMunicipalities.Paused(operator, REASON);
        _pause();
        assertTrue(municipalities.paused(), "paused");
        vm.expectEmit(address(municipalities));
        emit IMunicipalities.Unpaused(operator);
        _unpause();
        assertFalse(municipalities.paused(), "goes on");
    }

    /// @notice Access can be taken from somebody above all when something is wrong.
    function test_AccessIsManagedWhilePaused() public {
        _pause();
        _revoke(IMunicipalities.Role.Clerk, clerk);
        assertFalse(municipalities.hasRole(municipalityId, IMunicipalities.Role.Clerk, clerk), "revoked");
        _grant(IMunicipalities.Role.Clerk, stranger);
        assertTrue(municipalities.hasRole(municipalityId, IMunicipalities.Role.Clerk, stranger), "granted");
        vm.prank(operator);
        assertEq(municipalities.admit("66401001", "Town"), 2, "admitted");
        _handOver(stranger);
        assertEq(municipalities.owner(), stranger, "handed over");
    }

    function test_RevertWhen_OwnershipIsRenounced() public {
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.OwnershipNotRenounceable.selector));
        vm.prank(operator);
        municipalities.renounceOwnership();
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.OwnershipNotRenounceable.selector));
        vm.prank(stranger);
        municipalities.renounceOwnership();
        assertEq(municipalities.owner(), operator, "there is always an owner");
    }
}
