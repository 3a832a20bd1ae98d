// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {IRewardShop} from "../../src/interfaces/IRewardShop.sol";
import {RewardPoints} from "../../src/rewards/RewardPoints.sol";
import {RewardShop} from "../../src/rewards/RewardShop.sol";
import {RewardFixture} from "../RewardFixture.sol";

contract RewardShopRedeemTest is RewardFixture {
    /// @dev Order of secp256k1.
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    /// @dev Three citizens with 100 points each; prize 1 with three pieces; it is valid.
    function setUp() public override {
        super.setUp();
        _endow(0, 3, 100, 0);
        _listPrize(PRICE, 3);
        vm.warp(VALID_FROM);
    }

    function _balance(uint256 citizen) private view returns (uint256) {
        return points.balanceOf(municipalityId, _account(citizen));
    }

    function _expectSkipped(IRewardShop.Redemption memory redemption, IRewardShop.SkipReason reason) private {
        vm.expectEmit(address(shop));
        emit IRewardShop.RedemptionSkipped(redemption.account, redemption.prizeId, redemption.codeHash, reason);
    }

    /// @dev Submits and expects that it is skipped and nothing changed.
    function _assertSkipped(
        IRewardShop.Redemption memory redemption,
        bytes memory signature,
        IRewardShop.SkipReason reason
    ) private {
        uint256 status = _statusOf(_idOf(redemption));
        uint256 balance = points.balanceOf(municipalityId, redemption.account);
        uint32 stock = shop.prize(1).stock;
        _expectSkipped(redemption, reason);
        shop.redeem(_one(redemption), signature);
        assertEq(_statusOf(_idOf(redemption)), status, "no redemption");
        assertEq(points.balanceOf(municipalityId, redemption.account), balance, "no points burned");
        assertEq(shop.prize(1).stock, stock, "no piece taken");
    }

    function _assertSkipped(uint256 citizen, IRewardShop.Redemption memory redemption, IRewardShop.SkipReason reason)
        private
    {
        _assertSkipped(redemption, _sign(citizen, redemption), reason);
    }

    // ---------------------------------------------------------------------------------------------
    // The whole batch is refused
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_Paused() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        bytes memory signature = _sign(0, redemption);
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.ActionsPaused.selector));
        shop.redeem(_one(redemption), signature);
    }

    function test_RevertWhen_LengthsDiffer() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.BatchMalformed.selector));
        shop.redeem(new IRewardShop.Redemption[](0), "");
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.BatchMalformed.selector));
        shop.redeem(new IRewardShop.Redemption[](1), new bytes(65));
        vm.expectRevert(abi.encodeWithSelector(IRewardShop.BatchMalformed.selector));
        shop.redeem(new IRewardShop.Redemption[](2), new bytes(64));
    }

    // ---------------------------------------------------------------------------------------------
    // Items are skipped
    // ---------------------------------------------------------------------------------------------

    function test_SkipWhen_SentAgain() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        _redeem(0, redemption);
        _assertSkipped(0, redemption, IRewardShop.SkipReason.CodeUsed);
        assertEq(_balance(0), 75, "paid once");
    }

    function test_SkipWhen_TwiceInOneBatch() public {
        IRewardShop.Redemption[] memory batch = new IRewardShop.Redemption[](2);
        batch[0] = batch[1] = _redemption(0, 1, 0);
        bytes memory signature = _sign(0, batch[0]);
        _expectSkipped(batch[1], IRewardShop.SkipReason.CodeUsed);
        shop.redeem(batch, bytes.concat(signature, signature));
        assertEq(_balance(0), 75, "paid once");
        assertEq(shop.prize(1).stock, 2, "one piece");
    }

    /// @notice One code, one redemption: another prize with the same code does not count.
    function test_SkipWhen_CodeIsUsedForAnotherPrize() public {
        _listPrize(PRICE + 1, 3);
        _redeem(0, 1, 0);
        _assertSkipped(0, _redemption(0, 2, 0), IRewardShop.SkipReason.CodeUsed);
    }

    function test_SkipGiven_EndedRedemptionIsSentAgain() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        _redeem(0, redemption);
        vm.prank(partner);
        shop.refuse(_idOf(redemption), 0);
        _assertSkipped(0, redemption, IRewardShop.SkipReason.CodeUsed);
        assertEq(_balance(0), 100, "the points stay returned");
    }

    function test_SkipWhen_PrizeIsUnknown() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        uint256[4] memory ids = [uint256(0), 2, (1 << 32) + 1, type(uint256).max];
        for (uint256 i = 0; i < ids.length; ++i) {
            redemption.prizeId = ids[i];
            _assertSkipped(0, redemption, IRewardShop.SkipReason.PrizeUnknown);
        }
    }

    /// @notice The prize under this number is not the one that was signed, as after a reorganisation of the chain.
    function test_SkipWhen_PrizeDiffers() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        redemption.price = PRICE - 1;
        _assertSkipped(0, redemption, IRewardShop.SkipReason.PrizeDiffers);
        redemption.price = PRICE + 1;
        _assertSkipped(0, redemption, IRewardShop.SkipReason.PrizeDiffers);
        redemption.price = (1 << 32) + uint256(PRICE);
        _assertSkipped(0, redemption, IRewardShop.SkipReason.PrizeDiffers);
        redemption.price = PRICE;
        redemption.contentHash = keccak256("a tea kettle");
        _assertSkipped(0, redemption, IRewardShop.SkipReason.PrizeDiffers);
    }

    function test_SkipGiven_PrizeIsWithdrawn() public {
        vm.prank(partner);
        shop.withdrawPrize(1);
        _assertSkipped(0, _redemption(0, 1, 0), IRewardShop.SkipReason.PrizeWithdrawn);
    }

    function test_SkipGiven_PartnerLacksRole() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        vm.prank(operator);
        municipalities.revokeRole(municipalityId, IMunicipalities.Role.Partner, partner);
        _assertSkipped(0, redemption, IRewardShop.SkipReason.PartnerLacksRole);
        // Once it has access again, its prizes can be had again.
        _grant(IMunicipalities.Role.Partner, partner);
        _redeem(0, redemption);
        assertEq(_balance(0), 75, "redeemed");
    }

    function test_SkipGiven_NotYetValid() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        vm.warp(VALID_FROM - 1);
        _assertSkipped(0, redemption, IRewardShop.SkipReason.NotYetValid);
        vm.warp(VALID_FROM);
        _redeem(0, redemption);
        assertEq(_balance(0), 75, "the first second");
    }

    function test_SkipGiven_NoLongerValid() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        vm.warp(VALID_UNTIL);
        _assertSkipped(0, redemption, IRewardShop.SkipReason.NoLongerValid);
        vm.warp(VALID_UNTIL - 1);
        _redeem(0, redemption);
        assertEq(_balance(0), 75, "the last second");
    }

    function test_SkipGiven_SoldOut() public {
        vm.prank(partner);
        shop.lowerStock(1, 3);
        _assertSkipped(0, _redemption(0, 1, 0), IRewardShop.SkipReason.SoldOut);
    }

    function test_SkipWhen_SignatureIsAnothers() public {
        _assertSkipped(1, _redemption(0, 1, 0), IRewardShop.SkipReason.SignatureInvalid);
    }

    function test_SkipWhen_AnythingSignedIsChanged() public {
        IRewardShop.Redemption memory signed = _redemption(0, 1, 0);
        bytes memory signature = _sign(0, signed);
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        redemption.account = _account(1);
        _assertSkipped(redemption, signature, IRewardShop.SkipReason.SignatureInvalid);
        redemption = _redemption(0, 1, 0);
        redemption.codeHash = keccak256("a code of the thief");
        _assertSkipped(redemption, signature, IRewardShop.SkipReason.SignatureInvalid);
        redemption = _redemption(0, 1, 0);
        redemption.seasonIds = _seasons(0, 0);
        _assertSkipped(redemption, signature, IRewardShop.SkipReason.SignatureInvalid);
        redemption.seasonIds = new uint256[](0);
        _assertSkipped(redemption, signature, IRewardShop.SkipReason.SignatureInvalid);
    }

    /// @notice Another prize of the same price and description: the number is signed too.
    function test_SkipWhen_ReplayedOnAnotherPrize() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        bytes memory signature = _sign(0, redemption);
        _listPrize(PRICE, 3);
        redemption.prizeId = 2;
        _assertSkipped(redemption, signature, IRewardShop.SkipReason.SignatureInvalid);
    }

    function test_SkipWhen_ReplayedOnAnotherChain() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        bytes memory signature = _sign(0, redemption);
        vm.chainId(block.chainid + 1);
        _assertSkipped(redemption, signature, IRewardShop.SkipReason.SignatureInvalid);
    }

    function test_SkipWhen_ReplayedOnAnotherShop() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        bytes memory signature = _sign(0, redemption);
        shop.redeem(_one(redemption), signature);
        // A second deployment, in which everything is the same.
        RewardShop first = shop;
        setUp();
        assertTrue(address(first) != address(shop), "another shop");
        _assertSkipped(redemption, signature, IRewardShop.SkipReason.SignatureInvalid);
        _redeem(0, redemption);
        assertEq(_balance(0), 75, "signed for this one it is good");
    }

    function test_SkipWhen_SignatureIsMalformed() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        _assertSkipped(redemption, new bytes(64), IRewardShop.SkipReason.SignatureInvalid);
        redemption.account = address(0);
        _assertSkipped(redemption, new bytes(64), IRewardShop.SkipReason.SignatureInvalid);
        _assertSkipped(
            redemption, bytes.concat(bytes32(CURVE_ORDER), bytes32(uint256(1))), IRewardShop.SkipReason.SignatureInvalid
        );
    }

    /// @notice The other root, (r, n - s), is above 2^255, where the compact form has no room for it.
    function test_SkipWhen_SignatureIsTheOtherRoot() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_secretOf(0), _digest(address(shop), block.chainid, redemption));
        uint256 other = CURVE_ORDER - uint256(s);
        uint256 vs = other & (type(uint256).max >> 1) | (v == 27 ? 1 << 255 : 0);
        _assertSkipped(redemption, abi.encodePacked(r, vs), IRewardShop.SkipReason.SignatureInvalid);
    }

    function test_SkipWhen_PointsAreInsufficient() public {
        _listPrize(101, 3);
        _assertSkipped(0, _redemption(0, 2, 0), IRewardShop.SkipReason.PointsInsufficient);
        _listPrize(100, 3);
        _redeem(0, 3, 0);
        assertEq(_balance(0), 0, "to the last point");
        _assertSkipped(0, _redemption(0, 1, 1), IRewardShop.SkipReason.PointsInsufficient);
    }

    function test_SkipWhen_SeasonsNamedDoNotHoldThePoints() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        redemption.seasonIds = _seasons(1);
        _assertSkipped(0, redemption, IRewardShop.SkipReason.PointsInsufficient);
        redemption.seasonIds = new uint256[](0);
        _assertSkipped(0, redemption, IRewardShop.SkipReason.PointsInsufficient);
    }

    function test_SkipGiven_SeasonIsExpired() public {
        uint32 seasonId = _openSeason(VALID_FROM + 10);
        _endow(3, 1, 100, seasonId);
        IRewardShop.Redemption memory redemption = _redemption(3, 1, 0);
        redemption.seasonIds = _seasons(seasonId);
        vm.warp(VALID_FROM + 10);
        _assertSkipped(3, redemption, IRewardShop.SkipReason.PointsInsufficient);
        vm.warp(VALID_FROM + 9);
        _redeem(3, redemption);
        assertEq(_balance(3), 75, "the last second");
    }

    /// @notice Points of one municipality buy nothing in another.
    function test_SkipWhen_PrizeIsOfAnotherMunicipality() public {
        uint32 other = _admitted("66401001");
        _grantIn(other, IMunicipalities.Role.Partner, partner);
        vm.prank(partner);
        uint256 prizeId = shop.listPrize(other, PRICE, 3, VALID_FROM, VALID_UNTIL, COLLECT_PERIOD, CONTENT);
        _assertSkipped(0, _redemption(0, prizeId, 0), IRewardShop.SkipReason.PointsInsufficient);
    }

    // ---------------------------------------------------------------------------------------------
    // Never oversold
    // ---------------------------------------------------------------------------------------------

    function _batch(uint256 first, uint256 count)
        private
        view
        returns (IRewardShop.Redemption[] memory batch, bytes memory signatures)
    {
        batch = new IRewardShop.Redemption[](count);
        for (uint256 i = 0; i < count; ++i) {
            // Three citizens, each with enough for four.
            uint256 citizen = (first + i) % 3;
            batch[i] = _redemption(citizen, 1, first + i);
            signatures = bytes.concat(signatures, _sign(citizen, batch[i]));
        }
    }

    function test_SkipWhen_OneBatchWouldOversell() public {
        (IRewardShop.Redemption[] memory batch, bytes memory signatures) = _batch(0, 5);
        _expectSkipped(batch[3], IRewardShop.SkipReason.SoldOut);
        _expectSkipped(batch[4], IRewardShop.SkipReason.SoldOut);
        shop.redeem(batch, signatures);
        assertEq(shop.prize(1).stock, 0, "sold out");
        assertEq(_balance(0) + _balance(1) + _balance(2), 300 - 3 * PRICE, "three were sold");
    }

    function test_SkipWhen_TwoBatchesWouldOversell() public {
        (IRewardShop.Redemption[] memory batch, bytes memory signatures) = _batch(0, 2);
        shop.redeem(batch, signatures);
        assertEq(shop.prize(1).stock, 1, "one left");
        (batch, signatures) = _batch(2, 2);
        _expectSkipped(batch[1], IRewardShop.SkipReason.SoldOut);
        shop.redeem(batch, signatures);
        assertEq(shop.prize(1).stock, 0, "sold out");
        assertEq(_balance(0) + _balance(1) + _balance(2), 300 - 3 * PRICE, "three were sold");
    }

    function test_BadItemsDoNotSpoilTheBatch() public {
        (IRewardShop.Redemption[] memory batch, bytes memory signatures) = _batch(0, 3);
        signatures[64 + 5] ^= 0x01;
        _expectSkipped(batch[1], IRewardShop.SkipReason.SignatureInvalid);
        shop.redeem(batch, signatures);
        assertEq(_balance(0), 75, "before it");
        assertEq(_balance(1), 100, "the bad one");
        assertEq(_balance(2), 75, "behind it");
    }

    // ---------------------------------------------------------------------------------------------
    // Redeemed
    // ---------------------------------------------------------------------------------------------

    function test_Redeem() public {
        IRewardShop.Redemption memory redemption = _redemption(0, 1, 0);
        bytes32 id = _idOf(redemption);
        bytes memory signature = _sign(0, redemption);
        assertEq(_statusOf(id), uint256(IRewardShop.Status.None), "not yet");
        vm.expectEmit(address(points));
        emit IRewardPoints.PointsBurned(municipalityId, 0, _account(0), PRICE);
        vm.expectEmit(address(shop));
        emit IRewardShop.PrizeRedeemed(id, 1, _account(0), redemption.codeHash, VALID_FROM + COLLECT_PERIOD);
        vm.prank(stranger);
        shop.redeem(_one(redemption), signature);

        IRewardShop.RedemptionRecord memory record = shop.redemption(id);
        assertEq(record.account, _account(0), "account");
        assertEq(record.prizeId, 1, "prize");
        assertEq(record.collectUntil, VALID_FROM + COLLECT_PERIOD, "collect until");
        assertEq(uint256(record.status), uint256(IRewardShop.Status.Open), "status");
        assertEq(record.receipt, PRICE, "receipt");
        assertEq(shop.redemptionIdOf(_account(0), redemption.codeHash), id, "id");
        assertEq(shop.prize(1).stock, 2, "one piece less");
        assertEq(_balance(0), 75, "points burned");
    }

    function test_RedeemOutOfSeveralSeasons() public {
        uint32 seasonId = _openSeason(SEASON_END);
        _endow(3, 1, 20, seasonId);
        _endow(3, 1, 100, 0);
        IRewardShop.Redemption memory redemption = _redemption(3, 1, 0);
        redemption.seasonIds = _seasons(seasonId, 0);
        vm.expectEmit(address(points));
        emit IRewardPoints.PointsBurned(municipalityId, seasonId, _account(3), 20);
        vm.expectEmit(address(points));
        emit IRewardPoints.PointsBurned(municipalityId, 0, _account(3), 5);
        _redeem(3, redemption);
        assertEq(shop.redemption(_idOf(redemption)).receipt, uint256(5) << 64 | uint256(seasonId) << 32 | 20, "receipt");
        assertEq(points.balanceIn(municipalityId, seasonId, _account(3)), 0, "the first to expire first");
        assertEq(points.balanceIn(municipalityId, 0, _account(3)), 95, "then the rest");
    }

    /// @notice The contract's own domain (ERC-5267) says what the browser signs.
    function test_Domain() public view {
        (, string memory name, string memory version, uint256 chainId, address verifier,,) = shop.eip712Domain();
        assertEq(name, "Kopilka", "name");
        assertEq(version, "1", "version");
        assertEq(chainId, block.chainid, "chain");
        assertEq(verifier, address(shop), "shop");
    }

    function testFuzz_NeverOversoldNorOverspent(uint256 seed, uint32 price, uint32 stock) public {
        price = uint32(bound(price, 1, 120));
        stock = uint32(bound(stock, 0, 5));
        uint256 prizeId = _listPrize(price, stock);
        uint256[3] memory model = [uint256(100), 100, 100];
        uint256 left = stock;
        for (uint256 batchNumber = 0; batchNumber < 3; ++batchNumber) {
            uint256 count = 1 + seed % 3;
            IRewardShop.Redemption[] memory batch = new IRewardShop.Redemption[](count);
            bytes memory signatures;
            for (uint256 i = 0; i < count; ++i) {
                seed = uint256(keccak256(abi.encode(seed)));
                uint256 citizen = seed % 3;
                batch[i] = _redemption(citizen, prizeId, batchNumber * 3 + i);
                bool genuine = (seed >> 8) % 4 != 0;
                signatures = bytes.concat(signatures, _sign(genuine ? citizen : citizen + 1, batch[i]));
                if (!genuine || left == 0 || model[citizen] < price) continue;
                model[citizen] -= price;
                --left;
            }
            shop.redeem(batch, signatures);
        }
        assertEq(shop.prize(prizeId).stock, left, "pieces");
        for (uint256 citizen = 0; citizen < 3; ++citizen) {
            assertEq(_balance(citizen), model[citizen], "points");
        }
    }
}
