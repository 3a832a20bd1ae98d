// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {CitizenRecord} from "../../src/budget/CitizenRecord.sol";
import {Symbolic} from "./Symbolic.sol";

/// @title The packing of a citizen's record, for every class, version and distribution of some sizes
contract CitizenRecordCheck is Symbolic {
    using CitizenRecord for uint256;

    mapping(uint256 index => uint256 word) private _more;

    function check_NewRecordIsNeverZero(uint8 class) public pure {
        uint256 record = CitizenRecord.create(class);
        assert(record != 0);
        assert(record.classOf() == class);
        assert(record.versionOf() == 0);
        assert(record.choiceCount() == 0);
    }

    /// @dev Any choice that fits its 32 bits.
    function _fitting(uint256[] memory choices, uint256 count, uint32[16] memory values) private pure {
        for (uint256 i = 0; i < count; ++i) {
            choices[i] = values[i];
        }
    }

    function _checkPoints(uint256 record, uint32 version, uint32[16] memory values, uint256 count) private {
        uint256[] memory choices = new uint256[](count);
        _fitting(choices, count, values);
        uint256 written = record.writePoints(_more, version, choices, count);
        assert(written.classOf() == record.classOf());
        assert(written.versionOf() == version);
        assert(written.choiceCount() == count);
        assert(uint16(written) == uint16(record));
        uint256[] memory read = new uint256[](CitizenRecord.MAX_CHOICES);
        assert(written.readPoints(_more, read) == count);
        for (uint256 i = 0; i < count; ++i) {
            assert(read[i] == values[i]);
        }
        for (uint256 i = count; i < 20; ++i) {
            assert(read[i] == 0);
        }
    }

    function check_PointsNone(uint256 record, uint32 version, uint32[16] memory values) public {
        _checkPoints(record, version, values, 0);
    }

    function check_PointsFillTheRecord(uint256 record, uint32 version, uint32[16] memory values) public {
        _checkPoints(record, version, values, 6);
    }

    function check_PointsOneBeyondTheRecord(uint256 record, uint32 version, uint32[16] memory values) public {
        _checkPoints(record, version, values, 7);
    }

    function check_PointsFillTheSecondWord(uint256 record, uint32 version, uint32[16] memory values) public {
        _checkPoints(record, version, values, 14);
    }

    function check_PointsReachTheThirdWord(uint256 record, uint32 version, uint32[16] memory values) public {
        _checkPoints(record, version, values, 16);
    }

    /// @notice Whatever the further words held before, a shorter and then a longer list shows nothing of it.
    function check_PointsNothingOldIsRead(uint256 record, uint256 old, uint256 older, uint32[16] memory values) public {
        _more[0] = old;
        _more[1] = older;
        _checkPoints(record, 2, values, 3);
        _checkPoints(record, 3, values, 15);
    }

    function _checkApprovals(uint256 record, uint32 version, uint256[] memory choices) private {
        uint256 count = choices.length;
        uint256 written = record.writeApprovals(_more, version, choices, count);
        assert(written.classOf() == record.classOf());
        assert(written.versionOf() == version);
        assert(written.choiceCount() == count);
        assert(uint16(written) == uint16(record));
        uint256[] memory read = new uint256[](CitizenRecord.MAX_CHOICES);
        assert(written.readApprovals(_more, read) == count);
        for (uint256 i = 0; i < count; ++i) {
            assert(read[i] == choices[i]);
        }
        assert(read[count] == 0);
    }

    function check_ApprovalsNone(uint256 record, uint32 version) public {
        _checkApprovals(record, version, new uint256[](0));
    }

    /// @notice Every single id up to the most that a round can have.
    function check_ApprovalsOfOne(uint256 record, uint32 version, uint256 id) public {
        vm.assume(id >= 1 && id <= 400);
        uint256[] memory choices = new uint256[](1);
        choices[0] = id << 16 | 1;
        _checkApprovals(record, version, choices);
    }
}
