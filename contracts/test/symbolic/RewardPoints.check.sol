// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {RewardPoints} from "../../src/rewards/RewardPoints.sol";
import {Money} from "./Money.sol";

/// @title Points are burned exactly and given back, for all accounts, amounts and moments
contract RewardPointsCheck is Money {
    address private constant SHOP = address(0x5001);
    uint32 private constant POINTS = 10;
    uint64 private constant SEASON_END = 1_000_000;

    RewardPoints private points;

    function setUp() public {
        _people();
        points = new RewardPoints(address(municipalities), address(this), address(this), SHOP);
        vm.prank(CLERK);
        points.openSeason(1, SEASON_END);
    }

    /// @dev One stamp's points in season 1, given back by the shop: hashing to the curve, which a claim does, is more than a
    /// solver can follow.
    function _credit(address account) private {
        vm.prank(SHOP);
        points.giveBack(1, account, 1 << 32 | uint256(POINTS));
        assert(points.balanceIn(1, 1, account) == POINTS);
    }

    function _season(uint256 id) private pure returns (uint256[] memory seasonIds) {
        seasonIds = new uint256[](1);
        seasonIds[0] = id;
    }

    function _burn(address caller, address account, uint256[] memory seasonIds, uint32 amount) private returns (bool) {
        return _try(caller, address(points), abi.encodeCall(points.burn, (1, account, seasonIds, amount)));
    }

    /// @notice All or nothing: the exact amount is taken, or nobody's points change.
    function check_BurnIsExact(address account, address other, uint32 amount, uint256 season) public {
        vm.assume(account != other);
        _credit(account);
        vm.prank(SHOP);
        uint256 receipt = points.burn(1, account, _season(season), amount);
        bool done = season == 1 && amount <= POINTS && amount != 0;
        assert((receipt != 0) == done);
        assert(points.balanceIn(1, 1, account) == POINTS - (done ? amount : 0));
        assert(points.balanceIn(1, 1, other) == 0);
    }

    /// @notice A season named twice is not counted twice.
    function check_SeasonNamedTwiceCountsOnce(address account, uint32 amount) public {
        _credit(account);
        vm.assume(amount > POINTS);
        uint256[] memory seasonIds = new uint256[](2);
        (seasonIds[0], seasonIds[1]) = (1, 1);
        vm.prank(SHOP);
        assert(points.burn(1, account, seasonIds, amount) == 0);
        assert(points.balanceIn(1, 1, account) == POINTS);
    }

    function check_GivenBackIsWhatWasBurned(address account, uint32 amount) public {
        _credit(account);
        vm.prank(SHOP);
        uint256 receipt = points.burn(1, account, _season(1), amount);
        vm.assume(receipt != 0);
        vm.prank(SHOP);
        points.giveBack(1, account, receipt);
        assert(points.balanceIn(1, 1, account) == POINTS);
    }

    function check_OnlyTheShopSpends(address caller, address account, uint32 amount, uint256 receipt) public {
        vm.assume(caller != SHOP);
        _credit(account);
        assert(!_burn(caller, account, _season(1), amount));
        assert(!_try(caller, address(points), abi.encodeCall(points.giveBack, (1, account, receipt))));
        assert(points.balanceIn(1, 1, account) == POINTS);
    }

    /// @notice Points of a season that is over are neither spent nor shown.
    function check_SeasonEnds(address account, uint32 amount, uint64 moment) public {
        _credit(account);
        vm.assume(amount >= 1 && amount <= POINTS);
        vm.warp(moment);
        bool runs = moment < SEASON_END;
        assert(points.balanceOf(1, account) == (runs ? POINTS : 0));
        vm.prank(SHOP);
        assert((points.burn(1, account, _season(1), amount) != 0) == runs);
    }
}
