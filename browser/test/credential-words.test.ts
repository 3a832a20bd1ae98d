// Recovery words and digits: what was written comes back, and mistakes are found and placed.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
    decodeDigits,
    decodeRecovery,
    decodeWords,
    encodeDigits,
    encodeWords,
    newMasterSecret,
    RecoveryError,
    RUSSIAN_WORDS,
    type RecoveryProblem,
} from "../src/credential/index.ts";

const SECRETS = [new Uint8Array(16), new Uint8Array(16).fill(0xff), ...Array.from({ length: 50 }, newMasterSecret)];

function problem(decode: () => unknown): RecoveryProblem {
    try {
        decode();
    } catch (error) {
        if (error instanceof RecoveryError) return error.problem;
        throw error;
    }
    throw new Error("nothing was refused");
}

test("the list tells its words apart by four letters and by more than one letter", () => {
    assert.equal(RUSSIAN_WORDS.length, 2048);
    assert.deepEqual([...RUSSIAN_WORDS].sort(), RUSSIAN_WORDS);
    assert.ok(RUSSIAN_WORDS.every((word) => /^[а-я]{4,8}$/u.test(word)));
    assert.equal(new Set(RUSSIAN_WORDS.map((word) => word.slice(0, 4))).size, 2048);
    const withOneLetterHidden = RUSSIAN_WORDS.flatMap((word) =>
        [...word].map((_, at) => `${word.slice(0, at)}_${word.slice(at + 1)}`),
    );
    assert.equal(new Set(withOneLetterHidden).size, withOneLetterHidden.length);
});

test("secrets survive words and digits", () => {
    for (const secret of SECRETS) {
        const [words, digits] = [encodeWords(secret), encodeDigits(secret)];
        assert.equal(words.length, 13);
        assert.deepEqual(decodeWords(words), secret);
        assert.deepEqual(decodeRecovery(words.join(" ")), secret);
        assert.ok(digits.length === 9 && digits.every((group) => /^\d{6}$/.test(group)));
        assert.deepEqual(decodeDigits(digits), secret);
        assert.deepEqual(decodeRecovery(digits.join("-")), secret);
        assert.deepEqual(decodeDigits(digits.join("")), secret);
    }
});

test("known secrets keep their words and digits", () => {
    const secret = Uint8Array.from({ length: 16 }, (_, index) => 17 * index);
    assert.deepEqual(encodeWords(secret).join(" "), KNOWN_WORDS);
    assert.deepEqual(encodeDigits(secret).join(" "), KNOWN_DIGITS);
});
const KNOWN_WORDS = "абзац отдых очередь отвлечь колючий желудок выехать догнать сзади лысый неужели ящик наконец";
const KNOWN_DIGITS = "000179 087555 174939 262319 349696 437072 524457 611837 056030";

test("words may be written in capitals, with ё, numbered, on lines, or shortened to four letters", () => {
    for (const secret of SECRETS) {
        const words = encodeWords(secret);
        const styles = [
            words.join("  ").toUpperCase(),
            words.map((word, index) => `${index + 1}. ${word},`).join("\n"),
            words.map((word) => word.replace("е", "ё")).join(" "),
            words.map((word) => word.slice(0, 4)).join(" "),
            words.join(" ").normalize("NFD"),
        ];
        for (const text of styles) assert.deepEqual(decodeWords(text), secret, text);
    }
});

test("a wrong number of words or digits is counted", () => {
    const [words, digits] = [encodeWords(SECRETS[2]!), encodeDigits(SECRETS[2]!)];
    assert.deepEqual(problem(() => decodeWords("")), { kind: "word-count", expected: 13, actual: 0 });
    assert.deepEqual(problem(() => decodeWords(words.slice(1))), { kind: "word-count", expected: 13, actual: 12 });
    assert.deepEqual(problem(() => decodeWords([...words, "абзац"])), { kind: "word-count", expected: 13, actual: 14 });
    assert.deepEqual(problem(() => decodeDigits(digits.slice(1))), { kind: "digit-count", expected: 54, actual: 48 });
});

test("an unknown word is placed, and the nearest words are offered", () => {
    const words = encodeWords(SECRETS[3]!);
    words[4] = "апильсин";
    const found = problem(() => decodeWords(words));
    assert.ok(found.kind === "unknown-word");
    assert.deepEqual([found.place, found.word, found.suggestions[0]], [5, "апильсин", "апельсин"]);
    words[4] = "абв";
    assert.equal(problem(() => decodeWords(words)).kind, "unknown-word", "three letters are no abbreviation");
    const message = new RecoveryError(found).message;
    assert.ok(!message.includes("апильсин"), "messages go to logs and hold nothing of the secret");
});

test("changed and swapped words are found by the checksum", () => {
    let missed = 0;
    let tried = 0;
    for (const secret of SECRETS) {
        const words = encodeWords(secret);
        for (let place = 0; place < 13; place++) {
            const changed = words.with(place, RUSSIAN_WORDS[(RUSSIAN_WORDS.indexOf(words[place]!) + 1 + place) % 2048]!);
            const swapped = words.with(place, words[(place + 1) % 13]!).with((place + 1) % 13, words[place]!);
            for (const wrong of [changed, swapped].filter((list) => list.join() !== words.join())) {
                tried++;
                try {
                    decodeWords(wrong);
                    missed++;
                } catch (error) {
                    assert.ok(error instanceof RecoveryError && error.problem.kind === "checksum");
                }
            }
        }
    }
    assert.ok(missed <= 2, `${missed} of ${tried} mistakes missed, one in 32,768 is expected`);
});

test("every wrong digit and every swap of neighbours is placed in its group", () => {
    const groups = encodeDigits(SECRETS[4]!);
    groups.forEach((group, index) => {
        const wrong = [...group].flatMap((digit, at) => [
            ...Array.from({ length: 9 }, (_, by) => group.slice(0, at) + ((Number(digit) + 1 + by) % 10) + group.slice(at + 1)),
            ...(at < 5 && digit !== group[at + 1] ? [group.slice(0, at) + group[at + 1] + digit + group.slice(at + 2)] : []),
        ]);
        for (const bad of wrong) {
            const found = problem(() => decodeDigits(groups.with(index, bad)));
            assert.deepEqual(found, { kind: "wrong-group", place: index + 1, group: bad });
        }
    });
});

test("groups in the wrong order are found", () => {
    const groups = encodeDigits(SECRETS[5]!);
    const found = problem(() => decodeDigits(groups.with(2, groups[6]!).with(6, groups[2]!)));
    assert.ok(found.kind === "wrong-group" && found.place === 3);
});
