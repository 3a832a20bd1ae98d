// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Municipalities} from "../../src/access/Municipalities.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {IBudgetToken} from "../../src/interfaces/IBudgetToken.sol";
import {Symbolic} from "./Symbolic.sol";

/// @title A municipality with its people, for symbolic checks
abstract contract Money is Symbolic {
    address internal constant OPERATOR = address(0x0123);
    address internal constant TREASURER = address(0x2001);
    address internal constant CLERK = address(0x2002);
    address internal constant ISSUER = address(0x2003);
    address internal constant CONTROLLER = address(0x2005);
    address internal constant ROUND = address(0x3001);
    uint64 internal constant ACCESS_UNTIL = type(uint64).max;
    uint128 internal constant APPROPRIATION = 1_000_000_00;

    Municipalities internal municipalities;

    function _people() internal {
        municipalities = new Municipalities(OPERATOR);
        vm.prank(OPERATOR);
        municipalities.admit("66401000", "T");
        _grant(IMunicipalities.Role.Treasurer, TREASURER);
        _grant(IMunicipalities.Role.Clerk, CLERK);
        _grant(IMunicipalities.Role.Issuer, ISSUER);
        _grant(IMunicipalities.Role.Controller, CONTROLLER);
    }

    function _grant(IMunicipalities.Role role, address account) internal {
        vm.prank(OPERATOR);
        municipalities.grantRole(1, role, account, 0, ACCESS_UNTIL, 0);
    }

    function _appropriation(uint128 amount) internal pure returns (IBudgetToken.Appropriation memory) {
        return IBudgetToken.Appropriation({
            amount: amount, fiscalYear: 2027, kbk: "90405030000000000244", documentHash: 0, documentURI: ""
        });
    }
}
