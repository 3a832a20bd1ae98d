// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Assertions} from "../Assertions.sol";
import {InitiativeWalletHarness} from "../mocks/InitiativeWalletHarness.sol";

contract InitiativeWalletTest is Assertions {
    InitiativeWalletHarness private harness;

    function setUp() public {
        harness = new InitiativeWalletHarness();
    }

    /// @dev The same, with every byte of what is hashed written down.
    function _addressOf(address round, uint256 initiativeId) private pure returns (address) {
        bytes memory hashed = bytes.concat(
            bytes32(uint256(96)),
            bytes32(uint256(uint160(round))),
            bytes32(initiativeId),
            bytes32(uint256(18)),
            bytes32("kopilka.initiative")
        );
        return address(uint160(uint256(keccak256(hashed))));
    }

    /// @notice The indexer, the explorer and everybody's audit compute these addresses for themselves.
    function test_Address() public view {
        assertEq(
            harness.addressOf(address(0xc0ffee), 7),
            0x2617dB060E6d1938BBC1FDf739a4F54A8Be7044c,
            "an address computed outside of Solidity"
        );
    }

    function testFuzz_Address(address round, uint256 initiativeId) public view {
        assertEq(harness.addressOf(round, initiativeId), _addressOf(round, initiativeId), "address");
    }

    function testFuzz_DifferentInitiativesDifferentAddresses(address round, uint16 id, uint16 otherId) public view {
        if (id == otherId) otherId = id ^ 1;
        assertTrue(harness.addressOf(round, id) != harness.addressOf(round, otherId), "initiatives of one round");
    }

    function testFuzz_DifferentRoundsDifferentAddresses(address round, address other, uint16 id) public view {
        if (round == other) other = address(uint160(round) ^ 1);
        assertTrue(harness.addressOf(round, id) != harness.addressOf(other, id), "one id in two rounds");
    }

    function test_ChainDoesNotMatter() public {
        address before = harness.addressOf(address(this), 1);
        vm.chainId(99);
        assertEq(harness.addressOf(address(this), 1), before, "another chain id");
    }
}
