// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {Assertions} from "../Assertions.sol";
import {PollHarness} from "../mocks/PollHarness.sol";
import {Vm} from "../Vm.sol";

/// @title Choices, sealing and records, against plain models of them
contract PollLibrariesTest is Assertions {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 private constant FIELD = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;

    PollHarness private harness;

    function setUp() public {
        harness = new PollHarness();
    }

    // ---------------------------------------------------------------------------------------------
    // Choices
    // ---------------------------------------------------------------------------------------------

    /// @dev Option by option.
    function _isWellFormed(uint256 choice, bool rating, uint256 optionCount, uint256 maxChoices)
        private
        pure
        returns (bool)
    {
        uint256 chosen = 0;
        for (uint256 option = 0; option < 256; ++option) {
            uint256 place = rating ? 4 * option : option;
            uint256 value = place > 255 ? 0 : choice >> place & (rating ? 15 : 1);
            if (value == 0) continue;
            if (option >= optionCount) return false;
            if (value > 5) return false;
            ++chosen;
        }
        return chosen != 0 && (rating || chosen <= maxChoices);
    }

    function testFuzz_WellFormed(uint256 choice, bool rating, uint256 optionCount, uint256 maxChoices) public view {
        optionCount = bound(optionCount, 1, 32);
        maxChoices = bound(maxChoices, 1, optionCount);
        assertTrue(
            harness.isWellFormed(choice, rating, optionCount, maxChoices)
                == _isWellFormed(choice, rating, optionCount, maxChoices),
            "any word"
        );
        // Mostly within the options.
        choice = choice >> 128 & ((1 << (rating ? 4 * optionCount : optionCount)) - 1);
        assertTrue(
            harness.isWellFormed(choice, rating, optionCount, maxChoices)
                == _isWellFormed(choice, rating, optionCount, maxChoices),
            "within the options"
        );
        // Mostly grades.
        choice &= 0x55555555555555555555555555555555;
        assertTrue(
            harness.isWellFormed(choice, rating, optionCount, maxChoices)
                == _isWellFormed(choice, rating, optionCount, maxChoices),
            "grades"
        );
    }

    function test_WellFormedGrades() public view {
        for (uint256 option = 0; option < 32; ++option) {
            for (uint256 grade = 0; grade < 16; ++grade) {
                assertTrue(
                    harness.isWellFormed(grade << 4 * option, true, 32, 0) == (grade >= 1 && grade <= 5), "one grade"
                );
                // Its neighbours do not matter.
                uint256 others = 0x55555555555555555555555555555555 & ~(15 << 4 * option);
                assertTrue(
                    harness.isWellFormed(grade << 4 * option | others, true, 32, 0) == (grade <= 5), "among fives"
                );
            }
        }
    }

    function _choice(uint256 seed, bool rating, uint256 optionCount) private pure returns (uint256 choice) {
        if (!rating) return seed & ((1 << optionCount) - 1);
        for (uint256 option = 0; option < optionCount; ++option) {
            choice |= (seed >> 8 * option & 0xff) % 6 << 4 * option;
        }
    }

    function testFuzz_Count(uint256[] memory seeds, uint256 removed, bool rating, uint256 optionCount) public view {
        optionCount = bound(optionCount, 1, 32);
        removed = seeds.length == 0 ? 0 : bound(removed, 0, seeds.length);
        uint256[] memory subtracted = new uint256[](removed);
        uint256[] memory counts = new uint256[](160);
        for (uint256 i = 0; i < seeds.length; ++i) {
            seeds[i] = _choice(seeds[i], rating, optionCount);
            if (i < removed) subtracted[i] = seeds[i];
            for (uint256 option = 0; option < optionCount && i >= removed; ++option) {
                uint256 value = rating ? seeds[i] >> 4 * option & 15 : seeds[i] >> option & 1;
                if (value != 0) ++counts[rating ? 5 * option + value - 1 : option];
            }
        }
        uint256[] memory words = harness.count(seeds, subtracted, rating, optionCount);
        for (uint256 i = 0; i < 8 * words.length; ++i) {
            assertEq(words[i / 8] >> 32 * (i % 8) & type(uint32).max, counts[i], "counter");
        }
    }

    /// @notice Every counter by itself, up and down again.
    function test_CountEveryOption() public view {
        uint256[] memory one = new uint256[](1);
        uint256[] memory none = new uint256[](0);
        for (uint256 counter = 0; counter < 160; ++counter) {
            bool rating = counter >= 32;
            one[0] = rating ? (counter % 5 + 1) << 4 * (counter / 5) : 1 << counter;
            uint256[] memory words = harness.count(one, none, rating, 32);
            for (uint256 i = 0; i < words.length; ++i) {
                assertEq(words[i], i == counter / 8 ? 1 << 32 * (counter % 8) : 0, "one counter");
            }
            words = harness.count(one, one, rating, 32);
            for (uint256 i = 0; i < words.length; ++i) {
                assertEq(words[i], 0, "taken back");
            }
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Sealing
    // ---------------------------------------------------------------------------------------------

    function _evenPair(uint256 seed) private returns (uint256 scalar, bytes32 x) {
        scalar = bound(seed, 1, ORDER - 1);
        Vm.Wallet memory wallet = vm.createWallet(scalar);
        if (wallet.publicKeyY % 2 == 1) scalar = ORDER - scalar;
        return (scalar, bytes32(wallet.publicKeyX));
    }

    function testFuzz_Keys(uint256 seed, uint256 other) public {
        (uint256 secret, bytes32 key) = _evenPair(seed);
        assertTrue(harness.isKey(key), "a key");
        assertTrue(harness.isSecretOf(secret, key), "its secret");
        assertFalse(harness.isSecretOf(ORDER - secret, key), "the secret of the other y");
        if (other != secret) assertFalse(harness.isSecretOf(other, key), "any other secret");
    }

    /// @notice A word is the x of a point exactly if x³ + 7 is a square.
    function testFuzz_IsKey(uint256 x) public view {
        uint256 square = addmod(mulmod(x, mulmod(x, x, FIELD), FIELD), 7, FIELD);
        uint256 power = 1;
        uint256 exponent = (FIELD - 1) / 2;
        for (uint256 base = square; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) power = mulmod(power, base, FIELD);
            base = mulmod(base, base, FIELD);
        }
        bool expected = x != 0 && x < ORDER && power == 1;
        assertTrue(harness.isKey(bytes32(x)) == expected, "a key is the x of a point");
    }

    function testFuzz_Unmask(uint256 seed, uint256 random, uint128 choice, uint256 id, address account, uint32 version)
        public
    {
        (uint256 secret,) = _evenPair(seed);
        (uint256 r, bytes32 point) = _evenPair(random);
        address shared = vm.addr(mulmod(r, secret, ORDER));
        bytes32 hash = keccak256(abi.encodePacked(address(harness), id, account, version, shared));
        (bool valid, uint128 opened) =
            harness.unmask(secret, point, choice ^ uint128(bytes16(hash)), id, account, version);
        assertTrue(valid, "valid");
        assertEq(opened, choice, "choice");
    }

    /// @notice A fixed example, for other implementations: secret 2 and r = 1 share the point 2G.
    function test_UnmaskVector() public view {
        assertEq(vm.addr(2), address(0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF), "address of 2G");
        bytes32 point = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798;
        bytes32 hash = keccak256(
            abi.encodePacked(
                address(harness), uint256(3), address(4), uint32(5), 0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF
            )
        );
        (bool valid, uint128 choice) = harness.unmask(2, point, uint128(uint256(hash) >> 128), 3, address(4), 5);
        assertTrue(valid, "valid");
        assertEq(choice, 0, "what was masked with nothing");
    }

    function test_UnmaskWithoutPoint() public view {
        bytes32[4] memory points = [bytes32(0), bytes32(uint256(5)), bytes32(ORDER), bytes32(type(uint256).max)];
        for (uint256 i = 0; i < 4; ++i) {
            (bool valid,) = harness.unmask(2, points[i], 0, 1, address(1), 1);
            assertFalse(valid, "there is no such point");
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Records
    // ---------------------------------------------------------------------------------------------

    function testFuzz_Records(uint32 version, uint128 choice, bytes32 point) public view {
        (uint32 version_, IPolls.BallotStatus status, uint128 choice_) =
            harness.fields(harness.createCounted(version, choice));
        assertEq(version_, version, "counted: version");
        assertTrue(status == IPolls.BallotStatus.Counted, "counted: status");
        assertEq(choice_, choice, "counted: choice");
        (version_, status, choice_) = harness.fields(harness.createSpoilt(version));
        assertEq(version_, version, "spoilt: version");
        assertTrue(status == IPolls.BallotStatus.Spoilt, "spoilt: status");
        assertEq(choice_, 0, "spoilt: choice");
        uint256 record = harness.createSealed(version, point, choice);
        (version_, status,) = harness.fields(record);
        assertEq(version_, version, "sealed: version");
        assertTrue(status == IPolls.BallotStatus.Sealed, "sealed: status");
        assertEq(record >> 40, uint256(keccak256(abi.encode(point, choice))) >> 40, "sealed: hash");
        (, status,) = harness.fields(0);
        assertTrue(status == IPolls.BallotStatus.None, "nothing is no ballot");
    }
}
