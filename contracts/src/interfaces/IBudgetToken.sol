// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The budget of one round as an ERC-20 token: 1 token = 1 ₽, 2 decimals, so 1 base unit = 1 kopeck
/// @notice Tokens are minted only against the recorded appropriation, into the treasury (this contract's own address).
/// They move treasury -> round (the citizens' common purse) -> citizen -> wallet of an initiative, and end in a burn
/// that names a payment or returns to the budget. Holders cannot transfer them: there is no market for votes.
interface IBudgetToken is IERC20 {
    /// @notice The line of the budget that backs the token.
    /// @param amount Appropriation in kopecks: the most that may ever be minted.
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
    error CallerNotTreasurer(address caller);
    error KbkMalformed(string kbk);
    error AppropriationZero();
    error AppropriationExceeded(uint256 minted, uint256 amount, uint256 appropriation);
    error TransferForbidden();
    error AmountZero();
    error MintingClosed();

    /// @dev Once, at creation.
    event AppropriationRecorded(
        uint256 indexed roundId, uint128 amount, uint16 fiscalYear, string kbk, bytes32 documentHash, string documentURI
    );
    /// @dev Next to the ERC-20 `Transfer` from zero. The sum of all `amount` never exceeds the appropriation.
    event BudgetMinted(address indexed treasurer, uint256 amount, uint256 mintedTotal);
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

    /// @notice Mint into the treasury. Caller: treasurer of the municipality.
    /// @dev Refused once the round has taken the treasury over: the budget is fixed when pledging opens.
    function mint(uint256 amount) external;

    function appropriation() external view returns (Appropriation memory);
    function round() external view returns (address);
    /// @notice Where minted tokens wait until pledging opens: this contract itself.
    function treasury() external view returns (address);
    function mintedTotal() external view returns (uint256);
    /// @notice Burned for payments so far.
    function paidTotal() external view returns (uint256);
    /// @notice Burned as returned to the budget so far.
    function returnedTotal() external view returns (uint256);
}
