// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";

/// @title What the handler remembers: a plain model of the polls, and everything that their events say
/// @dev The model knows the rules in words of its own: it decides what must become of every ballot before the contract
/// is asked, and counts option by option.
contract PollStore {
    struct PollModel {
        IPolls.PollConfig config;
        bool cancelled;
        uint32 issued;
        uint32 ballots;
        uint32 opened;
        uint32 spoilt;
        bool secretKnown;
    }

    /// @notice One account in one poll.
    /// @param choice What it voted for; in a sealed poll what is sealed.
    /// @param noise Sealed with somebody else's mask: opens to nothing well formed.
    struct VoterModel {
        IPolls.BallotStatus status;
        uint32 version;
        uint128 choice;
        bool noise;
    }

    /// @notice What the events of an account say.
    struct Trace {
        uint32 version;
        uint256 casts;
        uint128 choice;
        bool isSealed;
        bool opened;
        bool spoilt;
    }

    bool public paused;
    bool public clerkHasRole = true;
    bool public issuerHasRole = true;
    mapping(uint256 pollId => PollModel) private _polls;
    mapping(uint256 pollId => mapping(address account => VoterModel)) private _voters;

    mapping(uint256 pollId => mapping(address account => Trace)) private _traces;
    mapping(uint256 pollId => uint256) public accountsSeen;
    mapping(uint256 pollId => uint32) public issuedSeen;
    mapping(uint256 pollId => bool) public secretSeen;
    mapping(uint256 pollId => bool) public cancelSeen;
    mapping(uint256 pollId => bytes32) private _finalHash;
    mapping(string name => bool) public broken;

    // ---------------------------------------------------------------------------------------------
    // The model
    // ---------------------------------------------------------------------------------------------

    function create(uint256 id, IPolls.PollConfig calldata config) external {
        _polls[id].config = config;
    }

    function pollModel(uint256 id) external view returns (PollModel memory) {
        return _polls[id];
    }

    function voter(uint256 id, address account) external view returns (VoterModel memory) {
        return _voters[id][account];
    }

    function status(uint256 id) public view returns (IPolls.PollStatus) {
        PollModel storage model = _polls[id];
        if (model.cancelled) return IPolls.PollStatus.Cancelled;
        if (block.timestamp < model.config.opensAt) return IPolls.PollStatus.Announced;
        if (block.timestamp < model.config.closesAt) return IPolls.PollStatus.Open;
        uint256 end = uint256(model.config.closesAt) + model.config.grace;
        return block.timestamp < end ? IPolls.PollStatus.Closing : IPolls.PollStatus.Closed;
    }

    /// @notice Whether ballots are accepted now.
    function accepts(uint256 id) public view returns (bool) {
        IPolls.PollStatus current = status(id);
        return !paused && (current == IPolls.PollStatus.Open || current == IPolls.PollStatus.Closing);
    }

    /// @notice Whether a choice fits the poll, option by option.
    function isWellFormed(uint256 id, uint256 choice) public view returns (bool) {
        IPolls.PollConfig storage config = _polls[id].config;
        uint256 chosen = 0;
        for (uint256 option = 0; option < 128; ++option) {
            uint256 value = _valueOf(config.kind, choice, option);
            if (value == 0) continue;
            if (option >= config.optionCount || value > 5) return false;
            ++chosen;
        }
        if (config.kind == IPolls.PollKind.Single) return chosen == 1;
        if (config.kind == IPolls.PollKind.Multiple) return chosen != 0 && chosen <= config.maxChoices;
        return chosen != 0;
    }

    function _valueOf(IPolls.PollKind kind, uint256 choice, uint256 option) private pure returns (uint256) {
        if (kind != IPolls.PollKind.Rating) return choice >> option & 1;
        return option < 32 ? choice >> 4 * option & 15 : 0;
    }

    /// @notice What must become of a ballot in an open batch, and if it is accepted, that it was.
    function cast(uint256 id, address account, uint32 version, uint128 choice, bool noise, bool signed, bool credential)
        external
        returns (IPolls.SkipReason)
    {
        PollModel storage model = _polls[id];
        VoterModel storage record = _voters[id][account];
        bool isSealed = model.config.sealingKey != 0;
        bool isNew = record.status == IPolls.BallotStatus.None;
        if (isNew && !credential) return IPolls.SkipReason.CredentialMissing;
        if (isNew && model.ballots >= model.issued) return IPolls.SkipReason.IssuedReached;
        if (!isNew && !model.config.revote) return IPolls.SkipReason.RevoteForbidden;
        if (version <= record.version) return IPolls.SkipReason.VersionNotHigher;
        if (!isSealed && !isWellFormed(id, choice)) return IPolls.SkipReason.ChoiceMalformed;
        if (!signed) return IPolls.SkipReason.SignatureInvalid;
        if (isNew) ++model.ballots;
        record.status = isSealed ? IPolls.BallotStatus.Sealed : IPolls.BallotStatus.Counted;
        record.version = version;
        record.choice = choice;
        record.noise = noise;
        return IPolls.SkipReason.None;
    }

    /// @notice What must become of a sealed ballot that is opened with the right or a wrong seal.
    function open(uint256 id, address account, bool rightSeal) external {
        VoterModel storage record = _voters[id][account];
        if (record.status != IPolls.BallotStatus.Sealed || !rightSeal) return;
        if (!record.noise && isWellFormed(id, record.choice)) {
            record.status = IPolls.BallotStatus.Counted;
            ++_polls[id].opened;
        } else {
            record.status = IPolls.BallotStatus.Spoilt;
            ++_polls[id].spoilt;
        }
    }

    function cancel(uint256 id) external {
        _polls[id].cancelled = true;
    }

    function publishIssued(uint256 id, uint32 issued) external {
        _polls[id].issued = issued;
    }

    function publishSecret(uint256 id) external {
        _polls[id].secretKnown = true;
    }

    function setPaused(bool value) external {
        paused = value;
    }

    function setRoles(bool clerk, bool issuer) external {
        (clerkHasRole, issuerHasRole) = (clerk, issuer);
    }

    /// @notice The count, one account and one option after another.
    function tally(uint256 id, address[] calldata accounts) external view returns (uint32[] memory counts) {
        IPolls.PollConfig storage config = _polls[id].config;
        bool rating = config.kind == IPolls.PollKind.Rating;
        counts = new uint32[](rating ? 5 * uint256(config.optionCount) : config.optionCount);
        for (uint256 i = 0; i < accounts.length; ++i) {
            VoterModel storage record = _voters[id][accounts[i]];
            if (record.status != IPolls.BallotStatus.Counted) continue;
            _add(config.kind, config.optionCount, record.choice, counts);
        }
    }

    function _add(IPolls.PollKind kind, uint256 optionCount, uint256 choice, uint32[] memory counts) private pure {
        for (uint256 option = 0; option < optionCount; ++option) {
            uint256 value = _valueOf(kind, choice, option);
            if (value != 0) ++counts[kind == IPolls.PollKind.Rating ? 5 * option + value - 1 : option];
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Events
    // ---------------------------------------------------------------------------------------------

    function sawCast(uint256 id, address account, uint32 version, uint128 choice, bool isSealed) external {
        if (!accepts(id)) broken["POL-9"] = true;
        Trace storage trace = _traces[id][account];
        if (version <= trace.version) broken["POL-8"] = true;
        if (trace.opened || trace.spoilt || secretSeen[id]) broken["POL-11"] = true;
        if (trace.casts++ == 0) ++accountsSeen[id];
        else if (!_polls[id].config.revote) broken["POL-4"] = true;
        trace.version = version;
        trace.choice = choice;
        trace.isSealed = isSealed;
        if (accountsSeen[id] > issuedSeen[id]) broken["POL-3"] = true;
    }

    function sawOpened(uint256 id, address account, uint32 version, uint128 choice, bool spoilt) external {
        Trace storage trace = _traces[id][account];
        if (!secretSeen[id]) broken["POL-11"] = true;
        if (!trace.isSealed || trace.opened || trace.spoilt || trace.version != version) broken["POL-10"] = true;
        trace.opened = !spoilt;
        trace.spoilt = spoilt;
        trace.choice = choice;
    }

    function sawIssued(uint256 id, uint32 issued) external {
        if (issued < issuedSeen[id] || paused) broken["POL-3"] = true;
        issuedSeen[id] = issued;
    }

    function sawSecret(uint256 id) external {
        if (secretSeen[id] || status(id) < IPolls.PollStatus.Closed) broken["POL-11"] = true;
        secretSeen[id] = true;
    }

    function sawCancelled(uint256 id) external {
        if (cancelSeen[id]) broken["POL-15"] = true;
        cancelSeen[id] = true;
    }

    /// @notice The count as a stranger makes it, from the events alone.
    function tallyOfEvents(uint256 id, address[] calldata accounts) external view returns (uint32[] memory counts) {
        IPolls.PollConfig storage config = _polls[id].config;
        bool rating = config.kind == IPolls.PollKind.Rating;
        counts = new uint32[](rating ? 5 * uint256(config.optionCount) : config.optionCount);
        for (uint256 i = 0; i < accounts.length; ++i) {
            Trace storage trace = _traces[id][accounts[i]];
            if (trace.casts == 0 || trace.isSealed && !trace.opened) continue;
            _add(config.kind, config.optionCount, trace.choice, counts);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Guards
    // ---------------------------------------------------------------------------------------------

    function breaks(string calldata name, bool happened) external {
        if (happened) broken[name] = true;
    }

    /// @notice Results that were final once stay as they were.
    function sawFinal(uint256 id, bytes32 hash) external {
        if (_finalHash[id] == 0) _finalHash[id] = hash;
        else if (_finalHash[id] != hash) broken["POL-12"] = true;
    }

    function finalSeen(uint256 id) external view returns (bool) {
        return _finalHash[id] != 0;
    }
}
