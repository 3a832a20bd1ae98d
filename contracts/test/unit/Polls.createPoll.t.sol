// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IIssuerKeys} from "../../src/interfaces/IIssuerKeys.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IPolls} from "../../src/interfaces/IPolls.sol";
import {PollFixture} from "../PollFixture.sol";

contract PollsCreatePollTest is PollFixture {
    /// @dev The x of no point: x^3 + 7 is no square.
    bytes32 private constant NO_POINT = bytes32(uint256(5));

    function _tryToCreate(IPolls.PollConfig memory config, bytes memory expected) private {
        bytes memory key = _issuerKey(polls.pollCount() + 1);
        vm.expectRevert(expected);
        vm.prank(clerk);
        polls.createPoll(config, key);
    }

    function _expectInvalid(IPolls.PollConfig memory config, string memory field) private {
        _tryToCreate(config, abi.encodeWithSelector(IPolls.ConfigInvalid.selector, field));
    }

    // ---------------------------------------------------------------------------------------------
    // Refused
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_Paused() public {
        _pause();
        _tryToCreate(_single(), abi.encodeWithSelector(IPolls.ActionsPaused.selector));
    }

    function test_RevertWhen_CallerIsNotClerk() public {
        IPolls.PollConfig memory config = _single();
        bytes memory key = _issuerKey(1);
        address[3] memory callers = [stranger, issuer, operator];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IPolls.CallerLacksRole.selector, callers[i], uint8(IMunicipalities.Role.Clerk))
            );
            vm.prank(callers[i]);
            polls.createPoll(config, key);
        }
    }

    function test_RevertWhen_ClerkIsOfAnotherMunicipality() public {
        vm.prank(operator);
        uint32 other = municipalities.admit("66402000", unicode"Другой");
        IPolls.PollConfig memory config = _single();
        config.municipalityId = other;
        _tryToCreate(
            config, abi.encodeWithSelector(IPolls.CallerLacksRole.selector, clerk, uint8(IMunicipalities.Role.Clerk))
        );
    }

    function test_RevertWhen_OptionsAreTooFewOrTooMany() public {
        IPolls.PollConfig memory config = _single();
        config.optionCount = 1;
        _expectInvalid(config, "optionCount");
        config.optionCount = 33;
        _expectInvalid(config, "optionCount");
        config = _config(IPolls.PollKind.Multiple);
        config.optionCount = 1;
        _expectInvalid(config, "optionCount");
        config.optionCount = 33;
        _expectInvalid(config, "optionCount");
        config = _config(IPolls.PollKind.Rating);
        config.optionCount = 0;
        _expectInvalid(config, "optionCount");
        config.optionCount = 33;
        _expectInvalid(config, "optionCount");
    }

    function test_RevertWhen_MaxChoicesDoesNotFit() public {
        IPolls.PollConfig memory config = _single();
        config.maxChoices = 0;
        _expectInvalid(config, "maxChoices");
        config.maxChoices = 2;
        _expectInvalid(config, "maxChoices");
        config = _config(IPolls.PollKind.Multiple);
        config.maxChoices = 1;
        _expectInvalid(config, "maxChoices");
        config.maxChoices = 6;
        _expectInvalid(config, "maxChoices");
        config = _config(IPolls.PollKind.Rating);
        config.maxChoices = 1;
        _expectInvalid(config, "maxChoices");
    }

    function test_RevertWhen_HoursAreWrong() public {
        IPolls.PollConfig memory config = _single();
        config.closesAt = OPENS_AT;
        _expectInvalid(config, "closesAt");
        config.opensAt = START - 2;
        config.closesAt = START;
        _expectInvalid(config, "closesAt");
        config.closesAt = type(uint64).max - 7 days + 1;
        _expectInvalid(config, "closesAt");
    }

    function test_RevertWhen_GraceIsTooLong() public {
        IPolls.PollConfig memory config = _single();
        config.grace = 7 days + 1;
        _expectInvalid(config, "grace");
    }

    function test_RevertWhen_ContentHashIsMissing() public {
        IPolls.PollConfig memory config = _single();
        config.contentHash = 0;
        _expectInvalid(config, "contentHash");
    }

    function test_RevertWhen_SealingKeyIsNoPoint() public {
        IPolls.PollConfig memory config = _single();
        bytes memory expected = abi.encodeWithSelector(IPolls.SealingKeyMalformed.selector);
        config.sealingKey = NO_POINT;
        _tryToCreate(config, expected);
        config.sealingKey = bytes32(SECP_ORDER);
        _tryToCreate(config, expected);
        config.sealingKey = bytes32(type(uint256).max);
        _tryToCreate(config, expected);
    }

    function test_RevertWhen_IssuerKeyIsMalformed() public {
        IPolls.PollConfig memory config = _single();
        bytes[4] memory keys = [bytes(""), new bytes(256), new bytes(255), _issuerKey(1)];
        keys[3][255] ^= 0x01;
        for (uint256 i = 0; i < keys.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IPolls.IssuerKeyMalformed.selector));
            vm.prank(clerk);
            polls.createPoll(config, keys[i]);
        }
    }

    /// @notice A blind issuer does not see for which poll it signs.
    function test_RevertWhen_IssuerKeyIsReused() public {
        IPolls.PollConfig memory config = _single();
        _create(config);
        bytes memory key = _issuerKey(1);
        vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.IssuerKeyReused.selector, keccak256(key)));
        vm.prank(clerk);
        polls.createPoll(config, key);
        assertEq(polls.pollCount(), 1, "polls");
    }

    /// @notice The first poll's secret would open the second poll before its time.
    function test_RevertWhen_SealingKeyIsReused() public {
        IPolls.PollConfig memory config = _sealed(IPolls.PollKind.Single);
        _create(config);
        _tryToCreate(
            config,
            abi.encodeWithSelector(IIssuerKeys.IssuerKeyReused.selector, keccak256(abi.encode(config.sealingKey)))
        );
    }

    // ---------------------------------------------------------------------------------------------
    // Created
    // ---------------------------------------------------------------------------------------------

    function _assertCreated(IPolls.PollConfig memory config, uint256 id) private {
        bytes memory key = _issuerKey(id);
        vm.expectEmit(address(polls));
        emit IPolls.PollCreated(id, config.municipalityId, config, key);
        vm.prank(clerk);
        assertEq(polls.createPoll(config, key), id, "ids count from 1");
        assertEq(polls.pollCount(), id, "polls");

        IPolls.PollInfo memory info = polls.poll(id);
        assertEq(abi.encode(info.config), abi.encode(config), "config");
        assertEq(info.issuerKey, key, "issuer key");
        assertEq(info.issued, 0, "issued");
        assertEq(info.ballots, 0, "ballots");
        assertEq(info.opened, 0, "opened");
        assertEq(info.spoilt, 0, "spoilt");
        assertEq(info.sealingSecret, 0, "secret");
        assertEq(polls.participants(id), 0, "participants");
        assertEq(issuerKeys.claimedBy(keccak256(key)), address(polls), "issuer key claimed");
        if (config.sealingKey != 0) {
            assertEq(
                issuerKeys.claimedBy(keccak256(abi.encode(config.sealingKey))), address(polls), "sealing key claimed"
            );
        }
    }

    function test_Create() public {
        _assertCreated(_single(), 1);
        _assertCreated(_revotable(IPolls.PollKind.Multiple), 2);
        _assertCreated(_sealed(IPolls.PollKind.Rating), 3);
        assertEq(issuerKeys.claimedBy(keccak256(abi.encode(bytes32(0)))), address(0), "no sealing key, nothing claimed");
    }

    function test_CreateAtTheLimits() public {
        IPolls.PollConfig memory config = _single();
        config.optionCount = 2;
        config.opensAt = 0;
        config.closesAt = START + 1;
        config.grace = 0;
        _assertCreated(config, 1);
        config = _config(IPolls.PollKind.Multiple);
        config.optionCount = 32;
        config.maxChoices = 32;
        config.opensAt = type(uint64).max - 7 days - 1;
        config.closesAt = type(uint64).max - 7 days;
        config.grace = 7 days;
        _assertCreated(config, 2);
        config = _config(IPolls.PollKind.Multiple);
        config.optionCount = 2;
        config.maxChoices = 2;
        _assertCreated(config, 3);
        config = _config(IPolls.PollKind.Rating);
        config.optionCount = 1;
        _assertCreated(config, 4);
        config.optionCount = 32;
        _assertCreated(config, 5);
    }

    function testFuzz_CreateSealedWithAnyKey(uint256 seed) public {
        IPolls.PollConfig memory config = _single();
        (, config.sealingKey) = _evenPair(seed);
        _assertCreated(config, 1);
    }

    function test_Registers() public view {
        assertEq(polls.municipalities(), address(municipalities), "municipalities");
        assertEq(polls.issuerKeys(), address(issuerKeys), "keys");
        assertEq(polls.pollCount(), 0, "no polls");
        assertEq(polls.MAX_OPTIONS(), 32, "most options");
        assertEq(polls.MAX_GRACE(), 7 days, "longest grace");
    }
}
