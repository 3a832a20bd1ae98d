// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IRewardShop} from "../../src/interfaces/IRewardShop.sol";
import {RewardShop} from "../../src/rewards/RewardShop.sol";
import {Money} from "./Money.sol";

/// @title Stock and redemptions, for all numbers, callers and moments
/// @dev This contract stands in for the points, and remembers what was burned and given back.
contract RewardShopCheck is Money {
    address private constant PARTNER = address(0x2004);
    bytes32 private constant CONTENT = bytes32(uint256(7));
    uint256 private constant RECEIPT = 77;

    RewardShop private shop;
    uint256 private _burned;
    uint256 private _givenBack;

    function burn(uint32, address, uint256[] calldata, uint32 amount) external returns (uint256) {
        _burned += amount;
        return RECEIPT;
    }

    function giveBack(uint32, address, uint256 receipt) external {
        assert(receipt == RECEIPT);
        ++_givenBack;
    }

    function setUp() public {
        _people();
        _grant(IMunicipalities.Role.Partner, PARTNER);
        shop = new RewardShop(address(municipalities), address(this));
        vm.warp(1000);
    }

    function _list(address caller, uint32 price, uint32 stock, uint40 validFrom, uint40 validUntil, uint32 collect)
        private
        returns (bool)
    {
        bytes memory data = abi.encodeCall(shop.listPrize, (1, price, stock, validFrom, validUntil, collect, CONTENT));
        return _try(caller, address(shop), data);
    }

    /// @dev Prize 1, of 1 to most pieces, price 25, valid from 500 to 5,000.
    function _listed(uint32 stock) private {
        vm.assume(stock <= shop.MAX_STOCK());
        assert(_list(PARTNER, 25, stock, 500, 5000, 1 days));
    }

    function check_ListedPrizesAreSound(
        address caller,
        uint32 price,
        uint32 stock,
        uint40 validFrom,
        uint40 validUntil,
        uint32 collect
    ) public {
        bool done = _list(caller, price, stock, validFrom, validUntil, collect);
        bool period = validFrom < validUntil && validUntil > 1000;
        bool collected = collect >= 1 days && collect <= 365 days;
        assert(done == (caller == PARTNER && price != 0 && stock <= 1_000_000_000 && period && collected));
    }

    function check_StockRisesWithinItsLimit(address caller, uint32 stock, uint32 amount) public {
        _listed(stock);
        bool done = _try(caller, address(shop), abi.encodeCall(shop.raiseStock, (1, amount)));
        assert(done == (caller == PARTNER && uint256(stock) + amount <= 1_000_000_000));
        assert(shop.prize(1).stock == uint256(stock) + (done ? amount : 0));
    }

    function check_StockNeverBelowZero(address caller, uint32 stock, uint32 amount) public {
        _listed(stock);
        bool done = _try(caller, address(shop), abi.encodeCall(shop.lowerStock, (1, amount)));
        assert(done == (caller == PARTNER && amount <= stock));
        assert(shop.prize(1).stock == stock - (done ? amount : 0));
    }

    function check_WithdrawnOnceByItsPartner(address caller) public {
        _listed(1);
        bool done = _try(caller, address(shop), abi.encodeCall(shop.withdrawPrize, (1)));
        assert(done == (caller == PARTNER));
        assert(shop.prize(1).withdrawn == done);
        if (done) assert(!_try(PARTNER, address(shop), abi.encodeCall(shop.withdrawPrize, (1))));
        if (done) assert(!_try(PARTNER, address(shop), abi.encodeCall(shop.raiseStock, (1, 1))));
    }

    function _redeem(uint256 price, bytes32 codeHash, bytes32 r, bytes32 vs) private returns (bytes32 id) {
        IRewardShop.Redemption[] memory batch = new IRewardShop.Redemption[](1);
        batch[0] = IRewardShop.Redemption({
            account: address(0x7777),
            prizeId: 1,
            price: price,
            contentHash: CONTENT,
            seasonIds: new uint256[](0),
            codeHash: codeHash
        });
        shop.redeem(batch, abi.encodePacked(r, vs));
        id = shop.redemptionIdOf(address(0x7777), codeHash);
    }

    function _isOpen(bytes32 id) private view returns (bool) {
        return shop.redemption(id).status == IRewardShop.Status.Open;
    }

    /// @notice One piece, the exact price and an open redemption, or none of the three.
    function check_RedeemedMeansPaid(uint32 stock, uint256 price, bytes32 code, bytes32 r, bytes32 vs, uint40 moment)
        public
    {
        _listed(stock);
        vm.warp(moment);
        bytes32 id = _redeem(price, code, r, vs);
        bool done = _isOpen(id);
        assert(shop.prize(1).stock == stock - (done ? 1 : 0));
        assert(_burned == (done ? 25 : 0));
        if (done) assert(price == 25 && stock != 0 && moment >= 500 && moment < 5000);
    }

    /// @notice A code is used once, however often it is sent.
    function check_CodeIsUsedOnce(bytes32 code, bytes32 r, bytes32 vs) public {
        _listed(10);
        bytes32 id = _redeem(25, code, r, vs);
        vm.assume(_isOpen(id));
        _redeem(25, code, r, vs);
        assert(shop.prize(1).stock == 9);
        assert(_burned == 25);
    }

    /// @notice What nobody collected goes back, piece and points, once, and not before its time.
    function check_LapsedGoesBack(address caller, bytes32 r, bytes32 vs, uint40 moment) public {
        _listed(10);
        bytes32 id = _redeem(25, bytes32(uint256(1)), r, vs);
        vm.assume(_isOpen(id));
        vm.warp(moment);
        bool done = _try(caller, address(shop), abi.encodeCall(shop.lapse, (id)));
        assert(done == (moment >= 1000 + 1 days));
        assert(shop.prize(1).stock == (done ? 10 : 9));
        assert(_givenBack == (done ? 1 : 0));
        if (done) assert(!_try(PARTNER, address(shop), abi.encodeCall(shop.refuse, (id, bytes32(0)))));
    }
}
