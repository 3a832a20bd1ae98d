// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {InitiativeWallet} from "../../src/budget/InitiativeWallet.sol";
import {IssuerKey} from "../../src/credential/IssuerKey.sol";
import {Symbolic} from "./Symbolic.sol";

/// @title Packing of issuer keys and addresses of wallets
contract IssuerKeyCheck is Symbolic {
    function pack(bytes calldata key) external pure returns (uint256[6] memory) {
        return IssuerKey.pack(key);
    }

    /// @notice Every key whose padding is zero is unpacked to what was packed.
    function check_KeyRepacks(uint128[4] memory high, uint256[4] memory low) public view {
        bytes memory key = abi.encode(high[0], low[0], high[1], low[1], high[2], low[2], high[3], low[3]);
        bytes memory back = IssuerKey.unpack(this.pack(key));
        assert(back.length == 256);
        for (uint256 i = 0; i < 8; ++i) {
            bytes32 was;
            bytes32 becomes;
            assembly ("memory-safe") {
                was := mload(add(add(key, 32), shl(5, i)))
                becomes := mload(add(add(back, 32), shl(5, i)))
            }
            assert(was == becomes);
        }
    }

    /// @notice Two keys that differ are packed differently.
    function check_PackingLosesNothing(uint256[6] memory packed, uint256[6] memory other) public pure {
        vm.assume(keccak256(abi.encode(packed)) != keccak256(abi.encode(other)));
        assert(keccak256(IssuerKey.unpack(packed)) != keccak256(IssuerKey.unpack(other)));
    }

    /// @notice Should the chain change its id, the money does not change its address.
    function check_WalletDoesNotDependOnTheChain(address round, uint256 initiativeId, uint64 chain) public {
        address before = InitiativeWallet.addressOf(round, initiativeId);
        vm.chainId(chain);
        assert(InitiativeWallet.addressOf(round, initiativeId) == before);
    }
}
