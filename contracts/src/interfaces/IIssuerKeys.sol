// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Register of the issuer keys in use
/// @notice A blind issuer cannot see for which round, class, poll or stamp it signs, so a key that served two of them
/// would let a credential for one be used for the other. Every contract that accepts credentials therefore claims each
/// of its keys here, once for ever.
interface IIssuerKeys {
    error CallerNotOwner(address caller);
    error CallerNotVerifier(address caller);
    error VerifierAlreadyAdmitted(address verifier);
    error IssuerKeyReused(bytes32 keyHash);

    /// @dev From this event on `verifier` may claim keys; it is never withdrawn.
    event VerifierAdmitted(address indexed verifier);
    /// @dev Once for each key; the key itself is in the verifier's own event of the same transaction.
    event IssuerKeyClaimed(bytes32 indexed keyHash, address indexed verifier);

    /// @notice Owner of the register of municipalities: lets a further contract claim keys.
    function admitVerifier(address verifier) external;

    /// @notice Claims a key. Caller: a verifier.
    /// @param keyHash keccak256 of an issuer key's 256 bytes, or of a sealing key's 32.
    function claim(bytes32 keyHash) external;

    /// @notice Register whose owner admits verifiers.
    function municipalities() external view returns (address);
    /// @notice Whether `verifier` may claim keys.
    function isVerifier(address verifier) external view returns (bool);
    /// @notice Who claimed the key; zero if nobody.
    function claimedBy(bytes32 keyHash) external view returns (address verifier);
}
