// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Assertions} from "../Assertions.sol";
import {PollHarness} from "../mocks/PollHarness.sol";

/// @title Sealed ballots as a browser makes them, opened by the contract's code
contract PollSealingVectorsTest is Assertions {
    string private json;

    function setUp() public {
        json = vm.readFile("contracts/test/vectors/Polls.sealing.json");
    }

    function _uint(string memory vector, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(vector, field));
    }

    function test_OpenWhatBrowsersSeal() public {
        bytes memory code = address(new PollHarness()).code;
        uint256 count = 0;
        for (; vm.keyExistsJson(json, string.concat(".vectors[", vm.toString(count), "]")); ++count) {
            string memory vector = string.concat(".vectors[", vm.toString(count), "]");
            PollHarness harness = PollHarness(vm.parseJsonAddress(json, string.concat(vector, ".polls")));
            // The contract's address is in the mask.
            vm.etch(address(harness), code);
            uint256 secret = _uint(vector, ".secret");
            assertTrue(harness.isSecretOf(secret, bytes32(_uint(vector, ".sealingKey"))), "the secret of the key");
            (bool valid, uint128 choice) = harness.unmask(
                secret,
                bytes32(_uint(vector, ".point")),
                uint128(_uint(vector, ".maskedChoice")),
                _uint(vector, ".pollId"),
                vm.parseJsonAddress(json, string.concat(vector, ".account")),
                uint32(_uint(vector, ".version"))
            );
            assertTrue(valid, "the point exists");
            assertEq(choice, _uint(vector, ".choice"), "choice");
        }
        assertEq(count, 4, "all vectors");
    }
}
