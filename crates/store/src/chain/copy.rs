//! Rows in Postgres's binary COPY format.

use std::fmt::Write as _;

use alloy::primitives::{Address, B256, Bytes, U256};
use futures::TryStreamExt as _;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo, Postgres};
use sqlx::types::BigDecimal;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, PgConnection, Type};
use time::OffsetDateTime;

use super::rows::UnixTime;

/// A row that is written in bulk.
pub(super) trait CopyRow {
    /// Name of the table in the schema `chain`.
    const TABLE: &'static str;
    /// Names of the columns.
    const NAMES: &'static str;
    /// Their types, as parameters of a query have them.
    fn types() -> Vec<PgTypeInfo>;
    /// `COPY table (columns) FROM STDIN BINARY`.
    const STATEMENT: &'static str;
    /// What the row's event makes of its columns, to be selected in the statement's order: `current`, which later rows
    /// take away, is false.
    const MADE: &'static str;
    /// Number of columns in it.
    const COLUMNS: i16;
    /// Appends the fields in the statement's order.
    fn fields(&self, to: &mut Encoder);
}

/// Fields up to which rows are written by an INSERT. A COPY ends with a message of its own, which the system's TCP holds back
/// until the server has acknowledged the rows, and that it does only after 40 ms: too long for a block at the head.
const FEW_FIELDS: usize = 5_000;

/// Writes rows in one statement: a COPY where there are many.
pub(super) async fn copy<R: CopyRow>(connection: &mut PgConnection, rows: &[R]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    if rows.len() * usize::try_from(R::COLUMNS).unwrap_or(1) <= FEW_FIELDS {
        return insert(connection, rows).await;
    }
    let mut encoder = Encoder::new();
    let mut sink = connection.copy_in_raw(R::STATEMENT).await?;
    for row in rows {
        encoder.row(row);
        if encoder.buffer.len() >= CHUNK {
            sink.send(std::mem::take(&mut encoder.buffer)).await?;
        }
    }
    sink.send(encoder.end()).await?;
    sink.finish().await?;
    Ok(())
}

/// Writes few rows: a field in COPY's format, a length and its bytes, is a parameter's value as well.
async fn insert<R: CopyRow>(connection: &mut PgConnection, rows: &[R]) -> Result<(), sqlx::Error> {
    let types = R::types();
    let mut statement = format!("insert into chain.{} ({}) values ", R::TABLE, R::NAMES);
    let mut arguments = PgArguments::default();
    let mut encoder = Encoder { buffer: Vec::new() };
    for (at, row) in rows.iter().enumerate() {
        encoder.buffer.clear();
        row.fields(&mut encoder);
        let mut rest = encoder.buffer.as_slice();
        statement.push_str(if at == 0 { "(" } else { ", (" });
        for (column, kind) in types.iter().enumerate() {
            let (field, after) = first_field(rest).ok_or_else(|| sqlx::Error::Protocol("a row is cut off".into()))?;
            rest = after;
            arguments.add(Parameter { kind, field }).map_err(sqlx::Error::Encode)?;
            // Writing to a text cannot fail.
            let _ = write!(statement, "{}${}", if column == 0 { "" } else { ", " }, at * types.len() + column + 1);
        }
        statement.push(')');
    }
    sqlx::query_with(AssertSqlSafe(statement), arguments).persistent(false).execute(connection).await?;
    Ok(())
}

/// A field, none inside where it is null, and what follows it.
fn first_field(row: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = row.split_first_chunk()?;
    match usize::try_from(i32::from_be_bytes(*length)) {
        Ok(length) => rest.split_at_checked(length).map(|(field, rest)| (Some(field), rest)),
        Err(_) => Some((None, rest)),
    }
}

/// An encoded field as the parameter of a query.
struct Parameter<'a> {
    kind: &'a PgTypeInfo,
    field: Option<&'a [u8]>,
}

impl Type<Postgres> for Parameter<'_> {
    fn type_info() -> PgTypeInfo {
        <[u8] as Type<Postgres>>::type_info()
    }
}

impl<'q> Encode<'q, Postgres> for Parameter<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        match self.field {
            Some(field) => {
                buffer.extend_from_slice(field);
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.kind.clone())
    }
}

/// Makes the rows that blocks `from` to `to` made these; where they are these already, nothing is written. Returns how
/// many were written or deleted.
pub(super) async fn replace<R: CopyRow>(
    connection: &mut PgConnection,
    rows: &[R],
    from: i64,
    to: i64,
) -> Result<u64, sqlx::Error> {
    let (table, made) = (R::TABLE, R::MADE);
    let query = format!(
        "copy (select {made} from chain.{table} where block_number between {from} and {to}
               order by block_number, log_index) to stdout (format binary)"
    );
    let mut stored = Vec::new();
    let mut source = connection.copy_out_raw(&query).await?;
    while let Some(part) = source.try_next().await? {
        stored.extend_from_slice(&part);
    }
    drop(source);
    let mut encoder = Encoder::new();
    for row in rows {
        encoder.row(row);
    }
    let wanted = encoder.end();
    if stored == wanted || in_any_order(&stored) == in_any_order(&wanted) {
        return Ok(0);
    }
    let delete = format!("delete from chain.{table} where block_number between {from} and {to}");
    let deleted = sqlx::query(AssertSqlSafe(delete)).execute(&mut *connection).await?.rows_affected();
    copy(connection, rows).await?;
    Ok(deleted.max(rows.len() as u64))
}

/// The rows of a whole binary COPY, sorted. What is cut off is one row that equals no other.
fn in_any_order(mut copied: &[u8]) -> Vec<&[u8]> {
    let mut rows = Vec::new();
    copied = copied.get(HEADER.len()..).unwrap_or_default();
    while let Some(length) = row_length(copied) {
        let (row, rest) = copied.split_at(length);
        rows.push(row);
        copied = rest;
    }
    rows.push(copied);
    rows.sort_unstable();
    rows
}

/// Length of the first row; none at the end.
fn row_length(copied: &[u8]) -> Option<usize> {
    let fields = i16::from_be_bytes(copied.get(..2)?.try_into().ok()?);
    let mut at = 2;
    for _ in 0..u16::try_from(fields).ok()? {
        let length = i32::from_be_bytes(copied.get(at..at + 4)?.try_into().ok()?);
        at += 4 + usize::try_from(length).unwrap_or(0);
    }
    (at <= copied.len()).then_some(at)
}

/// What a binary COPY begins with: signature, flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
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
        buffer.extend(HEADER);
        Self { buffer }
    }

    fn row<R: CopyRow>(&mut self, row: &R) {
        self.buffer.extend(R::COLUMNS.to_be_bytes());
        row.fields(self);
    }

    fn end(mut self) -> Vec<u8> {
        self.buffer.extend((-1_i16).to_be_bytes());
        self.buffer
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
    /// The type of its column, or what its domain is made of.
    fn type_info() -> PgTypeInfo;
    /// Appends it.
    fn write(&self, to: &mut Encoder);
}

impl<T: Field> Field for Option<T> {
    fn type_info() -> PgTypeInfo {
        T::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        match self {
            Some(value) => value.write(to),
            None => to.buffer.extend((-1_i32).to_be_bytes()),
        }
    }
}

impl Field for Address {
    fn type_info() -> PgTypeInfo {
        <[u8] as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        to.bytes(self.as_slice());
    }
}

impl Field for B256 {
    fn type_info() -> PgTypeInfo {
        <[u8] as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        to.bytes(self.as_slice());
    }
}

impl Field for Bytes {
    fn type_info() -> PgTypeInfo {
        <[u8] as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        to.bytes(self);
    }
}

impl Field for U256 {
    fn type_info() -> PgTypeInfo {
        <BigDecimal as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        to.numeric(*self);
    }
}

impl Field for bool {
    fn type_info() -> PgTypeInfo {
        <bool as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        to.bytes(&[u8::from(*self)]);
    }
}

/// `smallint`.
impl Field for u8 {
    fn type_info() -> PgTypeInfo {
        <i16 as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        to.bytes(&i16::from(*self).to_be_bytes());
    }
}

impl Field for i32 {
    fn type_info() -> PgTypeInfo {
        <i32 as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        to.bytes(&self.to_be_bytes());
    }
}

/// `integer`, for what never comes near its end: ids of 16 bits, positions in a block.
impl Field for u32 {
    fn type_info() -> PgTypeInfo {
        <i32 as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        i32::try_from(*self).unwrap_or(i32::MAX).write(to);
    }
}

/// `bigint`; a larger number (a gas limit switched off) becomes the largest.
impl Field for u64 {
    fn type_info() -> PgTypeInfo {
        <i64 as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        to.bytes(&i64::try_from(*self).unwrap_or(i64::MAX).to_be_bytes());
    }
}

impl Field for &'static str {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        to.bytes(self.as_bytes());
    }
}

/// Postgres has no zero character in text: it becomes the replacement character.
impl Field for String {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }

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
    fn type_info() -> PgTypeInfo {
        <OffsetDateTime as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        let seconds = self.0.min(LAST_SECOND) as i64;
        to.bytes(&((seconds - POSTGRES_EPOCH) * 1_000_000).to_be_bytes());
    }
}

/// `integer[]`.
impl Field for Vec<u16> {
    fn type_info() -> PgTypeInfo {
        <Vec<i32> as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        const INT4: i32 = 23;
        let values: Vec<u32> = self.iter().copied().map(u32::from).collect();
        to.array(INT4, &values);
    }
}

/// `timestamptz[]`.
impl Field for Vec<UnixTime> {
    fn type_info() -> PgTypeInfo {
        <Vec<OffsetDateTime> as Type<Postgres>>::type_info()
    }

    fn write(&self, to: &mut Encoder) {
        const TIMESTAMPTZ: i32 = 1184;
        to.array(TIMESTAMPTZ, self);
    }
}
