// Why a recount could not be carried out. Codes are for the page, which has the sentences, see recount-view.ts.

export const FAILURES = [
    /** The typed address is not one of http or https. */
    "address-malformed",
    /** {detail}: the node cannot be reached, or does not speak JSON-RPC. */
    "unreachable",
    /** {method} {detail}: the node refused a call. */
    "refused",
    /** {expected} {found}: the node follows another chain. */
    "other-chain",
    /** {detail}: the address does not answer as a round of Kopilka. */
    "not-a-round",
    /** {block} {detail}: the node gives no logs even of a single block. */
    "no-logs",
    /** {counted} {registered}: the node left out registrations that the contract counted. */
    "registrations-missing",
    /** Pledging has not opened: there is nothing to count. */
    "not-pledged",
    /** {detail}: the events form no election that can be settled. */
    "election-malformed",
    /** {detail}: a fault of this script. */
    "internal",
    // What an event says against an earlier one or by itself; all with {block} {log} {tx}.
    /** {detail}: an event that cannot be read. */
    "event-malformed",
    /** An event that was not asked for, of another contract or block. */
    "event-foreign",
    /** An event that the node itself calls removed. */
    "event-removed",
    /** {class}: classes do not count from 0 without gaps. */
    "class-out-of-order",
    /** {class}: a registration in a class that was never added. */
    "class-unknown",
    /** {initiative}: an initiative was added twice. */
    "initiative-twice",
    /** {account}: an account was registered twice. */
    "registered-twice",
    /** {account}: an allocation of an account that was never registered. */
    "never-registered",
    /** {account} {version} {before}: versions do not ascend. */
    "version-not-higher",
] as const;

export type FailureCode = (typeof FAILURES)[number];
export type FailureValues = Readonly<Record<string, string | number>>;

/** Why a recount ended without a result. */
export class Failure extends Error {
    override readonly name = "Failure";

    constructor(
        readonly code: FailureCode,
        readonly values: FailureValues = {},
    ) {
        super(`${code} ${JSON.stringify(values)}`);
    }
}
