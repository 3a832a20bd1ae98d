// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Municipalities} from "../src/access/Municipalities.sol";
import {BudgetRound} from "../src/budget/BudgetRound.sol";
import {BudgetRounds} from "../src/budget/BudgetRounds.sol";
import {BudgetToken} from "../src/budget/BudgetToken.sol";
import {Milestones} from "../src/budget/Milestones.sol";
import {BlindCredential} from "../src/credential/BlindCredential.sol";
import {IssuerKeys} from "../src/credential/IssuerKeys.sol";
import {IBudgetRound} from "../src/interfaces/IBudgetRound.sol";
import {IBudgetToken} from "../src/interfaces/IBudgetToken.sol";
import {IMunicipalities} from "../src/interfaces/IMunicipalities.sol";
import {Assertions} from "./Assertions.sol";
import {BlsSigner} from "./BlsSigner.sol";

/// @title A municipality with its people, and rounds with citizens whose keys are known
abstract contract RoundFixture is Assertions {
    uint64 internal constant START = 1_800_000_000;
    uint64 internal constant REGISTRATION_UNTIL = START + 10 days;
    uint64 internal constant PLEDGING_UNTIL = START + 20 days;
    uint64 internal constant CLOSING_GRACE = 1 days;
    uint32 internal constant OBJECTION_PERIOD = 3 days;
    uint128 internal constant APPROPRIATION = 1_000_000_00;

    address internal operator = _named("operator");
    address internal treasurer = _named("treasurer");
    address internal clerk = _named("clerk");
    address internal controller = _named("controller");
    address internal issuer = _named("issuer");
    address internal stranger = _named("stranger");

    Municipalities internal municipalities;
    IssuerKeys internal issuerKeys;
    BudgetRounds internal rounds;
    Milestones internal milestones;
    uint32 internal municipalityId;
    /// @dev The round at hand, and its token.
    BudgetRound internal round;
    BudgetToken internal token;

    function setUp() public virtual {
        vm.warp(START);
        municipalities = new Municipalities(operator);
        address[] memory verifiers = new address[](1);
        verifiers[0] = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 3);
        issuerKeys = new IssuerKeys(address(municipalities), verifiers);
        address roundImplementation = address(new BudgetRound());
        address tokenImplementation = address(new BudgetToken());
        rounds =
            new BudgetRounds(address(municipalities), address(issuerKeys), roundImplementation, tokenImplementation);
        milestones = new Milestones(address(municipalities), address(rounds));
        vm.prank(operator);
        municipalityId = municipalities.admit("66401000", unicode"Тагил");
        _grant(IMunicipalities.Role.Treasurer, treasurer);
        _grant(IMunicipalities.Role.Clerk, clerk);
        _grant(IMunicipalities.Role.Issuer, issuer);
        _grant(IMunicipalities.Role.Controller, controller);
    }

    function _named(string memory name) internal pure returns (address) {
        return address(uint160(uint256(keccak256(bytes(name)))));
    }

    function _grant(IMunicipalities.Role role, address account) internal {
        vm.prank(operator);
        municipalities.grantRole(municipalityId, role, account, START, START + 365 days, keccak256("application"));
    }

    function _revoke(IMunicipalities.Role role, address account) internal {
        vm.prank(operator);
        municipalities.revokeRole(municipalityId, role, account);
    }

    function _pause() internal {
        vm.prank(operator);
        municipalities.pause(keccak256("reason"));
    }

    function _unpause() internal {
        vm.prank(operator);
        municipalities.unpause();
    }

    /// @dev The operator hands the register over; the new owner accepts.
    function _handOver(address newOwner) internal {
        vm.prank(municipalities.owner());
        municipalities.transferOwnership(newOwner);
        vm.prank(newOwner);
        municipalities.acceptOwnership();
    }

    // ---------------------------------------------------------------------------------------------
    // Rounds
    // ---------------------------------------------------------------------------------------------

    function _config(IBudgetRound.BallotKind ballotKind, IBudgetRound.Allotment allotment)
        internal
        view
        returns (IBudgetRound.RoundConfig memory)
    {
        return IBudgetRound.RoundConfig({
            municipalityId: municipalityId,
            ballotKind: ballotKind,
            allotment: allotment,
            rule: IBudgetRound.Rule.EqualShares,
            completionRaise: true,
            completionFill: true,
            sharePoints: ballotKind == IBudgetRound.BallotKind.Cumulative ? 100 : 0,
            threshold: 0,
            fixedAmount: allotment == IBudgetRound.Allotment.Fixed ? 1_000_00 : 0,
            registrationUntil: REGISTRATION_UNTIL,
            pledgingUntil: PLEDGING_UNTIL,
            objectionPeriod: OBJECTION_PERIOD,
            contentHash: keccak256("round")
        });
    }

    function _cumulative() internal view returns (IBudgetRound.RoundConfig memory) {
        return _config(IBudgetRound.BallotKind.Cumulative, IBudgetRound.Allotment.Equal);
    }

    function _approval() internal view returns (IBudgetRound.RoundConfig memory) {
        return _config(IBudgetRound.BallotKind.Approval, IBudgetRound.Allotment.Equal);
    }

    function _appropriation() internal pure returns (IBudgetToken.Appropriation memory) {
        return IBudgetToken.Appropriation({
            amount: APPROPRIATION,
            fiscalYear: 2027,
            kbk: "90405030000000000244",
            documentHash: keccak256("decision"),
            documentURI: "https://example.org/decision.pdf"
        });
    }

    /// @dev Creates a round and makes it the one at hand.
    function _create(IBudgetRound.RoundConfig memory config) internal {
        vm.prank(clerk);
        (, address round_, address token_) = rounds.createRound(config, _appropriation(), unicode"Бюджет", "BUD");
        round = BudgetRound(round_);
        token = BudgetToken(token_);
    }

    /// @dev Creates a round with classes 0, 1, ... of the given weights and initiatives of cost 100 000, 110 000, ...
    /// rubles.
    function _createWith(IBudgetRound.RoundConfig memory config, uint256 classes, uint256 initiatives) internal {
        _create(config);
        for (uint256 class = 0; class < classes; ++class) {
            _addClass(uint32(class + 1));
        }
        for (uint256 i = 0; i < initiatives; ++i) {
            vm.prank(clerk);
            round.addInitiative(uint128(100_000_00 + i * 10_000_00), keccak256(abi.encode("initiative", i)));
        }
    }

    function _addClass(uint32 weight) internal returns (uint8 class) {
        class = round.classCount();
        bytes memory key = BlsSigner.publicKey(_secretOf(class));
        vm.prank(clerk);
        assertEq(round.addClass(weight, key), class, "classes count from 0");
    }

    /// @dev The issuer's secret for a class of the round at hand.
    function _secretOf(uint8 class) internal view returns (uint256) {
        return uint256(keccak256(abi.encode("issuer", address(round), class))) >> 4;
    }

    function _proposeMint(uint256 amount) internal returns (uint256 mintId) {
        vm.prank(treasurer);
        return token.proposeMint(amount, keccak256("order"));
    }

    function _approveMint(uint256 mintId, uint256 amount) internal {
        vm.prank(controller);
        token.approveMint(mintId, amount, keccak256("order"));
    }

    /// @dev Proposed by the treasurer, approved by the controller.
    function _mint(uint256 amount) internal {
        _approveMint(_proposeMint(amount), amount);
    }

    function _openRegistration() internal {
        vm.prank(clerk);
        round.openRegistration();
    }

    function _publishIssued() internal {
        for (uint8 class = 0; class < round.classCount(); ++class) {
            IBudgetRound.ClassInfo memory info = round.classInfo(class);
            if (info.registered <= info.issued) continue;
            vm.prank(issuer);
            round.publishIssued(class, info.registered);
        }
    }

    function _openPledging() internal {
        _publishIssued();
        vm.warp(REGISTRATION_UNTIL);
        vm.prank(clerk);
        round.openPledging();
    }

    function _closePledging() internal {
        if (round.config().allotment == IBudgetRound.Allotment.Fixed) _publishIssued();
        vm.warp(PLEDGING_UNTIL);
        vm.prank(clerk);
        round.closePledging();
    }

    function _propose(uint16[] memory winners) internal {
        vm.prank(clerk);
        round.proposeSettlement(winners, keccak256("transcript"));
    }

    function _approve(uint16[] memory winners) internal {
        vm.prank(controller);
        round.approveSettlement(winners, keccak256("transcript"));
    }

    /// @dev Proposed by the clerk, approved by the controller, final by anybody.
    function _settle(uint16[] memory winners) internal {
        _propose(winners);
        _approve(winners);
        vm.warp(block.timestamp + OBJECTION_PERIOD);
        round.finalizeSettlement();
    }

    /// @dev A round in Pledging: `count` citizens of class 0, `initiatives` initiatives, the whole appropriation
    /// minted.
    function _pledgingWith(IBudgetRound.RoundConfig memory config, uint256 count, uint256 initiatives) internal {
        _createWith(config, 1, initiatives);
        _mint(APPROPRIATION);
        _openRegistration();
        if (count != 0) _register(0, 0, count);
        _openPledging();
    }

    // ---------------------------------------------------------------------------------------------
    // Citizens
    // ---------------------------------------------------------------------------------------------

    function _citizenSecret(uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("citizen", index))) >> 4;
    }

    function _citizen(uint256 index) internal pure returns (address) {
        return vm.addr(_citizenSecret(index));
    }

    function _scope(uint8 class) internal view returns (BlindCredential.Scope memory) {
        return BlindCredential.Scope({verifier: address(round), id: round.roundId(), class: class});
    }

    function _hashPoint(uint8 class, address account) internal view returns (bytes memory) {
        return BlindCredential.hashToG1(_scope(class), account);
    }

    function _credential(uint8 class, address account) internal view virtual returns (bytes memory) {
        return BlsSigner.unpad(BlsSigner.multiply(_hashPoint(class, account), _secretOf(class)));
    }

    function _accounts(uint256 first, uint256 count) internal pure returns (address[] memory accounts) {
        accounts = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = _citizen(first + i);
        }
    }

    function _credentials(uint8 class, address[] memory accounts) internal view returns (bytes memory signatures) {
        signatures = new bytes(96 * accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            _copy(_credential(class, accounts[i]), signatures, 96 * i);
        }
    }

    /// @dev Registers citizens `first`, ..., `first + count - 1`.
    function _register(uint8 class, uint256 first, uint256 count) internal {
        address[] memory accounts = _accounts(first, count);
        round.register(class, accounts, _credentials(class, accounts));
    }

    function _allocation(uint256 citizen, uint32 version, uint16[] memory initiatives, uint16[] memory points)
        internal
        pure
        returns (IBudgetRound.Allocation memory)
    {
        return IBudgetRound.Allocation({
            account: _citizen(citizen), version: version, initiatives: initiatives, points: points
        });
    }

    function _sign(uint256 citizen, IBudgetRound.Allocation memory allocation) internal view returns (bytes memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(_citizenSecret(citizen), _digest(allocation));
        return abi.encodePacked(r, vs);
    }

    /// @dev EIP-712, written down a second time, independently of the contract.
    function _digest(IBudgetRound.Allocation memory allocation) internal view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Kopilka"),
                keccak256("1"),
                block.chainid,
                address(round)
            )
        );
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Allocation(address account,uint32 version,uint16[] initiatives,uint16[] points)"),
                allocation.account,
                allocation.version,
                keccak256(abi.encodePacked(allocation.initiatives)),
                keccak256(abi.encodePacked(allocation.points))
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    /// @dev Signs and submits one allocation of a citizen.
    function _allocate(uint256 citizen, uint32 version, uint16[] memory initiatives, uint16[] memory points) internal {
        IBudgetRound.Allocation[] memory batch = new IBudgetRound.Allocation[](1);
        batch[0] = _allocation(citizen, version, initiatives, points);
        round.allocate(batch, _sign(citizen, batch[0]));
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

    function _list() internal pure returns (uint16[] memory) {
        return new uint16[](0);
    }

    function _list(uint16 a) internal pure returns (uint16[] memory list) {
        list = new uint16[](1);
        list[0] = a;
    }

    function _list(uint16 a, uint16 b) internal pure returns (uint16[] memory list) {
        list = new uint16[](2);
        (list[0], list[1]) = (a, b);
    }

    function _list(uint16 a, uint16 b, uint16 c) internal pure returns (uint16[] memory list) {
        list = new uint16[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    /// @dev `first`, `first + step`, ...
    function _series(uint256 first, uint256 step, uint256 count) internal pure returns (uint16[] memory list) {
        list = new uint16[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = uint16(first + i * step);
        }
    }

    function _wallet(uint16 id) internal view returns (address) {
        return round.walletOf(id);
    }

    function _inWallet(uint16 id) internal view returns (uint256) {
        return token.balanceOf(round.walletOf(id));
    }
}
