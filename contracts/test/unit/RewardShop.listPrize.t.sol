// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IRewardShop} from "../../src/interfaces/IRewardShop.sol";
import {RewardFixture} from "../RewardFixture.sol";

contract RewardShopListPrizeTest is RewardFixture {
    IRewardShop.Prize private _prize;

    function setUp() public override {
        super.setUp();
        _prize = IRewardShop.Prize({
            partner: partner,
            municipalityId: municipalityId,
            price: PRICE,
            stock: 7,
            validFrom: VALID_FROM,
            validUntil: VALID_UNTIL,
            collectPeriod: COLLECT_PERIOD,
            withdrawn: false,
            contentHash: CONTENT
        });
    }

    function _try(address caller) private returns (uint256) {
        vm.prank(caller);
        return shop.listPrize(
            _prize.municipalityId,
            _prize.price,
            _prize.stock,
            _prize.validFrom,
            _prize.validUntil,
            _prize.collectPeriod,
            _prize.contentHash
        );
    }

    function test_RevertGiven_Paused() public {
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.ActionsPaused.selector));
        _try(partner);
    }

    function test_RevertWhen_CallerIsNotPartner() public {
        vm.expectRevert(_lacksRole(clerk, IMunicipalities.Role.Partner));
        _try(clerk);
    }

    function test_RevertWhen_MunicipalityIsAnother() public {
        _prize.municipalityId = _admitted("66401001");
        vm.expectRevert(_lacksRole(partner, IMunicipalities.Role.Partner));
        _try(partner);
    }

    function test_RevertGiven_AccessHasEnded() public {
        vm.warp(START + 365 days);
        vm.expectRevert(_lacksRole(partner, IMunicipalities.Role.Partner));
        _try(partner);
    }

    function test_RevertWhen_PriceIsZero() public {
        _prize.price = 0;
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.PriceZero.selector));
        _try(partner);
    }

    function test_RevertWhen_StockIsTooHigh() public {
        _prize.stock = 1_000_000_001;
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.StockTooHigh.selector, 1_000_000_001, 1_000_000_000));
        _try(partner);
        _prize.stock = 1_000_000_000;
        _try(partner);
    }

    function _expectValidityInvalid(uint40 from, uint40 until, uint40 nowAt) private {
        (_prize.validFrom, _prize.validUntil) = (from, until);
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.ValidityInvalid.selector, from, until, nowAt));
        _try(partner);
    }

    function test_RevertWhen_ValidityIsEmptyOrOver() public {
        _expectValidityInvalid(VALID_FROM, VALID_FROM, uint40(START));
        _expectValidityInvalid(VALID_FROM, VALID_FROM - 1, uint40(START));
        _expectValidityInvalid(uint40(START) - 2, uint40(START), uint40(START));
        _expectValidityInvalid(uint40(START) - 2, uint40(START) - 1, uint40(START));
        (_prize.validFrom, _prize.validUntil) = (uint40(START), uint40(START) + 1);
        _try(partner);
    }

    function test_RevertWhen_CollectPeriodIsOutOfRange() public {
        uint32[2] memory bad = [uint32(1 days - 1), 365 days + 1];
        for (uint256 i = 0; i < 2; ++i) {
            _prize.collectPeriod = bad[i];
            vm.expectRevert(abi.encodeWithSelector(IRewardShop.CollectPeriodInvalid.selector, bad[i], 1 days, 365 days));
            _try(partner);
        }
        _prize.collectPeriod = 1 days;
        _try(partner);
        _prize.collectPeriod = 365 days;
        _try(partner);
    }

    function test_RevertWhen_ContentHashIsMissing() public {
        _prize.contentHash = 0;
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.ContentHashMissing.selector));
        _try(partner);
    }

    function test_ListPrize() public {
        vm.expectEmit(address(shop));
        emit IRewardShop.PrizeListed(
            1, municipalityId, partner, PRICE, 7, VALID_FROM, VALID_UNTIL, COLLECT_PERIOD, CONTENT
        );
        assertEq(_try(partner), 1, "prizes count from 1");
        assertEq(_try(partner), 2, "prizes count without gaps");
        assertEq(shop.prizeCount(), 2, "count");
        assertEq(keccak256(abi.encode(shop.prize(1))), keccak256(abi.encode(_prize)), "as listed");
    }

    function test_RevertWhen_PrizeIsUnknown() public {
        _try(partner);
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.PrizeUnknown.selector, 2));
        shop.prize(2);
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.PrizeUnknown.selector, 0));
        shop.prize(0);
    }

    function test_Constructor() public view {
        assertEq(shop.municipalities(), address(municipalities), "municipalities");
        assertEq(shop.points(), address(points), "points");
        assertEq(shop.prizeCount(), 0, "no prizes");
        assertEq(shop.MAX_STOCK(), 1_000_000_000, "stock");
        assertEq(shop.MIN_COLLECT_PERIOD(), 1 days, "shortest");
        assertEq(shop.MAX_COLLECT_PERIOD(), 365 days, "longest");
    }
}
