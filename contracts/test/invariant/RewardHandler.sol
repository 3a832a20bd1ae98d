// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {IRewardShop} from "../../src/interfaces/IRewardShop.sol";
import {RewardPoints} from "../../src/rewards/RewardPoints.sol";
import {RewardShop} from "../../src/rewards/RewardShop.sol";
import {RewardFixture} from "../RewardFixture.sol";
import {Vm} from "../Vm.sol";
import {RewardStore} from "./RewardStore.sol";

/// @title What citizens, partners, staff, the operator and strangers do to points and shop, in any order
/// @notice No action reverts; the store remembers what must have happened, and whether the contracts agreed.
contract RewardHandler is RewardFixture {
    uint256 public constant CITIZENS = 6;
    uint256 public constant CODES = 12;
    uint256 private constant MAX_SOURCES = 7;
    uint256 private constant MAX_PRIZES = 5;
    uint256 private constant SEASONS = 3;

    RewardStore public store;
    address private _otherPartner = _named("other partner");
    uint256 private _turn;
    mapping(uint256 sourceId => mapping(uint256 citizen => bytes)) private _issued;

    function setUp() public override {
        super.setUp();
        store = new RewardStore();
        _grant(IMunicipalities.Role.Partner, _otherPartner);
        store.setRole(partner, true);
        store.setRole(_otherPartner, true);
        vm.recordLogs();
        _begin(0, 40);
        vm.prank(clerk);
        points.openSeason(municipalityId, START + 8 days);
        store.addSeason(START + 8 days);
        _begin(1, 15);
        for (uint256 sourceId = 1; sourceId <= 2; ++sourceId) {
            _claim(sourceId, 0, 3);
            for (uint256 citizen = 0; citizen < 3; ++citizen) {
                store.claim(sourceId, citizen);
            }
        }
        _list(partner, 30, 4, 0);
        _remember();
    }

    function thePoints() external view returns (RewardPoints) {
        return points;
    }

    function theShop() external view returns (RewardShop) {
        return shop;
    }

    function theMunicipality() external view returns (uint32) {
        return municipalityId;
    }

    function accountOf(uint256 citizen) external pure returns (address) {
        return _account(citizen);
    }

    /// @dev Feeds the events to the store after each action.
    modifier remembered() {
        vm.recordLogs();
        _;
        _remember();
    }

    function _remember() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(points)) _rememberPoints(logs[i]);
            if (logs[i].emitter == address(shop)) _rememberShop(logs[i]);
        }
    }

    function _rememberPoints(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == IRewardPoints.StampClaimed.selector) {
            IRewardPoints.Source memory source = points.source(uint256(log.topics[1]));
            store.sawPoints(
                source.seasonId, address(uint160(uint256(log.topics[2]))), int256(uint256(source.pointsPerStamp))
            );
        }
        bool burned = topic == IRewardPoints.PointsBurned.selector;
        if (!burned && topic != IRewardPoints.PointsReturned.selector) return;
        int256 amount = int256(abi.decode(log.data, (uint256)));
        store.sawPoints(uint256(log.topics[2]), address(uint160(uint256(log.topics[3]))), burned ? -amount : amount);
    }

    function _rememberShop(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == IRewardShop.PrizeListed.selector) {
            (, uint256 stock,,,,) = abi.decode(log.data, (uint256, uint256, uint256, uint256, uint256, bytes32));
            store.sawStock(uint256(log.topics[1]), int256(stock));
        }
        if (topic == IRewardShop.PrizeStockRaised.selector || topic == IRewardShop.PrizeStockLowered.selector) {
            (uint256 amount,) = abi.decode(log.data, (uint256, uint256));
            bool raised = topic == IRewardShop.PrizeStockRaised.selector;
            store.sawStock(uint256(log.topics[1]), raised ? int256(amount) : -int256(amount));
        }
        if (topic == IRewardShop.PrizeRedeemed.selector) {
            store.sawRedeemed(log.topics[1]);
            store.sawStock(uint256(log.topics[2]), -1);
        }
        bool returned =
            topic == IRewardShop.RedemptionRefused.selector || topic == IRewardShop.RedemptionLapsed.selector;
        if (returned) store.sawStock(uint256(log.topics[2]), 1);
        if (returned || topic == IRewardShop.RedemptionHonoured.selector) store.sawEnded(log.topics[1]);
    }

    /// @dev The fuzzer likes zero and the largest numbers; what depends on a remainder would then hardly vary.
    function _mixed(uint256 seed) private returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++_turn)));
    }

    // ---------------------------------------------------------------------------------------------
    // Time and the operator
    // ---------------------------------------------------------------------------------------------

    /// @dev Some hours or days, or until just when a season ends.
    function wait(uint256 seed) external {
        seed = _mixed(seed);
        uint256 endsAt = store.seasonEnds((seed >> 8) % (store.seasonCount() + 1));
        if (seed % 4 == 0 && block.timestamp < endsAt && endsAt < START + 365 days) vm.warp(endsAt);
        else vm.warp(block.timestamp + (seed >> 16) % 3 days);
    }

    function pauseOrUnpause(uint256 seed) external {
        bool paused = store.paused();
        if (!paused && _mixed(seed) % 8 != 0) return;
        vm.prank(operator);
        if (paused) municipalities.unpause();
        else municipalities.pause(0);
        store.setPaused(!paused);
    }

    function grantOrRevokePartner(uint256 seed) external {
        seed = _mixed(seed);
        address who = store.hasRole(partner) ? _otherPartner : partner;
        if (store.hasRole(who) && seed % 2 == 0) who = partner;
        bool has = store.hasRole(who);
        if (has && (seed >> 1) % 4 != 0) return;
        if (has) {
            vm.prank(operator);
            municipalities.revokeRole(municipalityId, IMunicipalities.Role.Partner, who);
        } else {
            _grant(IMunicipalities.Role.Partner, who);
        }
        store.setRole(who, !has);
    }

    // ---------------------------------------------------------------------------------------------
    // The clerk
    // ---------------------------------------------------------------------------------------------

    function openSeason(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (store.seasonCount() == SEASONS) return;
        uint64 endsAt = uint64(block.timestamp + seed % 30 days);
        vm.prank(clerk);
        try points.openSeason(municipalityId, endsAt) {
            store.compare(true, !store.paused() && endsAt > block.timestamp, "openSeason");
            store.addSeason(endsAt);
        } catch {
            store.compare(false, !store.paused() && endsAt > block.timestamp, "openSeason");
        }
    }

    function _begin(uint32 season, uint32 each) private {
        uint256 sourceId = _openSource(0, each, season);
        store.addSource(sourceId, season, each);
        _takePart(sourceId, 3);
    }

    function openSource(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (points.sourceCount() == MAX_SOURCES) return;
        uint32 season = uint32(seed % (SEASONS + 1));
        bool expected = !store.paused() && store.runs(season);
        try this.begin(season, uint32(1 + (seed >> 8) % 40)) {
            store.compare(true, expected, "openSource");
        } catch {
            store.compare(false, expected, "openSource");
        }
    }

    /// @notice For `openSource` alone.
    function begin(uint32 season, uint32 each) external {
        if (msg.sender == address(this)) _begin(season, each);
    }

    function closeSource(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (seed % 6 != 0) return;
        uint256 sourceId = 1 + (seed >> 8) % points.sourceCount();
        bool expected = !store.source(sourceId).closed;
        vm.prank(clerk);
        try points.closeSource(sourceId) {
            store.compare(true, expected, "closeSource");
            store.closeSource(sourceId);
        } catch {
            store.compare(false, expected, "closeSource");
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Citizens
    // ---------------------------------------------------------------------------------------------

    function takePart(uint256 seed) external {
        seed = _mixed(seed);
        _takePart(1 + seed % points.sourceCount(), 1 + (seed >> 8) % 3);
    }

    function _takePart(uint256 sourceId, uint256 count) private {
        store.takePart(sourceId, count);
        turnout.set(sourceId, store.source(sourceId).participants);
    }

    /// @dev Issued once and kept.
    function _stampOf(uint256 sourceId, uint256 citizen) private returns (bytes memory stamp) {
        stamp = _issued[sourceId][citizen];
        if (stamp.length != 0) return stamp;
        stamp = _stamp(sourceId, _account(citizen));
        _issued[sourceId][citizen] = stamp;
    }

    /// @dev A batch of one to four, in which accounts may come twice.
    function claim(uint256 seed) external remembered {
        seed = _mixed(seed);
        uint256 sourceId = 1 + seed % points.sourceCount();
        uint256 count = 1 + (seed >> 8) % 4;
        address[] memory accounts = new address[](count);
        bytes memory signatures;
        for (uint256 i = 0; i < count; ++i) {
            uint256 citizen = (seed >> (16 + 8 * i)) % CITIZENS;
            accounts[i] = _account(citizen);
            signatures = bytes.concat(signatures, _stampOf(sourceId, citizen));
        }
        bool expected = store.claimable(sourceId);
        try points.claim(sourceId, accounts, signatures) {
            store.compare(true, expected, "claim");
            for (uint256 i = 0; i < count; ++i) {
                store.claim(sourceId, (seed >> (16 + 8 * i)) % CITIZENS);
            }
        } catch {
            store.compare(false, expected, "claim");
        }
    }

    /// @dev A stamp of another source, of another account, or with a bit changed.
    function claimForged(uint256 seed) external remembered {
        seed = _mixed(seed);
        uint256 sourceId = 1 + seed % points.sourceCount();
        uint256 citizen = (seed >> 8) % CITIZENS;
        // One that is not looked at is skipped, whatever it is.
        if (!store.keeps(sourceId, citizen)) return;
        uint256 kind = (seed >> 16) % 3;
        bytes memory stamp = _stampOf(sourceId, citizen);
        if (kind == 0) stamp = _stampOf(1 + sourceId % points.sourceCount(), citizen);
        if (kind == 1) stamp = _stampOf(sourceId, (citizen + 1) % CITIZENS);
        if (kind == 2) stamp[(seed >> 24) % 96] ^= bytes1(uint8(1 << (seed >> 32) % 8));
        address[] memory accounts = new address[](1);
        accounts[0] = _account(citizen);
        try points.claim(sourceId, accounts, stamp) {
            store.forged(true);
        } catch {
            // What was emitted before the revert was recorded, but never happened.
            vm.getRecordedLogs();
        }
    }

    function redeem(uint256 seed) external remembered {
        seed = _mixed(seed);
        uint256 count = 1 + seed % 3;
        IRewardShop.Redemption[] memory batch = new IRewardShop.Redemption[](count);
        uint256[2][] memory who = new uint256[2][](count);
        bool[] memory genuine = new bool[](count);
        bytes memory signatures;
        for (uint256 i = 0; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            who[i] = [seed % CITIZENS, (seed >> 8) % CODES];
            batch[i] = _redemption(who[i][0], 1 + (seed >> 16) % shop.prizeCount(), who[i][1]);
            batch[i].seasonIds = _someSeasons(seed >> 24);
            uint256 fault = (seed >> 128) % 16;
            genuine[i] = fault > 2;
            if (fault == 0) batch[i].price += 1;
            if (fault == 1) batch[i].contentHash = ~batch[i].contentHash;
            signatures = bytes.concat(signatures, _sign(fault == 2 ? who[i][0] + 1 : who[i][0], batch[i]));
        }
        bool expected = !store.paused();
        try shop.redeem(batch, signatures) {
            store.compare(true, expected, "redeem");
            for (uint256 i = 0; i < count; ++i) {
                store.redeem(_idOf(batch[i]), who[i][0], batch[i].prizeId, who[i][1], batch[i].seasonIds, genuine[i]);
            }
        } catch {
            store.compare(false, expected, "redeem");
        }
    }

    /// @dev Mostly all of them, beginning anywhere; else none to four, perhaps one twice or one that is not there.
    function _someSeasons(uint256 seed) private pure returns (uint256[] memory seasons) {
        bool all = seed % 4 != 0;
        seasons = new uint256[](all ? SEASONS + 1 : (seed >> 4) % 5);
        for (uint256 i = 0; i < seasons.length; ++i) {
            seasons[i] = (all ? (seed >> 8) + i : seed >> (8 + 4 * i)) % (SEASONS + 1);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Partners
    // ---------------------------------------------------------------------------------------------

    function _list(address who, uint32 price, uint32 stock, uint256 seed) private {
        uint40 from = uint40(block.timestamp + (seed % 4 == 1 ? (seed >> 8) % 3 days : 0));
        uint40 until = from + uint40(1 + (seed >> 32) % 30 days);
        uint32 period = uint32(1 days + (seed >> 64) % 10 days);
        vm.prank(who);
        uint256 prizeId = shop.listPrize(municipalityId, price, stock, from, until, period, keccak256(abi.encode(seed)));
        store.addPrize(
            prizeId,
            RewardStore.PrizeModel({
                partner: who,
                price: price,
                stock: stock,
                putIn: stock,
                takenOut: 0,
                validFrom: from,
                validUntil: until,
                collectPeriod: period,
                withdrawn: false
            })
        );
    }

    function listPrize(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (shop.prizeCount() == MAX_PRIZES) return;
        address who = seed % 2 == 0 ? partner : _otherPartner;
        bool expected = !store.paused() && store.hasRole(who);
        try this.enlist(who, uint32(1 + (seed >> 8) % 50), uint32((seed >> 16) % 7), seed >> 24) {
            store.compare(true, expected, "listPrize");
        } catch {
            store.compare(false, expected, "listPrize");
        }
    }

    /// @notice For `listPrize` alone.
    function enlist(address who, uint32 price, uint32 stock, uint256 seed) external {
        if (msg.sender == address(this)) _list(who, price, stock, seed);
    }

    function changeStock(uint256 seed) external remembered {
        seed = _mixed(seed);
        uint256 prizeId = 1 + seed % shop.prizeCount();
        uint32 amount = uint32((seed >> 8) % 4);
        RewardStore.PrizeModel memory model = store.prize(prizeId);
        bool raise = (seed >> 16) % 2 == 0;
        bool expected =
            raise ? !store.paused() && store.hasRole(model.partner) && !model.withdrawn : amount <= model.stock;
        vm.prank(model.partner);
        (bool success,) = address(shop)
            .call(
                raise
                    ? abi.encodeCall(shop.raiseStock, (prizeId, amount))
                    : abi.encodeCall(shop.lowerStock, (prizeId, amount))
            );
        store.compare(success, expected, "changeStock");
        if (success) store.changeStock(prizeId, raise ? amount : 0, raise ? 0 : amount);
    }

    function withdrawPrize(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (seed % 6 != 0) return;
        uint256 prizeId = 1 + (seed >> 8) % shop.prizeCount();
        RewardStore.PrizeModel memory model = store.prize(prizeId);
        vm.prank(model.partner);
        try shop.withdrawPrize(prizeId) {
            store.compare(true, !model.withdrawn, "withdrawPrize");
            store.withdrawPrize(prizeId);
        } catch {
            store.compare(false, !model.withdrawn, "withdrawPrize");
        }
    }

    /// @dev Any redemption; three times out of four the next open one.
    function _someRedemption(uint256 seed) private view returns (uint256 index) {
        uint256 count = store.redemptionCount();
        index = seed % count;
        if ((seed >> 128) % 4 == 0) return index;
        for (uint256 i = 0; i < count && store.redemption(index).status != store.OPEN(); ++i) {
            index = (index + 1) % count;
        }
    }

    /// @dev With the right code, a wrong one, or one of another redemption; by its partner or the other.
    function honour(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (store.redemptionCount() == 0) return;
        uint256 index = _someRedemption(seed >> 8);
        RewardStore.RedemptionModel memory model = store.redemption(index);
        uint256 number = seed % 4 == 0 ? (model.number + 1) % CODES : model.number;
        address who = (seed >> 2) % 4 == 0 ? _otherPartner : store.prize(model.prize).partner;
        bool expected =
            model.status == store.OPEN() && number == model.number && who == store.prize(model.prize).partner;
        vm.prank(who);
        try shop.honour(model.id, _code(model.citizen, number)) {
            store.compare(true, expected, "honour");
            store.end(index, store.HONOURED());
        } catch {
            store.compare(false, expected, "honour");
        }
    }

    function refuse(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (store.redemptionCount() == 0) return;
        uint256 index = _someRedemption(seed >> 8);
        RewardStore.RedemptionModel memory model = store.redemption(index);
        address who = seed % 4 == 0 ? _otherPartner : store.prize(model.prize).partner;
        bool expected = model.status == store.OPEN() && who == store.prize(model.prize).partner;
        vm.prank(who);
        try shop.refuse(model.id, bytes32(seed)) {
            store.compare(true, expected, "refuse");
            store.end(index, store.REFUSED());
        } catch {
            store.compare(false, expected, "refuse");
        }
    }

    /// @dev Now and then it waits until the collect period is over.
    function lapse(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (store.redemptionCount() == 0) return;
        uint256 index = _someRedemption(seed);
        RewardStore.RedemptionModel memory model = store.redemption(index);
        if ((seed >> 192) % 4 == 0 && block.timestamp < model.collectUntil) vm.warp(model.collectUntil);
        bool expected = model.status == store.OPEN() && block.timestamp >= model.collectUntil;
        try shop.lapse(model.id) {
            store.compare(true, expected, "lapse");
            store.end(index, store.LAPSED());
        } catch {
            store.compare(false, expected, "lapse");
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Strangers, and staff beyond their roles
    // ---------------------------------------------------------------------------------------------

    function tryToTakePoints(uint256 seed, address somebody, uint32 amount) external remembered {
        seed = _mixed(seed);
        address[5] memory callers = [somebody, _account(seed % CITIZENS), clerk, partner, operator];
        address caller = callers[(seed >> 8) % 5];
        if (caller == address(shop)) return;
        bytes[2] memory calls = [
            abi.encodeCall(points.burn, (municipalityId, _account((seed >> 16) % CITIZENS), _seasons(), amount)),
            abi.encodeCall(points.giveBack, (municipalityId, caller, 1 + uint256(amount) / 2))
        ];
        vm.prank(caller);
        (bool success,) = address(points).call(calls[(seed >> 24) % 2]);
        store.forbidden(success);
    }

    function tryToGovern(uint256 seed, address somebody) external remembered {
        seed = _mixed(seed);
        uint256 prizeId = 1 + (seed >> 8) % shop.prizeCount();
        address[3] memory callers = [somebody, operator, _account(seed % CITIZENS)];
        address caller = callers[(seed >> 16) % 3];
        if (caller == clerk || caller == partner || caller == _otherPartner) return;
        bytes[7] memory calls = [
            abi.encodeCall(points.openSeason, (municipalityId, type(uint64).max)),
            abi.encodeCall(points.closeSource, (1)),
            abi.encodeCall(shop.raiseStock, (prizeId, 1)),
            abi.encodeCall(shop.lowerStock, (prizeId, 0)),
            abi.encodeCall(shop.withdrawPrize, (prizeId)),
            abi.encodeCall(points.openSource, (municipalityId, address(turnout), 99, "", 1, 0)),
            abi.encodeCall(shop.listPrize, (municipalityId, 1, 1, 0, type(uint40).max, 1 days, bytes32(seed)))
        ];
        uint256 which = (seed >> 24) % 7;
        vm.prank(caller);
        (bool success,) = (which == 0 || which == 1 || which == 5 ? address(points) : address(shop)).call(calls[which]);
        store.forbidden(success);
    }
}
