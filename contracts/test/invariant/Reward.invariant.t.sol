// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {IRewardShop} from "../../src/interfaces/IRewardShop.sol";
import {RewardPoints} from "../../src/rewards/RewardPoints.sol";
import {RewardShop} from "../../src/rewards/RewardShop.sol";
import {Assertions} from "../Assertions.sol";
import {Vm} from "../Vm.sol";
import {RewardHandler} from "./RewardHandler.sol";
import {RewardStore} from "./RewardStore.sol";

/// @title The invariants PTS and SHOP of docs/invariants.md
contract RewardInvariantTest is Assertions {
    uint256 private constant SEASONS = 4;

    RewardHandler private _handler;
    RewardStore private _store;
    RewardPoints private _points;
    RewardShop private _shop;
    uint32 private _municipalityId;

    function setUp() public {
        _handler = new RewardHandler();
        _handler.setUp();
        _store = _handler.store();
        _points = _handler.thePoints();
        _shop = _handler.theShop();
        _municipalityId = _handler.theMunicipality();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (Vm.FuzzSelector[] memory targets) {
        // Citizens act more often than the staff: a selector named several times is drawn as often.
        bytes4[] memory selectors = new bytes4[](32);
        selectors[0] = RewardHandler.pauseOrUnpause.selector;
        selectors[1] = RewardHandler.grantOrRevokePartner.selector;
        selectors[2] = RewardHandler.openSeason.selector;
        selectors[3] = RewardHandler.closeSource.selector;
        selectors[4] = RewardHandler.claimForged.selector;
        selectors[5] = RewardHandler.tryToTakePoints.selector;
        selectors[6] = RewardHandler.tryToGovern.selector;
        selectors[7] = RewardHandler.withdrawPrize.selector;
        selectors[8] = RewardHandler.listPrize.selector;
        selectors[9] = RewardHandler.listPrize.selector;
        selectors[10] = RewardHandler.changeStock.selector;
        selectors[11] = RewardHandler.openSource.selector;
        selectors[12] = RewardHandler.openSource.selector;
        selectors[13] = RewardHandler.refuse.selector;
        selectors[14] = RewardHandler.lapse.selector;
        selectors[15] = RewardHandler.lapse.selector;
        selectors[16] = RewardHandler.wait.selector;
        selectors[17] = RewardHandler.wait.selector;
        selectors[18] = RewardHandler.honour.selector;
        selectors[19] = RewardHandler.takePart.selector;
        selectors[20] = RewardHandler.takePart.selector;
        for (uint256 i = 21; i < 25; ++i) {
            selectors[i] = RewardHandler.claim.selector;
        }
        for (uint256 i = 25; i < 31; ++i) {
            selectors[i] = RewardHandler.redeem.selector;
        }
        selectors[31] = RewardHandler.honour.selector;
        targets = new Vm.FuzzSelector[](1);
        targets[0] = Vm.FuzzSelector({addr: address(_handler), selectors: selectors});
    }

    // ---------------------------------------------------------------------------------------------
    // PTS: points
    // ---------------------------------------------------------------------------------------------

    function _checkSources() private view returns (uint256[SEASONS] memory given) {
        for (uint256 sourceId = 1; sourceId <= _points.sourceCount(); ++sourceId) {
            RewardStore.SourceModel memory model = _store.source(sourceId);
            IRewardPoints.Source memory source = _points.source(sourceId);
            assertLe(source.claimed, model.participants, "PTS-1: not more stamps than participants");
            uint256 count = 0;
            for (uint256 citizen = 0; citizen < _handler.CITIZENS(); ++citizen) {
                bool claimed = _points.hasClaimed(sourceId, _handler.accountOf(citizen));
                assertTrue(
                    claimed == _store.hasClaimed(sourceId, citizen), "PTS-2: claimed exactly if a stamp was accepted"
                );
                if (claimed) ++count;
            }
            assertEq(source.claimed, count, "PTS-3: the count is the number of accounts");
            assertTrue(source.closed == model.closed, "PTS-4: closed by the clerk alone, for good");
            assertEq(source.seasonId, model.season, "PTS-4: a source never changes its season");
            assertEq(source.pointsPerStamp, model.points, "PTS-4: nor its points");
            given[model.season] += count * model.points;
        }
    }

    function _checkBalances(uint256[SEASONS] memory given) private view {
        uint256[SEASONS] memory held;
        for (uint256 citizen = 0; citizen < _handler.CITIZENS(); ++citizen) {
            address account = _handler.accountOf(citizen);
            uint256 spendable = 0;
            for (uint32 season = 0; season < SEASONS; ++season) {
                uint256 balance = _points.balanceIn(_municipalityId, season, account);
                assertEq(balance, _store.balance(season, citizen), "PTS-5: the balance is the model's");
                assertTrue(_store.ledger(season, account) == int256(balance), "PTS-6: the events add up to the balance");
                held[season] += balance;
                if (_store.runs(season)) spendable += balance;
            }
            assertEq(_points.balanceOf(_municipalityId, account), spendable, "PTS-7: what has expired does not count");
        }
        for (uint256 i = 0; i < _store.redemptionCount(); ++i) {
            RewardStore.RedemptionModel memory model = _store.redemption(i);
            if (model.status > _store.HONOURED()) continue;
            for (uint256 season = 0; season < SEASONS; ++season) {
                held[season] += model.taken[season];
            }
        }
        for (uint256 season = 0; season < SEASONS; ++season) {
            assertEq(held[season], given[season], "PTS-8: points given = points held + points spent");
        }
        assertFalse(_store.ledgerWasNegative(), "PTS-9: no balance rebuilt from events is ever negative");
        assertFalse(_store.forgeryAccepted(), "PTS-10: no points without a stamp of that source and account");
        assertFalse(_store.forbiddenSucceeded(), "PTS-11: nobody but the shop takes or gives points, nor governs");
        assertEq(_store.disagreement(), "", "PTS-12: accepted and refused as the model says");
    }

    // ---------------------------------------------------------------------------------------------
    // SHOP: prizes and redemptions
    // ---------------------------------------------------------------------------------------------

    function _checkPrizes() private view {
        for (uint256 prizeId = 1; prizeId <= _shop.prizeCount(); ++prizeId) {
            IRewardShop.Prize memory prize = _shop.prize(prizeId);
            RewardStore.PrizeModel memory model = _store.prize(prizeId);
            uint256 sold = 0;
            for (uint256 i = 0; i < _store.redemptionCount(); ++i) {
                RewardStore.RedemptionModel memory redemption = _store.redemption(i);
                if (redemption.prize == prizeId && redemption.status <= _store.HONOURED()) ++sold;
            }
            assertEq(
                prize.stock + sold + model.takenOut,
                model.putIn,
                "SHOP-1: put in = left + sold + taken out: no oversale"
            );
            assertTrue(
                _store.stockLedger(prizeId) == int256(uint256(prize.stock)), "SHOP-2: the events add up to the stock"
            );
            assertTrue(prize.withdrawn == model.withdrawn, "SHOP-3: withdrawn by the partner alone, for good");
            assertEq(prize.partner, model.partner, "SHOP-4: partner and price never change");
            assertEq(prize.price, model.price, "SHOP-4: partner and price never change");
        }
    }

    function _checkRedemptions() private view {
        for (uint256 i = 0; i < _store.redemptionCount(); ++i) {
            RewardStore.RedemptionModel memory model = _store.redemption(i);
            IRewardShop.RedemptionRecord memory record = _shop.redemption(model.id);
            assertEq(uint256(record.status), model.status, "SHOP-5: it stands where the model says");
            assertEq(record.account, _handler.accountOf(model.citizen), "SHOP-6: whose it is never changes");
            assertEq(record.prizeId, model.prize, "SHOP-6: nor for what");
            assertEq(record.collectUntil, model.collectUntil, "SHOP-6: nor until when");
            assertEq(_store.redeemedEvents(model.id), 1, "SHOP-7: redeemed once");
            assertEq(_store.endedEvents(model.id), model.status == _store.OPEN() ? 0 : 1, "SHOP-8: ended at most once");
            uint256 paid = 0;
            for (uint256 rest = record.receipt; rest != 0; rest >>= 64) {
                assertEq(uint32(rest), model.taken[uint32(rest >> 32)], "SHOP-9: the receipt says what was taken");
                paid += uint32(rest);
            }
            assertEq(paid, _shop.prize(model.prize).price, "SHOP-10: the price was paid in full");
            for (uint256 j = 0; j < i; ++j) {
                assertTrue(_store.redemption(j).id != model.id, "SHOP-11: one code, one redemption");
            }
        }
    }

    function invariant_Holds() public view {
        _checkBalances(_checkSources());
        _checkPrizes();
        _checkRedemptions();
    }
}
