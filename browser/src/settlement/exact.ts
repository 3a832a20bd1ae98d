// Operations on large integers that equal shares need besides the usual ones.

/** 2^exponent, exactly, for exponents of normal doubles. */
function powerOfTwo(exponent: number): number {
    return new Float64Array(new Uint32Array([0, (exponent + 1023) << 20]).buffer)[0]!;
}

/** The leading bits (65 or more) as a double, and by how many bits they were shifted. */
function leading(value: bigint): [number, number] {
    const shift = Math.max(0, value.toString(16).length * 4 - 68);
    return [Number(value >> BigInt(shift)), shift];
}

/** numerator / denominator as a double, both positive; the relative error is below 4 units roundoff whatever their size. */
export function ratio(numerator: bigint, denominator: bigint): number {
    const [top, topShift] = leading(numerator);
    const [bottom, bottomShift] = leading(denominator);
    return (top / bottom) * powerOfTwo(Math.max(-900, Math.min(900, topShift - bottomShift)));
}

export function gcd(left: bigint, right: bigint): bigint {
    while (right !== 0n) [left, right] = [right, left % right];
    return left;
}
