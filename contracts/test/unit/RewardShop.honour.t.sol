// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {IRewardShop} from "../../src/interfaces/IRewardShop.sol";
import {RewardFixture} from "../RewardFixture.sol";

/// @notice How a redemption ends: `honour`, `refuse`, `lapse`.
contract RewardShopHonourTest is RewardFixture {
    uint40 private constant COLLECT_UNTIL = VALID_FROM + COLLECT_PERIOD;
    bytes32 private constant REASON = keccak256("the theatre has burned down");

    bytes32 private _id;

    /// @dev Citizen 0, with 100 points, has redeemed prize 1 by code 0.
    function setUp() public override {
        super.setUp();
        _endow(0, 2, 100, 0);
        _listPrize(PRICE, 3);
        vm.warp(VALID_FROM);
        _id = _redeem(0, 1, 0);
    }

    function _honour(address caller, bytes32 id, bytes16 code) private {
        vm.prank(caller);
        shop.honour(id, code);
    }

    function _refuse(address caller, bytes32 id) private {
        vm.prank(caller);
        shop.refuse(id, REASON);
    }

    function _notOpen(bytes32 id, IRewardShop.Status status) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRewardShop.RedemptionNotOpen.selector, id, status);
    }

    /// @dev Neither can it be ended once more.
    function _assertFinal(IRewardShop.Status status, uint32 stock, uint256 balance) private {
        vm.warp(COLLECT_UNTIL);
        vm.expectRevert(_notOpen(_id, status));
        _honour(partner, _id, _code(0, 0));
        vm.expectRevert(_notOpen(_id, status));
        _refuse(partner, _id);
        vm.expectRevert(_notOpen(_id, status));
        shop.lapse(_id);
        assertEq(_statusOf(_id), uint256(status), "status");
        assertEq(shop.prize(1).stock, stock, "stock");
        assertEq(points.balanceOf(municipalityId, _account(0)), balance, "points");
    }

    // ---------------------------------------------------------------------------------------------
    // Refused
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_RedemptionIsUnknown() public {
        bytes32 id = keccak256("unknown");
        bytes memory notOpen = _notOpen(id, IRewardShop.Status.None);
        vm.expectRevert(notOpen);
        _honour(partner, id, _code(0, 0));
        vm.expectRevert(notOpen);
        _refuse(partner, id);
        vm.expectRevert(notOpen);
        shop.lapse(id);
    }

    function test_RevertWhen_CallerIsAnotherPartner() public {
        _grant(IMunicipalities.Role.Partner, stranger);
        bytes memory notPartner = abi.encodeWithSelector(IRewardShop.CallerNotPartnerOf.selector, 1, stranger);
        vm.expectRevert(notPartner);
        _honour(stranger, _id, _code(0, 0));
        vm.expectRevert(notPartner);
        _refuse(stranger, _id);
    }

    function test_RevertWhen_CodeIsWrong() public {
        bytes memory wrong = abi.encodeWithSelector(IRewardShop.CodeWrong.selector, _id);
        vm.expectRevert(wrong);
        _honour(partner, _id, bytes16(0));
        vm.expectRevert(wrong);
        _honour(partner, _id, _code(0, 1));
        vm.expectRevert(wrong);
        _honour(partner, _id, _code(1, 0));
        assertEq(_statusOf(_id), uint256(IRewardShop.Status.Open), "still open");
    }

    /// @notice The code of one redemption does not open another, not even of the same prize.
    function test_RevertWhen_CodeIsOfAnotherRedemption() public {
        bytes32 other = _redeem(0, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.CodeWrong.selector, other));
        _honour(partner, other, _code(0, 0));
        _honour(partner, other, _code(0, 1));
        assertEq(_statusOf(_id), uint256(IRewardShop.Status.Open), "the first stays open");
    }

    /// @notice Somebody who copies the hash of another's code pays for a redemption of their own.
    function test_CopiedCodeHashIsAnotherRedemption() public {
        IRewardShop.Redemption memory copy = _redemption(1, 1, 0);
        copy.codeHash = keccak256(abi.encodePacked(_code(0, 0)));
        _redeem(1, copy);
        assertEq(points.balanceOf(municipalityId, _account(1)), 75, "the copier pays");
        _honour(partner, _id, _code(0, 0));
        assertEq(_statusOf(_idOf(copy)), uint256(IRewardShop.Status.Open), "each ends by itself");
    }

    function test_RevertWhen_CollectPeriodRuns() public {
        vm.warp(COLLECT_UNTIL - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRewardShop.CollectPeriodRuns.selector, _id, COLLECT_UNTIL, COLLECT_UNTIL - 1)
        );
        shop.lapse(_id);
    }

    // ---------------------------------------------------------------------------------------------
    // Honoured
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_CodeIsUsedTwice() public {
        _honour(partner, _id, _code(0, 0));
        vm.expectRevert(_notOpen(_id, IRewardShop.Status.Honoured));
        _honour(partner, _id, _code(0, 0));
    }

    function test_Honour() public {
        vm.expectEmit(address(shop));
        emit IRewardShop.RedemptionHonoured(_id, 1);
        _honour(partner, _id, _code(0, 0));
        _assertFinal(IRewardShop.Status.Honoured, 2, 75);
    }

    /// @notice What was begun is finished: neither a pause, the end of access, of validity nor of the collect period
    /// stops it.
    function test_HonourLate() public {
        vm.prank(partner);
        shop.withdrawPrize(1);
        _pause();
        vm.prank(operator);
        municipalities.revokeRole(municipalityId, IMunicipalities.Role.Partner, partner);
        vm.warp(VALID_UNTIL + 365 days);
        _honour(partner, _id, _code(0, 0));
        _assertFinal(IRewardShop.Status.Honoured, 2, 75);
    }

    // ---------------------------------------------------------------------------------------------
    // Refused by the partner
    // ---------------------------------------------------------------------------------------------

    function test_Refuse() public {
        vm.expectEmit(address(points));
        emit IRewardPoints.PointsReturned(municipalityId, 0, _account(0), PRICE);
        vm.expectEmit(address(shop));
        emit IRewardShop.RedemptionRefused(_id, 1, REASON);
        _refuse(partner, _id);
        _assertFinal(IRewardShop.Status.Refused, 3, 100);
    }

    function test_RefuseLate() public {
        vm.prank(partner);
        shop.withdrawPrize(1);
        _pause();
        vm.prank(operator);
        municipalities.revokeRole(municipalityId, IMunicipalities.Role.Partner, partner);
        vm.warp(VALID_UNTIL + 365 days);
        _refuse(partner, _id);
        _assertFinal(IRewardShop.Status.Refused, 3, 100);
    }

    // ---------------------------------------------------------------------------------------------
    // Not collected
    // ---------------------------------------------------------------------------------------------

    function test_Lapse() public {
        vm.warp(COLLECT_UNTIL);
        vm.expectEmit(address(points));
        emit IRewardPoints.PointsReturned(municipalityId, 0, _account(0), PRICE);
        vm.expectEmit(address(shop));
        emit IRewardShop.RedemptionLapsed(_id, 1);
        vm.prank(stranger);
        shop.lapse(_id);
        _assertFinal(IRewardShop.Status.Lapsed, 3, 100);
    }

    function test_LapseWhilePaused() public {
        vm.prank(partner);
        shop.withdrawPrize(1);
        _pause();
        vm.warp(VALID_UNTIL + 365 days);
        shop.lapse(_id);
        _assertFinal(IRewardShop.Status.Lapsed, 3, 100);
    }

    /// @notice Points that come back after the end of their season have ended with it.
    function test_LapseAfterTheSeason() public {
        uint32 seasonId = _openSeason(COLLECT_UNTIL);
        _endow(3, 1, PRICE, seasonId);
        IRewardShop.Redemption memory redemption = _redemption(3, 1, 0);
        redemption.seasonIds = _seasons(seasonId);
        _redeem(3, redemption);
        vm.warp(COLLECT_UNTIL);
        shop.lapse(_idOf(redemption));
        assertEq(points.balanceIn(municipalityId, seasonId, _account(3)), PRICE, "returned");
        assertEq(points.balanceOf(municipalityId, _account(3)), 0, "and expired");
    }

    /// @notice A piece that comes back can be had by somebody else.
    function test_ReturnedPieceIsSoldAgain() public {
        vm.prank(partner);
        shop.lowerStock(1, 2);
        IRewardShop.Redemption memory redemption = _redemption(1, 1, 0);
        _redeem(1, redemption);
        assertEq(_statusOf(_idOf(redemption)), uint256(IRewardShop.Status.None), "sold out");
        _refuse(partner, _id);
        _redeem(1, redemption);
        assertEq(_statusOf(_idOf(redemption)), uint256(IRewardShop.Status.Open), "sold again");
    }
}
