// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {Anchors} from "../../src/anchors/Anchors.sol";
import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IBudgetRounds} from "../../src/interfaces/IBudgetRounds.sol";
import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {IIssuerKeys} from "../../src/interfaces/IIssuerKeys.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IPolls} from "../../src/interfaces/IPolls.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {Polls} from "../../src/polls/Polls.sol";
import {RewardPoints} from "../../src/rewards/RewardPoints.sol";
import {RewardShop} from "../../src/rewards/RewardShop.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {PollFixture} from "../PollFixture.sol";
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

/// @title What an observer reads of a ballot in storage and events
/// @notice Nothing on chain hides an account's choice or when it was cast; what is hidden is whose account it is. See "What
/// a poll shows" in docs/threat-model.md. Transactions are public too: their calldata adds who submitted and the
/// credentials, which were signed blind.
contract ObserverTest is PollFixture {
    /// @dev Where `Polls` keeps its polls, and where in a poll the counters, the tally and the ballots are.
    uint256 private constant POLLS_SLOT = 3;
    uint256 private constant COUNTERS = 1;
    uint256 private constant TALLY = 11;
    uint256 private constant RECORDS = 31;

    function _base() private view returns (uint256) {
        return uint256(keccak256(abi.encode(pollId, POLLS_SLOT)));
    }

    function _slotOf(address account) private view returns (bytes32) {
        return keccak256(abi.encode(account, _base() + RECORDS));
    }

    /// @dev Voter i casts version 4i + 1 for option i.
    function _ballotOf(uint256 voter) private pure returns (IPolls.Ballot memory) {
        return IPolls.Ballot({version: uint32(4 * voter + 1), choice: uint128(1 << voter)});
    }

    /// @dev Casts the ballots of three voters in this order and looks at everything that is left of them.
    function _assertObserved(uint8[3] memory order, address submitter) private {
        address[] memory accounts = new address[](3);
        IPolls.Ballot[] memory ballots = new IPolls.Ballot[](3);
        bytes memory signatures;
        for (uint256 i = 0; i < 3; ++i) {
            accounts[i] = _voter(order[i]);
            ballots[i] = _ballotOf(order[i]);
            signatures = bytes.concat(signatures, _sign(order[i], ballots[i]));
        }
        bytes memory credentials = _credentials(accounts);
        vm.recordLogs();
        vm.record();
        vm.prank(submitter);
        polls.castBallots(pollId, accounts, ballots, signatures, credentials);

        // Events: account, version and choice, in the order of the batch, and not a word more.
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 3, "one event for each ballot");
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(logs[i].topics.length, 3, "indexed words");
            assertEq(logs[i].topics[0], IPolls.BallotCast.selector, "cast");
            assertEq(uint256(logs[i].topics[1]), pollId, "poll");
            assertEq(logs[i].topics[2], bytes32(uint256(uint160(accounts[i]))), "account, by its place in the batch");
            assertEq(logs[i].data, abi.encode(ballots[i].version, ballots[i].choice), "version and choice");
        }

        // Storage: a word for each account, the counters, the tally, and no other slot of any contract.
        (, bytes32[] memory writes) = vm.accesses(address(polls));
        for (uint256 i = 0; i < writes.length; ++i) {
            assertTrue(_isExpected(writes[i]), "no other slot is written");
        }
        (, writes) = vm.accesses(address(issuerKeys));
        assertEq(writes.length, 0, "nothing in the register of keys");
        (, writes) = vm.accesses(address(municipalities));
        assertEq(writes.length, 0, "nothing in the register of municipalities");
        for (uint256 voter = 0; voter < 3; ++voter) {
            IPolls.Ballot memory ballot = _ballotOf(voter);
            assertEq(
                uint256(vm.load(address(polls), _slotOf(_voter(voter)))),
                uint256(ballot.choice) << 40 | 1 << 32 | ballot.version,
                "who knows the account reads choice and version, and nothing else is in the word"
            );
        }
        assertEq(uint256(vm.load(address(polls), bytes32(_base() + COUNTERS))), uint256(3) << 32 | 100, "counters");
        assertEq(uint256(vm.load(address(polls), bytes32(_base() + TALLY))), 1 << 64 | 1 << 32 | 1, "tally");
    }

    function _isExpected(bytes32 slot) private view returns (bool) {
        for (uint256 voter = 0; voter < 3; ++voter) {
            if (slot == _slotOf(_voter(voter))) return true;
        }
        return slot == bytes32(_base() + COUNTERS) || slot == bytes32(_base() + TALLY);
    }

    /// @notice Whoever submits, in whatever order and at whatever time: storage is the same to the last bit, so neither
    /// submitter nor order nor time nor credential is in it. The block of a ballot is known from the transaction.
    function test_ObserverLearnsAccountVersionChoiceAndBlockAndNothingElse() public {
        _open(_revotable(IPolls.PollKind.Single), 100);
        uint256 snapshot = vm.snapshotState();
        _assertObserved([0, 1, 2], stranger);
        vm.revertToState(snapshot);
        vm.warp(OPENS_AT + 5 hours);
        _assertObserved([2, 0, 1], clerk);
        vm.revertToState(snapshot);
        vm.warp(CLOSES_AT - 1);
        _assertObserved([1, 2, 0], _voter(0));
    }

    /// @notice Replaced ballots leave the storage, not the chain.
    function test_ObserverReadsEveryVersionEverCast() public {
        _open(_revotable(IPolls.PollKind.Single), 100);
        vm.recordLogs();
        _cast(0, 1, 1);
        bytes32 slot = _slotOf(_voter(0));
        bytes32 first = vm.load(address(polls), slot);
        _recast(0, 2, 4);
        bytes32 second = vm.load(address(polls), slot);
        assertEq(uint256(first), uint256(1) << 40 | 1 << 32 | 1, "a node that keeps old states shows the first choice");
        assertEq(uint256(second), uint256(4) << 40 | 1 << 32 | 2, "and then the second");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2, "both are in the events");
        assertEq(logs[0].data, abi.encode(uint32(1), uint128(1)), "that it changed its mind is seen");
        assertEq(logs[1].data, abi.encode(uint32(2), uint128(4)), "and from what to what");
    }

    /// @notice Of a sealed ballot: account, version and block, and a hash for the choice.
    function test_ObserverLearnsNoChoiceOfASealedBallot() public {
        _open(_sealed(IPolls.PollKind.Single), 100);
        IPolls.SealedBallot memory ballot = _seal(0, 3, 4);
        vm.recordLogs();
        vm.record();
        _castSealed(0, ballot);
        (, bytes32[] memory writes) = vm.accesses(address(polls));
        for (uint256 i = 0; i < writes.length; ++i) {
            assertTrue(
                writes[i] == _slotOf(_voter(0)) || writes[i] == bytes32(_base() + COUNTERS), "no tally is written"
            );
        }
        uint256 hash = uint256(keccak256(abi.encode(ballot.point, bytes32(uint256(ballot.maskedChoice)))));
        uint256 word = uint256(vm.load(address(polls), _slotOf(_voter(0))));
        assertEq(word, hash >> 40 << 40 | 2 << 32 | 3, "hash, sealed, version");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "one event");
        assertEq(logs[0].data, abi.encode(ballot.version, ballot.point, ballot.maskedChoice), "what opening takes");
        assertTrue(ballot.maskedChoice != 4, "the choice is masked");
    }
}

/// @title Polls after a reorganisation of the chain
/// @dev A reorganisation is modelled by going back to an earlier state; whoever keeps signed messages brings them again.
contract PollReorgTest is PollFixture {
    struct Items {
        address[] accounts;
        IPolls.Ballot[] ballots;
        bytes signatures;
        bytes credentials;
    }

    /// @dev First ballots of voters `first`, ..., for their own options.
    function _items(uint256 first, uint256 count, uint32 version) private view returns (Items memory items) {
        items.accounts = _voters(first, count);
        items.ballots = new IPolls.Ballot[](count);
        for (uint256 i = 0; i < count; ++i) {
            items.ballots[i] = IPolls.Ballot({version: version, choice: uint128(1 << (first + i + version) % 5)});
            items.signatures = bytes.concat(items.signatures, _sign(first + i, items.ballots[i]));
        }
        items.credentials = _credentials(items.accounts);
    }

    function _submit(Items memory items) private {
        polls.castBallots(pollId, items.accounts, items.ballots, items.signatures, items.credentials);
    }

    function _state() private view returns (bytes memory state) {
        state = abi.encode(polls.poll(pollId), polls.results(pollId));
        for (uint256 i = 0; i < 6; ++i) {
            state = bytes.concat(state, abi.encode(polls.ballotOf(pollId, _voter(i))));
        }
    }

    /// @notice The same ballots again, by others, in other batches, in another order, twice: each counts once, and the
    /// end is the same as without the reorganisation.
    function test_BallotsBroughtAgainAfterAReorgCountOnce() public {
        _open(_revotable(IPolls.PollKind.Single), 100);
        Items memory all = _items(0, 6, 1);
        Items memory some = _items(2, 3, 1);
        Items memory later = _items(1, 3, 2);
        uint256 snapshot = vm.snapshotState();
        _submit(all);
        _submit(later);
        bytes memory expected = _state();
        assertEq(polls.participants(pollId), 6, "six");

        vm.revertToState(snapshot);
        assertEq(polls.participants(pollId), 0, "all is gone");
        _submit(later);
        _submit(some);
        _submit(all);
        _submit(later);
        _submit(all);
        assertEq(_state(), expected, "as if nothing had happened");
    }

    /// @notice Where ballots cannot be changed, the first one that arrives stays, and after a reorganisation that may be
    /// another one of the same account: it still has one.
    function test_WithoutRevoteAReorgMayChangeWhichBallotCounts() public {
        _open(_single(), 100);
        Items memory first = _items(0, 1, 1);
        Items memory second = _items(0, 1, 2);
        uint256 snapshot = vm.snapshotState();
        _submit(first);
        _submit(second);
        assertEq(polls.ballotOf(pollId, _voter(0)).version, 1, "the first one");
        vm.revertToState(snapshot);
        _submit(second);
        _submit(first);
        assertEq(polls.ballotOf(pollId, _voter(0)).version, 2, "the one that came first this time");
        assertEq(polls.participants(pollId), 1, "one ballot");
    }

    // ---------------------------------------------------------------------------------------------
    // Two creations exchange their ids
    // ---------------------------------------------------------------------------------------------

    uint256 private constant PLAYGROUND_SECRET = 111;
    uint256 private constant ROAD_SECRET = 222;

    /// @dev Creates both polls, publishes counts and opens them.
    function _createBoth(bool exchanged) private {
        IPolls.PollConfig memory playground = _single();
        IPolls.PollConfig memory road = _single();
        (playground.contentHash, road.contentHash) = (keccak256("playground"), keccak256("road"));
        bytes memory playgroundKey = BlsSigner.publicKey(PLAYGROUND_SECRET);
        bytes memory roadKey = BlsSigner.publicKey(ROAD_SECRET);
        vm.prank(clerk);
        polls.createPoll(exchanged ? road : playground, exchanged ? roadKey : playgroundKey);
        vm.prank(clerk);
        polls.createPoll(exchanged ? playground : road, exchanged ? playgroundKey : roadKey);
        for (pollId = 2; pollId > 0; --pollId) {
            _publishIssued(100);
        }
        pollId = 1;
        vm.warp(OPENS_AT);
        assertEq(
            polls.poll(1).config.contentHash, exchanged ? road.contentHash : playground.contentHash, "poll 1 is another"
        );
    }

    /// @dev A ballot for poll 1, which was the playground's when it was signed.
    function _playgroundBallot() private view returns (Items memory items) {
        items.accounts = _voters(0, 1);
        items.ballots = _ballots(1, 2);
        items.signatures = _sign(0, items.ballots[0]);
        items.credentials = _credentialUnder(PLAYGROUND_SECRET);
    }

    function _credentialUnder(uint256 secret) private view returns (bytes memory) {
        return BlsSigner.unpad(BlsSigner.multiply(_hashPoint(1, _voter(0)), secret));
    }

    /// @notice Ids follow the order of creation, so a reorganisation can exchange them. A ballot names the id; but its
    /// credential was signed for that id with the key of the earlier poll, and serves neither poll now.
    function test_RevertGiven_AReorgExchangedPollsAndTheCredentialIsOfTheOther() public {
        pollId = 1;
        Items memory items = _playgroundBallot();
        uint256 snapshot = vm.snapshotState();
        _createBoth(false);
        _submit(items);
        assertEq(polls.results(1)[1], 1, "before the reorganisation it counts");

        vm.revertToState(snapshot);
        _createBoth(true);
        vm.expectRevert(abi.encodeWithSelector(IPolls.CredentialsInvalid.selector, 1));
        _submit(items);
        // The playground is number 2 now: the ballot names another poll,
        pollId = 2;
        vm.expectEmit(address(polls));
        emit IPolls.BallotSkipped(2, _voter(0), 1, IPolls.SkipReason.SignatureInvalid);
        _submit(items);
        // and signed anew it still lacks a credential, though the key is the playground's.
        items.signatures = _sign(0, items.ballots[0]);
        vm.expectRevert(abi.encodeWithSelector(IPolls.CredentialsInvalid.selector, 2));
        _submit(items);
        assertEq(polls.participants(1) + polls.participants(2), 0, "it counts nowhere");
    }

    /// @notice What no contract can see: if the same account is admitted to the other poll, the ballot signed for the
    /// earlier poll of that number counts there, with a choice meant for other options. Therefore operators open
    /// registration only once the block of the creation is final; docs/threat-model.md tells them so.
    function test_BallotSignedBeforeAReorgCountsInTheOtherPollIfItsAccountIsAdmittedThere() public {
        pollId = 1;
        Items memory items = _playgroundBallot();
        _createBoth(true);
        items.credentials = _credentialUnder(ROAD_SECRET);
        _submit(items);
        assertEq(polls.results(1)[1], 1, "counted on the road, meant for the playground");
        assertEq(polls.ballotOf(1, _voter(0)).choice, 2, "the choice as it was signed");
        assertEq(polls.participants(2), 0, "the playground has none");
    }
}

/// @title Rounds after a reorganisation of the chain
contract RoundReorgTest is RoundFixture {
    function _state() private view returns (bytes memory state) {
        state = abi.encode(round.registeredCount(), round.classInfo(0), round.participants(round.roundId()));
        for (uint256 i = 0; i < 6; ++i) {
            state = bytes.concat(state, abi.encode(round.citizen(_citizen(i)), round.unspentOf(_citizen(i))));
        }
        for (uint16 id = 1; id <= round.initiativeCount(); ++id) {
            state = bytes.concat(state, abi.encode(round.initiative(id)));
        }
        state = bytes.concat(state, abi.encode(token.reconciliation()));
    }

    function test_RegistrationsBroughtAgainAfterAReorgCountOnce() public {
        _createWith(_cumulative(), 1, 3);
        _mint(APPROPRIATION);
        _openRegistration();
        uint256 snapshot = vm.snapshotState();
        _register(0, 0, 6);
        bytes memory expected = _state();
        assertEq(round.registeredCount(), 6, "six");

        vm.revertToState(snapshot);
        assertEq(round.registeredCount(), 0, "all is gone");
        vm.recordLogs();
        _register(0, 2, 3);
        _register(0, 0, 6);
        _register(0, 5, 1);
        assertEq(_state(), expected, "as if nothing had happened");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 registered = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IBudgetRound.Registered.selector) ++registered;
        }
        assertEq(registered, 6, "each once");
    }

    function test_AllocationsBroughtAgainAfterAReorgCountOnce() public {
        _pledgingWith(_cumulative(), 6, 3);
        uint256 snapshot = vm.snapshotState();
        _allocate(0, 1, _list(1, 2), _list(50, 50));
        _allocate(1, 1, _list(3), _list(100));
        _allocate(0, 2, _list(3), _list(70));
        bytes memory expected = _state();

        vm.revertToState(snapshot);
        assertEq(_inWallet(3), 0, "all is gone");
        // The later version of citizen 0 comes first, then everything again.
        _allocate(0, 2, _list(3), _list(70));
        _allocate(0, 1, _list(1, 2), _list(50, 50));
        _allocate(1, 1, _list(3), _list(100));
        _allocate(0, 2, _list(3), _list(70));
        assertEq(_state(), expected, "as if nothing had happened");
        assertEq(round.participants(round.roundId()), 2, "two took part");
    }

    // ---------------------------------------------------------------------------------------------
    // Two creations exchange their places
    // ---------------------------------------------------------------------------------------------

    /// @dev A round with one class under this key, and an initiative, pledging.
    function _begin(bytes32 contentHash, uint256 secret) private {
        IBudgetRound.RoundConfig memory config = _cumulative();
        config.contentHash = contentHash;
        _create(config);
        bytes memory key = BlsSigner.publicKey(secret);
        vm.prank(clerk);
        round.addClass(1, key);
        vm.prank(clerk);
        round.addInitiative(1_000_00, contentHash);
        _mint(APPROPRIATION);
        _openRegistration();
    }

    function _credentialUnder(uint256 secret) private view returns (bytes memory) {
        return BlsSigner.unpad(BlsSigner.multiply(_hashPoint(0, _citizen(0)), secret));
    }

    /// @notice A round's address follows from the order of creation too: after a reorganisation another round may stand
    /// there, under the same id. Credentials are of a key, so they do not pass over; a signed allocation of an account
    /// that is admitted to the other round would count in it. The rule for operators is the same as for polls.
    function test_RoundsThatExchangeTheirPlacesShareNoCredentialButSignedAllocations() public {
        uint256 snapshot = vm.snapshotState();
        _begin(keccak256("north"), 111);
        address place = address(round);
        bytes memory credential = _credentialUnder(111);
        round.register(0, _accounts(0, 1), credential);
        IBudgetRound.Allocation[] memory batch = new IBudgetRound.Allocation[](1);
        batch[0] = _allocation(0, 1, _list(1), _list(100));
        bytes memory signature = _sign(0, batch[0]);

        vm.revertToState(snapshot);
        _begin(keccak256("south"), 222);
        assertEq(address(round), place, "another round in the same place");
        assertEq(round.roundId(), 1, "under the same id");
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.CredentialsInvalid.selector, 0));
        round.register(0, _accounts(0, 1), credential);
        assertEq(round.registeredCount(), 0, "the credential is of the other key");
        round.register(0, _accounts(0, 1), _credentialUnder(222));
        _openPledging();
        round.allocate(batch, signature);
        assertEq(round.citizen(_citizen(0)).version, 1, "meant for the north, counted in the south");
    }
}

/// @title Nobody speaks in another's name
/// @notice A known break of relayed calls: a contract that reads its sender from the end of the calldata, and runs calls
/// to itself with calldata of the caller's making (`multicall`), takes any address for the sender. No contract here does
/// either: the sender is asked for by `_msgSender()`, which is `msg.sender`, and nothing calls itself.
contract SenderSpoofingTest is RoundFixture {
    /// @dev A call that only `rightful` may make, and how everybody else is refused.
    struct Guarded {
        address target;
        address rightful;
        bytes data;
        bytes refusal;
    }

    address private partner = _named("partner");
    address private registrar = _named("registrar");
    Polls private polls;
    Anchors private anchors;
    RewardPoints private points;
    RewardShop private shop;

    function setUp() public override {
        super.setUp();
        _grant(IMunicipalities.Role.Partner, partner);
        _grant(IMunicipalities.Role.Registrar, registrar);
        polls = new Polls(address(municipalities), address(issuerKeys));
        anchors = new Anchors(address(municipalities));
        address shop_ = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        points = new RewardPoints(address(municipalities), address(issuerKeys), address(rounds), shop_);
        shop = new RewardShop(address(municipalities), address(points));
        vm.prank(operator);
        issuerKeys.admitVerifier(address(polls));
        _pledgingWith(_cumulative(), 0, 1);
        _closePledging();
        _settle(_list(1));
    }

    function _lacks(IMunicipalities.Role role) private view returns (bytes memory) {
        // All contracts have this error.
        return abi.encodeWithSelector(IBudgetRound.CallerLacksRole.selector, stranger, uint8(role));
    }

    function _refusal(bytes4 selector) private view returns (bytes memory) {
        return abi.encodeWithSelector(selector, stranger);
    }

    /// @dev At least one call for each contract and each kind of authority. Round 1 is settled; another is a draft.
    function _guarded() private returns (Guarded[] memory list) {
        address settled = address(round);
        uint64 later = uint64(block.timestamp + 1 days);
        uint64[4] memory deadlines = [later, later, later, later];
        _createWith(_cumulative(), 1, 1);
        list = new Guarded[](17);
        bytes memory lacksClerk = _lacks(IMunicipalities.Role.Clerk);
        list[0] = Guarded(address(round), clerk, abi.encodeCall(round.openRegistration, ()), lacksClerk);
        list[1] = Guarded(
            settled,
            treasurer,
            abi.encodeCall(round.recordPayment, (1, 1, bytes32("order"), 0)),
            _lacks(IMunicipalities.Role.Treasurer)
        );
        list[2] = Guarded(
            address(token), treasurer, abi.encodeCall(token.proposeMint, (1, 0)), _lacks(IMunicipalities.Role.Treasurer)
        );
        list[3] = Guarded(
            address(token),
            address(round),
            abi.encodeCall(token.release, ()),
            _refusal(IBudgetToken.CallerNotRound.selector)
        );
        list[4] = Guarded(
            address(rounds),
            clerk,
            abi.encodeCall(rounds.createRound, (_approval(), _appropriation(), "Round", "RND")),
            abi.encodeWithSelector(IBudgetRounds.CallerNotClerk.selector, stranger, municipalityId)
        );
        list[5] = Guarded(
            address(rounds),
            address(round),
            abi.encodeCall(rounds.claimIssuerKey, (keccak256("key"))),
            _refusal(IBudgetRounds.CallerNotRound.selector)
        );
        list[6] = Guarded(
            address(issuerKeys),
            address(rounds),
            abi.encodeCall(issuerKeys.claim, (keccak256("another key"))),
            _refusal(IIssuerKeys.CallerNotVerifier.selector)
        );
        list[7] = Guarded(
            address(issuerKeys),
            operator,
            abi.encodeCall(issuerKeys.admitVerifier, (stranger)),
            _refusal(IIssuerKeys.CallerNotOwner.selector)
        );
        list[8] = Guarded(
            address(municipalities),
            operator,
            abi.encodeCall(municipalities.admit, ("66401009", "Town")),
            _refusal(Ownable.OwnableUnauthorizedAccount.selector)
        );
        list[9] = Guarded(
            address(milestones), clerk, abi.encodeCall(milestones.schedule, (settled, 1, deadlines)), lacksClerk
        );
        list[10] = Guarded(
            address(polls), clerk, abi.encodeCall(polls.createPoll, (_poll(), BlsSigner.publicKey(77))), lacksClerk
        );
        list[11] =
            Guarded(address(points), clerk, abi.encodeCall(points.openSeason, (municipalityId, later)), lacksClerk);
        list[12] = Guarded(
            address(points),
            address(shop),
            abi.encodeCall(points.burn, (municipalityId, stranger, new uint256[](0), 0)),
            _refusal(IRewardPoints.CallerNotShop.selector)
        );
        list[13] = Guarded(
            address(points),
            address(shop),
            abi.encodeCall(points.giveBack, (municipalityId, stranger, 5)),
            _refusal(IRewardPoints.CallerNotShop.selector)
        );
        list[14] = Guarded(
            address(shop),
            partner,
            abi.encodeCall(
                shop.listPrize, (municipalityId, 5, 5, uint40(later), uint40(later + 1), 1 days, keccak256("prize"))
            ),
            _lacks(IMunicipalities.Role.Partner)
        );
        list[15] = Guarded(
            address(anchors),
            registrar,
            abi.encodeCall(anchors.openStream, (municipalityId, "appeals")),
            _lacks(IMunicipalities.Role.Registrar)
        );
        list[16] = Guarded(
            settled, treasurer, abi.encodeCall(round.returnRemainder, (1)), _lacks(IMunicipalities.Role.Treasurer)
        );
    }

    function _poll() private view returns (IPolls.PollConfig memory) {
        return IPolls.PollConfig({
            municipalityId: municipalityId,
            kind: IPolls.PollKind.Single,
            optionCount: 2,
            maxChoices: 1,
            revote: false,
            opensAt: uint64(block.timestamp),
            closesAt: uint64(block.timestamp + 1 days),
            grace: 0,
            contentHash: keccak256("poll"),
            sealingKey: 0
        });
    }

    /// @notice An address at the end of the calldata, as forwarders put it there, gives nobody's authority; and who has
    /// authority keeps it, whoever stands there.
    function test_AppendedAddressNeverChangesTheSender() public {
        Guarded[] memory list = _guarded();
        for (uint256 i = 0; i < list.length; ++i) {
            Guarded memory call_ = list[i];
            bytes[3] memory tails = [
                abi.encodePacked(call_.rightful),
                abi.encode(call_.rightful),
                abi.encodePacked(stranger, call_.rightful, call_.rightful)
            ];
            for (uint256 j = 0; j < tails.length; ++j) {
                vm.prank(stranger);
                (bool accepted, bytes memory result) = call_.target.call(bytes.concat(call_.data, tails[j]));
                assertFalse(accepted, "refused");
                assertEq(result, call_.refusal, "the sender is the stranger");
            }
            vm.prank(call_.rightful);
            (bool success,) = call_.target.call(bytes.concat(call_.data, bytes20(stranger)));
            assertTrue(success, "the sender is who sends");
        }
        // What was recorded is in the senders' names.
        assertEq(token.mintProposal(1).proposer, treasurer, "the treasurer proposed");
        assertEq(shop.prize(1).partner, partner, "the partner's prize");
        assertEq(issuerKeys.claimedBy(keccak256("another key")), address(rounds), "the factory's key");
    }

    /// @notice Registrations and allocations need nobody's authority; appended addresses are not read there either.
    function test_AppendedAddressNeverRegistersAnybody() public {
        _createWith(_cumulative(), 1, 1);
        _openRegistration();
        address[] memory accounts = _accounts(0, 1);
        bytes memory data = abi.encodeCall(round.register, (0, accounts, _credentials(0, accounts)));
        vm.prank(stranger);
        (bool success,) = address(round).call(bytes.concat(data, bytes20(_citizen(1)), abi.encode(_citizen(2))));
        assertTrue(success, "accepted from anybody");
        assertEq(round.registeredCount(), 1, "the account of the credential alone");
        assertFalse(round.citizen(_citizen(1)).registered, "not the appended one");
        assertFalse(round.citizen(_citizen(2)).registered, "not the appended one");
        assertFalse(round.citizen(stranger).registered, "not the sender");
    }

    /// @notice No contract runs several calls at once, or a call for somebody else, or trusts a forwarder: there is no such
    /// function, so the call ends without a word. Even the one who may do what is in it may not do it this way.
    function test_RevertWhen_CalledByMulticall() public {
        Guarded[] memory list = _guarded();
        for (uint256 i = 0; i < list.length; ++i) {
            Guarded memory call_ = list[i];
            bytes[] memory inner = new bytes[](1);
            inner[0] = bytes.concat(call_.data, bytes20(call_.rightful));
            bytes[6] memory outer = [
                abi.encodeWithSignature("multicall(bytes[])", inner),
                abi.encodeWithSignature("multicall(uint256,bytes[])", type(uint256).max, inner),
                abi.encodeWithSignature("multicall(address,bytes[])", call_.rightful, inner),
                abi.encodeWithSignature("execute(address,bytes)", call_.rightful, inner[0]),
                abi.encodeWithSignature("isTrustedForwarder(address)", stranger),
                abi.encodeWithSignature("trustedForwarder()")
            ];
            address[2] memory callers = [stranger, call_.rightful];
            for (uint256 j = 0; j < 12; ++j) {
                vm.prank(callers[j % 2]);
                (bool accepted, bytes memory result) = call_.target.call(outer[j / 2]);
                assertFalse(accepted, "there is no such function");
                assertEq(result.length, 0, "and nothing looked at it");
            }
            vm.prank(call_.rightful);
            (bool success,) = call_.target.call(call_.data);
            assertTrue(success, "what was in it would have been accepted");
        }
    }
}
