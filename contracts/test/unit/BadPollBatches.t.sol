// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IPolls} from "../../src/interfaces/IPolls.sol";
import {PollFixture} from "../PollFixture.sol";
import {BatchWatch} from "../BatchWatch.sol";

/// @title Ballots and their opening
/// forge-config: default.isolate = true
contract BadPollBatchesTest is PollFixture, BatchWatch {
    uint32 private constant MANY = 100_000;

    function _watched() internal view override returns (address[] memory list) {
        list = new address[](3);
        (list[0], list[1], list[2]) = (address(polls), address(issuerKeys), address(municipalities));
    }

    // ---------------------------------------------------------------------------------------------
    // Open ballots
    // ---------------------------------------------------------------------------------------------

    /// @dev Ballots of voters `first`, ..., signed by voters `signer`, ...
    function _castData(uint256 first, uint32 version, uint128 choice, uint256 signer, bool credentials)
        private
        view
        returns (bytes memory)
    {
        address[] memory accounts = _voters(first, COUNT);
        IPolls.Ballot[] memory ballots = new IPolls.Ballot[](COUNT);
        bytes memory signatures = new bytes(64 * COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            ballots[i] = IPolls.Ballot({version: version, choice: choice == 0 ? uint128(1 << i % 5) : choice});
            bytes32 digest = _digest(address(polls), pollId, accounts[i], ballots[i]);
            _copy(_signature(signer + i, digest), signatures, 64 * i);
        }
        return abi.encodeCall(
            polls.castBallots, (pollId, accounts, ballots, signatures, credentials ? _credentials(accounts) : bytes(""))
        );
    }

    function _assertBallotsSkipped(bytes memory data, uint256 first, IPolls.SkipReason reason, uint256 good) private {
        _assertAllSkipped(
            Bad({
                target: address(polls),
                data: data,
                topic: IPolls.BallotSkipped.selector,
                accountTopic: 2,
                accounts: _voters(first, COUNT),
                reason: uint8(reason)
            }),
            good
        );
    }

    function _accepted(bytes memory data) private {
        (bool success,) = address(polls).call(data);
        assertTrue(success, "accepted");
        assertEq(polls.participants(pollId), COUNT, "accepted");
    }

    function test_CastingWithoutCredentialsChangesNothing() public {
        _open(_single(), MANY);
        uint256 good = _good(address(polls), _castData(0, 1, 0, 0, true));
        _assertBallotsSkipped(_castData(0, 1, 0, 0, false), 0, IPolls.SkipReason.CredentialMissing, good);
    }

    function test_CastingBeyondTheIssuedChangesNothing() public {
        _open(_single(), 0);
        bytes memory data = _castData(0, 1, 0, 0, true);
        uint256 snapshot = vm.snapshotState();
        _publishIssued(MANY);
        uint256 good = _good(address(polls), data);
        vm.revertToState(snapshot);
        _assertBallotsSkipped(data, 0, IPolls.SkipReason.IssuedReached, good);
    }

    function test_CastingAgainWithoutRevoteChangesNothing() public {
        _open(_single(), MANY);
        _accepted(_castData(0, 1, 0, 0, true));
        uint256 good = _good(address(polls), _castData(COUNT, 1, 0, COUNT, true));
        _assertBallotsSkipped(_castData(0, 2, 2, 0, true), 0, IPolls.SkipReason.RevoteForbidden, good);
        _assertBallotsSkipped(_castData(0, 1, 0, 0, false), 0, IPolls.SkipReason.RevoteForbidden, good);
    }

    function test_CastingWithoutAHigherVersionChangesNothing() public {
        IPolls.SkipReason reason = IPolls.SkipReason.VersionNotHigher;
        _open(_revotable(IPolls.PollKind.Single), MANY);
        uint256 good = _good(address(polls), _castData(0, 2, 0, 0, true));
        _assertBallotsSkipped(_castData(0, 0, 0, 0, true), 0, reason, good);
        _accepted(_castData(0, 2, 0, 0, true));
        good = _good(address(polls), _castData(0, 3, 2, 0, false));
        _assertBallotsSkipped(_castData(0, 2, 2, 0, false), 0, reason, good);
        _assertBallotsSkipped(_castData(0, 1, 2, 0, false), 0, reason, good);
    }

    function test_CastingMalformedChoicesChangesNothing() public {
        IPolls.SkipReason reason = IPolls.SkipReason.ChoiceMalformed;
        _open(_single(), MANY);
        uint256 good = _good(address(polls), _castData(0, 1, 0, 0, true));
        // Two options, and one that there is not.
        _assertBallotsSkipped(_castData(0, 1, 3, 0, true), 0, reason, good);
        _assertBallotsSkipped(_castData(0, 1, 32, 0, true), 0, reason, good);
    }

    function test_CastingWithWrongSignaturesChangesNothing() public {
        _open(_single(), MANY);
        uint256 good = _good(address(polls), _castData(0, 1, 0, 0, true));
        _assertBallotsSkipped(_castData(0, 1, 0, 1, true), 0, IPolls.SkipReason.SignatureInvalid, good);
    }

    /// @notice One bad credential among good ones, wherever it stands and whatever is bad about it.
    function test_RevertWhen_OneBallotOfManyHasABadCredential() public {
        _open(_single(), MANY);
        bytes memory data = _castData(0, 1, 0, 0, true);
        uint256 good = _good(address(polls), data);
        bytes memory error_ = abi.encodeWithSelector(IPolls.CredentialsInvalid.selector, pollId);
        bytes[5] memory points = _badPoints(_credential(stranger));
        uint256[5] memory places = [uint256(0), 1, COUNT / 2, COUNT - 2, COUNT - 1];
        // The credentials stand at the end.
        uint256 start = data.length - 96 * COUNT;
        for (uint256 i = 0; i < 5; ++i) {
            bytes memory bad = bytes.concat(data);
            for (uint256 j = 0; j < 96; ++j) {
                bad[start + 96 * places[i] + j] = points[i][j];
            }
            _assertRefused(address(polls), bad, error_, good);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Sealed ballots
    // ---------------------------------------------------------------------------------------------

    function _sealedBallots(uint256 first, uint32 version) private returns (IPolls.SealedBallot[] memory ballots) {
        ballots = new IPolls.SealedBallot[](COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            ballots[i] = _seal(first + i, version, uint128(1 << i % 5));
        }
    }

    function _castSealedData(uint256 first, uint32 version, uint256 signer, bool credentials)
        private
        returns (bytes memory)
    {
        address[] memory accounts = _voters(first, COUNT);
        IPolls.SealedBallot[] memory ballots = _sealedBallots(first, version);
        bytes memory signatures = new bytes(64 * COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            bytes32 digest = _digest(address(polls), pollId, accounts[i], ballots[i]);
            _copy(_signature(signer + i, digest), signatures, 64 * i);
        }
        return abi.encodeCall(
            polls.castSealedBallots,
            (pollId, accounts, ballots, signatures, credentials ? _credentials(accounts) : bytes(""))
        );
    }

    function test_CastingSealedWithoutCredentialsChangesNothing() public {
        _open(_sealed(IPolls.PollKind.Single), MANY);
        uint256 good = _good(address(polls), _castSealedData(0, 1, 0, true));
        _assertBallotsSkipped(_castSealedData(0, 1, 0, false), 0, IPolls.SkipReason.CredentialMissing, good);
    }

    function test_CastingSealedBeyondTheIssuedChangesNothing() public {
        _open(_sealed(IPolls.PollKind.Single), 0);
        bytes memory data = _castSealedData(0, 1, 0, true);
        uint256 snapshot = vm.snapshotState();
        _publishIssued(MANY);
        uint256 good = _good(address(polls), data);
        vm.revertToState(snapshot);
        _assertBallotsSkipped(data, 0, IPolls.SkipReason.IssuedReached, good);
    }

    function test_CastingSealedAgainWithoutRevoteChangesNothing() public {
        IPolls.PollConfig memory config = _sealed(IPolls.PollKind.Single);
        config.revote = false;
        _open(config, MANY);
        _accepted(_castSealedData(0, 1, 0, true));
        uint256 good = _good(address(polls), _castSealedData(COUNT, 1, COUNT, true));
        _assertBallotsSkipped(_castSealedData(0, 2, 0, true), 0, IPolls.SkipReason.RevoteForbidden, good);
    }

    function test_CastingSealedWithoutAHigherVersionChangesNothing() public {
        IPolls.SkipReason reason = IPolls.SkipReason.VersionNotHigher;
        _open(_sealed(IPolls.PollKind.Single), MANY);
        uint256 good = _good(address(polls), _castSealedData(0, 2, 0, true));
        _assertBallotsSkipped(_castSealedData(0, 0, 0, true), 0, reason, good);
        _accepted(_castSealedData(0, 2, 0, true));
        good = _good(address(polls), _castSealedData(0, 3, 0, false));
        _assertBallotsSkipped(_castSealedData(0, 2, 0, false), 0, reason, good);
        _assertBallotsSkipped(_castSealedData(0, 1, 0, false), 0, reason, good);
    }

    function test_CastingSealedWithWrongSignaturesChangesNothing() public {
        _open(_sealed(IPolls.PollKind.Single), MANY);
        uint256 good = _good(address(polls), _castSealedData(0, 1, 0, true));
        _assertBallotsSkipped(_castSealedData(0, 1, 1, true), 0, IPolls.SkipReason.SignatureInvalid, good);
    }

    // ---------------------------------------------------------------------------------------------
    // Opening
    // ---------------------------------------------------------------------------------------------

    function _assertOpeningsSkipped(
        uint256 first,
        IPolls.SealedBallot[] memory ballots,
        IPolls.SkipReason reason,
        uint256 good
    ) private {
        address[] memory accounts = _voters(first, COUNT);
        _assertAllSkipped(
            Bad({
                target: address(polls),
                data: abi.encodeCall(polls.openBallots, (pollId, accounts, ballots)),
                topic: IPolls.OpeningSkipped.selector,
                accountTopic: 2,
                accounts: accounts,
                reason: uint8(reason)
            }),
            good
        );
    }

    /// @dev Every voter's ballot is sealed, and the secret is known.
    function _readyToOpen() private returns (IPolls.SealedBallot[] memory ballots, bytes memory data) {
        _open(_sealed(IPolls.PollKind.Single), MANY);
        _accepted(_castSealedData(0, 1, 0, true));
        _close();
        _publishSecret();
        ballots = _sealedBallots(0, 1);
        data = abi.encodeCall(polls.openBallots, (pollId, _voters(0, COUNT), ballots));
    }

    function test_OpeningWhatIsNotSealedChangesNothing() public {
        (IPolls.SealedBallot[] memory ballots, bytes memory data) = _readyToOpen();
        uint256 good = _good(address(polls), data);
        // Nobody's ballots.
        _assertOpeningsSkipped(COUNT, _sealedBallots(COUNT, 1), IPolls.SkipReason.NotSealed, good);
        // Ballots that are open already.
        (bool success,) = address(polls).call(data);
        assertTrue(success, "opened");
        _assertOpeningsSkipped(0, ballots, IPolls.SkipReason.NotSealed, good);
    }

    function test_OpeningWithOtherWordsChangesNothing() public {
        (IPolls.SealedBallot[] memory ballots, bytes memory data) = _readyToOpen();
        uint256 good = _good(address(polls), data);
        for (uint256 i = 0; i < COUNT; ++i) {
            ballots[i].maskedChoice ^= 1;
        }
        _assertOpeningsSkipped(0, ballots, IPolls.SkipReason.SealMismatch, good);
        // Another version of the same voter, never cast.
        _assertOpeningsSkipped(0, _sealedBallots(0, 2), IPolls.SkipReason.SealMismatch, good);
    }
}
