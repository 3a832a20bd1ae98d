// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Context} from "@openzeppelin/contracts/utils/Context.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IMunicipalities} from "../interfaces/IMunicipalities.sol";
import {IRewardPoints} from "../interfaces/IRewardPoints.sol";
import {IRewardShop} from "../interfaces/IRewardShop.sol";

/// @title Shop in which points are spent
/// @dev There is no reentrancy guard: all that is ever called are the points and the register of municipalities, both
/// fixed at creation; neither of them calls anybody else here.
contract RewardShop is IRewardShop, EIP712, Context {
    using SafeCast for uint256;

    /// @notice Most pieces of a prize. Far below 2^32, so that returned pieces always find room.
    uint32 public constant MAX_STOCK = 1_000_000_000;
    /// @notice Shortest time for which a piece is reserved.
    uint32 public constant MIN_COLLECT_PERIOD = 1 days;
    /// @notice Longest time for which a piece is reserved.
    uint32 public constant MAX_COLLECT_PERIOD = 365 days;

    uint256 private constant SIGNATURE_LENGTH = 64;
    bytes32 private constant REDEMPTION_TYPEHASH = keccak256(
        "Redemption(address account,uint256 prizeId,uint256 price,bytes32 contentHash,uint256[] seasonIds,bytes32 codeHash)"
    );

    address public immutable municipalities;
    address public immutable points;

    uint256 public prizeCount;
    mapping(uint256 prizeId => Prize) private _prizes;
    mapping(bytes32 redemptionId => RedemptionRecord) private _redemptions;

    /// @param points_ Points whose only shop this is.
    constructor(address municipalities_, address points_) EIP712("Kopilka", "1") {
        municipalities = municipalities_;
        points = points_;
    }

    modifier whenNotPaused() {
        if (IMunicipalities(municipalities).paused()) revert ActionsPaused();
        _;
    }

    function _isPartner(uint32 municipalityId, address account) private view returns (bool) {
        return IMunicipalities(municipalities).hasRole(municipalityId, IMunicipalities.Role.Partner, account);
    }

    function _requirePartner(uint32 municipalityId) private view {
        if (!_isPartner(municipalityId, _msgSender())) {
            revert CallerLacksRole(_msgSender(), uint8(IMunicipalities.Role.Partner));
        }
    }

    /// @dev The prize, which the caller has listed.
    function _own(uint256 prizeId) private view returns (Prize storage record) {
        record = _known(prizeId);
        if (_msgSender() != record.partner) revert CallerNotPartnerOf(prizeId, _msgSender());
    }

    function _known(uint256 prizeId) private view returns (Prize storage record) {
        record = _prizes[prizeId];
        if (record.partner == address(0)) revert PrizeUnknown(prizeId);
    }

    // ---------------------------------------------------------------------------------------------
    // Partners list prizes
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IRewardShop
    function listPrize(
        uint32 municipalityId,
        uint32 price,
        uint32 stock,
        uint40 validFrom,
        uint40 validUntil,
        uint32 collectPeriod,
        bytes32 contentHash
    ) external whenNotPaused returns (uint256 prizeId) {
        _requirePartner(municipalityId);
        if (price == 0) revert PriceZero();
        if (stock > MAX_STOCK) revert StockTooHigh(stock, MAX_STOCK);
        if (validUntil <= validFrom || validUntil <= block.timestamp) {
            revert ValidityInvalid(validFrom, validUntil, uint40(block.timestamp));
        }
        if (collectPeriod < MIN_COLLECT_PERIOD || collectPeriod > MAX_COLLECT_PERIOD) {
            revert CollectPeriodInvalid(collectPeriod, MIN_COLLECT_PERIOD, MAX_COLLECT_PERIOD);
        }
        if (contentHash == 0) revert ContentHashMissing();

        prizeId = ++prizeCount;
        _prizes[prizeId] = Prize({
            partner: _msgSender(),
            municipalityId: municipalityId,
            price: price,
            stock: stock,
            validFrom: validFrom,
            validUntil: validUntil,
            collectPeriod: collectPeriod,
            withdrawn: false,
            contentHash: contentHash
        });
        emit PrizeListed(
            prizeId, municipalityId, _msgSender(), price, stock, validFrom, validUntil, collectPeriod, contentHash
        );
    }

    /// @inheritdoc IRewardShop
    function raiseStock(uint256 prizeId, uint32 amount) external whenNotPaused {
        Prize storage record = _own(prizeId);
        _requirePartner(record.municipalityId);
        if (record.withdrawn) revert PrizeWithdrawnAlready(prizeId);
        uint256 stock = uint256(record.stock) + amount;
        if (stock > MAX_STOCK) revert StockTooHigh(stock, MAX_STOCK);

        record.stock = uint32(stock);
        emit PrizeStockRaised(prizeId, amount, uint32(stock));
    }

    /// @inheritdoc IRewardShop
    function lowerStock(uint256 prizeId, uint32 amount) external {
        Prize storage record = _own(prizeId);
        uint32 stock = record.stock;
        if (amount > stock) revert StockTooLow(prizeId, stock, amount);

        record.stock = stock - amount;
        emit PrizeStockLowered(prizeId, amount, stock - amount);
    }

    /// @inheritdoc IRewardShop
    function withdrawPrize(uint256 prizeId) external {
        Prize storage record = _own(prizeId);
        if (record.withdrawn) revert PrizeWithdrawnAlready(prizeId);

        record.withdrawn = true;
        emit PrizeWithdrawn(prizeId);
    }

    // ---------------------------------------------------------------------------------------------
    // Citizens redeem
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IRewardShop
    function redeem(Redemption[] calldata redemptions, bytes calldata signatures) external whenNotPaused {
        if (redemptions.length == 0 || signatures.length != redemptions.length * SIGNATURE_LENGTH) {
            revert BatchMalformed();
        }
        for (uint256 i = 0; i < redemptions.length; ++i) {
            uint256 start = i * SIGNATURE_LENGTH;
            SkipReason reason = _redeem(redemptions[i], signatures[start:start + SIGNATURE_LENGTH]);
            if (reason == SkipReason.None) continue;
            emit RedemptionSkipped(redemptions[i].account, redemptions[i].prizeId, redemptions[i].codeHash, reason);
        }
    }

    /// @dev Carries out one redemption, or says why not.
    function _redeem(Redemption calldata message, bytes calldata signature) private returns (SkipReason reason) {
        bytes32 redemptionId = redemptionIdOf(message.account, message.codeHash);
        if (_redemptions[redemptionId].status != Status.None) return SkipReason.CodeUsed;
        Prize storage record = _prizes[message.prizeId];
        reason = _availability(record, message);
        if (reason != SkipReason.None) return reason;
        if (!_isSigned(message, signature)) return SkipReason.SignatureInvalid;

        // Burned first, because it may turn out that there is not enough to burn.
        uint256 receipt =
            IRewardPoints(points).burn(record.municipalityId, message.account, message.seasonIds, record.price);
        if (receipt == 0) return SkipReason.PointsInsufficient;

        uint40 collectUntil = uint40(block.timestamp) + record.collectPeriod;
        --record.stock;
        _redemptions[redemptionId] = RedemptionRecord({
            account: message.account,
            // Listed prizes are counted, and nobody lists 2^32.
            prizeId: message.prizeId.toUint32(),
            collectUntil: collectUntil,
            status: Status.Open,
            receipt: receipt
        });
        emit PrizeRedeemed(redemptionId, message.prizeId, message.account, message.codeHash, collectUntil);
    }

    /// @dev Whether the prize is the one signed and can be had now.
    function _availability(Prize storage record, Redemption calldata message) private view returns (SkipReason) {
        if (record.partner == address(0)) return SkipReason.PrizeUnknown;
        if (record.price != message.price || record.contentHash != message.contentHash) return SkipReason.PrizeDiffers;
        if (record.withdrawn) return SkipReason.PrizeWithdrawn;
        if (!_isPartner(record.municipalityId, record.partner)) return SkipReason.PartnerLacksRole;
        if (block.timestamp < record.validFrom) return SkipReason.NotYetValid;
        if (block.timestamp >= record.validUntil) return SkipReason.NoLongerValid;
        return record.stock == 0 ? SkipReason.SoldOut : SkipReason.None;
    }

    function _isSigned(Redemption calldata message, bytes calldata signature) private view returns (bool) {
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    REDEMPTION_TYPEHASH,
                    message.account,
                    message.prizeId,
                    message.price,
                    message.contentHash,
                    keccak256(abi.encodePacked(message.seasonIds)),
                    message.codeHash
                )
            )
        );
        bytes32 r = bytes32(signature[0:32]);
        bytes32 vs = bytes32(signature[32:64]);
        (address signer, ECDSA.RecoverError err,) = ECDSA.tryRecover(digest, r, vs);
        return err == ECDSA.RecoverError.NoError && signer == message.account;
    }

    // ---------------------------------------------------------------------------------------------
    // The partner hands over or refuses
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IRewardShop
    function honour(bytes32 redemptionId, bytes16 code) external {
        RedemptionRecord storage record = _open(redemptionId);
        _own(record.prizeId);
        // The id commits to the hash of the code.
        if (redemptionIdOf(record.account, keccak256(abi.encodePacked(code))) != redemptionId) {
            revert CodeWrong(redemptionId);
        }

        record.status = Status.Honoured;
        emit RedemptionHonoured(redemptionId, record.prizeId);
    }

    /// @inheritdoc IRewardShop
    function refuse(bytes32 redemptionId, bytes32 reasonHash) external {
        RedemptionRecord storage record = _open(redemptionId);
        _return(record, _own(record.prizeId), Status.Refused);
        emit RedemptionRefused(redemptionId, record.prizeId, reasonHash);
    }

    // ---------------------------------------------------------------------------------------------
    // Not collected
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IRewardShop
    function lapse(bytes32 redemptionId) external {
        RedemptionRecord storage record = _open(redemptionId);
        if (block.timestamp < record.collectUntil) {
            revert CollectPeriodRuns(redemptionId, record.collectUntil, uint40(block.timestamp));
        }
        _return(record, _prizes[record.prizeId], Status.Lapsed);
        emit RedemptionLapsed(redemptionId, record.prizeId);
    }

    function _open(bytes32 redemptionId) private view returns (RedemptionRecord storage record) {
        record = _redemptions[redemptionId];
        if (record.status != Status.Open) revert RedemptionNotOpen(redemptionId, record.status);
    }

    /// @dev Puts the piece back and returns the points.
    function _return(RedemptionRecord storage record, Prize storage prizeRecord, Status status) private {
        record.status = status;
        ++prizeRecord.stock;
        IRewardPoints(points).giveBack(prizeRecord.municipalityId, record.account, record.receipt);
    }

    // ---------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IRewardShop
    function prize(uint256 prizeId) external view returns (Prize memory) {
        return _known(prizeId);
    }

    /// @inheritdoc IRewardShop
    function redemption(bytes32 redemptionId) external view returns (RedemptionRecord memory) {
        return _redemptions[redemptionId];
    }

    /// @inheritdoc IRewardShop
    function redemptionIdOf(address account, bytes32 codeHash) public view returns (bytes32) {
        return keccak256(abi.encode(address(this), account, codeHash));
    }
}
