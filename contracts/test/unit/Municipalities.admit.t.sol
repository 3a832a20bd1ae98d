// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {RoundFixture} from "../RoundFixture.sol";

contract MunicipalitiesAdmitTest is RoundFixture {
    function test_RevertWhen_CallerIsNotOperator() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger));
        vm.prank(stranger);
        municipalities.admit("65701000", unicode"Екатеринбург");
    }

    function test_RevertWhen_OktmoIsMalformed() public {
        string[6] memory bad = ["", "6570100", "657010001", "6570100a", "657010000011", unicode"65701000１"];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IMunicipalities.OktmoMalformed.selector, bad[i]));
            vm.prank(operator);
            municipalities.admit(bad[i], unicode"Екатеринбург");
        }
    }

    function test_RevertGiven_AlreadyAdmitted() public {
        vm.expectRevert(
            abi.encodeWithSelector(IMunicipalities.MunicipalityAlreadyAdmitted.selector, "66401000", municipalityId)
        );
        vm.prank(operator);
        municipalities.admit("66401000", unicode"Другое имя");
    }

    function test_Admit() public {
        vm.expectEmit(address(municipalities));
        emit IMunicipalities.MunicipalityAdmitted(2, "01701000001", unicode"Барнаул");
        vm.prank(operator);
        uint32 id = municipalities.admit("01701000001", unicode"Барнаул");
        assertEq(id, 2, "ids count from 1 without gaps");
        assertEq(municipalities.municipalityCount(), 2, "count");
        assertEq(municipalities.municipality(2).oktmo, "01701000001", "leading zeros are kept");
        assertEq(municipalities.municipality(2).name, unicode"Барнаул", "name");
    }

    function test_RevertWhen_MunicipalityIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.MunicipalityUnknown.selector, 0));
        municipalities.municipality(0);
        vm.expectRevert(abi.encodeWithSelector(IMunicipalities.MunicipalityUnknown.selector, 2));
        municipalities.municipality(2);
    }
}
