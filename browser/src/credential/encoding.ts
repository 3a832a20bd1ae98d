// Strict parsing of hex, scalars and points: every refusal names its reason. The codes are those of the Rust crate and
// of crates/credential/vectors/credential.json.

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bytesToHex, bytesToNumberBE, hexToBytes, numberToBytesBE } from "@noble/curves/utils.js";

/** Text of "0x" and hex digits. */
export type Hex = `0x${string}`;

export type EncodingErrorCode =
    | "not-hex"
    | "wrong-length"
    | "wrong-flags"
    | "non-canonical"
    | "not-on-curve"
    | "not-in-subgroup"
    | "infinity"
    | "scalar-out-of-range";

const MESSAGES: Record<EncodingErrorCode, string> = {
    "not-hex": "expected 0x followed by an even number of hex digits",
    "wrong-length": "the value has the wrong length",
    "wrong-flags": "the flag bits or the padding do not fit the format",
    "non-canonical": "a coordinate is not below the field modulus",
    "not-on-curve": "the point is not on the curve",
    "not-in-subgroup": "the point is not in the subgroup of prime order",
    infinity: "the point at infinity is not allowed",
    "scalar-out-of-range": "the scalar must be between 1 and the group order minus 1",
};

/** Why a value was refused; `code` is for programs, the message for logs. */
export class EncodingError extends Error {
    override readonly name = "EncodingError";

    constructor(
        readonly code: EncodingErrorCode,
        detail?: string,
    ) {
        super(detail ?? MESSAGES[code]);
    }
}

/** The point constructors of both groups. */
export const G1 = bls12_381.G1.Point;
export const G2 = bls12_381.G2.Point;
/** A point of G1 or G2; those that come from the parsers here are members of the subgroup other than infinity. */
export type G1Point = InstanceType<typeof G1>;
export type G2Point = InstanceType<typeof G2>;
type Fp2 = G2Point["x"];

const { Fp, Fp2: Field2, Fr } = bls12_381.fields;
const P = Fp.ORDER;
const COMPRESSED = 0x80;
const INFINITY = 0x40;
const SIGN = 0x20;
const FLAGS = COMPRESSED | INFINITY | SIGN;

export function fromHex(text: string): Uint8Array {
    if (!/^0x(?:[0-9a-fA-F]{2})*$/.test(text)) throw new EncodingError("not-hex");
    return hexToBytes(text.slice(2));
}

export function toHex(bytes: Uint8Array): Hex {
    return `0x${bytesToHex(bytes)}`;
}

/** The bytes, if there are exactly as many as expected. */
export function exactly(bytes: Uint8Array, expected: number): Uint8Array {
    if (bytes.length !== expected) {
        throw new EncodingError("wrong-length", `expected ${expected} bytes, got ${bytes.length}`);
    }
    return bytes;
}

/** A scalar between 1 and r-1 from 32 bytes, big-endian. */
export function parseScalar(bytes: Uint8Array): bigint {
    const scalar = bytesToNumberBE(exactly(bytes, 32));
    if (scalar === 0n || scalar >= Fr.ORDER) throw new EncodingError("scalar-out-of-range");
    return scalar;
}

/** A point of G1 from its 48-byte compressed form. */
export function parseG1(bytes: Uint8Array): G1Point {
    const flags = checkCompressedFlags(exactly(bytes, 48));
    const x = coordinate(withoutFlags(bytes));
    const y = root(() => Fp.sqrt(curve1(x)));
    const negative = y > P / 2n;
    return member(G1.fromAffine({ x, y: negative === ((flags & SIGN) !== 0) ? y : Fp.neg(y) }));
}

/** A point of G1 from x and y, 48 bytes each without padding, as contracts take it. */
export function parseG1Uncompressed(bytes: Uint8Array): G1Point {
    checkUncompressedFlags(exactly(bytes, 96));
    const x = coordinate(bytes.subarray(0, 48));
    const y = coordinate(bytes.subarray(48));
    if (!Fp.eql(Fp.sqr(y), curve1(x))) throw new EncodingError("not-on-curve");
    return member(G1.fromAffine({ x, y }));
}

/** A point of G2 from its 96-byte compressed form. */
export function parseG2(bytes: Uint8Array): G2Point {
    const flags = checkCompressedFlags(exactly(bytes, 96));
    const c1 = coordinate(withoutFlags(bytes.subarray(0, 48)));
    const c0 = coordinate(bytes.subarray(48));
    const x = Field2.create({ c0, c1 });
    const y = root(() => Field2.sqrt(curve2(x)));
    const negative = y.c1 === 0n ? y.c0 > P / 2n : y.c1 > P / 2n;
    return member(G2.fromAffine({ x, y: negative === ((flags & SIGN) !== 0) ? y : Field2.neg(y) }));
}

/** A point of G2 from the 256 bytes of EIP-2537 in which contracts keep keys: x.c0, x.c1, y.c0, y.c1, padded to 64 each. */
export function parseG2Eip2537(bytes: Uint8Array): G2Point {
    exactly(bytes, 256);
    const fields = [0, 64, 128, 192].map((start) => bytes.subarray(start, start + 64));
    if (fields.some((field) => field.subarray(0, 16).some((byte) => byte !== 0))) throw new EncodingError("wrong-flags");
    const values = fields.map((field) => coordinate(field.subarray(16)));
    const [x0 = 0n, x1 = 0n, y0 = 0n, y1 = 0n] = values;
    if (values.every((value) => value === 0n)) throw new EncodingError("infinity");
    const x = Field2.create({ c0: x0, c1: x1 });
    const y = Field2.create({ c0: y0, c1: y1 });
    if (!Field2.eql(Field2.sqr(y), curve2(x))) throw new EncodingError("not-on-curve");
    return member(G2.fromAffine({ x, y }));
}

/** The compressed form of a point. */
export function encodePoint(point: G1Point | G2Point): Hex {
    return toHex(point.toBytes(true));
}

/** x and y of a point of G1, 48 bytes each without padding. */
export function encodeG1Uncompressed(point: G1Point): Hex {
    return toHex(point.toBytes(false));
}

/** The 256-byte form of EIP-2537 of a point of G2. */
export function encodeG2Eip2537(point: G2Point): Hex {
    const { x, y } = point.toAffine();
    const bytes = new Uint8Array(256);
    [x.c0, x.c1, y.c0, y.c1].forEach((value, index) => bytes.set(numberToBytesBE(value, 48), 64 * index + 16));
    return toHex(bytes);
}

function curve1(x: bigint): bigint {
    return Fp.add(Fp.mul(Fp.sqr(x), x), 4n);
}

function curve2(x: Fp2): Fp2 {
    return Field2.add(Field2.mul(Field2.sqr(x), x), Field2.create({ c0: 4n, c1: 4n }));
}

function root<T>(compute: () => T): T {
    try {
        return compute();
    } catch {
        throw new EncodingError("not-on-curve");
    }
}

function member<T extends G1Point | G2Point>(point: T): T {
    if (!point.isTorsionFree()) throw new EncodingError("not-in-subgroup");
    return point;
}

function coordinate(bytes: Uint8Array): bigint {
    const value = bytesToNumberBE(bytes);
    if (value >= P) throw new EncodingError("non-canonical");
    return value;
}

function withoutFlags(bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice();
    copy[0] = (copy[0] ?? 0) & ~FLAGS;
    return copy;
}

function checkCompressedFlags(bytes: Uint8Array): number {
    const first = bytes[0] ?? 0;
    if ((first & COMPRESSED) === 0) throw new EncodingError("wrong-flags");
    if ((first & INFINITY) !== 0) {
        const canonical = first === (COMPRESSED | INFINITY) && bytes.subarray(1).every((byte) => byte === 0);
        throw new EncodingError(canonical ? "infinity" : "wrong-flags");
    }
    return first & FLAGS;
}

function checkUncompressedFlags(bytes: Uint8Array): void {
    if (((bytes[0] ?? 0) & FLAGS) !== 0) throw new EncodingError("wrong-flags");
    // The precompiles write infinity as zeros.
    if (bytes.every((byte) => byte === 0)) throw new EncodingError("infinity");
}
