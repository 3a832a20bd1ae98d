// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BudgetRound} from "../../src/budget/BudgetRound.sol";
import {BudgetToken} from "../../src/budget/BudgetToken.sol";
import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {Assertions} from "../Assertions.sol";
import {Vm} from "../Vm.sol";
import {RoundHandler} from "./RoundHandler.sol";
import {RoundStore} from "./RoundStore.sol";

/// @title The numbered invariants of docs/invariants.md
abstract contract RoundInvariants is Assertions {
    RoundHandler internal handler;
    RoundStore internal store;
    BudgetRound internal round;
    BudgetToken internal token;

    function _start(IBudgetRound.BallotKind kind, IBudgetRound.Allotment allotment) internal {
        handler = new RoundHandler(kind, allotment);
        handler.setUp();
        store = handler.store();
        round = BudgetRound(handler.theRound());
        token = BudgetToken(round.token());
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (Vm.FuzzSelector[] memory targets) {
        // Citizens act more often than the staff: a selector named several times is drawn as often.
        bytes4[] memory selectors = new bytes4[](24);
        selectors[0] = RoundHandler.mint.selector;
        selectors[1] = RoundHandler.publishIssued.selector;
        selectors[2] = RoundHandler.propose.selector;
        selectors[3] = RoundHandler.propose.selector;
        selectors[4] = RoundHandler.withdraw.selector;
        selectors[5] = RoundHandler.pay.selector;
        selectors[6] = RoundHandler.pay.selector;
        selectors[7] = RoundHandler.returnRemainder.selector;
        selectors[8] = RoundHandler.registerForged.selector;
        selectors[9] = RoundHandler.tryToMoveMoney.selector;
        selectors[10] = RoundHandler.tryToGovern.selector;
        selectors[11] = RoundHandler.cancel.selector;
        selectors[12] = RoundHandler.propose.selector;
        for (uint256 i = 13; i < 16; ++i) {
            selectors[i] = RoundHandler.advance.selector;
        }
        for (uint256 i = 16; i < 18; ++i) {
            selectors[i] = RoundHandler.register.selector;
        }
        for (uint256 i = 18; i < 24; ++i) {
            selectors[i] = RoundHandler.allocate.selector;
        }
        targets = new Vm.FuzzSelector[](1);
        targets[0] = Vm.FuzzSelector({addr: address(handler), selectors: selectors});
    }

    function _inWallets() private view returns (uint256 sum) {
        for (uint16 id = 1; id <= round.initiativeCount(); ++id) {
            sum += token.balanceOf(round.walletOf(id));
        }
    }

    // ---------------------------------------------------------------------------------------------
    // TOK: money
    // ---------------------------------------------------------------------------------------------

    function _checkToken() private view {
        uint256 treasury = token.balanceOf(address(token));
        uint256 purse = token.balanceOf(address(round));
        uint256 held = treasury + purse + _inWallets();
        assertLe(token.mintedTotal(), token.appropriation().amount, "TOK-1: minted within the appropriation");
        assertEq(
            held + token.paidTotal() + token.returnedTotal(), token.mintedTotal(), "TOK-2: every kopeck is somewhere"
        );
        assertEq(token.totalSupply(), held, "TOK-3: supply is what is held");
        assertEq(token.mintedTotal(), store.minted(), "TOK-4: minted by the treasurer alone");
        assertEq(token.paidTotal(), store.paid(), "TOK-5: paid by the treasurer alone");
        assertFalse(store.forbiddenSucceeded(), "TOK-6: nobody else moves money or governs");
        assertFalse(store.mintedAfterOpening(), "TOK-7: no minting once pledging is open");
    }

    function _checkLedger() private view {
        assertFalse(store.ledgerWasNegative(), "TOK-8: no balance rebuilt from events is ever negative");
        _checkLedgerOf(address(token));
        _checkLedgerOf(address(round));
        for (uint16 id = 1; id <= round.initiativeCount(); ++id) {
            _checkLedgerOf(round.walletOf(id));
        }
        for (uint256 i = 0; i < handler.CITIZENS(); ++i) {
            address account = handler.citizenAddress(i);
            _checkLedgerOf(account);
            assertEq(token.balanceOf(account), 0, "TOK-9: a citizen's balance only passes through");
        }
    }

    function _checkLedgerOf(address account) private view {
        assertTrue(store.ledger(account) == int256(token.balanceOf(account)), "TOK-10: Transfers add up to the balance");
    }

    // ---------------------------------------------------------------------------------------------
    // REG: registrations
    // ---------------------------------------------------------------------------------------------

    function _checkRegistrations() private view {
        uint256 count = 0;
        uint256 weight = 0;
        for (uint256 i = 0; i < handler.CITIZENS(); ++i) {
            RoundStore.CitizenModel memory model = store.citizen(i);
            address account = handler.citizenAddress(i);
            IBudgetRound.Citizen memory citizen = round.citizen(account);
            assertTrue(citizen.registered == model.registered, "REG-1: registered as the model says");
            assertEq(store.registrations(account), model.registered ? 1 : 0, "REG-2: registered once");
            if (!model.registered) continue;
            assertTrue(model.credentialIssued, "REG-3: nobody is registered without a credential");
            assertEq(citizen.class, model.class, "REG-4: the class never changes");
            ++count;
            weight += round.classInfo(model.class).weight;
        }
        assertEq(round.registeredCount(), count, "REG-5: the count is the number of accounts");
        assertEq(uint256(round.classInfo(0).registered) + round.classInfo(1).registered, count, "REG-6: classes add up");

        IBudgetRound.RoundConfig memory config = round.config();
        IBudgetRound.Phase phase = round.phase();
        bool equal = config.allotment == IBudgetRound.Allotment.Equal;
        if (
            phase > (equal ? IBudgetRound.Phase.Registration : IBudgetRound.Phase.Pledging)
                && phase != IBudgetRound.Phase.Cancelled
        ) {
            for (uint8 class = 0; class < 2; ++class) {
                IBudgetRound.ClassInfo memory info = round.classInfo(class);
                assertLe(info.registered, info.issued, "REG-7: not more registered than issued");
            }
        }
        if (!equal && phase != IBudgetRound.Phase.Cancelled) {
            assertLe(weight * config.fixedAmount, round.budget(), "REG-8: the budget covers every fixed share");
        }
    }

    // ---------------------------------------------------------------------------------------------
    // ALO: allocations
    // ---------------------------------------------------------------------------------------------

    function _checkAllocations() private view {
        assertFalse(store.versionFell(), "ALO-1: versions only rise");
        IBudgetRound.Phase phase = round.phase();
        bool pledged = phase >= IBudgetRound.Phase.Pledging && phase <= IBudgetRound.Phase.Objection;
        uint256 points = round.config().sharePoints;
        uint256[] memory wallets = new uint256[](round.initiativeCount() + 1);
        uint256 unspent = 0;
        uint256 shares = 0;
        for (uint256 i = 0; i < handler.CITIZENS(); ++i) {
            RoundStore.CitizenModel memory model = store.citizen(i);
            address account = handler.citizenAddress(i);
            IBudgetRound.Citizen memory citizen = round.citizen(account);
            assertEq(citizen.version, model.version, "ALO-2: the highest valid version counts");
            assertEq(
                keccak256(abi.encode(citizen.initiatives, citizen.points)),
                keccak256(abi.encode(model.initiatives, model.points)),
                "ALO-3: the recorded distribution is the one signed"
            );
            uint256 share = round.allotmentOf(account);
            shares += share;
            unspent += round.unspentOf(account);
            for (uint256 j = 0; j < model.initiatives.length; ++j) {
                wallets[
                    model.initiatives[j]
                ] += points == 0 ? share / model.initiatives.length : share * model.points[j] / points;
            }
        }
        if (!pledged) return;
        assertLe(shares, round.budget(), "ALO-4: shares within the budget");
        uint256 inWallets = 0;
        for (uint16 id = 1; id < wallets.length; ++id) {
            assertEq(token.balanceOf(round.walletOf(id)), wallets[id], "ALO-5: a wallet holds its citizens' parts");
            inWallets += wallets[id];
        }
        assertEq(unspent + inWallets, shares, "ALO-6: shares are spent or unspent");
        assertEq(token.balanceOf(address(round)), round.budget() - inWallets, "ALO-7: the purse holds the rest");
    }

    // ---------------------------------------------------------------------------------------------
    // SET: settlement and the end
    // ---------------------------------------------------------------------------------------------

    function _checkSettlement() private view {
        assertFalse(store.phaseJumped(), "SET-1: phases follow the diagram");
        IBudgetRound.Phase phase = round.phase();
        if (phase >= IBudgetRound.Phase.Closed) {
            assertEq(token.totalSupply(), 0, "SET-2: nothing is left at the end");
            assertEq(token.mintedTotal(), token.paidTotal() + token.returnedTotal(), "SET-3: minted = paid + returned");
        }
        if (phase != IBudgetRound.Phase.Settled && phase != IBudgetRound.Phase.Closed) return;
        assertEq(token.balanceOf(address(round)), 0, "SET-4: the purse has returned");
        uint256 totalCost = 0;
        for (uint16 id = 1; id <= round.initiativeCount(); ++id) {
            IBudgetRound.Initiative memory initiative = round.initiative(id);
            uint256 expected = 0;
            if (initiative.won) {
                totalCost += initiative.cost;
                if (!store.remainderReturned(id)) expected = initiative.cost - store.paidFor(id);
            } else {
                assertEq(store.paidFor(id), 0, "SET-5: losers are paid nothing");
            }
            assertEq(initiative.pledged, expected, "SET-6: a winner holds its cost less payments, a loser nothing");
        }
        assertEq(totalCost, round.settlement().totalCost, "SET-7: winners are those proposed");
        assertLe(totalCost, round.budget(), "SET-8: winners within the budget");
    }

    function invariant_Holds() public view {
        _checkToken();
        _checkLedger();
        _checkRegistrations();
        _checkAllocations();
        _checkSettlement();
    }
}

contract CumulativeEqualInvariantTest is RoundInvariants {
    function setUp() public {
        _start(IBudgetRound.BallotKind.Cumulative, IBudgetRound.Allotment.Equal);
    }
}

contract CumulativeFixedInvariantTest is RoundInvariants {
    function setUp() public {
        _start(IBudgetRound.BallotKind.Cumulative, IBudgetRound.Allotment.Fixed);
    }
}

contract ApprovalEqualInvariantTest is RoundInvariants {
    function setUp() public {
        _start(IBudgetRound.BallotKind.Approval, IBudgetRound.Allotment.Equal);
    }
}

contract ApprovalFixedInvariantTest is RoundInvariants {
    function setUp() public {
        _start(IBudgetRound.BallotKind.Approval, IBudgetRound.Allotment.Fixed);
    }
}
