// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Context} from "@openzeppelin/contracts/utils/Context.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {BlindCredential} from "../credential/BlindCredential.sol";
import {IssuerKey} from "../credential/IssuerKey.sol";
import {IIssuerKeys} from "../interfaces/IIssuerKeys.sol";
import {IMunicipalities} from "../interfaces/IMunicipalities.sol";
import {IParticipation} from "../interfaces/IParticipation.sol";
import {IPolls} from "../interfaces/IPolls.sol";
import {BallotRecord} from "./BallotRecord.sol";
import {Choices} from "./Choices.sol";
import {Sealing} from "./Sealing.sol";

/// @title Anonymous polls
/// @dev An account's ballot is one storage slot, see `BallotRecord`.
///
/// There is no reentrancy guard: all that is ever called are the registers of municipalities and of keys, both fixed at
/// deployment, and precompiles; none of them calls anybody else.
contract Polls is IPolls, EIP712, Context {
    using BallotRecord for uint256;
    using IssuerKey for bytes;
    using IssuerKey for uint256[6];

    /// @notice A poll in storage. The first slot is read by everything, the second counts.
    struct PollRecord {
        uint32 municipalityId;
        PollKind kind;
        uint8 optionCount;
        uint8 maxChoices;
        bool revote;
        bool cancelled;
        uint64 opensAt;
        uint64 closesAt;
        uint32 grace;
        uint32 issued;
        uint32 ballots;
        uint32 opened;
        uint32 spoilt;
        bytes32 contentHash;
        bytes32 sealingKey;
        uint256 sealingSecret;
        uint256[6] issuerKey;
        uint256[20] tally;
        mapping(address account => Slot) records;
    }

    /// @notice One slot; a struct, so that it can be looked up once, read and written.
    struct Slot {
        uint256 word;
    }

    /// @notice Working memory of a batch.
    /// @param pollId The poll.
    /// @param isSealed Whether its ballots are sealed.
    /// @param rating Whether choices are grades.
    /// @param choiceBits Bits that a choice may use.
    /// @param maxChoices Most options that may be chosen.
    /// @param revote Whether ballots may be replaced.
    /// @param ballotSize Bytes of a ballot in the calldata.
    /// @param frame Memory in which ballots are hashed, see `_frame`.
    /// @param credentials How many accounts bring a credential.
    /// @param room How many more ballots the published number of credentials allows.
    /// @param tally The counters, written back at the end.
    /// @param kept Indices of the accounts whose credentials are needed.
    struct Batch {
        uint256 pollId;
        bool isSealed;
        bool rating;
        uint256 choiceBits;
        uint256 maxChoices;
        bool revote;
        uint256 ballotSize;
        uint256 frame;
        uint256 credentials;
        uint256 room;
        uint256[] tally;
        uint256[] kept;
    }

    /// @notice Most options of a poll.
    uint256 public constant MAX_OPTIONS = 32;
    /// @notice Longest grace, in seconds.
    uint256 public constant MAX_GRACE = 7 days;

    uint256 private constant SIGNATURE_LENGTH = 64;
    uint256 private constant BALLOT_SIZE = 64;
    uint256 private constant SEALED_BALLOT_SIZE = 96;
    bytes32 private constant BALLOT_TYPEHASH =
        keccak256("Ballot(uint256 pollId,address account,uint32 version,uint128 choice)");
    bytes32 private constant SEALED_BALLOT_TYPEHASH =
        keccak256("SealedBallot(uint256 pollId,address account,uint32 version,bytes32 point,uint128 maskedChoice)");

    address public immutable municipalities;
    address public immutable issuerKeys;

    uint256 public pollCount;
    mapping(uint256 pollId => PollRecord) private _polls;

    /// @param municipalities_ Register of municipalities and roles.
    /// @param issuerKeys_ Register of keys; must admit this contract as a verifier.
    constructor(address municipalities_, address issuerKeys_) EIP712("Kopilka", "1") {
        municipalities = municipalities_;
        issuerKeys = issuerKeys_;
    }

    modifier whenNotPaused() {
        if (IMunicipalities(municipalities).paused()) revert ActionsPaused();
        _;
    }

    // ---------------------------------------------------------------------------------------------
    // The clerk creates and calls off
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IPolls
    function createPoll(PollConfig calldata config, bytes calldata issuerKey)
        external
        whenNotPaused
        returns (uint256 pollId)
    {
        _requireRole(config.municipalityId, IMunicipalities.Role.Clerk);
        _checkConfig(config);
        if (!BlindCredential.isIssuerKey(issuerKey)) revert IssuerKeyMalformed();

        pollId = ++pollCount;
        PollRecord storage record = _polls[pollId];
        record.municipalityId = config.municipalityId;
        record.kind = config.kind;
        record.optionCount = config.optionCount;
        record.maxChoices = config.maxChoices;
        record.revote = config.revote;
        record.opensAt = config.opensAt;
        record.closesAt = config.closesAt;
        record.grace = config.grace;
        record.contentHash = config.contentHash;
        record.sealingKey = config.sealingKey;
        record.issuerKey = issuerKey.pack();
        emit PollCreated(pollId, config.municipalityId, config, issuerKey);

        IIssuerKeys(issuerKeys).claim(keccak256(issuerKey));
        // A sealing key that served two polls would open the second when its secret is published for the first.
        if (config.sealingKey != 0) IIssuerKeys(issuerKeys).claim(keccak256(abi.encode(config.sealingKey)));
    }

    function _checkConfig(PollConfig calldata config) private view {
        bool rating = config.kind == PollKind.Rating;
        uint256 optionCount = config.optionCount;
        if (optionCount < (rating ? 1 : 2) || optionCount > MAX_OPTIONS) revert ConfigInvalid("optionCount");
        uint256 least = rating ? 0 : config.kind == PollKind.Single ? 1 : 2;
        uint256 most = config.kind == PollKind.Multiple ? optionCount : least;
        if (config.maxChoices < least || config.maxChoices > most) revert ConfigInvalid("maxChoices");
        if (config.closesAt <= config.opensAt || config.closesAt <= block.timestamp) revert ConfigInvalid("closesAt");
        if (config.closesAt > type(uint64).max - MAX_GRACE) revert ConfigInvalid("closesAt");
        if (config.grace > MAX_GRACE) revert ConfigInvalid("grace");
        if (config.contentHash == 0) revert ConfigInvalid("contentHash");
        if (config.sealingKey != 0 && !Sealing.isKey(config.sealingKey)) revert SealingKeyMalformed();
    }

    /// @inheritdoc IPolls
    function cancelPoll(uint256 pollId, bytes32 reasonHash) external {
        PollRecord storage record = _pollOf(pollId);
        _requireRole(record.municipalityId, IMunicipalities.Role.Clerk);
        PollStatus status = _statusOf(record);
        if (status >= PollStatus.Closed) revert PollStatusWrong(pollId, status);

        record.cancelled = true;
        emit PollCancelled(pollId, reasonHash);
    }

    // ---------------------------------------------------------------------------------------------
    // The issuer says how many credentials there are
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IPolls
    function publishIssued(uint256 pollId, uint32 issued) external whenNotPaused {
        PollRecord storage record = _pollOf(pollId);
        _requireRole(record.municipalityId, IMunicipalities.Role.Issuer);
        PollStatus status = _statusOf(record);
        if (status >= PollStatus.Closed) revert PollStatusWrong(pollId, status);
        if (issued < record.issued) revert IssuedNotMonotone(pollId, record.issued, issued);

        record.issued = issued;
        emit CredentialsIssued(pollId, issued);
    }

    // ---------------------------------------------------------------------------------------------
    // Citizens vote
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IPolls
    function castBallots(
        uint256 pollId,
        address[] calldata accounts,
        Ballot[] calldata ballots,
        bytes calldata signatures,
        bytes calldata credentials
    ) external whenNotPaused {
        if (ballots.length != accounts.length) revert BatchMalformed();
        uint256 position;
        assembly ("memory-safe") {
            position := ballots.offset
        }
        _castAll(pollId, false, accounts, position, signatures, credentials);
    }

    /// @inheritdoc IPolls
    function castSealedBallots(
        uint256 pollId,
        address[] calldata accounts,
        SealedBallot[] calldata ballots,
        bytes calldata signatures,
        bytes calldata credentials
    ) external whenNotPaused {
        if (ballots.length != accounts.length) revert BatchMalformed();
        uint256 position;
        assembly ("memory-safe") {
            position := ballots.offset
        }
        _castAll(pollId, true, accounts, position, signatures, credentials);
    }

    /// @param position Where the ballots stand in the calldata, one after another, each field a whole word.
    function _castAll(
        uint256 pollId,
        bool isSealed,
        address[] calldata accounts,
        uint256 position,
        bytes calldata signatures,
        bytes calldata credentials
    ) private {
        PollRecord storage record = _pollOf(pollId);
        _requireSealed(pollId, record, isSealed);
        PollStatus status = _statusOf(record);
        if (status != PollStatus.Open && status != PollStatus.Closing) revert PollStatusWrong(pollId, status);

        Batch memory batch = _batch(pollId, record, isSealed, accounts.length, signatures.length, credentials.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            SkipReason reason = _cast(batch, record, i, account, position, signatures);
            if (reason != SkipReason.None) {
                emit BallotSkipped(pollId, account, uint32(_wordAt(position)), reason);
            }
            position += batch.ballotSize;
        }
        if (!isSealed) _storeTally(record, batch.tally);
        _admit(batch, record, accounts, credentials);
    }

    function _batch(
        uint256 pollId,
        PollRecord storage record,
        bool isSealed,
        uint256 count,
        uint256 signaturesLength,
        uint256 credentialsLength
    ) private view returns (Batch memory batch) {
        uint256 brought = credentialsLength / BlindCredential.SIGNATURE_LENGTH;
        if (
            count == 0 || signaturesLength != count * SIGNATURE_LENGTH || brought > count
                || credentialsLength != brought * BlindCredential.SIGNATURE_LENGTH
        ) revert BatchMalformed();

        _describe(batch, pollId, record);
        batch.isSealed = isSealed;
        batch.revote = record.revote;
        batch.frame = _frame(pollId, isSealed ? SEALED_BALLOT_TYPEHASH : BALLOT_TYPEHASH);
        batch.ballotSize = isSealed ? SEALED_BALLOT_SIZE : BALLOT_SIZE;
        batch.credentials = brought;
        batch.room = record.issued - record.ballots;
        if (!isSealed) batch.tally = _loadTally(record);
        uint256[] memory kept = new uint256[](brought);
        // Empty, with room for all.
        assembly ("memory-safe") {
            mstore(kept, 0)
        }
        batch.kept = kept;
    }

    /// @dev Memory with all of a ballot's EIP-712 digest that is the same for the whole poll:
    /// 0 | typehash | poll id | account | ballot, at most 96 bytes
    /// 192 | 0x1901 | domain separator | hash of the above: 66 bytes
    function _frame(uint256 pollId, bytes32 typehash) private view returns (uint256 frame) {
        bytes32 domainSeparator = _domainSeparatorV4();
        assembly ("memory-safe") {
            frame := mload(0x40)
            mstore(0x40, add(frame, 288))
            mstore(frame, typehash)
            mstore(add(frame, 32), pollId)
            mstore(add(frame, 192), hex"1901")
            mstore(add(frame, 194), domainSeparator)
        }
    }

    /// @dev What a choice has to fit.
    function _describe(Batch memory batch, uint256 pollId, PollRecord storage record) private view {
        batch.pollId = pollId;
        batch.rating = record.kind == PollKind.Rating;
        batch.choiceBits = Choices.bitCount(batch.rating, record.optionCount);
        batch.maxChoices = record.maxChoices;
    }

    /// @dev Records one ballot, and counts it if it is open, or says why not. Words of the ballot are read as they stand;
    /// one that does not fit its type makes the batch malformed, as the compiler's own decoder would have it.
    function _cast(
        Batch memory batch,
        PollRecord storage record,
        uint256 index,
        address account,
        uint256 position,
        bytes calldata signatures
    ) private returns (SkipReason) {
        Slot storage slot = record.records[account];
        uint256 before = slot.word;
        uint256 version = _wordAt(position);
        if (version > type(uint32).max) revert BatchMalformed();
        if (before == 0) {
            if (index >= batch.credentials) return SkipReason.CredentialMissing;
            if (batch.kept.length == batch.room) return SkipReason.IssuedReached;
        } else if (!batch.revote) {
            return SkipReason.RevoteForbidden;
        }
        if (version <= before.versionOf()) return SkipReason.VersionNotHigher;
        uint256 choice = _wordAt(position + 32);
        if (!batch.isSealed && !Choices.isWellFormed(choice, batch.rating, batch.choiceBits, batch.maxChoices)) {
            return SkipReason.ChoiceMalformed;
        }
        if (!_isSigned(batch, account, position, signatures, index)) return SkipReason.SignatureInvalid;

        if (before == 0) _keep(batch.kept, index);
        if (batch.isSealed) {
            uint256 maskedChoice = _wordAt(position + 64);
            if (maskedChoice > type(uint128).max) revert BatchMalformed();
            slot.word = BallotRecord.createSealed(version, choice, maskedChoice);
            _emitCast(SealedBallotCast.selector, batch, account);
        } else {
            slot.word = BallotRecord.createCounted(version, choice);
            _emitCast(BallotCast.selector, batch, account);
            if (before != 0) Choices.subtract(batch.tally, before.choiceOf(), batch.rating);
            Choices.add(batch.tally, choice, batch.rating);
        }
        return SkipReason.None;
    }

    /// @dev Appends to a list that has room for all.
    function _keep(uint256[] memory kept, uint256 index) private pure {
        assembly ("memory-safe") {
            let count := add(mload(kept), 1)
            mstore(kept, count)
            mstore(add(kept, shl(5, count)), index)
        }
    }

    function _wordAt(uint256 position) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(position)
        }
    }

    /// @dev `emit BallotCast(...)` or `SealedBallotCast(...)`: after the indexed arguments come the fields of the ballot,
    /// which stand in the frame since it was hashed.
    function _emitCast(bytes32 topic, Batch memory batch, address account) private {
        uint256 pollId = batch.pollId;
        uint256 size = batch.ballotSize;
        uint256 frame = batch.frame;
        assembly ("memory-safe") {
            log3(add(frame, 96), size, topic, pollId, account)
        }
    }

    /// @dev Whether the account signed the ballot. EIP-712 encodes the fields of the ballot just as they stand in the
    /// calldata. A signature identifies nothing here, so its other form (n - s) need not be refused.
    function _isSigned(Batch memory batch, address account, uint256 position, bytes calldata signatures, uint256 index)
        private
        pure
        returns (bool)
    {
        uint256 size = batch.ballotSize;
        uint256 frame = batch.frame;
        bytes32 digest;
        bytes32 r;
        bytes32 vs;
        assembly ("memory-safe") {
            mstore(add(frame, 64), account)
            calldatacopy(add(frame, 96), position, size)
            mstore(add(frame, 226), keccak256(frame, add(96, size)))
            digest := keccak256(add(frame, 192), 66)

            let signature := add(signatures.offset, shl(6, index))
            r := calldataload(signature)
            vs := calldataload(add(signature, 32))
        }
        address signer = ecrecover(digest, uint8(27 + (uint256(vs) >> 255)), r, bytes32(uint256(vs) << 1 >> 1));
        return signer == account && signer != address(0);
    }

    /// @dev Checks the credentials of all new accounts, whose ballots are recorded already: if one is bad, the whole batch
    /// is undone.
    function _admit(
        Batch memory batch,
        PollRecord storage record,
        address[] calldata accounts,
        bytes calldata credentials
    ) private {
        uint256[] memory kept = batch.kept;
        if (kept.length == 0) return;
        // At most `issued`.
        record.ballots += uint32(kept.length);
        if (!BlindCredential.verify(_scope(batch.pollId), record.issuerKey.unpack(), accounts, credentials, kept)) {
            revert CredentialsInvalid(batch.pollId);
        }
    }

    function _scope(uint256 pollId) private view returns (BlindCredential.Scope memory) {
        return BlindCredential.Scope({verifier: address(this), id: pollId, class: 0});
    }

    // ---------------------------------------------------------------------------------------------
    // Trustees publish the secret, anyone opens
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IPolls
    function publishSealingSecret(uint256 pollId, uint256 secret) external {
        PollRecord storage record = _pollOf(pollId);
        _requireSealed(pollId, record, true);
        PollStatus status = _statusOf(record);
        if (status < PollStatus.Closed) revert PollStatusWrong(pollId, status);
        if (record.sealingSecret != 0) revert SealingSecretKnown(pollId);
        if (!Sealing.isSecretOf(secret, record.sealingKey)) revert SealingSecretWrong(pollId);

        record.sealingSecret = secret;
        emit SealingSecretPublished(pollId, secret);
    }

    /// @inheritdoc IPolls
    function openBallots(uint256 pollId, address[] calldata accounts, SealedBallot[] calldata ballots) external {
        PollRecord storage record = _pollOf(pollId);
        if (record.sealingSecret == 0) revert SealingSecretUnknown(pollId);
        if (accounts.length == 0 || ballots.length != accounts.length) revert BatchMalformed();

        Batch memory batch;
        _describe(batch, pollId, record);
        batch.tally = _loadTally(record);
        uint256 secret = record.sealingSecret;
        uint32 opened = 0;
        uint32 spoilt = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            BallotStatus outcome = _open(batch, record, secret, accounts[i], ballots[i]);
            if (outcome == BallotStatus.Counted) ++opened;
            if (outcome == BallotStatus.Spoilt) ++spoilt;
        }
        _storeTally(record, batch.tally);
        record.opened += opened;
        record.spoilt += spoilt;
    }

    /// @dev Opens one ballot.
    /// @return outcome What has become of it; `None` if it was skipped.
    function _open(
        Batch memory batch,
        PollRecord storage record,
        uint256 secret,
        address account,
        SealedBallot calldata ballot
    ) private returns (BallotStatus outcome) {
        uint32 version = ballot.version;
        Slot storage slot = record.records[account];
        uint256 before = slot.word;
        if (before.statusOf() != BallotStatus.Sealed) {
            emit OpeningSkipped(batch.pollId, account, version, SkipReason.NotSealed);
            return BallotStatus.None;
        }
        if (before != BallotRecord.createSealed(version, uint256(ballot.point), ballot.maskedChoice)) {
            emit OpeningSkipped(batch.pollId, account, version, SkipReason.SealMismatch);
            return BallotStatus.None;
        }

        (bool valid, uint128 choice) =
            Sealing.unmask(secret, ballot.point, ballot.maskedChoice, batch.pollId, account, version);
        if (!valid || !Choices.isWellFormed(choice, batch.rating, batch.choiceBits, batch.maxChoices)) {
            slot.word = BallotRecord.createSpoilt(version);
            emit BallotSpoilt(batch.pollId, account, version);
            return BallotStatus.Spoilt;
        }
        slot.word = BallotRecord.createCounted(version, choice);
        emit BallotOpened(batch.pollId, account, version, choice);
        Choices.add(batch.tally, choice, batch.rating);
        return BallotStatus.Counted;
    }

    // ---------------------------------------------------------------------------------------------
    // Counters
    // ---------------------------------------------------------------------------------------------

    function _counterCount(PollRecord storage record) private view returns (uint256) {
        return Choices.counterCount(record.kind == PollKind.Rating, record.optionCount);
    }

    function _loadTally(PollRecord storage record) private view returns (uint256[] memory words) {
        uint256 counters = _counterCount(record);
        words = new uint256[]((counters + Choices.COUNTERS_PER_WORD - 1) / Choices.COUNTERS_PER_WORD);
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = record.tally[i];
        }
    }

    function _storeTally(PollRecord storage record, uint256[] memory words) private {
        for (uint256 i = 0; i < words.length; ++i) {
            if (record.tally[i] != words[i]) record.tally[i] = words[i];
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Checks
    // ---------------------------------------------------------------------------------------------

    function _pollOf(uint256 pollId) private view returns (PollRecord storage) {
        if (pollId == 0 || pollId > pollCount) revert PollUnknown(pollId);
        return _polls[pollId];
    }

    function _requireRole(uint32 municipalityId, IMunicipalities.Role role) private view {
        if (!IMunicipalities(municipalities).hasRole(municipalityId, role, _msgSender())) {
            revert CallerLacksRole(_msgSender(), uint8(role));
        }
    }

    function _requireSealed(uint256 pollId, PollRecord storage record, bool required) private view {
        bool isSealed = record.sealingKey != 0;
        if (isSealed != required) revert PollSealingWrong(pollId, isSealed);
    }

    function _statusOf(PollRecord storage record) private view returns (PollStatus) {
        if (record.cancelled) return PollStatus.Cancelled;
        if (block.timestamp < record.opensAt) return PollStatus.Announced;
        if (block.timestamp < record.closesAt) return PollStatus.Open;
        if (block.timestamp < record.closesAt + record.grace) return PollStatus.Closing;
        return PollStatus.Closed;
    }

    // ---------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IPolls
    function poll(uint256 pollId) external view returns (PollInfo memory info) {
        PollRecord storage record = _pollOf(pollId);
        info.config = PollConfig({
            municipalityId: record.municipalityId,
            kind: record.kind,
            optionCount: record.optionCount,
            maxChoices: record.maxChoices,
            revote: record.revote,
            opensAt: record.opensAt,
            closesAt: record.closesAt,
            grace: record.grace,
            contentHash: record.contentHash,
            sealingKey: record.sealingKey
        });
        info.status = _statusOf(record);
        info.issuerKey = record.issuerKey.unpack();
        info.issued = record.issued;
        info.ballots = record.ballots;
        info.opened = record.opened;
        info.spoilt = record.spoilt;
        info.sealingSecret = record.sealingSecret;
    }

    /// @inheritdoc IPolls
    function results(uint256 pollId) external view returns (uint32[] memory counts) {
        PollRecord storage record = _pollOf(pollId);
        counts = new uint32[](_counterCount(record));
        for (uint256 i = 0; i < counts.length; ++i) {
            uint256 word = record.tally[i / Choices.COUNTERS_PER_WORD];
            counts[i] = uint32(word >> 32 * (i % Choices.COUNTERS_PER_WORD));
        }
    }

    /// @inheritdoc IPolls
    function isFinal(uint256 pollId) external view returns (bool) {
        PollRecord storage record = _pollOf(pollId);
        if (_statusOf(record) != PollStatus.Closed) return false;
        return record.sealingKey == 0 || record.opened + record.spoilt == record.ballots;
    }

    /// @inheritdoc IPolls
    function ballotOf(uint256 pollId, address account) external view returns (BallotInfo memory info) {
        uint256 record = _pollOf(pollId).records[account].word;
        info.status = record.statusOf();
        info.version = record.versionOf();
        if (info.status == BallotStatus.Counted) info.choice = record.choiceOf();
    }

    /// @inheritdoc IParticipation
    function participants(uint256 pollId) external view returns (uint256) {
        return _pollOf(pollId).ballots;
    }

    /// @inheritdoc IPolls
    function credentialMessage(uint256 pollId, address account) external view returns (bytes memory) {
        _pollOf(pollId);
        return BlindCredential.message(_scope(pollId), account);
    }
}
