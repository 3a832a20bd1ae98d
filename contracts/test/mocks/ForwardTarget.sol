// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";

/// @title What a poll without anonymity and relayed by OpenZeppelin's forwarder would do: record one choice of the sender
contract ForwardTarget is ERC2771Context {
    mapping(address account => uint256) public choiceOf;

    event Chosen(address indexed account, uint256 choice);

    constructor(address forwarder) ERC2771Context(forwarder) {}

    function choose(uint256 choice) external {
        choiceOf[_msgSender()] = choice;
        emit Chosen(_msgSender(), choice);
    }
}
