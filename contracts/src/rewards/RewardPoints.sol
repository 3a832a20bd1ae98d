// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Context} from "@openzeppelin/contracts/utils/Context.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {BlindCredential} from "../credential/BlindCredential.sol";
import {IssuerKey} from "../credential/IssuerKey.sol";
import {IBudgetRounds} from "../interfaces/IBudgetRounds.sol";
import {IIssuerKeys} from "../interfaces/IIssuerKeys.sol";
import {IMunicipalities} from "../interfaces/IMunicipalities.sol";
import {IParticipation} from "../interfaces/IParticipation.sol";
import {IRewardPoints} from "../interfaces/IRewardPoints.sol";

/// @title Points for taking part
/// @dev There is no reentrancy guard: all that is ever called are the registers fixed at creation, polls and rounds that
/// those registers know, and precompiles. None of them calls anybody else.
contract RewardPoints is IRewardPoints, Context {
    using IssuerKey for bytes;
    using IssuerKey for uint256[6];
    using SafeCast for uint256;

    /// @notice A source in storage.
    /// @param index Place among the sources of its season, from 0: where an account's page says that it has claimed.
    struct SourceRecord {
        address participation;
        uint32 municipalityId;
        uint32 seasonId;
        uint32 pointsPerStamp;
        uint64 claimed;
        uint64 index;
        bool closed;
        uint256 participationId;
        uint256[6] issuerKey;
    }

    /// @notice A season in storage.
    /// @param endsAt First second in which its points cannot be spent.
    /// @param sources How many sources give its points.
    struct SeasonRecord {
        uint64 endsAt;
        uint64 sources;
    }

    /// @notice Most seasons that one `burn` takes from.
    uint256 public constant MAX_SEASONS = 4;

    /// @dev How many sources one page remembers: half of its bits, the other half of the first page is the balance.
    uint256 private constant PAGE_SOURCES = 128;

    address public immutable municipalities;
    address public immutable issuerKeys;
    address public immutable rounds;
    address public immutable shop;

    uint256 public sourceCount;
    mapping(uint256 sourceId => SourceRecord) private _sources;
    mapping(uint32 municipalityId => uint32) public seasonCount;
    mapping(uint32 municipalityId => mapping(uint32 seasonId => SeasonRecord)) private _seasons;
    mapping(
        uint32 municipalityId => mapping(address participation => mapping(uint256 participationId => uint256 sourceId))
    ) public sourceOf;
    /// @dev What an account has in a season. Page 0: lower 128 bits the balance. Every page: upper 128 bits say of which
    /// of the season's sources 128p, ..., 128p + 127 the account has claimed its stamp. So a first claim costs one
    /// storage slot, not two.
    mapping(
        uint32 municipalityId
            => mapping(uint32 seasonId => mapping(address account => mapping(uint256 page => uint256)))
    ) private _pages;

    /// @param rounds_ Register of rounds.
    /// @param shop_ The only contract that spends points; it may not stand yet.
    constructor(address municipalities_, address issuerKeys_, address rounds_, address shop_) {
        municipalities = municipalities_;
        issuerKeys = issuerKeys_;
        rounds = rounds_;
        shop = shop_;
    }

    modifier whenNotPaused() {
        if (IMunicipalities(municipalities).paused()) revert ActionsPaused();
        _;
    }

    modifier onlyShop() {
        if (_msgSender() != shop) revert CallerNotShop(_msgSender());
        _;
    }

    function _requireClerk(uint32 municipalityId) private view {
        IMunicipalities.Role role = IMunicipalities.Role.Clerk;
        if (!IMunicipalities(municipalities).hasRole(municipalityId, role, _msgSender())) {
            revert CallerLacksRole(_msgSender(), uint8(role));
        }
    }

    // ---------------------------------------------------------------------------------------------
    // The clerk opens seasons and sources
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IRewardPoints
    function openSeason(uint32 municipalityId, uint64 endsAt) external whenNotPaused returns (uint32 seasonId) {
        _requireClerk(municipalityId);
        if (endsAt <= block.timestamp) revert SeasonEndInvalid(endsAt, uint64(block.timestamp));

        seasonId = ++seasonCount[municipalityId];
        _seasons[municipalityId][seasonId].endsAt = endsAt;
        emit SeasonOpened(municipalityId, seasonId, endsAt);
    }

    /// @inheritdoc IRewardPoints
    function openSource(
        uint32 municipalityId,
        address participation,
        uint256 participationId,
        bytes calldata issuerKey,
        uint32 pointsPerStamp,
        uint32 seasonId
    ) external whenNotPaused returns (uint256 sourceId) {
        _requireClerk(municipalityId);
        if (!_isOurs(participation, participationId)) revert ParticipationUnknown(participation, participationId);
        sourceId = sourceOf[municipalityId][participation][participationId];
        if (sourceId != 0) revert ParticipationHasSource(participation, participationId, sourceId);
        if (pointsPerStamp == 0) revert PointsZero();
        if (seasonId > seasonCount[municipalityId]) revert SeasonUnknown(municipalityId, seasonId);
        _requireSeasonRuns(municipalityId, seasonId);
        if (!BlindCredential.isIssuerKey(issuerKey)) revert IssuerKeyMalformed();

        sourceId = ++sourceCount;
        sourceOf[municipalityId][participation][participationId] = sourceId;
        _sources[sourceId] = SourceRecord({
            participation: participation,
            municipalityId: municipalityId,
            seasonId: seasonId,
            pointsPerStamp: pointsPerStamp,
            claimed: 0,
            index: _seasons[municipalityId][seasonId].sources++,
            closed: false,
            participationId: participationId,
            issuerKey: issuerKey.pack()
        });
        emit SourceOpened(sourceId, municipalityId, participation, participationId, seasonId, pointsPerStamp, issuerKey);

        IIssuerKeys(issuerKeys).claim(keccak256(issuerKey));
    }

    /// @dev A round is taken under its own id alone, so that it cannot have a second source under another; any other
    /// contract must be one that may claim issuer keys. It must also be able to answer.
    function _isOurs(address participation, uint256 participationId) private view returns (bool) {
        (address round,) = IBudgetRounds(rounds).roundAt(participationId);
        bool known = round != address(0) && round == participation;
        if (!known && !IIssuerKeys(issuerKeys).isVerifier(participation)) return false;
        try IParticipation(participation).participants(participationId) returns (uint256) {
            return true;
        } catch {
            return false;
        }
    }

    /// @inheritdoc IRewardPoints
    function closeSource(uint256 sourceId) external {
        SourceRecord storage record = _known(sourceId);
        _requireClerk(record.municipalityId);
        if (record.closed) revert SourceClosedAlready(sourceId);
        record.closed = true;
        emit SourceClosed(sourceId);
    }

    function _known(uint256 sourceId) private view returns (SourceRecord storage record) {
        record = _sources[sourceId];
        if (record.pointsPerStamp == 0) revert SourceUnknown(sourceId);
    }

    function _requireSeasonRuns(uint32 municipalityId, uint32 seasonId) private view {
        uint64 endsAt = seasonEnd(municipalityId, seasonId);
        if (endsAt <= block.timestamp) revert SeasonOver(municipalityId, seasonId, endsAt);
    }

    // ---------------------------------------------------------------------------------------------
    // Citizens claim stamps
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IRewardPoints
    function claim(uint256 sourceId, address[] calldata accounts, bytes calldata signatures) external whenNotPaused {
        SourceRecord storage record = _known(sourceId);
        if (record.closed) revert SourceClosedAlready(sourceId);
        _requireSeasonRuns(record.municipalityId, record.seasonId);
        if (accounts.length == 0 || signatures.length != accounts.length * BlindCredential.SIGNATURE_LENGTH) {
            revert BatchMalformed();
        }

        uint256[] memory kept = _admit(sourceId, record, accounts);
        if (kept.length == 0) return;
        if (!BlindCredential.verify(_scope(sourceId), record.issuerKey.unpack(), accounts, signatures, kept)) {
            revert StampsInvalid(sourceId);
        }
    }

    /// @dev Credits every account that has not claimed yet and that the participants cover, before its stamp is checked:
    /// if the check fails, the whole batch is undone.
    /// @return kept Indices of the credited accounts.
    function _admit(uint256 sourceId, SourceRecord storage record, address[] calldata accounts)
        private
        returns (uint256[] memory kept)
    {
        mapping(address account => mapping(uint256 page => uint256)) storage pages =
            _pages[record.municipalityId][record.seasonId];
        uint256 points = record.pointsPerStamp;
        uint256 page = record.index / PAGE_SOURCES;
        uint256 flag = _flag(record.index);
        uint256 room = _room(record);
        kept = new uint256[](accounts.length);
        uint256 count = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            uint256 word = pages[account][page];
            if (word & flag != 0) {
                emit StampSkipped(sourceId, account, SkipReason.AlreadyClaimed);
            } else if (count == room) {
                emit StampSkipped(sourceId, account, SkipReason.ParticipantsExceeded);
            } else {
                // A balance is below 2^64 (sources) times 2^32 (points), so it never reaches the flags.
                if (page == 0) {
                    pages[account][0] = (word | flag) + points;
                } else {
                    pages[account][page] = word | flag;
                    pages[account][0] += points;
                }
                emit StampClaimed(sourceId, account);
                kept[count++] = i;
            }
        }
        // The array was allocated longer than it turned out to be.
        assembly ("memory-safe") {
            mstore(kept, count)
        }
        if (count != 0) record.claimed += count.toUint64();
    }

    /// @dev How many more stamps the participants cover.
    function _room(SourceRecord storage record) private view returns (uint256) {
        uint256 participants = IParticipation(record.participation).participants(record.participationId);
        uint256 claimed = record.claimed;
        return participants > claimed ? participants - claimed : 0;
    }

    function _flag(uint256 index) private pure returns (uint256) {
        return 1 << (128 + index % PAGE_SOURCES);
    }

    function _scope(uint256 sourceId) private view returns (BlindCredential.Scope memory) {
        return BlindCredential.Scope({verifier: address(this), id: sourceId, class: 0});
    }

    // ---------------------------------------------------------------------------------------------
    // The shop spends points
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IRewardPoints
    function burn(uint32 municipalityId, address account, uint256[] calldata seasonIds, uint32 amount)
        external
        onlyShop
        returns (uint256 receipt)
    {
        uint256[MAX_SEASONS] memory taken;
        uint256 left = amount;
        uint256 count = seasonIds.length < MAX_SEASONS ? seasonIds.length : MAX_SEASONS;
        for (uint256 i = 0; i < count && left != 0; ++i) {
            if (seasonIds[i] > type(uint32).max) continue;
            uint32 seasonId = uint32(seasonIds[i]);
            if (seasonEnd(municipalityId, seasonId) <= block.timestamp) continue;
            // A season named twice must not be counted twice.
            if (_isNamedBefore(seasonIds, i)) continue;
            uint256 balance = balanceIn(municipalityId, seasonId, account);
            taken[i] = balance < left ? balance : left;
            left -= taken[i];
        }
        if (left != 0) return 0;

        uint256 piece = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (taken[i] == 0) continue;
            uint32 seasonId = uint32(seasonIds[i]);
            _pages[municipalityId][seasonId][account][0] -= taken[i];
            receipt |= (seasonIds[i] << 32 | taken[i]) << (64 * piece++);
            emit PointsBurned(municipalityId, seasonId, account, uint32(taken[i]));
        }
    }

    function _isNamedBefore(uint256[] calldata seasonIds, uint256 index) private pure returns (bool named) {
        for (uint256 i = 0; i < index && !named; ++i) {
            named = seasonIds[i] == seasonIds[index];
        }
    }

    /// @inheritdoc IRewardPoints
    function giveBack(uint32 municipalityId, address account, uint256 receipt) external onlyShop {
        for (uint256 left = receipt; left != 0; left >>= 64) {
            uint32 amount = uint32(left);
            uint32 seasonId = uint32(left >> 32);
            _pages[municipalityId][seasonId][account][0] += amount;
            emit PointsReturned(municipalityId, seasonId, account, amount);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IRewardPoints
    function source(uint256 sourceId) external view returns (Source memory) {
        SourceRecord storage record = _known(sourceId);
        return Source({
            municipalityId: record.municipalityId,
            seasonId: record.seasonId,
            pointsPerStamp: record.pointsPerStamp,
            closed: record.closed,
            claimed: record.claimed,
            participation: record.participation,
            participationId: record.participationId,
            issuerKey: record.issuerKey.unpack()
        });
    }

    /// @inheritdoc IRewardPoints
    function hasClaimed(uint256 sourceId, address account) external view returns (bool) {
        SourceRecord storage record = _known(sourceId);
        uint256 index = record.index;
        uint256 word = _pages[record.municipalityId][record.seasonId][account][index / PAGE_SOURCES];
        return word & _flag(index) != 0;
    }

    /// @inheritdoc IRewardPoints
    function seasonEnd(uint32 municipalityId, uint32 seasonId) public view returns (uint64 endsAt) {
        return seasonId == 0 ? type(uint64).max : _seasons[municipalityId][seasonId].endsAt;
    }

    /// @inheritdoc IRewardPoints
    function balanceOf(uint32 municipalityId, address account) external view returns (uint256 points) {
        uint32 count = seasonCount[municipalityId];
        for (uint32 seasonId = 0; seasonId <= count; ++seasonId) {
            if (seasonEnd(municipalityId, seasonId) <= block.timestamp) continue;
            points += balanceIn(municipalityId, seasonId, account);
        }
    }

    /// @inheritdoc IRewardPoints
    function balanceIn(uint32 municipalityId, uint32 seasonId, address account) public view returns (uint256 points) {
        return uint128(_pages[municipalityId][seasonId][account][0]);
    }

    /// @inheritdoc IRewardPoints
    function stampMessage(uint256 sourceId, address account) external view returns (bytes memory) {
        return BlindCredential.message(_scope(sourceId), account);
    }
}
