// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Vm} from "../Vm.sol";

/// @title What every symbolic check starts from
/// @notice halmos runs each `check_` function once, for all values of its parameters at the same time; an `assert` that
/// fails for any of them is a counterexample. What reverts is left out, so every check asserts that something succeeded.
abstract contract Symbolic {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev Whether a call of `caller` succeeds.
    function _try(address caller, address target, bytes memory data) internal returns (bool success) {
        vm.prank(caller);
        (success,) = target.call(data);
    }
}
