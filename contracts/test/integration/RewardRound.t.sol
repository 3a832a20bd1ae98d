// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BlindCredential} from "../../src/credential/BlindCredential.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {RewardPoints} from "../../src/rewards/RewardPoints.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title Points for an allocation
contract RewardRoundTest is RoundFixture {
    uint256 private constant STAMP_SECRET = 0x5eed;

    RewardPoints private _points;
    bytes private _key;

    function setUp() public override {
        super.setUp();
        _points = new RewardPoints(address(municipalities), address(issuerKeys), address(rounds), stranger);
        vm.prank(operator);
        issuerKeys.admitVerifier(address(_points));
        _key = BlsSigner.publicKey(STAMP_SECRET);
        _pledgingWith(_cumulative(), 4, 3);
    }

    function _openSource(address participation, uint256 id) private {
        vm.prank(clerk);
        _points.openSource(municipalityId, participation, id, _key, 10, 0);
    }

    function _claim(uint256 first, uint256 count) private {
        BlindCredential.Scope memory scope = BlindCredential.Scope({verifier: address(_points), id: 1, class: 0});
        address[] memory accounts = new address[](count);
        bytes memory stamps;
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = vm.addr(1_000 + first + i);
            bytes memory point = BlindCredential.hashToG1(scope, accounts[i]);
            stamps = bytes.concat(stamps, BlsSigner.unpad(BlsSigner.multiply(point, STAMP_SECRET)));
        }
        _points.claim(1, accounts, stamps);
    }

    function _expectUnknown(address participation, uint256 id) private {
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.ParticipationUnknown.selector, participation, id));
        _openSource(participation, id);
    }

    /// @notice Otherwise one round could give points several times.
    function test_RevertWhen_RoundIsNamedByAnotherId() public {
        uint256 id = round.roundId();
        _expectUnknown(address(round), id + 1);
        _expectUnknown(address(round), 0);
        address first = address(round);
        _create(_approval());
        _expectUnknown(first, id + 1);
        _openSource(first, id);
    }

    function test_RevertWhen_RoundIsNotOfTheRegister() public {
        // The factory itself may claim keys, but nobody takes part in it; a token is not a round.
        _expectUnknown(address(rounds), 1);
        _expectUnknown(address(token), 1);
        _expectUnknown(rounds.roundImplementation(), 1);
    }

    function test_StampsNeverExceedAllocations() public {
        _openSource(address(round), round.roundId());
        vm.expectEmit(address(_points));
        emit IRewardPoints.StampSkipped(1, vm.addr(1_000), IRewardPoints.SkipReason.ParticipantsExceeded);
        _claim(0, 1);
        // Registered alone is not taken part; a new version is not a new participant.
        _allocate(0, 1, _list(1), _list(50));
        _allocate(1, 1, _list(1, 2), _list(50, 50));
        _allocate(0, 2, _list(), _list());
        vm.expectEmit(address(_points));
        emit IRewardPoints.StampSkipped(1, vm.addr(1_002), IRewardPoints.SkipReason.ParticipantsExceeded);
        _claim(0, 3);
        assertEq(_points.source(1).claimed, 2, "two took part");
        assertEq(_points.balanceOf(municipalityId, vm.addr(1_001)), 10, "points");
    }

    /// @notice Stamps outlive the round.
    function test_ClaimAfterTheRound() public {
        _openSource(address(round), round.roundId());
        _allocate(0, 1, _list(1), _list(50));
        vm.prank(clerk);
        round.cancel();
        _claim(0, 1);
        assertEq(_points.balanceOf(municipalityId, vm.addr(1_000)), 10, "points");
    }
}
