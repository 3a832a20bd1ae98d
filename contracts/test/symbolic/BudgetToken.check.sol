// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {BudgetToken} from "../../src/budget/BudgetToken.sol";
import {InitiativeWallet} from "../../src/budget/InitiativeWallet.sol";
import {Money} from "./Money.sol";

/// @title Money is conserved, whatever amounts and whoever calls
contract BudgetTokenCheck is Money {
    BudgetToken private token;

    function setUp() public {
        _people();
        token = BudgetToken(Clones.clone(address(new BudgetToken())));
        token.initialize(ROUND, 1, address(municipalities), 1, _appropriation(APPROPRIATION), "n", "S");
    }

    function _wallet(uint256 id) private pure returns (address) {
        return InitiativeWallet.addressOf(ROUND, id);
    }

    function _mint(uint256 amount) private returns (bool) {
        if (!_try(TREASURER, address(token), abi.encodeCall(token.proposeMint, (amount, bytes32(0))))) return false;
        return
            _try(CONTROLLER, address(token), abi.encodeCall(token.approveMint, (token.mintCount(), amount, bytes32(0))));
    }

    /// @dev The appropriation in the purse.
    function _fill() private {
        assert(_mint(APPROPRIATION));
        vm.prank(ROUND);
        token.release();
    }

    /// @dev The purse and two wallets hold any amounts that add up to the appropriation.
    function _spread(uint256 first, uint256 second) private {
        _fill();
        vm.assume(first <= APPROPRIATION && second <= APPROPRIATION - first);
        vm.prank(ROUND);
        token.rebalance(_targets(first, second));
    }

    function _targets(uint256 first, uint256 second) private pure returns (uint256[] memory targets) {
        targets = new uint256[](2);
        (targets[0], targets[1]) = (first, second);
    }

    function _held() private view returns (uint256) {
        return token.balanceOf(address(token)) + token.balanceOf(ROUND) + token.balanceOf(_wallet(1))
            + token.balanceOf(_wallet(2));
    }

    function _isWhole() private view returns (bool) {
        return token.totalSupply() == _held()
            && token.mintedTotal() == _held() + token.paidTotal() + token.returnedTotal()
            && token.mintedTotal() <= APPROPRIATION;
    }

    // ---------------------------------------------------------------------------------------------
    // Minting
    // ---------------------------------------------------------------------------------------------

    function check_MintedWithinTheAppropriation(uint256 amount, uint256 more) public {
        bool first = _mint(amount);
        assert(first == (amount != 0 && amount <= APPROPRIATION));
        bool second = _mint(more);
        uint256 minted = (first ? amount : 0) + (second ? more : 0);
        assert(token.mintedTotal() == minted);
        assert(minted <= APPROPRIATION);
        assert(token.balanceOf(address(token)) == minted);
        assert(_isWhole());
    }

    function check_OnlyTreasurersPropose(address caller, uint256 amount) public {
        bool done = _try(caller, address(token), abi.encodeCall(token.proposeMint, (amount, bytes32(0))));
        assert(done == (caller == TREASURER && amount != 0 && amount <= APPROPRIATION));
        assert(token.mintedTotal() == 0);
    }

    /// @notice A second person, with the same amount and document, once.
    function check_OnlyControllersApprove(address caller, uint256 amount, uint256 approved, bytes32 document) public {
        vm.assume(_try(TREASURER, address(token), abi.encodeCall(token.proposeMint, (amount, bytes32(0)))));
        bool done = _try(caller, address(token), abi.encodeCall(token.approveMint, (1, approved, document)));
        assert(done == (caller == CONTROLLER && approved == amount && document == 0));
        assert(token.mintedTotal() == (done ? amount : 0));
        if (done) {
            assert(!_try(CONTROLLER, address(token), abi.encodeCall(token.approveMint, (1, amount, bytes32(0)))));
        }
        assert(token.mintedTotal() == (done ? amount : 0));
    }

    function check_CancelledIsNeverMinted(address caller, uint256 amount) public {
        vm.assume(_try(TREASURER, address(token), abi.encodeCall(token.proposeMint, (amount, bytes32(0)))));
        bool done = _try(caller, address(token), abi.encodeCall(token.cancelMint, (1)));
        assert(done == (caller == TREASURER || caller == CONTROLLER));
        if (done) {
            assert(!_try(CONTROLLER, address(token), abi.encodeCall(token.approveMint, (1, amount, bytes32(0)))));
        }
    }

    function check_NothingIsMintedAfterRelease(uint256 amount, uint256 more) public {
        bool minted = _mint(amount);
        vm.prank(ROUND);
        assert(token.release() == (minted ? amount : 0));
        assert(!_mint(more));
        assert(token.balanceOf(ROUND) == (minted ? amount : 0));
        assert(token.balanceOf(address(token)) == 0);
        assert(_isWhole());
    }

    function check_NothingIsMintedWhilePaused(uint256 amount) public {
        vm.assume(_try(TREASURER, address(token), abi.encodeCall(token.proposeMint, (amount, bytes32(0)))));
        vm.prank(OPERATOR);
        municipalities.pause(bytes32(0));
        assert(!_try(CONTROLLER, address(token), abi.encodeCall(token.approveMint, (1, amount, bytes32(0)))));
        assert(!_mint(amount));
        assert(token.mintedTotal() == 0);
    }

    // ---------------------------------------------------------------------------------------------
    // Holders and strangers
    // ---------------------------------------------------------------------------------------------

    function check_NobodyTransfers(address caller, address from, address to, uint256 amount) public {
        _fill();
        assert(!_try(caller, address(token), abi.encodeCall(token.transfer, (to, amount))));
        assert(!_try(caller, address(token), abi.encodeCall(token.transferFrom, (from, to, amount))));
        assert(!_try(caller, address(token), abi.encodeCall(token.approve, (to, amount))));
        assert(token.allowance(from, to) == 0);
    }

    function check_OnlyTheRoundMovesMoney(address caller, uint16 id, uint256 amount) public {
        vm.assume(caller != ROUND);
        _fill();
        assert(!_try(caller, address(token), abi.encodeCall(token.release, ())));
        assert(!_try(caller, address(token), abi.encodeCall(token.applyMoves, (new uint256[](0), 2))));
        assert(!_try(caller, address(token), abi.encodeCall(token.rebalance, (_targets(amount, 0)))));
        assert(!_try(caller, address(token), abi.encodeCall(token.burnPaid, (id, amount, bytes32(0), bytes32(0)))));
        assert(!_try(caller, address(token), abi.encodeCall(token.returnWallet, (id))));
        assert(!_try(caller, address(token), abi.encodeCall(token.returnPurse, ())));
        assert(token.balanceOf(ROUND) == APPROPRIATION);
    }

    function check_InitializedOnce(address caller, address round, uint128 amount) public {
        bytes memory data = abi.encodeCall(token.initialize, (round, 1, caller, 1, _appropriation(amount), "n", "S"));
        assert(!_try(caller, address(token), data));
    }

    // ---------------------------------------------------------------------------------------------
    // The round's own steps
    // ---------------------------------------------------------------------------------------------

    /// @notice One citizen's step between the purse and two wallets: the sum stays, and every wallet changes by exactly
    /// what was said; if it cannot, nothing happens.
    function check_MovesConserve(uint256 first, uint256 second, int240 change, int240 otherChange, address account)
        public
    {
        _spread(first, second);
        uint256[] memory moves = new uint256[](3);
        moves[0] = 2 << 160 | uint256(uint160(account));
        moves[1] = 1 << 240 | uint256(uint240(change));
        moves[2] = 2 << 240 | uint256(uint240(otherChange));
        bool done = _try(ROUND, address(token), abi.encodeCall(token.applyMoves, (moves, 2)));
        assert(_isWhole());
        assert(_held() == APPROPRIATION);
        if (!done) return;
        assert(int256(token.balanceOf(_wallet(1))) == int256(first) + change);
        assert(int256(token.balanceOf(_wallet(2))) == int256(second) + otherChange);
    }

    /// @notice A word that names a citizen without changes moves nothing.
    function check_EmptyMovesMoveNothing(uint256 first, uint256 second, address account) public {
        _spread(first, second);
        uint256[] memory moves = new uint256[](1);
        moves[0] = uint256(uint160(account));
        assert(_try(ROUND, address(token), abi.encodeCall(token.applyMoves, (moves, 2))));
        assert(token.balanceOf(_wallet(1)) == first && token.balanceOf(_wallet(2)) == second);
        assert(_isWhole());
    }

    /// @notice Every wallet ends with exactly its target, or nothing happens.
    function check_RebalanceConserves(uint256 first, uint256 second, uint256 target, uint256 otherTarget) public {
        _spread(first, second);
        bool done = _try(ROUND, address(token), abi.encodeCall(token.rebalance, (_targets(target, otherTarget))));
        assert(_isWhole());
        assert(_held() == APPROPRIATION);
        assert(token.balanceOf(_wallet(1)) == (done ? target : first));
        assert(token.balanceOf(_wallet(2)) == (done ? otherTarget : second));
        if (target <= APPROPRIATION && otherTarget <= APPROPRIATION - target) assert(done);
    }

    function check_PaymentBurnsFromItsWalletAlone(uint256 first, uint256 second, uint256 amount) public {
        _spread(first, second);
        bytes memory data = abi.encodeCall(token.burnPaid, (1, amount, bytes32(0), bytes32(0)));
        bool done = _try(ROUND, address(token), data);
        assert(done == (amount <= first));
        assert(token.paidTotal() == (done ? amount : 0));
        assert(token.balanceOf(_wallet(1)) == first - (done ? amount : 0));
        assert(token.balanceOf(_wallet(2)) == second);
        assert(token.balanceOf(ROUND) == APPROPRIATION - first - second);
        assert(_isWhole());
    }

    function check_WalletReturnsWhole(uint256 first, uint256 second) public {
        _spread(first, second);
        vm.prank(ROUND);
        assert(token.returnWallet(1) == first);
        assert(token.returnedTotal() == first);
        assert(token.balanceOf(_wallet(1)) == 0);
        assert(token.balanceOf(_wallet(2)) == second);
        assert(_isWhole());
    }

    function check_PurseReturnsWhole(uint256 first, uint256 second) public {
        _spread(first, second);
        vm.prank(ROUND);
        assert(token.returnPurse() == APPROPRIATION - first - second);
        assert(token.balanceOf(ROUND) == 0);
        assert(token.balanceOf(_wallet(1)) == first && token.balanceOf(_wallet(2)) == second);
        assert(_isWhole());
    }
}
