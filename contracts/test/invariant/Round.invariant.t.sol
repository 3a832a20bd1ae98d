// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Municipalities} from "../../src/access/Municipalities.sol";
import {BudgetRound} from "../../src/budget/BudgetRound.sol";
import {BudgetToken} from "../../src/budget/BudgetToken.sol";
import {Milestones} from "../../src/budget/Milestones.sol";
import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {IMilestones} from "../../src/interfaces/IMilestones.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {Assertions} from "../Assertions.sol";
import {Vm} from "../Vm.sol";
import {RoundHandler} from "./RoundHandler.sol";
import {RoundStore} from "./RoundStore.sol";
import {StaffActions} from "./StaffActions.sol";

/// @title The numbered invariants of docs/invariants.md
abstract contract RoundInvariants is Assertions {
    RoundHandler internal handler;
    RoundStore internal store;
    BudgetRound internal round;
    BudgetToken internal token;
    Milestones internal milestones;
    Municipalities internal municipalities;

    function _start(IBudgetRound.BallotKind kind, IBudgetRound.Allotment allotment) internal {
        handler = new RoundHandler(kind, allotment);
        handler.setUp();
        store = handler.store();
        round = BudgetRound(handler.theRound());
        token = BudgetToken(round.token());
        milestones = Milestones(handler.theMilestones());
        municipalities = Municipalities(handler.theMunicipalities());
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view virtual returns (Vm.FuzzSelector[] memory targets) {
        // Citizens act more often than the staff: a selector named several times is drawn as often.
        bytes4[20] memory once = [
            StaffActions.proposeMint.selector,
            StaffActions.cancelMint.selector,
            StaffActions.publishIssued.selector,
            StaffActions.withdraw.selector,
            StaffActions.cancel.selector,
            StaffActions.pay.selector,
            StaffActions.returnRemainder.selector,
            RoundHandler.registerForged.selector,
            RoundHandler.tryToMoveMoney.selector,
            RoundHandler.tryToGovern.selector,
            StaffActions.handOver.selector,
            StaffActions.pauseOrGoOn.selector,
            StaffActions.pass.selector,
            StaffActions.schedule.selector,
            StaffActions.postpone.selector,
            StaffActions.abandon.selector,
            StaffActions.manageAccess.selector,
            StaffActions.manageAccess.selector,
            StaffActions.reach.selector,
            StaffActions.reach.selector
        ];
        bytes4[7] memory often = [
            StaffActions.approveMint.selector,
            StaffActions.propose.selector,
            StaffActions.approve.selector,
            StaffActions.finalize.selector,
            StaffActions.advance.selector,
            RoundHandler.register.selector,
            RoundHandler.allocate.selector
        ];
        bytes4[] memory selectors = new bytes4[](20 + 3 * 7);
        for (uint256 i = 0; i < 20; ++i) {
            selectors[i] = once[i];
        }
        for (uint256 i = 0; i < 21; ++i) {
            selectors[20 + i] = often[i % 7];
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
    // ACC: access, two people, pause
    // ---------------------------------------------------------------------------------------------

    function _checkAccess() private view {
        address[7] memory actors = handler.actors();
        uint32 municipalityId = round.config().municipalityId;
        for (uint8 role = 1; role <= uint8(IMunicipalities.Role.Registrar); ++role) {
            for (uint256 i = 0; i < 7; ++i) {
                bool access = municipalities.hasRole(municipalityId, IMunicipalities.Role(role), actors[i]);
                assertTrue(access == store.mayAct(role, actors[i]), "ACC-1: expired or revoked access is no access");
            }
            address owner = municipalities.owner();
            assertFalse(
                municipalities.hasRole(municipalityId, IMunicipalities.Role(role), owner),
                "ACC-5: the owner has no role"
            );
        }
        assertFalse(store.broken("ACC-1"), "ACC-1: nobody acts without access");
        assertFalse(store.broken("ACC-2"), "ACC-2: two people with access mint, and nobody else");
        assertFalse(store.broken("ACC-3"), "ACC-3: a controller other than the proposer approves, and nobody else");
        assertFalse(store.broken("ACC-4"), "ACC-4: final exactly once approved and the window is over");
        assertFalse(store.broken("ACC-5"), "ACC-5: no grant to the owner");
        assertFalse(store.broken("ACC-6"), "ACC-6: nothing new happens while paused");
        assertFalse(store.broken("ACC-7"), "ACC-7: a pause never stops a step back or a return");
        assertFalse(store.broken("ACC-9"), "ACC-9: staff is accepted or refused as the model says");
        assertTrue(municipalities.paused() == store.paused(), "ACC-6: paused as the operator said");
    }

    function _checkMints() private view {
        assertEq(token.mintCount(), store.mintCount(), "ACC-8: proposals count from 1 without gaps");
        uint256 approved = 0;
        for (uint256 id = 1; id <= store.mintCount(); ++id) {
            RoundStore.MintModel memory model = store.mintModel(id);
            IBudgetToken.MintProposal memory proposal = token.mintProposal(id);
            assertEq(proposal.proposer, model.proposer, "ACC-8: the proposer stays");
            assertEq(proposal.amount, model.amount, "ACC-8: the amount stays");
            if (model.open) continue;
            assertEq(keccak256(abi.encode(proposal)), model.decided, "ACC-8: decided once for ever");
            if (!model.approved) continue;
            approved += model.amount;
            assertTrue(proposal.approver != proposal.proposer, "ACC-2: two people mint");
        }
        assertEq(token.mintedTotal(), approved, "TOK-12: minted is what was approved");
    }

    // ---------------------------------------------------------------------------------------------
    // EXE: execution of winners
    // ---------------------------------------------------------------------------------------------

    function _checkExecution() private view {
        assertFalse(store.broken("EXE-1"), "EXE-1: scheduled at most once");
        assertFalse(store.broken("EXE-3"), "EXE-3: stages are reached in order, each once");
        for (uint16 id = 1; id <= handler.INITIATIVES(); ++id) {
            RoundStore.ExecutionModel memory model = store.execution(id);
            IMilestones.Milestone[4] memory stages = milestones.milestones(address(round), id);
            for (uint256 i = 0; i < 4; ++i) {
                assertEq(stages[i].promised, model.promised[i], "EXE-2: what was promised is never rewritten");
                assertEq(stages[i].deadline, model.deadlines[i], "EXE-2: a deadline moves by postponement alone");
                assertEq(stages[i].postponements, model.postponements[i], "EXE-2: every postponement is counted");
                assertTrue(stages[i].deadline >= stages[i].promised, "EXE-2: a deadline moves later, never earlier");
                if (i != 0) assertLe(stages[i - 1].deadline, stages[i].deadline, "EXE-4: deadlines never descend");
                bool reached = i < model.reached;
                assertTrue((stages[i].reachedAt != 0) == reached, "EXE-3: reached in order");
                if (reached) {
                    assertEq(keccak256(abi.encode(stages[i])), model.records[i], "EXE-3: a record is never rewritten");
                }
            }
            if (model.reached > 2) {
                assertTrue(stages[2].account != stages[1].account, "EXE-5: another person accepts");
            }
            _checkStatus(id, model, stages);
        }
    }

    function _checkStatus(uint16 id, RoundStore.ExecutionModel memory model, IMilestones.Milestone[4] memory stages)
        private
        view
    {
        (IMilestones.Status status, IMilestones.Stage next) = milestones.statusOf(address(round), id);
        bool touched = model.scheduled || model.abandoned;
        if (touched) assertTrue(round.initiative(id).won, "EXE-6: only winners are carried out");
        if (model.abandoned) {
            assertEq(token.balanceOf(round.walletOf(id)), 0, "EXE-7: given up means its money is back");
            assertLe(model.reached, 3, "EXE-7: what is done is not given up");
        }
        IMilestones.Status expected = IMilestones.Status.Unscheduled;
        if (model.abandoned) {
            expected = IMilestones.Status.Abandoned;
        } else if (model.reached == 4) {
            expected = IMilestones.Status.Done;
        } else if (model.scheduled && block.timestamp > stages[model.reached].deadline) {
            expected = IMilestones.Status.Overdue;
        } else if (model.scheduled) {
            expected = IMilestones.Status.OnTime;
        }
        assertTrue(status == expected, "EXE-8: overdue exactly from the second after the deadline");
        assertEq(uint8(next), model.reached == 4 ? 3 : model.reached, "EXE-8: the next stage");
    }

    // ---------------------------------------------------------------------------------------------
    // TOK: money
    // ---------------------------------------------------------------------------------------------

    function _checkReconciliation() private view {
        IBudgetToken.Reconciliation memory sums = token.reconciliation();
        assertEq(sums.appropriation, token.appropriation().amount, "TOK-11: appropriation");
        assertEq(sums.minted, token.mintedTotal(), "TOK-11: minted");
        assertEq(sums.treasury, token.balanceOf(address(token)), "TOK-11: treasury");
        assertEq(sums.purse, token.balanceOf(address(round)), "TOK-11: purse");
        assertEq(sums.wallets, _inWallets(), "TOK-11: wallets");
        assertEq(sums.paid, token.paidTotal(), "TOK-11: paid");
        assertEq(sums.returned, token.returnedTotal(), "TOK-11: returned");
        assertEq(
            sums.minted,
            sums.treasury + sums.purse + sums.wallets + sums.paid + sums.returned,
            "TOK-11: one call shows where every kopeck is"
        );
    }

    function _checkToken() private view {
        uint256 treasury = token.balanceOf(address(token));
        uint256 purse = token.balanceOf(address(round));
        uint256 held = treasury + purse + _inWallets();
        assertLe(token.mintedTotal(), token.appropriation().amount, "TOK-1: minted within the appropriation");
        assertEq(
            held + token.paidTotal() + token.returnedTotal(), token.mintedTotal(), "TOK-2: every kopeck is somewhere"
        );
        assertEq(token.totalSupply(), held, "TOK-3: supply is what is held");
        assertEq(token.mintedTotal(), store.minted(), "TOK-4: minted by treasurer and controller alone");
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
        assertFalse(store.broken("REG-1"), "REG-1: a batch is taken or refused as the model says");
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
        for (uint8 class = 0; class < 2; ++class) {
            IBudgetRound.ClassInfo memory info = round.classInfo(class);
            assertEq(info.registered, store.registeredIn(class), "REG-6: registered in the class");
            assertEq(info.issued, store.issued(class), "REG-9: the issuer's last word, which never falls");
        }

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
        assertFalse(store.broken("ALO-9"), "ALO-9: a batch is taken exactly while pledging, unless paused");
        IBudgetRound.Phase phase = round.phase();
        bool pledged = phase >= IBudgetRound.Phase.Pledging && phase <= IBudgetRound.Phase.Objection;
        uint256 points = round.config().sharePoints;
        uint256[] memory wallets = new uint256[](round.initiativeCount() + 1);
        uint256 unspent = 0;
        uint256 shares = 0;
        uint256 participants = 0;
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
            if (model.version != 0) ++participants;
            unspent += round.unspentOf(account);
            for (uint256 j = 0; j < model.initiatives.length; ++j) {
                wallets[
                    model.initiatives[j]
                ] += points == 0 ? share / model.initiatives.length : share * model.points[j] / points;
            }
        }
        assertEq(round.participants(round.roundId()), participants, "ALO-8: participants have a recorded allocation");
        assertEq(round.participants(round.roundId() + 1), 0, "ALO-8: of this round");
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
        assertFalse(store.broken("SET-9"), "SET-9: a result is proposed exactly as the model says");
        assertFalse(store.broken("SET-10"), "SET-10: a payment is taken exactly as the model says");
        IBudgetRound.Phase phase = round.phase();
        assertTrue(phase == store.phase(), "SET-1: the phase is the one last announced");
        assertEq(round.pledgingClosesAt(), store.pledgingClosesAt(), "SET-1: pledging lasts as long as planned");
        _checkResult();
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
        assertEq(totalCost, round.settlement().totalCost, "SET-7: the cost is that of the winners");
        assertLe(totalCost, round.budget(), "SET-8: winners within the budget");
    }

    /// @dev What is proposed or final, against what somebody proposed and somebody approved.
    function _checkResult() private view {
        IBudgetRound.Settlement memory result = round.settlement();
        assertEq(
            keccak256(abi.encode(result.winners, result.transcriptDigest)),
            keccak256(abi.encode(store.winners(), store.digest())),
            "SET-7: winners and digest are those proposed"
        );
        assertEq(result.proposer, store.proposer(), "SET-7: who proposed");
        assertEq(result.approver, store.approver(), "SET-7: who approved");
        assertEq(result.proposedAt, store.proposedAt(), "SET-7: when");
        // Before finality nobody has won.
        for (uint16 id = 1; id <= round.initiativeCount(); ++id) {
            assertTrue(round.initiative(id).won == store.won(id), "SET-7: winners of the final result alone");
        }
    }

    function invariant_Holds() public view {
        _checkAccess();
        _checkMints();
        _checkExecution();
        _checkReconciliation();
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

/// @notice After the settlement: payments, execution, returns, and the staff's comings and goings.
contract SettledInvariantTest is RoundInvariants {
    function setUp() public {
        _start(IBudgetRound.BallotKind.Cumulative, IBudgetRound.Allotment.Equal);
        handler.fastForward();
    }

    function targetSelectors() public view override returns (Vm.FuzzSelector[] memory targets) {
        bytes4[16] memory actions = [
            StaffActions.pay.selector,
            StaffActions.returnRemainder.selector,
            StaffActions.schedule.selector,
            StaffActions.schedule.selector,
            StaffActions.postpone.selector,
            StaffActions.reach.selector,
            StaffActions.reach.selector,
            StaffActions.reach.selector,
            StaffActions.abandon.selector,
            StaffActions.manageAccess.selector,
            StaffActions.handOver.selector,
            StaffActions.pauseOrGoOn.selector,
            StaffActions.pass.selector,
            StaffActions.advance.selector,
            RoundHandler.tryToMoveMoney.selector,
            RoundHandler.tryToGovern.selector
        ];
        bytes4[] memory selectors = new bytes4[](16);
        for (uint256 i = 0; i < 16; ++i) {
            selectors[i] = actions[i];
        }
        targets = new Vm.FuzzSelector[](1);
        targets[0] = Vm.FuzzSelector({addr: address(handler), selectors: selectors});
    }
}
