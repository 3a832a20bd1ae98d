// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The budget of one round as an ERC-20 token: 1 token = 1 ₽, 2 decimals, so 1 base unit = 1 kopeck
/// @notice Tokens are minted only against the recorded appropriation, into the treasury (this contract's own address).
/// They move treasury -> round (the citizens' common purse) -> citizen -> wallet of an initiative, and end in a burn
/// that names a payment or returns to the budget. Holders cannot transfer them: there is no market for votes.
interface IBudgetToken is IERC20 {
    /// @notice Where a proposal to mint stands. The last two are for ever.
    enum MintStatus {
        /// @notice Waits for a second person.
        Proposed,
        /// @notice Minted.
        Approved,
        /// @notice Withdrawn or refused.
        Cancelled
    }

    /// @notice A proposal to mint.
    /// @param amount Kopecks.
    /// @param status See `MintStatus`.
    /// @param proposer Treasurer who proposed it.
    /// @param approver Controller who approved it; zero until then.
    /// @param documentHash keccak256 of the order on which it rests.
    struct MintProposal {
        uint128 amount;
        MintStatus status;
        address proposer;
        address approver;
        bytes32 documentHash;
    }

    /// @notice Where the money is, in kopecks. Always minted = treasury + purse + wallets + paid + returned, and minted
    /// at most the appropriation.
    /// @param appropriation The most that may ever be minted.
    /// @param minted Minted so far.
    /// @param treasury Waits for pledging to open.
    /// @param purse Citizens' shares that are not in initiatives.
    /// @param wallets In the wallets of all initiatives together.
    /// @param paid Burned for payments.
    /// @param returned Burned as returned to the budget.
    struct Reconciliation {
        uint256 appropriation;
        uint256 minted;
        uint256 treasury;
        uint256 purse;
        uint256 wallets;
        uint256 paid;
        uint256 returned;
    }

    /// @notice The line of the budget that backs the token.
    /// @param amount Appropriation in kopecks: the most that may ever be minted; below 2^96.
    /// @param fiscalYear Calendar year of the budget.
    /// @param kbk Budget classification code, 20 digits as text.
    /// @param documentHash keccak256 of the budget decision's file.
    /// @param documentURI Where the decision is published.
    struct Appropriation {
        uint128 amount;
        uint16 fiscalYear;
        string kbk;
        bytes32 documentHash;
        string documentURI;
    }

    error CallerNotRound(address caller);
    error CallerLacksRole(address caller, uint8 role);
    error ActionsPaused();
    error KbkMalformed(string kbk);
    error AppropriationZero();
    error AppropriationTooLarge(uint256 amount, uint256 limit);
    error AppropriationExceeded(uint256 minted, uint256 amount, uint256 appropriation);
    error TransferForbidden();
    error AmountZero();
    error MintingClosed();
    error MintUnknown(uint256 mintId);
    error MintDecided(uint256 mintId, MintStatus status);
    error MintAmountDiffers(uint256 mintId, uint256 proposed, uint256 approved);
    error MintDocumentDiffers(uint256 mintId, bytes32 proposed, bytes32 approved);
    error ApproverIsProposer(address account);
    error ProposerLostAccess(address proposer);

    /// @dev Once, at creation.
    event AppropriationRecorded(
        uint256 indexed roundId, uint128 amount, uint16 fiscalYear, string kbk, bytes32 documentHash, string documentURI
    );
    /// @dev Ids count from 1 without gaps. Nothing is minted yet; `MintCancelled` or `BudgetMinted` follows at most once.
    event MintProposed(uint256 indexed mintId, address indexed proposer, uint256 amount, bytes32 documentHash);
    /// @dev By the proposer or a controller; the proposal is closed for ever.
    event MintCancelled(uint256 indexed mintId, address indexed account);
    /// @dev Next to the ERC-20 `Transfer` from zero, once for each proposal. Proposer and approver are two accounts, and
    /// each held its role at this moment. The sum of all `amount` never exceeds the appropriation.
    event BudgetMinted(
        uint256 indexed mintId, address indexed proposer, address indexed approver, uint256 amount, uint256 mintedTotal
    );
    /// @dev Next to the ERC-20 `Transfer` to zero: money left the wallet of an initiative for a payment order.
    event PaymentBurned(
        uint16 indexed initiativeId,
        address indexed wallet,
        uint256 amount,
        bytes32 paymentReference,
        bytes32 documentHash
    );
    /// @dev Next to the ERC-20 `Transfer` to zero: money went back to the budget.
    event ReturnedToBudget(address indexed from, uint256 amount);

    /// @notice Proposes to mint into the treasury. Caller: treasurer of the municipality.
    /// @param documentHash keccak256 of the order on which it rests.
    /// @dev Refused once the round has taken the treasury over: the budget is fixed when pledging opens. Proposals
    /// reserve nothing: the appropriation is asked again at the approval.
    function proposeMint(uint256 amount, bytes32 documentHash) external returns (uint256 mintId);
    /// @notice Mints what was proposed. Caller: a controller of the municipality other than the proposer, who must
    /// still be a treasurer.
    /// @param amount Kopecks of the proposal, named again: after a reorg the id may be another proposal's.
    /// @param documentHash Of the proposal, named again likewise.
    function approveMint(uint256 mintId, uint256 amount, bytes32 documentHash) external;
    /// @notice Closes a proposal without minting, also while actions are paused. Caller: its proposer, or a controller.
    function cancelMint(uint256 mintId) external;

    function appropriation() external view returns (Appropriation memory);
    function round() external view returns (address);
    /// @notice Where minted tokens wait until pledging opens: this contract itself.
    function treasury() external view returns (address);
    /// @notice Proposals so far.
    function mintCount() external view returns (uint256);
    function mintProposal(uint256 mintId) external view returns (MintProposal memory);
    function mintedTotal() external view returns (uint256);
    /// @notice Burned for payments so far.
    function paidTotal() external view returns (uint256);
    /// @notice Burned as returned to the budget so far.
    function returnedTotal() external view returns (uint256);
    /// @notice Where every kopeck is, each figure read from its own place.
    function reconciliation() external view returns (Reconciliation memory);
}
