// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

/// @title Register of municipalities and of the people who act for them
/// @notice The owner (the region's operator) admits municipalities and grants access. A grant names the application on
/// which it was given and ends by itself: expired access is no access. The owner itself never holds a role: it revokes,
/// and it stops new actions in an emergency, but cannot mint, pay or count.
interface IMunicipalities {
    /// @notice What an account may do for a municipality. `None` is never granted.
    enum Role {
        None,
        /// @notice Proposes to mint against a round's appropriation, reports payments, returns what is left.
        Treasurer,
        /// @notice Runs rounds: initiatives, phases, the proposal of a settlement.
        Clerk,
        /// @notice Publishes the number of credentials issued.
        Issuer,
        /// @notice Lists prizes in the reward shop.
        Partner,
        /// @notice Approves what another person proposed with money: a mint, a settlement.
        Controller,
        /// @notice Anchors off-chain registers.
        Registrar
    }

    /// @notice A municipality as the public registers know it.
    /// @param oktmo Code of ОК 033-2013, 8 or 11 digits as text: leading zeros matter.
    /// @param name Official name.
    struct Municipality {
        string oktmo;
        string name;
    }

    /// @notice One account's access to one role.
    /// @param validFrom First second of the access, Unix time.
    /// @param validUntil First second without access, Unix time.
    /// @param applicationHash keccak256 of the application on which access was granted.
    struct Grant {
        uint64 validFrom;
        uint64 validUntil;
        bytes32 applicationHash;
    }

    error OktmoMalformed(string oktmo);
    error MunicipalityAlreadyAdmitted(string oktmo, uint32 municipalityId);
    error MunicipalityUnknown(uint32 municipalityId);
    error GrantPeriodEmpty(uint64 validFrom, uint64 validUntil);
    error RoleNotGrantable(Role role);
    error GrantMissing(uint32 municipalityId, Role role, address account);
    error OwnerHoldsNoRole(address owner);
    error OwnershipNotRenounceable();
    error PauseUnchanged(bool paused);

    /// @dev Ids count from 1 without gaps; `oktmo` is unique.
    event MunicipalityAdmitted(uint32 indexed municipalityId, string oktmo, string name);
    /// @dev Replaces any earlier grant of the same role to the same account. While the account owns this register (see
    /// `OwnershipTransferred`) its grants sleep: who acts is the last grant of the account, in its period, unless it is the owner.
    event RoleGranted(
        uint32 indexed municipalityId,
        Role indexed role,
        address indexed account,
        uint64 validFrom,
        uint64 validUntil,
        bytes32 applicationHash
    );
    /// @dev From this event on the account has no access, whatever period was granted.
    event RoleRevoked(uint32 indexed municipalityId, Role indexed role, address indexed account);

    /// @dev New actions are refused by every contract that asks `paused`; refunds, returns and reading go on.
    event Paused(address indexed account, bytes32 reasonHash);
    /// @dev New actions go on from this block; follows a `Paused`, never another `Unpaused`. No deadline has moved meanwhile.
    event Unpaused(address indexed account);

    /// @notice Owner: admits a municipality.
    function admit(string calldata oktmo, string calldata name) external returns (uint32 municipalityId);
    /// @notice Owner: gives `account` access from `validFrom` until before `validUntil`, in place of any earlier grant
    /// of the role.
    function grantRole(
        uint32 municipalityId,
        Role role,
        address account,
        uint64 validFrom,
        uint64 validUntil,
        bytes32 applicationHash
    ) external;
    /// @notice Owner: ends the access at once.
    function revokeRole(uint32 municipalityId, Role role, address account) external;
    /// @notice Owner: stops new actions in all contracts of the deployment.
    /// @param reasonHash keccak256 of the published reason.
    function pause(bytes32 reasonHash) external;
    /// @notice Owner: lets new actions go on.
    function unpause() external;

    /// @notice Whether `account` may act in `role` now. Never true for the owner.
    function hasRole(uint32 municipalityId, Role role, address account) external view returns (bool);
    /// @notice The last grant, whether valid now or not; all zero if there is none or it was revoked.
    function grantOf(uint32 municipalityId, Role role, address account) external view returns (Grant memory);
    function municipality(uint32 municipalityId) external view returns (Municipality memory);
    function municipalityCount() external view returns (uint32);
    /// @notice Whether new actions are stopped.
    function paused() external view returns (bool);
}
