// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {IMilestones} from "../../src/interfaces/IMilestones.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {RoundFixture} from "../RoundFixture.sol";
import {Vm} from "../Vm.sol";
import {RoundStore} from "./RoundStore.sol";

/// @title What the operator and the staff of a municipality do, in any order, some of them without access
/// @notice For whatever a round and its token are asked, the outcome is predicted from the store's model and compared;
/// for executions, whatever succeeds must have been within the caller's access.
abstract contract StaffActions is RoundFixture {
    uint16 public constant INITIATIVES = 6;

    uint8 internal constant TREASURER = uint8(IMunicipalities.Role.Treasurer);
    uint8 internal constant CLERK = uint8(IMunicipalities.Role.Clerk);
    uint8 internal constant ISSUER = uint8(IMunicipalities.Role.Issuer);
    uint8 internal constant CONTROLLER = uint8(IMunicipalities.Role.Controller);

    RoundStore public store;
    /// @dev One person with three roles: never two people.
    address internal everything = _named("everything");
    uint256 private _turn;

    function _setUpStaff() internal {
        store = new RoundStore();
        store.setOwner(operator);
        store.grant(TREASURER, treasurer, START, START + 365 days);
        store.grant(CLERK, clerk, START, START + 365 days);
        store.grant(ISSUER, issuer, START, START + 365 days);
        store.grant(CONTROLLER, controller, START, START + 365 days);
        _giveAccess(TREASURER, everything, START + 365 days);
        _giveAccess(CLERK, everything, START + 365 days);
        _giveAccess(CONTROLLER, everything, START + 365 days);
    }

    function actors() public view returns (address[7] memory) {
        return [treasurer, clerk, controller, issuer, everything, operator, stranger];
    }

    /// @dev Feeds the events and the phase to the store after each action.
    modifier remembered() {
        vm.recordLogs();
        bool paused = municipalities.paused();
        _;
        _remember(paused);
    }

    function _remember(bool paused) internal virtual;

    /// @dev The fuzzer likes zero and the largest numbers; what depends on a remainder would then hardly vary.
    function _mixed(uint256 seed) internal returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++_turn)));
    }

    /// @dev Mostly whom the action is for, sometimes the person with three roles, sometimes anybody.
    function _caller(address usual, uint256 seed) internal view returns (address) {
        seed = uint256(keccak256(abi.encode(seed, "caller")));
        if (seed % 8 < 5) return usual;
        return seed % 8 == 5 ? everything : actors()[(seed >> 8) % 7];
    }

    function _usual(uint8 role) private view returns (address) {
        if (role == TREASURER) return treasurer;
        if (role == CLERK) return clerk;
        return role == ISSUER ? issuer : controller;
    }

    /// @dev Whatever `caller` did successfully needed this role now.
    function _acted(uint8 role, address caller) internal {
        store.expect("ACC-1", true, store.mayAct(role, caller));
    }

    function _cost(uint256 id) internal pure returns (uint128) {
        return uint128(20_000_00 + (id - 1) * 11_111_11);
    }

    /// @dev Whether citizens may register and issuers publish.
    function _isRegistering() internal view returns (bool) {
        IBudgetRound.Phase phase = store.phase();
        if (phase == IBudgetRound.Phase.Registration) return true;
        return phase == IBudgetRound.Phase.Pledging && _fixedShares();
    }

    function _fixedShares() internal view virtual returns (bool);

    function _later(uint64 time) internal {
        if (block.timestamp < time) vm.warp(time);
    }

    // ---------------------------------------------------------------------------------------------
    // The operator
    // ---------------------------------------------------------------------------------------------

    function _giveAccess(uint8 role, address account, uint64 until) private {
        vm.prank(municipalities.owner());
        uint64 from = uint64(block.timestamp);
        try municipalities.grantRole(municipalityId, IMunicipalities.Role(role), account, from, until, 0) {
            store.expect("ACC-5", false, account == store.owner());
            store.grant(role, account, from, until);
        } catch {}
    }

    /// @dev Every second time what is missing is given back, so that the round goes on.
    function manageAccess(uint256 seed) external remembered {
        seed = _mixed(seed);
        uint8[4] memory roles = [TREASURER, CLERK, ISSUER, CONTROLLER];
        if (seed % 2 == 0) {
            for (uint256 i = 0; i < 4; ++i) {
                if (!store.mayAct(roles[i], _usual(roles[i]))) {
                    _giveAccess(roles[i], _usual(roles[i]), uint64(block.timestamp + 365 days));
                }
            }
            return;
        }
        uint8 role = roles[(seed >> 8) % 4];
        address account = actors()[(seed >> 16) % 7];
        if ((seed >> 24) % 3 == 0) {
            vm.prank(municipalities.owner());
            try municipalities.revokeRole(municipalityId, IMunicipalities.Role(role), account) {
                store.grant(role, account, 0, 0);
            } catch {}
        } else {
            _giveAccess(role, account, uint64(block.timestamp + 1 + (seed >> 32) % 3 days));
        }
    }

    function handOver(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (seed % 6 != 0) return;
        address next = actors()[(seed >> 8) % 7];
        _handOver(next);
        store.setOwner(next);
    }

    function pauseOrGoOn(uint256 seed) external remembered {
        seed = _mixed(seed);
        bool paused = store.paused();
        if (!paused && seed % 3 != 0) return;
        vm.prank(municipalities.owner());
        if (paused) municipalities.unpause();
        else municipalities.pause(bytes32(seed));
        store.setPaused(!paused);
    }

    function pass(uint256 seed) external remembered {
        vm.warp(block.timestamp + 1 + _mixed(seed) % 2 days);
    }

    // ---------------------------------------------------------------------------------------------
    // Minting
    // ---------------------------------------------------------------------------------------------

    function proposeMint(uint256 seed) external remembered {
        seed = _mixed(seed);
        address caller = _caller(treasurer, seed);
        uint256 amount = APPROPRIATION / 8 + (seed >> 8) % (APPROPRIATION / 4);
        bool expected = !store.paused() && store.mayAct(TREASURER, caller)
            && store.phase() <= IBudgetRound.Phase.Registration && store.minted() + amount <= APPROPRIATION;
        vm.prank(caller);
        (bool success,) = address(token).call(abi.encodeCall(token.proposeMint, (amount, bytes32(seed))));
        store.expect("ACC-9", expected, success);
        if (success) store.proposeMint(caller, amount, bytes32(seed));
    }

    function approveMint(uint256 seed) external remembered {
        seed = _mixed(seed);
        uint256 mintId = (seed >> 8) % (store.mintCount() + 2);
        RoundStore.MintModel memory model = store.mintModel(mintId);
        address caller = _caller(controller, seed);
        uint256 amount = (seed >> 64) % 8 == 0 ? model.amount + 1 : model.amount;
        bytes32 document = (seed >> 72) % 8 == 0 ? ~model.documentHash : model.documentHash;
        bool expected = !store.paused() && store.mayAct(CONTROLLER, caller) && model.open && caller != model.proposer
            && store.mayAct(TREASURER, model.proposer) && amount == model.amount && document == model.documentHash
            && store.minted() + amount <= APPROPRIATION && store.phase() <= IBudgetRound.Phase.Registration;
        vm.prank(caller);
        (bool success,) = address(token).call(abi.encodeCall(token.approveMint, (mintId, amount, document)));
        store.expect("ACC-2", expected, success);
        if (!success) return;
        store.addMinted(amount);
        store.decideMint(mintId, true, keccak256(abi.encode(token.mintProposal(mintId))));
    }

    function cancelMint(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (seed % 3 != 0) return;
        uint256 mintId = (seed >> 8) % (store.mintCount() + 2);
        RoundStore.MintModel memory model = store.mintModel(mintId);
        address caller = _caller(treasurer, seed);
        bool expected = model.open && (caller == model.proposer || store.mayAct(CONTROLLER, caller));
        vm.prank(caller);
        (bool success,) = address(token).call(abi.encodeCall(token.cancelMint, (mintId)));
        store.expect("ACC-7", expected, success);
        if (success) store.decideMint(mintId, false, keccak256(abi.encode(token.mintProposal(mintId))));
    }

    // ---------------------------------------------------------------------------------------------
    // Phases and settlement
    // ---------------------------------------------------------------------------------------------

    /// @dev One step further. Pledging lasts longer than the rest, so that something can happen; `allocate` opens it.
    function advance(uint256 seed) external remembered {
        seed = _mixed(seed);
        IBudgetRound.Phase phase = round.phase();
        if (phase == IBudgetRound.Phase.Registration && seed % 4 == 0) {
            _tryToOpenPledging(seed);
        } else if (phase == IBudgetRound.Phase.Pledging && seed % 3 == 0) {
            _publishAll();
            _tryToClosePledging(seed);
        } else if (phase == IBudgetRound.Phase.Objection && seed % 2 == 0) {
            vm.warp(block.timestamp + OBJECTION_PERIOD);
        } else if (phase == IBudgetRound.Phase.Settled && seed % 8 == 0) {
            for (uint16 id = 1; id <= INITIATIVES && (seed >> 8) % 8 == 0; ++id) {
                _returnRemainder(id, treasurer);
            }
            _close(_caller(treasurer, seed));
        }
    }

    /// @dev Now and then too early, and now and then so late that anybody may.
    function _tryToClosePledging(uint256 seed) private {
        uint64 closesAt = store.pledgingClosesAt();
        uint256 moment = (seed >> 64) % 8;
        if (moment != 0) _later(moment == 1 ? closesAt + CLOSING_GRACE : closesAt);
        bool late = block.timestamp >= closesAt + CLOSING_GRACE;
        address caller = late ? actors()[(seed >> 72) % 7] : _caller(clerk, seed);
        bool expected = !store.paused() && store.isCovered() && block.timestamp >= closesAt
            && (late || store.mayAct(CLERK, caller));
        vm.prank(caller);
        (bool success,) = address(round).call(abi.encodeCall(round.closePledging, ()));
        store.expect("ACC-9", expected, success);
    }

    /// @dev Tries to publish what is missing.
    function _publishAll() private {
        for (uint8 class = 0; class < 2; ++class) {
            uint256 registered = store.registeredIn(class);
            if (registered > store.issued(class)) _publish(issuer, class, uint32(registered));
        }
    }

    function _publish(address caller, uint8 class, uint32 count) private {
        bool expected = !store.paused() && store.mayAct(ISSUER, caller) && _isRegistering() && class < 2
            && count >= store.issued(class);
        vm.prank(caller);
        (bool success,) = address(round).call(abi.encodeCall(round.publishIssued, (class, count)));
        store.expect("ACC-9", expected, success);
        if (success) store.setIssued(class, count);
    }

    /// @dev In Registration; the store learns of the phase when the action is over.
    function _tryToOpenPledging(uint256 seed) internal returns (bool success) {
        if (store.minted() == 0) return false;
        _publishAll();
        _later(REGISTRATION_UNTIL);
        address caller = _caller(clerk, seed);
        bool expected = !store.paused() && store.mayAct(CLERK, caller) && store.isCovered();
        vm.prank(caller);
        (success,) = address(round).call(abi.encodeCall(round.openPledging, ()));
        store.expect("ACC-9", expected, success);
        if (success) store.setPledgingClosesAt(uint64(block.timestamp) + (PLEDGING_UNTIL - REGISTRATION_UNTIL));
    }

    function publishIssued(uint256 seed) external remembered {
        seed = _mixed(seed);
        _publish(_caller(issuer, seed), uint8(seed % 3), uint32(seed >> 8) % 12);
    }

    /// @dev Some initiatives, which may cost more than there is; now and then with one that is unknown, or not in order.
    function propose(uint256 seed) external remembered {
        seed = _mixed(seed);
        uint256 count = 0;
        uint256 totalCost = 0;
        uint16[] memory winners = new uint16[](INITIATIVES);
        for (uint16 id = 1; id <= INITIATIVES; ++id) {
            if (seed >> id & 1 == 0) continue;
            winners[count++] = id;
            totalCost += _cost(id);
        }
        assembly ("memory-safe") {
            mstore(winners, count)
        }
        uint256 fault = (seed >> 64) % 16;
        bool wellFormed = fault > 1 || count < 2;
        if (!wellFormed) winners[count - 1] = fault == 0 ? INITIATIVES + 1 : winners[0];
        address caller = _caller(clerk, seed);
        bool expected = !store.paused() && store.phase() == IBudgetRound.Phase.Tallying && store.mayAct(CLERK, caller)
            && wellFormed && totalCost <= store.minted();
        vm.prank(caller);
        (bool success,) = address(round).call(abi.encodeCall(round.proposeSettlement, (winners, bytes32(seed))));
        store.expect("SET-9", expected, success);
        if (!success) return;
        store.setProposal(caller, address(0), uint64(block.timestamp));
        store.setResult(winners, bytes32(seed));
    }

    function approve(uint256 seed) external remembered {
        seed = _mixed(seed);
        address caller = _caller(controller, seed);
        bool same = (seed >> 64) % 8 != 0;
        bytes32 digest = same ? store.digest() : ~store.digest();
        bool expected = !store.paused() && store.phase() == IBudgetRound.Phase.Objection
            && store.mayAct(CONTROLLER, caller) && store.approver() == address(0) && same && caller != store.proposer()
            && store.mayAct(CLERK, store.proposer());
        bytes memory data = abi.encodeCall(round.approveSettlement, (store.winners(), digest));
        vm.prank(caller);
        (bool success,) = address(round).call(data);
        store.expect("ACC-3", expected, success);
        if (success) store.setProposal(store.proposer(), caller, store.proposedAt());
    }

    function finalize(uint256 seed) external remembered {
        address caller = actors()[_mixed(seed) % 7];
        bool expected = !store.paused() && store.phase() == IBudgetRound.Phase.Objection
            && store.approver() != address(0) && block.timestamp >= store.proposedAt() + OBJECTION_PERIOD;
        vm.prank(caller);
        (bool success,) = address(round).call(abi.encodeCall(round.finalizeSettlement, ()));
        store.expect("ACC-4", expected, success);
    }

    // ---------------------------------------------------------------------------------------------
    // Payments, and what gives money back
    // ---------------------------------------------------------------------------------------------

    function pay(uint256 seed, uint256 amount) external remembered {
        seed = _mixed(seed);
        uint16 id = uint16(seed % (INITIATIVES + 2));
        // Often all that is left, or a kopeck more.
        amount = (seed >> 128) % 3 == 0 ? store.leftOf(id) + (seed >> 136) % 2 : bound(amount, 0, 120_000_00);
        address caller = _caller(treasurer, seed);
        bytes32 order = bytes32(seed >> 8 & 0xf);
        bool expected = !store.paused() && store.phase() == IBudgetRound.Phase.Settled
            && store.mayAct(TREASURER, caller) && store.won(id) && amount != 0 && amount <= store.leftOf(id)
            && !store.paymentRecorded(id, order);
        vm.prank(caller);
        (bool success,) = address(round).call(abi.encodeCall(round.recordPayment, (id, amount, order, bytes32(seed))));
        store.expect("SET-10", expected, success);
        if (success) store.addPaid(id, amount, order);
    }

    function withdraw(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (seed % 6 != 0) return;
        address caller = _caller((seed >> 8) % 2 == 0 ? clerk : controller, seed);
        bool expected = store.phase() == IBudgetRound.Phase.Objection
            && (store.mayAct(CLERK, caller) || store.mayAct(CONTROLLER, caller));
        vm.prank(caller);
        (bool success,) = address(round).call(abi.encodeCall(round.withdrawSettlement, ()));
        store.expect("ACC-7", expected, success);
        if (success) _forgetProposal();
    }

    function cancel(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (seed % 16 != 0) return;
        address caller = _caller(clerk, seed);
        bool expected = store.phase() <= IBudgetRound.Phase.Objection && store.mayAct(CLERK, caller);
        vm.prank(caller);
        (bool success,) = address(round).call(abi.encodeCall(round.cancel, ()));
        store.expect("ACC-7", expected, success);
        if (success) _forgetProposal();
    }

    function _forgetProposal() private {
        store.setProposal(address(0), address(0), 0);
        store.setResult(new uint16[](0), 0);
    }

    function returnRemainder(uint256 seed) external remembered {
        seed = _mixed(seed);
        _returnRemainder(uint16(seed % (INITIATIVES + 2)), _caller(treasurer, seed));
    }

    function _returnRemainder(uint16 id, address caller) private {
        bool expected =
            store.phase() == IBudgetRound.Phase.Settled && store.mayAct(TREASURER, caller) && store.leftOf(id) != 0;
        vm.prank(caller);
        (bool success,) = address(round).call(abi.encodeCall(round.returnRemainder, (id)));
        store.expect("ACC-7", expected, success);
        if (success) store.setRemainderReturned(id);
    }

    function _close(address caller) private {
        uint256 left = 0;
        for (uint256 id = 1; id <= INITIATIVES; ++id) {
            left += store.leftOf(id);
        }
        bool expected = store.phase() == IBudgetRound.Phase.Settled && store.mayAct(TREASURER, caller) && left == 0;
        vm.prank(caller);
        (bool success,) = address(round).call(abi.encodeCall(round.close, ()));
        store.expect("ACC-7", expected, success);
    }

    // ---------------------------------------------------------------------------------------------
    // Execution
    // ---------------------------------------------------------------------------------------------

    function schedule(uint256 seed) external remembered {
        seed = _mixed(seed);
        uint16 id = uint16(1 + seed % INITIATIVES);
        address caller = _caller(clerk, seed);
        uint64[4] memory deadlines;
        uint64 time = uint64(block.timestamp);
        for (uint256 i = 0; i < 4; ++i) {
            time += uint64((seed >> (32 * (i + 1))) % 5 days);
            deadlines[i] = time;
        }
        if ((seed >> 200) % 8 == 0) deadlines[3] = deadlines[2] - 1;
        vm.prank(caller);
        try milestones.schedule(address(round), id, deadlines) {
            _acted(CLERK, caller);
            store.expect("EXE-1", false, store.execution(id).scheduled || store.execution(id).abandoned);
            store.schedule(id, deadlines);
        } catch {}
    }

    function postpone(uint256 seed) external remembered {
        seed = _mixed(seed);
        uint16 id = uint16(1 + seed % INITIATIVES);
        uint256 stage = (seed >> 8) % 4;
        address caller = _caller(clerk, seed);
        uint64 deadline = store.execution(id).deadlines[stage] + uint64((seed >> 16) % 3 days);
        vm.prank(caller);
        try milestones.postpone(address(round), id, IMilestones.Stage(stage), deadline, bytes32(seed)) {
            _acted(CLERK, caller);
            store.expect("EXE-3", false, stage < store.execution(id).reached);
            store.postpone(id, stage, deadline);
        } catch {}
    }

    function reach(uint256 seed) external remembered {
        seed = _mixed(seed);
        uint16 id = uint16(1 + seed % INITIATIVES);
        uint8 next = store.execution(id).reached;
        uint8 stage = (seed >> 8) % 8 == 0 ? uint8((seed >> 16) % 4) : (next < 4 ? next : 3);
        uint8 role = stage == 2 ? CONTROLLER : CLERK;
        address caller = _caller(_usual(role), seed);
        vm.prank(caller);
        try milestones.reach(address(round), id, IMilestones.Stage(stage), bytes32(seed)) {
            _acted(role, caller);
            store.expect("EXE-3", true, stage == next);
            store.reach(id, keccak256(abi.encode(milestones.milestones(address(round), id)[stage])));
        } catch {}
    }

    function abandon(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (seed % 3 != 0) return;
        uint16 id = uint16(1 + (seed >> 8) % INITIATIVES);
        address caller = _caller(clerk, seed);
        RoundStore.ExecutionModel memory model = store.execution(id);
        bool expected = store.mayAct(CLERK, caller) && store.won(id) && !model.abandoned && model.reached < 4
            && store.leftOf(id) == 0;
        vm.prank(caller);
        (bool success,) =
            address(milestones).call(abi.encodeCall(milestones.abandon, (address(round), id, keccak256("reason"))));
        store.expect("ACC-7", expected, success);
        if (success) store.abandon(id);
    }

    /// @dev The only events of the contracts while actions are paused: steps back, returns, and the operator's own.
    function _checkPaused(Vm.Log memory log, IBudgetRound.Phase before) internal {
        bytes32 topic = log.topics[0];
        bool allowed = log.emitter == address(municipalities);
        if (log.emitter == address(token)) {
            allowed = topic != IBudgetToken.MintProposed.selector && topic != IBudgetToken.BudgetMinted.selector
                && topic != IBudgetToken.PaymentBurned.selector;
        }
        if (log.emitter == address(milestones)) allowed = topic == IMilestones.ExecutionAbandoned.selector;
        if (log.emitter == address(round)) {
            allowed = topic == IBudgetRound.SettlementWithdrawn.selector;
            if (topic == IBudgetRound.PhaseChanged.selector) {
                IBudgetRound.Phase next = IBudgetRound.Phase(uint256(log.topics[1]));
                allowed = next == IBudgetRound.Phase.Cancelled || next == IBudgetRound.Phase.Closed
                    || (next == IBudgetRound.Phase.Tallying && before == IBudgetRound.Phase.Objection);
            }
        }
        store.expect("ACC-6", true, allowed);
    }
}
