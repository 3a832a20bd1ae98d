// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BlindCredential} from "../../src/credential/BlindCredential.sol";
import {Assertions} from "../Assertions.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {CredentialHarness} from "../mocks/CredentialHarness.sol";

/// @title The steps of a check one by one, each against a second, plain implementation
contract BlindCredentialStepsTest is Assertions {
    uint256 private constant SECRET = 0x5eed;
    bytes private constant DST = "KOPILKA-V01-CS01-with-BLS12381G1_XMD:SHA-256_SSWU_RO_";
    bytes private constant P =
        hex"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";

    CredentialHarness private harness;
    BlindCredential.Scope private scope;
    bytes private key;

    function setUp() public {
        harness = new CredentialHarness();
        scope = BlindCredential.Scope({verifier: address(0xbeef), id: 0x0102030405060708090a, class: 7});
        key = BlsSigner.publicKey(SECRET);
    }

    // ---------------------------------------------------------------------------------------------
    // Message and hash
    // ---------------------------------------------------------------------------------------------

    function _message(address account) private view returns (bytes memory) {
        return bytes.concat(
            bytes32(block.chainid), bytes20(scope.verifier), bytes32(scope.id), bytes1(scope.class), bytes20(account)
        );
    }

    function testFuzz_Message(address verifier, uint256 id, uint8 class, address account, uint64 chain) public {
        scope = BlindCredential.Scope({verifier: verifier, id: id, class: class});
        vm.chainId(bound(chain, 1, type(uint64).max - 1));
        assertEq(harness.message(scope, account), _message(account), "message");
        assertEq(harness.message(scope, account).length, 105, "105 bytes");
    }

    /// @dev Sections 5.2 and 5.3.1 of RFC 9380, written as they stand there, for two elements of 64 bytes.
    function _expanded(bytes memory message) private pure returns (bytes memory uniform) {
        bytes memory dst = bytes.concat(DST, bytes1(uint8(DST.length)));
        bytes32 b0 = sha256(bytes.concat(new bytes(64), message, hex"0080", hex"00", dst));
        bytes32 b = sha256(bytes.concat(b0, hex"01", dst));
        uniform = bytes.concat(b);
        for (uint8 i = 2; i <= 4; ++i) {
            b = sha256(bytes.concat(b0 ^ b, bytes1(i), dst));
            uniform = bytes.concat(uniform, b);
        }
    }

    /// @dev 64 bytes modulo p, by the precompile for exponents, padded to 64 bytes.
    function _reduced(bytes32 high, bytes32 low) private view returns (bytes memory) {
        bytes memory input = abi.encodePacked(uint256(64), uint256(1), uint256(48), high, low, uint8(1), P);
        (bool success, bytes memory output) = address(0x05).staticcall(input);
        assertTrue(success && output.length == 48, "exponent");
        return bytes.concat(new bytes(16), output);
    }

    function _map(bytes memory element) private view returns (bytes memory) {
        (bool success, bytes memory output) = address(0x10).staticcall(element);
        assertTrue(success, "map");
        return output;
    }

    function _hash(address account) private view returns (bytes memory) {
        bytes memory uniform = _expanded(_message(account));
        (bytes32 a, bytes32 b, bytes32 c, bytes32 d) = abi.decode(uniform, (bytes32, bytes32, bytes32, bytes32));
        return BlsSigner.add(_map(_reduced(a, b)), _map(_reduced(c, d)));
    }

    function testFuzz_Hash(address verifier, uint256 id, uint8 class, address account, uint64 chain) public {
        scope = BlindCredential.Scope({verifier: verifier, id: id, class: class});
        vm.chainId(bound(chain, 1, type(uint64).max - 1));
        assertEq(harness.hashToG1(scope, account), _hash(account), "hash to the curve");
    }

    // ---------------------------------------------------------------------------------------------
    // Coefficients
    // ---------------------------------------------------------------------------------------------

    function _seed(address[] memory accounts, bytes memory signatures) private view returns (bytes32) {
        bytes32 context = keccak256(abi.encode(block.chainid, scope.verifier, scope.id, scope.class, key));
        bytes memory input = abi.encodePacked(context, accounts.length, accounts, signatures);
        return keccak256(input);
    }

    function _accounts(uint256 count) private pure returns (address[] memory accounts) {
        accounts = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = address(uint160(uint256(keccak256(abi.encode(i)))));
        }
    }

    function _signatures(address[] memory accounts) private view returns (bytes memory signatures) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            bytes memory point = BlsSigner.multiply(_hash(accounts[i]), SECRET);
            signatures = bytes.concat(signatures, BlsSigner.unpad(point));
        }
    }

    function testFuzz_Seed(uint8 count, bytes memory signatures) public view {
        address[] memory accounts = _accounts(count % 40);
        assertEq(harness.seed(scope, key, accounts, signatures), _seed(accounts, signatures), "seed");
    }

    // ---------------------------------------------------------------------------------------------
    // What the precompiles are given
    // ---------------------------------------------------------------------------------------------

    function _coefficient(bytes32 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index))) >> 128;
    }

    function _list(uint256 a, uint256 b) private pure returns (uint256[] memory list) {
        list = new uint256[](2);
        (list[0], list[1]) = (a, b);
    }

    function _slice(bytes memory whole, uint256 index) private pure returns (bytes memory part) {
        part = new bytes(96);
        for (uint256 i = 0; i < 96; ++i) {
            part[i] = whole[96 * index + i];
        }
    }

    /// @notice Of three accounts the first and the last are kept: the multiplications get exactly their signatures, their
    /// hashes and their coefficients, and no more gas than they may burn; the pairing gets what comes out.
    function test_InputsOfThePrecompiles() public {
        address[] memory accounts = _accounts(3);
        bytes memory signatures = _signatures(accounts);
        bytes32 seed = _seed(accounts, signatures);
        (uint256 first, uint256 last) = (_coefficient(seed, 0), _coefficient(seed, 2));
        bytes memory signed = bytes.concat(
            BlsSigner.pad(_slice(signatures, 0)), bytes32(first), BlsSigner.pad(_slice(signatures, 2)), bytes32(last)
        );
        bytes memory hashed = bytes.concat(_hash(accounts[0]), bytes32(first), _hash(accounts[2]), bytes32(last));
        bytes memory signedSum = _multiplied(signed);
        bytes memory hashedSum = _multiplied(hashed);

        vm.expectCall(address(0x0c), 0, 124_000, signed);
        vm.expectCall(address(0x0c), 0, 124_000, hashed);
        vm.expectCall(address(0x0f), bytes.concat(signedSum, _negatedGenerator(), hashedSum, key));
        assertTrue(harness.verifyKept(scope, key, accounts, signatures, _list(0, 2)), "good batch");
    }

    function _multiplied(bytes memory pairs) private view returns (bytes memory) {
        (bool success, bytes memory output) = address(0x0c).staticcall(pairs);
        assertTrue(success, "multiplication");
        return output;
    }

    function _negatedGenerator() private view returns (bytes memory) {
        (bool success, bytes memory output) =
            address(0x0e).staticcall(bytes.concat(BlsSigner.G2_GENERATOR, bytes32(BlsSigner.ORDER - 1)));
        assertTrue(success, "negation");
        return output;
    }

    function test_KeyIsMultipliedByOne() public {
        vm.expectCall(address(0x0e), 0, 124_000, bytes.concat(key, bytes32(uint256(1))));
        assertTrue(harness.isIssuerKey(key), "a key");
    }

    function test_RevertWhen_KeyIsInfinity() public view {
        assertFalse(harness.isIssuerKey(new bytes(256)), "infinity is in the subgroup, and no key");
    }

    function test_RevertWhen_KeyHasAnotherLength() public view {
        assertFalse(harness.isIssuerKey(bytes.concat(key, hex"00")), "one byte more");
        assertFalse(harness.isIssuerKey(""), "nothing");
        bytes memory shorter = new bytes(255);
        for (uint256 i = 0; i < 255; ++i) {
            shorter[i] = key[i];
        }
        assertFalse(harness.isIssuerKey(shorter), "one byte less");
    }

    /// @notice A signature may have zeros in any three quarters of its words; only all of them are infinity.
    function test_InfinityIsAllZeros() public view {
        address[] memory accounts = _accounts(2);
        bytes memory signatures = _signatures(accounts);
        for (uint256 i = 0; i < 96; ++i) {
            signatures[i] = 0x00;
        }
        assertFalse(harness.verify(scope, key, accounts, signatures), "the first is infinity");
        signatures = _signatures(accounts);
        for (uint256 i = 96; i < 192; ++i) {
            signatures[i] = 0x00;
        }
        assertFalse(harness.verify(scope, key, accounts, signatures), "the second is infinity");
    }

    /// @notice Of a large batch only one is kept: what the others left in memory is not taken for zeros.
    function test_FewOfManyAreKept() public view {
        address[] memory accounts = _accounts(40);
        bytes memory signatures = new bytes(96 * 40);
        for (uint256 i = 0; i < signatures.length; ++i) {
            signatures[i] = 0xff;
        }
        bytes memory good = BlsSigner.unpad(BlsSigner.multiply(_hash(accounts[39]), SECRET));
        for (uint256 i = 0; i < 96; ++i) {
            signatures[96 * 39 + i] = good[i];
        }
        uint256[] memory kept = new uint256[](1);
        kept[0] = 39;
        assertTrue(harness.verifyKept(scope, key, accounts, signatures, kept), "the one that is kept is good");
        kept[0] = 38;
        assertFalse(harness.verifyKept(scope, key, accounts, signatures, kept), "another one is not");
    }

    /// @notice However little gas there is, a check that cannot be finished never says yes.
    function test_TooLittleGasIsNeverYes() public view {
        address[] memory accounts = _accounts(20);
        bytes memory signatures = _signatures(accounts);
        bytes memory data = abi.encodeCall(harness.verify, (scope, key, accounts, signatures));
        uint256 before = gasleft();
        (bool success, bytes memory result) = address(harness).staticcall(data);
        uint256 needed = before - gasleft();
        assertTrue(success && abi.decode(result, (bool)), "with enough gas the batch is good");
        uint256 refused = 0;
        for (uint256 i = 1; i < 100; ++i) {
            (success, result) = address(harness).staticcall{gas: needed * i / 110}(data);
            if (!success) continue;
            assertFalse(abi.decode(result, (bool)), "without enough gas it is refused");
            ++refused;
        }
        assertTrue(refused >= 3, "each of the three large calls was left without gas");
    }

    /// @notice Without gas for the hash to the curve the check ends with an error and not with an answer.
    function test_RevertWhen_GasRunsOutWhileHashing() public {
        address[] memory accounts = _accounts(1);
        vm.expectRevert();
        this.hashWithLittleGas(accounts[0]);
    }

    function hashWithLittleGas(address account) external view {
        harness.hashToG1{gas: 12_000}(scope, account);
    }
}
