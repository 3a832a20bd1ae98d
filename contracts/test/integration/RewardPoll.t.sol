// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {BudgetRounds} from "../../src/budget/BudgetRounds.sol";
import {BlindCredential} from "../../src/credential/BlindCredential.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IPolls} from "../../src/interfaces/IPolls.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {IRewardShop} from "../../src/interfaces/IRewardShop.sol";
import {RewardPoints} from "../../src/rewards/RewardPoints.sol";
import {RewardShop} from "../../src/rewards/RewardShop.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {PollFixture} from "../PollFixture.sol";
import {Vm} from "../Vm.sol";

/// @title From a ballot to a prize, and what the chain shows of it
contract RewardPollTest is PollFixture {
    uint256 private constant STAMP_SECRET = 0x5eed;
    uint256 private constant POINTS_SECRET = 0xacc0;

    RewardPoints private _points;
    RewardShop private _shop;
    address private _partner = _named("partner");

    /// @dev An open poll that gives points, with so many credentials issued.
    function setUp() public override {
        super.setUp();
        BudgetRounds rounds = new BudgetRounds(address(municipalities), address(issuerKeys), address(0), address(0));
        address shop = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        _points = new RewardPoints(address(municipalities), address(issuerKeys), address(rounds), shop);
        _shop = new RewardShop(address(municipalities), address(_points));
        vm.prank(operator);
        issuerKeys.admitVerifier(address(_points));
        _grant(IMunicipalities.Role.Partner, _partner);
        _open(_revotable(IPolls.PollKind.Single), 100);
        bytes memory key = BlsSigner.publicKey(STAMP_SECRET);
        vm.prank(clerk);
        _points.openSource(municipalityId, address(polls), pollId, key, 10, 0);
    }

    // ---------------------------------------------------------------------------------------------
    // Blind issuing of a stamp, as browser and relayer do it
    // ---------------------------------------------------------------------------------------------

    function _stampPoint(address account) private view returns (bytes memory) {
        return BlindCredential.hashToG1(BlindCredential.Scope({verifier: address(_points), id: 1, class: 0}), account);
    }

    /// @dev r⁻¹ modulo the order of the group, by Fermat.
    function _inverse(uint256 r) private view returns (uint256) {
        uint256 order = BlsSigner.ORDER;
        (bool success, bytes memory result) =
            address(0x05).staticcall(abi.encode(uint256(32), uint256(32), uint256(32), r, order - 2, order));
        assertTrue(success, "raised to a power");
        return abi.decode(result, (uint256));
    }

    /// @return blinded What the relayer sees.
    /// @return stamp What is claimed.
    function _issue(address account, uint256 r) private view returns (bytes memory blinded, bytes memory stamp) {
        blinded = BlsSigner.multiply(_stampPoint(account), r);
        bytes memory signed = BlsSigner.multiply(blinded, STAMP_SECRET);
        stamp = BlsSigner.unpad(BlsSigner.multiply(signed, _inverse(r)));
    }

    function _claimData(address account, bytes memory stamp) private view returns (bytes memory) {
        address[] memory accounts = new address[](1);
        accounts[0] = account;
        return abi.encodeCall(_points.claim, (1, accounts, stamp));
    }

    function _claim(address account) private {
        (, bytes memory stamp) = _issue(account, 7);
        (bool success,) = address(_points).call(_claimData(account, stamp));
        assertTrue(success, "claimed");
    }

    // ---------------------------------------------------------------------------------------------
    // Unlinkable
    // ---------------------------------------------------------------------------------------------

    /// @notice Everything that the claim of a stamp leaves behind.
    struct Trace {
        bytes blinded;
        bytes data;
        bytes32 logs;
        bytes32 pointsAccess;
        bytes32 pollsAccess;
    }

    /// @dev A voter casts a ballot with some choice and lets some random r blind the point; the same points account
    /// claims.
    function _world(uint256 voter, uint128 choice, uint256 r) private returns (Trace memory trace) {
        uint256 beforeAll = vm.snapshotState();
        _cast(voter, 1, choice);
        address account = vm.addr(POINTS_SECRET);
        bytes memory stamp;
        (trace.blinded, stamp) = _issue(account, r);
        trace.data = _claimData(account, stamp);

        vm.recordLogs();
        vm.record();
        (bool success,) = address(_points).call(trace.data);
        assertTrue(success, "claimed");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "one event");
        trace.logs = keccak256(abi.encode(logs));
        trace.pointsAccess = _accessOf(address(_points));
        trace.pollsAccess = _accessOf(address(polls));
        assertTrue(vm.revertToState(beforeAll), "as before");
    }

    /// @dev All slots read and written, and what is in those written.
    function _accessOf(address target) private returns (bytes32) {
        (bytes32[] memory reads, bytes32[] memory writes) = vm.accesses(target);
        bytes32[] memory values = new bytes32[](writes.length);
        for (uint256 i = 0; i < writes.length; ++i) {
            values[i] = vm.load(target, writes[i]);
        }
        return keccak256(abi.encode(reads, writes, values));
    }

    /// @notice Whoever cast the ballot and whatever it said: the same calldata, the same events, the same storage.
    function test_StampCannotBeLinkedToItsBallot() public {
        Trace memory first = _world(0, 1, 0x1234567);
        Trace memory second = _world(1, 4, 0x89abcdef);
        assertEq(first.data, second.data, "calldata");
        assertTrue(first.logs == second.logs, "events");
        assertTrue(first.pointsAccess == second.pointsAccess, "storage of the points");
        assertTrue(first.pollsAccess == second.pollsAccess, "storage of the polls");
        // What the relayer saw when it signed is another point each time, and says nothing without r.
        assertTrue(keccak256(first.blinded) != keccak256(second.blinded), "blinded");
        assertTrue(keccak256(first.blinded) != keccak256(_stampPoint(vm.addr(POINTS_SECRET))), "not the point itself");
    }

    function testFuzz_StampCannotBeLinkedToItsBallot(uint256 voter, uint256 choice, uint256 r) public {
        Trace memory first = _world(0, 1, 1);
        Trace memory second =
            _world(bound(voter, 0, 99), uint128(1 << bound(choice, 0, 4)), bound(r, 1, BlsSigner.ORDER - 1));
        assertEq(first.data, second.data, "calldata");
        assertTrue(first.logs == second.logs, "events");
        assertTrue(first.pointsAccess == second.pointsAccess, "storage of the points");
        assertTrue(first.pollsAccess == second.pollsAccess, "storage of the polls");
    }

    /// @notice The watch sees something: another points account leaves another trace.
    function test_TraceDependsOnThePointsAccount() public {
        vm.record();
        _cast(0, 1, 1);
        _claim(vm.addr(POINTS_SECRET));
        bytes32 first = _accessOf(address(_points));
        vm.record();
        _cast(1, 1, 1);
        _claim(vm.addr(POINTS_SECRET + 1));
        assertTrue(first != _accessOf(address(_points)), "another trace");
    }

    // ---------------------------------------------------------------------------------------------
    // As many stamps as ballots
    // ---------------------------------------------------------------------------------------------

    function test_StampsNeverExceedBallots() public {
        vm.expectEmit(address(_points));
        emit IRewardPoints.StampSkipped(1, _voter(50), IRewardPoints.SkipReason.ParticipantsExceeded);
        _claim(_voter(50));
        _cast(0, 1, 1);
        _claim(_voter(50));
        // A new version is not a new participant.
        _recast(0, 2, 2);
        vm.expectEmit(address(_points));
        emit IRewardPoints.StampSkipped(1, _voter(51), IRewardPoints.SkipReason.ParticipantsExceeded);
        _claim(_voter(51));
        assertEq(_points.source(1).claimed, 1, "one ballot, one stamp");
    }

    function test_RevertWhen_PollIsUnknown() public {
        bytes memory key = BlsSigner.publicKey(STAMP_SECRET + 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardPoints.ParticipationUnknown.selector, address(polls), pollId + 1));
        vm.prank(clerk);
        _points.openSource(municipalityId, address(polls), pollId + 1, key, 10, 0);
    }

    /// @notice The key of a poll's ballots cannot issue its stamps: a blind issuer would not see the difference.
    function test_RevertWhen_KeyOfTheBallotsIsToIssueStamps() public {
        uint256 first = pollId;
        _create(_single());
        bytes memory key = _issuerKey(first);
        vm.expectRevert(abi.encodeWithSignature("IssuerKeyReused(bytes32)", keccak256(key)));
        vm.prank(clerk);
        _points.openSource(municipalityId, address(polls), pollId, key, 10, 0);
    }

    // ---------------------------------------------------------------------------------------------
    // To the prize
    // ---------------------------------------------------------------------------------------------

    function test_FromBallotToPrize() public {
        _cast(0, 1, 1);
        address account = vm.addr(POINTS_SECRET);
        _claim(account);
        assertEq(_points.balanceOf(municipalityId, account), 10, "points");

        uint40 nowAt = uint40(block.timestamp);
        vm.prank(_partner);
        _shop.listPrize(municipalityId, 10, 1, nowAt, nowAt + 1 days, 7 days, keccak256("a ticket"));
        bytes16 code = "sixteen random b";
        IRewardShop.Redemption[] memory batch = new IRewardShop.Redemption[](1);
        batch[0] = IRewardShop.Redemption({
            account: account,
            prizeId: 1,
            price: 10,
            contentHash: keccak256("a ticket"),
            seasonIds: new uint256[](1),
            codeHash: keccak256(abi.encodePacked(code))
        });
        (bytes32 r, bytes32 vs) = vm.signCompact(POINTS_SECRET, _redemptionDigest(batch[0]));
        _shop.redeem(batch, abi.encodePacked(r, vs));
        assertEq(_points.balanceOf(municipalityId, account), 0, "spent");

        bytes32 id = _shop.redemptionIdOf(account, batch[0].codeHash);
        vm.prank(_partner);
        _shop.honour(id, code);
        assertEq(uint256(_shop.redemption(id).status), uint256(IRewardShop.Status.Honoured), "handed over");
    }

    function _redemptionDigest(IRewardShop.Redemption memory redemption) private view returns (bytes32) {
        bytes32 typehash = keccak256(
            "Redemption(address account,uint256 prizeId,uint256 price,bytes32 contentHash,uint256[] seasonIds,bytes32 codeHash)"
        );
        return _typed(
            address(_shop),
            keccak256(
                abi.encode(
                    typehash,
                    redemption.account,
                    redemption.prizeId,
                    redemption.price,
                    redemption.contentHash,
                    keccak256(abi.encodePacked(redemption.seasonIds)),
                    redemption.codeHash
                )
            )
        );
    }
}
