// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IParticipation} from "../../src/interfaces/IParticipation.sol";

/// @title Something to take part in, whose number of participants the test says
contract RewardTurnout is IParticipation {
    mapping(uint256 id => uint256) public participants;

    function set(uint256 id, uint256 count) external {
        participants[id] = count;
    }
}
