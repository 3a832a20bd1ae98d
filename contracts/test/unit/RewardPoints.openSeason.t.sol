// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {RewardFixture} from "../RewardFixture.sol";

contract RewardPointsOpenSeasonTest is RewardFixture {
    function test_RevertGiven_Paused() public {
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.ActionsPaused.selector));
        _openSeason(SEASON_END);
    }

    function test_RevertWhen_CallerIsNotClerk() public {
        vm.expectRevert(_lacksRole(partner, IMunicipalities.Role.Clerk));
        vm.prank(partner);
        points.openSeason(municipalityId, SEASON_END);
    }

    function test_RevertWhen_CallerIsClerkOfAnotherMunicipality() public {
        uint32 other = _admitted("66401001");
        vm.expectRevert(_lacksRole(clerk, IMunicipalities.Role.Clerk));
        vm.prank(clerk);
        points.openSeason(other, SEASON_END);
    }

    function test_RevertWhen_EndIsNotInTheFuture() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.SeasonEndInvalid.selector, START, START));
        _openSeason(START);
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.SeasonEndInvalid.selector, 0, START));
        _openSeason(0);
    }

    function test_OpenSeason() public {
        vm.expectEmit(address(points));
        emit IRewardPoints.SeasonOpened(municipalityId, 1, START + 1);
        assertEq(_openSeason(START + 1), 1, "seasons count from 1");
        assertEq(_openSeason(SEASON_END), 2, "seasons count without gaps");
        assertEq(points.seasonCount(municipalityId), 2, "count");
        assertEq(points.seasonEnd(municipalityId, 1), START + 1, "end");
        assertEq(points.seasonEnd(municipalityId, 2), SEASON_END, "end");
        assertEq(points.seasonEnd(municipalityId, 3), 0, "an unknown season has ended long ago");
        assertEq(points.seasonEnd(municipalityId, 0), type(uint64).max, "season 0 never ends");
        assertEq(points.seasonCount(municipalityId + 1), 0, "another municipality has its own seasons");
        assertEq(points.seasonEnd(municipalityId + 1, 1), 0, "another municipality has its own seasons");
    }
}
