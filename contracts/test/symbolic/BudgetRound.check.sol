// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {BudgetRound} from "../../src/budget/BudgetRound.sol";
import {BudgetToken} from "../../src/budget/BudgetToken.sol";
import {InitiativeWallet} from "../../src/budget/InitiativeWallet.sol";
import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {Money} from "./Money.sol";

/// @title Phases, settlement and payments of a round, whatever amounts, winners, moments and callers
/// @dev This contract stands in for the factory. halmos has no precompiles of EIP-2537, so issuer keys are accepted here
/// without a look: credentials are no part of these checks.
contract BudgetRoundCheck is Money {
    uint64 private constant REGISTRATION_UNTIL = 1_000_000;
    uint64 private constant PLEDGING_UNTIL = 2_000_000;
    uint64 private constant PROPOSED_AT = 2_500_000;
    uint32 private constant OBJECTION_PERIOD = 300_000;
    uint128 private constant BUDGET = 1_000_000_00;

    BudgetRound private implementation;
    BudgetRound private round;
    BudgetToken private token;

    /// @dev As the factory does.
    function claimIssuerKey(bytes32) external {}

    function setUp() public {
        _people();
        // Returns 256 bytes, the first word of which is one.
        vm.etch(address(0x0e), hex"60016000526101006000f3");
        implementation = new BudgetRound();
        round = BudgetRound(Clones.clone(address(implementation)));
        token = BudgetToken(Clones.clone(address(new BudgetToken())));
        token.initialize(address(round), 1, address(municipalities), 1, _appropriation(BUDGET), "n", "S");
        round.initialize(1, address(municipalities), address(token), _config());
        vm.prank(CLERK);
        round.addClass(1, new bytes(256));
    }

    function _config() private pure returns (IBudgetRound.RoundConfig memory) {
        return IBudgetRound.RoundConfig({
            municipalityId: 1,
            ballotKind: IBudgetRound.BallotKind.Cumulative,
            allotment: IBudgetRound.Allotment.Equal,
            rule: IBudgetRound.Rule.EqualShares,
            completionRaise: true,
            completionFill: true,
            sharePoints: 100,
            threshold: 0,
            fixedAmount: 0,
            registrationUntil: REGISTRATION_UNTIL,
            pledgingUntil: PLEDGING_UNTIL,
            objectionPeriod: OBJECTION_PERIOD,
            contentHash: bytes32(uint256(1))
        });
    }

    function _asClerk(bytes memory data) private returns (bool) {
        return _try(CLERK, address(round), data);
    }

    /// @dev In Registration, the budget minted.
    function _registration(uint128 cost, uint128 otherCost) private {
        vm.assume(_asClerk(abi.encodeCall(round.addInitiative, (cost, bytes32(0)))));
        vm.assume(_asClerk(abi.encodeCall(round.addInitiative, (otherCost, bytes32(0)))));
        assert(_asClerk(abi.encodeCall(round.openRegistration, ())));
        assert(_try(TREASURER, address(token), abi.encodeCall(token.proposeMint, (BUDGET, bytes32(0)))));
        assert(_try(CONTROLLER, address(token), abi.encodeCall(token.approveMint, (1, BUDGET, bytes32(0)))));
    }

    function _pledging(uint128 cost, uint128 otherCost) private {
        _registration(cost, otherCost);
        vm.warp(REGISTRATION_UNTIL);
        assert(_asClerk(abi.encodeCall(round.openPledging, ())));
    }

    function _tallying(uint128 cost, uint128 otherCost) private {
        _pledging(cost, otherCost);
        vm.warp(PLEDGING_UNTIL);
        assert(_asClerk(abi.encodeCall(round.closePledging, ())));
    }

    function _one(uint16 id) private pure returns (uint16[] memory winners) {
        winners = new uint16[](1);
        winners[0] = id;
    }

    /// @dev In Objection, initiative 1 proposed.
    function _objection(uint128 cost, uint128 otherCost) private {
        _tallying(cost, otherCost);
        vm.warp(PROPOSED_AT);
        vm.assume(_asClerk(abi.encodeCall(round.proposeSettlement, (_one(1), bytes32(uint256(2))))));
    }

    function _approve(address caller) private returns (bool) {
        return _try(caller, address(round), abi.encodeCall(round.approveSettlement, (_one(1), bytes32(uint256(2)))));
    }

    /// @dev In Settled, initiative 1 has won.
    function _settled(uint128 cost) private {
        _objection(cost, 1);
        assert(_approve(CONTROLLER));
        vm.warp(PROPOSED_AT + OBJECTION_PERIOD);
        round.finalizeSettlement();
    }

    function _inWallet(uint256 id) private view returns (uint256) {
        return token.balanceOf(InitiativeWallet.addressOf(address(round), id));
    }

    // ---------------------------------------------------------------------------------------------
    // Creation
    // ---------------------------------------------------------------------------------------------

    function check_ConfigIsConsistent(
        uint8 ballotKind,
        uint8 allotment,
        uint16 sharePoints,
        uint128 fixedAmount,
        uint64 registrationUntil,
        uint64 pledgingUntil
    ) public {
        vm.assume(ballotKind <= 1 && allotment <= 1);
        IBudgetRound.RoundConfig memory config = _config();
        config.ballotKind = IBudgetRound.BallotKind(ballotKind);
        config.allotment = IBudgetRound.Allotment(allotment);
        config.sharePoints = sharePoints;
        config.fixedAmount = fixedAmount;
        config.registrationUntil = registrationUntil;
        config.pledgingUntil = pledgingUntil;
        BudgetRound fresh = BudgetRound(Clones.clone(address(implementation)));
        bytes memory data = abi.encodeCall(fresh.initialize, (2, address(municipalities), address(token), config));
        bool done = _try(address(this), address(fresh), data);
        bool points = ballotKind == 0 ? sharePoints >= 1 && sharePoints <= 10_000 : sharePoints == 0;
        bool amount = allotment == 0 ? fixedAmount != 0 : fixedAmount == 0;
        bool times = registrationUntil <= pledgingUntil && pledgingUntil - registrationUntil <= 366 days;
        assert(done == (points && amount && times));
        if (done) assert(!_try(address(this), address(fresh), data));
    }

    // ---------------------------------------------------------------------------------------------
    // Phases
    // ---------------------------------------------------------------------------------------------

    function check_OnlyTheClerkOpensRegistration(address caller, uint128 cost) public {
        vm.assume(_asClerk(abi.encodeCall(round.addInitiative, (cost, bytes32(0)))));
        bool done = _try(caller, address(round), abi.encodeCall(round.openRegistration, ()));
        assert(done == (caller == CLERK));
        assert((round.phase() == IBudgetRound.Phase.Registration) == done);
    }

    /// @notice Moments have 64 bits: the last of them are too late for any end.
    function check_PledgingOpensInTime(address caller, uint64 moment) public {
        _registration(1, 1);
        vm.assume(moment < ACCESS_UNTIL - (PLEDGING_UNTIL - REGISTRATION_UNTIL));
        vm.warp(moment);
        bool done = _try(caller, address(round), abi.encodeCall(round.openPledging, ()));
        assert(done == (caller == CLERK && moment >= REGISTRATION_UNTIL));
        assert((round.phase() == IBudgetRound.Phase.Pledging) == done);
        assert(token.balanceOf(address(round)) == (done ? BUDGET : 0));
    }

    /// @notice As long after its opening as planned, whenever that was; a day later by anybody.
    function check_PledgingClosesInTime(address caller, uint64 opened, uint64 moment) public {
        _registration(1, 1);
        vm.assume(opened >= REGISTRATION_UNTIL && opened <= moment && moment < ACCESS_UNTIL);
        vm.assume(opened < ACCESS_UNTIL - (PLEDGING_UNTIL - REGISTRATION_UNTIL));
        vm.warp(opened);
        assert(_asClerk(abi.encodeCall(round.openPledging, ())));
        uint256 closesAt = uint256(opened) + PLEDGING_UNTIL - REGISTRATION_UNTIL;
        assert(round.pledgingClosesAt() == closesAt);
        vm.warp(moment);
        bool done = _try(caller, address(round), abi.encodeCall(round.closePledging, ()));
        assert(done == (moment >= closesAt + (caller == CLERK ? 0 : 1 days)));
        assert((round.phase() == IBudgetRound.Phase.Tallying) == done);
    }

    /// @notice While citizens pledge, nothing but closing and calling off changes the phase.
    function check_NoShortcutOutOfPledging(address caller, uint64 moment) public {
        _pledging(1, 1);
        vm.warp(moment);
        address target = address(round);
        assert(!_try(caller, target, abi.encodeCall(round.openRegistration, ())));
        assert(!_try(caller, target, abi.encodeCall(round.openPledging, ())));
        assert(!_try(caller, target, abi.encodeCall(round.proposeSettlement, (_one(1), bytes32(0)))));
        assert(!_try(caller, target, abi.encodeCall(round.approveSettlement, (_one(1), bytes32(0)))));
        assert(!_try(caller, target, abi.encodeCall(round.withdrawSettlement, ())));
        assert(!_try(caller, target, abi.encodeCall(round.finalizeSettlement, ())));
        assert(!_try(caller, target, abi.encodeCall(round.recordPayment, (1, 1, bytes32(0), bytes32(0)))));
        assert(!_try(caller, target, abi.encodeCall(round.close, ())));
        assert(round.phase() == IBudgetRound.Phase.Pledging);
    }

    function check_IssuedNeverFalls(address caller, uint32 issued, uint32 later) public {
        _registration(1, 1);
        bool first = _try(caller, address(round), abi.encodeCall(round.publishIssued, (0, issued)));
        assert(first == (caller == ISSUER));
        bool second = _try(ISSUER, address(round), abi.encodeCall(round.publishIssued, (0, later)));
        assert(second == (!first || later >= issued));
        assert(round.classInfo(0).issued == (second ? later : issued));
    }

    // ---------------------------------------------------------------------------------------------
    // Settlement
    // ---------------------------------------------------------------------------------------------

    /// @notice Winners are initiatives of this round, each named once, and cost no more than the budget.
    function check_WinnersWithinTheBudget(uint128 cost, uint128 otherCost, uint16 first, uint16 second) public {
        _tallying(cost, otherCost);
        uint16[] memory winners = new uint16[](2);
        (winners[0], winners[1]) = (first, second);
        bool done = _asClerk(abi.encodeCall(round.proposeSettlement, (winners, bytes32(0))));
        assert(done == (first == 1 && second == 2 && uint256(cost) + otherCost <= BUDGET));
        if (done) assert(round.settlement().totalCost == uint256(cost) + otherCost);
    }

    /// @notice Final only when the objection period is over, and only if a second person has approved.
    function check_FinalAfterTheWindowAndTheApproval(address caller, address approver, uint64 moment) public {
        _objection(1, 1);
        bool approved = _approve(approver);
        assert(approved == (approver == CONTROLLER));
        vm.warp(moment);
        bool done = _try(caller, address(round), abi.encodeCall(round.finalizeSettlement, ()));
        assert(done == (approved && moment >= PROPOSED_AT + OBJECTION_PERIOD));
        assert((round.phase() == IBudgetRound.Phase.Settled) == done);
    }

    function check_ProposerDoesNotApprove(uint16 winner, bytes32 digest) public {
        _grant(IMunicipalities.Role.Controller, CLERK);
        _objection(1, 1);
        assert(!_approve(CLERK));
        bool same = winner == 1 && digest == bytes32(uint256(2));
        bytes memory data = abi.encodeCall(round.approveSettlement, (_one(winner), digest));
        assert(_try(CONTROLLER, address(round), data) == same);
    }

    /// @notice A winner's wallet ends with exactly its cost, a loser's with nothing, and the rest is returned.
    function check_WinnersGetTheirCost(uint128 cost) public {
        _settled(cost);
        assert(cost <= BUDGET);
        assert(_inWallet(1) == cost);
        assert(_inWallet(2) == 0);
        assert(token.balanceOf(address(round)) == 0);
        assert(token.totalSupply() == cost);
        assert(token.returnedTotal() == BUDGET - cost);
    }

    // ---------------------------------------------------------------------------------------------
    // The end
    // ---------------------------------------------------------------------------------------------

    /// @notice Payments name a winner, stay within its wallet, and each reference is paid once.
    function check_PaymentsWithinTheWallet(uint128 cost, uint128 amount, uint128 more, bytes32 paid, bytes32 alsoPaid)
        public
    {
        _settled(cost);
        bytes memory data = abi.encodeCall(round.recordPayment, (1, amount, paid, bytes32(0)));
        vm.assume(_try(TREASURER, address(round), data));
        assert(amount != 0 && amount <= cost);
        data = abi.encodeCall(round.recordPayment, (1, more, alsoPaid, bytes32(0)));
        bool done = _try(TREASURER, address(round), data);
        assert(done == (more != 0 && more <= cost - amount && alsoPaid != paid));
        assert(token.paidTotal() == uint256(amount) + (done ? more : 0));
        assert(_inWallet(1) + token.paidTotal() == cost);
    }

    /// @dev The winner's id is fixed: halmos does not know that the hash of an unknown id that happens to be 1, which is
    /// the wallet's address, is the hash of 1.
    function check_OnlyTheTreasurerPays(address caller, uint128 amount) public {
        _settled(500);
        bytes memory data = abi.encodeCall(round.recordPayment, (1, amount, bytes32(0), bytes32(0)));
        bool done = _try(caller, address(round), data);
        assert(done == (caller == TREASURER && amount >= 1 && amount <= 500));
    }

    function check_OnlyWinnersArePaid(address caller, uint16 id, uint128 amount) public {
        vm.assume(id != 1);
        _settled(500);
        bytes memory data = abi.encodeCall(round.recordPayment, (id, amount, bytes32(0), bytes32(0)));
        assert(!_try(caller, address(round), data));
    }

    /// @notice A round is closed when every token has been paid or returned, not before.
    function check_ClosedMeansEmpty(address caller, uint128 cost, uint128 amount) public {
        _settled(cost);
        bool paid =
            _try(TREASURER, address(round), abi.encodeCall(round.recordPayment, (1, amount, bytes32(0), bytes32(0))));
        bool done = _try(caller, address(round), abi.encodeCall(round.close, ()));
        assert(done == (caller == TREASURER && paid && amount == cost));
        if (done) assert(token.totalSupply() == 0);
    }

    function check_CallingOffReturnsEverything(address caller) public {
        _pledging(1, 1);
        bool done = _try(caller, address(round), abi.encodeCall(round.cancel, ()));
        assert(done == (caller == CLERK));
        assert(token.totalSupply() == (done ? 0 : BUDGET));
        assert(token.returnedTotal() == (done ? BUDGET : 0));
        if (done) assert(!_try(caller, address(round), abi.encodeCall(round.closePledging, ())));
    }

    /// @notice An emergency stops what is new and leaves what gives money back.
    function check_PauseStopsWhatIsNew() public {
        _objection(1, 1);
        vm.prank(OPERATOR);
        municipalities.pause(bytes32(0));
        assert(!_approve(CONTROLLER));
        vm.warp(PROPOSED_AT + OBJECTION_PERIOD);
        assert(!_asClerk(abi.encodeCall(round.finalizeSettlement, ())));
        assert(_asClerk(abi.encodeCall(round.withdrawSettlement, ())));
        assert(!_asClerk(abi.encodeCall(round.proposeSettlement, (_one(1), bytes32(0)))));
        assert(_asClerk(abi.encodeCall(round.cancel, ())));
        assert(token.totalSupply() == 0);
    }
}
