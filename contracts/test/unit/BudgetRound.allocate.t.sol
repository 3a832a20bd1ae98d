// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {RoundFixture} from "../RoundFixture.sol";

contract BudgetRoundAllocateTest is RoundFixture {
    /// @dev Order of secp256k1.
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function setUp() public override {
        super.setUp();
        _pledgingWith(_cumulative(), 4, 10);
    }

    function _one(IBudgetRound.Allocation memory allocation)
        private
        pure
        returns (IBudgetRound.Allocation[] memory batch)
    {
        batch = new IBudgetRound.Allocation[](1);
        batch[0] = allocation;
    }

    function _expectSkipped(IBudgetRound.Allocation memory allocation, IBudgetRound.SkipReason reason) private {
        vm.expectEmit(address(round));
        emit IBudgetRound.AllocationSkipped(allocation.account, allocation.version, reason);
    }

    function _expectMalformed(uint16[] memory initiatives, uint16[] memory points) private {
        IBudgetRound.Allocation memory allocation = _allocation(0, 1, initiatives, points);
        bytes memory signature = _sign(0, allocation);
        _expectSkipped(allocation, IBudgetRound.SkipReason.ChoicesMalformed);
        round.allocate(_one(allocation), signature);
        assertEq(round.citizen(allocation.account).version, 0, "nothing is recorded");
    }

    // ---------------------------------------------------------------------------------------------
    // The whole batch is refused
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_NotPledging() public {
        IBudgetRound.Allocation memory allocation = _allocation(0, 1, _list(1), _list(1));
        bytes memory signature = _sign(0, allocation);
        _closePledging();
        vm.expectRevert(
            abi.encodeWithSelector(
                IBudgetRound.PhaseWrong.selector, IBudgetRound.Phase.Tallying, IBudgetRound.Phase.Pledging
            )
        );
        round.allocate(_one(allocation), signature);
    }

    function test_RevertWhen_LengthsDiffer() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.BatchMalformed.selector));
        round.allocate(new IBudgetRound.Allocation[](0), "");
        vm.expectRevert(abi.encodeWithSelector(IBudgetRound.BatchMalformed.selector));
        round.allocate(new IBudgetRound.Allocation[](1), new bytes(65));
    }

    // ---------------------------------------------------------------------------------------------
    // Items are skipped
    // ---------------------------------------------------------------------------------------------

    function test_SkipWhen_NotRegistered() public {
        IBudgetRound.Allocation memory allocation = _allocation(99, 1, _list(1), _list(1));
        bytes memory signature = _sign(99, allocation);
        _expectSkipped(allocation, IBudgetRound.SkipReason.NotRegistered);
        round.allocate(_one(allocation), signature);
    }

    function test_SkipWhen_VersionIsNotHigher() public {
        _allocate(0, 5, _list(1), _list(100));
        IBudgetRound.Allocation memory allocation = _allocation(0, 5, _list(2), _list(100));
        bytes memory signature = _sign(0, allocation);
        _expectSkipped(allocation, IBudgetRound.SkipReason.VersionNotHigher);
        round.allocate(_one(allocation), signature);
        allocation.version = 0;
        signature = _sign(0, allocation);
        _expectSkipped(allocation, IBudgetRound.SkipReason.VersionNotHigher);
        round.allocate(_one(allocation), signature);
        assertEq(round.citizen(_citizen(0)).initiatives[0], 1, "the recorded one stays");
    }

    function test_SkipWhen_SignatureIsAnothers() public {
        IBudgetRound.Allocation memory allocation = _allocation(0, 1, _list(1), _list(1));
        bytes memory signature = _sign(1, allocation);
        _expectSkipped(allocation, IBudgetRound.SkipReason.SignatureInvalid);
        round.allocate(_one(allocation), signature);
    }

    function test_SkipWhen_AnythingSignedIsChanged() public {
        IBudgetRound.Allocation memory allocation = _allocation(0, 1, _list(1, 2), _list(10, 20));
        bytes memory signature = _sign(0, allocation);
        allocation.points[1] = 21;
        _expectSkipped(allocation, IBudgetRound.SkipReason.SignatureInvalid);
        round.allocate(_one(allocation), signature);
        allocation.points[1] = 20;
        allocation.initiatives[1] = 3;
        _expectSkipped(allocation, IBudgetRound.SkipReason.SignatureInvalid);
        round.allocate(_one(allocation), signature);
        allocation.initiatives[1] = 2;
        allocation.version = 2;
        _expectSkipped(allocation, IBudgetRound.SkipReason.SignatureInvalid);
        round.allocate(_one(allocation), signature);
        allocation.version = 1;
        allocation.account = _citizen(1);
        _expectSkipped(allocation, IBudgetRound.SkipReason.SignatureInvalid);
        round.allocate(_one(allocation), signature);
        allocation.account = _citizen(0);
        vm.chainId(block.chainid + 1);
        _expectSkipped(allocation, IBudgetRound.SkipReason.SignatureInvalid);
        round.allocate(_one(allocation), signature);
    }

    function test_SkipWhen_SignatureIsMalleated() public {
        IBudgetRound.Allocation memory allocation = _allocation(0, 1, _list(1), _list(1));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_citizenSecret(0), _digest(allocation));
        // The twin with high s: its top bit is set, so the compact form cannot even hold it next to a parity.
        uint256 twin = CURVE_ORDER - uint256(s);
        _expectSkipped(allocation, IBudgetRound.SkipReason.SignatureInvalid);
        round.allocate(_one(allocation), abi.encodePacked(r, twin | (v == 27 ? uint256(1) << 255 : 0)));
        _expectSkipped(allocation, IBudgetRound.SkipReason.SignatureInvalid);
        round.allocate(_one(allocation), new bytes(64));
    }

    function test_SkipWhen_ChoicesAreMalformed() public {
        _expectMalformed(_list(2, 1), _list(1, 1));
        _expectMalformed(_list(1, 1), _list(1, 1));
        _expectMalformed(_list(0), _list(1));
        _expectMalformed(_list(11), _list(1));
        _expectMalformed(_list(1, 2), _list(1));
        _expectMalformed(_list(1), _list());
        _expectMalformed(_list(), _list(1));
        _expectMalformed(_list(1, 2), _list(1, 0));
        _expectMalformed(_list(1), _list(101));
        _expectMalformed(_list(1, 2), _list(60, 41));
        _expectMalformed(_list(1, 2), _list(65_535, 65_535));
        _expectMalformed(_series(1, 1, 256), _series(1, 0, 256));
    }

    /// @notice 255 at once and not one more, though there are more to choose from.
    function test_AsManyAsAnAllocationHolds() public {
        _pledgingWith(_approval(), 1, 256);
        _expectMalformed(_series(1, 1, 256), _list());
        IBudgetRound.Allocation memory allocation = _allocation(0, 1, _series(2, 1, 255), _list());
        round.allocate(_one(allocation), _sign(0, allocation));
        IBudgetRound.Citizen memory citizen = round.citizen(_citizen(0));
        assertEq(abi.encode(citizen.initiatives), abi.encode(allocation.initiatives), "all of them");
        assertEq(_inWallet(1), 0, "the one that was left out");
        for (uint16 id = 2; id <= 256; ++id) {
            assertEq(_inWallet(id), uint256(APPROPRIATION) / 255, "an equal part");
        }
    }

    function test_SkipWhen_ApprovalHasPoints() public {
        _pledgingWith(_approval(), 1, 3);
        _expectMalformed(_list(1), _list(1));
    }

    /// @notice An id or a number of points that does not fit its type is a bad item, not the end of the batch.
    function test_SkipWhen_WordsAreDirty() public {
        IBudgetRound.Allocation[] memory batch = _one(_allocation(0, 1, _list(1), _list(1)));
        bytes memory data = abi.encodeCall(round.allocate, (batch, _sign(0, batch[0])));
        // selector | 2 offsets | length | offset | account, version, 2 offsets | length | initiative
        uint256 position = 4 + 32 * 9;
        data[position] = 0x01;
        _expectSkipped(batch[0], IBudgetRound.SkipReason.ChoicesMalformed);
        (bool success,) = address(round).call(data);
        assertTrue(success, "the batch goes through");
    }

    function test_SkipDoesNotSpoilTheBatch() public {
        IBudgetRound.Allocation[] memory batch = new IBudgetRound.Allocation[](3);
        batch[0] = _allocation(0, 1, _list(1), _list(100));
        batch[1] = _allocation(1, 1, _list(77), _list(100));
        batch[2] = _allocation(2, 1, _list(3), _list(100));
        bytes memory signatures = bytes.concat(_sign(0, batch[0]), _sign(1, batch[1]), _sign(2, batch[2]));
        round.allocate(batch, signatures);
        assertEq(_inWallet(1), APPROPRIATION / 4, "the first counts");
        assertEq(_inWallet(3), APPROPRIATION / 4, "the third counts");
        assertEq(round.citizen(_citizen(1)).version, 0, "the second does not");
    }

    // ---------------------------------------------------------------------------------------------
    // Recorded
    // ---------------------------------------------------------------------------------------------

    function test_Allocate() public {
        IBudgetRound.Allocation memory allocation = _allocation(0, 3, _list(2, 5), _list(30, 70));
        bytes memory signature = _sign(0, allocation);
        vm.expectEmit(address(round));
        emit IBudgetRound.AllocationRecorded(_citizen(0), 3, allocation.initiatives, allocation.points);
        vm.prank(stranger);
        round.allocate(_one(allocation), signature);
        IBudgetRound.Citizen memory citizen = round.citizen(_citizen(0));
        assertEq(citizen.version, 3, "version");
        assertEq(
            keccak256(abi.encode(citizen.initiatives, citizen.points)),
            keccak256(abi.encode(allocation.initiatives, allocation.points)),
            "distribution"
        );
        assertEq(_inWallet(2), 75_000_00, "30 % of 250 000 rubles");
        assertEq(_inWallet(5), 175_000_00, "70 % of 250 000 rubles");
        assertEq(round.initiative(5).pledged, 175_000_00, "pledged");
    }

    function test_AllocateNothingTakesEverythingBack() public {
        _allocate(0, 1, _list(1, 2), _list(50, 50));
        _allocate(0, 2, _list(), _list());
        assertEq(token.balanceOf(address(round)), APPROPRIATION, "purse");
        assertEq(round.unspentOf(_citizen(0)), APPROPRIATION / 4, "unspent");
        assertEq(round.citizen(_citizen(0)).initiatives.length, 0, "no choices");
    }

    function test_AllocateTwiceInOneBatch() public {
        IBudgetRound.Allocation[] memory batch = new IBudgetRound.Allocation[](4);
        batch[0] = _allocation(0, 1, _series(1, 1, 10), _series(10, 0, 10));
        batch[1] = _allocation(0, 3, _series(2, 1, 9), _series(10, 0, 9));
        batch[2] = _allocation(0, 2, _list(1), _list(100));
        batch[3] = _allocation(0, 4, _list(4), _list(100));
        bytes memory signatures;
        for (uint256 i = 0; i < 4; ++i) {
            signatures = bytes.concat(signatures, _sign(0, batch[i]));
        }
        round.allocate(batch, signatures);
        assertEq(_inWallet(4), APPROPRIATION / 4, "the highest version counts");
        assertEq(token.balanceOf(address(round)), APPROPRIATION / 4 * 3, "the rest is in the purse");
    }

    function test_AllocateTheSameAgainMovesNothing() public {
        _allocate(0, 1, _list(1), _list(100));
        _allocate(0, 2, _list(1), _list(100));
        assertEq(_inWallet(1), APPROPRIATION / 4, "once");
        assertEq(round.citizen(_citizen(0)).version, 2, "the version is recorded");
    }

    /// @notice For any two distributions one after the other: wallets hold what the last one says, to the kopeck.
    function testFuzz_Replace(uint256 seed, bool approval, uint256 budget) public {
        uint256 count = 40;
        budget = bound(budget, 1, APPROPRIATION);
        _createWith(approval ? _approval() : _cumulative(), 1, count);
        _mint(budget);
        _openRegistration();
        _register(0, 0, 3);
        _openPledging();
        for (uint32 version = 1; version <= 2; ++version) {
            uint256[] memory wallets = new uint256[](count + 1);
            uint256 inWallets = 0;
            for (uint256 i = 0; i < 3; ++i) {
                (uint16[] memory initiatives, uint16[] memory points) =
                    _randomChoices(uint256(keccak256(abi.encode(seed, i, version))), approval, count);
                _allocate(i, version, initiatives, points);
                uint256 left = budget / 3;
                for (uint256 j = 0; j < initiatives.length; ++j) {
                    uint256 part = approval ? budget / 3 / initiatives.length : budget / 3 * points[j] / 100;
                    wallets[initiatives[j]] += part;
                    inWallets += part;
                    left -= part;
                }
                assertEq(round.unspentOf(_citizen(i)), left, "unspent");
            }
            for (uint16 id = 1; id <= count; ++id) {
                assertEq(_inWallet(id), wallets[id], "wallet");
            }
            assertEq(token.balanceOf(address(round)), budget - inWallets, "purse");
        }
    }

    function _randomChoices(uint256 seed, bool approval, uint256 count)
        private
        pure
        returns (uint16[] memory initiatives, uint16[] memory points)
    {
        uint256 size = seed % 12;
        uint256 id = 0;
        initiatives = new uint16[](size);
        points = new uint16[](approval ? 0 : size);
        for (uint256 i = 0; i < size; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            id += 1 + seed % (count / size);
            initiatives[i] = uint16(id);
            if (!approval) points[i] = uint16(1 + (seed >> 128) % (100 / size));
        }
    }
}
