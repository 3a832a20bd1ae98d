// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {RoundFixture} from "../RoundFixture.sol";

/// @title Where the money is, in one call
contract BudgetTokenViewsTest is RoundFixture {
    function setUp() public override {
        super.setUp();
        _createWith(_cumulative(), 1, 3);
    }

    function _expect(
        uint256 minted,
        uint256 treasury,
        uint256 purse,
        uint256 wallets,
        uint256 paid,
        uint256 returned,
        string memory moment
    ) private view {
        IBudgetToken.Reconciliation memory sums = token.reconciliation();
        assertEq(sums.appropriation, APPROPRIATION, string.concat("appropriation, ", moment));
        assertEq(sums.minted, minted, string.concat("minted, ", moment));
        assertEq(sums.treasury, treasury, string.concat("treasury, ", moment));
        assertEq(sums.purse, purse, string.concat("purse, ", moment));
        assertEq(sums.wallets, wallets, string.concat("wallets, ", moment));
        assertEq(sums.paid, paid, string.concat("paid, ", moment));
        assertEq(sums.returned, returned, string.concat("returned, ", moment));
        assertEq(
            sums.minted,
            sums.treasury + sums.purse + sums.wallets + sums.paid + sums.returned,
            string.concat("the identity, ", moment)
        );
    }

    function test_RevertWhen_ProposalIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.MintUnknown.selector, 1));
        token.mintProposal(1);
        _proposeMint(1);
        token.mintProposal(1);
        vm.expectRevert(abi.encodeWithSelector(IBudgetToken.MintUnknown.selector, 2));
        token.mintProposal(2);
    }

    function test_ReconciliationThroughTheWholeLife() public {
        _expect(0, 0, 0, 0, 0, 0, "before minting");
        _proposeMint(1);
        _expect(0, 0, 0, 0, 0, 0, "proposed");
        _mint(600_000_00);
        _expect(600_000_00, 600_000_00, 0, 0, 0, 0, "minted");
        _openRegistration();
        _register(0, 0, 2);
        _openPledging();
        _expect(600_000_00, 0, 600_000_00, 0, 0, 0, "pledging");
        _allocate(0, 1, _list(1, 3), _list(50, 25));
        _expect(600_000_00, 0, 375_000_00, 225_000_00, 0, 0, "allocated");
        _closePledging();
        // They cost 100 000 and 120 000.
        _settle(_list(1, 3));
        _expect(600_000_00, 0, 0, 220_000_00, 0, 380_000_00, "settled");
        vm.prank(treasurer);
        round.recordPayment(3, 70_000_01, "order", keccak256("act"));
        _expect(600_000_00, 0, 0, 149_999_99, 70_000_01, 380_000_00, "paid");
        vm.prank(treasurer);
        round.returnRemainder(1);
        _expect(600_000_00, 0, 0, 49_999_99, 70_000_01, 480_000_00, "returned");
        vm.prank(treasurer);
        round.returnRemainder(3);
        _expect(600_000_00, 0, 0, 0, 70_000_01, 529_999_99, "at the end");
    }

    function test_ReconciliationOfTheLargestRound() public {
        _createWith(_approval(), 1, 0);
        for (uint256 i = 0; i < round.MAX_INITIATIVES(); ++i) {
            vm.prank(clerk);
            round.addInitiative(1, 0);
        }
        _mint(400);
        _openRegistration();
        _register(0, 0, 1);
        _openPledging();
        _allocate(0, 1, _list(400), _list());
        assertEq(token.reconciliation().wallets, 400, "the last wallet counts");
    }
}
