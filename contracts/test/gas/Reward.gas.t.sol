// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IRewardShop} from "../../src/interfaces/IRewardShop.sol";
import {RewardFixture} from "../RewardFixture.sol";

/// @title Gas of whole transactions with points, recorded in contracts/snapshots
/// @notice Every call is a transaction of its own: intrinsic gas and calldata are included, and every slot is cold.
/// forge-config: default.isolate = true
contract RewardGasTest is RewardFixture {
    /// @dev EIP-7825.
    uint256 private constant TRANSACTION_GAS_LIMIT = 16_777_216;

    /// @dev Calls and returns what the transaction cost.
    function _transact(address target, bytes memory data) private returns (uint256 gas) {
        (bool success, bytes memory result) = target.call(data);
        gas = vm.lastCallGas().gasTotalUsed;
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    function _record(string memory group, string memory name, uint256 gas, uint256 count) private {
        assertLe(gas, TRANSACTION_GAS_LIMIT, "fits one transaction");
        vm.snapshotValue(group, name, gas / count);
    }

    // ---------------------------------------------------------------------------------------------
    // Stamps
    // ---------------------------------------------------------------------------------------------

    function _claimData(uint256 sourceId, uint256 first, uint256 count) private view returns (bytes memory) {
        address[] memory accounts = _accounts(first, count);
        return abi.encodeCall(points.claim, (sourceId, accounts, _stamps(sourceId, accounts)));
    }

    /// @dev A source of which somebody else has claimed a stamp, which paid for the counter's slot.
    function _begunSource() private returns (uint256 sourceId) {
        sourceId = _openSource(10_000, POINTS, 0);
        _claim(sourceId, 1_000_000, 1);
    }

    function _claimGas(uint256 first, uint256 count) private returns (uint256) {
        uint256 sourceId = _begunSource();
        return _transact(address(points), _claimData(sourceId, first, count));
    }

    function test_Claim1() public {
        _record("stamp", "batch of 1, each", _claimGas(0, 1), 1);
    }

    function test_Claim20() public {
        _record("stamp", "batch of 20, each", _claimGas(0, 20), 20);
    }

    function test_Claim200() public {
        uint256 gas = _claimGas(0, 200);
        assertLe(gas / 200, 55_000, "a stamp in a batch of 200");
        _record("stamp", "batch of 200, each", gas, 200);
    }

    function test_ClaimAgain200() public {
        _claimGas(0, 200);
        _record("stamp", "batch of 200, accounts with points, each", _claimGas(0, 200), 200);
    }

    function test_ClaimSkipped200() public {
        uint256 sourceId = _begunSource();
        bytes memory data = _claimData(sourceId, 0, 200);
        _transact(address(points), data);
        _record("stamp", "batch of 200, all claimed already, each", _transact(address(points), data), 200);
    }

    function test_ClaimBeyondParticipants200() public {
        uint256 sourceId = _begunSource();
        turnout.set(sourceId, 1);
        bytes memory data = _claimData(sourceId, 0, 200);
        _record("stamp", "batch of 200, all beyond the participants, each", _transact(address(points), data), 200);
    }

    /// @dev The largest batch that still fits one transaction.
    function test_ClaimLargest() public {
        uint256 fits = 256;
        uint256 tooMany = 384;
        uint256 first = 0;
        while (tooMany - fits > 1) {
            uint256 count = (fits + tooMany) / 2;
            if (_claimGas(first, count) <= TRANSACTION_GAS_LIMIT) fits = count;
            else tooMany = count;
            first += count;
        }
        vm.snapshotValue("stamp", "largest batch (stamps, not gas)", fits);
    }

    // ---------------------------------------------------------------------------------------------
    // Redemptions
    // ---------------------------------------------------------------------------------------------

    uint32 private constant WEALTH = 1_000;

    /// @dev A prize and `count` citizens with points, some of which they keep.
    function _prepare(uint256 count) private {
        _openSource(count, WEALTH, 0);
        for (uint256 first = 0; first < count; first += 100) {
            _claim(1, first, count - first < 100 ? count - first : 100);
        }
        _listPrize(PRICE, 1_000_000);
        vm.warp(VALID_FROM);
    }

    function _redeemData(uint256 count, uint256 number, uint256 prizeId) private view returns (bytes memory) {
        IRewardShop.Redemption[] memory batch = new IRewardShop.Redemption[](count);
        bytes memory signatures = new bytes(64 * count);
        for (uint256 i = 0; i < count; ++i) {
            batch[i] = _redemption(i, prizeId, number);
            _copy(_sign(i, batch[i]), signatures, 64 * i);
        }
        return abi.encodeCall(shop.redeem, (batch, signatures));
    }

    function _redeemGas(uint256 count) private returns (uint256) {
        _prepare(count);
        return _transact(address(shop), _redeemData(count, 0, 1));
    }

    function test_Redeem1() public {
        _record("redemption", "batch of 1, each", _redeemGas(1), 1);
    }

    function test_Redeem20() public {
        _record("redemption", "batch of 20, each", _redeemGas(20), 20);
    }

    function test_Redeem200() public {
        uint256 gas = _redeemGas(200);
        assertEq(shop.prize(1).stock, 1_000_000 - 200, "redeemed");
        _record("redemption", "batch of 200, each", gas, 200);
    }

    function test_RedeemSentAgain200() public {
        _redeemGas(200);
        uint256 gas = _transact(address(shop), _redeemData(200, 0, 1));
        assertEq(shop.prize(1).stock, 1_000_000 - 200, "once");
        _record("redemption", "batch of 200, all sent again, each", gas, 200);
    }

    function test_RedeemWrongSignatures200() public {
        _prepare(200);
        bytes memory data = _redeemData(200, 0, 1);
        // The signatures stand at the end.
        for (uint256 i = 0; i < 200; ++i) {
            data[data.length - 64 * i - 1] ^= 0x01;
        }
        uint256 gas = _transact(address(shop), data);
        assertEq(shop.prize(1).stock, 1_000_000, "none");
        _record("redemption", "batch of 200, all with wrong signatures, each", gas, 200);
    }

    function test_RedeemWithoutPoints200() public {
        _prepare(200);
        uint256 prizeId = _listPrize(WEALTH + 1, 1_000_000);
        uint256 gas = _transact(address(shop), _redeemData(200, 0, prizeId));
        assertEq(shop.prize(prizeId).stock, 1_000_000, "none");
        _record("redemption", "batch of 200, all without points, each", gas, 200);
    }

    function test_RedeemLargest() public {
        uint256 fits = 128;
        uint256 tooMany = 320;
        _prepare(tooMany);
        for (uint256 number = 0; tooMany - fits > 1; ++number) {
            uint256 count = (fits + tooMany) / 2;
            if (_transact(address(shop), _redeemData(count, number, 1)) <= TRANSACTION_GAS_LIMIT) fits = count;
            else tooMany = count;
        }
        vm.snapshotValue("redemption", "largest batch (redemptions, not gas)", fits);
    }

    // ---------------------------------------------------------------------------------------------
    // How a redemption ends
    // ---------------------------------------------------------------------------------------------

    function test_Honour() public {
        _prepare(1);
        bytes32 id = _redeem(0, 1, 0);
        vm.prank(partner);
        uint256 gas = _transact(address(shop), abi.encodeCall(shop.honour, (id, _code(0, 0))));
        _record("redemption", "honour", gas, 1);
    }

    function test_Refuse() public {
        _prepare(1);
        bytes32 id = _redeem(0, 1, 0);
        vm.prank(partner);
        uint256 gas = _transact(address(shop), abi.encodeCall(shop.refuse, (id, keccak256("reason"))));
        _record("redemption", "refuse", gas, 1);
    }

    function test_Lapse() public {
        _prepare(1);
        bytes32 id = _redeem(0, 1, 0);
        vm.warp(VALID_FROM + COLLECT_PERIOD);
        _record("redemption", "lapse", _transact(address(shop), abi.encodeCall(shop.lapse, (id))), 1);
    }
}
