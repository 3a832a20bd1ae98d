// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IParticipation} from "./IParticipation.sol";

/// @title Anonymous polls
/// @notice Blind credentials admit throw-away accounts; the accounts sign ballots; the contract counts them. In an open
/// poll the count can be read at any time; in a sealed one the choices are encrypted until it is over. Anyone may submit
/// batches: authority is in the credentials and signatures, never in the sender.
interface IPolls is IParticipation {
    /// @notice What a ballot says, and how its `choice` says it. Options count from 0.
    enum PollKind {
        /// @notice Exactly one option. Bit i of the choice stands for option i.
        Single,
        /// @notice One to `maxChoices` options. Bit i of the choice stands for option i.
        Multiple,
        /// @notice Grades 1 to 5; at least one option is graded. Bits 4i to 4i+3 of the choice are the grade of option
        /// i, 0 for none.
        Rating
    }

    /// @notice Where a poll stands. All but `Cancelled` comes by time alone.
    enum PollStatus {
        /// @notice `opensAt` has not come.
        Announced,
        /// @notice Ballots are accepted.
        Open,
        /// @notice `closesAt` has passed: relayers take no more ballots from citizens, but what they took before still
        /// arrives.
        Closing,
        /// @notice No ballot is accepted any more. Ballots of a sealed poll can be opened.
        Closed,
        /// @notice The clerk called it off while ballots were, or would have been, accepted. What was cast stays
        /// readable, and ballots of a sealed poll can be opened.
        Cancelled
    }

    /// @notice What the contract holds of an account's ballot.
    enum BallotStatus {
        /// @notice The account has cast none.
        None,
        /// @notice Its choice is known and counted.
        Counted,
        /// @notice It is encrypted, and not opened yet.
        Sealed,
        /// @notice It was opened, and what was in it is no well-formed choice.
        Spoilt
    }

    /// @notice Why an item of a batch was skipped.
    enum SkipReason {
        None,
        /// @notice The account has no ballot yet, and no credential came with this one.
        CredentialMissing,
        /// @notice As many ballots are accepted as credentials are said to be issued. Submit it again when the issuer
        /// has published more.
        IssuedReached,
        /// @notice The account has a ballot, and the poll allows no other.
        RevoteForbidden,
        /// @notice A version at least as high is recorded already.
        VersionNotHigher,
        /// @notice The choice does not fit the kind, the options or the limit of the poll.
        ChoiceMalformed,
        /// @notice The signature is not the account's over this message.
        SignatureInvalid,
        /// @notice Opening: there is no sealed ballot of this account, or it is open already.
        NotSealed,
        /// @notice Opening: this is not the sealed ballot that is recorded.
        SealMismatch
    }

    /// @notice All of a poll, fixed when it is created.
    /// @param municipalityId Owner of the poll in `IMunicipalities`.
    /// @param kind See `PollKind`.
    /// @param optionCount Options: 2 to 32, for ratings 1 to 32.
    /// @param maxChoices Single: 1. Multiple: 2 to `optionCount`. Rating: 0.
    /// @param revote Whether an account may replace its ballot while ballots are accepted; the highest version counts.
    /// @param opensAt First second, Unix time, in which ballots are accepted.
    /// @param closesAt First second in which citizens may vote no more. The portal and relayers keep it.
    /// @param grace Seconds after `closesAt` in which the contract still accepts ballots, so that none that was taken in
    /// time is lost because the chain was slow; at most a week.
    /// @param contentHash keccak256 of the published description: territory, question, options (a JSON document).
    /// @param sealingKey Zero: the poll is open. Otherwise the trustees' public key on secp256k1, by its x; y is the
    /// even one. It serves this poll alone.
    struct PollConfig {
        uint32 municipalityId;
        PollKind kind;
        uint8 optionCount;
        uint8 maxChoices;
        bool revote;
        uint64 opensAt;
        uint64 closesAt;
        uint32 grace;
        bytes32 contentHash;
        bytes32 sealingKey;
    }

    /// @notice An open ballot. EIP-712 type: `Ballot(uint256 pollId,address account,uint32 version,uint128 choice)`,
    /// domain: name "Kopilka", version "1", chainId, verifyingContract = this contract.
    /// @param version 1 or more, and higher than the recorded one.
    /// @param choice See `PollKind`.
    struct Ballot {
        uint32 version;
        uint128 choice;
    }

    /// @notice A sealed ballot. EIP-712 type:
    /// `SealedBallot(uint256 pollId,address account,uint32 version,bytes32 point,uint128 maskedChoice)`, same domain.
    ///
    /// The browser picks a random r, such that r·G has an even y; `point` is the x of r·G, and with S = r·(sealing key)
    /// maskedChoice = choice xor the first 16 bytes of keccak256(this contract (20 bytes) | poll id (32) | account (20) |
    /// version (4) | Ethereum address of the point S (20)).
    ///
    /// Warning: r must be secret, and fresh for every ballot and version: whoever knows it opens the ballot.
    struct SealedBallot {
        uint32 version;
        bytes32 point;
        uint128 maskedChoice;
    }

    /// @notice A poll as it stands.
    /// @param issuerKey Public key in G2, 256 bytes, EIP-2537 encoding.
    /// @param issued Credentials that the issuer says it issued; ballots never exceed it.
    /// @param ballots Accounts whose ballot was accepted.
    /// @param opened Of a sealed poll: ballots opened and counted.
    /// @param spoilt Of a sealed poll: ballots opened and found malformed.
    /// @param sealingSecret Of a sealed poll: the published secret, or zero.
    struct PollInfo {
        PollConfig config;
        PollStatus status;
        bytes issuerKey;
        uint32 issued;
        uint32 ballots;
        uint32 opened;
        uint32 spoilt;
        uint256 sealingSecret;
    }

    /// @notice An account's ballot.
    /// @param version Version of the recorded ballot, 0 for none.
    /// @param choice The choice that is counted; 0 while sealed, and when spoilt.
    struct BallotInfo {
        BallotStatus status;
        uint32 version;
        uint128 choice;
    }

    error ActionsPaused();
    error CallerLacksRole(address caller, uint8 role);
    error ConfigInvalid(string field);
    error IssuerKeyMalformed();
    error SealingKeyMalformed();
    error PollUnknown(uint256 pollId);
    error PollStatusWrong(uint256 pollId, PollStatus current);
    /// @dev `isSealed` is what the poll is.
    error PollSealingWrong(uint256 pollId, bool isSealed);
    error IssuedNotMonotone(uint256 pollId, uint32 current, uint32 proposed);
    error BatchMalformed();
    error CredentialsInvalid(uint256 pollId);
    error SealingSecretWrong(uint256 pollId);
    error SealingSecretKnown(uint256 pollId);
    error SealingSecretUnknown(uint256 pollId);

    /// @dev Ids count from 1 without gaps. Nothing in it ever changes; both keys serve this poll and nothing else.
    event PollCreated(uint256 indexed pollId, uint32 indexed municipalityId, PollConfig config, bytes issuerKey);
    /// @dev At most once, and before the poll is closed. No ballot follows; openings of sealed ballots may.
    event PollCancelled(uint256 indexed pollId, bytes32 reasonHash);
    /// @dev Counts never decrease, and no more ballots are accepted than the last one says.
    event CredentialsIssued(uint256 indexed pollId, uint32 issued);
    /// @dev Open polls. Replaces any earlier ballot of the account, whose version was lower: the last one of each
    /// account, counted, is the result.
    event BallotCast(uint256 indexed pollId, address indexed account, uint32 version, uint128 choice);
    /// @dev Sealed polls. Replaces any earlier ballot of the account, whose version was lower. All that opening takes
    /// besides the secret.
    event SealedBallotCast(
        uint256 indexed pollId, address indexed account, uint32 version, bytes32 point, uint128 maskedChoice
    );
    /// @dev Nothing has changed for this account; its credential was not looked at. What is reported may come from
    /// anybody: only accepted ballots are the account's own words.
    event BallotSkipped(uint256 indexed pollId, address indexed account, uint32 version, SkipReason reason);
    /// @dev Once for each sealed poll, after the last ballot. From here on everyone can open every ballot, replaced ones
    /// included.
    event SealingSecretPublished(uint256 indexed pollId, uint256 secret);
    /// @dev Once for each account, its last `SealedBallotCast` had this version. The choice is counted.
    event BallotOpened(uint256 indexed pollId, address indexed account, uint32 version, uint128 choice);
    /// @dev Once for each account, instead of `BallotOpened`. Counts for no option.
    event BallotSpoilt(uint256 indexed pollId, address indexed account, uint32 version);
    /// @dev Nothing has changed for this account. What is reported may come from anybody.
    event OpeningSkipped(uint256 indexed pollId, address indexed account, uint32 version, SkipReason reason);

    // --- The clerk creates and calls off ---
    /// @notice Clerk of the municipality. Ids count from 1.
    /// @param issuerKey Public key in G2, 256 bytes, EIP-2537 encoding; never used before in the register of keys. The
    /// same holds for the sealing key.
    function createPoll(PollConfig calldata config, bytes calldata issuerKey) external returns (uint256 pollId);
    /// @notice Clerk, before the poll is closed: ends it without a result. A result that is in cannot be called off.
    /// @param reasonHash keccak256 of the published reason.
    function cancelPoll(uint256 pollId, bytes32 reasonHash) external;

    // --- The issuer says how many credentials there are ---
    /// @notice Issuer of the municipality, until the poll is closed: the number of credentials issued so far. Never
    /// decreases.
    function publishIssued(uint256 pollId, uint32 issued) external;

    // --- Citizens vote (anyone submits) ---
    /// @notice Accepts ballots of an open poll. An item that does not count is skipped with an event that says why,
    /// before its credential is looked at, and never spoils the others.
    /// @param accounts Those that bring a credential first; then those that have a ballot already.
    /// @param ballots For each account its ballot.
    /// @param signatures For each account 64 bytes, compact form of ERC-2098.
    /// @param credentials For each of the first accounts 96 bytes: x and y of the credential in G1, without padding. An
    /// account's first ballot needs it; later ones do not, and may bring it.
    /// @dev All credentials that are needed are checked at once by a random linear combination; reverts with
    /// `CredentialsInvalid` if any is bad (a relayer checks before it sends and splits).
    function castBallots(
        uint256 pollId,
        address[] calldata accounts,
        Ballot[] calldata ballots,
        bytes calldata signatures,
        bytes calldata credentials
    ) external;
    /// @notice The same for a sealed poll. What is sealed in a ballot is not known, so a malformed choice is accepted
    /// here and found spoilt when it is opened.
    function castSealedBallots(
        uint256 pollId,
        address[] calldata accounts,
        SealedBallot[] calldata ballots,
        bytes calldata signatures,
        bytes calldata credentials
    ) external;

    // --- Trustees publish the secret, anyone opens ---
    /// @notice Anyone who has it publishes the secret of a sealed poll that is closed or cancelled.
    /// @param secret secret·G is the sealing key, its even y included.
    function publishSealingSecret(uint256 pollId, uint256 secret) external;
    /// @notice Anyone, once the secret is published: opens sealed ballots and counts them. The contract decrypts; the
    /// submitter has no say in what comes out. An item that cannot be opened is skipped with an event that says why.
    /// @param ballots For each account what its last `SealedBallotCast` said.
    function openBallots(uint256 pollId, address[] calldata accounts, SealedBallot[] calldata ballots) external;

    // --- Views ---
    function municipalities() external view returns (address);
    function issuerKeys() external view returns (address);
    function pollCount() external view returns (uint256);
    function poll(uint256 pollId) external view returns (PollInfo memory);
    /// @notice The count as it stands, at any time. Single and multiple: for each option the accounts that chose it.
    /// Rating: for each option five numbers, how often it was graded 1, 2, ..., 5.
    function results(uint256 pollId) external view returns (uint32[] memory counts);
    /// @notice Whether `results` will never change: the poll is closed and every sealed ballot is opened. Never true of
    /// a cancelled poll, which has no result.
    function isFinal(uint256 pollId) external view returns (bool);
    function ballotOf(uint256 pollId, address account) external view returns (BallotInfo memory);
    /// @notice The message bytes of a credential, 105 bytes:
    /// chain id (32) | this contract (20) | poll id (32) | class, always 0 (1) | account (20).
    function credentialMessage(uint256 pollId, address account) external view returns (bytes memory);
}
