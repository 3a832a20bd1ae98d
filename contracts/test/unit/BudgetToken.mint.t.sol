// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title Two people mint: a treasurer proposes, a controller approves
contract BudgetTokenMintTest is RoundFixture {
    bytes32 private constant ORDER = keccak256("order");

    function setUp() public override {
        super.setUp();
        _createWith(_cumulative(), 1, 1);
    }

    function _lacksRole(address caller, IMunicipalities.Role role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBudgetToken.CallerLacksRole.selector, caller, uint8(role));
    }

    function _notTreasurer(address caller) private pure returns (bytes memory) {
        return _lacksRole(caller, IMunicipalities.Role.Treasurer);
    }

    function _notController(address caller) private pure returns (bytes memory) {
        return _lacksRole(caller, IMunicipalities.Role.Controller);
    }

    function _exceeded(uint256 minted, uint256 amount) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBudgetToken.AppropriationExceeded.selector, minted, amount, APPROPRIATION);
    }

    function _decided(uint256 mintId, IBudgetToken.MintStatus status) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBudgetToken.MintDecided.selector, mintId, status);
    }

    function _expectApprovalRevert(address caller, uint256 mintId, uint256 amount, bytes memory error_) private {
        vm.expectRevert(error_);
        vm.prank(caller);
        token.approveMint(mintId, amount, ORDER);
        assertEq(token.mintedTotal(), 0, "nothing is minted");
        assertEq(token.balanceOf(address(token)), 0, "nothing is minted");
    }

    function _statusOf(uint256 mintId) private view returns (IBudgetToken.MintStatus) {
        return token.mintProposal(mintId).status;
    }

    // ---------------------------------------------------------------------------------------------
    // Proposing
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_ProposedWhilePaused() public {
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.ActionsPaused.selector));
        _proposeMint(1);
    }

    function test_RevertWhen_ProposerIsNotTreasurer() public {
        address[4] memory callers = [clerk, controller, operator, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(_notTreasurer(callers[i]));
            vm.prank(callers[i]);
            token.proposeMint(1, ORDER);
        }
        assertEq(token.mintCount(), 0, "no proposal");
    }

    function test_RevertWhen_ProposersAccessHasExpired() public {
        vm.warp(START + 365 days - 1);
        assertEq(_proposeMint(1), 1, "the last second of the access");
        vm.warp(START + 365 days);
        vm.expectRevert(_notTreasurer(treasurer));
        _proposeMint(1);
    }

    function test_RevertGiven_ProposedOncePledgingIsOpen() public {
        _mint(1);
        _openRegistration();
        _openPledging();
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.MintingClosed.selector));
        _proposeMint(1);
    }

    function test_RevertGiven_ProposedOnceCancelled() public {
        vm.prank(clerk);
        round.cancel();
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.MintingClosed.selector));
        _proposeMint(1);
    }

    function test_RevertWhen_ProposedAmountIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.AmountZero.selector));
        _proposeMint(0);
    }

    function testFuzz_RevertWhen_ProposedAmountExceedsTheAppropriation(uint256 minted, uint256 amount) public {
        minted = bound(minted, 1, APPROPRIATION);
        amount = bound(amount, APPROPRIATION - minted + 1, type(uint256).max);
        _mint(minted);
        vm.expectRevert(_exceeded(minted, amount));
        _proposeMint(amount);
    }

    function test_Propose() public {
        vm.expectEmit(address(token));
        emit IBudgetToken.MintProposed(1, treasurer, 700, ORDER);
        assertEq(_proposeMint(700), 1, "ids count from 1");
        assertEq(_proposeMint(APPROPRIATION), 2, "proposals reserve nothing");
        assertEq(token.mintCount(), 2, "proposals");
        IBudgetToken.MintProposal memory proposal = token.mintProposal(1);
        assertEq(proposal.amount, 700, "amount");
        assertTrue(proposal.status == IBudgetToken.MintStatus.Proposed, "status");
        assertEq(proposal.proposer, treasurer, "proposer");
        assertEq(proposal.approver, address(0), "nobody yet");
        assertEq(proposal.documentHash, ORDER, "document");
        assertEq(token.mintedTotal(), 0, "a proposal mints nothing");
        assertEq(token.totalSupply(), 0, "a proposal mints nothing");
    }

    // ---------------------------------------------------------------------------------------------
    // Approving
    // ---------------------------------------------------------------------------------------------

    function test_RevertGiven_ApprovedWhilePaused() public {
        uint256 mintId = _proposeMint(5);
        _pause();
        _expectApprovalRevert(controller, mintId, 5, abi.encodeWithSelector(IBudgetToken.ActionsPaused.selector));
        _unpause();
        _approveMint(mintId, 5);
        assertEq(token.mintedTotal(), 5, "the proposal outlives the pause");
    }

    function test_RevertWhen_ApproverIsNotController() public {
        uint256 mintId = _proposeMint(5);
        address[4] memory callers = [clerk, treasurer, operator, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectApprovalRevert(callers[i], mintId, 5, _notController(callers[i]));
        }
    }

    function test_RevertWhen_ApproversAccessHasExpired() public {
        vm.prank(operator);
        municipalities.grantRole(municipalityId, IMunicipalities.Role.Controller, stranger, START, START + 9, 0);
        uint256 mintId = _proposeMint(5);
        vm.warp(START + 9);
        _expectApprovalRevert(stranger, mintId, 5, _notController(stranger));
    }

    function test_RevertGiven_ApprovedOncePledgingIsOpen() public {
        uint256 mintId = _proposeMint(5);
        _mint(1);
        _openRegistration();
        _openPledging();
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.MintingClosed.selector));
        _approveMint(mintId, 5);
        assertEq(token.mintedTotal(), 1, "the budget is fixed");
    }

    function test_RevertWhen_ApprovedProposalIsUnknown() public {
        _expectApprovalRevert(controller, 0, 0, abi.encodeWithSelector(IBudgetToken.MintUnknown.selector, 0));
        _expectApprovalRevert(controller, 1, 5, abi.encodeWithSelector(IBudgetToken.MintUnknown.selector, 1));
    }

    function test_RevertGiven_ApprovedTwice() public {
        _mint(5);
        vm.expectRevert(_decided(1, IBudgetToken.MintStatus.Approved));
        _approveMint(1, 5);
        assertEq(token.mintedTotal(), 5, "minted once");
    }

    function test_RevertGiven_ApprovedOnceCancelled() public {
        uint256 mintId = _proposeMint(5);
        vm.prank(treasurer);
        token.cancelMint(mintId);
        _expectApprovalRevert(controller, mintId, 5, _decided(mintId, IBudgetToken.MintStatus.Cancelled));
    }

    function test_RevertWhen_ApprovedAmountDiffers() public {
        uint256 mintId = _proposeMint(5);
        _expectApprovalRevert(
            controller, mintId, 6, abi.encodeWithSelector(IBudgetToken.MintAmountDiffers.selector, mintId, 5, 6)
        );
        _expectApprovalRevert(
            controller, mintId, 4, abi.encodeWithSelector(IBudgetToken.MintAmountDiffers.selector, mintId, 5, 4)
        );
    }

    /// @notice After a reorg the id may be that of a proposal for the same money on another document.
    function test_RevertWhen_ApprovedDocumentDiffers() public {
        uint256 mintId = _proposeMint(5);
        bytes32[2] memory documents = [bytes32(0), keccak256("another order")];
        for (uint256 i = 0; i < documents.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IBudgetToken.MintDocumentDiffers.selector, mintId, ORDER, documents[i])
            );
            vm.prank(controller);
            token.approveMint(mintId, 5, documents[i]);
        }
        assertEq(token.mintedTotal(), 0, "nothing is minted");
    }

    /// @notice Whoever holds both roles is still one person.
    function test_RevertWhen_ApproverIsTheProposer() public {
        _grant(IMunicipalities.Role.Controller, treasurer);
        uint256 mintId = _proposeMint(5);
        _expectApprovalRevert(
            treasurer, mintId, 5, abi.encodeWithSelector(IBudgetToken.ApproverIsProposer.selector, treasurer)
        );
        _approveMint(mintId, 5);
        assertEq(token.mintedTotal(), 5, "another controller may");
    }

    function test_RevertGiven_ProposerLostAccess() public {
        uint256 mintId = _proposeMint(5);
        _revoke(IMunicipalities.Role.Treasurer, treasurer);
        _expectApprovalRevert(
            controller, mintId, 5, abi.encodeWithSelector(IBudgetToken.ProposerLostAccess.selector, treasurer)
        );
    }

    function testFuzz_RevertGiven_AnotherApprovalUsedTheAppropriation(uint256 first, uint256 second) public {
        first = bound(first, 1, APPROPRIATION);
        second = bound(second, APPROPRIATION - first + 1, APPROPRIATION);
        uint256 firstId = _proposeMint(first);
        uint256 secondId = _proposeMint(second);
        _approveMint(firstId, first);
        vm.expectRevert(_exceeded(first, second));
        _approveMint(secondId, second);
        assertTrue(_statusOf(secondId) == IBudgetToken.MintStatus.Proposed, "still open");
    }

    function testFuzz_Mint(uint256 first, uint256 second) public {
        first = bound(first, 1, APPROPRIATION - 1);
        second = bound(second, 1, APPROPRIATION - first);
        _mint(first);
        uint256 mintId = _proposeMint(second);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(0), address(token), second);
        vm.expectEmit(address(token));
        emit IBudgetToken.BudgetMinted(2, treasurer, controller, second, first + second);
        _approveMint(mintId, second);
        assertEq(token.balanceOf(address(token)), first + second, "treasury");
        assertEq(token.mintedTotal(), first + second, "minted");
        assertEq(token.totalSupply(), first + second, "supply");
        assertEq(round.budget(), first + second, "the budget before pledging is the treasury");
        assertTrue(_statusOf(mintId) == IBudgetToken.MintStatus.Approved, "status");
        assertEq(token.mintProposal(mintId).approver, controller, "approver");
        assertEq(token.mintProposal(mintId).proposer, treasurer, "proposer");
    }

    // ---------------------------------------------------------------------------------------------
    // Cancelling
    // ---------------------------------------------------------------------------------------------

    function test_RevertWhen_CancelledProposalIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.MintUnknown.selector, 1));
        vm.prank(controller);
        token.cancelMint(1);
    }

    function test_RevertGiven_CancelledAfterTheDecision() public {
        _mint(5);
        vm.expectRevert(_decided(1, IBudgetToken.MintStatus.Approved));
        vm.prank(treasurer);
        token.cancelMint(1);
        _proposeMint(5);
        vm.prank(controller);
        token.cancelMint(2);
        vm.expectRevert(_decided(2, IBudgetToken.MintStatus.Cancelled));
        vm.prank(controller);
        token.cancelMint(2);
        assertEq(token.mintedTotal(), 5, "minted once");
    }

    function test_RevertWhen_CancelledByAnotherTreasurer() public {
        _grant(IMunicipalities.Role.Treasurer, stranger);
        _proposeMint(5);
        vm.expectRevert(_notController(stranger));
        vm.prank(stranger);
        token.cancelMint(1);
    }

    function test_CancelByTheProposer() public {
        _proposeMint(5);
        // Nobody needs access to take back what he said.
        _revoke(IMunicipalities.Role.Treasurer, treasurer);
        vm.expectEmit(address(token));
        emit IBudgetToken.MintCancelled(1, treasurer);
        vm.prank(treasurer);
        token.cancelMint(1);
        assertTrue(_statusOf(1) == IBudgetToken.MintStatus.Cancelled, "status");
        assertEq(token.mintProposal(1).approver, address(0), "nobody approved");
    }

    function test_CancelByAControllerWhilePaused() public {
        _proposeMint(5);
        _pause();
        vm.expectEmit(address(token));
        emit IBudgetToken.MintCancelled(1, controller);
        vm.prank(controller);
        token.cancelMint(1);
        assertTrue(_statusOf(1) == IBudgetToken.MintStatus.Cancelled, "status");
        assertEq(token.mintedTotal(), 0, "nothing is minted");
    }

    // ---------------------------------------------------------------------------------------------
    // The region's operator can revoke, never mint
    // ---------------------------------------------------------------------------------------------

    function test_OperatorCanRevokeButNeverMint() public {
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.OwnerHoldsNoRole.selector, operator));
        _grant(IMunicipalities.Role.Treasurer, operator);
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.OwnerHoldsNoRole.selector, operator));
        _grant(IMunicipalities.Role.Controller, operator);
        vm.expectRevert(_notTreasurer(operator));
        vm.prank(operator);
        token.proposeMint(5, ORDER);
        uint256 mintId = _proposeMint(5);
        _expectApprovalRevert(operator, mintId, 5, _notController(operator));
        _revoke(IMunicipalities.Role.Controller, controller);
        _expectApprovalRevert(controller, mintId, 5, _notController(controller));
    }

    /// @notice Grants from before the hand-over give a new owner nothing, whichever side of a mint they were for.
    function test_OperatorNeverMintsAfterOwnershipTransfer() public {
        uint256 mintId = _proposeMint(5);
        _grant(IMunicipalities.Role.Treasurer, controller);
        _handOver(controller);
        _expectApprovalRevert(controller, mintId, 5, _notController(controller));
        vm.expectRevert(_notTreasurer(controller));
        vm.prank(controller);
        token.proposeMint(5, ORDER);

        // The proposal of a treasurer who became the owner is dead too.
        vm.prank(controller);
        municipalities.grantRole(municipalityId, IMunicipalities.Role.Controller, stranger, START, START + 1 days, 0);
        _handOver(treasurer);
        _expectApprovalRevert(
            stranger, mintId, 5, abi.encodeWithSelector(IBudgetToken.ProposerLostAccess.selector, treasurer)
        );
    }
}
