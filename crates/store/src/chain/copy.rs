//! Rows in Postgres's binary COPY format.

use alloy::primitives::{Address, B256, Bytes, U256};
use sqlx::PgConnection;

use super::rows::UnixTime;

/// A row that is written in bulk.
pub(super) trait CopyRow {
    /// `COPY table (columns) FROM STDIN BINARY`.
    const STATEMENT: &'static str;
    /// Number of columns in it.
    const COLUMNS: i16;
    /// Appends the fields in the statement's order.
    fn fields(&self, to: &mut Encoder);
}

/// Writes rows in one COPY.
pub(super) async fn copy<R: CopyRow>(connection: &mut PgConnection, rows: &[R]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut encoder = Encoder::new();
    let mut sink = connection.copy_in_raw(R::STATEMENT).await?;
    for row in rows {
        encoder.buffer.extend(R::COLUMNS.to_be_bytes());
        row.fields(&mut encoder);
        if encoder.buffer.len() >= CHUNK {
            sink.send(std::mem::take(&mut encoder.buffer)).await?;
        }
    }
    encoder.buffer.extend((-1_i16).to_be_bytes());
    sink.send(encoder.buffer).await?;
    sink.finish().await?;
    Ok(())
}

const CHUNK: usize = 1 << 20;
/// The last second that a column takes: 9999-12-31 23:59:59 UTC.
const LAST_SECOND: u64 = 253_402_300_799;
/// 2000-01-01, from which Postgres counts.
const POSTGRES_EPOCH: i64 = 946_684_800;

/// Collects fields, each a length and its bytes.
pub(super) struct Encoder {
    buffer: Vec<u8>,
}

impl Encoder {
    fn new() -> Self {
        let mut buffer = Vec::with_capacity(64 * 1024);
        buffer.extend(b"PGCOPY\n\xff\r\n\0");
        buffer.extend([0; 8]);
        Self { buffer }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        // Postgres takes fields up to 1 GiB; no block comes near.
        self.buffer.extend((bytes.len() as i32).to_be_bytes());
        self.buffer.extend(bytes);
    }

    /// A one-dimensional array of values of a type.
    fn array<T: Field>(&mut self, element_type: i32, values: &[T]) {
        let start = self.buffer.len();
        self.buffer.extend([0; 4]);
        for word in [i32::from(!values.is_empty()), 0, element_type] {
            self.buffer.extend(word.to_be_bytes());
        }
        if !values.is_empty() {
            for word in [values.len() as i32, 1] {
                self.buffer.extend(word.to_be_bytes());
            }
            for value in values {
                value.write(self);
            }
        }
        let length = (self.buffer.len() - start - 4) as i32;
        self.buffer[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }

    /// `numeric`: digits to the base 10,000, most significant first, without trailing zeros.
    fn numeric(&mut self, value: U256) {
        const BASE: u64 = 10_000;
        let mut digits = [0_u16; 20];
        let mut first = digits.len();
        let mut push = |digit: u64| {
            first -= 1;
            digits[first] = u16::try_from(digit).unwrap_or_default();
        };
        match u64::try_from(value) {
            Ok(mut rest) => {
                while rest > 0 {
                    push(rest % BASE);
                    rest /= BASE;
                }
            }
            Err(_) => {
                let base = U256::from(BASE);
                let mut rest = value;
                while !rest.is_zero() {
                    let (quotient, digit) = rest.div_rem(base);
                    push(digit.to::<u64>());
                    rest = quotient;
                }
            }
        }
        let all = &digits[first..];
        let kept = all.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
        let weight = i16::try_from(all.len()).unwrap_or_default() - 1;
        let count = i16::try_from(kept).unwrap_or_default();
        self.buffer.extend((8 + 2 * i32::from(count)).to_be_bytes());
        for word in [count, if kept == 0 { 0 } else { weight }, 0, 0] {
            self.buffer.extend(word.to_be_bytes());
        }
        for digit in &all[..kept] {
            self.buffer.extend(digit.to_be_bytes());
        }
    }
}

/// A value of a row.
pub(super) trait Field {
    /// Appends it.
    fn write(&self, to: &mut Encoder);
}

impl<T: Field> Field for Option<T> {
    fn write(&self, to: &mut Encoder) {
        match self {
            Some(value) => value.write(to),
            None => to.buffer.extend((-1_i32).to_be_bytes()),
        }
    }
}

impl Field for Address {
    fn write(&self, to: &mut Encoder) {
        to.bytes(self.as_slice());
    }
}

impl Field for B256 {
    fn write(&self, to: &mut Encoder) {
        to.bytes(self.as_slice());
    }
}

impl Field for Bytes {
    fn write(&self, to: &mut Encoder) {
        to.bytes(self);
    }
}

impl Field for U256 {
    fn write(&self, to: &mut Encoder) {
        to.numeric(*self);
    }
}

impl Field for bool {
    fn write(&self, to: &mut Encoder) {
        to.bytes(&[u8::from(*self)]);
    }
}

/// `smallint`.
impl Field for u8 {
    fn write(&self, to: &mut Encoder) {
        to.bytes(&i16::from(*self).to_be_bytes());
    }
}

impl Field for i32 {
    fn write(&self, to: &mut Encoder) {
        to.bytes(&self.to_be_bytes());
    }
}

/// `integer`, for what never comes near its end: ids of 16 bits, positions in a block.
impl Field for u32 {
    fn write(&self, to: &mut Encoder) {
        i32::try_from(*self).unwrap_or(i32::MAX).write(to);
    }
}

/// `bigint`; a larger number (a gas limit switched off) becomes the largest.
impl Field for u64 {
    fn write(&self, to: &mut Encoder) {
        to.bytes(&i64::try_from(*self).unwrap_or(i64::MAX).to_be_bytes());
    }
}

impl Field for &'static str {
    fn write(&self, to: &mut Encoder) {
        to.bytes(self.as_bytes());
    }
}

/// Postgres has no zero character in text: it becomes the replacement character.
impl Field for String {
    fn write(&self, to: &mut Encoder) {
        if self.contains('\0') {
            to.bytes(self.replace('\0', "\u{fffd}").as_bytes());
        } else {
            to.bytes(self.as_bytes());
        }
    }
}

/// `timestamptz`, cut to the end of the year 9999.
impl Field for UnixTime {
    fn write(&self, to: &mut Encoder) {
        let seconds = self.0.min(LAST_SECOND) as i64;
        to.bytes(&((seconds - POSTGRES_EPOCH) * 1_000_000).to_be_bytes());
    }
}

/// `integer[]`.
impl Field for Vec<u16> {
    fn write(&self, to: &mut Encoder) {
        const INT4: i32 = 23;
        let values: Vec<u32> = self.iter().copied().map(u32::from).collect();
        to.array(INT4, &values);
    }
}

/// `timestamptz[]`.
impl Field for Vec<UnixTime> {
    fn write(&self, to: &mut Encoder) {
        const TIMESTAMPTZ: i32 = 1184;
        to.array(TIMESTAMPTZ, self);
    }
}
