// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Roots of off-chain registers
/// @notice A *stream* is one register of one municipality: the credentials issued, the appeals, the moderation. It is an
/// append-only list of leaves, and its Merkle tree hash after RFC 9162, section 2.1.1 (SHA-256, the same as in
/// Certificate Transparency, so that its tools can check it), is anchored here from time to time. A new root is taken
/// only with a proof that its tree begins with the tree anchored before: an anchored leaf can never be changed, removed,
/// moved or dated back.
///
/// Warning: an anchor proves that a leaf existed by then. It does not prove that everything which should be in the
/// register is. A root does not contain the number of its leaves: whoever has the leaves must count them. Leaves must
/// hold no personal data, and must not be guessable if they are to be kept secret.
interface IAnchors {
    /// @notice A register.
    /// @param municipalityId Municipality that keeps it.
    /// @param anchorCount How many times it was anchored.
    /// @param leafCount Leaves under the last anchor; 0 before the first.
    struct Stream {
        uint32 municipalityId;
        uint64 anchorCount;
        uint64 leafCount;
    }

    /// @notice One anchored root.
    /// @param root Merkle tree hash of the first `leafCount` leaves.
    /// @param leafCount How many leaves.
    /// @param anchoredAt When it was anchored, Unix time.
    struct Anchor {
        bytes32 root;
        uint64 leafCount;
        uint64 anchoredAt;
    }

    error CallerLacksRole(address caller, uint8 role);
    error StreamNameEmpty();
    error StreamOpenAlready(bytes32 stream);
    error StreamUnknown(bytes32 stream);
    error LeafCountNotHigher(bytes32 stream, uint64 anchored, uint64 proposed);
    error ConsistencyNotProven(bytes32 stream, uint64 anchored, uint64 proposed);
    error AnchorUnknown(bytes32 stream, uint64 index);

    /// @dev Once for each municipality and name; `stream` is keccak256(abi.encode(municipalityId, name)).
    event StreamOpened(bytes32 indexed stream, uint32 indexed municipalityId, string name);
    /// @dev Indices count from 0 without gaps within a stream; leaf counts rise; the tree of each begins with the tree
    /// of the one before.
    event Anchored(bytes32 indexed stream, uint64 indexed index, bytes32 root, uint64 leafCount, uint64 anchoredAt);

    // --- The registrar anchors ---
    /// @notice Registrar: begins a register.
    /// @param name What the register is, such as "appeals"; not empty.
    function openStream(uint32 municipalityId, string calldata name) external returns (bytes32 stream);
    /// @notice Registrar: anchors the register with further leaves. Not stopped by a pause: it moves nothing, and what
    /// happens in an emergency has to be recorded too.
    /// @param leafCount More than anchored before.
    /// @param root Merkle tree hash of the first `leafCount` leaves.
    /// @param proof Consistency proof of RFC 9162, section 2.1.4, from the last anchor; empty for the first.
    function anchor(bytes32 stream, uint64 leafCount, bytes32 root, bytes32[] calldata proof)
        external
        returns (uint64 index);

    // --- Anyone checks ---
    /// @notice Whether `leaf` is at `leafIndex` of the register as anchored (RFC 9162, section 2.1.3.2).
    /// @param index Which anchor.
    /// @param leafIndex Place in the register, from 0.
    /// @param leaf The leaf itself, not its hash: the bytes that are hashed behind 0x00.
    function includes(bytes32 stream, uint64 index, uint64 leafIndex, bytes calldata leaf, bytes32[] calldata proof)
        external
        view
        returns (bool);
    /// @notice Whether the register as anchored later begins with the register as anchored earlier (RFC 9162, section
    /// 2.1.4.2).
    /// @dev `anchor` has checked it from each to the next; this is for those who want to see it for any two.
    function isConsistent(bytes32 stream, uint64 earlier, uint64 later, bytes32[] calldata proof)
        external
        view
        returns (bool);

    // --- Views ---
    function municipalities() external view returns (address);
    /// @notice keccak256(abi.encode(municipalityId, name)).
    function streamIdOf(uint32 municipalityId, string calldata name) external pure returns (bytes32 stream);
    function streamInfo(bytes32 stream) external view returns (Stream memory);
    /// @notice Every root ever anchored can be read.
    function anchorAt(bytes32 stream, uint64 index) external view returns (Anchor memory);
    /// @notice The last anchor; all zero before the first.
    function latest(bytes32 stream) external view returns (Anchor memory);
}
