// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Shop in which points are spent
/// @notice Partners of a municipality list prizes with stock and price. A points account signs a redemption; anyone
/// submits it. It burns the points and reserves one piece of the prize for whoever can name the code that the citizen's
/// browser made for it. The partner hands the prize over and marks the code used, or refuses and so returns points and
/// stock. What is not collected in time lapses: anyone may then have points and stock returned.
interface IRewardShop {
    /// @notice Where a redemption stands. Every change is a transaction; none happens by time alone.
    enum Status {
        /// @notice There is no such redemption.
        None,
        /// @notice Points are burned, one piece is reserved, the code has not been used.
        Open,
        /// @notice The partner has seen the code; final.
        Honoured,
        /// @notice The partner has refused, points and piece are returned; final.
        Refused,
        /// @notice Not collected in time, points and piece are returned; final.
        Lapsed
    }

    /// @notice Why a redemption was skipped.
    enum SkipReason {
        None,
        /// @notice This account has used this code already; the message was carried out, or another with its code.
        CodeUsed,
        /// @notice There is no such prize.
        PrizeUnknown,
        /// @notice The prize of this number has another price or another description than the one signed.
        PrizeDiffers,
        /// @notice The partner has withdrawn the prize.
        PrizeWithdrawn,
        /// @notice The partner's access has ended.
        PartnerLacksRole,
        /// @notice The prize cannot be had yet.
        NotYetValid,
        /// @notice The prize cannot be had any more.
        NoLongerValid,
        /// @notice No piece is left.
        SoldOut,
        /// @notice The account did not sign this for this shop on this chain.
        SignatureInvalid,
        /// @notice The seasons named do not hold enough points.
        PointsInsufficient
    }

    /// @notice A prize. Only stock and withdrawal ever change.
    /// @param partner Who listed it, hands it over, refuses.
    /// @param municipalityId Whose points it costs.
    /// @param price Points.
    /// @param stock Pieces left.
    /// @param validFrom First second in which it can be redeemed, Unix time.
    /// @param validUntil First second in which it cannot, Unix time.
    /// @param collectPeriod Seconds from redemption for which a piece is reserved.
    /// @param withdrawn Whether it can be redeemed no more.
    /// @param contentHash keccak256 of its published description (a JSON document).
    struct Prize {
        address partner;
        uint32 municipalityId;
        uint32 price;
        uint32 stock;
        uint40 validFrom;
        uint40 validUntil;
        uint32 collectPeriod;
        bool withdrawn;
        bytes32 contentHash;
    }

    /// @notice What a points account signs with EIP-712.
    /// @param account The points account.
    /// @param prizeId Number of the prize.
    /// @param price Its price. With `contentHash` it makes sure that the signer gets what was on the screen, even if a
    /// reorganisation of the chain has given the number to another prize.
    /// @param contentHash Its description.
    /// @param seasonIds Seasons to pay from, in this order, four at most (more are ignored): the first to expire first.
    /// @param codeHash keccak256 of the 16 random bytes of the code. One code, one redemption of an account: of several
    /// messages with the same code one at most counts.
    /// EIP-712 type: `Redemption(address account,uint256 prizeId,uint256 price,bytes32 contentHash,uint256[]
    /// seasonIds,bytes32 codeHash)`, domain: name "Kopilka", version "1", chainId, verifyingContract = the shop.
    struct Redemption {
        address account;
        uint256 prizeId;
        uint256 price;
        bytes32 contentHash;
        uint256[] seasonIds;
        bytes32 codeHash;
    }

    /// @notice A redemption that was carried out.
    /// @param account The points account.
    /// @param prizeId Number of the prize.
    /// @param collectUntil First second in which it may lapse, Unix time.
    /// @param status Where it stands.
    /// @param receipt Points burned by season, see `IRewardPoints.burn`.
    struct RedemptionRecord {
        address account;
        uint32 prizeId;
        uint40 collectUntil;
        Status status;
        uint256 receipt;
    }

    error ActionsPaused();
    error CallerLacksRole(address caller, uint8 role);
    error CallerNotPartnerOf(uint256 prizeId, address caller);
    error PriceZero();
    error ContentHashMissing();
    error ValidityInvalid(uint40 validFrom, uint40 validUntil, uint40 nowAt);
    error CollectPeriodInvalid(uint32 collectPeriod, uint32 shortest, uint32 longest);
    error StockTooHigh(uint256 stock, uint256 limit);
    error StockTooLow(uint256 prizeId, uint32 stock, uint32 amount);
    error PrizeUnknown(uint256 prizeId);
    error PrizeWithdrawnAlready(uint256 prizeId);
    error BatchMalformed();
    error RedemptionNotOpen(bytes32 redemptionId, Status status);
    error CodeWrong(bytes32 redemptionId);
    error CollectPeriodRuns(bytes32 redemptionId, uint40 collectUntil, uint40 nowAt);

    /// @dev Ids count from 1 without gaps. Nothing in it ever changes but the stock.
    event PrizeListed(
        uint256 indexed prizeId,
        uint32 indexed municipalityId,
        address indexed partner,
        uint32 price,
        uint32 stock,
        uint40 validFrom,
        uint40 validUntil,
        uint32 collectPeriod,
        bytes32 contentHash
    );
    /// @dev By the partner. Besides, each `PrizeRedeemed` takes one piece, and each `RedemptionRefused` and
    /// `RedemptionLapsed` puts one back.
    event PrizeStockRaised(uint256 indexed prizeId, uint32 amount, uint32 stock);
    /// @dev By the partner. `stock` is what is left.
    event PrizeStockLowered(uint256 indexed prizeId, uint32 amount, uint32 stock);
    /// @dev No `PrizeRedeemed` of this prize follows; open redemptions go on.
    event PrizeWithdrawn(uint256 indexed prizeId);
    /// @dev Once for each account and code. The points' `PointsBurned` precede it; they add up to the price.
    event PrizeRedeemed(
        bytes32 indexed redemptionId,
        uint256 indexed prizeId,
        address indexed account,
        bytes32 codeHash,
        uint40 collectUntil
    );
    /// @dev Nothing has changed. What is reported may come from anybody: only what was carried out are the account's own
    /// words.
    event RedemptionSkipped(
        address indexed account, uint256 indexed prizeId, bytes32 indexed codeHash, SkipReason reason
    );
    /// @dev Final: the prize was handed over to whoever knew the code.
    event RedemptionHonoured(bytes32 indexed redemptionId, uint256 indexed prizeId);
    /// @dev Final. The points' `PointsReturned` precede it.
    event RedemptionRefused(bytes32 indexed redemptionId, uint256 indexed prizeId, bytes32 reasonHash);
    /// @dev Final. The points' `PointsReturned` precede it.
    event RedemptionLapsed(bytes32 indexed redemptionId, uint256 indexed prizeId);

    // --- Partners list prizes ---
    /// @notice Partner of the municipality.
    /// @param collectPeriod From one day to one year.
    /// @param contentHash Not zero.
    function listPrize(
        uint32 municipalityId,
        uint32 price,
        uint32 stock,
        uint40 validFrom,
        uint40 validUntil,
        uint32 collectPeriod,
        bytes32 contentHash
    ) external returns (uint256 prizeId);
    /// @notice The prize's partner, while having access: more pieces.
    function raiseStock(uint256 prizeId, uint32 amount) external;
    /// @notice The prize's partner: fewer pieces. Those reserved are not touched.
    function lowerStock(uint256 prizeId, uint32 amount) external;
    /// @notice The prize's partner: it can be redeemed no more, for good. Those reserved are not touched.
    function withdrawPrize(uint256 prizeId) external;

    // --- Citizens redeem (anyone submits) ---
    /// @notice Carries out redemptions signed by their points accounts. Anyone submits; an item that does not count is
    /// skipped with an event that says why, and never spoils the others.
    /// @param signatures For each redemption 64 bytes, compact form of ERC-2098.
    function redeem(Redemption[] calldata redemptions, bytes calldata signatures) external;

    // --- The partner hands over or refuses ---
    /// @notice The prize's partner, even after its access has ended: checks the code that the citizen shows, once.
    /// @dev Whether the collect period is over does not matter as long as nobody has let the redemption lapse.
    function honour(bytes32 redemptionId, bytes16 code) external;
    /// @notice The prize's partner, even after its access has ended: returns points and piece.
    /// @param reasonHash keccak256 of the reason told to the citizen.
    function refuse(bytes32 redemptionId, bytes32 reasonHash) external;

    // --- Not collected ---
    /// @notice Anyone, once the collect period is over: returns points and piece.
    function lapse(bytes32 redemptionId) external;

    // --- Views ---
    function municipalities() external view returns (address);
    function points() external view returns (address);
    /// @notice Ids count from 1 without gaps.
    function prizeCount() external view returns (uint256);
    function prize(uint256 prizeId) external view returns (Prize memory);
    /// @notice A redemption that was carried out; status `None` if there is none.
    function redemption(bytes32 redemptionId) external view returns (RedemptionRecord memory);
    /// @notice keccak256(abi.encode(this contract, account, codeHash)).
    function redemptionIdOf(address account, bytes32 codeHash) external view returns (bytes32);
}
