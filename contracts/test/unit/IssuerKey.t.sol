// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Assertions} from "../Assertions.sol";
import {CredentialHarness} from "../mocks/CredentialHarness.sol";

contract IssuerKeyTest is Assertions {
    CredentialHarness private harness;

    function setUp() public {
        harness = new CredentialHarness();
    }

    /// @dev A key whose coordinates' bytes count up from `first`; it need not be a point.
    function _key(uint8 first) private pure returns (bytes memory key) {
        key = new bytes(256);
        for (uint256 i = 0; i < 256; ++i) {
            if (i % 64 >= 16) key[i] = bytes1(uint8((first + i) % 256));
        }
    }

    function test_Pack() public view {
        uint256[6] memory packed = harness.pack(_key(0));
        assertEq(packed[0], 0x202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f, "lower x0");
        assertEq(packed[1], 0x606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f, "lower x1");
        assertEq(packed[2], 0xa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf, "lower y0");
        assertEq(packed[3], 0xe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff, "lower y1");
        assertEq(packed[4], 0x101112131415161718191a1b1c1d1e1f505152535455565758595a5b5c5d5e5f, "upper x0, x1");
        assertEq(packed[5], 0x909192939495969798999a9b9c9d9e9fd0d1d2d3d4d5d6d7d8d9dadbdcdddedf, "upper y0, y1");
    }

    function testFuzz_Repack(uint8 first) public view {
        assertEq(harness.repack(_key(first)), _key(first), "packed and unpacked");
    }

    function testFuzz_Unpack(uint256[6] memory packed) public view {
        bytes memory key = harness.unpack(packed);
        assertEq(key.length, 256, "length");
        assertEq(keccak256(abi.encode(harness.pack(key))), keccak256(abi.encode(packed)), "unpacked and packed");
    }
}
