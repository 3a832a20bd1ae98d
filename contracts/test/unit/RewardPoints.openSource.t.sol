// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IIssuerKeys} from "../../src/interfaces/IIssuerKeys.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RewardFixture} from "../RewardFixture.sol";
import {RewardTurnout} from "../mocks/RewardTurnout.sol";

contract RewardPointsOpenSourceTest is RewardFixture {
    bytes private _key;

    function setUp() public override {
        super.setUp();
        _key = BlsSigner.publicKey(42);
    }

    function _try(address participation, uint256 participationId, bytes memory key, uint32 each, uint32 seasonId)
        private
        returns (uint256)
    {
        vm.prank(clerk);
        return points.openSource(municipalityId, participation, participationId, key, each, seasonId);
    }

    function _expectUnknown(address participation, uint256 participationId) private {
        vm.expectRevert(
            abi.encodeWithSelector(IRewardPoints.ParticipationUnknown.selector, participation, participationId)
        );
        _try(participation, participationId, _key, POINTS, 0);
    }

    // ---------------------------------------------------------------------------------------------
    // Refused
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_Paused() public {
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.ActionsPaused.selector));
        _try(address(turnout), 1, _key, POINTS, 0);
    }

    function test_RevertWhen_CallerIsNotClerk() public {
        vm.expectRevert(_lacksRole(stranger, IMunicipalities.Role.Clerk));
        vm.prank(stranger);
        points.openSource(municipalityId, address(turnout), 1, _key, POINTS, 0);
    }

    function test_RevertWhen_ParticipationIsAStrangersContract() public {
        RewardTurnout other = new RewardTurnout();
        _expectUnknown(address(other), 1);
        // Once the operator has admitted it, it is one of ours.
        vm.prank(operator);
        issuerKeys.admitVerifier(address(other));
        assertEq(_try(address(other), 1, _key, POINTS, 0), 1, "opened");
    }

    function test_RevertWhen_ParticipationCannotAnswer() public {
        // A verifier, but nobody takes part in it.
        _expectUnknown(address(points), 1);
        // An address without code, as long as nobody deploys there.
        _expectUnknown(stranger, 1);
        _expectUnknown(address(0), 1);
        _expectUnknown(address(0), 0);
    }

    function test_RevertGiven_ParticipationHasASource() public {
        _try(address(turnout), 7, _key, POINTS, 0);
        bytes memory key = BlsSigner.publicKey(43);
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.ParticipationHasSource.selector, address(turnout), 7, 1));
        _try(address(turnout), 7, key, POINTS, 0);
        assertEq(_try(address(turnout), 8, key, POINTS, 0), 2, "another poll may have one");
    }

    function test_RevertWhen_PointsAreZero() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.PointsZero.selector));
        _try(address(turnout), 1, _key, 0, 0);
    }

    function test_RevertWhen_SeasonIsUnknown() public {
        _openSeason(SEASON_END);
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.SeasonUnknown.selector, municipalityId, 2));
        _try(address(turnout), 1, _key, POINTS, 2);
    }

    function test_RevertGiven_SeasonIsOver() public {
        _openSeason(SEASON_END);
        vm.warp(SEASON_END);
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.SeasonOver.selector, municipalityId, 1, SEASON_END));
        _try(address(turnout), 1, _key, POINTS, 1);
        vm.warp(SEASON_END - 1);
        assertEq(_try(address(turnout), 1, _key, POINTS, 1), 1, "the last second");
    }

    function test_RevertWhen_KeyIsMalformed() public {
        bytes[3] memory keys = [new bytes(0), new bytes(256), bytes.concat(_key, hex"00")];
        for (uint256 i = 0; i < keys.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRewardPoints.IssuerKeyMalformed.selector));
            _try(address(turnout), 1, keys[i], POINTS, 0);
        }
    }

    function test_RevertWhen_KeyServesSomethingElse() public {
        // A poll has claimed it.
        vm.prank(address(turnout));
        issuerKeys.claim(keccak256(_key));
        vm.expectRevert(abi.encodeWithSelector(IIssuerKeys.IssuerKeyReused.selector, keccak256(_key)));
        _try(address(turnout), 1, _key, POINTS, 0);
        assertEq(points.sourceCount(), 0, "nothing is opened");
    }

    // ---------------------------------------------------------------------------------------------
    // Opened
    // ---------------------------------------------------------------------------------------------

    function test_OpenSource() public {
        _openSeason(SEASON_END);
        vm.expectEmit(address(points));
        emit IRewardPoints.SourceOpened(1, municipalityId, address(turnout), 9, 1, POINTS, _key);
        vm.expectEmit(address(issuerKeys));
        emit IIssuerKeys.IssuerKeyClaimed(keccak256(_key), address(points));
        assertEq(_try(address(turnout), 9, _key, POINTS, 1), 1, "sources count from 1");

        IRewardPoints.Source memory source = points.source(1);
        assertEq(source.municipalityId, municipalityId, "municipality");
        assertEq(source.seasonId, 1, "season");
        assertEq(source.pointsPerStamp, POINTS, "points");
        assertFalse(source.closed, "open");
        assertEq(source.claimed, 0, "claimed");
        assertEq(source.participation, address(turnout), "participation");
        assertEq(source.participationId, 9, "participation id");
        assertEq(source.issuerKey, _key, "key");
        assertEq(points.sourceCount(), 1, "count");
        assertEq(points.sourceOf(municipalityId, address(turnout), 9), 1, "found by its participation");
        assertEq(points.sourceOf(municipalityId, address(turnout), 10), 0, "no other");
        assertEq(issuerKeys.claimedBy(keccak256(_key)), address(points), "the key is claimed");
        assertEq(
            points.stampMessage(1, stranger),
            abi.encodePacked(block.chainid, address(points), uint256(1), uint8(0), stranger),
            "message"
        );
    }

    /// @notice A region's poll may give points in several municipalities, each with its own source.
    function test_OpenSourceOfAnotherMunicipality() public {
        _try(address(turnout), 9, _key, POINTS, 0);
        uint32 other = _admitted("66401001");
        _grantIn(other, IMunicipalities.Role.Clerk, clerk);
        bytes memory key = BlsSigner.publicKey(43);
        vm.prank(clerk);
        assertEq(points.openSource(other, address(turnout), 9, key, 1, 0), 2, "opened");
        assertEq(points.sourceOf(other, address(turnout), 9), 2, "found");
        assertEq(points.sourceOf(municipalityId, address(turnout), 9), 1, "the first stays");
    }

    function test_RevertWhen_SourceIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.SourceUnknown.selector, 1));
        points.source(1);
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.SourceUnknown.selector, 0));
        points.hasClaimed(0, stranger);
    }

    function test_Constructor() public view {
        assertEq(points.municipalities(), address(municipalities), "municipalities");
        assertEq(points.issuerKeys(), address(issuerKeys), "issuer keys");
        assertEq(points.rounds(), address(rounds), "rounds");
        assertEq(points.shop(), address(shop), "shop");
        assertEq(points.MAX_SEASONS(), 4, "seasons");
    }
}
