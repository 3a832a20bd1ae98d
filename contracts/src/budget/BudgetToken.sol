// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {Context} from "@openzeppelin/contracts/utils/Context.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IBudgetRound} from "../interfaces/IBudgetRound.sol";
import {IBudgetToken} from "../interfaces/IBudgetToken.sol";
import {IBudgetTokenRound} from "../interfaces/IBudgetTokenRound.sol";
import {IMunicipalities} from "../interfaces/IMunicipalities.sol";
import {InitiativeWallet} from "./InitiativeWallet.sol";

/// @title The budget of one round as an ERC-20 token
/// @dev A minimal proxy of one implementation. OpenZeppelin's ERC20 is not the base, because its `_update` ties every
/// `Transfer` to two balance writes, and here a citizen's `Transfer`s pass through without any: see `applyMoves`.
contract BudgetToken is IBudgetToken, IBudgetTokenRound, IERC20Metadata, IERC20Errors, Initializable, Context {
    using SafeCast for uint256;

    /// @dev The round keeps its budget in as many bits.
    uint256 private constant MAX_APPROPRIATION = type(uint96).max;

    address public round;
    bool private _mintingClosed;
    IMunicipalities private _municipalities;
    uint32 private _municipalityId;
    uint128 private _minted;
    uint128 private _paid;
    uint128 private _returned;
    Appropriation private _appropriation;
    string public name;
    string public symbol;
    mapping(address account => uint256) private _balances;
    uint256 public mintCount;
    mapping(uint256 mintId => MintProposal) private _mints;

    /// @dev The implementation itself stays without a round, so nothing can be minted on it.
    constructor() {
        _disableInitializers();
    }

    modifier onlyRound() {
        if (_msgSender() != round) revert CallerNotRound(_msgSender());
        _;
    }

    // ---------------------------------------------------------------------------------------------
    // The factory creates the token
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetTokenRound
    function initialize(
        address round_,
        uint256 roundId,
        address municipalities,
        uint32 municipalityId,
        Appropriation calldata appropriation_,
        string calldata name_,
        string calldata symbol_
    ) external initializer {
        if (appropriation_.amount == 0) revert AppropriationZero();
        if (appropriation_.amount > MAX_APPROPRIATION) {
            revert AppropriationTooLarge(appropriation_.amount, MAX_APPROPRIATION);
        }
        if (!_isKbk(appropriation_.kbk)) revert KbkMalformed(appropriation_.kbk);

        round = round_;
        _municipalities = IMunicipalities(municipalities);
        _municipalityId = municipalityId;
        _appropriation = appropriation_;
        name = name_;
        symbol = symbol_;
        emit AppropriationRecorded(
            roundId,
            appropriation_.amount,
            appropriation_.fiscalYear,
            appropriation_.kbk,
            appropriation_.documentHash,
            appropriation_.documentURI
        );
    }

    function _isKbk(string calldata kbk) private pure returns (bool) {
        bytes calldata text = bytes(kbk);
        if (text.length != 20) return false;
        for (uint256 i = 0; i < text.length; ++i) {
            if (text[i] < "0" || text[i] > "9") return false;
        }
        return true;
    }

    // ---------------------------------------------------------------------------------------------
    // A treasurer and a controller mint, the round takes the treasury over
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetToken
    function proposeMint(uint256 amount, bytes32 documentHash) external returns (uint256 mintId) {
        _requireMinting(IMunicipalities.Role.Treasurer);
        if (amount == 0) revert AmountZero();
        _requireCovered(amount);

        address proposer = _msgSender();
        mintId = ++mintCount;
        _mints[mintId] = MintProposal({
            amount: amount.toUint128(),
            status: MintStatus.Proposed,
            proposer: proposer,
            approver: address(0),
            documentHash: documentHash
        });
        emit MintProposed(mintId, proposer, amount, documentHash);
    }

    /// @inheritdoc IBudgetToken
    function approveMint(uint256 mintId, uint256 amount, bytes32 documentHash) external {
        _requireMinting(IMunicipalities.Role.Controller);
        MintProposal storage proposal = _openProposal(mintId);
        if (amount != proposal.amount) revert MintAmountDiffers(mintId, proposal.amount, amount);
        if (documentHash != proposal.documentHash) {
            revert MintDocumentDiffers(mintId, proposal.documentHash, documentHash);
        }
        address approver = _msgSender();
        address proposer = proposal.proposer;
        if (approver == proposer) revert ApproverIsProposer(approver);
        if (!_hasRole(IMunicipalities.Role.Treasurer, proposer)) revert ProposerLostAccess(proposer);
        _requireCovered(amount);

        proposal.status = MintStatus.Approved;
        proposal.approver = approver;
        uint256 minted = _minted + amount;
        _minted = minted.toUint128();
        _balances[address(this)] += amount;
        emit Transfer(address(0), address(this), amount);
        emit BudgetMinted(mintId, proposer, approver, amount, minted);
    }

    /// @inheritdoc IBudgetToken
    function cancelMint(uint256 mintId) external {
        MintProposal storage proposal = _openProposal(mintId);
        address caller = _msgSender();
        if (caller != proposal.proposer) _requireRole(IMunicipalities.Role.Controller);

        proposal.status = MintStatus.Cancelled;
        emit MintCancelled(mintId, caller);
    }

    function _openProposal(uint256 mintId) private view returns (MintProposal storage proposal) {
        proposal = _mints[mintId];
        if (proposal.amount == 0) revert MintUnknown(mintId);
        if (proposal.status != MintStatus.Proposed) revert MintDecided(mintId, proposal.status);
    }

    function _requireMinting(IMunicipalities.Role role) private view {
        if (_municipalities.paused()) revert ActionsPaused();
        _requireRole(role);
        if (_mintingClosed) revert MintingClosed();
    }

    function _requireRole(IMunicipalities.Role role) private view {
        if (!_hasRole(role, _msgSender())) revert CallerLacksRole(_msgSender(), uint8(role));
    }

    function _hasRole(IMunicipalities.Role role, address account) private view returns (bool) {
        return _municipalities.hasRole(_municipalityId, role, account);
    }

    function _requireCovered(uint256 amount) private view {
        uint256 minted = _minted;
        if (amount > _appropriation.amount - minted) {
            revert AppropriationExceeded(minted, amount, _appropriation.amount);
        }
    }

    /// @inheritdoc IBudgetTokenRound
    function release() external onlyRound returns (uint256 amount) {
        _mintingClosed = true;
        amount = _balances[address(this)];
        if (amount == 0) return 0;
        _balances[address(this)] = 0;
        _balances[round] += amount;
        emit Transfer(address(this), round, amount);
    }

    // ---------------------------------------------------------------------------------------------
    // The round moves money between its purse and the wallets
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetTokenRound
    function applyMoves(uint256[] calldata moves, uint256 initiativeCount) external onlyRound {
        address purse = round;
        // Index 0 is the purse.
        int256[] memory changes = new int256[](initiativeCount + 1);
        address[] memory wallets = new address[](initiativeCount + 1);
        wallets[0] = purse;

        uint256 cursor = 0;
        while (cursor < moves.length) {
            uint256 head = moves[cursor];
            uint256 first = cursor + 1;
            cursor = first + (head >> 160);
            _passThrough(purse, address(uint160(head)), moves[first:cursor], changes, wallets);
        }

        for (uint256 i = 0; i <= initiativeCount; ++i) {
            if (changes[i] != 0) _change(_wallet(wallets, purse, i), changes[i]);
        }
    }

    /// @dev Shows one citizen's step as transfers and adds it to `changes`. What the wallets give and take, the purse
    /// takes and gives, so that nothing can appear or vanish here. Sums of 240-bit changes stay far within 256 bits.
    function _passThrough(
        address purse,
        address account,
        uint256[] calldata entries,
        int256[] memory changes,
        address[] memory wallets
    ) private {
        unchecked {
            int256 net = 0;
            uint256 given = 0;
            for (uint256 i = 0; i < entries.length; ++i) {
                uint256 entry = _entryAt(entries, i);
                uint256 id = entry >> 240;
                int256 change = int256(int240(uint240(entry)));
                changes[id] += change;
                net += change;
                if (change > 0) {
                    ++given;
                    continue;
                }
                emit Transfer(_wallet(wallets, purse, id), account, uint256(-change));
            }
            changes[0] -= net;
            if (net > 0) emit Transfer(purse, account, uint256(net));
            for (uint256 i = 0; given != 0; ++i) {
                uint256 entry = _entryAt(entries, i);
                int256 change = int256(int240(uint240(entry)));
                if (change <= 0) continue;
                --given;
                emit Transfer(account, _wallet(wallets, purse, entry >> 240), uint256(change));
            }
            if (net < 0) emit Transfer(account, purse, uint256(-net));
        }
    }

    /// @dev The caller knows that the index is within the list.
    function _entryAt(uint256[] calldata entries, uint256 index) private pure returns (uint256 entry) {
        assembly ("memory-safe") {
            entry := calldataload(add(entries.offset, shl(5, index)))
        }
    }

    /// @dev Computed once for each batch.
    function _wallet(address[] memory wallets, address purse, uint256 id) private pure returns (address wallet) {
        wallet = wallets[id];
        if (wallet == address(0)) wallets[id] = wallet = InitiativeWallet.addressOf(purse, id);
    }

    function _change(address account, int256 change) private {
        uint256 balance = _balances[account];
        if (change < 0) {
            uint256 amount = uint256(-change);
            if (balance < amount) revert ERC20InsufficientBalance(account, balance, amount);
            _balances[account] = balance - amount;
        } else {
            _balances[account] = balance + uint256(change);
        }
    }

    /// @inheritdoc IBudgetTokenRound
    function rebalance(uint256[] calldata targets) external onlyRound returns (uint256[] memory pledged) {
        address purse = round;
        uint256 purseBalance = _balances[purse];
        pledged = new uint256[](targets.length);

        // First everything that comes back, then everything that is missing: the purse never runs dry in between.
        for (uint256 i = 0; i < targets.length; ++i) {
            address wallet = InitiativeWallet.addressOf(purse, i + 1);
            uint256 balance = _balances[wallet];
            pledged[i] = balance;
            if (balance <= targets[i]) continue;
            uint256 surplus = balance - targets[i];
            _balances[wallet] = targets[i];
            purseBalance += surplus;
            emit Transfer(wallet, purse, surplus);
        }
        for (uint256 i = 0; i < targets.length; ++i) {
            if (pledged[i] >= targets[i]) continue;
            uint256 missing = targets[i] - pledged[i];
            if (purseBalance < missing) revert ERC20InsufficientBalance(purse, purseBalance, missing);
            address wallet = InitiativeWallet.addressOf(purse, i + 1);
            _balances[wallet] = targets[i];
            purseBalance -= missing;
            emit Transfer(purse, wallet, missing);
        }
        _balances[purse] = purseBalance;
    }

    // ---------------------------------------------------------------------------------------------
    // The round burns: paid, or returned to the budget
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetTokenRound
    function burnPaid(uint16 initiativeId, uint256 amount, bytes32 paymentReference, bytes32 documentHash)
        external
        onlyRound
    {
        address wallet = InitiativeWallet.addressOf(round, initiativeId);
        _burn(wallet, amount);
        _paid += amount.toUint128();
        emit PaymentBurned(initiativeId, wallet, amount, paymentReference, documentHash);
    }

    /// @inheritdoc IBudgetTokenRound
    function returnWallet(uint16 initiativeId) external onlyRound returns (uint256 amount) {
        return _return(InitiativeWallet.addressOf(round, initiativeId));
    }

    /// @inheritdoc IBudgetTokenRound
    function returnPurse() external onlyRound returns (uint256 amount) {
        return _return(round);
    }

    function _return(address account) private returns (uint256 amount) {
        amount = _balances[account];
        if (amount == 0) return 0;
        _burn(account, amount);
        _returned += amount.toUint128();
        emit ReturnedToBudget(account, amount);
    }

    function _burn(address account, uint256 amount) private {
        uint256 balance = _balances[account];
        if (balance < amount) revert ERC20InsufficientBalance(account, balance, amount);
        _balances[account] = balance - amount;
        emit Transfer(account, address(0), amount);
    }

    // ---------------------------------------------------------------------------------------------
    // What holders cannot do
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IERC20
    function transfer(address, uint256) external pure returns (bool) {
        revert TransferForbidden();
    }

    /// @inheritdoc IERC20
    function transferFrom(address, address, uint256) external pure returns (bool) {
        revert TransferForbidden();
    }

    /// @inheritdoc IERC20
    function approve(address, uint256) external pure returns (bool) {
        revert TransferForbidden();
    }

    // ---------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IBudgetToken
    function appropriation() external view returns (Appropriation memory) {
        return _appropriation;
    }

    /// @inheritdoc IBudgetToken
    function treasury() external view returns (address) {
        return address(this);
    }

    /// @inheritdoc IBudgetToken
    function mintProposal(uint256 mintId) external view returns (MintProposal memory) {
        if (_mints[mintId].amount == 0) revert MintUnknown(mintId);
        return _mints[mintId];
    }

    /// @inheritdoc IBudgetToken
    function mintedTotal() external view returns (uint256) {
        return _minted;
    }

    /// @inheritdoc IBudgetToken
    function paidTotal() external view returns (uint256) {
        return _paid;
    }

    /// @inheritdoc IBudgetToken
    function returnedTotal() external view returns (uint256) {
        return _returned;
    }

    /// @inheritdoc IBudgetToken
    function reconciliation() external view returns (Reconciliation memory result) {
        address purse = round;
        result = Reconciliation({
            appropriation: _appropriation.amount,
            minted: _minted,
            treasury: _balances[address(this)],
            purse: _balances[purse],
            wallets: 0,
            paid: _paid,
            returned: _returned
        });
        uint256 count = IBudgetRound(purse).initiativeCount();
        for (uint256 id = 1; id <= count; ++id) {
            result.wallets += _balances[InitiativeWallet.addressOf(purse, id)];
        }
    }

    /// @inheritdoc IERC20
    function totalSupply() external view returns (uint256) {
        return uint256(_minted) - _paid - _returned;
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) external view returns (uint256) {
        return _balances[account];
    }

    /// @inheritdoc IERC20
    function allowance(address, address) external pure returns (uint256) {
        return 0;
    }

    /// @inheritdoc IERC20Metadata
    function decimals() external pure returns (uint8) {
        return 2;
    }
}
