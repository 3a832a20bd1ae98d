// The arithmetic of a ballot: points that may still be given, and what they are worth. Pure functions.

import type { Choices } from "./allocation.ts";

/** Points given so far. */
export function given(choices: Choices): number {
    let sum = 0;
    for (const points of choices.values()) sum += points;
    return sum;
}

/** The points that an initiative can get: what was asked for, within what is left. */
export function clamped(choices: Choices, id: number, wanted: number, sharePoints: number): number {
    const others = given(choices) - (choices.get(id) ?? 0);
    const whole = Number.isFinite(wanted) ? Math.round(wanted) : 0;
    return Math.max(0, Math.min(whole, sharePoints - others));
}

/** How many points one press of a button gives or takes: about a twentieth of the share. */
export function buttonStep(sharePoints: number): number {
    return sharePoints <= 20 ? 1 : Math.max(1, Math.round(sharePoints / 20));
}

/** How fine the slider is: single points, or hundredths of a large share. */
export function sliderStep(sharePoints: number): number {
    return sharePoints <= 200 ? 1 : Math.max(1, Math.floor(sharePoints / 100));
}

/** What points are worth: rounded down, as the contract does. */
export function worth(share: bigint, points: number, sharePoints: number): bigint {
    return sharePoints === 0 ? 0n : (share * BigInt(points)) / BigInt(sharePoints);
}

/** On an approval ballot: what each of the chosen initiatives gets, rounded down. */
export function each(share: bigint, chosen: number): bigint {
    return chosen === 0 ? 0n : share / BigInt(chosen);
}

/** How many initiatives are chosen. */
export function chosenCount(choices: Choices): number {
    let count = 0;
    for (const points of choices.values()) if (points > 0) count++;
    return count;
}
