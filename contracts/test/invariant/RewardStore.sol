// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title What the handler remembers: a plain model of points and shop, and everything that the events say
/// @notice Citizens, seasons, sources and prizes are small numbers; season 0 never ends.
contract RewardStore {
    struct SourceModel {
        uint256 season;
        uint256 points;
        uint256 participants;
        uint256 claimed;
        bool closed;
    }

    struct PrizeModel {
        address partner;
        uint256 price;
        uint256 stock;
        uint256 putIn;
        uint256 takenOut;
        uint256 validFrom;
        uint256 validUntil;
        uint256 collectPeriod;
        bool withdrawn;
    }

    /// @param taken Points taken from each season.
    /// @param status As `IRewardShop.Status` counts.
    struct RedemptionModel {
        bytes32 id;
        uint256 citizen;
        uint256 number;
        uint256 prize;
        uint256[4] taken;
        uint256 collectUntil;
        uint256 status;
    }

    uint256 public constant OPEN = 1;
    uint256 public constant HONOURED = 2;
    uint256 public constant REFUSED = 3;
    uint256 public constant LAPSED = 4;

    // The model.
    uint256[] public seasonEnds;
    mapping(uint256 sourceId => SourceModel) private _sources;
    mapping(uint256 sourceId => mapping(uint256 citizen => bool)) public hasClaimed;
    mapping(uint256 season => mapping(uint256 citizen => uint256)) public balance;
    mapping(uint256 prizeId => PrizeModel) private _prizes;
    RedemptionModel[] private _redemptions;
    mapping(uint256 citizen => mapping(uint256 number => bool)) public codeUsed;
    bool public paused;
    mapping(address partner => bool) public hasRole;

    // What the events say.
    mapping(uint256 season => mapping(address account => int256)) public ledger;
    mapping(uint256 prizeId => int256) public stockLedger;
    mapping(bytes32 redemptionId => uint256) public redeemedEvents;
    mapping(bytes32 redemptionId => uint256) public endedEvents;
    bool public ledgerWasNegative;

    // What must never happen.
    bool public forbiddenSucceeded;
    bool public forgeryAccepted;
    string public disagreement;

    constructor() {
        seasonEnds.push(type(uint256).max);
    }

    /// @notice The contract must have accepted or refused as the model says.
    function compare(bool accepted, bool expected, string calldata action) external {
        if (accepted != expected) disagreement = action;
    }

    function forbidden(bool success) external {
        if (success) forbiddenSucceeded = true;
    }

    function forged(bool success) external {
        if (success) forgeryAccepted = true;
    }

    function setPaused(bool paused_) external {
        paused = paused_;
    }

    function setRole(address partner, bool has) external {
        hasRole[partner] = has;
    }

    // ---------------------------------------------------------------------------------------------
    // Points
    // ---------------------------------------------------------------------------------------------

    function addSeason(uint256 endsAt) external {
        seasonEnds.push(endsAt);
    }

    function seasonCount() external view returns (uint256) {
        return seasonEnds.length - 1;
    }

    function runs(uint256 season) public view returns (bool) {
        return season < seasonEnds.length && block.timestamp < seasonEnds[season];
    }

    function addSource(uint256 sourceId, uint256 season, uint256 points) external {
        _sources[sourceId] = SourceModel({season: season, points: points, participants: 0, claimed: 0, closed: false});
    }

    function closeSource(uint256 sourceId) external {
        _sources[sourceId].closed = true;
    }

    function takePart(uint256 sourceId, uint256 count) external {
        _sources[sourceId].participants += count;
    }

    function source(uint256 sourceId) external view returns (SourceModel memory) {
        return _sources[sourceId];
    }

    function claimable(uint256 sourceId) external view returns (bool) {
        return !paused && !_sources[sourceId].closed && runs(_sources[sourceId].season);
    }

    /// @notice Whether the next item of a batch would be kept.
    function keeps(uint256 sourceId, uint256 citizen) public view returns (bool) {
        return !hasClaimed[sourceId][citizen] && _sources[sourceId].claimed < _sources[sourceId].participants;
    }

    function claim(uint256 sourceId, uint256 citizen) external {
        if (!keeps(sourceId, citizen)) return;
        hasClaimed[sourceId][citizen] = true;
        ++_sources[sourceId].claimed;
        balance[_sources[sourceId].season][citizen] += _sources[sourceId].points;
    }

    // ---------------------------------------------------------------------------------------------
    // Prizes
    // ---------------------------------------------------------------------------------------------

    function addPrize(uint256 prizeId, PrizeModel calldata model) external {
        _prizes[prizeId] = model;
    }

    function changeStock(uint256 prizeId, uint256 putIn, uint256 takenOut) external {
        PrizeModel storage model = _prizes[prizeId];
        model.putIn += putIn;
        model.takenOut += takenOut;
        model.stock = model.stock + putIn - takenOut;
    }

    function withdrawPrize(uint256 prizeId) external {
        _prizes[prizeId].withdrawn = true;
    }

    function prize(uint256 prizeId) external view returns (PrizeModel memory) {
        return _prizes[prizeId];
    }

    // ---------------------------------------------------------------------------------------------
    // Redemptions
    // ---------------------------------------------------------------------------------------------

    /// @notice Carries one out if everything about it is good.
    /// @param genuine Whether the account signed it.
    function redeem(
        bytes32 id,
        uint256 citizen,
        uint256 prizeId,
        uint256 number,
        uint256[] calldata seasons,
        bool genuine
    ) external {
        PrizeModel storage model = _prizes[prizeId];
        if (!genuine || codeUsed[citizen][number] || model.withdrawn || !hasRole[model.partner]) return;
        if (block.timestamp < model.validFrom || block.timestamp >= model.validUntil || model.stock == 0) return;

        uint256[4] memory taken;
        uint256 left = model.price;
        for (uint256 i = 0; i < seasons.length; ++i) {
            if (!runs(seasons[i])) continue;
            uint256 available = balance[seasons[i]][citizen] - taken[seasons[i]];
            uint256 amount = available < left ? available : left;
            taken[seasons[i]] += amount;
            left -= amount;
        }
        if (left != 0) return;

        for (uint256 season = 0; season < 4; ++season) {
            balance[season][citizen] -= taken[season];
        }
        codeUsed[citizen][number] = true;
        --model.stock;
        _redemptions.push(
            RedemptionModel({
                id: id,
                citizen: citizen,
                number: number,
                prize: prizeId,
                taken: taken,
                collectUntil: block.timestamp + model.collectPeriod,
                status: OPEN
            })
        );
    }

    /// @notice Ends one; refused and lapsed ones return what was taken.
    function end(uint256 index, uint256 status) external {
        RedemptionModel storage model = _redemptions[index];
        model.status = status;
        if (status == HONOURED) return;
        ++_prizes[model.prize].stock;
        for (uint256 season = 0; season < 4; ++season) {
            balance[season][model.citizen] += model.taken[season];
        }
    }

    function redemptionCount() external view returns (uint256) {
        return _redemptions.length;
    }

    function redemption(uint256 index) external view returns (RedemptionModel memory) {
        return _redemptions[index];
    }

    // ---------------------------------------------------------------------------------------------
    // Events
    // ---------------------------------------------------------------------------------------------

    function sawPoints(uint256 season, address account, int256 change) external {
        ledger[season][account] += change;
        if (ledger[season][account] < 0) ledgerWasNegative = true;
    }

    function sawStock(uint256 prizeId, int256 change) external {
        stockLedger[prizeId] += change;
        if (stockLedger[prizeId] < 0) ledgerWasNegative = true;
    }

    function sawRedeemed(bytes32 id) external {
        ++redeemedEvents[id];
    }

    function sawEnded(bytes32 id) external {
        ++endedEvents[id];
    }
}
