// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IPolls} from "../../src/interfaces/IPolls.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {IRewardShop} from "../../src/interfaces/IRewardShop.sol";
import {Assertions} from "../Assertions.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {PollFixture} from "../PollFixture.sol";
import {RewardFixture} from "../RewardFixture.sol";
import {RoundFixture} from "../RoundFixture.sol";
import {Vm} from "../Vm.sol";

/// @title Watches what a batch does: storage, events and gas of the whole transaction
/// @notice A batch of nothing but bad items costs its submitter no more than as many good ones, fits one transaction,
/// changes no slot of any contract and says of each item, in order, why it was skipped.
abstract contract BatchWatch is Assertions {
    /// @dev Items of every batch.
    uint256 internal constant COUNT = 200;
    /// @dev EIP-7825.
    uint256 internal constant TRANSACTION_GAS_LIMIT = 16_777_216;

    /// @dev Bad items, all for one reason.
    /// @param topic Event of a skipped item; the reason is the last word of its data.
    /// @param accountTopic Which of its topics is the account.
    struct Bad {
        address target;
        bytes data;
        bytes32 topic;
        uint256 accountTopic;
        address[] accounts;
        uint8 reason;
    }

    /// @dev All contracts that a batch could change.
    function _watched() internal view virtual returns (address[] memory);

    /// @dev Sends the batch, looks, and takes it back. `changed` is how many slots of the watched contracts have another
    /// value.
    function _submit(address target, bytes memory data)
        private
        returns (bool success, bytes memory result, uint256 gas, uint256 changed, Vm.Log[] memory logs)
    {
        uint256 snapshot = vm.snapshotState();
        vm.recordLogs();
        vm.record();
        (success, result) = target.call(data);
        gas = vm.lastCallGas().gasTotalUsed;
        assertLe(21_000 + 1_000 * COUNT, gas, "the whole transaction is measured");
        logs = vm.getRecordedLogs();

        address[] memory watched = _watched();
        bytes32[][] memory slots = new bytes32[][](watched.length);
        bytes32[][] memory values = new bytes32[][](watched.length);
        for (uint256 i = 0; i < watched.length; ++i) {
            (, slots[i]) = vm.accesses(watched[i]);
            values[i] = new bytes32[](slots[i].length);
            for (uint256 j = 0; j < slots[i].length; ++j) {
                values[i][j] = vm.load(watched[i], slots[i][j]);
            }
        }
        vm.revertToState(snapshot);
        for (uint256 i = 0; i < watched.length; ++i) {
            for (uint256 j = 0; j < slots[i].length; ++j) {
                if (vm.load(watched[i], slots[i][j]) != values[i][j]) ++changed;
            }
        }
    }

    /// @dev The measure: a batch of as many good items.
    /// @return gas What the transaction costs.
    function _good(address target, bytes memory data) internal returns (uint256 gas) {
        bool success;
        uint256 changed;
        (success,, gas, changed,) = _submit(target, data);
        assertTrue(success, "the good batch is accepted");
        assertLe(COUNT, changed, "and its changes are seen: a slot for each item at least");
        assertLe(gas, TRANSACTION_GAS_LIMIT, "and fits one transaction");
    }

    function _assertAllSkipped(Bad memory bad, uint256 goodGas) internal {
        (bool success,, uint256 gas, uint256 changed, Vm.Log[] memory logs) = _submit(bad.target, bad.data);
        assertTrue(success, "bad items do not end the batch");
        assertEq(changed, 0, "no slot of any contract has another value");
        assertEq(bad.accounts.length, COUNT, "as many bad items");
        assertEq(logs.length, COUNT, "one event for each item, and no other");
        for (uint256 i = 0; i < COUNT; ++i) {
            assertEq(logs[i].emitter, bad.target, "emitter");
            assertEq(logs[i].topics[0], bad.topic, "skipped");
            assertEq(
                address(uint160(uint256(logs[i].topics[bad.accountTopic]))), bad.accounts[i], "in order of the batch"
            );
            bytes memory data = logs[i].data;
            uint256 reason;
            assembly ("memory-safe") {
                reason := mload(add(data, mload(data)))
            }
            assertEq(reason, bad.reason, "reason");
        }
        assertLe(gas, goodGas, "no dearer than as many good items");
        assertLe(gas, TRANSACTION_GAS_LIMIT, "fits one transaction");
    }

    /// @dev The whole batch is refused.
    function _assertRefused(address target, bytes memory data, bytes memory error_, uint256 goodGas) internal {
        (bool success, bytes memory result, uint256 gas, uint256 changed,) = _submit(target, data);
        assertFalse(success, "one bad credential refuses the batch");
        assertEq(result, error_, "reason");
        assertEq(changed, 0, "no slot of any contract has another value");
        // All that was done is undone and paid for. A precompile that refuses a point keeps no more than it was given.
        assertLe(gas, goodGas + 1_000, "no dearer than a good batch, but for the words of the refusal");
        assertLe(gas, TRANSACTION_GAS_LIMIT, "fits one transaction");
    }

    /// @dev Points that are no credential, in 96 bytes: somebody else's, not on the curve, outside the field, on the curve
    /// but outside the subgroup, infinity.
    function _badPoints(bytes memory anothers) internal pure returns (bytes[5] memory points) {
        bytes memory offCurve = bytes.concat(anothers);
        offCurve[95] ^= 0x01;
        bytes memory outsideField = bytes.concat(anothers);
        for (uint256 i = 0; i < 48; ++i) {
            outsideField[i] = 0xff;
        }
        // x = 4, y = the smaller root of 4^3 + 4.
        bytes memory outsideSubgroup = new bytes(96);
        outsideSubgroup[47] = 0x04;
        bytes memory y =
            hex"0a989badd40d6212b33cffc3f3763e9bc760f988c9926b26da9dd85e928483446346b8ed00e1de5d5ea93e354abe706c";
        for (uint256 i = 0; i < 48; ++i) {
            outsideSubgroup[48 + i] = y[i];
        }
        return [anothers, offCurve, outsideField, outsideSubgroup, new bytes(96)];
    }

    /// @dev A copy of `credentials` with another one at `index`.
    function _replaced(bytes memory credentials, uint256 index, bytes memory credential)
        internal
        pure
        returns (bytes memory result)
    {
        result = bytes.concat(credentials);
        for (uint256 i = 0; i < 96; ++i) {
            result[96 * index + i] = credential[i];
        }
    }

    function _repeated(address account) internal pure returns (address[] memory accounts) {
        accounts = new address[](COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            accounts[i] = account;
        }
    }

    function _garbage(uint256 size) internal pure returns (bytes memory bytes_) {
        bytes_ = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            bytes_[i] = bytes1(uint8(1 + i % 251));
        }
    }
}

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

/// @title Ballots and their opening
/// forge-config: default.isolate = true
contract BadPollBatchesTest is PollFixture, BatchWatch {
    uint32 private constant MANY = 100_000;

    function _watched() internal view override returns (address[] memory list) {
        list = new address[](3);
        (list[0], list[1], list[2]) = (address(polls), address(issuerKeys), address(municipalities));
    }

    // ---------------------------------------------------------------------------------------------
    // Open ballots
    // ---------------------------------------------------------------------------------------------

    /// @dev Ballots of voters `first`, ..., signed by voters `signer`, ...
    function _castData(uint256 first, uint32 version, uint128 choice, uint256 signer, bool credentials)
        private
        view
        returns (bytes memory)
    {
        address[] memory accounts = _voters(first, COUNT);
        IPolls.Ballot[] memory ballots = new IPolls.Ballot[](COUNT);
        bytes memory signatures = new bytes(64 * COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            ballots[i] = IPolls.Ballot({version: version, choice: choice == 0 ? uint128(1 << i % 5) : choice});
            bytes32 digest = _digest(address(polls), pollId, accounts[i], ballots[i]);
            _copy(_signature(signer + i, digest), signatures, 64 * i);
        }
        return abi.encodeCall(
            polls.castBallots, (pollId, accounts, ballots, signatures, credentials ? _credentials(accounts) : bytes(""))
        );
    }

    function _assertBallotsSkipped(bytes memory data, uint256 first, IPolls.SkipReason reason, uint256 good) private {
        _assertAllSkipped(
            Bad({
                target: address(polls),
                data: data,
                topic: IPolls.BallotSkipped.selector,
                accountTopic: 2,
                accounts: _voters(first, COUNT),
                reason: uint8(reason)
            }),
            good
        );
    }

    function _accepted(bytes memory data) private {
        (bool success,) = address(polls).call(data);
        assertTrue(success, "accepted");
        assertEq(polls.participants(pollId), COUNT, "accepted");
    }

    function test_CastingWithoutCredentialsChangesNothing() public {
        _open(_single(), MANY);
        uint256 good = _good(address(polls), _castData(0, 1, 0, 0, true));
        _assertBallotsSkipped(_castData(0, 1, 0, 0, false), 0, IPolls.SkipReason.CredentialMissing, good);
    }

    function test_CastingBeyondTheIssuedChangesNothing() public {
        _open(_single(), 0);
        bytes memory data = _castData(0, 1, 0, 0, true);
        uint256 snapshot = vm.snapshotState();
        _publishIssued(MANY);
        uint256 good = _good(address(polls), data);
        vm.revertToState(snapshot);
        _assertBallotsSkipped(data, 0, IPolls.SkipReason.IssuedReached, good);
    }

    function test_CastingAgainWithoutRevoteChangesNothing() public {
        _open(_single(), MANY);
        _accepted(_castData(0, 1, 0, 0, true));
        uint256 good = _good(address(polls), _castData(COUNT, 1, 0, COUNT, true));
        _assertBallotsSkipped(_castData(0, 2, 2, 0, true), 0, IPolls.SkipReason.RevoteForbidden, good);
        _assertBallotsSkipped(_castData(0, 1, 0, 0, false), 0, IPolls.SkipReason.RevoteForbidden, good);
    }

    function test_CastingWithoutAHigherVersionChangesNothing() public {
        IPolls.SkipReason reason = IPolls.SkipReason.VersionNotHigher;
        _open(_revotable(IPolls.PollKind.Single), MANY);
        uint256 good = _good(address(polls), _castData(0, 2, 0, 0, true));
        _assertBallotsSkipped(_castData(0, 0, 0, 0, true), 0, reason, good);
        _accepted(_castData(0, 2, 0, 0, true));
        good = _good(address(polls), _castData(0, 3, 2, 0, false));
        _assertBallotsSkipped(_castData(0, 2, 2, 0, false), 0, reason, good);
        _assertBallotsSkipped(_castData(0, 1, 2, 0, false), 0, reason, good);
    }

    function test_CastingMalformedChoicesChangesNothing() public {
        IPolls.SkipReason reason = IPolls.SkipReason.ChoiceMalformed;
        _open(_single(), MANY);
        uint256 good = _good(address(polls), _castData(0, 1, 0, 0, true));
        // Two options, and one that there is not.
        _assertBallotsSkipped(_castData(0, 1, 3, 0, true), 0, reason, good);
        _assertBallotsSkipped(_castData(0, 1, 32, 0, true), 0, reason, good);
    }

    function test_CastingWithWrongSignaturesChangesNothing() public {
        _open(_single(), MANY);
        uint256 good = _good(address(polls), _castData(0, 1, 0, 0, true));
        _assertBallotsSkipped(_castData(0, 1, 0, 1, true), 0, IPolls.SkipReason.SignatureInvalid, good);
    }

    /// @notice One bad credential among good ones, wherever it stands and whatever is bad about it.
    function test_RevertWhen_OneBallotOfManyHasABadCredential() public {
        _open(_single(), MANY);
        bytes memory data = _castData(0, 1, 0, 0, true);
        uint256 good = _good(address(polls), data);
        bytes memory error_ = abi.encodeWithSelector(IPolls.CredentialsInvalid.selector, pollId);
        bytes[5] memory points = _badPoints(_credential(stranger));
        uint256[5] memory places = [uint256(0), 1, COUNT / 2, COUNT - 2, COUNT - 1];
        // The credentials stand at the end.
        uint256 start = data.length - 96 * COUNT;
        for (uint256 i = 0; i < 5; ++i) {
            bytes memory bad = bytes.concat(data);
            for (uint256 j = 0; j < 96; ++j) {
                bad[start + 96 * places[i] + j] = points[i][j];
            }
            _assertRefused(address(polls), bad, error_, good);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Sealed ballots
    // ---------------------------------------------------------------------------------------------

    function _sealedBallots(uint256 first, uint32 version) private returns (IPolls.SealedBallot[] memory ballots) {
        ballots = new IPolls.SealedBallot[](COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            ballots[i] = _seal(first + i, version, uint128(1 << i % 5));
        }
    }

    function _castSealedData(uint256 first, uint32 version, uint256 signer, bool credentials)
        private
        returns (bytes memory)
    {
        address[] memory accounts = _voters(first, COUNT);
        IPolls.SealedBallot[] memory ballots = _sealedBallots(first, version);
        bytes memory signatures = new bytes(64 * COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            bytes32 digest = _digest(address(polls), pollId, accounts[i], ballots[i]);
            _copy(_signature(signer + i, digest), signatures, 64 * i);
        }
        return abi.encodeCall(
            polls.castSealedBallots,
            (pollId, accounts, ballots, signatures, credentials ? _credentials(accounts) : bytes(""))
        );
    }

    function test_CastingSealedWithoutCredentialsChangesNothing() public {
        _open(_sealed(IPolls.PollKind.Single), MANY);
        uint256 good = _good(address(polls), _castSealedData(0, 1, 0, true));
        _assertBallotsSkipped(_castSealedData(0, 1, 0, false), 0, IPolls.SkipReason.CredentialMissing, good);
    }

    function test_CastingSealedBeyondTheIssuedChangesNothing() public {
        _open(_sealed(IPolls.PollKind.Single), 0);
        bytes memory data = _castSealedData(0, 1, 0, true);
        uint256 snapshot = vm.snapshotState();
        _publishIssued(MANY);
        uint256 good = _good(address(polls), data);
        vm.revertToState(snapshot);
        _assertBallotsSkipped(data, 0, IPolls.SkipReason.IssuedReached, good);
    }

    function test_CastingSealedAgainWithoutRevoteChangesNothing() public {
        IPolls.PollConfig memory config = _sealed(IPolls.PollKind.Single);
        config.revote = false;
        _open(config, MANY);
        _accepted(_castSealedData(0, 1, 0, true));
        uint256 good = _good(address(polls), _castSealedData(COUNT, 1, COUNT, true));
        _assertBallotsSkipped(_castSealedData(0, 2, 0, true), 0, IPolls.SkipReason.RevoteForbidden, good);
    }

    function test_CastingSealedWithoutAHigherVersionChangesNothing() public {
        IPolls.SkipReason reason = IPolls.SkipReason.VersionNotHigher;
        _open(_sealed(IPolls.PollKind.Single), MANY);
        uint256 good = _good(address(polls), _castSealedData(0, 2, 0, true));
        _assertBallotsSkipped(_castSealedData(0, 0, 0, true), 0, reason, good);
        _accepted(_castSealedData(0, 2, 0, true));
        good = _good(address(polls), _castSealedData(0, 3, 0, false));
        _assertBallotsSkipped(_castSealedData(0, 2, 0, false), 0, reason, good);
        _assertBallotsSkipped(_castSealedData(0, 1, 0, false), 0, reason, good);
    }

    function test_CastingSealedWithWrongSignaturesChangesNothing() public {
        _open(_sealed(IPolls.PollKind.Single), MANY);
        uint256 good = _good(address(polls), _castSealedData(0, 1, 0, true));
        _assertBallotsSkipped(_castSealedData(0, 1, 1, true), 0, IPolls.SkipReason.SignatureInvalid, good);
    }

    // ---------------------------------------------------------------------------------------------
    // Opening
    // ---------------------------------------------------------------------------------------------

    function _assertOpeningsSkipped(
        uint256 first,
        IPolls.SealedBallot[] memory ballots,
        IPolls.SkipReason reason,
        uint256 good
    ) private {
        address[] memory accounts = _voters(first, COUNT);
        _assertAllSkipped(
            Bad({
                target: address(polls),
                data: abi.encodeCall(polls.openBallots, (pollId, accounts, ballots)),
                topic: IPolls.OpeningSkipped.selector,
                accountTopic: 2,
                accounts: accounts,
                reason: uint8(reason)
            }),
            good
        );
    }

    /// @dev Every voter's ballot is sealed, and the secret is known.
    function _readyToOpen() private returns (IPolls.SealedBallot[] memory ballots, bytes memory data) {
        _open(_sealed(IPolls.PollKind.Single), MANY);
        _accepted(_castSealedData(0, 1, 0, true));
        _close();
        _publishSecret();
        ballots = _sealedBallots(0, 1);
        data = abi.encodeCall(polls.openBallots, (pollId, _voters(0, COUNT), ballots));
    }

    function test_OpeningWhatIsNotSealedChangesNothing() public {
        (IPolls.SealedBallot[] memory ballots, bytes memory data) = _readyToOpen();
        uint256 good = _good(address(polls), data);
        // Nobody's ballots.
        _assertOpeningsSkipped(COUNT, _sealedBallots(COUNT, 1), IPolls.SkipReason.NotSealed, good);
        // Ballots that are open already.
        (bool success,) = address(polls).call(data);
        assertTrue(success, "opened");
        _assertOpeningsSkipped(0, ballots, IPolls.SkipReason.NotSealed, good);
    }

    function test_OpeningWithOtherWordsChangesNothing() public {
        (IPolls.SealedBallot[] memory ballots, bytes memory data) = _readyToOpen();
        uint256 good = _good(address(polls), data);
        for (uint256 i = 0; i < COUNT; ++i) {
            ballots[i].maskedChoice ^= 1;
        }
        _assertOpeningsSkipped(0, ballots, IPolls.SkipReason.SealMismatch, good);
        // Another version of the same voter, never cast.
        _assertOpeningsSkipped(0, _sealedBallots(0, 2), IPolls.SkipReason.SealMismatch, good);
    }
}

/// @title Stamps and redemptions
/// forge-config: default.isolate = true
contract BadRewardBatchesTest is RewardFixture, BatchWatch {
    uint32 private constant WEALTH = 1_000;

    function _watched() internal view override returns (address[] memory list) {
        list = new address[](6);
        (list[0], list[1], list[2]) = (address(points), address(shop), address(turnout));
        (list[3], list[4], list[5]) = (address(rounds), address(issuerKeys), address(municipalities));
    }

    // ---------------------------------------------------------------------------------------------
    // Stamps
    // ---------------------------------------------------------------------------------------------

    function _claimData(address[] memory accounts, bytes memory stamps) private view returns (bytes memory) {
        return abi.encodeCall(points.claim, (1, accounts, stamps));
    }

    function _badClaim(address[] memory accounts, bytes memory stamps, IRewardPoints.SkipReason reason)
        private
        view
        returns (Bad memory)
    {
        return Bad({
            target: address(points),
            data: _claimData(accounts, stamps),
            topic: IRewardPoints.StampSkipped.selector,
            accountTopic: 2,
            accounts: accounts,
            reason: uint8(reason)
        });
    }

    function test_ClaimingWhatIsClaimedChangesNothing() public {
        IRewardPoints.SkipReason reason = IRewardPoints.SkipReason.AlreadyClaimed;
        _openSource(1_000, POINTS, 0);
        address[] memory accounts = _accounts(0, COUNT);
        bytes memory stamps = _stamps(1, accounts);
        points.claim(1, accounts, stamps);
        address[] memory others = _accounts(COUNT, COUNT);
        uint256 good = _good(address(points), _claimData(others, _stamps(1, others)));
        _assertAllSkipped(_badClaim(accounts, stamps, reason), good);
        _assertAllSkipped(_badClaim(accounts, _garbage(96 * COUNT), reason), good);
        _assertAllSkipped(_badClaim(_repeated(accounts[7]), stamps, reason), good);
    }

    function test_ClaimingBeyondTheParticipantsChangesNothing() public {
        _openSource(COUNT, POINTS, 0);
        address[] memory accounts = _accounts(0, COUNT);
        bytes memory stamps = _stamps(1, accounts);
        uint256 good = _good(address(points), _claimData(accounts, stamps));
        turnout.set(1, 0);
        IRewardPoints.SkipReason reason = IRewardPoints.SkipReason.ParticipantsExceeded;
        _assertAllSkipped(_badClaim(accounts, stamps, reason), good);
        _assertAllSkipped(_badClaim(accounts, _garbage(96 * COUNT), reason), good);
    }

    /// @notice One bad stamp among good ones, wherever it stands and whatever is bad about it.
    function test_RevertWhen_OneStampOfManyIsBad() public {
        _openSource(1_000, POINTS, 0);
        address[] memory accounts = _accounts(0, COUNT);
        bytes memory stamps = _stamps(1, accounts);
        uint256 good = _good(address(points), _claimData(accounts, stamps));
        bytes memory error_ = abi.encodeWithSelector(IRewardPoints.StampsInvalid.selector, 1);
        bytes[5] memory bad = _badPoints(_stamp(1, stranger));
        uint256[5] memory places = [uint256(0), 1, COUNT / 2, COUNT - 2, COUNT - 1];
        for (uint256 i = 0; i < 5; ++i) {
            _assertRefused(address(points), _claimData(accounts, _replaced(stamps, places[i], bad[i])), error_, good);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Redemptions
    // ---------------------------------------------------------------------------------------------

    /// @dev A prize, and citizens of whom each can pay for it.
    /// @return batch One redemption for each.
    /// @return good What as many good ones cost.
    function _prepare() private returns (IRewardShop.Redemption[] memory batch, uint256 good) {
        _endow(0, COUNT, WEALTH, 0);
        _listPrize(PRICE, 1_000);
        vm.warp(VALID_FROM);
        batch = _redemptions(1);
        good = _good(address(shop), _redeemData(batch, 0));
    }

    function _redemptions(uint256 prizeId) private view returns (IRewardShop.Redemption[] memory batch) {
        batch = new IRewardShop.Redemption[](COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            batch[i] = _redemption(i, prizeId, 0);
        }
    }

    /// @dev Signed by citizens `first`, ...
    function _redeemData(IRewardShop.Redemption[] memory batch, uint256 first) private view returns (bytes memory) {
        bytes memory signatures = new bytes(64 * COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            _copy(_sign(first + i, batch[i]), signatures, 64 * i);
        }
        return abi.encodeCall(shop.redeem, (batch, signatures));
    }

    function _assertRedemptionsSkipped(
        IRewardShop.Redemption[] memory batch,
        uint256 firstSigner,
        IRewardShop.SkipReason reason,
        uint256 good
    ) private {
        _assertAllSkipped(
            Bad({
                target: address(shop),
                data: _redeemData(batch, firstSigner),
                topic: IRewardShop.RedemptionSkipped.selector,
                accountTopic: 1,
                accounts: _accounts(0, COUNT),
                reason: uint8(reason)
            }),
            good
        );
    }

    function test_RedeemingWithUsedCodesChangesNothing() public {
        (IRewardShop.Redemption[] memory batch, uint256 good) = _prepare();
        (bool success,) = address(shop).call(_redeemData(batch, 0));
        assertTrue(success, "redeemed");
        assertEq(shop.prize(1).stock, 1_000 - COUNT, "redeemed");
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.CodeUsed, good);
    }

    function test_RedeemingUnknownOrOtherPrizesChangesNothing() public {
        (IRewardShop.Redemption[] memory batch, uint256 good) = _prepare();
        for (uint256 i = 0; i < COUNT; ++i) {
            batch[i].prizeId = 2 + i;
        }
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.PrizeUnknown, good);
        batch = _redemptions(1);
        for (uint256 i = 0; i < COUNT; ++i) {
            batch[i].price = i % 2 == 0 ? PRICE - 1 : PRICE + 1;
        }
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.PrizeDiffers, good);
        batch = _redemptions(1);
        for (uint256 i = 0; i < COUNT; ++i) {
            batch[i].contentHash = keccak256("a tea kettle");
        }
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.PrizeDiffers, good);
    }

    function test_RedeemingWhatCannotBeHadChangesNothing() public {
        (IRewardShop.Redemption[] memory batch, uint256 good) = _prepare();
        vm.warp(VALID_FROM - 1);
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.NotYetValid, good);
        vm.warp(VALID_UNTIL);
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.NoLongerValid, good);
        vm.warp(VALID_FROM);
        uint256 snapshot = vm.snapshotState();
        vm.prank(partner);
        shop.lowerStock(1, 1_000);
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.SoldOut, good);
        vm.revertToState(snapshot);
        vm.prank(operator);
        municipalities.revokeRole(municipalityId, IMunicipalities.Role.Partner, partner);
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.PartnerLacksRole, good);
        vm.revertToState(snapshot);
        vm.prank(partner);
        shop.withdrawPrize(1);
        _assertRedemptionsSkipped(batch, 0, IRewardShop.SkipReason.PrizeWithdrawn, good);
    }

    function test_RedeemingWithWrongSignaturesChangesNothing() public {
        (IRewardShop.Redemption[] memory batch, uint256 good) = _prepare();
        _assertRedemptionsSkipped(batch, 1, IRewardShop.SkipReason.SignatureInvalid, good);
    }

    function test_RedeemingWithoutPointsChangesNothing() public {
        IRewardShop.SkipReason reason = IRewardShop.SkipReason.PointsInsufficient;
        (IRewardShop.Redemption[] memory batch, uint256 good) = _prepare();
        _assertRedemptionsSkipped(_redemptions(_listPrize(WEALTH + 1, 1_000)), 0, reason, good);
        // As many seasons as are looked at, and none of them there.
        for (uint256 i = 0; i < COUNT; ++i) {
            uint256[] memory seasons = new uint256[](4);
            (seasons[0], seasons[1], seasons[2], seasons[3]) = (1, 2, 3, 4);
            batch[i].seasonIds = seasons;
        }
        _assertRedemptionsSkipped(batch, 0, reason, good);
    }
}
