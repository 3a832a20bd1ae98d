// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";
import {Vm} from "../Vm.sol";

/// @title One credential registers one account once, however it is written
/// @notice A known break of nullifiers: where the bytes of a proof are what is remembered, another encoding of the same
/// proof counts again. Here the account is remembered, and it stands in the signed message.
contract OneCredentialTest is RoundFixture {
    function setUp() public override {
        super.setUp();
        _createWith(_cumulative(), 1, 1);
        _openRegistration();
    }

    /// @dev Other ways to write the credential: with the negative y; with x + p; with y + p; with each of the flags that
    /// serialized points carry (compressed, infinity, larger root), and with all of them.
    function _encodings(bytes memory credential) private view returns (bytes[7] memory list) {
        list[0] = BlsSigner.unpad(BlsSigner.negate(BlsSigner.pad(credential)));
        list[1] = _addModulus(credential, 0);
        list[2] = _addModulus(credential, 48);
        bytes4 flags = 0x804020e0;
        for (uint256 i = 0; i < 4; ++i) {
            list[3 + i] = bytes.concat(credential);
            list[3 + i][0] |= flags[i];
        }
    }

    /// @dev The coordinate at `start` is not reduced any more.
    function _addModulus(bytes memory credential, uint256 start) private pure returns (bytes memory result) {
        bytes memory modulus =
            hex"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
        result = bytes.concat(credential);
        uint256 carry = 0;
        for (uint256 i = 48; i > 0; --i) {
            uint256 sum = uint256(uint8(credential[start + i - 1])) + uint8(modulus[i - 1]) + carry;
            result[start + i - 1] = bytes1(uint8(sum));
            carry = sum >> 8;
        }
        assertEq(carry, 0, "the sum fits 48 bytes");
    }

    function _expectInvalid() private {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, 0));
    }

    function _expectRegisteredAlready(address account) private {
        vm.expectEmit(address(round));
        emit IBudgetRound.RegistrationSkipped(account, 0, IBudgetRound.SkipReason.AlreadyRegistered);
    }

    /// @dev How often somebody was registered since the logs were last recorded; a refused batch leaves its events there.
    function _registrations() private returns (uint256 count) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IBudgetRound.Registered.selector) ++count;
        }
    }

    function test_OneCredentialRegistersOnceHoweverItIsEncoded() public {
        address[] memory account = _accounts(0, 1);
        address[] memory another = _accounts(1, 1);
        bytes memory credential = _credential(0, account[0]);
        bytes[7] memory encodings = _encodings(credential);
        // Before: only one form is a credential at all.
        for (uint256 i = 0; i < encodings.length; ++i) {
            _expectInvalid();
            round.register(0, account, encodings[i]);
        }
        vm.recordLogs();
        round.register(0, account, credential);
        assertEq(_registrations(), 1, "the canonical form registers");
        // After: no form registers the account again, nor anybody else.
        for (uint256 i = 0; i < encodings.length; ++i) {
            _expectRegisteredAlready(account[0]);
            vm.recordLogs();
            round.register(0, account, encodings[i]);
            assertEq(_registrations(), 0, "nobody is registered by another form");
            _expectInvalid();
            round.register(0, another, encodings[i]);
        }
        _expectInvalid();
        round.register(0, another, credential);
        assertFalse(round.citizen(another[0]).registered, "nor by somebody else's");
        assertEq(round.registeredCount(), 1, "once");
        assertEq(round.classInfo(0).registered, 1, "once in the class");
    }

    /// @notice The compressed form of 48 bytes, and the one of the precompile with 128, are no credentials either.
    function test_RevertWhen_CredentialHasAnotherLength() public {
        address[] memory account = _accounts(0, 1);
        bytes memory credential = _credential(0, account[0]);
        bytes memory compressed = new bytes(48);
        for (uint256 i = 0; i < 48; ++i) {
            compressed[i] = credential[i];
        }
        compressed[0] |= 0x80;
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.BatchMalformed.selector));
        round.register(0, account, compressed);
        bytes memory padded = BlsSigner.pad(credential);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.BatchMalformed.selector));
        round.register(0, account, padded);
        assertEq(round.registeredCount(), 0, "nobody");
    }

    function test_OneCredentialRegistersOnceInOneBatch() public {
        address[] memory accounts = new address[](8);
        bytes memory credential = _credential(0, _citizen(0));
        bytes[7] memory encodings = _encodings(credential);
        bytes memory signatures = credential;
        bytes memory reversed = "";
        for (uint256 i = 0; i < 8; ++i) {
            accounts[i] = _citizen(0);
            if (i < 7) signatures = bytes.concat(signatures, encodings[i]);
            if (i < 7) reversed = bytes.concat(reversed, encodings[6 - i]);
        }
        reversed = bytes.concat(reversed, credential);
        // With the canonical form last, the first one is looked at.
        _expectInvalid();
        round.register(0, accounts, reversed);
        vm.recordLogs();
        round.register(0, accounts, signatures);
        assertEq(_registrations(), 1, "registered once");
        assertEq(round.registeredCount(), 1, "registered once");
    }

    function test_OneCredentialRegistersOnceHoweverTheBatchIsPermuted() public {
        address[] memory accounts = _accounts(0, 4);
        bytes memory credentials = _credentials(0, accounts);
        uint8[4][4] memory orders = [[2, 0, 3, 1], [3, 2, 1, 0], [1, 0, 3, 2], [1, 2, 3, 0]];
        // Credentials in another order than their accounts.
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory permuted = _credentials(0, _permuted(accounts, orders[i]));
            _expectInvalid();
            round.register(0, accounts, permuted);
        }
        vm.recordLogs();
        round.register(0, accounts, credentials);
        assertEq(_registrations(), 4, "each once");
        // Both in another order: all are known.
        for (uint256 i = 0; i < 4; ++i) {
            address[] memory again = _permuted(accounts, orders[i]);
            bytes memory permuted = _credentials(0, again);
            for (uint256 j = 0; j < 4; ++j) {
                _expectRegisteredAlready(again[j]);
            }
            round.register(0, again, permuted);
        }
        assertEq(_registrations(), 0, "nobody again");
        assertEq(round.registeredCount(), 4, "four");
    }

    function _permuted(address[] memory accounts, uint8[4] memory order) private pure returns (address[] memory list) {
        list = new address[](4);
        for (uint256 i = 0; i < 4; ++i) {
            list[i] = accounts[order[i]];
        }
    }
}
