// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {Polls} from "../../src/polls/Polls.sol";
import {BlsSigner} from "../BlsSigner.sol";
import {PollFixture} from "../PollFixture.sol";

/// @title Ways to cheat in a poll, none of which may work
contract PollsAttacksTest is PollFixture {
    struct Items {
        address[] accounts;
        IPolls.Ballot[] ballots;
        bytes signatures;
        bytes credentials;
    }

    function setUp() public override {
        super.setUp();
        _open(_revotable(IPolls.PollKind.Single), 100);
    }

    /// @dev First ballots of voters 0, 1, ... for option 0.
    function _items(uint256 count) private view returns (Items memory items) {
        items.accounts = _voters(0, count);
        items.ballots = new IPolls.Ballot[](count);
        for (uint256 i = 0; i < count; ++i) {
            items.ballots[i] = IPolls.Ballot({version: 1, choice: 1});
            items.signatures = bytes.concat(items.signatures, _sign(i, items.ballots[i]));
        }
        items.credentials = _credentials(items.accounts);
    }

    function _submit(Polls to, uint256 id, Items memory items) private {
        to.castBallots(id, items.accounts, items.ballots, items.signatures, items.credentials);
    }

    function _expectSkipped(Polls on, uint256 id, address account, uint32 version, IPolls.SkipReason reason) private {
        vm.expectEmit(address(on));
        emit IPolls.BallotSkipped(id, account, version, reason);
    }

    function _expectCredentialsInvalid(uint256 id) private {
        vm.expectRevert(abi.encodeWithSelector(IPolls.CredentialsInvalid.selector, id));
    }

    // ---------------------------------------------------------------------------------------------
    // More votes out of fewer credentials
    // ---------------------------------------------------------------------------------------------

    /// @notice The sum forgery, end to end: one issued signature, two votes.
    function test_RevertWhen_OneSignatureOnTheSumIsSplitInTwo() public {
        Items memory items = _items(2);
        bytes memory sum = BlsSigner.add(_hashPoint(pollId, items.accounts[0]), _hashPoint(pollId, items.accounts[1]));
        bytes memory issued = BlsSigner.multiply(sum, _issuerSecret(pollId));
        bytes memory half = BlsSigner.multiply(sum, 31337);
        bytes memory otherHalf = BlsSigner.add(issued, BlsSigner.negate(half));
        items.credentials = bytes.concat(BlsSigner.unpad(half), BlsSigner.unpad(otherHalf));
        _expectCredentialsInvalid(pollId);
        _submit(polls, pollId, items);
    }

    /// @notice The same with any weights, and with a third, genuine credential in the batch.
    function testFuzz_RevertWhen_OneSignatureOnACombinationIsSplit(uint256 weight, uint256 split) public {
        Items memory items = _items(3);
        uint256 secret = _issuerSecret(pollId);
        bytes memory combination = BlsSigner.add(
            _hashPoint(pollId, items.accounts[0]),
            BlsSigner.multiply(_hashPoint(pollId, items.accounts[1]), bound(weight, 1, BlsSigner.ORDER - 1))
        );
        bytes memory half = BlsSigner.multiply(_hashPoint(pollId, stranger), bound(split, 1, BlsSigner.ORDER - 1));
        bytes memory otherHalf = BlsSigner.add(BlsSigner.multiply(combination, secret), BlsSigner.negate(half));
        items.credentials =
            bytes.concat(BlsSigner.unpad(half), BlsSigner.unpad(otherHalf), _credential(items.accounts[2]));
        _expectCredentialsInvalid(pollId);
        _submit(polls, pollId, items);
    }

    /// @notice A credential is not an identifier, the account is: another encoding of it buys no second vote, and an
    /// encoding that is not the canonical one is no credential at all.
    function test_OneCredentialHasOneVoteHoweverItIsEncoded() public {
        Items memory items = _items(1);
        _submit(polls, pollId, items);
        // Coordinates that are not reduced: x + p.
        items.accounts[0] = _voter(1);
        items.signatures = _sign(1, items.ballots[0]);
        items.credentials = _addModulus(_credential(_voter(1)));
        _expectCredentialsInvalid(pollId);
        _submit(polls, pollId, items);
        // The negative point: the other y for the same x.
        items.credentials = BlsSigner.unpad(BlsSigner.negate(BlsSigner.pad(_credential(_voter(1)))));
        _expectCredentialsInvalid(pollId);
        _submit(polls, pollId, items);
        // Infinity.
        items.credentials = new bytes(96);
        _expectCredentialsInvalid(pollId);
        _submit(polls, pollId, items);
        // The first credential again, in any encoding, for its own account.
        items = _items(1);
        items.credentials = _addModulus(items.credentials);
        _expectSkipped(polls, pollId, _voter(0), 1, IPolls.SkipReason.VersionNotHigher);
        _submit(polls, pollId, items);
        assertEq(polls.participants(pollId), 1, "one vote");
        assertEq(polls.results(pollId)[0], 1, "one vote");
    }

    /// @dev x + p instead of x.
    function _addModulus(bytes memory credential) private pure returns (bytes memory result) {
        bytes memory modulus =
            hex"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
        result = bytes.concat(credential);
        uint256 carry = 0;
        for (uint256 i = 48; i > 0; --i) {
            uint256 sum = uint256(uint8(credential[i - 1])) + uint8(modulus[i - 1]) + carry;
            result[i - 1] = bytes1(uint8(sum));
            carry = sum >> 8;
        }
    }

    /// @notice Somebody else's credential with one's own account and ballot.
    function test_RevertWhen_CredentialIsOfAnotherAccount() public {
        Items memory items = _items(1);
        items.credentials = _credential(_voter(1));
        _expectCredentialsInvalid(pollId);
        _submit(polls, pollId, items);
    }

    /// @notice The issuer's own key as a credential, or a hash with no signature.
    function test_RevertWhen_CredentialIsTheUnsignedHash() public {
        Items memory items = _items(1);
        items.credentials = BlsSigner.unpad(_hashPoint(pollId, items.accounts[0]));
        _expectCredentialsInvalid(pollId);
        _submit(polls, pollId, items);
    }

    // ---------------------------------------------------------------------------------------------
    // Replays
    // ---------------------------------------------------------------------------------------------

    /// @notice After a reorg, or by a second relayer: the same batch again changes nothing.
    function test_ReplayOnTheSamePollChangesNothing() public {
        Items memory items = _items(3);
        _submit(polls, pollId, items);
        bytes memory before = abi.encode(polls.poll(pollId), polls.results(pollId));
        for (uint256 i = 0; i < 3; ++i) {
            _expectSkipped(polls, pollId, _voter(i), 1, IPolls.SkipReason.VersionNotHigher);
        }
        _submit(polls, pollId, items);
        assertEq(abi.encode(polls.poll(pollId), polls.results(pollId)), before, "nothing has changed");
    }

    /// @notice An older ballot of an account comes back after a newer one.
    function test_ReplayOfAnOlderVersionChangesNothing() public {
        Items memory items = _items(1);
        _submit(polls, pollId, items);
        _recast(0, 2, 2);
        _expectSkipped(polls, pollId, _voter(0), 1, IPolls.SkipReason.VersionNotHigher);
        _submit(polls, pollId, items);
        assertEq(polls.results(pollId)[0], 0, "the older ballot is gone");
        assertEq(polls.results(pollId)[1], 1, "the newer one counts");
    }

    function test_ReplayOnAnotherPollIsRefused() public {
        Items memory items = _items(1);
        _submit(polls, pollId, items);
        uint256 first = pollId;
        _open(_revotable(IPolls.PollKind.Single), 100);
        // The ballot is signed for the first poll,
        _expectSkipped(polls, pollId, _voter(0), 1, IPolls.SkipReason.SignatureInvalid);
        _submit(polls, pollId, items);
        // and so is the credential.
        items.signatures = _sign(0, items.ballots[0]);
        _expectCredentialsInvalid(pollId);
        _submit(polls, pollId, items);
        assertEq(polls.participants(pollId), 0, "second poll");
        assertEq(polls.participants(first), 1, "first poll");
    }

    /// @notice Two deployments that would even share the register's clerk, the poll's id and the issuer's key.
    function test_ReplayOnAnotherContractIsRefused() public {
        Items memory items = _items(1);
        bytes memory key = _issuerKey(1);
        uint256 sharedSecret = _issuerSecret(1);
        Polls first = polls;
        // A fresh register of keys, since one register would not let the key be claimed twice.
        PollFixture.setUp();
        IPolls.PollConfig memory config = _revotable(IPolls.PollKind.Single);
        vm.prank(clerk);
        pollId = polls.createPoll(config, key);
        _publishIssued(100);
        vm.warp(OPENS_AT);
        assertTrue(address(polls) != address(first), "another contract");
        assertEq(pollId, 1, "the same id");
        _expectSkipped(polls, 1, _voter(0), 1, IPolls.SkipReason.SignatureInvalid);
        _submit(polls, 1, items);
        items.signatures = _sign(0, items.ballots[0]);
        _expectCredentialsInvalid(1);
        _submit(polls, 1, items);
        // With everything made for this contract it is accepted.
        items.credentials = BlsSigner.unpad(BlsSigner.multiply(_hashPoint(1, _voter(0)), sharedSecret));
        _submit(polls, 1, items);
        assertEq(polls.participants(1), 1, "its own ballot");
    }

    function test_ReplayOnAnotherChainIsRefused() public {
        Items memory items = _items(1);
        // Not `block.chainid`, which the optimizer would read again at the end.
        (,,, uint256 chain,,,) = polls.eip712Domain();
        vm.chainId(chain + 1);
        _expectSkipped(polls, pollId, _voter(0), 1, IPolls.SkipReason.SignatureInvalid);
        _submit(polls, pollId, items);
        Items memory there = _items(1);
        there.credentials = items.credentials;
        _expectCredentialsInvalid(pollId);
        _submit(polls, pollId, there);
        vm.chainId(chain);
        _submit(polls, pollId, items);
        assertEq(polls.participants(pollId), 1, "accepted on its own chain");
    }

    function test_ReplayOfASealedBallotOnAnotherChainIsRefused() public {
        _open(_sealed(IPolls.PollKind.Single), 100);
        IPolls.SealedBallot memory ballot = _seal(0, 1, 1);
        bytes memory signature = _sign(0, ballot);
        address[] memory accounts = _voters(0, 1);
        bytes memory credentials = _credentials(accounts);
        vm.chainId(block.chainid + 1);
        _expectSkipped(polls, pollId, _voter(0), 1, IPolls.SkipReason.SignatureInvalid);
        polls.castSealedBallots(pollId, accounts, _one(ballot), signature, credentials);
        assertEq(polls.participants(pollId), 0, "not cast");
    }

    /// @notice A signature under an open ballot is none under a sealed one with the same words, nor the other way round.
    function test_ReplayOfAnOpenBallotAsASealedOneIsRefused() public {
        _open(_sealed(IPolls.PollKind.Single), 100);
        address[] memory accounts = _voters(0, 1);
        bytes memory credentials = _credentials(accounts);
        bytes memory signature = _sign(0, IPolls.Ballot({version: 1, choice: 1}));
        IPolls.SealedBallot memory ballot =
            IPolls.SealedBallot({version: 1, point: bytes32(uint256(1)), maskedChoice: 0});
        _expectSkipped(polls, pollId, _voter(0), 1, IPolls.SkipReason.SignatureInvalid);
        polls.castSealedBallots(pollId, accounts, _one(ballot), signature, credentials);
        assertEq(polls.participants(pollId), 0, "not cast");
    }

    /// @notice Versions are counted for each poll: a high one in the first does not shut the account out of the second.
    function test_VersionsAreNotSharedBetweenPolls() public {
        _cast(0, type(uint32).max, 1);
        _open(_revotable(IPolls.PollKind.Single), 100);
        _cast(0, 1, 2);
        _recast(0, 2, 4);
        assertEq(polls.ballotOf(1, _voter(0)).choice, 1, "first poll");
        assertEq(polls.ballotOf(2, _voter(0)).choice, 4, "second poll");
    }

    // ---------------------------------------------------------------------------------------------
    // The sender
    // ---------------------------------------------------------------------------------------------

    /// @notice Who submits does not matter: neither the sender, nor an address appended to the calldata as forwarders do,
    /// nor being called by another contract makes a ballot somebody else's.
    function test_SenderCannotBeSpoofedBecauseItIsNotAsked() public {
        Items memory items = _items(1);
        bytes memory data = abi.encodeCall(
            polls.castBallots, (pollId, items.accounts, items.ballots, items.signatures, items.credentials)
        );
        vm.prank(stranger);
        (bool success,) = address(polls).call(bytes.concat(data, bytes20(_voter(5)), bytes20(clerk)));
        assertTrue(success, "accepted from anybody");
        assertEq(polls.participants(pollId), 1, "one ballot");
        assertEq(polls.ballotOf(pollId, _voter(0)).version, 1, "the signer's ballot");
        assertTrue(polls.ballotOf(pollId, _voter(5)).status == IPolls.BallotStatus.None, "not the appended account's");
        assertTrue(polls.ballotOf(pollId, stranger).status == IPolls.BallotStatus.None, "not the sender's");
        // An account that submits a ballot in its own name, unsigned, is like anybody else.
        items.accounts[0] = _voter(1);
        items.signatures = new bytes(64);
        items.credentials = _credential(_voter(1));
        _expectSkipped(polls, pollId, _voter(1), 1, IPolls.SkipReason.SignatureInvalid);
        vm.prank(_voter(1));
        _submit(polls, pollId, items);
    }

    /// @notice Staff act as themselves: an address appended to the calldata gives nobody a role.
    function test_RevertWhen_StaffIsSpoofedByAppendedAddress() public {
        bytes[3] memory calls = [
            abi.encodeCall(polls.cancelPoll, (pollId, bytes32(uint256(1)))),
            abi.encodeCall(polls.publishIssued, (pollId, 1_000)),
            abi.encodeCall(polls.createPoll, (_single(), _issuerKey(2)))
        ];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(stranger);
            (bool success, bytes memory result) =
                address(polls).call(bytes.concat(calls[i], bytes20(clerk), bytes20(issuer)));
            assertFalse(success, "refused");
            assertEq(
                result, abi.encodeWithSelector(IPolls.CallerLacksRole.selector, stranger, i == 1 ? 3 : 2), "reason"
            );
        }
    }

    /// @notice Somebody sees a batch on its way and submits a part of it first: the rest is not spoilt.
    function test_FrontRunningAnItemDoesNotSpoilTheBatch() public {
        Items memory items = _items(3);
        _cast(1, 1, 1);
        _submit(polls, pollId, items);
        assertEq(polls.participants(pollId), 3, "all three");
        assertEq(polls.results(pollId)[0], 3, "each once");
    }

    // ---------------------------------------------------------------------------------------------
    // Sealed ballots
    // ---------------------------------------------------------------------------------------------

    /// @notice Who copies a sealed choice, without knowing it, to vote the same has cast noise.
    function test_ACopiedSealedBallotIsNoise() public {
        _open(_sealed(IPolls.PollKind.Single), 100);
        IPolls.SealedBallot memory original = _seal(0, 1, 4);
        _castSealed(0, original);
        IPolls.SealedBallot memory copy = original;
        _castSealed(1, copy);
        // Under another version of one's own it is noise too.
        IPolls.SealedBallot memory later =
            IPolls.SealedBallot({version: 2, point: original.point, maskedChoice: original.maskedChoice});
        _castSealed(2, later);
        _close();
        _publishSecret();
        _openBallot(0, original);
        _openBallot(1, copy);
        _openBallot(2, later);
        assertEq(polls.poll(pollId).opened, 1, "opened");
        assertEq(polls.poll(pollId).spoilt, 2, "spoilt");
        assertEq(polls.results(pollId)[2], 1, "the original counts, the copies do not");
    }

    /// @notice The same copy in a poll of another id, had the trustees used their key twice elsewhere.
    function test_ASealedBallotForAnotherPollIsNoise() public {
        _open(_sealed(IPolls.PollKind.Single), 100);
        (uint256 secret,) = _evenPair(_sealingSecretOf(pollId));
        (uint256 r, bytes32 point) = _evenPair(77);
        bytes32 hash = keccak256(
            abi.encodePacked(address(polls), pollId + 1, _voter(0), uint32(1), vm.addr(mulmod(r, secret, SECP_ORDER)))
        );
        IPolls.SealedBallot memory ballot =
            IPolls.SealedBallot({version: 1, point: point, maskedChoice: 1 ^ uint128(bytes16(hash))});
        _castSealed(0, ballot);
        _close();
        _publishSecret();
        _openBallot(0, ballot);
        assertEq(polls.poll(pollId).spoilt, 1, "spoilt");
    }

    /// @notice Whoever opens has no say in what comes out: neither another choice nor spoiling by too little gas.
    function test_OpeningWithLittleGasCannotSpoilABallot() public {
        _open(_sealed(IPolls.PollKind.Single), 100);
        IPolls.SealedBallot memory ballot = _seal(0, 1, 4);
        _castSealed(0, ballot);
        _close();
        _publishSecret();
        bytes memory data = abi.encodeCall(polls.openBallots, (pollId, _voters(0, 1), _one(ballot)));
        bool opened = false;
        for (uint256 gas = 4_000; !opened; gas += 250) {
            (opened,) = address(polls).call{gas: gas}(data);
            IPolls.BallotStatus status = polls.ballotOf(pollId, _voter(0)).status;
            assertTrue(status == (opened ? IPolls.BallotStatus.Counted : IPolls.BallotStatus.Sealed), "all or nothing");
        }
        assertEq(polls.results(pollId)[2], 1, "counted");
        assertEq(polls.poll(pollId).spoilt, 0, "not spoilt");
    }

    /// @notice The secret of one poll opens no other.
    function test_RevertWhen_SecretIsOfAnotherPoll() public {
        _create(_sealed(IPolls.PollKind.Single));
        (uint256 secret,) = _evenPair(_sealingSecretOf(pollId));
        _create(_sealed(IPolls.PollKind.Single));
        _close();
        vm.expectRevert(abi.encodeWithSelector(IPolls.SealingSecretWrong.selector, pollId));
        polls.publishSealingSecret(pollId, secret);
    }
}
