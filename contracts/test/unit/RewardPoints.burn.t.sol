// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {RewardFixture} from "../RewardFixture.sol";

/// @notice `burn` and `giveBack`, called as the shop would.
contract RewardPointsBurnTest is RewardFixture {
    /// @dev The account has 10 points in season 0, 20 in season 1, 30 in season 2.
    function setUp() public override {
        super.setUp();
        _openSeason(SEASON_END);
        _openSeason(SEASON_END + 1);
        for (uint32 seasonId = 0; seasonId < 3; ++seasonId) {
            _endow(0, 1, 10 * (seasonId + 1), seasonId);
        }
    }

    function _burn(uint256[] memory seasonIds, uint32 amount) private returns (uint256) {
        vm.prank(address(shop));
        return points.burn(municipalityId, _account(0), seasonIds, amount);
    }

    function _giveBack(uint256 receipt) private {
        vm.prank(address(shop));
        points.giveBack(municipalityId, _account(0), receipt);
    }

    function _expectBurned(uint32 seasonId, uint32 amount) private {
        vm.expectEmit(address(points));
        emit IRewardPoints.PointsBurned(municipalityId, seasonId, _account(0), amount);
    }

    function _expectReturned(uint32 seasonId, uint32 amount) private {
        vm.expectEmit(address(points));
        emit IRewardPoints.PointsReturned(municipalityId, seasonId, _account(0), amount);
    }

    function _assertBalances(uint256 first, uint256 second, uint256 third) private view {
        assertEq(points.balanceIn(municipalityId, 0, _account(0)), first, "season 0");
        assertEq(points.balanceIn(municipalityId, 1, _account(0)), second, "season 1");
        assertEq(points.balanceIn(municipalityId, 2, _account(0)), third, "season 2");
    }

    function _piece(uint256 seasonId, uint256 amount) private pure returns (uint256) {
        return seasonId << 32 | amount;
    }

    function _list(uint256 a, uint256 b, uint256 c) private pure returns (uint256[] memory list) {
        list = new uint256[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    // ---------------------------------------------------------------------------------------------
    // Refused
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_CallerIsNotShop() public {
        address[4] memory callers = [stranger, clerk, operator, _account(0)];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRewardPoints.CallerNotShop.selector, callers[i]));
            vm.prank(callers[i]);
            points.burn(municipalityId, _account(0), _seasons(), 1);
            vm.expectRevert(abi.encodeWithSelector(IRewardPoints.CallerNotShop.selector, callers[i]));
            vm.prank(callers[i]);
            points.giveBack(municipalityId, _account(0), _piece(0, 1));
        }
        _assertBalances(10, 20, 30);
    }

    // ---------------------------------------------------------------------------------------------
    // Not enough
    // ---------------------------------------------------------------------------------------------

    function _expectNothing(uint256[] memory seasonIds, uint32 amount) private {
        vm.recordLogs();
        assertEq(_burn(seasonIds, amount), 0, "no receipt");
        assertEq(vm.getRecordedLogs().length, 0, "no event");
        _assertBalances(10, 20, 30);
    }

    function test_NothingWhen_SeasonHoldsTooLittle() public {
        _expectNothing(_seasons(0), 11);
        _expectNothing(_seasons(1), 21);
        _expectNothing(_seasons(1, 0), 31);
        _expectNothing(_list(2, 1, 0), 61);
    }

    function test_NothingWhen_NoSeasonIsNamed() public {
        _expectNothing(new uint256[](0), 1);
    }

    function test_NothingWhen_SeasonIsUnknown() public {
        _expectNothing(_seasons(3), 1);
        _expectNothing(_seasons(type(uint32).max), 1);
        // Not season 0, whose id its low bits are.
        _expectNothing(_seasons(1 << 32), 1);
        _expectNothing(_seasons((1 << 32) + 1), 1);
        _expectNothing(_seasons(type(uint256).max), 1);
    }

    function test_NothingWhen_SeasonIsNamedTwice() public {
        _expectNothing(_seasons(0, 0), 11);
        _expectNothing(_list(1, 0, 1), 31);
    }

    function test_NothingWhen_OnlyAFifthSeasonWouldDo() public {
        uint256[] memory seasonIds = new uint256[](5);
        (seasonIds[0], seasonIds[1], seasonIds[2], seasonIds[3]) = (7, 8, 9, 10);
        _expectNothing(seasonIds, 1);
    }

    function test_NothingGiven_SeasonIsOver() public {
        vm.warp(SEASON_END);
        _expectNothing(_seasons(1), 1);
        _expectNothing(_seasons(1, 0), 11);
        vm.warp(SEASON_END + 1);
        _expectNothing(_seasons(2, 1), 1);
        vm.warp(type(uint64).max - 1);
        _burn(_seasons(0), 10);
        _assertBalances(0, 20, 30);
    }

    function test_NothingWhen_MunicipalityIsAnother() public {
        vm.prank(address(shop));
        assertEq(points.burn(municipalityId + 1, _account(0), _seasons(), 1), 0, "no receipt");
        _assertBalances(10, 20, 30);
    }

    // ---------------------------------------------------------------------------------------------
    // Burned
    // ---------------------------------------------------------------------------------------------

    function test_BurnFromOneSeason() public {
        _expectBurned(1, 20);
        assertEq(_burn(_seasons(1), 20), _piece(1, 20), "receipt");
        _assertBalances(10, 0, 30);
        assertTrue(points.hasClaimed(2, _account(0)), "the claim is remembered at a balance of zero");
    }

    function test_BurnInTheOrderNamed() public {
        _expectBurned(2, 30);
        _expectBurned(0, 4);
        assertEq(_burn(_list(2, 0, 1), 34), _piece(0, 4) << 64 | _piece(2, 30), "receipt");
        _assertBalances(6, 20, 0);
    }

    function test_BurnSkipsSeasonsWithNothingToTake() public {
        _expectBurned(2, 30);
        _expectBurned(1, 20);
        _expectBurned(0, 10);
        uint256[] memory seasonIds = new uint256[](4);
        (seasonIds[0], seasonIds[1], seasonIds[2], seasonIds[3]) = (2, type(uint256).max, 1, 0);
        uint256 receipt = _burn(seasonIds, 60);
        assertEq(receipt, _piece(0, 10) << 128 | _piece(1, 20) << 64 | _piece(2, 30), "receipt without gaps");
        _assertBalances(0, 0, 0);
        _expectReturned(2, 30);
        _expectReturned(1, 20);
        _expectReturned(0, 10);
        _giveBack(receipt);
        _assertBalances(10, 20, 30);
    }

    function test_BurnInTheLastSecond() public {
        vm.warp(SEASON_END - 1);
        assertEq(_burn(_seasons(1), 20), _piece(1, 20), "receipt");
    }

    // ---------------------------------------------------------------------------------------------
    // Given back
    // ---------------------------------------------------------------------------------------------

    function test_GiveBack() public {
        uint256 receipt = _burn(_seasons(1, 0), 25);
        _expectReturned(1, 20);
        _expectReturned(0, 5);
        _giveBack(receipt);
        _assertBalances(10, 20, 30);
    }

    /// @notice Returned points end with their season: otherwise a refusal could make them last for ever.
    function test_GiveBackAfterTheSeason() public {
        uint256 receipt = _burn(_seasons(1, 0), 25);
        vm.warp(SEASON_END);
        _giveBack(receipt);
        _assertBalances(10, 20, 30);
        assertEq(points.balanceOf(municipalityId, _account(0)), 40, "not to be spent");
    }

    function test_GiveBackWhilePaused() public {
        uint256 receipt = _burn(_seasons(0), 3);
        _pause();
        _giveBack(receipt);
        _assertBalances(10, 20, 30);
    }

    function test_BurnTheLargestAmount() public {
        _endow(1, 1, type(uint32).max, 0);
        vm.prank(address(shop));
        uint256 receipt = points.burn(municipalityId, _account(1), _seasons(), type(uint32).max);
        assertEq(receipt, type(uint32).max, "receipt");
        vm.prank(address(shop));
        points.giveBack(municipalityId, _account(1), receipt);
        assertEq(points.balanceOf(municipalityId, _account(1)), type(uint32).max, "returned");
    }

    function test_BurnMoreThanSixteenBits() public {
        _endow(0, 1, 70_000, 1);
        _expectBurned(1, 70_001);
        assertEq(_burn(_seasons(1), 70_001), _piece(1, 70_001), "receipt");
        _assertBalances(10, 19, 30);
    }

    /// @notice Whatever is named: all of the amount or nothing, no season below zero, and the receipt restores it all.
    function testFuzz_BurnAndGiveBack(uint256[6] calldata named, uint256 length, uint32 amount, uint64 nowAt) public {
        uint256[] memory seasonIds = new uint256[](bound(length, 0, 6));
        for (uint256 i = 0; i < seasonIds.length; ++i) {
            seasonIds[i] = named[i] % 7 == 6 ? named[i] : named[i] % 5;
        }
        amount = uint32(bound(amount, 1, 70));
        vm.warp(bound(nowAt, SEASON_END - 2, SEASON_END + 2));
        uint256 before = points.balanceOf(municipalityId, _account(0));
        uint256 receipt = _burn(seasonIds, amount);
        uint256 left = points.balanceOf(municipalityId, _account(0));
        assertEq(left, before - (receipt == 0 ? 0 : amount), "all or nothing");
        uint256 sum = 0;
        for (uint256 rest = receipt; rest != 0; rest >>= 64) {
            sum += uint32(rest);
        }
        assertEq(sum, receipt == 0 ? 0 : amount, "the receipt tells the amount");
        _giveBack(receipt);
        _assertBalances(10, 20, 30);
    }
}
