// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Blind BLS credentials, checked in batches
/// @notice A credential is σ = x·H(m): signature in G1, issuer key x·g₂ in G2, H after RFC 9380
/// `BLS12381G1_XMD:SHA-256_SSWU_RO_`. The message says for which chain, contract, round, class and account it is.
/// @dev Uses the precompiles of EIP-2537, in whose encodings points appear here: 64 bytes for a coordinate, 16 of them
/// zero.
///
/// Warning: a batch is only ever checked by a random linear combination, e(Σ cᵢσᵢ, g₂) = e(Σ cᵢH(mᵢ), pk), its
/// coefficients hashed from the complete batch. A plain sum would accept a signature on H(m₁)+H(m₂), which a blind
/// issuer gives to anyone who asks, as credentials for two accounts.
library BlindCredential {
    /// @notice What a credential is good for, besides the account.
    /// @param verifier The contract that accepts it.
    /// @param id Round (or poll) within that contract.
    /// @param class Class of citizens.
    struct Scope {
        address verifier;
        uint256 id;
        uint8 class;
    }

    /// @notice Bytes of one signature: x and y without padding.
    uint256 internal constant SIGNATURE_LENGTH = 96;
    /// @notice Bytes of an issuer key: x and y in G2.
    uint256 internal constant ISSUER_KEY_LENGTH = 256;

    uint256 private constant SHA256 = 0x02;
    uint256 private constant G1ADD = 0x0b;
    uint256 private constant G1MSM = 0x0c;
    uint256 private constant G2MSM = 0x0e;
    uint256 private constant PAIRING = 0x0f;
    uint256 private constant MAP_FP_TO_G1 = 0x10;

    /// @dev A precompile that refuses its input burns all gas it was given, so those that see a stranger's points are
    /// given no more than their undiscounted price and a reserve for a repricing. The others cannot fail.
    uint256 private constant MSM_GAS_FIXED = 100_000;
    uint256 private constant MSM_GAS_PER_POINT = 12_000;

    /// @dev The field modulus in two words, and floor(2^512 / p).
    uint256 private constant P_HIGH = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant P_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
    uint256 private constant P_RECIPROCAL = 0x9d835d2f3cc9e45ce28101b0cc7a6ba29;

    /// @dev `I2OSP(128, 2) ‖ I2OSP(0, 1) ‖ DST ‖ I2OSP(53, 1)` of expand_message_xmd, in pieces of 12, 32 and 13 bytes,
    /// with DST = "KOPILKA-V01-CS01-with-BLS12381G1_XMD:SHA-256_SSWU_RO_".
    uint256 private constant SUFFIX_1 = 0x0080004b4f50494c4b412d56;
    uint256 private constant SUFFIX_2 = 0x30312d435330312d776974682d424c53313233383147315f584d443a5348412d;
    uint256 private constant SUFFIX_3 = 0x3235365f535357555f524f5f35 << 152;
    /// @dev `DST ‖ I2OSP(53, 1)` in pieces of 31 and 23 bytes.
    uint256 private constant DST_1 = 0x4b4f50494c4b412d5630312d435330312d776974682d424c53313233383147;
    uint256 private constant DST_2 = 0x315f584d443a5348412d3235365f535357555f524f5f35 << 72;

    // ---------------------------------------------------------------------------------------------
    // Issuer keys
    // ---------------------------------------------------------------------------------------------

    /// @notice Whether `key` is a point of G2's prime-order subgroup other than infinity, in EIP-2537 encoding.
    function isIssuerKey(bytes calldata key) internal view returns (bool valid) {
        if (key.length != ISSUER_KEY_LENGTH) return false;
        uint256 gasLimit = MSM_GAS_FIXED + 2 * MSM_GAS_PER_POINT;
        // Multiplying by one changes nothing, but the precompile checks field, curve and subgroup on the way.
        assembly ("memory-safe") {
            let input := mload(0x40)
            calldatacopy(input, key.offset, 256)
            mstore(add(input, 256), 1)
            valid := staticcall(gasLimit, G2MSM, input, 288, input, 256)
            let bits := 0
            for { let i := 0 } lt(i, 256) { i := add(i, 32) } { bits := or(bits, mload(add(input, i))) }
            valid := and(valid, iszero(iszero(bits)))
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Batches
    // ---------------------------------------------------------------------------------------------

    /// @notice Whether every kept account holds its credential.
    /// @param issuerKey Key of the scope's class; must have passed `isIssuerKey`.
    /// @param accounts All accounts of the batch.
    /// @param signatures For each account 96 bytes; the caller has checked the length.
    /// @param kept Indices of the accounts to check, none twice; at least one.
    function verify(
        Scope memory scope,
        bytes memory issuerKey,
        address[] calldata accounts,
        bytes calldata signatures,
        uint256[] memory kept
    ) internal view returns (bool) {
        bytes32 batchSeed = seed(scope, issuerKey, accounts, signatures);
        uint256 pairs = _allocate(kept.length * 160);
        // Input of the pairing: Σcσ (128) | -g₂ (256) | Σc·H(m) (128) | pk (256).
        uint256 pairing = _allocate(768);

        if (!_loadSignatures(pairs, signatures, kept, batchSeed)) return false;
        if (!_multiply(pairs, kept.length, pairing)) return false;
        _loadHashes(pairs, scope, accounts, kept);
        if (!_multiply(pairs, kept.length, pairing + 384)) return false;
        return _pairingIsOne(pairing, issuerKey);
    }

    /// @notice What the coefficients of a batch are hashed from: cᵢ = keccak256(seed ‖ i), its upper 128 bits.
    /// @dev All signatures, accounts and the key go in: whoever knew the coefficients before choosing the signatures could
    /// forge as if they were all one. Which of them are skipped does not go in, so whoever can have items skipped at will may
    /// choose a subset, knowing the coefficients, in which errors of signatures cancel. It gains nothing: accounts outnumber
    /// the issuer's signatures only when every account with an error has been accepted, and then the last batch leaves
    /// nothing to choose.
    function seed(Scope memory scope, bytes memory issuerKey, address[] calldata accounts, bytes calldata signatures)
        internal
        view
        returns (bytes32 result)
    {
        bytes32 context = keccak256(abi.encode(block.chainid, scope.verifier, scope.id, scope.class, issuerKey));
        assembly ("memory-safe") {
            let input := mload(0x40)
            let accountBytes := shl(5, accounts.length)
            mstore(input, context)
            mstore(add(input, 32), accounts.length)
            calldatacopy(add(input, 64), accounts.offset, accountBytes)
            calldatacopy(add(add(input, 64), accountBytes), signatures.offset, signatures.length)
            result := keccak256(input, add(64, add(accountBytes, signatures.length)))
        }
    }

    /// @notice The message of a credential, 105 bytes.
    function message(Scope memory scope, address account) internal view returns (bytes memory) {
        return abi.encodePacked(block.chainid, scope.verifier, scope.id, scope.class, account);
    }

    /// @notice H(m): the point of G1 that the issuer signs, 128 bytes.
    function hashToG1(Scope memory scope, address account) internal view returns (bytes memory point) {
        point = new bytes(128);
        uint256 frame = _frame(scope);
        uint256 out;
        assembly ("memory-safe") {
            out := add(point, 32)
        }
        _hashTo(out, frame, account);
    }

    // ---------------------------------------------------------------------------------------------
    // Steps of a batch
    // ---------------------------------------------------------------------------------------------

    /// @dev Writes (σᵢ, cᵢ) for each kept account. False if a signature is infinity: the precompile would take it and only
    /// the equation refuse it.
    function _loadSignatures(uint256 pairs, bytes calldata signatures, uint256[] memory kept, bytes32 batchSeed)
        private
        pure
        returns (bool valid)
    {
        assembly ("memory-safe") {
            valid := 1
            mstore(0x00, batchSeed)
            let index := add(kept, 32)
            let end := add(index, shl(5, mload(kept)))
            for { let pair := pairs } lt(index, end) {
                index := add(index, 32)
                pair := add(pair, 160)
            } {
                let i := mload(index)
                let signature := add(signatures.offset, mul(i, 96))
                let xHigh := shr(128, calldataload(signature))
                let xLow := calldataload(add(signature, 16))
                let yHigh := shr(128, calldataload(add(signature, 48)))
                let yLow := calldataload(add(signature, 64))
                mstore(pair, xHigh)
                mstore(add(pair, 32), xLow)
                mstore(add(pair, 64), yHigh)
                mstore(add(pair, 96), yLow)
                // 128 bits of the hash, and one instead of zero.
                mstore(0x20, i)
                let coefficient := shr(128, keccak256(0x00, 0x40))
                mstore(add(pair, 128), add(coefficient, iszero(coefficient)))
                if iszero(or(or(xHigh, xLow), or(yHigh, yLow))) { valid := 0 }
            }
        }
    }

    /// @dev Replaces the points by H(mᵢ) and leaves the coefficients.
    function _loadHashes(uint256 pairs, Scope memory scope, address[] calldata accounts, uint256[] memory kept)
        private
        view
    {
        uint256 frame = _frame(scope);
        uint256 end = pairs + kept.length * 160;
        uint256 index;
        assembly ("memory-safe") {
            index := add(kept, 32)
        }
        for (uint256 pair = pairs; pair < end;) {
            address account;
            assembly ("memory-safe") {
                account := calldataload(add(accounts.offset, shl(5, mload(index))))
                index := add(index, 32)
            }
            _hashTo(pair, frame, account);
            unchecked {
                pair += 160;
            }
        }
    }

    /// @dev Σ cᵢPᵢ. The precompile refuses points outside the field, the curve or the subgroup.
    function _multiply(uint256 pairs, uint256 count, uint256 out) private view returns (bool success) {
        uint256 gasLimit = MSM_GAS_FIXED + count * MSM_GAS_PER_POINT;
        assembly ("memory-safe") {
            success := staticcall(gasLimit, G1MSM, pairs, mul(count, 160), out, 128)
        }
    }

    /// @dev e(first point, -g₂) · e(second point, pk) = 1. Both points come out of a multiplication and the key was
    /// checked when it was published, so the precompile accepts its input.
    function _pairingIsOne(uint256 pairing, bytes memory issuerKey) private view returns (bool one) {
        assembly ("memory-safe") {
            let point := add(pairing, 128)
            mstore(point, 0x024aa2b2f08f0a91260805272dc51051)
            mstore(add(point, 32), 0xc6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8)
            mstore(add(point, 64), 0x13e02b6052719f607dacd3a088274f65)
            mstore(add(point, 96), 0x596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e)
            mstore(add(point, 128), 0x0d1b3cc2c7027888be51d9ef691d77bc)
            mstore(add(point, 160), 0xb679afda66c73f17f9ee3837a55024f78c71363275a75d75d86bab79f74782aa)
            mstore(add(point, 192), 0x13fa4d4a0ad8b1ce186ed5061789213d)
            mstore(add(point, 224), 0x993923066dddaf1040bc3ff59f825c78df74f2d75467e25e0f55f8a00fa030ed)
            mcopy(add(pairing, 512), add(issuerKey, 32), 256)
            let success := staticcall(gas(), PAIRING, pairing, 768, 0x00, 32)
            one := and(success, eq(mload(0x00), 1))
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Hash to curve
    // ---------------------------------------------------------------------------------------------

    /// @dev Scratch memory that `_hashTo` works in, with all that is the same for every account of a scope:
    /// 0 | 64 zero bytes, message (105), suffix (57): input of b₀, 226 bytes
    /// 256 | b₀ xor bᵢ₋₁ (32), i (1), DST (54): input of bᵢ, 87 bytes
    /// 352 | b₁ | b₂ | b₃ | b₄
    /// 480 | first mapped point (128) | second mapped point (128): input of the addition
    function _frame(Scope memory scope) private view returns (uint256 frame) {
        frame = _allocate(736);
        uint256 class = scope.class;
        uint256 id = scope.id;
        uint256 verifier = uint160(scope.verifier);
        assembly ("memory-safe") {
            mstore(frame, 0)
            mstore(add(frame, 32), 0)
            mstore(add(frame, 64), chainid())
            mstore(add(frame, 96), shl(96, verifier))
            mstore(add(frame, 116), id)
            mstore8(add(frame, 148), class)
            mstore(add(frame, 181), SUFFIX_2)
            mstore(add(frame, 213), SUFFIX_3)
            mstore(add(frame, 289), shl(8, DST_1))
            mstore(add(frame, 320), DST_2)
        }
    }

    /// @dev Writes H(m) for `account` to `out`.
    function _hashTo(uint256 out, uint256 frame, address account) private view {
        assembly ("memory-safe") {
            // Reduces the 64 bytes at `position` modulo p, in place. The quotient estimate is at most 2 too small.
            function reduce(position) {
                let high := mload(position)
                let low := mload(add(position, 32))
                let product := mul(high, P_RECIPROCAL)
                let quotient := mulmod(high, P_RECIPROCAL, not(0))
                quotient := sub(sub(quotient, product), lt(quotient, product))
                product := mul(quotient, P_LOW)
                let carry := mulmod(quotient, P_LOW, not(0))
                carry := add(sub(sub(carry, product), lt(carry, product)), mul(quotient, P_HIGH))
                high := sub(sub(high, carry), lt(low, product))
                low := sub(low, product)
                for {} or(gt(high, P_HIGH), and(eq(high, P_HIGH), iszero(lt(low, P_LOW)))) {} {
                    high := sub(sub(high, P_HIGH), lt(low, P_LOW))
                    low := sub(low, P_LOW)
                }
                mstore(position, high)
                mstore(add(position, 32), low)
            }

            // expand_message_xmd to 128 bytes, its four blocks written out instead of looped over, to save gas.
            mstore(add(frame, 149), or(shl(96, account), SUFFIX_1))
            let chain := add(frame, 256)
            let blocks := add(frame, 352)
            let counter := add(frame, 288)
            let success := staticcall(gas(), SHA256, frame, 226, chain, 32)
            let first := mload(chain)
            mstore8(counter, 1)
            success := and(success, staticcall(gas(), SHA256, chain, 87, blocks, 32))
            mstore(chain, xor(first, mload(blocks)))
            mstore8(counter, 2)
            success := and(success, staticcall(gas(), SHA256, chain, 87, add(frame, 384), 32))
            mstore(chain, xor(first, mload(add(frame, 384))))
            mstore8(counter, 3)
            success := and(success, staticcall(gas(), SHA256, chain, 87, add(frame, 416), 32))
            mstore(chain, xor(first, mload(add(frame, 416))))
            mstore8(counter, 4)
            success := and(success, staticcall(gas(), SHA256, chain, 87, add(frame, 448), 32))

            // hash_to_field, map_to_curve and clear_cofactor for both elements, then their sum.
            reduce(blocks)
            reduce(add(blocks, 64))
            let points := add(frame, 480)
            success := and(success, staticcall(gas(), MAP_FP_TO_G1, blocks, 64, points, 128))
            success := and(success, staticcall(gas(), MAP_FP_TO_G1, add(blocks, 64), 64, add(points, 128), 128))
            success := and(success, staticcall(gas(), G1ADD, points, 256, out, 128))
            // Only for want of gas, or on a chain without the precompiles.
            if iszero(success) { revert(0, 0) }
        }
    }

    /// @dev Memory that stays reserved; its content is undefined.
    function _allocate(uint256 size) private pure returns (uint256 position) {
        assembly ("memory-safe") {
            position := mload(0x40)
            mstore(0x40, add(position, size))
        }
    }
}
