// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetToken} from "./IBudgetToken.sol";

/// @title What the token does for its round and for nobody else
/// @notice The round says how citizens' distributions change; the token keeps the money whole: it derives every wallet
/// and every counter-entry itself, so that no call, however wrong, can create, lose or misdirect a kopeck.
/// @dev Caller of everything but `initialize`: the round.
interface IBudgetTokenRound {
    /// @notice Once, in the transaction that creates the clone.
    /// @param round_ The round that this token serves.
    /// @param roundId Its id, for the event.
    /// @param municipalities Register that knows the treasurers.
    /// @param municipalityId Whose treasurers mint.
    function initialize(
        address round_,
        uint256 roundId,
        address municipalities,
        uint32 municipalityId,
        IBudgetToken.Appropriation calldata appropriation_,
        string calldata name_,
        string calldata symbol_
    ) external;

    /// @notice Moves the whole treasury into the round's purse and ends minting for ever.
    /// @return amount Kopecks moved.
    function release() external returns (uint256 amount);

    /// @notice Records what citizens put into initiatives and took back, all of one batch at once.
    /// @param moves For each citizen one head word, `count << 160 | account`, and then `count` words, one for each
    /// initiative whose amount changes: the id in the top 16 bits, the signed change in kopecks in the low 240.
    /// @param initiativeCount Highest initiative id in use.
    /// @dev Emits for each citizen: what leaves wallets (wallet -> citizen), what is missing (purse -> citizen), what
    /// enters wallets (citizen -> wallet), what is left over (citizen -> purse). A citizen's balance is therefore zero
    /// before and after, and only the purse and the wallets are stored, once each for the whole batch.
    function applyMoves(uint256[] calldata moves, uint256 initiativeCount) external;

    /// @notice Brings the wallet of every initiative to its target, against the purse.
    /// @param targets Kopecks for initiative 1, 2, ...
    /// @return pledged What each wallet held before.
    function rebalance(uint256[] calldata targets) external returns (uint256[] memory pledged);

    /// @notice Burns from an initiative's wallet for a payment order.
    function burnPaid(uint16 initiativeId, uint256 amount, bytes32 paymentReference, bytes32 documentHash) external;

    /// @notice Burns what is left in an initiative's wallet as returned to the budget.
    function returnWallet(uint16 initiativeId) external returns (uint256 amount);

    /// @notice Burns what is left in the purse as returned to the budget.
    function returnPurse() external returns (uint256 amount);
}
