// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Address of an initiative's wallet
library InitiativeWallet {
    /// @notice The address that holds what was pledged to an initiative.
    /// @dev A hash, so nobody has its key and no code can ever stand there. The chain id is left out on purpose: should
    /// a chain change its id, the money must not change its address.
    function addressOf(address round, uint256 initiativeId) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("kopilka.initiative", round, initiativeId)))));
    }
}
