// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IRewardShop} from "../../src/interfaces/IRewardShop.sol";
import {RewardFixture} from "../RewardFixture.sol";

/// @notice `raiseStock`, `lowerStock`, `withdrawPrize`.
contract RewardShopStockTest is RewardFixture {
    function setUp() public override {
        super.setUp();
        _listPrize(PRICE, 5);
    }

    function _raise(address caller, uint256 prizeId, uint32 amount) private {
        vm.prank(caller);
        shop.raiseStock(prizeId, amount);
    }

    function _lower(address caller, uint256 prizeId, uint32 amount) private {
        vm.prank(caller);
        shop.lowerStock(prizeId, amount);
    }

    function _withdraw(address caller, uint256 prizeId) private {
        vm.prank(caller);
        shop.withdrawPrize(prizeId);
    }

    // ---------------------------------------------------------------------------------------------
    // Refused
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_PausedAndRaising() public {
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.ActionsPaused.selector));
        _raise(partner, 1, 1);
    }

    function test_RevertWhen_PrizeIsUnknown() public {
        bytes memory unknown = abi.encodeWithSelector(IRewardShop.PrizeUnknown.selector, 2);
        vm.expectRevert(unknown);
        _raise(partner, 2, 1);
        vm.expectRevert(unknown);
        _lower(partner, 2, 1);
        vm.expectRevert(unknown);
        _withdraw(partner, 2);
    }

    function test_RevertWhen_CallerIsAnotherPartner() public {
        _grant(IMunicipalities.Role.Partner, stranger);
        bytes memory notPartner = abi.encodeWithSelector(IRewardShop.CallerNotPartnerOf.selector, 1, stranger);
        vm.expectRevert(notPartner);
        _raise(stranger, 1, 1);
        vm.expectRevert(notPartner);
        _lower(stranger, 1, 1);
        vm.expectRevert(notPartner);
        _withdraw(stranger, 1);
    }

    function test_RevertGiven_AccessHasEndedAndRaising() public {
        vm.warp(START + 365 days);
        vm.expectRevert(_lacksRole(partner, IMunicipalities.Role.Partner));
        _raise(partner, 1, 1);
    }

    function test_RevertGiven_PrizeIsWithdrawn() public {
        _withdraw(partner, 1);
        bytes memory withdrawn = abi.encodeWithSelector(IRewardShop.PrizeWithdrawnAlready.selector, 1);
        vm.expectRevert(withdrawn);
        _raise(partner, 1, 1);
        vm.expectRevert(withdrawn);
        _withdraw(partner, 1);
    }

    function test_RevertWhen_StockWouldBeTooHigh() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.StockTooHigh.selector, 1_000_000_001, 1_000_000_000));
        _raise(partner, 1, 999_999_996);
        // More than 32 bits hold.
        vm.expectRevert(
            abi.encodeWithSelector(
                IRewardShop.StockTooHigh.selector, uint256(type(uint32).max) + 5, uint256(1_000_000_000)
            )
        );
        _raise(partner, 1, type(uint32).max);
        _raise(partner, 1, 999_999_995);
        assertEq(shop.prize(1).stock, 1_000_000_000, "as many as there may be");
    }

    function test_RevertWhen_StockWouldBeNegative() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.StockTooLow.selector, 1, 5, 6));
        _lower(partner, 1, 6);
    }

    // ---------------------------------------------------------------------------------------------
    // Changed
    // ---------------------------------------------------------------------------------------------

    function test_RaiseStock() public {
        vm.expectEmit(address(shop));
        emit IRewardShop.PrizeStockRaised(1, 3, 8);
        _raise(partner, 1, 3);
        assertEq(shop.prize(1).stock, 8, "stock");
    }

    /// @notice Fewer and no more: neither a pause nor the end of access stops it.
    function test_LowerStock() public {
        _pause();
        vm.warp(START + 365 days);
        vm.expectEmit(address(shop));
        emit IRewardShop.PrizeStockLowered(1, 3, 2);
        _lower(partner, 1, 3);
        assertEq(shop.prize(1).stock, 2, "stock");
        vm.expectEmit(address(shop));
        emit IRewardShop.PrizeStockLowered(1, 2, 0);
        _lower(partner, 1, 2);
        assertEq(shop.prize(1).stock, 0, "all of them");
    }

    function test_WithdrawPrize() public {
        _pause();
        vm.warp(START + 365 days);
        vm.expectEmit(address(shop));
        emit IRewardShop.PrizeWithdrawn(1);
        _withdraw(partner, 1);
        assertTrue(shop.prize(1).withdrawn, "withdrawn");
        assertEq(shop.prize(1).stock, 5, "the stock is not touched");
        // It may still be lowered.
        _lower(partner, 1, 1);
        assertEq(shop.prize(1).stock, 4, "lowered");
    }
}
