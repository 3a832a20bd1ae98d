// SPDX-License-Identifier: AGPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IBudgetRound} from "../../src/interfaces/IBudgetRound.sol";
import {IMilestones} from "../../src/interfaces/IMilestones.sol";
import {IMunicipalities} from "../../src/interfaces/IMunicipalities.sol";
import {Vm} from "../Vm.sol";
import {RoundStore} from "./RoundStore.sol";
import {StaffActions} from "./StaffActions.sol";

/// @title What citizens, staff, the operator and strangers do to a round, in any order
/// @notice Before an action the model says whether it must be accepted, and of a batch which items; the store remembers
/// what disagreed.
contract RoundHandler is StaffActions {
    uint256 public constant CITIZENS = 10;

    /// @dev Kopecks of a fixed share of weight 1.
    uint128 private constant FIXED_AMOUNT = 23_000_00;

    IBudgetRound.BallotKind private _kind;
    IBudgetRound.Allotment private _allotment;
    mapping(uint8 class => mapping(address account => bytes)) private _issued;

    constructor(IBudgetRound.BallotKind kind, IBudgetRound.Allotment allotment) {
        _kind = kind;
        _allotment = allotment;
    }

    function setUp() public override {
        super.setUp();
        _setUpStaff();
        vm.recordLogs();
        IBudgetRound.RoundConfig memory config = _config(_kind, _allotment);
        if (_allotment == IBudgetRound.Allotment.Fixed) config.fixedAmount = FIXED_AMOUNT;
        _createWith(config, 2, 0);
        for (uint256 id = 1; id <= INITIATIVES; ++id) {
            vm.prank(clerk);
            round.addInitiative(_cost(id), keccak256("initiative"));
            store.setCost(id, _cost(id));
        }
        _mint(APPROPRIATION / 5);
        store.proposeMint(treasurer, APPROPRIATION / 5, keccak256("order"));
        store.decideMint(1, true, keccak256(abi.encode(token.mintProposal(1))));
        store.addMinted(APPROPRIATION / 5);
        _openRegistration();
        for (uint256 i = 0; i < CITIZENS; ++i) {
            _issued[0][_citizen(i)] = super._credential(0, _citizen(i));
            _issued[1][_citizen(i)] = super._credential(1, _citizen(i));
        }
        _remember(false);
    }

    /// @notice Brings the round to its settlement by the shortest way, so that the rest of its life gets its share of
    /// actions: a cumulative round, three winners of six.
    function fastForward() external remembered {
        address[] memory accounts = _accounts(0, 5);
        round.register(0, accounts, _credentials(0, accounts));
        for (uint256 i = 0; i < 5; ++i) {
            store.issue(i);
            store.register(i, 0);
        }
        _openPledging();
        store.setPledgingClosesAt(PLEDGING_UNTIL);
        store.setIssued(0, 5);
        _allocate(0, 1, _list(1, 5), _list(60, 40));
        store.allocate(0, 1, _list(1, 5), _list(60, 40));
        _closePledging();
        _propose(_list(1, 2, 4));
        store.setProposal(clerk, controller, uint64(block.timestamp));
        store.setResult(_list(1, 2, 4), keccak256("transcript"));
        _approve(_list(1, 2, 4));
        vm.warp(block.timestamp + OBJECTION_PERIOD);
        round.finalizeSettlement();
    }

    /// @dev Issued once and kept: making credentials takes longer than checking them.
    function _credential(uint8 class, address account) internal view override returns (bytes memory) {
        bytes memory kept = _issued[class][account];
        return kept.length != 0 ? kept : super._credential(class, account);
    }

    function _fixedShares() internal view override returns (bool) {
        return _allotment == IBudgetRound.Allotment.Fixed;
    }

    function theRound() external view returns (address) {
        return address(round);
    }

    function theMilestones() external view returns (address) {
        return address(milestones);
    }

    function theMunicipalities() external view returns (address) {
        return address(municipalities);
    }

    function citizenAddress(uint256 index) external pure returns (address) {
        return _citizen(index);
    }

    function _remember(bool paused) internal override {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (paused) _checkPaused(logs[i], store.phase());
            bytes32[] memory topics = logs[i].topics;
            if (logs[i].emitter == address(token) && topics[0] == IERC20.Transfer.selector) {
                store.transferred(
                    address(uint160(uint256(topics[1]))),
                    address(uint160(uint256(topics[2]))),
                    abi.decode(logs[i].data, (uint256))
                );
            }
            if (logs[i].emitter != address(round)) continue;
            if (topics[0] == IBudgetRound.Registered.selector) {
                store.sawRegistered(address(uint160(uint256(topics[1]))));
            }
            if (topics[0] == IBudgetRound.AllocationRecorded.selector) {
                (uint32 version,,) = abi.decode(logs[i].data, (uint32, uint16[], uint16[]));
                store.sawAllocation(address(uint160(uint256(topics[1]))), version);
            }
            if (topics[0] == IBudgetRound.PhaseChanged.selector) {
                store.sawPhase(IBudgetRound.Phase(uint256(topics[1])));
            }
        }
    }

    /// @dev Once there is somebody to allocate and something to be allocated.
    function _openForAllocations(uint256 seed) private returns (bool opened) {
        if (store.phase() == IBudgetRound.Phase.Registration && seed % 4 == 0 && store.registered() != 0) {
            opened = _tryToOpenPledging(seed);
        }
    }

    // ---------------------------------------------------------------------------------------------
    // Citizens
    // ---------------------------------------------------------------------------------------------

    /// @dev A batch of one to five; now and then somebody stands in it twice, or brings a credential of the other class.
    function register(uint256 seed, uint256 count) external remembered {
        seed = _mixed(seed);
        uint8 class = uint8(seed % 2);
        count = bound(count, 1, 5);
        uint256[] memory citizens = new uint256[](count);
        address[] memory accounts = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            citizens[i] = (seed >> 8) % (CITIZENS - count + 1) + i;
        }
        if ((seed >> 16) % 4 == 0) citizens[count - 1] = citizens[0];
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = _citizen(citizens[i]);
            store.issue(citizens[i]);
        }
        bytes memory signatures = _credentials(class, accounts);
        // Nobody's, most of the time.
        uint256 bad = (seed >> 24) % 8 == 0 ? (seed >> 32) % count : count;
        if (bad != count) _copy(_credential(1 - class, accounts[bad]), signatures, 96 * bad);

        bool[] memory kept = _predictRegistered(class, citizens);
        bool expected = !store.paused() && _isRegistering() && (bad == count || !kept[bad]);
        (bool success,) = address(round).call(abi.encodeCall(round.register, (class, accounts, signatures)));
        store.expect("REG-1", expected, success);
        // Events of a refused batch are recorded, though they never happened.
        if (!success) vm.getRecordedLogs();
        for (uint256 i = 0; i < count && success; ++i) {
            if (kept[i]) store.register(citizens[i], class);
        }
    }

    /// @dev Which items of a batch register somebody: those who are new, while the funds last.
    function _predictRegistered(uint8 class, uint256[] memory citizens) private view returns (bool[] memory kept) {
        kept = new bool[](citizens.length);
        uint256 left = type(uint256).max;
        uint256 share = 0;
        if (_fixedShares()) {
            left = store.minted() - store.totalWeight() * FIXED_AMOUNT;
            share = (class + 1) * FIXED_AMOUNT;
        }
        for (uint256 i = 0; i < citizens.length; ++i) {
            kept[i] = !store.citizen(citizens[i]).registered && share <= left;
            for (uint256 j = 0; j < i; ++j) {
                if (kept[j] && citizens[j] == citizens[i]) kept[i] = false;
            }
            if (kept[i]) left -= share;
        }
    }

    /// @dev Somebody without a credential of the class.
    function registerForged(uint256 seed) external remembered {
        seed = _mixed(seed);
        address[] memory accounts = new address[](1);
        accounts[0] = address(uint160(uint256(keccak256(abi.encode("forger", seed % 3)))));
        bytes memory signature = _credential(uint8(1 - seed % 2), accounts[0]);
        (bool success,) = address(round).call(abi.encodeCall(round.register, (uint8(seed % 2), accounts, signature)));
        // A batch may also be accepted because every account in it is skipped.
        store.forbidden(success && round.citizen(accounts[0]).registered);
    }

    /// @dev A batch of one to three allocations; some are bad.
    function allocate(uint256 seed) external remembered {
        seed = _mixed(seed);
        bool opened = _openForAllocations(seed >> 128);
        uint256 count = 1 + seed % 3;
        IBudgetRound.Allocation[] memory batch = new IBudgetRound.Allocation[](count);
        uint256[] memory signers = new uint256[](count);
        bool[] memory good = new bool[](count);
        bytes memory signatures;
        for (uint256 i = 0; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            signers[i] = seed % (CITIZENS + 1);
            (uint16[] memory initiatives, uint16[] memory points, bool wellFormed) = _choices(seed >> 8);
            uint32 version = store.citizen(signers[i]).version + uint32(seed >> 192) % 5;
            batch[i] = _allocation(signers[i], version, initiatives, points);
            bool genuine = (seed >> 224) % 6 != 0;
            signatures =
                bytes.concat(signatures, genuine ? _sign(signers[i], batch[i]) : _sign(signers[i] + 1, batch[i]));
            good[i] = wellFormed && genuine;
        }
        (bool success,) = address(round).call(abi.encodeCall(round.allocate, (batch, signatures)));
        // The store learns of the phase when the action is over.
        bool pledging = opened || store.phase() == IBudgetRound.Phase.Pledging;
        store.expect("ALO-9", !store.paused() && pledging, success);
        for (uint256 i = 0; i < count && success; ++i) {
            RoundStore.CitizenModel memory model = store.citizen(signers[i]);
            if (!good[i] || !model.registered || batch[i].version <= model.version) continue;
            store.allocate(signers[i], batch[i].version, batch[i].initiatives, batch[i].points);
        }
    }

    /// @dev Mostly well formed; now and then an id too many, an unordered pair or points that do not fit.
    function _choices(uint256 seed)
        private
        view
        returns (uint16[] memory initiatives, uint16[] memory points, bool wellFormed)
    {
        uint256 size = seed % (INITIATIVES + 1);
        bool approval = _kind == IBudgetRound.BallotKind.Approval;
        initiatives = new uint16[](size);
        points = new uint16[](approval ? 0 : size);
        wellFormed = true;
        uint256 id = 0;
        for (uint256 i = 0; i < size; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            // Leaves room for those that follow.
            id += 1 + seed % (INITIATIVES - id - (size - i - 1));
            initiatives[i] = uint16(id);
            if (!approval) points[i] = uint16(1 + (seed >> 64) % (100 / size));
        }
        if (size == 0 || seed >> 128 & 7 != 0) return (initiatives, points, true);
        wellFormed = false;
        uint256 fault = (seed >> 131) % 3;
        if (fault == 0 || approval) initiatives[size - 1] = INITIATIVES + 1;
        else if (fault == 1) points[0] = 0;
        else points[0] = 101;
    }

    // ---------------------------------------------------------------------------------------------
    // Strangers and holders
    // ---------------------------------------------------------------------------------------------

    function tryToMoveMoney(uint256 seed, address somebody, uint256 amount) external remembered {
        seed = _mixed(seed);
        address[7] memory callers = [
            somebody,
            _citizen(seed % CITIZENS),
            _wallet(uint16(1 + seed % INITIATIVES)),
            clerk,
            treasurer,
            controller,
            municipalities.owner()
        ];
        address caller = callers[(seed >> 8) % 7];
        if (caller == address(round)) return;
        bytes[8] memory calls = [
            abi.encodeCall(token.transfer, (somebody, amount)),
            abi.encodeCall(token.transferFrom, (address(round), somebody, amount)),
            abi.encodeCall(token.approve, (somebody, amount)),
            abi.encodeCall(token.release, ()),
            abi.encodeCall(token.rebalance, (new uint256[](INITIATIVES))),
            abi.encodeCall(token.burnPaid, (1, amount, 0, 0)),
            abi.encodeCall(token.returnPurse, ()),
            abi.encodeCall(token.applyMoves, (new uint256[](1), INITIATIVES))
        ];
        vm.prank(caller);
        (bool success,) = address(token).call(calls[(seed >> 16) % 8]);
        store.forbidden(success);
    }

    function tryToGovern(uint256 seed, address somebody) external remembered {
        seed = _mixed(seed);
        RoundStore.MintModel memory last = store.mintModel(store.mintCount());
        bytes[18] memory calls = [
            abi.encodeCall(round.openPledging, ()),
            abi.encodeCall(round.closePledging, ()),
            abi.encodeCall(round.proposeSettlement, (_list(1), 0)),
            abi.encodeCall(round.approveSettlement, (_list(1), 0)),
            abi.encodeCall(round.withdrawSettlement, ()),
            abi.encodeCall(round.cancel, ()),
            abi.encodeCall(round.publishIssued, (0, type(uint32).max)),
            abi.encodeCall(round.recordPayment, (1, 1, 0, 0)),
            abi.encodeCall(round.returnRemainder, (1)),
            abi.encodeCall(round.close, ()),
            abi.encodeCall(token.proposeMint, (1, 0)),
            abi.encodeCall(token.approveMint, (store.mintCount(), last.amount, last.documentHash)),
            abi.encodeCall(token.cancelMint, (store.mintCount())),
            abi.encodeCall(municipalities.pause, (0)),
            abi.encodeCall(municipalities.unpause, ()),
            abi.encodeCall(municipalities.revokeRole, (municipalityId, IMunicipalities.Role.Clerk, clerk)),
            abi.encodeCall(milestones.reach, (address(round), 1, IMilestones.Stage.Plan, keccak256("act"))),
            abi.encodeCall(milestones.abandon, (address(round), 1, keccak256("reason")))
        ];
        // The operator manages access and the pause, and nothing else; all others of the staff have a part in it.
        address[7] memory staff = actors();
        uint256 choice = (seed >> 8) % 18;
        // From a day after its end on anybody may close pledging: `advance` does.
        bool late = block.timestamp >= store.pledgingClosesAt() + CLOSING_GRACE;
        if (choice == 1 && store.phase() == IBudgetRound.Phase.Pledging && late) return;
        for (uint256 i = 0; i < 7; ++i) {
            if (somebody == staff[i]) return;
        }
        address owner = municipalities.owner();
        bool asOwner = seed % 3 == 0 && (choice < 10 || choice > 15);
        address caller = asOwner ? owner : somebody;
        address target = choice < 10 ? address(round) : choice < 13 ? address(token) : address(municipalities);
        if (choice > 15) target = address(milestones);
        vm.prank(caller);
        (bool success,) = target.call(calls[choice]);
        store.forbidden(success);
    }
}
