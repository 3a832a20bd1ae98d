//! The BLS12-381 arithmetic that credentials need, over blst: the only module that calls its C functions.
//!
//! The types keep what the rest of the crate relies on: a [`G1`] or [`G2`] is always a member of the prime-order
//! subgroup other than infinity, a [`Scalar`] is always between 1 and r-1. Everything that touches a secret
//! ([`G1::mul`], [`Scalar::inverse`], [`G2::generated_by`]) runs in constant time; sums with public coefficients do not.
#![expect(
    unsafe_code,
    reason = "blst's safe interface has no blinding, no hash to a point and no single-threaded sums"
)]

use crate::EncodingError;
use crate::encoding::exactly;
use blst::{
    BLS12_381_NEG_G2, BLST_ERROR, blst_bendian_from_scalar, blst_final_exp, blst_fp12, blst_fp12_is_one,
    blst_hash_to_g1, blst_miller_loop_n, blst_p1, blst_p1_affine, blst_p1_affine_compress, blst_p1_affine_in_g1,
    blst_p1_affine_is_inf, blst_p1_affine_serialize, blst_p1_deserialize, blst_p1_from_affine, blst_p1_mult,
    blst_p1_to_affine, blst_p1_uncompress, blst_p1s_mult_pippenger, blst_p1s_mult_pippenger_scratch_sizeof,
    blst_p1s_to_affine, blst_p2_affine, blst_p2_affine_compress, blst_p2_affine_in_g2, blst_p2_affine_is_inf,
    blst_p2_affine_serialize, blst_p2_deserialize, blst_p2_uncompress, blst_scalar, blst_scalar_from_bendian,
    blst_sk_check, blst_sk_inverse, blst_sk_to_pk2_in_g2, limb_t,
};
use blst::{
    blst_p1_add_or_double, blst_p2, blst_p2_add_or_double, blst_p2_add_or_double_affine, blst_p2_from_affine,
    blst_p2_mult, blst_p2_to_affine, blst_sk_add_n_check, blst_sk_mul_n_check, blst_sk_sub_n_check,
};
use std::num::NonZeroU8;
use std::ptr;
use zeroize::Zeroizing;

/// Bits in a scalar below the group order.
const SCALAR_BITS: usize = 255;
/// Bytes in a coefficient of a random linear combination.
pub(crate) const COEFFICIENT_BYTES: usize = 16;
/// The top three bits of an encoded point.
const COMPRESSED: u8 = 0x80;
const INFINITY: u8 = 0x40;
const SIGN: u8 = 0x20;

/// A random linear combination's public 128-bit coefficient, little-endian as blst reads it.
pub(crate) type Coefficient = [u8; COEFFICIENT_BYTES];

/// A secret number between 1 and r-1. blst overwrites it with zeros when it is dropped.
#[derive(Clone)]
pub(crate) struct Scalar(blst_scalar);

impl Scalar {
    /// Reads 32 bytes, big-endian; refuses zero and everything that is not below the group order.
    pub(crate) fn from_be_bytes(bytes: &[u8; 32]) -> Result<Self, EncodingError> {
        let mut scalar = blst_scalar::default();
        // SAFETY: both pointers are to 32 bytes that live through the calls.
        let valid = unsafe {
            blst_scalar_from_bendian(&mut scalar, bytes.as_ptr());
            blst_sk_check(&scalar)
        };
        if valid { Ok(Self(scalar)) } else { Err(EncodingError::ScalarOutOfRange) }
    }

    /// The 32 bytes, big-endian.
    pub(crate) fn to_be_bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        // SAFETY: both pointers are to 32 bytes that live through the call.
        unsafe { blst_bendian_from_scalar(bytes.as_mut_ptr(), &self.0) };
        bytes
    }

    /// The inverse modulo r, which exists because the scalar is not zero.
    pub(crate) fn inverse(&self) -> Self {
        let mut inverse = blst_scalar::default();
        // SAFETY: both pointers are to scalars that live through the call.
        unsafe { blst_sk_inverse(&mut inverse, &self.0) };
        Self(inverse)
    }

    /// A small public number.
    pub(crate) fn from_small(number: NonZeroU8) -> Self {
        let mut scalar = blst_scalar::default();
        scalar.b[0] = number.get();
        Self(scalar)
    }

    /// The sum modulo r, or `None` if it is zero.
    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        let mut sum = Self(blst_scalar::default());
        // SAFETY: all pointers are to scalars that live through the call.
        unsafe { blst_sk_add_n_check(&mut sum.0, &self.0, &other.0) }.then_some(sum)
    }

    /// The product modulo r, which is not zero because r is prime.
    pub(crate) fn times(&self, other: &Self) -> Self {
        let mut product = blst_scalar::default();
        // SAFETY: all pointers are to scalars that live through the call.
        unsafe { blst_sk_mul_n_check(&mut product, &self.0, &other.0) };
        Self(product)
    }

    /// The negative modulo r.
    pub(crate) fn negated(&self) -> Self {
        let mut negative = blst_scalar::default();
        // SAFETY: all pointers are to scalars that live through the call.
        unsafe { blst_sk_sub_n_check(&mut negative, &blst_scalar::default(), &self.0) };
        Self(negative)
    }

    /// c₀ + c₁·x + c₂·x² + … modulo r, or `None` if it is zero. Takes the same time for all coefficients but those that make
    /// an intermediate sum zero, which random ones do not.
    pub(crate) fn evaluate(coefficients: &[Self], x: NonZeroU8) -> Option<Self> {
        let x = Self::from_small(x);
        coefficients.iter().rev().fold(None, |sum, coefficient| match sum {
            None => Some(coefficient.clone()),
            Some(sum) => sum.times(&x).plus(coefficient),
        })
    }
}

/// A point of G1 other than infinity.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct G1(blst_p1_affine);

impl G1 {
    /// RFC 9380 `BLS12381G1_XMD:SHA-256_SSWU_RO_` of every message.
    pub(crate) fn hash_all<M: AsRef<[u8]>>(messages: impl IntoIterator<Item = M>, dst: &[u8]) -> Vec<Self> {
        let points: Vec<blst_p1> = messages
            .into_iter()
            .map(|message| {
                let message = message.as_ref();
                let mut point = blst_p1::default();
                // SAFETY: every pointer is to as many bytes as the length beside it says, or null beside a zero length.
                unsafe {
                    blst_hash_to_g1(
                        &mut point,
                        message.as_ptr(),
                        message.len(),
                        dst.as_ptr(),
                        dst.len(),
                        ptr::null(),
                        0,
                    );
                }
                point
            })
            .collect();
        if points.is_empty() {
            return Vec::new();
        }
        let mut affine = vec![Self(blst_p1_affine::default()); points.len()];
        let first_and_end: [*const blst_p1; 2] = [points.as_ptr(), ptr::null()];
        // SAFETY: a null second pointer tells blst that the points lie one after another; `affine` holds as many, and
        // `G1` has the layout of `blst_p1_affine`. One shared inversion is why this takes them all at once.
        unsafe {
            blst_p1s_to_affine(affine.as_mut_ptr().cast(), first_and_end.as_ptr(), points.len());
        }
        affine
    }

    /// Reads the 48-byte compressed form.
    pub(crate) fn from_compressed(bytes: &[u8]) -> Result<Self, EncodingError> {
        let bytes: &[u8; 48] = exactly(bytes)?;
        check_compressed_flags(bytes)?;
        let mut point = blst_p1_affine::default();
        // SAFETY: the input is 48 bytes, and the output lives through the call.
        accepted(unsafe { blst_p1_uncompress(&mut point, bytes.as_ptr()) })?;
        Self::member(point)
    }

    /// Reads x and y, 48 bytes each without padding.
    pub(crate) fn from_uncompressed(bytes: &[u8]) -> Result<Self, EncodingError> {
        let bytes: &[u8; 96] = exactly(bytes)?;
        check_uncompressed_flags(bytes)?;
        let mut point = blst_p1_affine::default();
        // SAFETY: the input is 96 bytes, and the output lives through the call.
        accepted(unsafe { blst_p1_deserialize(&mut point, bytes.as_ptr()) })?;
        Self::member(point)
    }

    fn member(point: blst_p1_affine) -> Result<Self, EncodingError> {
        // SAFETY: the point is on the curve and lives through the calls.
        unsafe {
            if blst_p1_affine_is_inf(&point) {
                return Err(EncodingError::Infinity);
            }
            if !blst_p1_affine_in_g1(&point) {
                return Err(EncodingError::NotInSubgroup);
            }
        }
        Ok(Self(point))
    }

    /// The 48-byte compressed form.
    pub(crate) fn to_compressed(self) -> [u8; 48] {
        let mut bytes = [0; 48];
        // SAFETY: the output is 48 bytes.
        unsafe { blst_p1_affine_compress(bytes.as_mut_ptr(), &self.0) };
        bytes
    }

    /// x and y, 48 bytes each without padding.
    pub(crate) fn to_uncompressed(self) -> [u8; 96] {
        let mut bytes = [0; 96];
        // SAFETY: the output is 96 bytes.
        unsafe { blst_p1_affine_serialize(bytes.as_mut_ptr(), &self.0) };
        bytes
    }

    /// The point times a secret: a scalar between 1 and r-1 times a point of order r is never infinity.
    pub(crate) fn mul(self, scalar: &Scalar) -> Self {
        let mut point = blst_p1::default();
        let mut product = blst_p1::default();
        let mut affine = blst_p1_affine::default();
        // SAFETY: all pointers live through the calls; the scalar's 32 bytes hold the bits that are read.
        unsafe {
            blst_p1_from_affine(&mut point, &self.0);
            blst_p1_mult(&mut product, &point, scalar.0.b.as_ptr(), SCALAR_BITS);
            blst_p1_to_affine(&mut affine, &product);
        }
        Self(affine)
    }

    /// Σ cᵢPᵢ by Pippenger's method on this thread alone, or `None` if the sum is infinity (or there is nothing to add).
    pub(crate) fn weighted_sum(points: &[Self], coefficients: &[Coefficient]) -> Option<Self> {
        assert_eq!(points.len(), coefficients.len(), "every point needs its coefficient");
        if points.is_empty() {
            return None;
        }
        let count = points.len();
        let first_point: [*const blst_p1_affine; 2] = [points.as_ptr().cast(), ptr::null()];
        let first_coefficient: [*const u8; 2] = [coefficients.as_ptr().cast(), ptr::null()];
        let mut sum = blst_p1::default();
        let mut affine = blst_p1_affine::default();
        // SAFETY: a null second pointer tells blst that points (laid out as `blst_p1_affine`) and 16-byte coefficients
        // lie one after another; the scratch space has the size that blst asks for.
        unsafe {
            let scratch_bytes = blst_p1s_mult_pippenger_scratch_sizeof(count);
            let mut scratch: Vec<limb_t> = vec![0; scratch_bytes.div_ceil(size_of::<limb_t>())];
            blst_p1s_mult_pippenger(
                &mut sum,
                first_point.as_ptr(),
                count,
                first_coefficient.as_ptr(),
                8 * COEFFICIENT_BYTES,
                scratch.as_mut_ptr(),
            );
            blst_p1_to_affine(&mut affine, &sum);
            if blst_p1_affine_is_inf(&affine) { None } else { Some(Self(affine)) }
        }
    }

    /// Σ cᵢPᵢ with whole scalars, one after another, or `None` if the sum is infinity.
    pub(crate) fn combination<'a>(terms: impl IntoIterator<Item = (&'a Self, &'a Scalar)>) -> Option<Self> {
        let mut sum = blst_p1::default();
        for (point, scalar) in terms {
            let mut whole = blst_p1::default();
            let mut product = blst_p1::default();
            let partial = sum;
            // SAFETY: all pointers live through the calls; the scalar's 32 bytes hold the bits that are read.
            unsafe {
                blst_p1_from_affine(&mut whole, &point.0);
                blst_p1_mult(&mut product, &whole, scalar.0.b.as_ptr(), SCALAR_BITS);
                blst_p1_add_or_double(&mut sum, &partial, &product);
            }
        }
        let mut affine = blst_p1_affine::default();
        // SAFETY: both pointers live through the calls.
        unsafe {
            blst_p1_to_affine(&mut affine, &sum);
            if blst_p1_affine_is_inf(&affine) { None } else { Some(Self(affine)) }
        }
    }
}

/// A point of G2 other than infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct G2(blst_p2_affine);

impl G2 {
    /// The generator times a secret.
    pub(crate) fn generated_by(secret: &Scalar) -> Self {
        let mut point = blst_p2_affine::default();
        // SAFETY: blst allows a null first pointer where no serialized form is wanted.
        unsafe { blst_sk_to_pk2_in_g2(ptr::null_mut(), &mut point, &secret.0) };
        Self(point)
    }

    /// P₀ + x·P₁ + x²·P₂ + …, or `None` if it is infinity: what a polynomial is at x, in the exponent.
    pub(crate) fn evaluate(points: &[Self], x: NonZeroU8) -> Option<Self> {
        let x = Scalar::from_small(x);
        let mut sum = blst_p2::default();
        for point in points.iter().rev() {
            let mut product = blst_p2::default();
            // SAFETY: all pointers live through the calls; the scalar holds the 8 bits that are read.
            unsafe {
                blst_p2_mult(&mut product, &sum, x.0.b.as_ptr(), 8);
                blst_p2_add_or_double_affine(&mut sum, &product, &point.0);
            }
        }
        Self::unless_infinity(&sum)
    }

    /// Σ cᵢPᵢ, or `None` if the sum is infinity.
    pub(crate) fn combination<'a>(terms: impl IntoIterator<Item = (&'a Self, &'a Scalar)>) -> Option<Self> {
        let mut sum = blst_p2::default();
        for (point, scalar) in terms {
            let mut whole = blst_p2::default();
            let mut product = blst_p2::default();
            let partial = sum;
            // SAFETY: all pointers live through the calls; the scalar's 32 bytes hold the bits that are read.
            unsafe {
                blst_p2_from_affine(&mut whole, &point.0);
                blst_p2_mult(&mut product, &whole, scalar.0.b.as_ptr(), SCALAR_BITS);
                blst_p2_add_or_double(&mut sum, &partial, &product);
            }
        }
        Self::unless_infinity(&sum)
    }

    /// The sum of the points, or `None` if it is infinity.
    pub(crate) fn sum<'a>(points: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut sum = blst_p2::default();
        for point in points {
            let partial = sum;
            // SAFETY: all pointers live through the call.
            unsafe { blst_p2_add_or_double_affine(&mut sum, &partial, &point.0) };
        }
        Self::unless_infinity(&sum)
    }

    fn unless_infinity(point: &blst_p2) -> Option<Self> {
        let mut affine = blst_p2_affine::default();
        // SAFETY: both pointers live through the calls.
        unsafe {
            blst_p2_to_affine(&mut affine, point);
            if blst_p2_affine_is_inf(&affine) { None } else { Some(Self(affine)) }
        }
    }

    /// Reads the 96-byte compressed form.
    pub(crate) fn from_compressed(bytes: &[u8]) -> Result<Self, EncodingError> {
        let bytes: &[u8; 96] = exactly(bytes)?;
        check_compressed_flags(bytes)?;
        let mut point = blst_p2_affine::default();
        // SAFETY: the input is 96 bytes, and the output lives through the call.
        accepted(unsafe { blst_p2_uncompress(&mut point, bytes.as_ptr()) })?;
        Self::member(point)
    }

    /// Reads the 256-byte form of EIP-2537: x.c0, x.c1, y.c0, y.c1, each 16 zero bytes and 48 bytes.
    pub(crate) fn from_eip2537(bytes: &[u8]) -> Result<Self, EncodingError> {
        let bytes: &[u8; 256] = exactly(bytes)?;
        let mut packed = [0; 192];
        for (index, field) in bytes.chunks_exact(64).enumerate() {
            let (padding, value) = field.split_at(16);
            if padding.iter().any(|byte| *byte != 0) {
                return Err(EncodingError::WrongFlags);
            }
            // blst wants c1 before c0.
            packed[48 * (index ^ 1)..][..48].copy_from_slice(value);
        }
        // The top bits of x.c0 and the others are no flags: they only make the coordinate too large.
        if packed.chunks_exact(48).any(|value| value[0] & (COMPRESSED | INFINITY | SIGN) != 0) {
            return Err(EncodingError::NonCanonical);
        }
        check_uncompressed_flags(&packed)?;
        let mut point = blst_p2_affine::default();
        // SAFETY: the input is 192 bytes, and the output lives through the call.
        accepted(unsafe { blst_p2_deserialize(&mut point, packed.as_ptr()) })?;
        Self::member(point)
    }

    fn member(point: blst_p2_affine) -> Result<Self, EncodingError> {
        // SAFETY: the point is on the curve and lives through the calls.
        unsafe {
            if blst_p2_affine_is_inf(&point) {
                return Err(EncodingError::Infinity);
            }
            if !blst_p2_affine_in_g2(&point) {
                return Err(EncodingError::NotInSubgroup);
            }
        }
        Ok(Self(point))
    }

    /// The 96-byte compressed form.
    pub(crate) fn to_compressed(self) -> [u8; 96] {
        let mut bytes = [0; 96];
        // SAFETY: the output is 96 bytes.
        unsafe { blst_p2_affine_compress(bytes.as_mut_ptr(), &self.0) };
        bytes
    }

    /// The 256-byte form of EIP-2537.
    pub(crate) fn to_eip2537(self) -> [u8; 256] {
        let mut packed = [0; 192];
        // SAFETY: the output is 192 bytes.
        unsafe { blst_p2_affine_serialize(packed.as_mut_ptr(), &self.0) };
        let mut bytes = [0; 256];
        for (index, value) in packed.chunks_exact(48).enumerate() {
            bytes[64 * (index ^ 1) + 16..][..48].copy_from_slice(value);
        }
        bytes
    }
}

/// Whether e(signature, g₂) = e(message, key), where `None` stands for infinity.
pub(crate) fn pairing_holds(signature: Option<G1>, message: Option<G1>, key: &G2) -> bool {
    let (Some(signature), Some(message)) = (signature, message) else {
        // Pairing with infinity gives one, and with anything else here it does not.
        return signature.is_none() && message.is_none();
    };
    let mut product = blst_fp12::default();
    let mut result = blst_fp12::default();
    // SAFETY: the generator is a constant of blst's, and all other pointers live through the calls.
    unsafe {
        let keys: [*const blst_p2_affine; 2] = [&raw const BLS12_381_NEG_G2, &key.0];
        let points: [*const blst_p1_affine; 2] = [&signature.0, &message.0];
        blst_miller_loop_n(&mut product, keys.as_ptr(), points.as_ptr(), 2);
        blst_final_exp(&mut result, &product);
        blst_fp12_is_one(&result)
    }
}

/// blst's verdict; the flags were checked before, so a bad encoding can only be a coordinate that is too large.
fn accepted(verdict: BLST_ERROR) -> Result<(), EncodingError> {
    match verdict {
        BLST_ERROR::BLST_SUCCESS => Ok(()),
        BLST_ERROR::BLST_POINT_NOT_ON_CURVE => Err(EncodingError::NotOnCurve),
        BLST_ERROR::BLST_POINT_NOT_IN_GROUP => Err(EncodingError::NotInSubgroup),
        _ => Err(EncodingError::NonCanonical),
    }
}

fn check_compressed_flags(bytes: &[u8]) -> Result<(), EncodingError> {
    if bytes[0] & COMPRESSED == 0 {
        return Err(EncodingError::WrongFlags);
    }
    if bytes[0] & INFINITY != 0 {
        let canonical = bytes[0] == COMPRESSED | INFINITY && bytes[1..].iter().all(|byte| *byte == 0);
        return Err(if canonical { EncodingError::Infinity } else { EncodingError::WrongFlags });
    }
    Ok(())
}

fn check_uncompressed_flags(bytes: &[u8]) -> Result<(), EncodingError> {
    if bytes[0] & (COMPRESSED | INFINITY | SIGN) != 0 {
        return Err(EncodingError::WrongFlags);
    }
    // The precompiles write infinity as zeros.
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(EncodingError::Infinity);
    }
    Ok(())
}
