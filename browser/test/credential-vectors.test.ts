// The vectors that Rust wrote with blst: noble must agree in every byte and refuse what blst refuses, for the same reason.

import assert from "node:assert/strict";
import { test } from "node:test";
import vectors from "../../crates/credential/vectors/credential.json";
import {
    blind,
    decodeWords,
    deriveKeys,
    DOMAIN,
    encodeG1Uncompressed,
    encodeG2Eip2537,
    encodePoint,
    EncodingError,
    encodeWords,
    fromHex,
    type G1Point,
    hashToCurve,
    messageBytes,
    messagePoint,
    parseG1,
    parseG1Uncompressed,
    parseG2,
    parseG2Eip2537,
    parseScalar,
    toHex,
    unblind,
    verify,
    verifyBatch,
    type CredentialScope,
    type Hex,
} from "../src/credential/index.ts";

const hex = (text: string | undefined): Hex => (text ?? "") as Hex;

interface ScopeColumns {
    chainId: string[];
    contract: string[];
    scopeId: string[];
    class: string[];
}

function scopeAt(columns: ScopeColumns, row: number): CredentialScope {
    return {
        chainId: BigInt(hex(columns.chainId[row])),
        contract: hex(columns.contract[row]),
        id: BigInt(hex(columns.scopeId[row])),
        class: Number(hex(columns.class[row])),
    };
}

/** RFC 9380, appendix J.9.1. */
const RFC9380: [message: string, x: string, y: string][] = [
    [
        "",
        "052926add2207b76ca4fa57a8734416c8dc95e24501772c814278700eed6d1e4e8cf62d9c09db0fac349612b759e79a1",
        "08ba738453bfed09cb546dbb0783dbb3a5f1f566ed67bb6be0e8c67e2e81a4cc68ee29813bb7994998f3eae0c9c6a265",
    ],
    [
        "abc",
        "03567bc5ef9c690c2ab2ecdf6a96ef1c139cc0b2f284dca0a9a7943388a49a3aee664ba5379a7655d3c68900be2f6903",
        "0b9c15f3fe6e5cf4211f346271d7b01c8f3b28be689c8429c85b67af215533311f0b8dfaaa154fa6b88176c229f2885d",
    ],
    [
        "abcdef0123456789",
        "11e0b079dea29a68f0383ee94fed1b940995272407e3bb916bbf268c263ddd57a6a27200a784cbc248e84f357ce82d98",
        "03a87ae2caf14e8ee52e51fa2ed8eefe80f02457004ba4d486d6aa1f517c0889501dc7413753f9599b099ebcbbd2d709",
    ],
    [
        `q128_${"q".repeat(128)}`,
        "15f68eaa693b95ccb85215dc65fa81038d69629f70aeee0d0f677cf22285e7bf58d7cb86eefe8f2e9bc3f8cb84fac488",
        "1807a1d50c29f430b8cafc4f8638dfeeadf51211e1602a5f184443076715f91bb90a48ba1e370edce6ae1062f5e6dd38",
    ],
    [
        `a512_${"a".repeat(512)}`,
        "082aabae8b7dedb0e78aeb619ad3bfd9277a2f77ba7fad20ef6aabdc6c31d19ba5a6d12283553294c1825c4b3ca2dcfe",
        "05b84ae5a942248eea39e1d91030458c40153f3b654ab7872d779ad1e942856a20c438e8d99bc8abfbf74729ce1f7ac8",
    ],
];

test("hashing to the curve follows RFC 9380", () => {
    const domain = "QUUX-V01-CS02-with-BLS12381G1_XMD:SHA-256_SSWU_RO_";
    assert.equal(vectors.rfc9380.domain, domain);
    for (const [row, [message, x, y]] of RFC9380.entries()) {
        const bytes = new TextEncoder().encode(message);
        assert.equal(encodeG1Uncompressed(hashToCurve(bytes, domain)), `0x${x}${y}`);
        assert.equal(vectors.rfc9380.point[row], `0x${x}${y}`);
    }
});

test("every value of every credential is what blst computed", () => {
    const columns = vectors.credentials;
    assert.equal(vectors.domain, DOMAIN);
    assert.ok(columns.account.length >= 24);
    columns.account.forEach((account, row) => {
        const scope = scopeAt(columns, row);
        const keys = deriveKeys(fromHex(hex(columns.masterSecret[row])), scope);
        assert.equal(keys.address, account);
        assert.equal(keys.privateKey, columns.accountSecret[row]);
        assert.equal(keys.blinding, parseScalar(fromHex(hex(columns.blinding[row]))));
        assert.equal(toHex(messageBytes(scope, keys.address)), columns.message[row]);
        const point = messagePoint(scope, keys.address);
        assert.equal(encodePoint(point), columns.messagePoint[row]);
        assert.equal(encodeG1Uncompressed(point), columns.messagePointUncompressed[row]);
        assert.equal(blind(scope, keys.address, keys.blinding), columns.blinded[row]);
        const issuer = parseScalar(fromHex(hex(columns.issuerSecret[row])));
        assert.equal(encodePoint(parseG1(fromHex(hex(columns.blinded[row]))).multiply(issuer)), columns.blindSignature[row]);
        const signature = unblind(hex(columns.blindSignature[row]), keys.blinding);
        assert.equal(signature, columns.signature[row]);
        const compressed = parseG1(fromHex(signature));
        assert.equal(encodeG1Uncompressed(compressed), columns.signatureUncompressed[row]);
        assert.ok(compressed.equals(parseG1Uncompressed(fromHex(hex(columns.signatureUncompressed[row])))));
        const key = parseG2(fromHex(hex(columns.issuerPublicKey[row])));
        assert.equal(encodeG2Eip2537(key), columns.issuerPublicKeyEip2537[row]);
        assert.ok(key.equals(parseG2Eip2537(fromHex(hex(columns.issuerPublicKeyEip2537[row])))));
        assert.equal(encodePoint(key), columns.issuerPublicKey[row]);
        assert.ok(verify(hex(columns.issuerPublicKey[row]), scope, keys.address, signature));
        assert.ok(!verify(hex(columns.issuerPublicKey[row]), { ...scope, class: scope.class ^ 1 }, keys.address, signature));
    });
});

test("the batch is valid, and its weighted sums are the same", () => {
    const { batch } = vectors;
    const scope = scopeAt(
        { chainId: [batch.chainId], contract: [batch.contract], scopeId: [batch.scopeId], class: [batch.class] },
        0,
    );
    const credentials = batch.account.map((account, row) => ({
        scope,
        account: hex(account),
        signature: hex(batch.signature[row]),
    }));
    assert.deepEqual(verifyBatch(hex(batch.issuerPublicKey), credentials), []);
    const sum = (points: G1Point[]) => {
        const weighted = points.map((point, row) => point.multiply(BigInt(hex(batch.coefficient[row]))));
        return encodeG1Uncompressed(weighted.reduce((left, right) => left.add(right)));
    };
    assert.equal(sum(credentials.map(({ signature }) => parseG1(fromHex(signature)))), batch.signatureSum);
    assert.equal(sum(credentials.map(({ account }) => messagePoint(scope, account))), batch.messageSum);
});

const parsers: [name: string, list: { reason: string[]; what: string[]; encoding: string[] }, parse: (bytes: Uint8Array) => unknown][] = [
    ["compressed point of G1", vectors.badG1Compressed, parseG1],
    ["uncompressed point of G1", vectors.badG1Uncompressed, parseG1Uncompressed],
    ["compressed point of G2", vectors.badG2Compressed, parseG2],
    ["EIP-2537 point of G2", vectors.badG2Eip2537, parseG2Eip2537],
    ["scalar", vectors.badScalar, parseScalar],
];
for (const [name, list, parse] of parsers) {
    test(`a bad ${name} is refused for the reason that Rust gives`, () => {
        assert.ok(list.encoding.length >= 5);
        list.encoding.forEach((encoding, row) => {
            assert.throws(
                () => parse(fromHex(encoding)),
                (error) => error instanceof EncodingError && error.code === list.reason[row],
                `${list.what[row]} must be refused as ${list.reason[row]}`,
            );
        });
    });
}

test("text must be hex with its prefix", () => {
    for (const text of ["", "00", "0X00", "0x0", "0x0g", " 0x00", "0x00\n"]) {
        assert.throws(() => fromHex(text), (error) => error instanceof EncodingError && error.code === "not-hex", text);
    }
});

test("scopes outside their ranges are refused", () => {
    const scope: CredentialScope = { chainId: 1n, contract: `0x${"11".repeat(20)}`, id: 1n, class: 0 };
    const account: Hex = `0x${"22".repeat(20)}`;
    assert.equal(messageBytes(scope, account).length, 105);
    for (const wrong of [{ class: 256 }, { class: -1 }, { class: 0.5 }, { chainId: -1n }, { chainId: 1n << 64n }, { id: -1n }, { id: 1n << 256n }]) {
        assert.throws(() => messageBytes({ ...scope, ...wrong }, account), RangeError);
    }
    assert.throws(() => messageBytes({ ...scope, contract: "0x11" }, account), EncodingError);
    assert.throws(() => messageBytes(scope, "0x"), EncodingError);
});

test("words restore every master secret of the vectors", () => {
    for (const master of new Set(vectors.credentials.masterSecret)) {
        assert.equal(toHex(decodeWords(encodeWords(fromHex(master)))), master);
    }
});
