// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Municipalities} from "../src/access/Municipalities.sol";
import {BudgetRounds} from "../src/budget/BudgetRounds.sol";
import {BlindCredential} from "../src/credential/BlindCredential.sol";
import {IssuerKeys} from "../src/credential/IssuerKeys.sol";
import {IMunicipalities} from "../src/interfaces/IMunicipalities.sol";
import {IRewardShop} from "../src/interfaces/IRewardShop.sol";
import {RewardPoints} from "../src/rewards/RewardPoints.sol";
import {RewardShop} from "../src/rewards/RewardShop.sol";
import {Assertions} from "./Assertions.sol";
import {BlsSigner} from "./BlsSigner.sol";
import {RewardTurnout} from "./mocks/RewardTurnout.sol";

/// @title Points, a shop and their people
abstract contract RewardFixture is Assertions {
    uint64 internal constant START = 1_800_000_000;
    uint64 internal constant SEASON_END = START + 100 days;
    uint40 internal constant VALID_FROM = uint40(START) + 1 days;
    uint40 internal constant VALID_UNTIL = uint40(START) + 50 days;
    uint32 internal constant COLLECT_PERIOD = 14 days;
    uint32 internal constant POINTS = 10;
    uint32 internal constant PRICE = 25;
    bytes32 internal constant CONTENT = keccak256("two theatre tickets");

    address internal operator = _named("operator");
    address internal clerk = _named("clerk");
    address internal partner = _named("partner");
    address internal stranger = _named("stranger");

    Municipalities internal municipalities;
    IssuerKeys internal issuerKeys;
    BudgetRounds internal rounds;
    RewardTurnout internal turnout;
    RewardPoints internal points;
    RewardShop internal shop;
    uint32 internal municipalityId;

    function setUp() public virtual {
        vm.warp(START);
        municipalities = new Municipalities(operator);
        address[] memory verifiers = new address[](3);
        uint64 nonce = vm.getNonce(address(this));
        for (uint64 i = 0; i < 3; ++i) {
            verifiers[i] = vm.computeCreateAddress(address(this), nonce + 1 + i);
        }
        issuerKeys = new IssuerKeys(address(municipalities), verifiers);
        rounds = new BudgetRounds(address(municipalities), address(issuerKeys), address(0), address(0));
        turnout = new RewardTurnout();
        points = _newPoints();
        shop = _newShop();
        municipalityId = _admitted("66401000");
        _grant(IMunicipalities.Role.Clerk, clerk);
        _grant(IMunicipalities.Role.Partner, partner);
    }

    /// @dev The shop comes right after.
    function _newPoints() internal returns (RewardPoints) {
        address shop_ = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        return new RewardPoints(address(municipalities), address(issuerKeys), address(rounds), shop_);
    }

    function _newShop() internal returns (RewardShop) {
        return new RewardShop(address(municipalities), address(points));
    }

    function _named(string memory name) internal pure returns (address) {
        return address(uint160(uint256(keccak256(bytes(name)))));
    }

    function _admitted(string memory oktmo) internal returns (uint32) {
        vm.prank(operator);
        return municipalities.admit(oktmo, unicode"Тагил");
    }

    function _grant(IMunicipalities.Role role, address account) internal {
        _grantIn(municipalityId, role, account);
    }

    function _grantIn(uint32 municipality, IMunicipalities.Role role, address account) internal {
        vm.prank(operator);
        municipalities.grantRole(municipality, role, account, START, START + 365 days, keccak256("application"));
    }

    function _pause() internal {
        vm.prank(operator);
        municipalities.pause(keccak256("reason"));
    }

    // ---------------------------------------------------------------------------------------------
    // Seasons and sources
    // ---------------------------------------------------------------------------------------------

    function _openSeason(uint64 endsAt) internal returns (uint32) {
        vm.prank(clerk);
        return points.openSeason(municipalityId, endsAt);
    }

    /// @dev A source of a new participation in which `participants` people took part.
    function _openSource(uint256 participants, uint32 pointsPerStamp, uint32 seasonId)
        internal
        returns (uint256 sourceId)
    {
        uint256 participationId = points.sourceCount() + 1;
        turnout.set(participationId, participants);
        bytes memory key = BlsSigner.publicKey(_stampSecret(participationId));
        vm.prank(clerk);
        sourceId = points.openSource(municipalityId, address(turnout), participationId, key, pointsPerStamp, seasonId);
    }

    /// @dev The relayer's secret for the stamps of a source.
    function _stampSecret(uint256 sourceId) internal view returns (uint256) {
        return uint256(keccak256(abi.encode("stamp", address(points), sourceId))) >> 4;
    }

    // ---------------------------------------------------------------------------------------------
    // Stamps
    // ---------------------------------------------------------------------------------------------

    function _secretOf(uint256 citizen) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("points account", citizen))) >> 4;
    }

    function _account(uint256 citizen) internal pure returns (address) {
        return vm.addr(_secretOf(citizen));
    }

    function _accounts(uint256 first, uint256 count) internal pure returns (address[] memory accounts) {
        accounts = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = _account(first + i);
        }
    }

    function _scope(uint256 sourceId) internal view returns (BlindCredential.Scope memory) {
        return BlindCredential.Scope({verifier: address(points), id: sourceId, class: 0});
    }

    function _hashPoint(uint256 sourceId, address account) internal view returns (bytes memory) {
        return BlindCredential.hashToG1(_scope(sourceId), account);
    }

    function _stamp(uint256 sourceId, address account) internal view virtual returns (bytes memory) {
        return BlsSigner.unpad(BlsSigner.multiply(_hashPoint(sourceId, account), _stampSecret(sourceId)));
    }

    function _stamps(uint256 sourceId, address[] memory accounts) internal view returns (bytes memory signatures) {
        signatures = new bytes(96 * accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            _copy(_stamp(sourceId, accounts[i]), signatures, 96 * i);
        }
    }

    /// @dev Claims for points accounts `first`, ..., `first + count - 1`.
    function _claim(uint256 sourceId, uint256 first, uint256 count) internal {
        address[] memory accounts = _accounts(first, count);
        points.claim(sourceId, accounts, _stamps(sourceId, accounts));
    }

    /// @dev Gives `count` accounts from `first` on `amount` points of a season, by a source of its own.
    function _endow(uint256 first, uint256 count, uint32 amount, uint32 seasonId) internal returns (uint256 sourceId) {
        sourceId = _openSource(count, amount, seasonId);
        _claim(sourceId, first, count);
    }

    // ---------------------------------------------------------------------------------------------
    // Prizes and redemptions
    // ---------------------------------------------------------------------------------------------

    function _listPrize(uint32 price, uint32 stock) internal returns (uint256 prizeId) {
        vm.prank(partner);
        prizeId = shop.listPrize(municipalityId, price, stock, VALID_FROM, VALID_UNTIL, COLLECT_PERIOD, CONTENT);
    }

    function _code(uint256 citizen, uint256 number) internal pure returns (bytes16) {
        return bytes16(keccak256(abi.encode("code", citizen, number)));
    }

    function _seasons() internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
    }

    function _seasons(uint256 a) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = a;
    }

    function _seasons(uint256 a, uint256 b) internal pure returns (uint256[] memory list) {
        list = new uint256[](2);
        (list[0], list[1]) = (a, b);
    }

    /// @dev What a citizen signs for a prize as it is listed, paid from season 0; `number` numbers the citizen's codes.
    function _redemption(uint256 citizen, uint256 prizeId, uint256 number)
        internal
        view
        returns (IRewardShop.Redemption memory)
    {
        IRewardShop.Prize memory prize = shop.prize(prizeId);
        return IRewardShop.Redemption({
            account: _account(citizen),
            prizeId: prizeId,
            price: prize.price,
            contentHash: prize.contentHash,
            seasonIds: _seasons(),
            codeHash: keccak256(abi.encodePacked(_code(citizen, number)))
        });
    }

    function _idOf(IRewardShop.Redemption memory redemption) internal view returns (bytes32) {
        return keccak256(abi.encode(address(shop), redemption.account, redemption.codeHash));
    }

    /// @dev EIP-712, written down a second time, independently of the contract.
    function _digest(address shop_, uint256 chainId, IRewardShop.Redemption memory redemption)
        internal
        pure
        returns (bytes32)
    {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Kopilka"),
                keccak256("1"),
                chainId,
                shop_
            )
        );
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Redemption(address account,uint256 prizeId,uint256 price,bytes32 contentHash,uint256[] seasonIds,bytes32 codeHash)"
                ),
                redemption.account,
                redemption.prizeId,
                redemption.price,
                redemption.contentHash,
                keccak256(abi.encodePacked(redemption.seasonIds)),
                redemption.codeHash
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function _sign(uint256 citizen, IRewardShop.Redemption memory redemption) internal view returns (bytes memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(_secretOf(citizen), _digest(address(shop), block.chainid, redemption));
        return abi.encodePacked(r, vs);
    }

    function _one(IRewardShop.Redemption memory redemption)
        internal
        pure
        returns (IRewardShop.Redemption[] memory batch)
    {
        batch = new IRewardShop.Redemption[](1);
        batch[0] = redemption;
    }

    /// @dev Signs and submits one redemption.
    function _redeem(uint256 citizen, IRewardShop.Redemption memory redemption) internal {
        shop.redeem(_one(redemption), _sign(citizen, redemption));
    }

    /// @dev A citizen redeems a prize; returns the id.
    function _redeem(uint256 citizen, uint256 prizeId, uint256 number) internal returns (bytes32) {
        IRewardShop.Redemption memory redemption = _redemption(citizen, prizeId, number);
        _redeem(citizen, redemption);
        return _idOf(redemption);
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

    function _statusOf(bytes32 redemptionId) internal view returns (uint256) {
        return uint256(shop.redemption(redemptionId).status);
    }

    function _lacksRole(address caller, IMunicipalities.Role role) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("CallerLacksRole(address,uint8)", caller, uint8(role));
    }
}
