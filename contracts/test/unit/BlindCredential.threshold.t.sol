// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BlindCredential} from "../../src/credential/BlindCredential.sol";
import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";
import {CredentialHarness} from "../mocks/CredentialHarness.sol";

/// @title Credentials combined from the answers of t of n issuers: to contracts they are like any other
contract BlindCredentialThresholdTest is RoundFixture {
    string private json;
    string private group;
    CredentialHarness private harness;

    function setUp() public override {
        super.setUp();
        json = vm.readFile("crates/credential/vectors/credential.json");
        harness = new CredentialHarness();
    }

    function _field(string memory name) private view returns (string memory) {
        return string.concat(".threshold.", group, ".", name);
    }

    function _groupKey() private view returns (bytes memory) {
        return vm.parseJsonBytes(json, _field("groupKeyEip2537"));
    }

    /// @dev A round whose one class has the group key.
    function _roundOfTheGroup(string memory name) private {
        group = name;
        _createWith(_cumulative(), 0, 1);
        bytes memory key = _groupKey();
        vm.prank(clerk);
        round.addClass(1, key);
        _openRegistration();
    }

    // ---------------------------------------------------------------------------------------------
    // Several issuers, written down a second time
    // ---------------------------------------------------------------------------------------------

    /// @dev Lagrange's coefficient of `one` among `issuers` at zero: Π k / (k - one) over the other k.
    function _coefficient(uint256[] memory issuers, uint256 one) private view returns (uint256) {
        uint256 order = BlsSigner.ORDER;
        uint256 numerator = 1;
        uint256 denominator = 1;
        for (uint256 i = 0; i < issuers.length; ++i) {
            if (issuers[i] == one) continue;
            numerator = mulmod(numerator, issuers[i], order);
            denominator = mulmod(denominator, addmod(issuers[i], order - one, order), order);
        }
        // The inverse by Fermat, with the precompile for powers.
        (bool success, bytes memory inverse) =
            address(5).staticcall(abi.encode(32, 32, 32, denominator, order - 2, order));
        assertTrue(success, "the precompile answers");
        return mulmod(numerator, abi.decode(inverse, (uint256)), order);
    }

    /// @dev What the issuers' shares sign, each weighed by its coefficient, in sum.
    function _combined(uint256[] memory issuers, bytes memory point) private view returns (bytes memory sum) {
        uint256[] memory secrets = vm.parseJsonUintArray(json, _field("shareSecret"));
        sum = new bytes(128);
        for (uint256 i = 0; i < issuers.length; ++i) {
            bytes memory answer = BlsSigner.multiply(point, secrets[issuers[i] - 1]);
            sum = BlsSigner.add(sum, BlsSigner.multiply(answer, _coefficient(issuers, issuers[i])));
        }
    }

    function _issuers(uint256 a, uint256 b) private pure returns (uint256[] memory issuers) {
        issuers = new uint256[](2);
        (issuers[0], issuers[1]) = (a, b);
    }

    function _issuers(uint256 a, uint256 b, uint256 c) private pure returns (uint256[] memory issuers) {
        issuers = new uint256[](3);
        (issuers[0], issuers[1], issuers[2]) = (a, b, c);
    }

    function _credentialFrom(uint256[] memory issuers, address account) private view returns (bytes memory) {
        return BlsSigner.unpad(_combined(issuers, _hashPoint(0, account)));
    }

    // ---------------------------------------------------------------------------------------------
    // Refused
    // ---------------------------------------------------------------------------------------------

    /// @notice One issuer of three, whatever it multiplies its own answer by, registers nobody.
    function test_RevertWhen_OneIssuerAlone() public {
        _roundOfTheGroup("twoOfThree");
        address[] memory accounts = _accounts(0, 1);
        uint256[] memory secrets = vm.parseJsonUintArray(json, _field("shareSecret"));
        for (uint256 one = 1; one <= 3; ++one) {
            bytes memory answer = BlsSigner.multiply(_hashPoint(0, accounts[0]), secrets[one - 1]);
            bytes memory signature = BlsSigner.unpad(answer);
            vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, uint8(0)));
            round.register(0, accounts, signature);
            for (uint256 other = 1; other <= 3; ++other) {
                if (other == one) continue;
                signature = BlsSigner.unpad(BlsSigner.multiply(answer, _coefficient(_issuers(one, other), one)));
                vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, uint8(0)));
                round.register(0, accounts, signature);
            }
        }
        assertEq(round.registeredCount(), 0, "nobody is registered");
    }

    /// @notice Two do not make a credential where three of five are needed.
    function test_RevertWhen_OneIssuerTooFew() public {
        _roundOfTheGroup("threeOfFive");
        address[] memory accounts = _accounts(0, 1);
        bytes memory signature = _credentialFrom(_issuers(2, 5), accounts[0]);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, uint8(0)));
        round.register(0, accounts, signature);
    }

    /// @notice The shares of another group do not sign for this one.
    function test_RevertWhen_AnotherGroup() public {
        _roundOfTheGroup("threeOfFive");
        address[] memory accounts = _accounts(0, 1);
        group = "twoOfThree";
        bytes memory signature = _credentialFrom(_issuers(1, 2), accounts[0]);
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, uint8(0)));
        round.register(0, accounts, signature);
    }

    // ---------------------------------------------------------------------------------------------
    // Accepted
    // ---------------------------------------------------------------------------------------------

    function test_AnyTwoOfThreeRegister() public {
        _roundOfTheGroup("twoOfThree");
        address[] memory accounts = _accounts(0, 3);
        bytes memory signatures = bytes.concat(
            _credentialFrom(_issuers(1, 2), accounts[0]),
            _credentialFrom(_issuers(3, 1), accounts[1]),
            _credentialFrom(_issuers(2, 3), accounts[2])
        );
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectEmit(address(round));
            emit IBudgetRound.Registered(accounts[i], 0);
        }
        round.register(0, accounts, signatures);
        assertEq(round.registeredCount(), 3, "all are registered");
    }

    function test_AnyThreeOfFiveRegister() public {
        _roundOfTheGroup("threeOfFive");
        address[] memory accounts = _accounts(0, 2);
        bytes memory first = _credentialFrom(_issuers(1, 2, 3), accounts[0]);
        assertEq(_credentialFrom(_issuers(5, 2, 4), accounts[0]), first, "whoever signs, the credential is the same");
        round.register(0, accounts, bytes.concat(first, _credentialFrom(_issuers(4, 3, 5), accounts[1])));
        assertEq(round.registeredCount(), 2, "both are registered");
    }

    /// @notice The credentials that Rust combined and unblinded pass the check of the contracts.
    function test_VectorsVerify() public {
        string[2] memory groups = ["twoOfThree", "threeOfFive"];
        for (uint256 i = 0; i < groups.length; ++i) {
            group = groups[i];
            vm.chainId(vm.parseJsonUint(json, _field("chainId")));
            BlindCredential.Scope memory scope = BlindCredential.Scope({
                verifier: vm.parseJsonAddress(json, _field("contract")),
                id: vm.parseJsonUint(json, _field("scopeId")),
                class: uint8(vm.parseJsonUint(json, _field("class")))
            });
            bytes memory key = _groupKey();
            assertTrue(harness.isIssuerKey(key), "the group key is an issuer key");
            address[] memory accounts = vm.parseJsonAddressArray(json, _field("account"));
            bytes[] memory signatures = vm.parseJsonBytesArray(json, _field("signatureUncompressed"));
            bytes memory joined;
            for (uint256 j = 0; j < signatures.length; ++j) {
                joined = bytes.concat(joined, signatures[j]);
            }
            assertTrue(accounts.length >= 4 && signatures.length == accounts.length, "vectors are there");
            assertTrue(harness.verify(scope, key, accounts, joined), group);
            (accounts[0], accounts[1]) = (accounts[1], accounts[0]);
            assertFalse(harness.verify(scope, key, accounts, joined), "swapped accounts");
        }
    }
}
