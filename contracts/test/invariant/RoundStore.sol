// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";

/// @title What the handler remembers: a plain model of the round, and everything that the token's events say
contract RoundStore {
    struct CitizenModel {
        bool credentialIssued;
        bool registered;
        uint8 class;
        uint32 version;
        uint16[] initiatives;
        uint16[] points;
    }

    /// @dev A grant of a role, `until` not included.
    struct GrantModel {
        uint64 from;
        uint64 until;
    }

    /// @dev A proposal to mint. `decided` is the record when it was decided.
    struct MintModel {
        address proposer;
        uint256 amount;
        bytes32 documentHash;
        bool open;
        bool approved;
        bytes32 decided;
    }

    /// @dev The execution of a winner. A record is remembered once it must never change again.
    struct ExecutionModel {
        bool scheduled;
        bool abandoned;
        uint8 reached;
        uint64[4] promised;
        uint64[4] deadlines;
        uint32[4] postponements;
        bytes32[4] records;
    }

    // The model of access.
    address public owner;
    bool public paused;
    mapping(uint8 role => mapping(address account => GrantModel)) private _grants;
    mapping(uint256 mintId => MintModel) private _mints;
    uint256 public mintCount;
    address public proposer;
    address public approver;
    uint64 public proposedAt;
    uint64 public pledgingClosesAt;
    bytes32 public digest;
    uint16[] private _winners;
    mapping(uint256 initiativeId => bool) private _isWinner;
    mapping(uint256 initiativeId => ExecutionModel) private _executions;
    /// @dev Numbers of invariants that an action broke.
    mapping(string invariant => bool) public broken;

    // The model.
    uint256 public minted;
    uint256 public paid;
    uint256 public registered;
    uint256 public totalWeight;
    mapping(uint256 class => uint256) public registeredIn;
    mapping(uint256 class => uint256) public issued;
    mapping(uint256 initiativeId => uint256) public costOf;
    mapping(uint256 initiativeId => mapping(bytes32 paymentReference => bool)) public paymentRecorded;
    mapping(uint256 citizen => CitizenModel) private _citizens;
    mapping(uint256 initiativeId => uint256) public paidFor;
    mapping(uint256 initiativeId => bool) public remainderReturned;

    // What the events say.
    mapping(address account => int256) public ledger;
    mapping(address account => uint256) public registrations;
    mapping(address account => uint256) public lastVersion;
    bool public ledgerWasNegative;
    bool public versionFell;

    // What must never happen.
    bool public forbiddenSucceeded;
    bool public phaseJumped;
    bool public mintedAfterOpening;
    IBudgetRound.Phase public phase;

    // ---------------------------------------------------------------------------------------------
    // Access
    // ---------------------------------------------------------------------------------------------

    function setOwner(address account) external {
        owner = account;
    }

    function setPaused(bool paused_) external {
        paused = paused_;
    }

    function grant(uint8 role, address account, uint64 from, uint64 until) external {
        _grants[role][account] = GrantModel({from: from, until: until});
    }

    /// @notice Expired access is no access, and the owner has none.
    function mayAct(uint8 role, address account) public view returns (bool) {
        GrantModel memory access = _grants[role][account];
        return access.from <= block.timestamp && block.timestamp < access.until && account != owner;
    }

    /// @notice What happened against what the model expected.
    function expect(string calldata invariant, bool expected, bool actual) external {
        if (expected != actual) broken[invariant] = true;
    }

    function setProposal(address proposer_, address approver_, uint64 proposedAt_) external {
        proposer = proposer_;
        approver = approver_;
        proposedAt = proposedAt_;
    }

    function setPledgingClosesAt(uint64 closesAt) external {
        pledgingClosesAt = closesAt;
    }

    /// @notice Who won if the proposal becomes final; nobody while there is none.
    function setResult(uint16[] calldata winners_, bytes32 digest_) external {
        for (uint256 i = 0; i < _winners.length; ++i) {
            _isWinner[_winners[i]] = false;
        }
        _winners = winners_;
        digest = digest_;
        for (uint256 i = 0; i < winners_.length; ++i) {
            _isWinner[winners_[i]] = true;
        }
    }

    function winners() external view returns (uint16[] memory) {
        return _winners;
    }

    /// @notice Whether the initiative is a winner of a final result.
    function won(uint256 id) public view returns (bool) {
        return (phase == IBudgetRound.Phase.Settled || phase == IBudgetRound.Phase.Closed) && _isWinner[id];
    }

    // ---------------------------------------------------------------------------------------------
    // Proposals to mint
    // ---------------------------------------------------------------------------------------------

    function proposeMint(address proposer_, uint256 amount, bytes32 documentHash) external {
        _mints[++mintCount] = MintModel({
            proposer: proposer_, amount: amount, documentHash: documentHash, open: true, approved: false, decided: 0
        });
    }

    function decideMint(uint256 mintId, bool approved, bytes32 record) external {
        MintModel storage model = _mints[mintId];
        model.open = false;
        model.approved = approved;
        model.decided = record;
    }

    function mintModel(uint256 mintId) external view returns (MintModel memory) {
        return _mints[mintId];
    }

    // ---------------------------------------------------------------------------------------------
    // Executions
    // ---------------------------------------------------------------------------------------------

    function schedule(uint256 id, uint64[4] calldata deadlines) external {
        ExecutionModel storage model = _executions[id];
        model.scheduled = true;
        model.promised = deadlines;
        model.deadlines = deadlines;
    }

    function postpone(uint256 id, uint256 stage, uint64 deadline) external {
        _executions[id].deadlines[stage] = deadline;
        ++_executions[id].postponements[stage];
    }

    function reach(uint256 id, bytes32 record) external {
        ExecutionModel storage model = _executions[id];
        model.records[model.reached++] = record;
    }

    function abandon(uint256 id) external {
        _executions[id].abandoned = true;
    }

    function execution(uint256 id) external view returns (ExecutionModel memory) {
        return _executions[id];
    }

    // ---------------------------------------------------------------------------------------------
    // The model
    // ---------------------------------------------------------------------------------------------

    function addMinted(uint256 amount) external {
        minted += amount;
        if (phase >= IBudgetRound.Phase.Pledging) mintedAfterOpening = true;
    }

    function addPaid(uint256 id, uint256 amount, bytes32 paymentReference) external {
        paid += amount;
        paidFor[id] += amount;
        paymentRecorded[id][paymentReference] = true;
    }

    function setCost(uint256 id, uint256 cost) external {
        costOf[id] = cost;
    }

    /// @notice What a winner's wallet holds once the result is final.
    function leftOf(uint256 id) public view returns (uint256) {
        return !won(id) || remainderReturned[id] ? 0 : costOf[id] - paidFor[id];
    }

    function setRemainderReturned(uint256 id) external {
        remainderReturned[id] = true;
    }

    function issue(uint256 citizen) external {
        _citizens[citizen].credentialIssued = true;
    }

    function setIssued(uint256 class, uint256 count) external {
        issued[class] = count;
    }

    /// @notice Whether the published numbers of credentials cover the registrations.
    function isCovered() external view returns (bool) {
        return registeredIn[0] <= issued[0] && registeredIn[1] <= issued[1];
    }

    function register(uint256 citizen, uint8 class) external {
        _citizens[citizen].registered = true;
        _citizens[citizen].class = class;
        ++registered;
        ++registeredIn[class];
        // Class 0 weighs 1, class 1 weighs 2.
        totalWeight += class + 1;
    }

    function allocate(uint256 citizen, uint32 version, uint16[] calldata initiatives, uint16[] calldata points)
        external
    {
        CitizenModel storage model = _citizens[citizen];
        model.version = version;
        model.initiatives = initiatives;
        model.points = points;
    }

    function citizen(uint256 index) external view returns (CitizenModel memory) {
        return _citizens[index];
    }

    // ---------------------------------------------------------------------------------------------
    // Events
    // ---------------------------------------------------------------------------------------------

    function transferred(address from, address to, uint256 amount) external {
        if (from != address(0)) {
            ledger[from] -= int256(amount);
            if (ledger[from] < 0) ledgerWasNegative = true;
        }
        if (to != address(0)) ledger[to] += int256(amount);
    }

    function sawRegistered(address account) external {
        ++registrations[account];
    }

    function sawAllocation(address account, uint256 version) external {
        if (version <= lastVersion[account]) versionFell = true;
        lastVersion[account] = version;
    }

    // ---------------------------------------------------------------------------------------------
    // Guards
    // ---------------------------------------------------------------------------------------------

    function forbidden(bool success) external {
        if (success) forbiddenSucceeded = true;
    }

    /// @notice The edges of the phase diagram.
    function sawPhase(IBudgetRound.Phase next) external {
        bool step = uint8(next) == uint8(phase) + 1 && next <= IBudgetRound.Phase.Closed;
        bool withdrawn = phase == IBudgetRound.Phase.Objection && next == IBudgetRound.Phase.Tallying;
        bool cancelled = phase <= IBudgetRound.Phase.Objection && next == IBudgetRound.Phase.Cancelled;
        if (next != phase && !step && !withdrawn && !cancelled) phaseJumped = true;
        phase = next;
    }
}
