// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BudgetRound} from "../../src/budget/BudgetRound.sol";
import {BudgetToken} from "../../src/budget/BudgetToken.sol";
import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {RoundFixture} from "../RoundFixture.sol";
import {SettlementRecount} from "../SettlementRecount.sol";
import {Vm} from "../Vm.sol";

/// @title The cheat codes of Foundry that read a file line by line
interface VmLines {
    function readLine(string calldata path) external view returns (string memory line);
    function envOr(string calldata name, string calldata otherwise) external view returns (string memory value);
}

/// @title Whole rounds as crates/domain reckons them, played by the contracts and compared kopeck by kopeck
/// @notice The rounds stand in `contracts/test/vectors/settlement.json`, one on a line, and are made by
/// `crates/domain/tests/domain/rounds`; KOPILKA_SETTLEMENT_VECTORS names another file (`scripts/differential`).
///
/// What the contracts do not reckon themselves (support, the greedy rule, the inputs of the transcript) `SettlementRecount`
/// works out once more from what they show.
contract SettlementTest is RoundFixture {
    /// @dev What of a round is asked more than once.
    struct Plan {
        string json;
        bool approval;
        bool fixedShares;
        uint256 budget;
        uint256[] costs;
        uint256[] weights;
        address[] accounts;
        bool[] registered;
        uint256[] classes;
        uint256[] allotments;
    }

    /// @dev Foundry shows these with -vv.
    event log_named_uint(string key, uint256 value);

    VmLines private constant lines = VmLines(address(vm));

    SettlementRecount private recount = new SettlementRecount();
    string private name;
    uint256 private comparedBatches;
    uint256 private comparedAllocations;
    uint256 private comparedCitizens;
    uint256 private comparedProposals;
    /// @dev Each citizen's last allocation that was to be recorded in the round at hand.
    mapping(address round => mapping(uint256 citizen => IBudgetRound.Allocation)) private last;

    function test_CumulativeEqual() public {
        _playAll(IBudgetRound.BallotKind.Cumulative, IBudgetRound.Allotment.Equal);
    }

    function test_CumulativeFixed() public {
        _playAll(IBudgetRound.BallotKind.Cumulative, IBudgetRound.Allotment.Fixed);
    }

    function test_ApprovalEqual() public {
        _playAll(IBudgetRound.BallotKind.Approval, IBudgetRound.Allotment.Equal);
    }

    function test_ApprovalFixed() public {
        _playAll(IBudgetRound.BallotKind.Approval, IBudgetRound.Allotment.Fixed);
    }

    /// @dev Plays the rounds of the file that are of these kinds, each in a call of its own, which forgets its memory.
    function _playAll(IBudgetRound.BallotKind ballotKind, IBudgetRound.Allotment allotment) private {
        string memory path = lines.envOr("KOPILKA_SETTLEMENT_VECTORS", string("contracts/test/vectors/settlement.json"));
        assertEq(lines.readLine(path), "[", "the file begins");
        uint256 count = 0;
        while (true) {
            string memory line = lines.readLine(path);
            if (bytes(line).length < 2) {
                assertEq(line, "]", "the file is complete");
                break;
            }
            // The lines are items of a list.
            if (bytes(line)[bytes(line).length - 1] == ",") {
                assembly ("memory-safe") {
                    mstore(line, sub(mload(line), 1))
                }
            }
            if (vm.parseJsonUint(line, ".ballotKind") != uint256(ballotKind)) continue;
            if (vm.parseJsonUint(line, ".allotment") != uint256(allotment)) continue;
            this.play(line);
            ++count;
        }
        assertTrue(count >= 15, "three of every rule and completion");
        emit log_named_uint("rounds", count);
        emit log_named_uint("citizens", comparedCitizens);
        emit log_named_uint("batches", comparedBatches);
        emit log_named_uint("allocations", comparedAllocations);
        emit log_named_uint("proposals", comparedProposals);
    }

    /// @notice One round from its draft to its end.
    function play(string calldata json) external {
        vm.warp(START);
        name = vm.parseJsonString(json, ".name");
        Plan memory plan = _plan(json);
        _prepare(plan);
        _registerAll(plan, ".registrations");
        _checkSharesBefore(plan);
        _openPledging();
        assertEq(round.budget(), plan.budget, _of("budget"));
        _checkWallets(plan, new uint256[](plan.costs.length));
        _allocateAll(plan);
        _closePledging();
        _checkCitizens(plan);
        _recount(plan);
        _tryProposals(plan);
        _settleAsProposed(plan);
        _end(plan);
    }

    function _plan(string memory json) private pure returns (Plan memory plan) {
        plan.json = json;
        plan.approval = vm.parseJsonUint(json, ".ballotKind") == uint256(IBudgetRound.BallotKind.Approval);
        plan.fixedShares = vm.parseJsonUint(json, ".allotment") == uint256(IBudgetRound.Allotment.Fixed);
        plan.budget = vm.parseJsonUint(json, ".budget");
        plan.costs = vm.parseJsonUintArray(json, ".costs");
        plan.weights = vm.parseJsonUintArray(json, ".weights");
        plan.accounts = vm.parseJsonAddressArray(json, ".accounts");
        plan.registered = vm.parseJsonBoolArray(json, ".registered");
        plan.classes = vm.parseJsonUintArray(json, ".classes");
        plan.allotments = vm.parseJsonUintArray(json, ".allotments");
    }

    /// @dev "the round: what".
    function _of(string memory what) private view returns (string memory) {
        return string.concat(name, ": ", what);
    }

    function _of(string memory what, uint256 which) private view returns (string memory) {
        return string.concat(name, ": ", what, " ", vm.toString(which));
    }

    function _balance(address account) private view returns (uint256) {
        return token.balanceOf(account);
    }

    // ---------------------------------------------------------------------------------------------
    // Staff prepare it, citizens register
    // ---------------------------------------------------------------------------------------------

    function _prepare(Plan memory plan) private {
        string memory json = plan.json;
        IBudgetRound.RoundConfig memory config = _config(
            plan.approval ? IBudgetRound.BallotKind.Approval : IBudgetRound.BallotKind.Cumulative,
            plan.fixedShares ? IBudgetRound.Allotment.Fixed : IBudgetRound.Allotment.Equal
        );
        config.rule = IBudgetRound.Rule(vm.parseJsonUint(json, ".rule"));
        config.completionRaise = vm.parseJsonBool(json, ".raise");
        config.completionFill = vm.parseJsonBool(json, ".fill");
        config.sharePoints = uint16(vm.parseJsonUint(json, ".sharePoints"));
        config.threshold = uint64(vm.parseJsonUint(json, ".threshold"));
        config.fixedAmount = uint128(vm.parseJsonUint(json, ".fixedAmount"));
        IBudgetToken.Appropriation memory appropriation = _appropriation();
        appropriation.amount = uint128(vm.parseJsonUint(json, ".appropriation"));
        vm.prank(clerk);
        (, address round_, address token_) = rounds.createRound(config, appropriation, unicode"Бюджет", "BUD");
        round = BudgetRound(round_);
        token = BudgetToken(token_);

        for (uint256 class = 0; class < plan.weights.length; ++class) {
            _addClass(uint32(plan.weights[class]));
        }
        for (uint256 i = 0; i < plan.costs.length; ++i) {
            vm.prank(clerk);
            round.addInitiative(uint128(plan.costs[i]), keccak256(abi.encode("initiative", i)));
        }
        _openRegistration();
        uint256[] memory mints = vm.parseJsonUintArray(json, ".mints");
        for (uint256 i = 0; i < mints.length; ++i) {
            _mint(mints[i]);
        }
    }

    function _registerAll(Plan memory plan, string memory key) private {
        for (uint256 i = 0;; ++i) {
            string memory path = string.concat(key, "[", vm.toString(i), "]");
            if (!vm.keyExistsJson(plan.json, path)) break;
            _register(
                uint8(vm.parseJsonUint(plan.json, string.concat(path, ".class"))),
                vm.parseJsonUint(plan.json, string.concat(path, ".first")),
                vm.parseJsonUint(plan.json, string.concat(path, ".count"))
            );
        }
    }

    /// @dev A fixed share is known at once, an equal one when pledging opens.
    function _checkSharesBefore(Plan memory plan) private view {
        for (uint256 i = 0; i < plan.accounts.length; ++i) {
            assertEq(_citizen(i), plan.accounts[i], _of("account of citizen", i));
            bool known = plan.fixedShares && round.citizen(plan.accounts[i]).registered;
            uint256 share = round.allotmentOf(plan.accounts[i]);
            assertEq(share, known ? plan.allotments[i] : 0, _of("share before pledging of citizen", i));
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Citizens allocate
    // ---------------------------------------------------------------------------------------------

    function _allocateAll(Plan memory plan) private {
        for (uint256 i = 0;; ++i) {
            string memory path = string.concat(".batches[", vm.toString(i), "]");
            if (!vm.keyExistsJson(plan.json, path)) break;
            _allocateBatch(plan, string.concat(path, ".allocations"));
            _checkWallets(plan, vm.parseJsonUintArray(plan.json, string.concat(path, ".wallets")));
            ++comparedBatches;
            if (i == 0) _registerAll(plan, ".late");
        }
    }

    function _allocateBatch(Plan memory plan, string memory key) private {
        uint256 count = 0;
        while (vm.keyExistsJson(plan.json, string.concat(key, "[", vm.toString(count), "]"))) {
            ++count;
        }
        IBudgetRound.Allocation[] memory batch = new IBudgetRound.Allocation[](count);
        IBudgetRound.SkipReason[] memory reasons = new IBudgetRound.SkipReason[](count);
        bytes memory signatures = new bytes(64 * count);
        for (uint256 i = 0; i < count; ++i) {
            string memory path = string.concat(key, "[", vm.toString(i), "]");
            uint256 citizen = vm.parseJsonUint(plan.json, string.concat(path, ".citizen"));
            batch[i] = _allocation(
                citizen,
                uint32(vm.parseJsonUint(plan.json, string.concat(path, ".version"))),
                _numbers(plan.json, string.concat(path, ".initiatives")),
                _numbers(plan.json, string.concat(path, ".points"))
            );
            reasons[i] = IBudgetRound.SkipReason(vm.parseJsonUint(plan.json, string.concat(path, ".reason")));
            bool forged = reasons[i] == IBudgetRound.SkipReason.SignatureInvalid;
            _copy(_sign(forged ? citizen + 1 : citizen, batch[i]), signatures, 64 * i);
            if (reasons[i] == IBudgetRound.SkipReason.None) last[address(round)][citizen] = batch[i];
        }
        vm.recordLogs();
        round.allocate(batch, signatures);
        _checkEvents(batch, reasons, vm.getRecordedLogs());
        comparedAllocations += count;
    }

    function _numbers(string memory json, string memory key) private pure returns (uint16[] memory list) {
        uint256[] memory numbers = vm.parseJsonUintArray(json, key);
        list = new uint16[](numbers.length);
        for (uint256 i = 0; i < numbers.length; ++i) {
            list[i] = uint16(numbers[i]);
        }
    }

    /// @dev One event for each item, in their order: recorded as it was signed, or skipped for the reason.
    function _checkEvents(
        IBudgetRound.Allocation[] memory batch,
        IBudgetRound.SkipReason[] memory reasons,
        Vm.Log[] memory logs
    ) private view {
        uint256 next = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(round)) continue;
            IBudgetRound.Allocation memory item = batch[next];
            bytes memory data = reasons[next] == IBudgetRound.SkipReason.None
                ? abi.encode(item.version, item.initiatives, item.points)
                : abi.encode(item.version, reasons[next]);
            bytes32 topic = reasons[next] == IBudgetRound.SkipReason.None
                ? IBudgetRound.AllocationRecorded.selector
                : IBudgetRound.AllocationSkipped.selector;
            assertEq(logs[i].topics[0], topic, _of("recorded or skipped, item", next));
            assertEq(address(uint160(uint256(logs[i].topics[1]))), item.account, _of("account of item", next));
            assertEq(logs[i].data, data, _of("what was recorded, or why not, of item", next));
            ++next;
        }
        assertEq(next, batch.length, _of("an event for each item"));
    }

    function _checkWallets(Plan memory plan, uint256[] memory wallets) private view {
        uint256 sum = 0;
        for (uint256 i = 0; i < plan.costs.length; ++i) {
            assertEq(_inWallet(uint16(i + 1)), wallets[i], _of("pledged to initiative", i + 1));
            assertEq(
                round.initiative(uint16(i + 1)).pledged, wallets[i], _of("pledged, as shown, to initiative", i + 1)
            );
            sum += wallets[i];
        }
        assertEq(_balance(address(round)), plan.budget - sum, _of("purse"));
    }

    // ---------------------------------------------------------------------------------------------
    // What stands on chain when pledging is over
    // ---------------------------------------------------------------------------------------------

    function _checkCitizens(Plan memory plan) private {
        uint256[] memory unspent = vm.parseJsonUintArray(plan.json, ".unspent");
        uint256 registered = 0;
        for (uint256 i = 0; i < plan.accounts.length; ++i) {
            address account = plan.accounts[i];
            IBudgetRound.Citizen memory citizen = round.citizen(account);
            assertTrue(citizen.registered == plan.registered[i], _of("registered or not, citizen", i));
            assertEq(citizen.class, plan.classes[i], _of("class of citizen", i));
            assertEq(round.allotmentOf(account), plan.allotments[i], _of("allotment of citizen", i));
            assertEq(round.unspentOf(account), unspent[i], _of("unspent by citizen", i));
            assertEq(_balance(account), 0, _of("nothing stays with citizen", i));
            IBudgetRound.Allocation storage recorded = last[address(round)][i];
            assertEq(
                abi.encode(citizen.version, citizen.initiatives, citizen.points),
                abi.encode(recorded.version, recorded.initiatives, recorded.points),
                _of("the last allocation of citizen", i)
            );
            if (plan.registered[i]) ++registered;
        }
        assertEq(round.registeredCount(), registered, _of("registered"));
        uint256 participants = vm.parseJsonUint(plan.json, ".participants");
        assertEq(round.participants(round.roundId()), participants, _of("participants"));
        comparedCitizens += plan.accounts.length;
    }

    /// @dev Support, what the greedy rule decides of the winners, and the digest, all counted once more.
    function _recount(Plan memory plan) private view {
        uint256[] memory expected = vm.parseJsonUintArray(plan.json, ".support");
        uint256[] memory support = recount.support(round, plan.accounts);
        assertEq(support.length, expected.length, _of("initiatives"));
        for (uint256 i = 0; i < support.length; ++i) {
            assertEq(support[i], expected[i], _of("support of initiative", i + 1));
        }

        uint16[] memory found = _numbers(plan.json, ".found");
        uint16[] memory bought = new uint16[](vm.parseJsonUint(plan.json, ".bought"));
        for (uint256 i = 0; i < bought.length; ++i) {
            bought[i] = found[i];
            assertTrue(
                recount.isEligible(round, support[found[i] - 1], found[i]), _of("it can win: initiative", found[i])
            );
        }
        uint16[] memory order = recount.order(round, support, bought);
        assertEq(abi.encodePacked(found), abi.encodePacked(order), _of("winners in their order"));

        bytes memory inputs = recount.inputs(round, plan.accounts);
        bytes memory text = abi.encodePacked(inputs, vm.parseJsonString(plan.json, ".result"));
        assertEq(keccak256(text), _digestOf(plan), _of("digest of the transcript"));
    }

    function _digestOf(Plan memory plan) private pure returns (bytes32) {
        return bytes32(vm.parseJsonBytes(plan.json, ".digest"));
    }

    // ---------------------------------------------------------------------------------------------
    // Settlement
    // ---------------------------------------------------------------------------------------------

    /// @dev Winners that no settlement can have are refused. Others may be proposed, since the contract does not count, and
    /// are withdrawn.
    function _tryProposals(Plan memory plan) private {
        for (uint256 i = 0;; ++i) {
            string memory path = string.concat(".proposals[", vm.toString(i), "]");
            if (!vm.keyExistsJson(plan.json, path)) break;
            uint16[] memory winners = _numbers(plan.json, string.concat(path, ".winners"));
            uint256 cost = vm.parseJsonUint(plan.json, string.concat(path, ".cost"));
            bytes memory refusal = _refusal(plan, vm.parseJsonString(plan.json, string.concat(path, ".refusal")), cost);
            vm.prank(clerk);
            try round.proposeSettlement(winners, _digestOf(plan)) {
                assertEq(refusal.length, 0, _of("refused: proposal", i));
                assertEq(round.settlement().totalCost, cost, _of("cost of proposal", i));
                vm.prank(controller);
                round.withdrawSettlement();
            } catch (bytes memory reason) {
                assertEq(reason, refusal, _of("answer to proposal", i));
            }
            ++comparedProposals;
        }
    }

    function _refusal(Plan memory plan, string memory refusal, uint256 cost) private pure returns (bytes memory) {
        bytes32 kind = keccak256(bytes(refusal));
        if (kind == keccak256("order")) return abi.encodeWithSelector(IBudgetRound.WinnersNotAscending.selector);
        if (kind == keccak256("unknown")) {
            return abi.encodeWithSelector(IBudgetRound.InitiativeUnknown.selector, plan.costs.length + 1);
        }
        if (kind == keccak256("budget")) {
            return abi.encodeWithSelector(IBudgetRound.BudgetExceeded.selector, cost, plan.budget);
        }
        return "";
    }

    function _settleAsProposed(Plan memory plan) private {
        uint16[] memory winners = _numbers(plan.json, ".winners");
        bytes32 digest = _digestOf(plan);
        vm.prank(clerk);
        round.proposeSettlement(winners, digest);
        vm.prank(controller);
        round.approveSettlement(winners, digest);
        IBudgetRound.Settlement memory result = round.settlement();
        assertEq(abi.encode(result.winners), abi.encode(winners), _of("winners"));
        assertEq(result.transcriptDigest, digest, _of("digest"));
        assertEq(result.totalCost, vm.parseJsonUint(plan.json, ".totalCost"), _of("total cost on chain"));
        vm.warp(PLEDGING_UNTIL + OBJECTION_PERIOD);
        vm.prank(stranger);
        round.finalizeSettlement();
    }

    /// @dev A winner's wallet has its cost and a loser's nothing, the treasury gets the rest back, and once the winners are
    /// paid nothing is left.
    function _end(Plan memory plan) private {
        bool[] memory won = new bool[](plan.costs.length);
        uint16[] memory winners = _numbers(plan.json, ".winners");
        for (uint256 i = 0; i < winners.length; ++i) {
            won[winners[i] - 1] = true;
        }
        for (uint256 i = 0; i < won.length; ++i) {
            uint16 id = uint16(i + 1);
            assertEq(_inWallet(id), won[i] ? plan.costs[i] : 0, _of("settled wallet of initiative", id));
            assertTrue(round.initiative(id).won == won[i], _of("won or not, initiative", id));
        }
        for (uint256 i = 0; i < plan.accounts.length; ++i) {
            assertEq(round.unspentOf(plan.accounts[i]), 0, _of("nothing is left to citizen", i));
        }

        uint256 totalCost = vm.parseJsonUint(plan.json, ".totalCost");
        uint256 returned = vm.parseJsonUint(plan.json, ".returned");
        _checkReconciliation(plan, totalCost, 0, returned);
        for (uint256 i = 0; i < winners.length; ++i) {
            vm.prank(treasurer);
            round.recordPayment(winners[i], plan.costs[winners[i] - 1], "order", keccak256("act"));
        }
        vm.prank(treasurer);
        round.close();
        _checkReconciliation(plan, 0, totalCost, returned);
        assertEq(totalCost + returned, plan.budget, _of("every kopeck"));
    }

    function _checkReconciliation(Plan memory plan, uint256 wallets, uint256 paid, uint256 returned) private view {
        IBudgetToken.Reconciliation memory actual = token.reconciliation();
        assertEq(actual.appropriation, vm.parseJsonUint(plan.json, ".appropriation"), _of("appropriation"));
        assertEq(actual.minted, plan.budget, _of("minted"));
        assertEq(actual.treasury, 0, _of("treasury"));
        assertEq(actual.purse, 0, _of("purse at the end"));
        assertEq(actual.wallets, wallets, _of("wallets"));
        assertEq(actual.paid, paid, _of("paid"));
        assertEq(actual.returned, returned, _of("returned"));
        assertEq(token.totalSupply(), wallets, _of("tokens left"));
    }
}
