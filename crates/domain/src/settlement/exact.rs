//! The two operations on large integers that equal shares need besides the usual ones.

use num_bigint::BigInt;
use num_traits::ToPrimitive;

/// `numerator / denominator` as a double, both positive; the relative error is below 4 units roundoff (2^-53) whatever their size.
pub(super) fn ratio(numerator: &BigInt, denominator: &BigInt) -> f64 {
    let (top, top_shift) = leading(numerator);
    let (bottom, bottom_shift) = leading(denominator);
    // Both quotients of leading bits lie between 2^-64 and 2^64; the power of two is exact while the result is normal.
    (top / bottom) * 2.0_f64.powi((top_shift - bottom_shift).clamp(-900, 900) as i32)
}

/// The leading bits as a double, and by how many bits they were shifted.
fn leading(value: &BigInt) -> (f64, i64) {
    let shift = value.bits().saturating_sub(64);
    let head = (value >> shift).to_f64().unwrap_or(0.0);
    (head, i64::try_from(shift).unwrap_or(i64::MAX))
}

/// Greatest common divisor of a large number and a small positive one.
pub(super) fn gcd(large: &BigInt, small: u64) -> u64 {
    let rest = (large % small).magnitude().to_u64().unwrap_or(0);
    num_integer::gcd(rest, small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_of_any_size_are_accurate() {
        let third = ratio(&BigInt::from(1), &BigInt::from(3));
        for bits in [0_u32, 1, 63, 64, 65, 1000, 5000] {
            let scale = BigInt::from(1) << bits;
            let again = ratio(&(&scale * 1), &(&scale * 3));
            assert!((again / third - 1.0).abs() < 4.0 * f64::EPSILON, "{bits}");
        }
        assert_eq!(ratio(&BigInt::from(0), &BigInt::from(7)), 0.0);
        assert_eq!(ratio(&(BigInt::from(3) << 700), &(BigInt::from(1) << 700)), 3.0);
    }

    #[test]
    fn common_divisors() {
        assert_eq!(gcd(&(BigInt::from(12) << 200), 18), 6);
        assert_eq!(gcd(&BigInt::from(0), 18), 18);
        assert_eq!(gcd(&BigInt::from(35), 18), 1);
    }
}
