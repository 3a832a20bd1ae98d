// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title What a round says of itself
contract BudgetRoundViewsTest is RoundFixture {
    bytes32 private constant DIGEST = keccak256("transcript");

    // ---------------------------------------------------------------------------------------------
    // Configuration and phase
    // ---------------------------------------------------------------------------------------------

    /// @dev Every field different from the default and from its neighbours.
    function _unusual() private view returns (IBudgetRound.RoundConfig memory) {
        return IBudgetRound.RoundConfig({
            municipalityId: municipalityId,
            ballotKind: IBudgetRound.BallotKind.Approval,
            allotment: IBudgetRound.Allotment.Fixed,
            rule: IBudgetRound.Rule.EqualShares,
            completionRaise: false,
            completionFill: true,
            sharePoints: 0,
            threshold: 17,
            fixedAmount: 1_234_56,
            registrationUntil: REGISTRATION_UNTIL + 1,
            pledgingUntil: PLEDGING_UNTIL + 2,
            objectionPeriod: 77,
            contentHash: keccak256("unusual")
        });
    }

    function test_ConfigIsWhatTheRoundWasCreatedWith() public {
        _create(_unusual());
        assertEq(abi.encode(round.config()), abi.encode(_unusual()), "every field");
        IBudgetRound.RoundConfig memory greedy = _cumulative();
        greedy.rule = IBudgetRound.Rule.Greedy;
        (greedy.completionRaise, greedy.completionFill, greedy.sharePoints) = (false, false, 10_000);
        _createWith(greedy, 1, 1);
        assertEq(abi.encode(round.config()), abi.encode(greedy), "every field");
        vm.prank(clerk);
        round.cancel();
        assertEq(abi.encode(round.config()), abi.encode(greedy), "to the end");
    }

    function _assertPhase(IBudgetRound.Phase phase) private view {
        assertTrue(round.phase() == phase, "phase");
    }

    function test_PhaseFromDraftToClosed() public {
        _createWith(_cumulative(), 1, 2);
        _assertPhase(IBudgetRound.Phase.Draft);
        _mint(APPROPRIATION);
        _openRegistration();
        _assertPhase(IBudgetRound.Phase.Registration);
        vm.warp(REGISTRATION_UNTIL + 1);
        _assertPhase(IBudgetRound.Phase.Registration);
        _openPledging();
        _assertPhase(IBudgetRound.Phase.Pledging);
        vm.warp(PLEDGING_UNTIL + 1);
        _assertPhase(IBudgetRound.Phase.Pledging);
        _closePledging();
        _assertPhase(IBudgetRound.Phase.Tallying);
        _propose(_list(1));
        _assertPhase(IBudgetRound.Phase.Objection);
        _approve(_list(1));
        vm.warp(block.timestamp + OBJECTION_PERIOD + 1);
        _assertPhase(IBudgetRound.Phase.Objection);
        round.finalizeSettlement();
        _assertPhase(IBudgetRound.Phase.Settled);
        vm.prank(treasurer);
        round.returnRemainder(1);
        _assertPhase(IBudgetRound.Phase.Settled);
        vm.prank(treasurer);
        round.close();
        _assertPhase(IBudgetRound.Phase.Closed);
    }

    function test_PhaseOnceCancelled() public {
        _create(_cumulative());
        vm.prank(clerk);
        round.cancel();
        _assertPhase(IBudgetRound.Phase.Cancelled);
    }

    // ---------------------------------------------------------------------------------------------
    // Settlement
    // ---------------------------------------------------------------------------------------------

    function _assertSettlement(IBudgetRound.Settlement memory expected, string memory when) private view {
        assertEq(abi.encode(round.settlement()), abi.encode(expected), when);
    }

    function test_Settlement() public {
        IBudgetRound.Settlement memory none;
        _pledgingWith(_cumulative(), 1, 3);
        _assertSettlement(none, "nothing is proposed");
        _closePledging();
        _assertSettlement(none, "nothing is proposed");
        IBudgetRound.Settlement memory expected = IBudgetRound.Settlement({
            winners: _list(1, 3),
            transcriptDigest: DIGEST,
            totalCost: 220_000_00,
            proposedAt: uint64(block.timestamp),
            proposer: clerk,
            approver: address(0)
        });
        _propose(_list(1, 3));
        _assertSettlement(expected, "proposed");
        uint256 snapshot = vm.snapshotState();
        vm.prank(controller);
        round.withdrawSettlement();
        _assertSettlement(none, "withdrawn");
        vm.revertToState(snapshot);
        vm.prank(clerk);
        round.cancel();
        _assertSettlement(none, "called off");
        vm.revertToState(snapshot);
        vm.warp(block.timestamp + OBJECTION_PERIOD);
        _approve(_list(1, 3));
        expected.approver = controller;
        _assertSettlement(expected, "approved");
        round.finalizeSettlement();
        _assertSettlement(expected, "final");
        vm.prank(treasurer);
        round.returnRemainder(1);
        vm.prank(treasurer);
        round.returnRemainder(3);
        vm.prank(treasurer);
        round.close();
        _assertSettlement(expected, "to the end");
    }

    // ---------------------------------------------------------------------------------------------
    // Citizens
    // ---------------------------------------------------------------------------------------------

    function _assertCitizen(uint256 index, IBudgetRound.Citizen memory expected, string memory when) private view {
        assertEq(abi.encode(round.citizen(_citizen(index))), abi.encode(expected), when);
    }

    function test_Citizen() public {
        _createWith(_cumulative(), 2, 3);
        _mint(APPROPRIATION);
        _openRegistration();
        IBudgetRound.Citizen memory expected;
        _assertCitizen(0, expected, "not registered");
        _register(1, 0, 1);
        expected.registered = true;
        expected.class = 1;
        _assertCitizen(0, expected, "registered");
        _openPledging();
        _allocate(0, 7, _list(1, 3), _list(40, 60));
        (expected.version, expected.initiatives, expected.points) = (7, _list(1, 3), _list(40, 60));
        _assertCitizen(0, expected, "cumulative: initiatives and points");
        _allocate(0, 8, _list(), _list());
        (expected.version, expected.initiatives, expected.points) = (8, _list(), _list());
        _assertCitizen(0, expected, "taken back");
        IBudgetRound.Citizen memory nobody;
        _assertCitizen(1, nobody, "somebody else is not registered");
    }

    function test_CitizenOnApprovalBallots() public {
        _pledgingWith(_approval(), 1, 3);
        _allocate(0, 1, _list(2, 3), _list());
        IBudgetRound.Citizen memory expected =
            IBudgetRound.Citizen({registered: true, class: 0, version: 1, initiatives: _list(2, 3), points: _list()});
        _assertCitizen(0, expected, "approval: initiatives alone");
        _closePledging();
        _settle(_list(1));
        _assertCitizen(0, expected, "to the end");
    }

    /// @notice 1 000 kopecks for weights 1, 2, 2: a fifth each for weight 1, before pledging nothing is known.
    function test_AllotmentOfEqualShares() public {
        _createWith(_cumulative(), 2, 1);
        _mint(1_001);
        _openRegistration();
        _register(0, 0, 1);
        _register(1, 1, 2);
        assertEq(round.allotmentOf(_citizen(0)), 0, "not known yet");
        _openPledging();
        assertEq(round.allotmentOf(_citizen(0)), 200, "weight 1, rounded down");
        assertEq(round.allotmentOf(_citizen(1)), 400, "weight 2, rounded down once");
        assertEq(round.allotmentOf(_citizen(2)), 400, "weight 2");
        assertEq(round.allotmentOf(_citizen(3)), 0, "not registered");
        vm.prank(clerk);
        round.cancel();
        assertEq(round.allotmentOf(_citizen(1)), 400, "still known once cancelled");
    }

    function test_AllotmentOfFixedShares() public {
        _createWith(_unusual(), 2, 1);
        _mint(APPROPRIATION);
        _openRegistration();
        _register(1, 0, 1);
        assertEq(round.allotmentOf(_citizen(0)), 2 * 1_234_56, "known from registration on");
        assertEq(round.unspentOf(_citizen(0)), 2 * 1_234_56, "and unspent");
        assertEq(round.allotmentOf(_citizen(1)), 0, "not registered");
    }

    // ---------------------------------------------------------------------------------------------
    // What is signed
    // ---------------------------------------------------------------------------------------------

    /// @notice The view writes the message for any class: that a class is unknown is said when somebody registers.
    function test_CredentialMessage() public {
        _create(_cumulative());
        _create(_cumulative());
        uint8[3] memory classes = [uint8(0), 1, 255];
        for (uint256 i = 0; i < classes.length; ++i) {
            bytes memory message = round.credentialMessage(classes[i], stranger);
            assertEq(
                message,
                abi.encodePacked(block.chainid, address(round), uint256(2), classes[i], stranger),
                "chain, contract, round, class, account"
            );
            assertEq(message.length, 105, "length");
        }
        uint256 chain = block.chainid + 6;
        vm.chainId(chain);
        assertEq(
            round.credentialMessage(3, clerk),
            abi.encodePacked(chain, address(round), uint256(2), uint8(3), clerk),
            "of this chain"
        );
    }

    /// @notice ERC-5267: every round says its own domain, though all run the code of one implementation.
    function test_Domain() public {
        for (uint256 i = 0; i < 2; ++i) {
            _create(_cumulative());
            (
                bytes1 fields,
                string memory name,
                string memory version,
                uint256 chainId,
                address verifier,
                bytes32 salt,
                uint256[] memory extensions
            ) = round.eip712Domain();
            assertEq(uint8(fields), 0x0f, "name, version, chain and contract");
            assertEq(name, "Kopilka", "name");
            assertEq(version, "1", "version");
            assertEq(chainId, block.chainid, "chain");
            assertEq(verifier, address(round), "this round");
            assertEq(salt, bytes32(0), "no salt");
            assertEq(extensions.length, 0, "no extensions");
        }
    }
}
