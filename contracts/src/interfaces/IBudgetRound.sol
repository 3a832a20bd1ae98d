// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title One round of initiative budgeting
/// @notice Anonymous credentials register throw-away accounts; the accounts put equal shares into initiatives; a rule
/// fixed before registration settles the budget; winners' wallets are paid out, the rest returns to the budget. Anyone
/// may submit batches: authority is in the credentials and signatures, never in the sender.
interface IBudgetRound {
    /// @notice Where a round stands. Every change is a transaction; none happens by time alone.
    enum Phase {
        /// @notice Initiatives, classes and keys are being entered.
        Draft,
        /// @notice Credentials are issued and registered.
        Registration,
        /// @notice Registered citizens put their shares into initiatives (fixed allotment: registration goes on too).
        Pledging,
        /// @notice Pledging is over; the clerk computes the result.
        Tallying,
        /// @notice A result is proposed; anyone may recount until the objection window ends.
        Objection,
        /// @notice The result is final; winners' wallets hold exactly their costs.
        Settled,
        /// @notice Every token was paid or returned.
        Closed,
        /// @notice Called off; every token was returned.
        Cancelled
    }

    /// @notice Ballot kinds as Pabulib names them.
    enum BallotKind {
        /// @notice The citizen divides `sharePoints` among initiatives.
        Cumulative,
        /// @notice The citizen names initiatives; the share is divided equally among them.
        Approval
    }

    /// @notice How a citizen's share is fixed.
    enum Allotment {
        /// @notice `fixedAmount` x weight for each registration while funds last.
        Fixed,
        /// @notice The budget divided by weight among the registered when pledging opens.
        Equal
    }

    /// @notice Settlement rule, see docs/settlement.md.
    enum Rule {
        EqualShares,
        Greedy
    }

    /// @notice Why an item of a batch was skipped.
    enum SkipReason {
        None,
        /// @notice This account is registered already.
        AlreadyRegistered,
        /// @notice Fixed allotment: the budget does not cover another share.
        FundsExhausted,
        /// @notice The account is not registered in this round.
        NotRegistered,
        /// @notice The signature is not the account's over this message.
        SignatureInvalid,
        /// @notice A version at least as high is recorded already.
        VersionNotHigher,
        /// @notice Initiatives are unknown, not ascending, or too many, or the points do not fit the ballot kind.
        ChoicesMalformed
    }

    /// @notice What is fixed when the round is created.
    /// @param municipalityId Owner of the round in `IMunicipalities`.
    /// @param ballotKind See `BallotKind`.
    /// @param allotment See `Allotment`.
    /// @param rule See `Rule`.
    /// @param completionRaise EqualShares: raise everyone's share in steps of 1 % while the budget holds.
    /// @param completionFill EqualShares: then fill greedily.
    /// @param sharePoints Cumulative: the points that a share consists of, 1..10000; approval: 0.
    /// @param threshold Least support (points or approvals) for an initiative to be considered; 0 for none.
    /// @param fixedAmount Allotment.Fixed: kopecks for weight 1; otherwise 0.
    /// @param registrationUntil Earliest Unix time at which registration may be closed (pledging opened).
    /// @param pledgingUntil Unix time of the planned end of pledging, at most 366 days after `registrationUntil`. What counts
    /// is its distance from `registrationUntil`: pledging lasts at least that long, whenever it is opened.
    /// @param objectionPeriod Seconds between a proposed result and its finality.
    /// @param contentHash keccak256 of the published description of the round (a JSON document).
    struct RoundConfig {
        uint32 municipalityId;
        BallotKind ballotKind;
        Allotment allotment;
        Rule rule;
        bool completionRaise;
        bool completionFill;
        uint16 sharePoints;
        uint64 threshold;
        uint128 fixedAmount;
        uint64 registrationUntil;
        uint64 pledgingUntil;
        uint32 objectionPeriod;
        bytes32 contentHash;
    }

    /// @notice A class of citizens: one issuer key, one weight. Classes count from 0 without gaps.
    /// @param weight Weight of a share, 1 or more.
    /// @param issuerKey Public key in G2, 256 bytes, EIP-2537 encoding.
    /// @param registered Registrations so far.
    /// @param issued Credentials that the issuer says it issued.
    struct ClassInfo {
        uint32 weight;
        bytes issuerKey;
        uint32 registered;
        uint32 issued;
    }

    /// @notice An initiative that can be chosen.
    /// @param cost Kopecks.
    /// @param contentHash keccak256 of its published description (a JSON document).
    /// @param wallet Address that holds what was pledged; it has no key and no code.
    /// @param pledged Kopecks in the wallet.
    /// @param won Whether it won; meaningful from `Settled` on.
    struct Initiative {
        uint128 cost;
        bytes32 contentHash;
        address wallet;
        uint128 pledged;
        bool won;
    }

    /// @notice A citizen's whole distribution, signed with EIP-712 by the throw-away account.
    /// @param account The registered account that signs.
    /// @param version Must be higher than the recorded one; the highest valid version counts.
    /// @param initiatives Initiative ids, strictly ascending. Empty takes everything back.
    /// @param points Cumulative: points for each initiative, each > 0, sum <= sharePoints. Approval: empty.
    /// EIP-712 type: `Allocation(address account,uint32 version,uint16[] initiatives,uint16[] points)`,
    /// domain: name "Kopilka", version "1", chainId, verifyingContract = the round.
    struct Allocation {
        address account;
        uint32 version;
        uint16[] initiatives;
        uint16[] points;
    }

    /// @notice A registered account.
    /// @param registered Whether it is registered.
    /// @param class Class of its credential.
    /// @param version Version of the recorded allocation, 0 for none.
    /// @param initiatives The recorded distribution.
    /// @param points Its points; empty on approval ballots.
    struct Citizen {
        bool registered;
        uint8 class;
        uint32 version;
        uint16[] initiatives;
        uint16[] points;
    }

    /// @notice A proposed or final result.
    /// @param winners Initiative ids, ascending.
    /// @param transcriptDigest Digest of the transcript of the count.
    /// @param totalCost Kopecks that the winners cost.
    /// @param proposedAt Unix time; the objection window begins.
    /// @param proposer Clerk who proposed it.
    /// @param approver Controller who approved it; zero until then.
    struct Settlement {
        uint16[] winners;
        bytes32 transcriptDigest;
        uint128 totalCost;
        uint64 proposedAt;
        address proposer;
        address approver;
    }

    error CallerLacksRole(address caller, uint8 role);
    error ActionsPaused();
    error PhaseWrong(Phase current, Phase required);
    error ConfigInvalid(string field);
    error IssuerKeyMalformed();
    error ClassUnknown(uint8 class);
    error ClassesMissing();
    error InitiativeUnknown(uint16 initiativeId);
    error InitiativesMissing();
    error CostInvalid(uint128 cost);
    error TooEarly(uint64 nowAt, uint64 notBefore);
    error BatchMalformed();
    error CredentialsInvalid(uint8 class);
    error RegisteredExceedsIssued(uint8 class, uint32 registered, uint32 issued);
    error IssuedNotMonotone(uint8 class, uint32 current, uint32 proposed);
    error WinnersNotAscending();
    error BudgetExceeded(uint256 totalCost, uint256 budget);
    error BudgetMissing();
    error ApprovalDiffers(bytes32 proposed, bytes32 approved);
    error ApproverIsProposer(address account);
    error ProposerLostAccess(address proposer);
    error SettlementAlreadyApproved(address approver);
    error SettlementNotApproved();
    error PaymentExceedsWallet(uint16 initiativeId, uint256 amount, uint256 balance);
    error InitiativeNotWinner(uint16 initiativeId);
    error AmountZero();
    error PaymentAlreadyRecorded(uint16 initiativeId, bytes32 paymentReference);
    error WalletsNotEmpty(uint256 balance);
    error ClassLimitReached(uint256 limit);
    error InitiativeLimitReached(uint256 limit);

    /// @dev `phase` is the new phase.
    event PhaseChanged(Phase indexed phase);
    /// @dev In Draft only; the key serves this class of this round and nothing else.
    event ClassAdded(uint8 indexed class, uint32 weight, bytes issuerKey);
    /// @dev In Draft only; ids count from 1 without gaps. Nothing in it ever changes.
    event InitiativeAdded(uint16 indexed initiativeId, uint128 cost, bytes32 contentHash, address wallet);
    /// @dev Counts never decrease.
    event CredentialsIssued(uint8 indexed class, uint32 issued);
    /// @dev Once for each account and round.
    event Registered(address indexed account, uint8 indexed class);
    /// @dev Nothing has changed for this account; its credential was not looked at.
    event RegistrationSkipped(address indexed account, uint8 indexed class, SkipReason reason);
    /// @dev At the opening of pledging: `budget` kopecks moved from the treasury to the purse; with Allotment.Equal the
    /// share of weight 1 is budget / totalWeight (rounded down after multiplying by the weight).
    event PledgingOpened(uint256 budget, uint256 totalWeight);
    /// @dev The whole distribution; replaces any earlier one of the account. Token `Transfer`s show the difference.
    event AllocationRecorded(address indexed account, uint32 version, uint16[] initiatives, uint16[] points);
    /// @dev Nothing has changed for this account. What is reported may come from anybody: only recorded allocations are
    /// the account's own words.
    event AllocationSkipped(address indexed account, uint32 version, SkipReason reason);
    /// @dev May follow an earlier, withdrawn proposal. `finalAt` is the earliest time of finality.
    event SettlementProposed(
        address indexed proposer, uint16[] winners, bytes32 transcriptDigest, uint256 totalCost, uint64 finalAt
    );
    /// @dev At most once for each proposal. Proposer and approver are two accounts, and each held its role at this
    /// moment.
    event SettlementApproved(address indexed proposer, address indexed approver, bytes32 transcriptDigest);
    /// @dev By a clerk or a controller, or because a clerk called the round off; an approval falls with its proposal.
    event SettlementWithdrawn(address indexed account, bytes32 transcriptDigest);
    /// @dev Once for each initiative: its wallet holds exactly its cost if it won, nothing otherwise.
    event InitiativeSettled(uint16 indexed initiativeId, bool won, uint256 pledged, uint256 funded);
    /// @dev Once, after a `SettlementApproved` and an `InitiativeSettled` for each initiative; `returned` kopecks went from the purse to the
    /// budget.
    event SettlementFinalized(uint16[] winners, bytes32 transcriptDigest, uint256 totalCost, uint256 returned);
    /// @dev Once for each initiative and reference; the token's `PaymentBurned` follows.
    event PaymentRecorded(uint16 indexed initiativeId, uint256 amount, bytes32 paymentReference, bytes32 documentHash);

    // --- Clerk prepares the round (Draft) ---
    /// @notice Clerk. Classes count from 0.
    /// @param issuerKey Public key in G2, 256 bytes, EIP-2537 encoding; never used before in any round of the register.
    function addClass(uint32 weight, bytes calldata issuerKey) external returns (uint8 class);
    /// @notice Clerk. Initiatives count from 1. A cost above the budget is allowed: such an initiative cannot win.
    function addInitiative(uint128 cost, bytes32 contentHash) external returns (uint16 initiativeId);
    /// @notice Clerk; needs a class and an initiative.
    function openRegistration() external;

    // --- Citizens register (anyone submits) ---
    /// @notice Registers accounts by credentials of one class. Anyone submits.
    /// @param signatures For each account 96 bytes: x and y of the credential in G1, without padding.
    /// @dev All signatures are checked at once by a random linear combination; reverts with `CredentialsInvalid` if any
    /// is bad, or if there is too little gas to check them (a relayer checks before it sends and splits). Accounts already registered, and those whose share the
    /// funds no longer cover, are skipped with an event before their credentials are looked at.
    function register(uint8 class, address[] calldata accounts, bytes calldata signatures) external;
    /// @notice Issuer: the number of credentials issued in a class so far. Never decreases.
    function publishIssued(uint8 class, uint32 issued) external;

    // --- Clerk opens pledging, citizens allocate (anyone submits) ---
    /// @notice Clerk, not before `registrationUntil`; fixes the budget. Refuses while registrations exceed the
    /// published number of credentials.
    function openPledging() external;
    /// @notice Records allocations signed by their accounts. Anyone submits; an item that does not count is skipped
    /// with an event that says why, and never spoils the others.
    /// @param signatures For each allocation 64 bytes, compact form of ERC-2098.
    function allocate(Allocation[] calldata allocations, bytes calldata signatures) external;

    // --- Settlement ---
    /// @notice Clerk, not before `pledgingClosesAt`; from a day after it anybody, so that no clerk can wait for a standing
    /// that suits him. Refuses while registrations exceed the published number of credentials.
    function closePledging() external;
    /// @notice Clerk. `winners` ascending; their total cost within the budget.
    function proposeSettlement(uint16[] calldata winners, bytes32 transcriptDigest) external;
    /// @notice Controller other than the proposer, who must still be a clerk; at any time before finality.
    /// @param winners As proposed, named again: an approval never counts for a result put in its place.
    /// @param transcriptDigest As proposed.
    function approveSettlement(uint16[] calldata winners, bytes32 transcriptDigest) external;
    /// @notice Clerk or controller withdraws a proposal, approved or not, after a well-founded objection; back to
    /// Tallying. Works while actions are paused.
    function withdrawSettlement() external;
    /// @notice Anyone, once the objection window is over and the proposal approved.
    function finalizeSettlement() external;

    // --- Execution ---
    /// @notice Treasurer: burns `amount` from a winner's wallet for a payment order.
    /// @param paymentReference Names the order; recorded once for each initiative, so that a retry cannot pay twice.
    /// @param documentHash keccak256 of the document that proves the payment.
    function recordPayment(uint16 initiativeId, uint256 amount, bytes32 paymentReference, bytes32 documentHash) external;
    /// @notice Treasurer: returns what is left in a winner's wallet to the budget. Works while actions are paused, as do
    /// `close` and `cancel`.
    function returnRemainder(uint16 initiativeId) external;
    /// @notice Treasurer: closes a settled round once all wallets are empty.
    function close() external;
    /// @notice Clerk: calls the round off before it is settled; everything returns to the budget.
    function cancel() external;

    // --- Views ---
    function roundId() external view returns (uint256);
    function config() external view returns (RoundConfig memory);
    function phase() external view returns (Phase);
    /// @notice Earliest Unix time at which pledging may be closed: as long after its opening as `pledgingUntil` is after
    /// `registrationUntil`. 0 until pledging opens.
    function pledgingClosesAt() external view returns (uint64);
    function token() external view returns (address);
    /// @notice Kopecks in play, fixed when pledging opens (until then the treasury's balance).
    function budget() external view returns (uint256);
    function classCount() external view returns (uint8);
    function classInfo(uint8 class) external view returns (ClassInfo memory);
    function initiativeCount() external view returns (uint16);
    /// @notice Ids count from 1 without gaps.
    function initiative(uint16 initiativeId) external view returns (Initiative memory);
    function walletOf(uint16 initiativeId) external view returns (address);
    function registeredCount() external view returns (uint32);
    function citizen(address account) external view returns (Citizen memory);
    /// @notice The citizen's whole share in kopecks, 0 before it is known.
    function allotmentOf(address account) external view returns (uint256);
    /// @notice What the citizen has not put into initiatives, in kopecks; 0 once the round is settled or cancelled,
    /// because the purse has then returned to the budget.
    function unspentOf(address account) external view returns (uint256);
    /// @notice The proposed or final result; empty while there is none.
    function settlement() external view returns (Settlement memory);
    /// @notice The message bytes of a credential, 105 bytes:
    /// chain id (32) | this contract (20) | round id (32) | class (1) | account (20).
    function credentialMessage(uint8 class, address account) external view returns (bytes memory);
}
