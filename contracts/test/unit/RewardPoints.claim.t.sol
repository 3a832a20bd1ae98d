// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {RewardPoints} from "../../src/rewards/RewardPoints.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RewardFixture} from "../RewardFixture.sol";
import {Vm} from "../Vm.sol";

contract RewardPointsClaimTest is RewardFixture {
    function setUp() public override {
        super.setUp();
        _openSource(100, POINTS, 0);
    }

    function _expectInvalid(uint256 sourceId, address[] memory accounts, bytes memory signatures) private {
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.StampsInvalid.selector, sourceId));
        points.claim(sourceId, accounts, signatures);
        assertEq(points.source(sourceId).claimed, 0, "nothing is claimed");
    }

    function _expectSkipped(address account, IRewardPoints.SkipReason reason) private {
        vm.expectEmit(address(points));
        emit IRewardPoints.StampSkipped(1, account, reason);
    }

    function _balance(uint256 citizen) private view returns (uint256) {
        return points.balanceOf(municipalityId, _account(citizen));
    }

    // ---------------------------------------------------------------------------------------------
    // The whole batch is refused
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_Paused() public {
        address[] memory accounts = _accounts(0, 1);
        bytes memory signatures = _stamps(1, accounts);
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.ActionsPaused.selector));
        points.claim(1, accounts, signatures);
    }

    function test_RevertWhen_SourceIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.SourceUnknown.selector, 2));
        points.claim(2, new address[](1), new bytes(96));
    }

    function test_RevertGiven_SourceIsClosed() public {
        address[] memory accounts = _accounts(0, 1);
        bytes memory signatures = _stamps(1, accounts);
        vm.prank(clerk);
        points.closeSource(1);
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.SourceClosedAlready.selector, 1));
        points.claim(1, accounts, signatures);
    }

    function test_RevertGiven_SeasonIsOver() public {
        uint256 sourceId = _openSource(100, POINTS, _openSeason(SEASON_END));
        address[] memory accounts = _accounts(0, 1);
        bytes memory signatures = _stamps(sourceId, accounts);
        vm.warp(SEASON_END);
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.SeasonOver.selector, municipalityId, 1, SEASON_END));
        points.claim(sourceId, accounts, signatures);
        vm.warp(SEASON_END - 1);
        points.claim(sourceId, accounts, signatures);
        assertEq(_balance(0), POINTS, "the last second");
    }

    function test_RevertWhen_LengthsDiffer() public {
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.BatchMalformed.selector));
        points.claim(1, new address[](0), "");
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.BatchMalformed.selector));
        points.claim(1, new address[](2), new bytes(96));
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.BatchMalformed.selector));
        points.claim(1, new address[](1), new bytes(97));
    }

    // ---------------------------------------------------------------------------------------------
    // Known breaks
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_StampIsOfAnotherSource() public {
        _openSource(100, POINTS, 0);
        address[] memory accounts = _accounts(0, 1);
        _expectInvalid(1, accounts, _stamps(2, accounts));
    }

    /// @notice Even the same secret behind both sources would not help: the source is in the message.
    function test_RevertWhen_StampIsSignedByTheRightKeyForAnotherSource() public {
        address[] memory accounts = _accounts(0, 1);
        bytes memory signature = BlsSigner.unpad(BlsSigner.multiply(_hashPoint(2, accounts[0]), _stampSecret(1)));
        _expectInvalid(1, accounts, signature);
    }

    function test_RevertWhen_StampIsOfAnotherContract() public {
        address[] memory accounts = _accounts(0, 1);
        bytes memory signatures = _stamps(1, accounts);
        bytes memory key = points.source(1).issuerKey;
        // Another deployment whose operator takes over the published key.
        RewardPoints first = points;
        RewardFixture.setUp();
        vm.prank(clerk);
        points.openSource(municipalityId, address(turnout), 1, key, POINTS, 0);
        turnout.set(1, 100);
        assertTrue(address(first) != address(points), "another contract");
        _expectInvalid(1, accounts, signatures);
    }

    function test_RevertWhen_StampIsOfAnotherChain() public {
        address[] memory accounts = _accounts(0, 1);
        bytes memory signatures = _stamps(1, accounts);
        vm.chainId(block.chainid + 1);
        _expectInvalid(1, accounts, signatures);
    }

    function test_RevertWhen_StampIsOfAnotherAccount() public {
        _expectInvalid(1, _accounts(1, 1), _stamps(1, _accounts(0, 1)));
    }

    /// @notice The sum forgery, end to end: one issued stamp, two accounts.
    function test_RevertWhen_OneStampOnTheSumIsSplitInTwo() public {
        address[] memory accounts = _accounts(0, 2);
        bytes memory sum = BlsSigner.add(_hashPoint(1, accounts[0]), _hashPoint(1, accounts[1]));
        bytes memory issued = BlsSigner.multiply(sum, _stampSecret(1));
        bytes memory half = BlsSigner.multiply(sum, 31337);
        bytes memory otherHalf = BlsSigner.add(issued, BlsSigner.negate(half));
        _expectInvalid(1, accounts, bytes.concat(BlsSigner.unpad(half), BlsSigner.unpad(otherHalf)));
    }

    /// @notice Two good stamps whose errors cancel in a plain sum.
    function test_RevertWhen_TwoStampsAreShiftedAgainstEachOther() public {
        address[] memory accounts = _accounts(0, 2);
        bytes memory shift = BlsSigner.multiply(_hashPoint(1, stranger), 5);
        bytes memory signatures = bytes.concat(
            BlsSigner.unpad(BlsSigner.add(BlsSigner.pad(_stamp(1, accounts[0])), shift)),
            BlsSigner.unpad(BlsSigner.add(BlsSigner.pad(_stamp(1, accounts[1])), BlsSigner.negate(shift)))
        );
        _expectInvalid(1, accounts, signatures);
    }

    function test_RevertWhen_StampIsInfinity() public {
        _expectInvalid(1, _accounts(0, 1), new bytes(96));
    }

    function test_RevertWhen_OneStampOfManyIsBad() public {
        address[] memory accounts = _accounts(0, 5);
        bytes memory signatures = _stamps(1, accounts);
        signatures[96 * 3 + 10] ^= 0x01;
        _expectInvalid(1, accounts, signatures);
        assertEq(_balance(0), 0, "nobody is credited");
        assertFalse(points.hasClaimed(1, accounts[0]), "nobody has claimed");
    }

    /// @notice A point of G1 has one encoding of 96 bytes. A second one would have a coordinate of p or more, or another
    /// y, and it is the account that is remembered anyway, never the bytes.
    function test_RevertWhen_OneStampIsEncodedTwice() public {
        address[] memory accounts = _accounts(0, 1);
        bytes memory signature = _stamps(1, accounts);
        bytes memory negated = BlsSigner.unpad(BlsSigner.negate(BlsSigner.pad(signature)));
        _expectInvalid(1, accounts, negated);
        _expectInvalid(1, accounts, _plusModulus(signature));

        points.claim(1, accounts, signature);
        bytes[2] memory encodings = [negated, _plusModulus(signature)];
        for (uint256 i = 0; i < encodings.length; ++i) {
            _expectSkipped(accounts[0], IRewardPoints.SkipReason.AlreadyClaimed);
            points.claim(1, accounts, encodings[i]);
        }
        assertEq(_balance(0), POINTS, "claimed once");
        assertEq(points.source(1).claimed, 1, "claimed once");
    }

    /// @dev x + p instead of x: the same number modulo p, still within 48 bytes.
    function _plusModulus(bytes memory signature) private pure returns (bytes memory other) {
        bytes memory modulus =
            hex"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
        other = bytes.concat(signature);
        uint256 carry = 0;
        for (uint256 i = 48; i > 0; --i) {
            uint256 sum = uint8(signature[i - 1]) + uint256(uint8(modulus[i - 1])) + carry;
            other[i - 1] = bytes1(uint8(sum));
            carry = sum >> 8;
        }
        assertEq(carry, 0, "fits 48 bytes");
    }

    // ---------------------------------------------------------------------------------------------
    // Items are skipped
    // ---------------------------------------------------------------------------------------------

    function test_SkipWhen_AlreadyClaimed() public {
        _claim(1, 0, 2);
        _expectSkipped(_account(1), IRewardPoints.SkipReason.AlreadyClaimed);
        vm.expectEmit(address(points));
        emit IRewardPoints.StampClaimed(1, _account(2));
        _claim(1, 1, 2);
        assertEq(points.source(1).claimed, 3, "the new one is claimed");
        assertEq(_balance(1), POINTS, "credited once");
    }

    function test_SkipWhen_StampIsUsedTwiceInOneBatch() public {
        address[] memory accounts = _accounts(0, 3);
        accounts[2] = accounts[0];
        bytes memory signatures = _stamps(1, accounts);
        _expectSkipped(accounts[0], IRewardPoints.SkipReason.AlreadyClaimed);
        points.claim(1, accounts, signatures);
        assertEq(points.source(1).claimed, 2, "claimed once");
        assertEq(_balance(0), POINTS, "credited once");
    }

    function test_SkipWhen_SkippedItemsHaveBadStamps() public {
        _claim(1, 0, 2);
        address[] memory accounts = _accounts(0, 3);
        bytes memory signatures = _stamps(1, accounts);
        signatures[5] ^= 0x01;
        points.claim(1, accounts, signatures);
        assertEq(points.source(1).claimed, 3, "a replayed item cannot spoil the batch");
    }

    function test_SkipWhen_ParticipantsAreExceeded() public {
        turnout.set(1, 2);
        _expectSkipped(_account(2), IRewardPoints.SkipReason.ParticipantsExceeded);
        _claim(1, 0, 3);
        assertEq(points.source(1).claimed, 2, "two took part");
        assertEq(_balance(2), 0, "not credited");
        assertFalse(points.hasClaimed(1, _account(2)), "not claimed");
        // All are beyond.
        _expectSkipped(_account(2), IRewardPoints.SkipReason.ParticipantsExceeded);
        _claim(1, 2, 1);
        // One more has taken part: the same stamp is good now.
        turnout.set(1, 3);
        _claim(1, 2, 1);
        assertEq(_balance(2), POINTS, "credited");
        assertEq(points.source(1).claimed, 3, "three took part");
    }

    /// @notice A reorganised chain may hold fewer ballots than before; that must not block or wrap around.
    function test_SkipWhen_ParticipantsHaveFallen() public {
        _claim(1, 0, 3);
        turnout.set(1, 2);
        _expectSkipped(_account(3), IRewardPoints.SkipReason.ParticipantsExceeded);
        _claim(1, 3, 1);
        assertEq(points.source(1).claimed, 3, "what is claimed stays");
    }

    // ---------------------------------------------------------------------------------------------
    // Claimed
    // ---------------------------------------------------------------------------------------------

    function test_Claim() public {
        address[] memory accounts = _accounts(0, 2);
        bytes memory signatures = _stamps(1, accounts);
        vm.expectEmit(address(points));
        emit IRewardPoints.StampClaimed(1, accounts[0]);
        vm.expectEmit(address(points));
        emit IRewardPoints.StampClaimed(1, accounts[1]);
        vm.prank(stranger);
        points.claim(1, accounts, signatures);
        assertEq(points.source(1).claimed, 2, "claimed");
        assertEq(_balance(0), POINTS, "credited");
        assertEq(_balance(1), POINTS, "credited");
        assertTrue(points.hasClaimed(1, accounts[0]), "claimed");
        assertFalse(points.hasClaimed(1, stranger), "others have not");
        assertEq(points.balanceOf(municipalityId, stranger), 0, "the submitter gets nothing");
        assertEq(points.balanceOf(municipalityId + 1, accounts[0]), 0, "points are of one municipality");
    }

    function test_ClaimOfSeveralSources() public {
        _openSource(100, 7, _openSeason(SEASON_END));
        _openSource(100, 5, 1);
        for (uint256 sourceId = 1; sourceId <= 3; ++sourceId) {
            _claim(sourceId, 0, 1);
        }
        assertEq(points.balanceIn(municipalityId, 0, _account(0)), POINTS, "season 0");
        assertEq(points.balanceIn(municipalityId, 1, _account(0)), 12, "season 1");
        assertEq(_balance(0), POINTS + 12, "all seasons");
        vm.warp(SEASON_END - 1);
        assertEq(_balance(0), POINTS + 12, "the last second");
        vm.warp(SEASON_END);
        assertEq(_balance(0), POINTS, "season 1 is over");
        assertEq(points.balanceIn(municipalityId, 1, _account(0)), 12, "still to be seen");
    }

    /// @notice Beyond 128 sources a season's claims are remembered in further pages; the balance stays in the first.
    function test_ClaimBeyondTheFirstPage() public {
        for (uint256 i = 2; i <= 258; ++i) {
            _openSource(100, uint32(i), 0);
        }
        uint256[6] memory sources = [uint256(1), 128, 129, 256, 257, 258];
        uint256 expected = 0;
        for (uint256 i = 0; i < sources.length; ++i) {
            assertFalse(points.hasClaimed(sources[i], _account(0)), "not yet");
            _claim(sources[i], 0, 1);
            expected += i == 0 ? POINTS : sources[i];
            assertTrue(points.hasClaimed(sources[i], _account(0)), "claimed");
            assertEq(_balance(0), expected, "credited");
            _claim(sources[i], 0, 1);
            assertEq(_balance(0), expected, "credited once");
        }
        assertFalse(points.hasClaimed(2, _account(0)), "others are not");
        assertFalse(points.hasClaimed(130, _account(0)), "others are not");
        assertFalse(points.hasClaimed(255, _account(0)), "others are not");
    }

    function testFuzz_ClaimInAnyBatches(uint256 seed) public {
        uint256 participants = bound(seed >> 64, 0, 8);
        turnout.set(1, participants);
        uint256 claimed = 0;
        bool[8] memory has;
        for (uint256 round = 0; round < 4; ++round) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 first = seed % 6;
            uint256 count = 1 + (seed >> 32) % 3;
            _claim(1, first, count);
            for (uint256 i = first; i < first + count && i < 8; ++i) {
                if (has[i] || claimed == participants) continue;
                has[i] = true;
                ++claimed;
            }
        }
        assertEq(points.source(1).claimed, claimed, "never more than took part, each once");
        for (uint256 i = 0; i < 8; ++i) {
            assertEq(_balance(i), has[i] ? POINTS : 0, "credited as claimed");
        }
    }
}
