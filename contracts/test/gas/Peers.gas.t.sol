// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {ERC2771Forwarder} from "@openzeppelin/contracts/metatx/ERC2771Forwarder.sol";

import {Assertions} from "../Assertions.sol";
import {ForwardTarget} from "../mocks/ForwardTarget.sol";

/// @title What the usual way to relay costs, measured as ours is: OpenZeppelin's ERC-2771 forwarder
/// @notice Every call is a transaction of its own: intrinsic gas and calldata are included, and every slot is cold.
/// forge-config: default.isolate = true
contract PeersGasTest is Assertions {
    uint48 private constant DEADLINE = type(uint48).max;

    ERC2771Forwarder private forwarder;
    ForwardTarget private target;

    function setUp() public {
        forwarder = new ERC2771Forwarder("Forwarder");
        target = new ForwardTarget(address(forwarder));
    }

    function _secret(uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("signer", index))) >> 4;
    }

    function _request(uint256 index, uint256 choice)
        private
        view
        returns (ERC2771Forwarder.ForwardRequestData memory request)
    {
        request.from = vm.addr(_secret(index));
        request.to = address(target);
        request.gas = 100_000;
        request.deadline = DEADLINE;
        request.data = abi.encodeCall(target.choose, (choice));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_secret(index), _digest(request));
        request.signature = abi.encodePacked(r, s, v);
    }

    function _digest(ERC2771Forwarder.ForwardRequestData memory request) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Forwarder"),
                keccak256("1"),
                block.chainid,
                address(forwarder)
            )
        );
        bytes32 content = keccak256(
            abi.encode(
                keccak256(
                    "ForwardRequest(address from,address to,uint256 value,uint256 gas,uint256 nonce,uint48 deadline,bytes data)"
                ),
                request.from,
                request.to,
                request.value,
                request.gas,
                forwarder.nonces(request.from),
                request.deadline,
                keccak256(request.data)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, content));
    }

    function _transact(address to, bytes memory data) private returns (uint256 gas) {
        (bool success,) = to.call(data);
        gas = vm.lastCallGas().gasTotalUsed;
        assertTrue(success, "the transaction succeeds");
    }

    function _record(string memory name, uint256 gas) private {
        vm.snapshotValue("peers", name, gas);
    }

    function test_Direct() public {
        _record("the target called directly, first", _transact(address(target), abi.encodeCall(target.choose, (1))));
        _record("the target called directly, change", _transact(address(target), abi.encodeCall(target.choose, (2))));
    }

    function test_Execute() public {
        uint256 first = _transact(address(forwarder), abi.encodeCall(forwarder.execute, (_request(0, 1))));
        assertEq(target.choiceOf(vm.addr(_secret(0))), 1, "recorded");
        _record("ERC2771Forwarder.execute, first", first);
        uint256 change = _transact(address(forwarder), abi.encodeCall(forwarder.execute, (_request(0, 2))));
        assertEq(target.choiceOf(vm.addr(_secret(0))), 2, "changed");
        _record("ERC2771Forwarder.execute, change", change);
    }

    function _batch(uint256 count, uint256 choice) private view returns (bytes memory) {
        ERC2771Forwarder.ForwardRequestData[] memory requests = new ERC2771Forwarder.ForwardRequestData[](count);
        for (uint256 i = 0; i < count; ++i) {
            requests[i] = _request(i, choice);
        }
        return abi.encodeCall(forwarder.executeBatch, (requests, payable(address(0xdead))));
    }

    function test_ExecuteBatch() public {
        uint256 first = _transact(address(forwarder), _batch(100, 1));
        assertEq(target.choiceOf(vm.addr(_secret(99))), 1, "recorded");
        _record("ERC2771Forwarder.executeBatch of 100, first, each", first / 100);
        uint256 change = _transact(address(forwarder), _batch(100, 2));
        assertEq(target.choiceOf(vm.addr(_secret(99))), 2, "changed");
        _record("ERC2771Forwarder.executeBatch of 100, change, each", change / 100);
    }
}
