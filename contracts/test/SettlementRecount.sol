// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../src/interfaces/IBudgetRound.sol";
import {Vm} from "./Vm.sol";

/// @title What the contracts do not reckon of a settlement, from nothing but what a round shows
/// @notice Support, the greedy rule and the inputs of the transcript as docs/settlement.md describes them, written down
/// plainly and independently of crates/domain, for tests only.
contract SettlementRecount {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    // ---------------------------------------------------------------------------------------------
    // Support and the greedy rule
    // ---------------------------------------------------------------------------------------------

    /// @notice Of each initiative: the weights of its approvals, or weight times points.
    function support(IBudgetRound round, address[] calldata accounts) external view returns (uint256[] memory sums) {
        sums = new uint256[](round.initiativeCount());
        for (uint256 i = 0; i < accounts.length; ++i) {
            IBudgetRound.Citizen memory citizen = round.citizen(accounts[i]);
            if (citizen.initiatives.length == 0) continue;
            uint256 weight = round.classInfo(citizen.class).weight;
            for (uint256 j = 0; j < citizen.initiatives.length; ++j) {
                sums[citizen.initiatives[j] - 1] += citizen.points.length == 0 ? weight : weight * citizen.points[j];
            }
        }
    }

    /// @notice Whether an initiative can win at all.
    function isEligible(IBudgetRound round, uint256 itsSupport, uint16 id) public view returns (bool) {
        if (itsSupport == 0 || itsSupport < round.config().threshold) return false;
        return round.initiative(id).cost <= round.budget();
    }

    /// @notice All winners in their order, of which equal shares bought the first.
    function order(IBudgetRound round, uint256[] calldata sums, uint16[] calldata bought)
        external
        view
        returns (uint16[] memory winners)
    {
        uint256[] memory costs = new uint256[](sums.length);
        bool[] memory done = new bool[](sums.length);
        for (uint256 i = 0; i < sums.length; ++i) {
            costs[i] = round.initiative(uint16(i + 1)).cost;
            done[i] = !isEligible(round, sums[i], uint16(i + 1));
        }
        uint256 left = round.budget();
        winners = new uint16[](sums.length);
        uint256 count = 0;
        for (; count < bought.length; ++count) {
            winners[count] = bought[count];
            done[bought[count] - 1] = true;
            left -= costs[bought[count] - 1];
        }
        IBudgetRound.RoundConfig memory config = round.config();
        bool fills = config.rule == IBudgetRound.Rule.Greedy || config.completionFill;
        while (fills) {
            uint256 best = _best(sums, costs, done);
            if (best == sums.length) break;
            done[best] = true;
            if (costs[best] > left) continue;
            left -= costs[best];
            winners[count++] = uint16(best + 1);
        }
        // The array was allocated longer than it turned out to be.
        assembly ("memory-safe") {
            mstore(winners, count)
        }
    }

    /// @dev Higher support, then lower cost, then lower id; the length of the list if nothing is left.
    function _best(uint256[] calldata sums, uint256[] memory costs, bool[] memory done)
        private
        pure
        returns (uint256 best)
    {
        best = sums.length;
        for (uint256 i = 0; i < sums.length; ++i) {
            if (done[i]) continue;
            if (best == sums.length || sums[i] > sums[best] || (sums[i] == sums[best] && costs[i] < costs[best])) {
                best = i;
            }
        }
    }

    // ---------------------------------------------------------------------------------------------
    // The transcript
    // ---------------------------------------------------------------------------------------------

    /// @notice The lines of the transcript above the result.
    function inputs(IBudgetRound round, address[] calldata accounts) external view returns (bytes memory text) {
        text = this.rules(round);
        uint256 count = round.initiativeCount();
        text = abi.encodePacked(text, "initiatives ", vm.toString(count), "\n");
        for (uint256 id = 1; id <= count; ++id) {
            text = abi.encodePacked(text, this.initiative(round, uint16(id)));
        }
        text = abi.encodePacked(text, this.ballots(round, accounts));
    }

    function rules(IBudgetRound round) external view returns (bytes memory text) {
        IBudgetRound.RoundConfig memory config = round.config();
        string memory completion = config.completionRaise ? (config.completionFill ? "raise fill" : "raise") : "fill";
        if (!config.completionRaise && !config.completionFill) completion = "none";
        text = abi.encodePacked(
            "kopilka settlement 1\nkind ",
            config.ballotKind == IBudgetRound.BallotKind.Approval ? "approval" : "cumulative",
            config.rule == IBudgetRound.Rule.Greedy ? "\nrule greedy" : "\nrule equal-shares",
            "\ncompletion ",
            completion
        );
        text = abi.encodePacked(text, "\nthreshold ", vm.toString(config.threshold));
        text = abi.encodePacked(text, "\nshare-points ", vm.toString(config.sharePoints));
        text = abi.encodePacked(text, "\nbudget ", vm.toString(round.budget()), "\n");
    }

    function initiative(IBudgetRound round, uint16 id) external view returns (bytes memory) {
        return abi.encodePacked(vm.toString(id), " ", vm.toString(round.initiative(id).cost), "\n");
    }

    /// @notice One line for each account that has something in its last allocation, by ascending accounts.
    function ballots(IBudgetRound round, address[] calldata accounts) external view returns (bytes memory text) {
        uint256 count = 0;
        address previous = address(0);
        for (uint256 i = 0; i < accounts.length; ++i) {
            previous = _next(accounts, previous);
            bytes memory line = this.ballot(round, previous);
            if (line.length == 0) continue;
            text = abi.encodePacked(text, line);
            ++count;
        }
        return abi.encodePacked("ballots ", vm.toString(count), "\n", text);
    }

    function _next(address[] calldata accounts, address previous) private pure returns (address next) {
        next = address(type(uint160).max);
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] > previous && accounts[i] < next) next = accounts[i];
        }
    }

    function ballot(IBudgetRound round, address account) external view returns (bytes memory line) {
        IBudgetRound.Citizen memory citizen = round.citizen(account);
        if (citizen.initiatives.length == 0) return "";
        line = abi.encodePacked(_hex(account), " ", vm.toString(round.classInfo(citizen.class).weight));
        for (uint256 i = 0; i < citizen.initiatives.length; ++i) {
            line = abi.encodePacked(line, " ", vm.toString(citizen.initiatives[i]));
            if (citizen.points.length != 0) line = abi.encodePacked(line, ":", vm.toString(citizen.points[i]));
        }
        line = abi.encodePacked(line, "\n");
    }

    function _hex(address account) private pure returns (bytes memory text) {
        text = new bytes(42);
        (text[0], text[1]) = ("0", "x");
        for (uint256 i = 0; i < 40; ++i) {
            text[2 + i] = bytes("0123456789abcdef")[uint160(account) >> (4 * (39 - i)) & 15];
        }
    }
}
