// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {Anchors} from "../../src/anchors/Anchors.sol";
import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IBudgetRounds} from "../../src/interfaces/IBudgetRounds.sol";
import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {IIssuerKeys} from "../../src/interfaces/IIssuerKeys.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IPolls} from "../../src/interfaces/IPolls.sol";
import {IRewardPoints} from "../../src/interfaces/IRewardPoints.sol";
import {Polls} from "../../src/polls/Polls.sol";
import {RewardPoints} from "../../src/rewards/RewardPoints.sol";
import {RewardShop} from "../../src/rewards/RewardShop.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title Nobody speaks in another's name
/// @notice A known break of relayed calls: a contract that reads its sender from the end of the calldata, and runs calls
/// to itself with calldata of the caller's making (`multicall`), takes any address for the sender. No contract here does
/// either: the sender is asked for by `_msgSender()`, which is `msg.sender`, and nothing calls itself.
contract SenderSpoofingTest is RoundFixture {
    /// @dev A call that only `rightful` may make, and how everybody else is refused.
    struct Guarded {
        address target;
        address rightful;
        bytes data;
        bytes refusal;
    }

    address private partner = _named("partner");
    address private registrar = _named("registrar");
    Polls private polls;
    Anchors private anchors;
    RewardPoints private points;
    RewardShop private shop;

    function setUp() public override {
        super.setUp();
        _grant(IMunicipalities.Role.Partner, partner);
        _grant(IMunicipalities.Role.Registrar, registrar);
        polls = new Polls(address(municipalities), address(issuerKeys));
        anchors = new Anchors(address(municipalities));
        address shop_ = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        points = new RewardPoints(address(municipalities), address(issuerKeys), address(rounds), shop_);
        shop = new RewardShop(address(municipalities), address(points));
        vm.prank(operator);
        issuerKeys.admitVerifier(address(polls));
        _pledgingWith(_cumulative(), 0, 1);
        _closePledging();
        _settle(_list(1));
    }

    function _lacks(IMunicipalities.Role role) private view returns (bytes memory) {
        // All contracts have this error.
        return abi.encodeWithSelector(IBudgetRound.CallerLacksRole.selector, stranger, uint8(role));
    }

    function _refusal(bytes4 selector) private view returns (bytes memory) {
        return abi.encodeWithSelector(selector, stranger);
    }

    /// @dev At least one call for each contract and each kind of authority. Round 1 is settled; another is a draft.
    function _guarded() private returns (Guarded[] memory list) {
        address settled = address(round);
        uint64 later = uint64(block.timestamp + 1 days);
        uint64[4] memory deadlines = [later, later, later, later];
        _createWith(_cumulative(), 1, 1);
        list = new Guarded[](17);
        bytes memory lacksClerk = _lacks(IMunicipalities.Role.Clerk);
        list[0] = Guarded(address(round), clerk, abi.encodeCall(round.openRegistration, ()), lacksClerk);
        list[1] = Guarded(
            settled,
            treasurer,
            abi.encodeCall(round.recordPayment, (1, 1, bytes32("order"), 0)),
            _lacks(IMunicipalities.Role.Treasurer)
        );
        list[2] = Guarded(
            address(token), treasurer, abi.encodeCall(token.proposeMint, (1, 0)), _lacks(IMunicipalities.Role.Treasurer)
        );
        list[3] = Guarded(
            address(token),
            address(round),
            abi.encodeCall(token.release, ()),
            _refusal(IBudgetToken.CallerNotRound.selector)
        );
        list[4] = Guarded(
            address(rounds),
            clerk,
            abi.encodeCall(rounds.createRound, (_approval(), _appropriation(), "Round", "RND")),
            abi.encodeWithSelector(IBudgetRounds.CallerNotClerk.selector, stranger, municipalityId)
        );
        list[5] = Guarded(
            address(rounds),
            address(round),
            abi.encodeCall(rounds.claimIssuerKey, (keccak256("key"))),
            _refusal(IBudgetRounds.CallerNotRound.selector)
        );
        list[6] = Guarded(
            address(issuerKeys),
            address(rounds),
            abi.encodeCall(issuerKeys.claim, (keccak256("another key"))),
            _refusal(IIssuerKeys.CallerNotVerifier.selector)
        );
        list[7] = Guarded(
            address(issuerKeys),
            operator,
            abi.encodeCall(issuerKeys.admitVerifier, (stranger)),
            _refusal(IIssuerKeys.CallerNotOwner.selector)
        );
        list[8] = Guarded(
            address(municipalities),
            operator,
            abi.encodeCall(municipalities.admit, ("66401009", "Town")),
            _refusal(Ownable.OwnableUnauthorizedAccount.selector)
        );
        list[9] = Guarded(
            address(milestones), clerk, abi.encodeCall(milestones.schedule, (settled, 1, deadlines)), lacksClerk
        );
        list[10] = Guarded(
            address(polls), clerk, abi.encodeCall(polls.createPoll, (_poll(), BlsSigner.publicKey(77))), lacksClerk
        );
        list[11] =
            Guarded(address(points), clerk, abi.encodeCall(points.openSeason, (municipalityId, later)), lacksClerk);
        list[12] = Guarded(
            address(points),
            address(shop),
            abi.encodeCall(points.burn, (municipalityId, stranger, new uint256[](0), 0)),
            _refusal(IRewardPoints.CallerNotShop.selector)
        );
        list[13] = Guarded(
            address(points),
            address(shop),
            abi.encodeCall(points.giveBack, (municipalityId, stranger, 5)),
            _refusal(IRewardPoints.CallerNotShop.selector)
        );
        list[14] = Guarded(
            address(shop),
            partner,
            abi.encodeCall(
                shop.listPrize, (municipalityId, 5, 5, uint40(later), uint40(later + 1), 1 days, keccak256("prize"))
            ),
            _lacks(IMunicipalities.Role.Partner)
        );
        list[15] = Guarded(
            address(anchors),
            registrar,
            abi.encodeCall(anchors.openStream, (municipalityId, "appeals")),
            _lacks(IMunicipalities.Role.Registrar)
        );
        list[16] = Guarded(
            settled, treasurer, abi.encodeCall(round.returnRemainder, (1)), _lacks(IMunicipalities.Role.Treasurer)
        );
    }

    function _poll() private view returns (IPolls.PollConfig memory) {
        return IPolls.PollConfig({
            municipalityId: municipalityId,
            kind: IPolls.PollKind.Single,
            optionCount: 2,
            maxChoices: 1,
            revote: false,
            opensAt: uint64(block.timestamp),
            closesAt: uint64(block.timestamp + 1 days),
            grace: 0,
            contentHash: keccak256("poll"),
            sealingKey: 0
        });
    }

    /// @notice An address at the end of the calldata, as forwarders put it there, gives nobody's authority; and who has
    /// authority keeps it, whoever stands there.
    function test_AppendedAddressNeverChangesTheSender() public {
        Guarded[] memory list = _guarded();
        for (uint256 i = 0; i < list.length; ++i) {
            Guarded memory call_ = list[i];
            bytes[3] memory tails = [
                abi.encodePacked(call_.rightful),
                abi.encode(call_.rightful),
                abi.encodePacked(stranger, call_.rightful, call_.rightful)
            ];
            for (uint256 j = 0; j < tails.length; ++j) {
                vm.prank(stranger);
                (bool accepted, bytes memory result) = call_.target.call(bytes.concat(call_.data, tails[j]));
                assertFalse(accepted, "refused");
                assertEq(result, call_.refusal, "the sender is the stranger");
            }
            vm.prank(call_.rightful);
            (bool success,) = call_.target.call(bytes.concat(call_.data, bytes20(stranger)));
            assertTrue(success, "the sender is who sends");
        }
        // What was recorded is in the senders' names.
        assertEq(token.mintProposal(1).proposer, treasurer, "the treasurer proposed");
        assertEq(shop.prize(1).partner, partner, "the partner's prize");
        assertEq(issuerKeys.claimedBy(keccak256("another key")), address(rounds), "the factory's key");
    }

    /// @notice Registrations and allocations need nobody's authority; appended addresses are not read there either.
    function test_AppendedAddressNeverRegistersAnybody() public {
        _createWith(_cumulative(), 1, 1);
        _openRegistration();
        address[] memory accounts = _accounts(0, 1);
        bytes memory data = abi.encodeCall(round.register, (0, accounts, _credentials(0, accounts)));
        vm.prank(stranger);
        (bool success,) = address(round).call(bytes.concat(data, bytes20(_citizen(1)), abi.encode(_citizen(2))));
        assertTrue(success, "accepted from anybody");
        assertEq(round.registeredCount(), 1, "the account of the credential alone");
        assertFalse(round.citizen(_citizen(1)).registered, "not the appended one");
        assertFalse(round.citizen(_citizen(2)).registered, "not the appended one");
        assertFalse(round.citizen(stranger).registered, "not the sender");
    }

    /// @notice No contract runs several calls at once, or a call for somebody else, or trusts a forwarder: there is no such
    /// function, so the call ends without a word. Even the one who may do what is in it may not do it this way.
    function test_RevertWhen_CalledByMulticall() public {
        Guarded[] memory list = _guarded();
        for (uint256 i = 0; i < list.length; ++i) {
            Guarded memory call_ = list[i];
            bytes[] memory inner = new bytes[](1);
            inner[0] = bytes.concat(call_.data, bytes20(call_.rightful));
            bytes[6] memory outer = [
                abi.encodeWithSignature("multicall(bytes[])", inner),
                abi.encodeWithSignature("multicall(uint256,bytes[])", type(uint256).max, inner),
                abi.encodeWithSignature("multicall(address,bytes[])", call_.rightful, inner),
                abi.encodeWithSignature("execute(address,bytes)", call_.rightful, inner[0]),
                abi.encodeWithSignature("isTrustedForwarder(address)", stranger),
                abi.encodeWithSignature("trustedForwarder()")
            ];
            address[2] memory callers = [stranger, call_.rightful];
            for (uint256 j = 0; j < 12; ++j) {
                vm.prank(callers[j % 2]);
                (bool accepted, bytes memory result) = call_.target.call(outer[j / 2]);
                assertFalse(accepted, "there is no such function");
                assertEq(result.length, 0, "and nothing looked at it");
            }
            vm.prank(call_.rightful);
            (bool success,) = call_.target.call(call_.data);
            assertTrue(success, "what was in it would have been accepted");
        }
    }
}
