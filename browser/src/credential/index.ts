// Blind BLS credentials in the browser: pure functions, no page and no network. The twin of crates/credential.

export { blind, unblind, verify, verifyBatch, type Credential } from "./blind.ts";
export {
    encodeG1Uncompressed,
    encodeG2Eip2537,
    encodePoint,
    EncodingError,
    fromHex,
    parseG1,
    parseG1Uncompressed,
    parseG2,
    parseG2Eip2537,
    parseScalar,
    toHex,
    type EncodingErrorCode,
    type G1Point,
    type G2Point,
    type Hex,
} from "./encoding.ts";
export { addressOf, deriveKeys, MASTER_SECRET_BYTES, newMasterSecret, type MasterSecret, type ScopeKeys } from "./keys.ts";
export { DOMAIN, hashToCurve, messageBytes, messagePoint, type CredentialScope } from "./scope.ts";
export {
    checkThreshold,
    combine,
    groupKeyOf,
    lagrange,
    ThresholdError,
    verifyPartial,
    type GroupKeys,
    type PartialSignature,
    type ThresholdErrorCode,
} from "./threshold.ts";
export {
    decodeDigits,
    decodeRecovery,
    decodeWords,
    encodeDigits,
    encodeWords,
    GROUP_COUNT,
    GROUP_DIGITS,
    RecoveryError,
    WORD_COUNT,
    type RecoveryProblem,
} from "./words.ts";
export { RUSSIAN_WORDS } from "./words-ru.ts";
