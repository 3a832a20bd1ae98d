// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {IRewardShop} from "../../src/interfaces/IRewardShop.sol";
import {RewardFixture} from "../RewardFixture.sol";
import {BatchWatch} from "../BatchWatch.sol";

/// @title Stamps and redemptions
/// forge-config: default.isolate = true
contract BadRewardBatchesTest is RewardFixture, BatchWatch {
    uint32 private constant WEALTH = 1_000;

    function _watched() internal view override returns (address[] memory list) {
        list = new address[](6);
        (list[0], list[1], list[2]) = (address(points), address(shop), address(turnout));
        (list[3], list[4], list[5]) = (address(rounds), address(issuerKeys), address(municipalities));
    }

    // ---------------------------------------------------------------------------------------------
    // Stamps
    // ---------------------------------------------------------------------------------------------

    function _claimData(address[] memory accounts, bytes memory stamps) private view returns (bytes memory) {
        return abi.encodeCall(points.claim, (1, accounts, stamps));
    }

    function _badClaim(address[] memory accounts, bytes memory stamps, IRewardPoints.SkipReason reason)
        private
        view
        returns (Bad memory)
    {
        return Bad({
            target: address(points),
            data: _claimData(accounts, stamps),
            topic: IRewardPoints.StampSkipped.selector,
            accountTopic: 2,
            accounts: accounts,
            reason: uint8(reason)
        });
    }

    function test_ClaimingWhatIsClaimedChangesNothing() public {
        IRewardPoints.SkipReason reason = IRewardPoints.SkipReason.AlreadyClaimed;
        _openSource(1_000, POINTS, 0);
        address[] memory accounts = _accounts(0, COUNT);
        bytes memory stamps = _stamps(1, accounts);
        points.claim(1, accounts, stamps);
        address[] memory others = _accounts(COUNT, COUNT);
        uint256 good = _good(address(points), _claimData(others, _stamps(1, others)));
        _assertAllSkipped(_badClaim(accounts, stamps, reason), good);
        _assertAllSkipped(_badClaim(accounts, _garbage(96 * COUNT), reason), good);
        _assertAllSkipped(_badClaim(_repeated(accounts[7]), stamps, reason), good);
    }

    function test_ClaimingBeyondTheParticipantsChangesNothing() public {
        _openSource(COUNT, POINTS, 0);
        address[] memory accounts = _accounts(0, COUNT);
        bytes memory stamps = _stamps(1, accounts);
        uint256 good = _good(address(points), _claimData(accounts, stamps));
        turnout.set(1, 0);
        IRewardPoints.SkipReason reason = IRewardPoints.SkipReason.ParticipantsExceeded;
        _assertAllSkipped(_badClaim(accounts, stamps, reason), good);
        _assertAllSkipped(_badClaim(accounts, _garbage(96 * COUNT), reason), good);
    }

    /// @notice One bad stamp among good ones, wherever it stands and whatever is bad about it.
    function test_RevertWhen_OneStampOfManyIsBad() public {
        _openSource(1_000, POINTS, 0);
        address[] memory accounts = _accounts(0, COUNT);
        bytes memory stamps = _stamps(1, accounts);
        uint256 good = _good(address(points), _claimData(accounts, stamps));
        bytes memory error_ = abi.encodeWithSelector(IRewardPoints.StampsInvalid.selector, 1);
        bytes[5] memory bad = _badPoints(_stamp(1, stranger));
        uint256[5] memory places = [uint256(0), 1, COUNT / 2, COUNT - 2, COUNT - 1];
        for (uint256 i = 0; i < 5; ++i) {
            _assertRefused(address(points), _claimData(accounts, _replaced(stamps, places[i], bad[i])), error_, good);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Redemptions
    // ---------------------------------------------------------------------------------------------

    /// @dev A prize, and citizens of whom each can pay for it.
    /// @return batch One redemption for each.
    /// @return good What as many good ones cost.
    function _prepare() private returns (IRewardShop.Redemption[] memory batch, uint256 good) {
        _endow(0, COUNT, WEALTH, 0);
        _listPrize(PRICE, 1_000);
        vm.warp(VALID_FROM);
        batch = _redemptions(1);
        good = _good(address(shop), _redeemData(batch, 0));
    }

    function _redemptions(uint256 prizeId) private view returns (IRewardShop.Redemption[] memory batch) {
        batch = new IRewardShop.Redemption[](COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            batch[i] = _redemption(i, prizeId, 0);
        }
    }

    /// @dev Signed by citizens `first`, ...
    function _redeemData(IRewardShop.Redemption[] memory batch, uint256 first) private view returns (bytes memory) {
        bytes memory signatures = new bytes(64 * COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            _copy(_sign(first + i, batch[i]), signatures, 64 * i);
        }
        return abi.encodeCall(shop.redeem, (batch, signatures));
    }

    function _assertRedemptionsSkipped(
        IRewardShop.Redemption[] memory batch,
        uint256 firstSigner,
        IRewardShop.SkipReason reason,
        uint256 good
    ) private {
        _assertAllSkipped(
            Bad({
                target: address(shop),
                data: _redeemData(batch, firstSigner),
                topic: IRewardShop.RedemptionSkipped.selector,
                accountTopic: 1,
                accounts: _accounts(0, COUNT),
                reason: uint8(reason)
            }),
            good
        );
    }

    function test_RedeemingWithUsedCodesChangesNothing() public {
        (IRewardShop.Redemption[] memory batch, uint256 good) = _prepare();
        (bool success,) = address(shop).call(_redeemData(batch, 0));
        assertTrue(success, "redeemed");
        assertEq(shop.prize(1).stock, 1_000 - COUNT, "redeemed");
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.CodeUsed, good);
    }

    function test_RedeemingUnknownOrOtherPrizesChangesNothing() public {
        (IRewardShop.Redemption[] memory batch, uint256 good) = _prepare();
        for (uint256 i = 0; i < COUNT; ++i) {
            batch[i].prizeId = 2 + i;
        }
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.PrizeUnknown, good);
        batch = _redemptions(1);
        for (uint256 i = 0; i < COUNT; ++i) {
            batch[i].price = i % 2 == 0 ? PRICE - 1 : PRICE + 1;
        }
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.PrizeDiffers, good);
        batch = _redemptions(1);
        for (uint256 i = 0; i < COUNT; ++i) {
            batch[i].contentHash = keccak256("a tea kettle");
        }
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.PrizeDiffers, good);
    }

    function test_RedeemingWhatCannotBeHadChangesNothing() public {
        (IRewardShop.Redemption[] memory batch, uint256 good) = _prepare();
        vm.warp(VALID_FROM - 1);
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.NotYetValid, good);
        vm.warp(VALID_UNTIL);
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.NoLongerValid, good);
        vm.warp(VALID_FROM);
        uint256 snapshot = vm.snapshotState();
        vm.prank(partner);
        shop.lowerStock(1, 1_000);
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.SoldOut, good);
        vm.revertToState(snapshot);
        vm.prank(operator);
        municipalities.revokeRole(municipalityId, IMunicipalities.Role.Partner, partner);
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.PartnerLacksRole, good);
        vm.revertToState(snapshot);
        vm.prank(partner);
        shop.withdrawPrize(1);
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.PrizeWithdrawn, good);
    }

    function test_RedeemingWithWrongSignaturesChangesNothing() public {
        (IRewardShop.Redemption[] memory batch, uint256 good) = _prepare();
        _assertRedemptionsSkipped(batch, 1, IRewardShop.SkipReason.SignatureInvalid, good);
    }

    function test_RedeemingWithoutPointsChangesNothing() public {
        IRewardShop.SkipReason reason = IRewardShop.SkipReason.PointsInsufficient;
        (IRewardShop.Redemption[] memory batch, uint256 good) = _prepare();
        _assertRedemptionsSkipped(_redemptions(_listPrize(WEALTH + 1, 1_000)), 0, reason, good);
        // As many seasons as are looked at, and none of them there.
        for (uint256 i = 0; i < COUNT; ++i) {
            uint256[] memory seasons = new uint256[](4);
            (seasons[0], seasons[1], seasons[2], seasons[3]) = (1, 2, 3, 4);
            batch[i].seasonIds = seasons;
        }
        _assertRedemptionsSkipped(batch, 0, reason, good);
    }
}
