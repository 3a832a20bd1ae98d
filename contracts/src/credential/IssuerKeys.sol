// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Context} from "@openzeppelin/contracts/utils/Context.sol";

import {IIssuerKeys} from "../interfaces/IIssuerKeys.sol";

/// @title Register of the issuer keys in use
contract IssuerKeys is IIssuerKeys, Context {
    address public immutable municipalities;
    mapping(address verifier => bool) public isVerifier;
    mapping(bytes32 keyHash => address verifier) public claimedBy;

    /// @param municipalities_ Register whose owner may admit further verifiers.
    /// @param verifiers Contracts of the same deployment; some of them may not stand yet.
    constructor(address municipalities_, address[] memory verifiers) {
        municipalities = municipalities_;
        for (uint256 i = 0; i < verifiers.length; ++i) {
            _admit(verifiers[i]);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // The operator admits verifiers
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IIssuerKeys
    function admitVerifier(address verifier) external {
        if (_msgSender() != Ownable(municipalities).owner()) revert CallerNotOwner(_msgSender());
        _admit(verifier);
    }

    function _admit(address verifier) private {
        if (isVerifier[verifier]) revert VerifierAlreadyAdmitted(verifier);
        isVerifier[verifier] = true;
        emit VerifierAdmitted(verifier);
    }

    // ---------------------------------------------------------------------------------------------
    // A verifier claims a key
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IIssuerKeys
    function claim(bytes32 keyHash) external {
        if (!isVerifier[_msgSender()]) revert CallerNotVerifier(_msgSender());
        if (claimedBy[keyHash] != address(0)) revert IssuerKeyReused(keyHash);
        claimedBy[keyHash] = _msgSender();
        emit IssuerKeyClaimed(keyHash, _msgSender());
    }
}
