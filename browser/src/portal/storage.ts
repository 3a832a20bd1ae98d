// What this browser keeps: keys, progress, drafts and receipts, apart for each of its users. Nothing of it goes to a server.
//
// Users are told apart by the opaque name that the portal gives to each citizen's own browser: without it two people who
// share a browser would have one key signed twice, and one of them would lose the right to vote.

import { fromHex, toHex, type Hex, type MasterSecret, type PartialSignature } from "../credential/index.ts";
import type { SignedAllocation } from "./allocation.ts";
import type { Receipt } from "./receipt.ts";

/** How far a citizen is in one round. */
export interface Progress {
    class?: number;
    /** Parts of the signature, where several issuers must sign, until there are enough. */
    partials?: readonly PartialSignature[];
    /** The unblinded, verified credential. */
    signature?: Hex;
    /** Id of the registration at the relayer. */
    registrationId?: Hex;
    /** Choices not sent yet, by initiative. */
    draft?: Record<string, number>;
    /** Sent, not seen in a block yet. */
    pending?: { readonly allocation: SignedAllocation; readonly id?: Hex };
    /** Highest version ever signed. */
    signedVersion?: number;
    receipt?: Receipt;
}

interface Profile {
    master: Hex;
    wordsChecked: boolean;
    /** The citizen asked to write the words down later. */
    wordsLater: boolean;
    rounds: Record<string, Progress>;
}

interface Content {
    format: 1;
    current: string;
    profiles: Record<string, Profile>;
}

/** Anything like localStorage. */
export interface KeyValue {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
}

const KEY = "kopilka";
/** A key that was restored while nobody was logged in: the next citizen who logs in takes it. */
const NOBODY = "";

export class Storage {
    constructor(private readonly backend: KeyValue) {}

    /** Whether the browser keeps what is written; private windows may not. */
    works(): boolean {
        try {
            this.backend.setItem(`${KEY}-probe`, "1");
            return this.backend.getItem(`${KEY}-probe`) === "1";
        } catch {
            return false;
        }
    }

    /** Turns to the citizen who is logged in. True if another citizen's key was current until now. */
    open(profile: string): boolean {
        const content = this.#read();
        const before = content.current;
        if (content.current === profile) return false;
        if (!content.profiles[profile] && content.profiles[NOBODY]) {
            content.profiles[profile] = content.profiles[NOBODY];
            delete content.profiles[NOBODY];
        }
        content.current = profile;
        this.#write(content);
        return before !== NOBODY && content.profiles[before] !== undefined && content.profiles[profile] === undefined;
    }

    master(): MasterSecret | undefined {
        const profile = this.#profile();
        return profile && fromHex(profile.master);
    }

    /** Keeps a key for the current citizen; a different one starts without progress. */
    keep(master: MasterSecret, wordsChecked: boolean): void {
        const content = this.#read();
        const earlier = content.profiles[content.current];
        const same = earlier?.master === toHex(master);
        content.profiles[content.current] = {
            master: toHex(master),
            wordsChecked: wordsChecked || (same && earlier.wordsChecked),
            wordsLater: same && earlier.wordsLater,
            rounds: same ? earlier.rounds : {},
        };
        this.#write(content);
    }

    /** Deletes the current citizen's key and everything that belongs to it. */
    forget(): void {
        const content = this.#read();
        delete content.profiles[content.current];
        content.current = NOBODY;
        this.#write(content);
    }

    wordsChecked(): boolean {
        return this.#profile()?.wordsChecked ?? true;
    }

    wordsLater(): boolean {
        return this.#profile()?.wordsLater ?? false;
    }

    setWords(change: { checked?: boolean; later?: boolean }): void {
        this.#change((profile) => {
            if (change.checked !== undefined) profile.wordsChecked = change.checked;
            if (change.later !== undefined) profile.wordsLater = change.later;
        });
    }

    progress(chainId: number, round: Hex): Progress {
        return this.#profile()?.rounds[place(chainId, round)] ?? {};
    }

    /** Changes the progress in a round; undefined values remove entries. */
    setProgress(chainId: number, round: Hex, change: Partial<{ [K in keyof Progress]: Progress[K] | undefined }>): void {
        this.#change((profile) => {
            const key = place(chainId, round);
            profile.rounds[key] = { ...profile.rounds[key], ...change } as Progress;
        });
    }

    #profile(): Profile | undefined {
        const content = this.#read();
        return content.profiles[content.current];
    }

    #change(change: (profile: Profile) => void): void {
        const content = this.#read();
        const profile = content.profiles[content.current];
        if (!profile) return;
        change(profile);
        this.#write(content);
    }

    // Read before every change, so that two tabs do not undo each other's.
    #read(): Content {
        try {
            const content = JSON.parse(this.backend.getItem(KEY) ?? "null") as Content | null;
            if (content?.format === 1) return content;
        } catch {
            // Damaged content is of no use to anybody.
        }
        return { format: 1, current: NOBODY, profiles: {} };
    }

    #write(content: Content): void {
        this.backend.setItem(KEY, JSON.stringify(content));
    }
}

function place(chainId: number, round: Hex): string {
    return `${chainId}:${round.toLowerCase()}`;
}
