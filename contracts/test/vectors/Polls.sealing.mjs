// Writes Polls.sealing.json: sealed ballots as a browser makes them, with @noble/curves and none of the contract's code.
// Run: node contracts/test/vectors/Polls.sealing.mjs
import { writeFileSync } from "node:fs";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bytesToHex, concatBytes, hexToBytes, numberToBytesBE, bytesToNumberBE } from "@noble/curves/utils.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

const { Point } = secp256k1;
const order = Point.Fn.ORDER;
const hex = (bytes) => `0x${bytesToHex(bytes)}`;

/** The scalar or its negative, whichever gives a point with an even y. */
function even(scalar) {
  return Point.BASE.multiply(scalar).y % 2n === 0n ? scalar : order - scalar;
}

/** The Ethereum address of a point. */
function addressOf(point) {
  return keccak_256(point.toBytes(false).slice(1)).slice(12);
}

/** What a choice is masked with. */
function mask({ polls, pollId, account, version }, shared) {
  const context = [hexToBytes(polls.slice(2)), numberToBytesBE(pollId, 32), hexToBytes(account.slice(2)), numberToBytesBE(version, 4)];
  return bytesToNumberBE(keccak_256(concatBytes(...context, addressOf(shared))).slice(0, 16));
}

const seed = (text) => bytesToNumberBE(keccak_256(new TextEncoder().encode(text))) % order;
const vectors = ["first", "second", "third", "fourth"].map((name, index) => {
  const ballot = {
    polls: hex(keccak_256(new TextEncoder().encode("polls")).slice(12)),
    pollId: 7 * index + 1,
    account: hex(keccak_256(new TextEncoder().encode(`account ${name}`)).slice(12)),
    version: [1, 2, 65536, 4294967295][index],
  };
  const secret = even(seed(`secret ${name}`));
  const random = even(seed(`random ${name}`));
  const choice = [1n, 7n, 0x54321n, 2n ** 128n - 1n][index];
  const sealingKey = Point.BASE.multiply(secret);
  const point = Point.BASE.multiply(random);
  const maskedChoice = choice ^ mask(ballot, sealingKey.multiply(random));
  return {
    ...ballot,
    secret: hex(numberToBytesBE(secret, 32)),
    sealingKey: hex(numberToBytesBE(sealingKey.x, 32)),
    random: hex(numberToBytesBE(random, 32)),
    point: hex(numberToBytesBE(point.x, 32)),
    choice: hex(numberToBytesBE(choice, 16)),
    maskedChoice: hex(numberToBytesBE(maskedChoice, 16)),
  };
});
writeFileSync(new URL("Polls.sealing.json", import.meta.url), `${JSON.stringify({ vectors }, null, 2)}\n`);
