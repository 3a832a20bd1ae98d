// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {RewardFixture} from "../RewardFixture.sol";

contract RewardPointsCloseSourceTest is RewardFixture {
    function setUp() public override {
        super.setUp();
        _openSource(5, POINTS, 0);
    }

    function _close(uint256 sourceId) private {
        vm.prank(clerk);
        points.closeSource(sourceId);
    }

    function test_RevertWhen_SourceIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.SourceUnknown.selector, 2));
        _close(2);
    }

    function test_RevertWhen_CallerIsNotClerk() public {
        vm.expectRevert(_lacksRole(partner, IMunicipalities.Role.Clerk));
        vm.prank(partner);
        points.closeSource(1);
    }

    function test_RevertWhen_CallerIsClerkOfAnotherMunicipality() public {
        uint32 other = _admitted("66401001");
        _grantIn(other, IMunicipalities.Role.Clerk, stranger);
        vm.expectRevert(_lacksRole(stranger, IMunicipalities.Role.Clerk));
        vm.prank(stranger);
        points.closeSource(1);
    }

    function test_RevertGiven_Closed() public {
        _close(1);
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.SourceClosedAlready.selector, 1));
        _close(1);
    }

    /// @notice It stops something, so a pause does not stop it.
    function test_CloseWhilePaused() public {
        _claim(1, 0, 1);
        _pause();
        vm.expectEmit(address(points));
        emit IRewardPoints.SourceClosed(1);
        _close(1);
        assertTrue(points.source(1).closed, "closed");
        assertEq(points.balanceOf(municipalityId, _account(0)), POINTS, "points stay");
        assertTrue(points.hasClaimed(1, _account(0)), "claims stay");
    }
}
