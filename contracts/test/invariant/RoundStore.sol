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

    // The model.
    uint256 public minted;
    uint256 public paid;
    uint256 public registered;
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
    // The model
    // ---------------------------------------------------------------------------------------------

    function addMinted(uint256 amount) external {
        minted += amount;
        if (phase >= IBudgetRound.Phase.Pledging) mintedAfterOpening = true;
    }

    function addPaid(uint256 id, uint256 amount) external {
        paid += amount;
        paidFor[id] += amount;
    }

    function setRemainderReturned(uint256 id) external {
        remainderReturned[id] = true;
    }

    function issue(uint256 citizen) external {
        _citizens[citizen].credentialIssued = true;
    }

    function register(uint256 citizen, uint8 class) external {
        _citizens[citizen].registered = true;
        _citizens[citizen].class = class;
        ++registered;
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
