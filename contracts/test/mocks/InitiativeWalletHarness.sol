// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {InitiativeWallet} from "../../src/budget/InitiativeWallet.sol";

/// @title Addresses of wallets behind an external function
contract InitiativeWalletHarness {
    function addressOf(address round, uint256 initiativeId) external pure returns (address) {
        return InitiativeWallet.addressOf(round, initiativeId);
    }
}
