// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IBudgetRound} from "../interfaces/IBudgetRound.sol";
import {CitizenRecord} from "./CitizenRecord.sol";

/// @title A batch of allocations: what is signed, whether it is well formed, and which moves of money come of it
/// @notice Works on calldata and memory alone; `BudgetRound.allocate` knows who is registered and what is recorded.
library AllocationBatch {
    /// @notice Working memory of a batch of allocations.
    /// @param approval Whether the ballot kind is approval.
    /// @param sharePoints Points of a citizen's share, 0 for approval.
    /// @param initiativeCount Ids run from 1 to this.
    /// @param shares Share of each class in kopecks, zero until asked for.
    /// @param before The recorded choices of the citizen at hand.
    /// @param beforeCount How many there are.
    /// @param chosen The choices that replace them.
    /// @param chosenCount How many there are.
    /// @param moves What the token will apply, see `IBudgetTokenRound.applyMoves`.
    /// @param moveCount Words of `moves` in use.
    /// @param newcomers Accounts whose first allocation is in this batch.
    struct Batch {
        bool approval;
        uint256 sharePoints;
        uint256 initiativeCount;
        uint256[] shares;
        uint256[] before;
        uint256 beforeCount;
        uint256[] chosen;
        uint256 chosenCount;
        uint256[] moves;
        uint256 moveCount;
        uint256 newcomers;
    }

    /// @notice Most points that a share may be divided into.
    uint256 internal constant MAX_SHARE_POINTS = 10_000;
    /// @notice Bytes of one signature in a batch.
    uint256 internal constant SIGNATURE_LENGTH = 64;

    bytes32 private constant TYPEHASH =
        keccak256("Allocation(address account,uint32 version,uint16[] initiatives,uint16[] points)");

    // ---------------------------------------------------------------------------------------------
    // What the citizen sent
    // ---------------------------------------------------------------------------------------------

    /// @notice Reads the new choices into the batch; false if they are not well formed.
    /// @dev Takes whole words from the calldata, so that an id or a number of points beyond 16 bits is a malformed item
    /// and not the end of the batch.
    function read(Batch memory batch, IBudgetRound.Allocation calldata allocation) internal pure returns (bool) {
        uint16[] calldata initiatives = allocation.initiatives;
        uint16[] calldata points = allocation.points;
        uint256 count = initiatives.length;
        if (count > CitizenRecord.MAX_CHOICES) return false;
        if (points.length != (batch.approval ? 0 : count)) return false;

        bool approval = batch.approval;
        uint256 initiativeCount_ = batch.initiativeCount;
        uint256[] memory chosen = batch.chosen;
        uint256 previous = 0;
        uint256 sum = 0;
        // At most 255 times at most 10 000.
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                uint256 id = _wordAt(initiatives, i);
                uint256 value = approval ? 1 : _wordAt(points, i);
                if (id <= previous || id > initiativeCount_) return false;
                if (value == 0 || value > MAX_SHARE_POINTS) return false;
                previous = id;
                sum += value;
                chosen[i] = id << 16 | value;
            }
        }
        batch.chosenCount = count;
        return approval || sum <= batch.sharePoints;
    }

    function _wordAt(uint16[] calldata list, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(list.offset, shl(5, index)))
        }
    }

    /// @notice Whether the account itself signed: EIP-712, compact signatures of EIP-2098 one after another.
    function isSigned(
        IBudgetRound.Allocation calldata allocation,
        bytes32 domainSeparator,
        bytes calldata signatures,
        uint256 index
    ) internal pure returns (bool) {
        bytes32 digest = _digest(domainSeparator, allocation);
        uint256 start = index * SIGNATURE_LENGTH;
        bytes32 r = bytes32(signatures[start:start + 32]);
        bytes32 vs = bytes32(signatures[start + 32:start + 64]);
        (address signer, ECDSA.RecoverError err,) = ECDSA.tryRecover(digest, r, vs);
        return err == ECDSA.RecoverError.NoError && signer == allocation.account;
    }

    /// @dev EIP-712 encodes an array as the hash of its elements, each a whole word: just as they stand in the
    /// calldata.
    function _digest(bytes32 domainSeparator, IBudgetRound.Allocation calldata allocation)
        private
        pure
        returns (bytes32 digest)
    {
        uint16[] calldata initiatives = allocation.initiatives;
        uint16[] calldata points = allocation.points;
        address account = allocation.account;
        uint256 version = allocation.version;
        bytes32 typehash = TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, initiatives.offset, shl(5, initiatives.length))
            let initiativesHash := keccak256(free, shl(5, initiatives.length))
            calldatacopy(free, points.offset, shl(5, points.length))
            let pointsHash := keccak256(free, shl(5, points.length))
            mstore(free, typehash)
            mstore(add(free, 32), account)
            mstore(add(free, 64), version)
            mstore(add(free, 96), initiativesHash)
            mstore(add(free, 128), pointsHash)
            let structHash := keccak256(free, 160)
            mstore(free, hex"1901")
            mstore(add(free, 2), domainSeparator)
            mstore(add(free, 34), structHash)
            digest := keccak256(free, 66)
        }
    }

    /// @notice `emit AllocationRecorded(account, version, initiatives, points)`.
    /// @dev The lists, known to be clean, are copied as they stand in the calldata, which is cheaper than encoding them.
    function emitRecorded(address account, uint256 version, uint16[] calldata initiatives, uint16[] calldata points)
        internal
    {
        bytes32 topic = IBudgetRound.AllocationRecorded.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            let firstSize := shl(5, initiatives.length)
            let secondSize := shl(5, points.length)
            mstore(free, version)
            mstore(add(free, 32), 96)
            mstore(add(free, 64), add(128, firstSize))
            mstore(add(free, 96), initiatives.length)
            calldatacopy(add(free, 128), initiatives.offset, firstSize)
            let second := add(add(free, 128), firstSize)
            mstore(second, points.length)
            calldatacopy(add(second, 32), points.offset, secondSize)
            log2(free, add(add(160, firstSize), secondSize), topic, account)
        }
    }

    // ---------------------------------------------------------------------------------------------
    // What it moves
    // ---------------------------------------------------------------------------------------------

    /// @notice Appends the differences between the recorded distribution and the chosen one: both ascend by id.
    function addMoves(Batch memory batch, address account, uint256 share) internal pure {
        uint256[] memory before = batch.before;
        uint256[] memory chosen = batch.chosen;
        uint256[] memory moves = batch.moves;
        uint256 beforeCount = batch.beforeCount;
        uint256 chosenCount = batch.chosenCount;
        uint256 beforeDivisor = batch.approval ? beforeCount : batch.sharePoints;
        uint256 chosenDivisor = batch.approval ? chosenCount : batch.sharePoints;
        uint256 head = batch.moveCount;
        // Counters are below 2^16, shares below 2^160 and points below 2^16.
        unchecked {
            uint256 next = head + 1;
            uint256 i = 0;
            uint256 j = 0;
            while (i < beforeCount || j < chosenCount) {
                uint256 was = i < beforeCount ? before[i] : type(uint256).max;
                uint256 becomes = j < chosenCount ? chosen[j] : type(uint256).max;
                uint256 id = (was < becomes ? was : becomes) >> 16;
                // Two's complement: what the wallet gains.
                uint256 change = 0;
                if (becomes >> 16 == id) {
                    change = part(share, becomes, chosenDivisor);
                    ++j;
                }
                if (was >> 16 == id) {
                    change -= part(share, was, beforeDivisor);
                    ++i;
                }
                if (change != 0) moves[next++] = id << 240 | uint240(change);
            }
            if (next == head + 1) return;
            moves[head] = (next - head - 1) << 160 | uint160(account);
            batch.moveCount = next;
        }
    }

    /// @notice The moves of the whole batch, see `IBudgetTokenRound.applyMoves`.
    function collected(Batch memory batch) internal pure returns (uint256[] memory moves) {
        moves = batch.moves;
        uint256 moveCount = batch.moveCount;
        // The array was allocated longer than it turned out to be.
        assembly ("memory-safe") {
            mstore(moves, moveCount)
        }
    }

    /// @notice What a choice is worth, rounded down: what rounding leaves stays in the purse.
    function part(uint256 share, uint256 choice, uint256 divisor) internal pure returns (uint256) {
        // A share is below 2^160.
        unchecked {
            return share * uint16(choice) / divisor;
        }
    }
}
