// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {Context} from "@openzeppelin/contracts/utils/Context.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {BlindCredential} from "../credential/BlindCredential.sol";
import {IssuerKey} from "../credential/IssuerKey.sol";
import {IBudgetRound} from "../interfaces/IBudgetRound.sol";
import {IBudgetRoundClone} from "../interfaces/IBudgetRoundClone.sol";
import {IBudgetRounds} from "../interfaces/IBudgetRounds.sol";
import {IBudgetToken} from "../interfaces/IBudgetToken.sol";
import {IBudgetTokenRound} from "../interfaces/IBudgetTokenRound.sol";
import {IMunicipalities} from "../interfaces/IMunicipalities.sol";
import {IParticipation} from "../interfaces/IParticipation.sol";
import {AllocationBatch} from "./AllocationBatch.sol";
import {CitizenRecord} from "./CitizenRecord.sol";
import {InitiativeWallet} from "./InitiativeWallet.sol";

/// @title One round of initiative budgeting
/// @dev A minimal proxy of one implementation. The purse, out of which citizens' shares are spent, is this contract's
/// balance of the round's token; a citizen's share is never a balance of its own, which would cost a storage slot for
/// each.
///
/// There is no reentrancy guard: all that is ever called are the round's own token, its factory, the register of
/// municipalities, all of them fixed at creation, and precompiles; none of them calls anybody else.
contract BudgetRound is IBudgetRound, IBudgetRoundClone, IParticipation, Initializable, EIP712, Context {
    using AllocationBatch for AllocationBatch.Batch;
    using AllocationBatch for IBudgetRound.Allocation;
    using CitizenRecord for uint256;
    using IssuerKey for bytes;
    using IssuerKey for uint256[6];
    using SafeCast for uint256;

    /// @notice What every batch reads, in one slot.
    struct State {
        Phase phase;
        uint8 classCount;
        uint16 initiativeCount;
        uint32 registered;
        uint64 totalWeight;
        uint96 budget;
        uint32 participants;
    }

    struct ClassRecord {
        uint32 weight;
        uint32 registered;
        uint32 issued;
        uint256[6] issuerKey;
    }

    struct InitiativeRecord {
        uint128 cost;
        bool won;
        bytes32 contentHash;
    }

    /// @notice Most classes of a round.
    uint256 public constant MAX_CLASSES = 16;
    /// @notice Most initiatives of a round: even if all win and every wallet is empty, its settlement fits one
    /// transaction.
    uint256 public constant MAX_INITIATIVES = 400;
    /// @notice Longest time for which pledging can be planned, in seconds.
    uint256 public constant MAX_PLEDGING = 366 days;
    /// @notice Seconds after `pledgingClosesAt` for which closing is the clerk's, so that what relayers have accepted
    /// arrives; from then on anybody may close.
    uint256 public constant CLOSING_GRACE = 1 days;
    /// @notice Most initiatives in one allocation.
    uint256 public constant MAX_CHOICES = CitizenRecord.MAX_CHOICES;

    State private _state;
    RoundConfig private _config;
    uint256 public roundId;
    address public token;
    address private _municipalities;
    address private _rounds;
    /// @inheritdoc IBudgetRound
    uint64 public pledgingClosesAt;
    mapping(uint256 class => ClassRecord) private _classes;
    mapping(uint256 initiativeId => InitiativeRecord) private _initiatives;
    mapping(address account => uint256 record) private _citizens;
    mapping(address account => mapping(uint256 index => uint256 word)) private _moreChoices;
    Settlement private _settlement;
    mapping(uint256 initiativeId => mapping(bytes32 paymentReference => bool)) private _paymentRecorded;

    /// @dev The implementation itself stays without configuration and roles. The domain's name and version live in its
    /// code, so every proxy has them; the separator is computed for the proxy's own address.
    constructor() EIP712("Kopilka", "1") {
        _disableInitializers();
    }

    modifier inPhase(Phase required) {
        _requirePhase(required);
        _;
    }

    modifier onlyRole(IMunicipalities.Role role) {
        _requireRole(role);
        _;
    }

    /// @dev For everything new. What returns money, takes a step back or ends the round does not ask.
    modifier whenActive() {
        _requireActive();
        _;
    }

    // ---------------------------------------------------------------------------------------------
    // The factory creates the round
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetRoundClone
    function initialize(uint256 roundId_, address municipalities, address token_, RoundConfig calldata config_)
        external
        initializer
    {
        _checkConfig(config_);
        roundId = roundId_;
        token = token_;
        _municipalities = municipalities;
        _rounds = _msgSender();
        _config = config_;
        emit PhaseChanged(Phase.Draft);
    }

    function _checkConfig(RoundConfig calldata config_) private pure {
        bool cumulative = config_.ballotKind == BallotKind.Cumulative;
        if (cumulative != (config_.sharePoints != 0) || config_.sharePoints > AllocationBatch.MAX_SHARE_POINTS) {
            revert ConfigInvalid("sharePoints");
        }
        if ((config_.allotment == Allotment.Fixed) != (config_.fixedAmount != 0)) revert ConfigInvalid("fixedAmount");
        if (config_.rule == Rule.Greedy && config_.completionRaise) revert ConfigInvalid("completionRaise");
        if (config_.rule == Rule.Greedy && config_.completionFill) revert ConfigInvalid("completionFill");
        if (config_.pledgingUntil < config_.registrationUntil) revert ConfigInvalid("pledgingUntil");
        // Also refuses a time to one of them alone, which would leave the round without an end.
        if (config_.pledgingUntil - config_.registrationUntil > MAX_PLEDGING) revert ConfigInvalid("pledgingUntil");
        if (config_.contentHash == 0) revert ConfigInvalid("contentHash");
    }

    // ---------------------------------------------------------------------------------------------
    // The clerk prepares the round
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetRound
    function addClass(uint32 weight, bytes calldata issuerKey)
        external
        whenActive
        inPhase(Phase.Draft)
        onlyRole(IMunicipalities.Role.Clerk)
        returns (uint8 class)
    {
        if (weight == 0) revert ConfigInvalid("weight");
        if (!BlindCredential.isIssuerKey(issuerKey)) revert IssuerKeyMalformed();
        class = _state.classCount;
        if (class == MAX_CLASSES) revert ClassLimitReached(MAX_CLASSES);

        _state.classCount = class + 1;
        _classes[class] = ClassRecord({weight: weight, registered: 0, issued: 0, issuerKey: issuerKey.pack()});
        emit ClassAdded(class, weight, issuerKey);

        IBudgetRounds(_rounds).claimIssuerKey(keccak256(issuerKey));
    }

    /// @inheritdoc IBudgetRound
    function addInitiative(uint128 cost, bytes32 contentHash)
        external
        whenActive
        inPhase(Phase.Draft)
        onlyRole(IMunicipalities.Role.Clerk)
        returns (uint16 initiativeId)
    {
        if (cost == 0) revert CostInvalid(cost);
        if (_state.initiativeCount == MAX_INITIATIVES) revert InitiativeLimitReached(MAX_INITIATIVES);

        initiativeId = ++_state.initiativeCount;
        _initiatives[initiativeId] = InitiativeRecord({cost: cost, won: false, contentHash: contentHash});
        emit InitiativeAdded(initiativeId, cost, contentHash, InitiativeWallet.addressOf(address(this), initiativeId));
    }

    /// @inheritdoc IBudgetRound
    function openRegistration() external whenActive inPhase(Phase.Draft) onlyRole(IMunicipalities.Role.Clerk) {
        if (_state.classCount == 0) revert ClassesMissing();
        if (_state.initiativeCount == 0) revert InitiativesMissing();
        _enter(Phase.Registration);
    }

    function _enter(Phase next) private {
        _state.phase = next;
        emit PhaseChanged(next);
    }

    // ---------------------------------------------------------------------------------------------
    // Citizens register
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetRound
    function register(uint8 class, address[] calldata accounts, bytes calldata signatures) external whenActive {
        State memory state = _state;
        _requireRegistering(state.phase);
        if (class >= state.classCount) revert ClassUnknown(class);
        if (accounts.length == 0 || signatures.length != accounts.length * BlindCredential.SIGNATURE_LENGTH) {
            revert BatchMalformed();
        }

        uint256[] memory kept = _admit(state, class, accounts);
        if (kept.length == 0) return;
        BlindCredential.Scope memory scope = _scope(class);
        if (!BlindCredential.verify(scope, _classes[class].issuerKey.unpack(), accounts, signatures, kept)) {
            revert CredentialsInvalid(class);
        }
    }

    /// @dev Records every account that is new and that the funds cover, before its credential is checked: if the check
    /// fails, the whole batch is undone.
    /// @return kept Indices of the recorded accounts.
    function _admit(State memory state, uint8 class, address[] calldata accounts)
        private
        returns (uint256[] memory kept)
    {
        ClassRecord storage record = _classes[class];
        uint256 weight = record.weight;
        uint256 room = _room(state, weight);
        uint256 citizen_ = CitizenRecord.create(class);
        kept = new uint256[](accounts.length);
        uint256 count = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            if (_citizens[account] != 0) {
                emit RegistrationSkipped(account, class, SkipReason.AlreadyRegistered);
            } else if (count == room) {
                emit RegistrationSkipped(account, class, SkipReason.FundsExhausted);
            } else {
                _citizens[account] = citizen_;
                emit Registered(account, class);
                kept[count++] = i;
            }
        }
        // The array was allocated longer than it turned out to be.
        assembly ("memory-safe") {
            mstore(kept, count)
        }
        if (count == 0) return kept;

        record.registered += count.toUint32();
        _state.registered = state.registered + count.toUint32();
        _state.totalWeight = state.totalWeight + (count * weight).toUint64();
    }

    /// @dev How many more shares of this weight the budget covers.
    function _room(State memory state, uint256 weight) private view returns (uint256) {
        if (_config.allotment != Allotment.Fixed) return type(uint256).max;
        uint256 fixedAmount = _config.fixedAmount;
        // Never negative: money only leaves the treasury for the purse, and the budget is then what it held.
        return (budget() - state.totalWeight * fixedAmount) / (weight * fixedAmount);
    }

    function _requireRegistering(Phase current) private view {
        if (current == Phase.Registration) return;
        if (current == Phase.Pledging && _config.allotment == Allotment.Fixed) return;
        revert PhaseWrong(current, Phase.Registration);
    }

    function _scope(uint8 class) private view returns (BlindCredential.Scope memory) {
        return BlindCredential.Scope({verifier: address(this), id: roundId, class: class});
    }

    // ---------------------------------------------------------------------------------------------
    // The issuer publishes how many credentials there are
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetRound
    function publishIssued(uint8 class, uint32 issued) external whenActive onlyRole(IMunicipalities.Role.Issuer) {
        _requireRegistering(_state.phase);
        if (class >= _state.classCount) revert ClassUnknown(class);
        ClassRecord storage record = _classes[class];
        if (issued < record.issued) revert IssuedNotMonotone(class, record.issued, issued);

        record.issued = issued;
        emit CredentialsIssued(class, issued);
    }

    function _requireIssuedCoversRegistered() private view {
        uint8 count = _state.classCount;
        for (uint8 class = 0; class < count; ++class) {
            ClassRecord storage record = _classes[class];
            if (record.registered > record.issued) {
                revert RegisteredExceedsIssued(class, record.registered, record.issued);
            }
        }
    }

    // ---------------------------------------------------------------------------------------------
    // The clerk opens pledging, citizens allocate
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetRound
    function openPledging() external whenActive inPhase(Phase.Registration) onlyRole(IMunicipalities.Role.Clerk) {
        _requireNotBefore(_config.registrationUntil);
        _requireIssuedCoversRegistered();
        uint256 amount = budget();
        if (amount == 0) revert BudgetMissing();

        _state.budget = amount.toUint96();
        // Opened late, pledging lasts as long as was promised all the same.
        pledgingClosesAt = uint64(block.timestamp) + (_config.pledgingUntil - _config.registrationUntil);
        _enter(Phase.Pledging);
        emit PledgingOpened(amount, _state.totalWeight);

        IBudgetTokenRound(token).release();
    }

    /// @inheritdoc IBudgetRound
    function allocate(Allocation[] calldata allocations, bytes calldata signatures)
        external
        whenActive
        inPhase(Phase.Pledging)
    {
        if (allocations.length == 0 || signatures.length != allocations.length * AllocationBatch.SIGNATURE_LENGTH) {
            revert BatchMalformed();
        }

        AllocationBatch.Batch memory batch = _batch(allocations);
        bytes32 domainSeparator = _domainSeparatorV4();
        for (uint256 i = 0; i < allocations.length; ++i) {
            Allocation calldata allocation = allocations[i];
            SkipReason reason = _allocate(batch, domainSeparator, allocation, signatures, i);
            if (reason != SkipReason.None) emit AllocationSkipped(allocation.account, allocation.version, reason);
        }
        if (batch.newcomers != 0) _state.participants += batch.newcomers.toUint32();
        if (batch.moveCount == 0) return;
        IBudgetTokenRound(token).applyMoves(batch.collected(), batch.initiativeCount);
    }

    function _batch(Allocation[] calldata allocations) private view returns (AllocationBatch.Batch memory batch) {
        State memory state = _state;
        // Each allocation changes at most its recorded choices and its new ones, and the new ones may be replaced again
        // later in the same batch.
        uint256 capacity = 0;
        for (uint256 i = 0; i < allocations.length; ++i) {
            uint256 chosen = allocations[i].initiatives.length;
            if (chosen > MAX_CHOICES) chosen = MAX_CHOICES;
            capacity += 1 + _citizens[allocations[i].account].choiceCount() + 2 * chosen;
        }
        batch.approval = _config.ballotKind == BallotKind.Approval;
        batch.sharePoints = _config.sharePoints;
        batch.initiativeCount = state.initiativeCount;
        batch.shares = new uint256[](state.classCount);
        batch.before = new uint256[](MAX_CHOICES);
        batch.chosen = new uint256[](MAX_CHOICES);
        batch.moves = new uint256[](capacity);
    }

    /// @dev Records one allocation, or says why not.
    function _allocate(
        AllocationBatch.Batch memory batch,
        bytes32 domainSeparator,
        Allocation calldata allocation,
        bytes calldata signatures,
        uint256 index
    ) private returns (SkipReason) {
        address account = allocation.account;
        uint256 record = _citizens[account];
        if (record == 0) return SkipReason.NotRegistered;
        if (allocation.version <= record.versionOf()) return SkipReason.VersionNotHigher;
        if (!batch.read(allocation)) return SkipReason.ChoicesMalformed;
        if (!allocation.isSigned(domainSeparator, signatures, index)) return SkipReason.SignatureInvalid;

        batch.beforeCount = _readRecorded(batch.approval, account, record, batch.before);
        mapping(uint256 => uint256) storage more = _moreChoices[account];
        _citizens[account] = batch.approval
            ? record.writeApprovals(more, allocation.version, batch.chosen, batch.chosenCount)
            : record.writePoints(more, allocation.version, batch.chosen, batch.chosenCount);
        AllocationBatch.emitRecorded(account, allocation.version, allocation.initiatives, allocation.points);

        // Versions count from 1. There are no more accounts than items of calldata.
        if (record.versionOf() == 0) {
            unchecked {
                ++batch.newcomers;
            }
        }
        batch.addMoves(account, _shareIn(batch, record.classOf()));
        return SkipReason.None;
    }

    function _readRecorded(bool approval, address account, uint256 record, uint256[] memory choices)
        private
        view
        returns (uint256)
    {
        mapping(uint256 => uint256) storage more = _moreChoices[account];
        return approval ? record.readApprovals(more, choices) : record.readPoints(more, choices);
    }

    function _shareIn(AllocationBatch.Batch memory batch, uint8 class) private view returns (uint256 share) {
        share = batch.shares[class];
        if (share == 0) batch.shares[class] = share = _shareOf(class);
    }

    /// @dev The share of a citizen of this class, 0 before it is known.
    function _shareOf(uint8 class) private view returns (uint256) {
        uint256 weight = _classes[class].weight;
        if (_config.allotment == Allotment.Fixed) return weight * _config.fixedAmount;
        State memory state = _state;
        // Whoever asks is registered, so the total weight is not zero.
        return state.budget * weight / state.totalWeight;
    }

    // ---------------------------------------------------------------------------------------------
    // Settlement
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetRound
    function closePledging() external whenActive inPhase(Phase.Pledging) {
        uint64 closesAt = pledgingClosesAt;
        if (block.timestamp < closesAt + CLOSING_GRACE) _requireRole(IMunicipalities.Role.Clerk);
        _requireNotBefore(closesAt);
        _requireIssuedCoversRegistered();
        _enter(Phase.Tallying);
    }

    /// @inheritdoc IBudgetRound
    function proposeSettlement(uint16[] calldata winners, bytes32 transcriptDigest)
        external
        whenActive
        inPhase(Phase.Tallying)
        onlyRole(IMunicipalities.Role.Clerk)
    {
        uint256 totalCost = 0;
        uint16 previous = 0;
        for (uint256 i = 0; i < winners.length; ++i) {
            uint16 id = winners[i];
            if (id <= previous) revert WinnersNotAscending();
            _requireInitiative(id);
            totalCost += _initiatives[id].cost;
            previous = id;
        }
        if (totalCost > _state.budget) revert BudgetExceeded(totalCost, _state.budget);

        uint64 nowAt = uint64(block.timestamp);
        _settlement = Settlement({
            winners: winners,
            transcriptDigest: transcriptDigest,
            totalCost: totalCost.toUint128(),
            proposedAt: nowAt,
            proposer: _msgSender(),
            approver: address(0)
        });
        _enter(Phase.Objection);
        emit SettlementProposed(_msgSender(), winners, transcriptDigest, totalCost, nowAt + _config.objectionPeriod);
    }

    /// @inheritdoc IBudgetRound
    function approveSettlement(uint16[] calldata winners, bytes32 transcriptDigest)
        external
        whenActive
        inPhase(Phase.Objection)
        onlyRole(IMunicipalities.Role.Controller)
    {
        Settlement memory result = _settlement;
        if (result.approver != address(0)) revert SettlementAlreadyApproved(result.approver);
        bytes32 proposed = keccak256(abi.encode(result.winners, result.transcriptDigest));
        bytes32 approved = keccak256(abi.encode(winners, transcriptDigest));
        if (approved != proposed) revert ApprovalDiffers(proposed, approved);
        if (_msgSender() == result.proposer) revert ApproverIsProposer(_msgSender());
        if (!_hasRole(IMunicipalities.Role.Clerk, result.proposer)) revert ProposerLostAccess(result.proposer);

        _settlement.approver = _msgSender();
        emit SettlementApproved(result.proposer, _msgSender(), transcriptDigest);
    }

    /// @inheritdoc IBudgetRound
    function withdrawSettlement() external inPhase(Phase.Objection) {
        if (!_hasRole(IMunicipalities.Role.Controller, _msgSender())) _requireRole(IMunicipalities.Role.Clerk);
        bytes32 transcriptDigest = _settlement.transcriptDigest;
        delete _settlement;
        _enter(Phase.Tallying);
        emit SettlementWithdrawn(_msgSender(), transcriptDigest);
    }

    /// @inheritdoc IBudgetRound
    function finalizeSettlement() external whenActive inPhase(Phase.Objection) {
        Settlement memory result = _settlement;
        _requireNotBefore(result.proposedAt + _config.objectionPeriod);
        if (result.approver == address(0)) revert SettlementNotApproved();

        uint256[] memory funded = new uint256[](_state.initiativeCount);
        for (uint256 i = 0; i < result.winners.length; ++i) {
            InitiativeRecord storage record = _initiatives[result.winners[i]];
            record.won = true;
            funded[result.winners[i] - 1] = record.cost;
        }
        _enter(Phase.Settled);

        // The events follow the calls, because they say what the token did.
        uint256[] memory pledged = IBudgetTokenRound(token).rebalance(funded);
        for (uint256 i = 0; i < funded.length; ++i) {
            emit InitiativeSettled((i + 1).toUint16(), funded[i] != 0, pledged[i], funded[i]);
        }
        uint256 returned = IBudgetTokenRound(token).returnPurse();
        emit SettlementFinalized(result.winners, result.transcriptDigest, result.totalCost, returned);
    }

    // ---------------------------------------------------------------------------------------------
    // The treasurer reports payments and closes, the clerk calls off
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetRound
    function recordPayment(uint16 initiativeId, uint256 amount, bytes32 paymentReference, bytes32 documentHash)
        external
        whenActive
        inPhase(Phase.Settled)
        onlyRole(IMunicipalities.Role.Treasurer)
    {
        _requireWinner(initiativeId);
        if (amount == 0) revert AmountZero();
        uint256 balance = _pledged(initiativeId);
        if (amount > balance) revert PaymentExceedsWallet(initiativeId, amount, balance);
        if (_paymentRecorded[initiativeId][paymentReference]) {
            revert PaymentAlreadyRecorded(initiativeId, paymentReference);
        }

        _paymentRecorded[initiativeId][paymentReference] = true;
        emit PaymentRecorded(initiativeId, amount, paymentReference, documentHash);

        IBudgetTokenRound(token).burnPaid(initiativeId, amount, paymentReference, documentHash);
    }

    /// @inheritdoc IBudgetRound
    function returnRemainder(uint16 initiativeId)
        external
        inPhase(Phase.Settled)
        onlyRole(IMunicipalities.Role.Treasurer)
    {
        _requireWinner(initiativeId);
        if (_pledged(initiativeId) == 0) revert AmountZero();
        IBudgetTokenRound(token).returnWallet(initiativeId);
    }

    /// @inheritdoc IBudgetRound
    function close() external inPhase(Phase.Settled) onlyRole(IMunicipalities.Role.Treasurer) {
        uint256 left = IBudgetToken(token).totalSupply();
        if (left != 0) revert WalletsNotEmpty(left);
        _enter(Phase.Closed);
    }

    /// @inheritdoc IBudgetRound
    function cancel() external onlyRole(IMunicipalities.Role.Clerk) {
        Phase current = _state.phase;
        if (current > Phase.Objection) revert PhaseWrong(current, Phase.Objection);
        bytes32 transcriptDigest = _settlement.transcriptDigest;
        delete _settlement;
        _enter(Phase.Cancelled);
        if (current == Phase.Objection) emit SettlementWithdrawn(_msgSender(), transcriptDigest);

        if (current < Phase.Pledging) IBudgetTokenRound(token).release();
        else IBudgetTokenRound(token).rebalance(new uint256[](_state.initiativeCount));
        IBudgetTokenRound(token).returnPurse();
    }

    // ---------------------------------------------------------------------------------------------
    // Checks
    // ---------------------------------------------------------------------------------------------

    function _requirePhase(Phase required) private view {
        if (_state.phase != required) revert PhaseWrong(_state.phase, required);
    }

    function _requireActive() private view {
        if (IMunicipalities(_municipalities).paused()) revert ActionsPaused();
    }

    function _requireRole(IMunicipalities.Role role) private view {
        if (!_hasRole(role, _msgSender())) revert CallerLacksRole(_msgSender(), uint8(role));
    }

    function _hasRole(IMunicipalities.Role role, address account) private view returns (bool) {
        return IMunicipalities(_municipalities).hasRole(_config.municipalityId, role, account);
    }

    function _requireNotBefore(uint64 notBefore) private view {
        if (block.timestamp < notBefore) revert TooEarly(uint64(block.timestamp), notBefore);
    }

    function _requireInitiative(uint16 initiativeId) private view {
        if (initiativeId == 0 || initiativeId > _state.initiativeCount) revert InitiativeUnknown(initiativeId);
    }

    function _requireWinner(uint16 initiativeId) private view {
        _requireInitiative(initiativeId);
        if (!_initiatives[initiativeId].won) revert InitiativeNotWinner(initiativeId);
    }

    // ---------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetRound
    function config() external view returns (RoundConfig memory) {
        return _config;
    }

    /// @inheritdoc IBudgetRound
    function phase() external view returns (Phase) {
        return _state.phase;
    }

    /// @inheritdoc IBudgetRound
    function budget() public view returns (uint256) {
        return _state.phase < Phase.Pledging ? IBudgetToken(token).balanceOf(token) : _state.budget;
    }

    /// @inheritdoc IBudgetRound
    function classCount() external view returns (uint8) {
        return _state.classCount;
    }

    /// @inheritdoc IBudgetRound
    function classInfo(uint8 class) external view returns (ClassInfo memory) {
        if (class >= _state.classCount) revert ClassUnknown(class);
        ClassRecord storage record = _classes[class];
        return ClassInfo({
            weight: record.weight,
            issuerKey: record.issuerKey.unpack(),
            registered: record.registered,
            issued: record.issued
        });
    }

    /// @inheritdoc IBudgetRound
    function initiativeCount() external view returns (uint16) {
        return _state.initiativeCount;
    }

    /// @inheritdoc IBudgetRound
    function initiative(uint16 initiativeId) external view returns (Initiative memory) {
        _requireInitiative(initiativeId);
        InitiativeRecord storage record = _initiatives[initiativeId];
        return Initiative({
            cost: record.cost,
            contentHash: record.contentHash,
            wallet: InitiativeWallet.addressOf(address(this), initiativeId),
            pledged: _pledged(initiativeId).toUint128(),
            won: record.won
        });
    }

    /// @inheritdoc IBudgetRound
    function walletOf(uint16 initiativeId) external view returns (address) {
        _requireInitiative(initiativeId);
        return InitiativeWallet.addressOf(address(this), initiativeId);
    }

    /// @inheritdoc IBudgetRound
    function registeredCount() external view returns (uint32) {
        return _state.registered;
    }

    /// @inheritdoc IParticipation
    /// @dev Accounts with a recorded allocation, even if they took everything back since.
    function participants(uint256 id) external view returns (uint256) {
        return id == roundId ? _state.participants : 0;
    }

    /// @inheritdoc IBudgetRound
    function citizen(address account) external view returns (Citizen memory result) {
        uint256 record = _citizens[account];
        if (record == 0) return result;
        bool approval = _config.ballotKind == BallotKind.Approval;
        uint256[] memory choices = new uint256[](MAX_CHOICES);
        uint256 count = _readRecorded(approval, account, record, choices);
        result.registered = true;
        result.class = record.classOf();
        result.version = record.versionOf();
        result.initiatives = new uint16[](count);
        result.points = new uint16[](approval ? 0 : count);
        for (uint256 i = 0; i < count; ++i) {
            result.initiatives[i] = uint16(choices[i] >> 16);
            if (!approval) result.points[i] = uint16(choices[i]);
        }
    }

    /// @inheritdoc IBudgetRound
    function allotmentOf(address account) public view returns (uint256) {
        uint256 record = _citizens[account];
        return record == 0 ? 0 : _shareOf(record.classOf());
    }

    /// @inheritdoc IBudgetRound
    function unspentOf(address account) external view returns (uint256 unspent) {
        uint256 record = _citizens[account];
        if (record == 0 || _state.phase > Phase.Objection) return 0;
        bool approval = _config.ballotKind == BallotKind.Approval;
        uint256[] memory choices = new uint256[](MAX_CHOICES);
        uint256 count = _readRecorded(approval, account, record, choices);
        uint256 share = _shareOf(record.classOf());
        unspent = share;
        for (uint256 i = 0; i < count; ++i) {
            unspent -= AllocationBatch.part(share, choices[i], approval ? count : _config.sharePoints);
        }
    }

    /// @inheritdoc IBudgetRound
    function settlement() external view returns (Settlement memory) {
        return _settlement;
    }

    /// @inheritdoc IBudgetRound
    function credentialMessage(uint8 class, address account) external view returns (bytes memory) {
        return BlindCredential.message(_scope(class), account);
    }

    function _pledged(uint16 initiativeId) private view returns (uint256) {
        return IBudgetToken(token).balanceOf(InitiativeWallet.addressOf(address(this), initiativeId));
    }
}
