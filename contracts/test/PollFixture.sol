// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Municipalities} from "../src/access/Municipalities.sol";
import {BlindCredential} from "../src/credential/BlindCredential.sol";
import {IssuerKeys} from "../src/credential/IssuerKeys.sol";
import {IMunicipalities} from "../src/interfaces/IMunicipalities.sol";
import {IPolls} from "../src/interfaces/IPolls.sol";
import {Polls} from "../src/polls/Polls.sol";
import {Assertions} from "./Assertions.sol";
import {BlsSigner} from "./BlsSigner.sol";
import {Vm} from "./Vm.sol";

/// @title A municipality with its people, and polls with voters and trustees whose keys are known
abstract contract PollFixture is Assertions {
    uint64 internal constant START = 1_800_000_000;
    uint64 internal constant OPENS_AT = START + 1 days;
    uint64 internal constant CLOSES_AT = START + 8 days;
    uint32 internal constant GRACE = 1 hours;
    /// @dev Order of secp256k1.
    uint256 internal constant SECP_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    address internal operator = _named("operator");
    address internal clerk = _named("clerk");
    address internal issuer = _named("issuer");
    address internal stranger = _named("stranger");

    Municipalities internal municipalities;
    IssuerKeys internal issuerKeys;
    Polls internal polls;
    uint32 internal municipalityId;
    /// @dev The poll at hand.
    uint256 internal pollId;

    function setUp() public virtual {
        vm.warp(START);
        municipalities = new Municipalities(operator);
        address[] memory verifiers = new address[](1);
        verifiers[0] = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        issuerKeys = new IssuerKeys(address(municipalities), verifiers);
        polls = new Polls(address(municipalities), address(issuerKeys));
        vm.prank(operator);
        municipalityId = municipalities.admit("66401000", unicode"Тагил");
        _grant(IMunicipalities.Role.Clerk, clerk);
        _grant(IMunicipalities.Role.Issuer, issuer);
    }

    function _named(string memory name) internal pure returns (address) {
        return address(uint160(uint256(keccak256(bytes(name)))));
    }

    function _grant(IMunicipalities.Role role, address account) internal {
        vm.prank(operator);
        municipalities.grantRole(municipalityId, role, account, START, START + 365 days, keccak256("application"));
    }

    function _pause() internal {
        vm.prank(operator);
        municipalities.pause(keccak256("reason"));
    }

    // ---------------------------------------------------------------------------------------------
    // Polls
    // ---------------------------------------------------------------------------------------------

    /// @dev Five options, of which Multiple allows three; open, without re-vote.
    function _config(IPolls.PollKind kind) internal view returns (IPolls.PollConfig memory) {
        return IPolls.PollConfig({
            municipalityId: municipalityId,
            kind: kind,
            optionCount: 5,
            maxChoices: kind == IPolls.PollKind.Single ? 1 : kind == IPolls.PollKind.Multiple ? 3 : 0,
            revote: false,
            opensAt: OPENS_AT,
            closesAt: CLOSES_AT,
            grace: GRACE,
            contentHash: keccak256("poll"),
            sealingKey: 0
        });
    }

    function _single() internal view returns (IPolls.PollConfig memory) {
        return _config(IPolls.PollKind.Single);
    }

    function _revotable(IPolls.PollKind kind) internal view returns (IPolls.PollConfig memory config) {
        config = _config(kind);
        config.revote = true;
    }

    /// @dev A sealed poll with re-vote.
    function _sealed(IPolls.PollKind kind) internal returns (IPolls.PollConfig memory config) {
        config = _revotable(kind);
        (, config.sealingKey) = _evenPair(_sealingSecretOf(polls.pollCount() + 1));
    }

    /// @dev Creates a poll and makes it the one at hand.
    function _create(IPolls.PollConfig memory config) internal {
        bytes memory key = _issuerKey(polls.pollCount() + 1);
        vm.prank(clerk);
        pollId = polls.createPoll(config, key);
    }

    /// @dev A poll that is open, with so many credentials published.
    function _open(IPolls.PollConfig memory config, uint32 issued) internal {
        _create(config);
        if (issued != 0) _publishIssued(issued);
        vm.warp(OPENS_AT);
    }

    function _publishIssued(uint32 issued) internal {
        vm.prank(issuer);
        polls.publishIssued(pollId, issued);
    }

    function _close() internal {
        vm.warp(CLOSES_AT + GRACE);
    }

    function _issuerSecret(uint256 id) internal view returns (uint256) {
        return uint256(keccak256(abi.encode("issuer", address(polls), id))) >> 4;
    }

    function _issuerKey(uint256 id) internal view returns (bytes memory) {
        return BlsSigner.publicKey(_issuerSecret(id));
    }

    // ---------------------------------------------------------------------------------------------
    // Voters
    // ---------------------------------------------------------------------------------------------

    function _voterSecret(uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("voter", index))) >> 4;
    }

    function _voter(uint256 index) internal pure returns (address) {
        return vm.addr(_voterSecret(index));
    }

    function _voters(uint256 first, uint256 count) internal pure returns (address[] memory accounts) {
        accounts = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = _voter(first + i);
        }
    }

    function _hashPoint(uint256 id, address account) internal view returns (bytes memory) {
        return BlindCredential.hashToG1(BlindCredential.Scope({verifier: address(polls), id: id, class: 0}), account);
    }

    /// @dev The account's credential for the poll at hand.
    function _credential(address account) internal view returns (bytes memory) {
        return BlsSigner.unpad(BlsSigner.multiply(_hashPoint(pollId, account), _issuerSecret(pollId)));
    }

    function _credentials(address[] memory accounts) internal view returns (bytes memory credentials) {
        credentials = new bytes(96 * accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            _copy(_credential(accounts[i]), credentials, 96 * i);
        }
    }

    /// @dev EIP-712, written down a second time, independently of the contract.
    function _typed(address contract_, bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Kopilka"),
                keccak256("1"),
                block.chainid,
                contract_
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function _digest(address contract_, uint256 id, address account, IPolls.Ballot memory ballot)
        internal
        view
        returns (bytes32)
    {
        bytes32 typehash = keccak256("Ballot(uint256 pollId,address account,uint32 version,uint128 choice)");
        return _typed(contract_, keccak256(abi.encode(typehash, id, account, ballot.version, ballot.choice)));
    }

    function _digest(address contract_, uint256 id, address account, IPolls.SealedBallot memory ballot)
        internal
        view
        returns (bytes32)
    {
        bytes32 typehash = keccak256(
            "SealedBallot(uint256 pollId,address account,uint32 version,bytes32 point,uint128 maskedChoice)"
        );
        return _typed(
            contract_, keccak256(abi.encode(typehash, id, account, ballot.version, ballot.point, ballot.maskedChoice))
        );
    }

    function _signature(uint256 voter, bytes32 digest) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(_voterSecret(voter), digest);
        return abi.encodePacked(r, vs);
    }

    function _sign(uint256 voter, IPolls.Ballot memory ballot) internal view returns (bytes memory) {
        return _signature(voter, _digest(address(polls), pollId, _voter(voter), ballot));
    }

    function _sign(uint256 voter, IPolls.SealedBallot memory ballot) internal view returns (bytes memory) {
        return _signature(voter, _digest(address(polls), pollId, _voter(voter), ballot));
    }

    /// @dev The first ballot of a voter.
    function _cast(uint256 voter, uint32 version, uint128 choice) internal {
        address[] memory accounts = _voters(voter, 1);
        IPolls.Ballot[] memory ballots = _ballots(version, choice);
        polls.castBallots(pollId, accounts, ballots, _sign(voter, ballots[0]), _credentials(accounts));
    }

    /// @dev Another ballot of a voter, without a credential.
    function _recast(uint256 voter, uint32 version, uint128 choice) internal {
        IPolls.Ballot[] memory ballots = _ballots(version, choice);
        polls.castBallots(pollId, _voters(voter, 1), ballots, _sign(voter, ballots[0]), "");
    }

    function _ballots(uint32 version, uint128 choice) internal pure returns (IPolls.Ballot[] memory ballots) {
        ballots = new IPolls.Ballot[](1);
        ballots[0] = IPolls.Ballot({version: version, choice: choice});
    }

    // ---------------------------------------------------------------------------------------------
    // Sealed ballots
    // ---------------------------------------------------------------------------------------------

    function _sealingSecretOf(uint256 id) internal view returns (uint256) {
        return uint256(keccak256(abi.encode("trustees", address(polls), id)));
    }

    /// @dev The scalar or its negative, whichever gives a point with an even y, and the x of that point.
    function _evenPair(uint256 seed) internal returns (uint256 scalar, bytes32 x) {
        scalar = bound(seed, 1, SECP_ORDER - 1);
        Vm.Wallet memory wallet = vm.createWallet(scalar);
        if (wallet.publicKeyY % 2 == 1) scalar = SECP_ORDER - scalar;
        return (scalar, bytes32(wallet.publicKeyX));
    }

    /// @dev Seals as a browser does, without the contract's code: the shared point is r·secret·G, whose address the cheat
    /// codes tell.
    function _seal(uint256 voter, uint32 version, uint128 choice) internal returns (IPolls.SealedBallot memory) {
        return _sealFor(pollId, _voter(voter), version, choice);
    }

    function _sealFor(uint256 id, address account, uint32 version, uint128 choice)
        internal
        returns (IPolls.SealedBallot memory)
    {
        (uint256 secret,) = _evenPair(_sealingSecretOf(id));
        (uint256 r, bytes32 point) = _evenPair(uint256(keccak256(abi.encode("r", id, account, version))));
        address shared = vm.addr(mulmod(r, secret, SECP_ORDER));
        bytes32 hash = keccak256(abi.encodePacked(address(polls), id, account, version, shared));
        return IPolls.SealedBallot({version: version, point: point, maskedChoice: choice ^ uint128(bytes16(hash))});
    }

    function _castSealed(uint256 voter, IPolls.SealedBallot memory ballot) internal {
        address[] memory accounts = _voters(voter, 1);
        IPolls.SealedBallot[] memory ballots = _one(ballot);
        polls.castSealedBallots(pollId, accounts, ballots, _sign(voter, ballot), _credentials(accounts));
    }

    function _castSealed(uint256 voter, uint32 version, uint128 choice) internal {
        _castSealed(voter, _seal(voter, version, choice));
    }

    function _one(IPolls.SealedBallot memory ballot) internal pure returns (IPolls.SealedBallot[] memory ballots) {
        ballots = new IPolls.SealedBallot[](1);
        ballots[0] = ballot;
    }

    function _publishSecret() internal {
        (uint256 secret,) = _evenPair(_sealingSecretOf(pollId));
        polls.publishSealingSecret(pollId, secret);
    }

    function _openBallot(uint256 voter, IPolls.SealedBallot memory ballot) internal {
        polls.openBallots(pollId, _voters(voter, 1), _one(ballot));
    }

    // ---------------------------------------------------------------------------------------------
    // Small things
    // ---------------------------------------------------------------------------------------------

    function _copy(bytes memory from, bytes memory to, uint256 position) internal pure {
        uint256 length = from.length;
        assembly ("memory-safe") {
            mcopy(add(add(to, 32), position), add(from, 32), length)
        }
    }

    /// @dev Grades 0 to 5 of five options.
    function _grades(uint128 a, uint128 b, uint128 c, uint128 d, uint128 e) internal pure returns (uint128) {
        return a | b << 4 | c << 8 | d << 12 | e << 16;
    }
}
