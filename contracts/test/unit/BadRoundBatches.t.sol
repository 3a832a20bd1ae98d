// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {RoundFixture} from "../RoundFixture.sol";
import {BatchWatch} from "../BatchWatch.sol";

/// @title Registrations and allocations
/// forge-config: default.isolate = true
contract BadRoundBatchesTest is RoundFixture, BatchWatch {
    function _watched() internal view override returns (address[] memory list) {
        list = new address[](6);
        (list[0], list[1], list[2]) = (address(round), address(token), address(rounds));
        (list[3], list[4], list[5]) = (address(issuerKeys), address(municipalities), address(milestones));
    }

    // ---------------------------------------------------------------------------------------------
    // Registrations
    // ---------------------------------------------------------------------------------------------

    function _registerData(address[] memory accounts, bytes memory credentials) private view returns (bytes memory) {
        return abi.encodeCall(round.register, (0, accounts, credentials));
    }

    function _badRegistration(address[] memory accounts, bytes memory credentials, IBudgetRound.SkipReason reason)
        private
        view
        returns (Bad memory)
    {
        return Bad({
            target: address(round),
            data: _registerData(accounts, credentials),
            topic: IBudgetRound.RegistrationSkipped.selector,
            accountTopic: 1,
            accounts: accounts,
            reason: uint8(reason)
        });
    }

    function test_RegisteringTheRegisteredChangesNothing() public {
        IBudgetRound.SkipReason reason = IBudgetRound.SkipReason.AlreadyRegistered;
        _createWith(_cumulative(), 1, 1);
        _openRegistration();
        address[] memory accounts = _accounts(0, COUNT);
        bytes memory credentials = _credentials(0, accounts);
        round.register(0, accounts, credentials);
        address[] memory others = _accounts(COUNT, COUNT);
        uint256 good = _good(address(round), _registerData(others, _credentials(0, others)));
        _assertAllSkipped(_badRegistration(accounts, credentials, reason), good);
        // Their credentials are not looked at.
        _assertAllSkipped(_badRegistration(accounts, _garbage(96 * COUNT), reason), good);
        _assertAllSkipped(_badRegistration(_repeated(accounts[7]), credentials, reason), good);
    }

    function test_RegisteringBeyondTheFundsChangesNothing() public {
        _createWith(_config(IBudgetRound.BallotKind.Cumulative, IBudgetRound.Allotment.Fixed), 1, 1);
        _openRegistration();
        address[] memory accounts = _accounts(0, COUNT);
        bytes memory credentials = _credentials(0, accounts);
        // One kopeck less than a share.
        _mint(1_000_00 - 1);
        IBudgetRound.SkipReason reason = IBudgetRound.SkipReason.FundsExhausted;
        Bad memory bad = _badRegistration(accounts, credentials, reason);
        Bad memory worse = _badRegistration(accounts, _garbage(96 * COUNT), reason);
        uint256 snapshot = vm.snapshotState();
        _mint(COUNT * 1_000_00);
        uint256 good = _good(address(round), bad.data);
        vm.revertToState(snapshot);
        _assertAllSkipped(bad, good);
        _assertAllSkipped(worse, good);
    }

    /// @notice One bad credential among good ones, wherever it stands and whatever is bad about it.
    function test_RevertWhen_OneRegistrationOfManyHasABadCredential() public {
        _createWith(_cumulative(), 1, 1);
        _openRegistration();
        address[] memory accounts = _accounts(0, COUNT);
        bytes memory credentials = _credentials(0, accounts);
        uint256 good = _good(address(round), _registerData(accounts, credentials));
        bytes memory error_ = abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, 0);
        bytes[5] memory points = _badPoints(_credential(0, stranger));
        uint256[5] memory places = [uint256(0), 1, COUNT / 2, COUNT - 2, COUNT - 1];
        for (uint256 i = 0; i < 5; ++i) {
            bytes memory data = _registerData(accounts, _replaced(credentials, places[i], points[i]));
            _assertRefused(address(round), data, error_, good);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Allocations
    // ---------------------------------------------------------------------------------------------

    /// @dev Three choices each of citizens `first`, ...
    function _allocations(uint256 first, uint32 version) private pure returns (IBudgetRound.Allocation[] memory batch) {
        batch = new IBudgetRound.Allocation[](COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            uint16 id = uint16(1 + (i + version) % 8);
            batch[i] = _allocation(first + i, version, _list(id, id + 1, id + 2), _list(20, 30, 50));
        }
    }

    /// @dev Signed by citizens `first`, ...
    function _allocateData(IBudgetRound.Allocation[] memory batch, uint256 first) private view returns (bytes memory) {
        bytes memory signatures = new bytes(64 * COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            _copy(_sign(first + i, batch[i]), signatures, 64 * i);
        }
        return abi.encodeCall(round.allocate, (batch, signatures));
    }

    function _assertAllocationsSkipped(
        IBudgetRound.Allocation[] memory batch,
        uint256 firstSigner,
        IBudgetRound.SkipReason reason,
        uint256 good
    ) private {
        address[] memory accounts = new address[](COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            accounts[i] = batch[i].account;
        }
        _assertAllSkipped(
            Bad({
                target: address(round),
                data: _allocateData(batch, firstSigner),
                topic: IBudgetRound.AllocationSkipped.selector,
                accountTopic: 1,
                accounts: accounts,
                reason: uint8(reason)
            }),
            good
        );
    }

    function test_AllocatingWithoutRegistrationChangesNothing() public {
        _pledgingWith(_cumulative(), COUNT, 10);
        uint256 good = _good(address(round), _allocateData(_allocations(0, 1), 0));
        _assertAllocationsSkipped(_allocations(COUNT, 1), COUNT, IBudgetRound.SkipReason.NotRegistered, good);
    }

    function test_AllocatingWithoutAHigherVersionChangesNothing() public {
        IBudgetRound.SkipReason reason = IBudgetRound.SkipReason.VersionNotHigher;
        _pledgingWith(_cumulative(), COUNT, 10);
        uint256 good = _good(address(round), _allocateData(_allocations(0, 1), 0));
        _assertAllocationsSkipped(_allocations(0, 0), 0, reason, good);
        (bool success,) = address(round).call(_allocateData(_allocations(0, 2), 0));
        assertTrue(success, "recorded");
        good = _good(address(round), _allocateData(_allocations(0, 3), 0));
        _assertAllocationsSkipped(_allocations(0, 2), 0, reason, good);
        _assertAllocationsSkipped(_allocations(0, 1), 0, reason, good);
    }

    function test_AllocatingMalformedChoicesChangesNothing() public {
        IBudgetRound.SkipReason reason = IBudgetRound.SkipReason.ChoicesMalformed;
        _pledgingWith(_cumulative(), COUNT, 10);
        IBudgetRound.Allocation[] memory batch = _allocations(0, 1);
        uint256 good = _good(address(round), _allocateData(batch, 0));
        for (uint256 i = 0; i < COUNT; ++i) {
            batch[i].initiatives[2] = 11;
        }
        _assertAllocationsSkipped(batch, 0, reason, good);
        batch = _allocations(0, 1);
        for (uint256 i = 0; i < COUNT; ++i) {
            batch[i].points[2] = 51;
        }
        _assertAllocationsSkipped(batch, 0, reason, good);
    }

    function test_AllocatingWithWrongSignaturesChangesNothing() public {
        _pledgingWith(_cumulative(), COUNT, 10);
        IBudgetRound.Allocation[] memory batch = _allocations(0, 1);
        uint256 good = _good(address(round), _allocateData(batch, 0));
        // Each signed by the next citizen.
        _assertAllocationsSkipped(batch, 1, IBudgetRound.SkipReason.SignatureInvalid, good);
    }
}
