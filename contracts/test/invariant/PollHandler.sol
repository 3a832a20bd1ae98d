// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IPolls} from "../../src/interfaces/IPolls.sol";
import {PollFixture} from "../PollFixture.sol";
import {Vm} from "../Vm.sol";
import {PollStore} from "./PollStore.sol";

/// @title What voters, staff, trustees, the operator and strangers do to three polls, in any order
/// @notice Before every action the store's model says what must come of it; a difference is remembered as broken.
contract PollHandler is PollFixture {
    uint256 public constant VOTERS = 8;
    uint256 public constant POLLS = 3;

    PollStore public store;
    bool private immutable _isSealed;
    uint256 private _turn;
    mapping(uint256 id => mapping(address account => bytes)) private _issued;
    /// @dev The recorded sealed ballots.
    mapping(uint256 id => mapping(address account => IPolls.SealedBallot)) private _seals;

    /// @dev One item of a batch.
    struct Item {
        uint256 voter;
        uint32 version;
        uint128 choice;
        bool noise;
        bool signed;
    }

    constructor(bool isSealed) {
        _isSealed = isSealed;
    }

    function setUp() public override {
        super.setUp();
        store = new PollStore();
        vm.recordLogs();
        IPolls.PollKind[3] memory kinds = [IPolls.PollKind.Single, IPolls.PollKind.Multiple, IPolls.PollKind.Rating];
        for (uint256 i = 0; i < POLLS; ++i) {
            IPolls.PollConfig memory config = _isSealed ? _sealed(kinds[i]) : _config(kinds[i]);
            config.revote = i != 0;
            // Short enough for a run to go through all of it.
            config.closesAt = OPENS_AT + uint64(16 hours + i * 8 hours);
            _create(config);
            store.create(pollId, config);
            _publishIssued(2);
            store.publishIssued(pollId, 2);
            for (uint256 voter = 0; voter < VOTERS; ++voter) {
                _issued[pollId][_voter(voter)] = _credential(_voter(voter));
            }
        }
        vm.warp(OPENS_AT - 1 hours);
        _rememberLogs();
    }

    /// @dev Everybody who ever acts as an account: the voters, and one who never has a credential.
    function accounts() external pure returns (address[] memory) {
        return _voters(0, VOTERS + 1);
    }

    function thePolls() external view returns (address) {
        return address(polls);
    }

    modifier remembered() {
        _;
        _rememberLogs();
    }

    function _rememberLogs() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(polls)) _remember(logs[i]);
        }
        for (uint256 id = 1; id <= POLLS; ++id) {
            if (polls.isFinal(id)) {
                store.sawFinal(id, keccak256(abi.encode(polls.results(id), polls.participants(id))));
            } else {
                store.breaks("POL-12", store.finalSeen(id));
            }
        }
    }

    function _remember(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        uint256 id = uint256(log.topics[1]);
        address account = log.topics.length == 3 ? address(uint160(uint256(log.topics[2]))) : address(0);
        if (topic == IPolls.BallotCast.selector) {
            (uint32 version, uint128 choice) = abi.decode(log.data, (uint32, uint128));
            store.sawCast(id, account, version, choice, false);
        } else if (topic == IPolls.SealedBallotCast.selector) {
            (uint32 version,,) = abi.decode(log.data, (uint32, bytes32, uint128));
            store.sawCast(id, account, version, 0, true);
        } else if (topic == IPolls.BallotOpened.selector) {
            (uint32 version, uint128 choice) = abi.decode(log.data, (uint32, uint128));
            store.sawOpened(id, account, version, choice, false);
        } else if (topic == IPolls.BallotSpoilt.selector) {
            store.sawOpened(id, account, abi.decode(log.data, (uint32)), 0, true);
        } else if (topic == IPolls.CredentialsIssued.selector) {
            store.sawIssued(id, abi.decode(log.data, (uint32)));
        } else if (topic == IPolls.SealingSecretPublished.selector) {
            store.sawSecret(id);
        } else if (topic == IPolls.PollCancelled.selector) {
            store.sawCancelled(id);
        }
    }

    /// @dev Whether the contract took it. Events of a call that it refused are recorded too, and forgotten here.
    function _callAs(address sender, bytes memory data) private returns (bool success) {
        vm.prank(sender);
        (success,) = address(polls).call(data);
        if (!success) vm.getRecordedLogs();
    }

    /// @dev The fuzzer likes zero and the largest numbers; what depends on a remainder would then hardly vary.
    function _mixed(uint256 seed) private returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++_turn)));
    }

    function _next(uint256 seed) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed)));
    }

    // ---------------------------------------------------------------------------------------------
    // Voters
    // ---------------------------------------------------------------------------------------------

    /// @dev A batch of one to five ballots; some are bad in one way or another. All credentials are genuine.
    function cast(uint256 seed) external remembered {
        seed = _mixed(seed);
        pollId = 1 + seed % POLLS;
        uint256 count = 1 + (seed >> 8) % 5;
        uint256 brought = (seed >> 16) % 4 == 0 ? (seed >> 24) % (count + 1) : count;
        Item[] memory items = new Item[](count);
        for (uint256 i = 0; i < count; ++i) {
            seed = _next(seed);
            items[i] = _item(seed);
        }
        bool expected = store.accepts(pollId);
        bytes memory data = _isSealed ? _sealedData(items, brought) : _openData(items, brought);
        bool success = _callAs(address(uint160(seed)), data);
        store.breaks("POL-9", success != expected);
        for (uint256 i = 0; i < count && expected; ++i) {
            Item memory item = items[i];
            address account = _voter(item.voter);
            IPolls.SkipReason reason =
                store.cast(pollId, account, item.version, item.choice, item.noise, item.signed, i < brought);
            if (reason == IPolls.SkipReason.None && _isSealed) _seals[pollId][account] = _sealOf(item);
        }
    }

    function _item(uint256 seed) private view returns (Item memory item) {
        item.voter = seed % VOTERS;
        PollStore.VoterModel memory model = store.voter(pollId, _voter(item.voter));
        item.version = model.version + uint32(seed >> 16) % 4;
        item.choice = _choice(seed >> 32);
        item.noise = _isSealed && (seed >> 160) % 8 == 0;
        item.signed = (seed >> 176) % 8 != 0;
    }

    /// @dev Mostly well formed.
    function _choice(uint256 seed) private view returns (uint128) {
        IPolls.PollKind kind = polls.poll(pollId).config.kind;
        if (seed % 8 == 0) return uint128(seed >> 8 & (kind == IPolls.PollKind.Rating ? 0x1fffff : 0x3f));
        seed >>= 8;
        if (kind == IPolls.PollKind.Single) return uint128(1 << seed % 5);
        if (kind == IPolls.PollKind.Multiple) {
            return uint128(1 << seed % 5 | 1 << (seed >> 8) % 5 | 1 << (seed >> 16) % 5);
        }
        return _grades(
            uint128(seed % 6),
            uint128((seed >> 8) % 6),
            uint128((seed >> 16) % 6),
            uint128((seed >> 24) % 6),
            uint128(1 + (seed >> 32) % 5)
        );
    }

    /// @dev Noise is a seal made for somebody else.
    function _sealOf(Item memory item) private returns (IPolls.SealedBallot memory) {
        address account = item.noise ? _voter(VOTERS + 1) : _voter(item.voter);
        return _sealFor(pollId, account, item.version, item.choice);
    }

    function _batchOf(Item[] memory items, uint256 brought)
        private
        view
        returns (address[] memory batch, bytes memory credentials)
    {
        batch = new address[](items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            batch[i] = _voter(items[i].voter);
            if (i < brought) credentials = bytes.concat(credentials, _issued[pollId][batch[i]]);
        }
    }

    function _openData(Item[] memory items, uint256 brought) private view returns (bytes memory) {
        (address[] memory batch, bytes memory credentials) = _batchOf(items, brought);
        IPolls.Ballot[] memory ballots = new IPolls.Ballot[](items.length);
        bytes memory signatures;
        for (uint256 i = 0; i < items.length; ++i) {
            ballots[i] = IPolls.Ballot({version: items[i].version, choice: items[i].choice});
            bytes32 digest = _digest(address(polls), pollId, batch[i], ballots[i]);
            signatures = bytes.concat(signatures, _signature(items[i].voter + (items[i].signed ? 0 : 1), digest));
        }
        return abi.encodeCall(polls.castBallots, (pollId, batch, ballots, signatures, credentials));
    }

    function _sealedData(Item[] memory items, uint256 brought) private returns (bytes memory) {
        (address[] memory batch, bytes memory credentials) = _batchOf(items, brought);
        IPolls.SealedBallot[] memory ballots = new IPolls.SealedBallot[](items.length);
        bytes memory signatures;
        for (uint256 i = 0; i < items.length; ++i) {
            ballots[i] = _sealOf(items[i]);
            bytes32 digest = _digest(address(polls), pollId, batch[i], ballots[i]);
            signatures = bytes.concat(signatures, _signature(items[i].voter + (items[i].signed ? 0 : 1), digest));
        }
        return abi.encodeCall(polls.castSealedBallots, (pollId, batch, ballots, signatures, credentials));
    }

    /// @dev Somebody without a credential of this poll: with one of another account, or of another poll.
    function castForged(uint256 seed) external remembered {
        seed = _mixed(seed);
        pollId = 1 + seed % POLLS;
        Item[] memory items = new Item[](1);
        items[0] = Item({voter: VOTERS, version: 1, choice: _choice(0x100), noise: false, signed: true});
        address owner = seed >> 8 & 1 == 0 ? _voter((seed >> 16) % VOTERS) : _voter(VOTERS);
        uint256 id = seed >> 8 & 1 == 0 ? pollId : 1 + pollId % POLLS;
        _issued[pollId][_voter(VOTERS)] =
            _issued[id][owner].length != 0 ? _issued[id][owner] : _issued[pollId][_voter(0)];
        bytes memory data = _isSealed ? _sealedData(items, 1) : _openData(items, 1);
        bool success = _callAs(stranger, data);
        // A batch may also be accepted because every account in it is skipped.
        store.breaks("POL-14", polls.ballotOf(pollId, _voter(VOTERS)).status != IPolls.BallotStatus.None);
        store.breaks("POL-14", success && store.pollModel(pollId).ballots < store.pollModel(pollId).issued);
        store.breaks("POL-9", success && !store.accepts(pollId));
    }

    // ---------------------------------------------------------------------------------------------
    // Trustees, and whoever opens
    // ---------------------------------------------------------------------------------------------

    function publishSecret(uint256 seed) external remembered {
        seed = _mixed(seed);
        pollId = 1 + seed % POLLS;
        _publish((seed >> 8) % 8 != 0);
    }

    /// @param right Whether it is the secret of this poll, and not of the next one.
    function _publish(bool right) private {
        (uint256 secret,) = _evenPair(_sealingSecretOf(right ? pollId : 1 + pollId % POLLS));
        bool expected = _isSealed && right && store.status(pollId) >= IPolls.PollStatus.Closed
            && !store.pollModel(pollId).secretKnown;
        bool success = _callAs(stranger, abi.encodeCall(polls.publishSealingSecret, (pollId, secret)));
        store.breaks("POL-11", success != expected);
        if (expected) store.publishSecret(pollId);
    }

    /// @dev A batch of one to four openings, some with a wrong seal.
    function open(uint256 seed) external remembered {
        seed = _mixed(seed);
        pollId = 1 + seed % POLLS;
        // Mostly what can be opened is.
        if (seed >> 128 & 3 != 0) _publish(true);
        uint256 count = 1 + (seed >> 8) % 4;
        address[] memory batch = new address[](count);
        bool[] memory right = new bool[](count);
        IPolls.SealedBallot[] memory ballots = new IPolls.SealedBallot[](count);
        for (uint256 i = 0; i < count; ++i) {
            seed = _next(seed);
            batch[i] = _voter(seed % (VOTERS + 1));
            ballots[i] = _seals[pollId][batch[i]];
            right[i] = (seed >> 8) % 4 != 0;
            uint256 fault = (seed >> 16) % 3;
            if (right[i]) continue;
            if (fault == 0) ++ballots[i].version;
            else if (fault == 1) ballots[i].point ^= bytes32(uint256(1));
            else ballots[i].maskedChoice ^= 1;
        }
        bool expected = store.pollModel(pollId).secretKnown;
        bool success = _callAs(stranger, abi.encodeCall(polls.openBallots, (pollId, batch, ballots)));
        // Also while actions are paused.
        store.breaks("POL-16", success != expected);
        for (uint256 i = 0; i < count && expected; ++i) {
            store.open(pollId, batch[i], right[i]);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Staff, the operator, strangers, time
    // ---------------------------------------------------------------------------------------------

    function publishIssued(uint256 seed) external remembered {
        seed = _mixed(seed);
        pollId = 1 + seed % POLLS;
        uint32 current = store.pollModel(pollId).issued;
        uint32 issued = (seed >> 8) % 4 == 0 ? uint32(seed >> 16) % uint32(VOTERS) : current + uint32(seed >> 16) % 6;
        bool expected = store.issuerHasRole() && !store.paused() && store.status(pollId) < IPolls.PollStatus.Closed
            && issued >= current;
        bool success = _callAs(issuer, abi.encodeCall(polls.publishIssued, (pollId, issued)));
        store.breaks("POL-14", success != expected);
        if (expected) store.publishIssued(pollId, issued);
    }

    function cancel(uint256 seed) external remembered {
        seed = _mixed(seed);
        if (seed % 8 != 0) return;
        pollId = 1 + (seed >> 8) % POLLS;
        // Also while actions are paused.
        bool expected = store.clerkHasRole() && store.status(pollId) < IPolls.PollStatus.Closed;
        bool success = _callAs(clerk, abi.encodeCall(polls.cancelPoll, (pollId, bytes32(seed))));
        store.breaks("POL-14", success != expected);
        if (expected) store.cancel(pollId);
    }

    function pauseOrGoOn(uint256 seed) external remembered {
        bool paused = store.paused();
        if (!paused && _mixed(seed) % 8 != 0) return;
        vm.prank(operator);
        if (paused) municipalities.unpause();
        else municipalities.pause(bytes32(seed));
        store.setPaused(!paused);
    }

    function grantOrRevoke(uint256 seed) external remembered {
        seed = _mixed(seed);
        bool clerk_ = store.clerkHasRole();
        bool issuer_ = store.issuerHasRole();
        if (!clerk_) _grant(IMunicipalities.Role.Clerk, clerk);
        if (!issuer_) _grant(IMunicipalities.Role.Issuer, issuer);
        vm.prank(operator);
        if (seed % 2 == 0) municipalities.revokeRole(municipalityId, IMunicipalities.Role.Clerk, clerk);
        else municipalities.revokeRole(municipalityId, IMunicipalities.Role.Issuer, issuer);
        store.setRoles(seed % 2 != 0, seed % 2 == 0);
        if (seed >> 8 & 1 == 0) return;
        _grant(IMunicipalities.Role.Clerk, clerk);
        _grant(IMunicipalities.Role.Issuer, issuer);
        store.setRoles(true, true);
    }

    /// @dev Nobody else does what staff may do, not even the other staff.
    function tryToGovern(uint256 seed, address somebody) external remembered {
        seed = _mixed(seed);
        pollId = 1 + seed % POLLS;
        bytes[3] memory calls = [
            abi.encodeCall(polls.createPoll, (_config(IPolls.PollKind.Single), _issuerKey(99))),
            abi.encodeCall(polls.cancelPoll, (pollId, bytes32(seed))),
            abi.encodeCall(polls.publishIssued, (pollId, type(uint32).max))
        ];
        uint256 which = (seed >> 8) % 3;
        address[4] memory callers = [somebody, operator, which == 2 ? clerk : issuer, _voter(0)];
        address caller = callers[(seed >> 16) % 4];
        if (caller == (which == 2 ? issuer : clerk)) return;
        bool success = _callAs(caller, calls[which]);
        store.breaks("POL-14", success);
    }

    function pass(uint256 seed) external remembered {
        vm.warp(block.timestamp + bound(_mixed(seed), 1, 7 hours));
    }
}
