// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Points for taking part
/// @notice A *stamp* is a blind credential that the relayer issues for an accepted ballot or allocation. Its holder
/// claims it to a points account that nothing links to the ballot. Each poll or round that gives points is a *source*
/// with an issuer key of its own; never more of its stamps are claimed than people took part in it. Points are of one
/// municipality and one season, end with the season, and cannot be transferred: they are claimed, spent in the reward
/// shop, and come back if the shop could not deliver. Anyone may submit claims: authority is in the stamp.
///
/// Warning: who claims the stamps of several polls to one account shows that one person took part in all of them
/// (never what was chosen, nor from which account the ballot came). A claim right after the ballot lets an observer
/// guess which ballot it belongs to. See docs/threat-model.md.
interface IRewardPoints {
    /// @notice Why a claim was skipped.
    enum SkipReason {
        None,
        /// @notice This account has claimed a stamp of this source already.
        AlreadyClaimed,
        /// @notice As many stamps were claimed as people have taken part so far; may be claimed when more have.
        ParticipantsExceeded
    }

    /// @notice A poll or round that gives points.
    /// @param municipalityId Municipality whose points it gives.
    /// @param seasonId Season of these points; 0: they never expire.
    /// @param pointsPerStamp Points for each stamp.
    /// @param closed Whether the clerk has closed it.
    /// @param claimed Stamps claimed so far.
    /// @param participation The poll or round contract.
    /// @param participationId Poll or round within that contract.
    /// @param issuerKey Public key of its stamps in G2, 256 bytes, EIP-2537 encoding.
    struct Source {
        uint32 municipalityId;
        uint32 seasonId;
        uint32 pointsPerStamp;
        bool closed;
        uint64 claimed;
        address participation;
        uint256 participationId;
        bytes issuerKey;
    }

    error ActionsPaused();
    error CallerLacksRole(address caller, uint8 role);
    error CallerNotShop(address caller);
    error SeasonEndInvalid(uint64 endsAt, uint64 nowAt);
    error SeasonUnknown(uint32 municipalityId, uint32 seasonId);
    error SeasonOver(uint32 municipalityId, uint32 seasonId, uint64 endsAt);
    error ParticipationUnknown(address participation, uint256 participationId);
    error ParticipationHasSource(address participation, uint256 participationId, uint256 sourceId);
    error PointsZero();
    error IssuerKeyMalformed();
    error SourceUnknown(uint256 sourceId);
    error SourceClosedAlready(uint256 sourceId);
    error BatchMalformed();
    error StampsInvalid(uint256 sourceId);

    /// @dev Ids count from 1 without gaps within a municipality. The end never changes.
    event SeasonOpened(uint32 indexed municipalityId, uint32 indexed seasonId, uint64 endsAt);
    /// @dev Ids count from 1 without gaps; nothing in it ever changes. One for each municipality and participation.
    event SourceOpened(
        uint256 indexed sourceId,
        uint32 indexed municipalityId,
        address indexed participation,
        uint256 participationId,
        uint32 seasonId,
        uint32 pointsPerStamp,
        bytes issuerKey
    );
    /// @dev No `StampClaimed` of this source follows.
    event SourceClosed(uint256 indexed sourceId);
    /// @dev Once for each source and account: the account has the source's points more, in the source's season.
    event StampClaimed(uint256 indexed sourceId, address indexed account);
    /// @dev Nothing has changed for this account; its stamp was not looked at. What is reported may come from anybody.
    event StampSkipped(uint256 indexed sourceId, address indexed account, SkipReason reason);
    /// @dev By the shop, once for each season out of which a prize was paid; the season has not ended.
    event PointsBurned(uint32 indexed municipalityId, uint32 indexed seasonId, address indexed account, uint32 amount);
    /// @dev By the shop: undoes one `PointsBurned`. If the season has ended meanwhile, the points have ended with it.
    event PointsReturned(
        uint32 indexed municipalityId, uint32 indexed seasonId, address indexed account, uint32 amount
    );

    // --- The clerk opens seasons and sources ---
    /// @notice Clerk: a season at whose end its points expire.
    /// @param endsAt First second in which they cannot be spent, Unix time.
    function openSeason(uint32 municipalityId, uint64 endsAt) external returns (uint32 seasonId);
    /// @notice Clerk: a poll or round gives points from now on.
    /// @param participation A contract admitted to the register of issuer keys, or a round of the register of rounds.
    /// @param participationId Poll or round within that contract.
    /// @param issuerKey Public key in G2, 256 bytes, EIP-2537 encoding; never used before for anything.
    /// @param seasonId A season of the municipality that has not ended, or 0 for points that never expire.
    function openSource(
        uint32 municipalityId,
        address participation,
        uint256 participationId,
        bytes calldata issuerKey,
        uint32 pointsPerStamp,
        uint32 seasonId
    ) external returns (uint256 sourceId);
    /// @notice Clerk: ends the claiming of a source for good, as when its issuer key was stolen. Points already claimed
    /// stay.
    function closeSource(uint256 sourceId) external;

    // --- Citizens claim stamps (anyone submits) ---
    /// @notice Claims stamps of one source, each to its account. Anyone submits.
    /// @param signatures For each account 96 bytes: x and y of the credential in G1, without padding.
    /// @dev All signatures are checked at once by a random linear combination; reverts with `StampsInvalid` if any is
    /// bad (a relayer checks before it sends and splits). Accounts that have claimed already, and those beyond the
    /// number of participants, are skipped with an event before their signatures are looked at.
    function claim(uint256 sourceId, address[] calldata accounts, bytes calldata signatures) external;

    // --- The shop spends points ---
    /// @notice Shop: burns `amount` points of an account, taking from the seasons in the order named as much as there
    /// is. A season that has ended or is unknown has nothing to take.
    /// @param seasonIds Up to four; the first to expire should come first.
    /// @param amount Not zero.
    /// @return receipt What was taken, for `giveBack`: for the k-th piece bits 64k to 64k + 31 are the amount and the 32
    /// bits above them the season. Zero: the points did not suffice, and nothing has changed.
    function burn(uint32 municipalityId, address account, uint256[] calldata seasonIds, uint32 amount)
        external
        returns (uint256 receipt);
    /// @notice Shop: gives back what a receipt of `burn` says was taken. Never refused.
    function giveBack(uint32 municipalityId, address account, uint256 receipt) external;

    // --- Views ---
    function municipalities() external view returns (address);
    function issuerKeys() external view returns (address);
    function rounds() external view returns (address);
    /// @notice The only contract that spends points.
    function shop() external view returns (address);
    /// @notice Ids count from 1 without gaps.
    function sourceCount() external view returns (uint256);
    function source(uint256 sourceId) external view returns (Source memory);
    /// @notice Source that a municipality opened for a poll or round; 0 if there is none.
    function sourceOf(uint32 municipalityId, address participation, uint256 participationId)
        external
        view
        returns (uint256 sourceId);
    function hasClaimed(uint256 sourceId, address account) external view returns (bool);
    /// @notice Seasons count from 1; season 0 always exists.
    function seasonCount(uint32 municipalityId) external view returns (uint32);
    /// @notice First second in which the season's points cannot be spent; for season 0 the end of all time.
    function seasonEnd(uint32 municipalityId, uint32 seasonId) external view returns (uint64 endsAt);
    /// @notice Points that can be spent now, all seasons together.
    function balanceOf(uint32 municipalityId, address account) external view returns (uint256 points);
    /// @notice Points of one season, whether it has ended or not.
    function balanceIn(uint32 municipalityId, uint32 seasonId, address account) external view returns (uint256 points);
    /// @notice The message bytes of a stamp, 105 bytes:
    /// chain id (32) | this contract (20) | source id (32) | zero (1) | points account (20).
    function stampMessage(uint256 sourceId, address account) external view returns (bytes memory);
}
