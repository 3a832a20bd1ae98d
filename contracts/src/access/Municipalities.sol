// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IMunicipalities} from "../interfaces/IMunicipalities.sol";

/// @title Register of municipalities and of the people who act for them
contract Municipalities is IMunicipalities, Ownable2Step {
    uint32 private _count;
    bool public paused;
    mapping(uint32 municipalityId => Municipality) private _municipalities;
    mapping(bytes32 oktmoHash => uint32 municipalityId) private _idOf;
    mapping(uint32 municipalityId => mapping(Role role => mapping(address account => Grant))) private _grants;

    /// @param operator The region's operator, owner of this register.
    constructor(address operator) Ownable(operator) {}

    // ---------------------------------------------------------------------------------------------
    // The operator admits municipalities
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IMunicipalities
    function admit(string calldata oktmo, string calldata name) external onlyOwner returns (uint32 municipalityId) {
        if (!_isOktmo(oktmo)) revert OktmoMalformed(oktmo);
        bytes32 oktmoHash = keccak256(bytes(oktmo));
        if (_idOf[oktmoHash] != 0) revert MunicipalityAlreadyAdmitted(oktmo, _idOf[oktmoHash]);

        municipalityId = ++_count;
        _idOf[oktmoHash] = municipalityId;
        _municipalities[municipalityId] = Municipality({oktmo: oktmo, name: name});
        emit MunicipalityAdmitted(municipalityId, oktmo, name);
    }

    /// @dev 8 digits for a municipality, 11 for a settlement within it.
    function _isOktmo(string calldata oktmo) private pure returns (bool) {
        bytes calldata text = bytes(oktmo);
        if (text.length != 8 && text.length != 11) return false;
        for (uint256 i = 0; i < text.length; ++i) {
            if (text[i] < "0" || text[i] > "9") return false;
        }
        return true;
    }

    // ---------------------------------------------------------------------------------------------
    // The operator grants and revokes access
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IMunicipalities
    function grantRole(
        uint32 municipalityId,
        Role role,
        address account,
        uint64 validFrom,
        uint64 validUntil,
        bytes32 applicationHash
    ) external onlyOwner {
        if (municipalityId == 0 || municipalityId > _count) {
            revert MunicipalityUnknown(municipalityId);
        }
        if (role == Role.None) revert RoleNotGrantable(role);
        if (account == owner()) revert OwnerHoldsNoRole(account);
        if (validUntil <= validFrom) revert GrantPeriodEmpty(validFrom, validUntil);

        _grants[municipalityId][role][account] =
            Grant({validFrom: validFrom, validUntil: validUntil, applicationHash: applicationHash});
        emit RoleGranted(municipalityId, role, account, validFrom, validUntil, applicationHash);
    }

    /// @inheritdoc IMunicipalities
    function revokeRole(uint32 municipalityId, Role role, address account) external onlyOwner {
        if (_grants[municipalityId][role][account].validUntil == 0) revert GrantMissing(municipalityId, role, account);

        delete _grants[municipalityId][role][account];
        emit RoleRevoked(municipalityId, role, account);
    }

    // ---------------------------------------------------------------------------------------------
    // The operator stops new actions in an emergency
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IMunicipalities
    function pause(bytes32 reasonHash) external onlyOwner {
        if (paused) revert PauseUnchanged(true);
        paused = true;
        emit Paused(_msgSender(), reasonHash);
    }

    /// @inheritdoc IMunicipalities
    function unpause() external onlyOwner {
        if (!paused) revert PauseUnchanged(false);
        paused = false;
        emit Unpaused(_msgSender());
    }

    /// @notice Always reverts: without an owner nobody could revoke access or end a pause.
    function renounceOwnership() public pure override {
        revert OwnershipNotRenounceable();
    }

    // ---------------------------------------------------------------------------------------------
    // Views
    // ---------------------------------------------------------------------------------------------

    /// @inheritdoc IMunicipalities
    function hasRole(uint32 municipalityId, Role role, address account) external view returns (bool) {
        Grant storage grant = _grants[municipalityId][role][account];
        // Somebody with a role may have become the owner since.
        return grant.validFrom <= block.timestamp && block.timestamp < grant.validUntil && account != owner();
    }

    /// @inheritdoc IMunicipalities
    function grantOf(uint32 municipalityId, Role role, address account) external view returns (Grant memory) {
        return _grants[municipalityId][role][account];
    }

    /// @inheritdoc IMunicipalities
    function municipality(uint32 municipalityId) external view returns (Municipality memory) {
        if (municipalityId == 0 || municipalityId > _count) revert MunicipalityUnknown(municipalityId);
        return _municipalities[municipalityId];
    }

    /// @inheritdoc IMunicipalities
    function municipalityCount() external view returns (uint32) {
        return _count;
    }
}
