//! Bytes and times as text (KEZ-CAN-001 to KEZ-CAN-003).
use crate::problem::{ensure, Code, Result};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};

pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

pub fn from_hex(text: &str) -> Result<Vec<u8>> {
    HEXLOWER
        .decode(text.as_bytes())
        .map_err(|_| Code::EncodingMalformed.because("not lower-case hexadecimal digits in pairs"))
}

pub fn hex_array<const N: usize>(text: &str) -> Result<[u8; N]> {
    array(from_hex(text)?)
}

/// Bytes of a secure random generator.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::getrandom(&mut bytes).expect("the system has random numbers");
    bytes
}

pub fn base64url(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

pub fn from_base64url(text: &str) -> Result<Vec<u8>> {
    BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| Code::EncodingMalformed.because("not canonical base64url without padding"))
}

pub fn base64url_array<const N: usize>(text: &str) -> Result<[u8; N]> {
    array(from_base64url(text)?)
}

fn array<const N: usize>(bytes: Vec<u8>) -> Result<[u8; N]> {
    bytes
        .try_into()
        .map_err(|_| Code::EncodingMalformed.because(format!("not {N} bytes")))
}

/// Whether `text` is a prefix such as `sha256:` and 64 lower-case hexadecimal digits.
pub fn is_hash(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| is_hex(digits, 64))
}

pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

const URL_LIMIT: usize = 512;

/// Whether `text` is a URL of one of these schemes and of at most 512 characters (KEZ-SIG-112).
pub fn is_url(text: &str, schemes: &[&str]) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        let bounded = !rest.is_empty() && text.chars().count() <= URL_LIMIT;
        schemes.contains(&scheme) && bounded && !text.contains(is_white_space)
    })
}

/// Whether `c` is what the protocol calls white space: Rust's, without U+0085 and with U+FEFF.
pub fn is_white_space(c: char) -> bool {
    c == '\u{feff}' || c.is_whitespace() && c != '\u{85}'
}

/// Whether `c` is what the protocol calls a control character: U+0000 to U+001F, and U+007F.
pub fn is_control(c: char) -> bool {
    c.is_ascii_control()
}

/// Milliseconds since 1970 of a time `2026-05-25T00:00:00Z`.
pub fn time(text: &str) -> Result<i64> {
    let bytes = text.as_bytes();
    let form = bytes.len() == 20
        && bytes
            .iter()
            .zip(b"0000-00-00T00:00:00Z")
            .all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                _ => byte == form,
            });
    ensure(form, Code::TimestampMalformed, "not of the form 2026-05-25T00:00:00Z")?;
    let number = |from: usize, to: usize| {
        text[from..to]
            .bytes()
            .fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let exists = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    ensure(exists, Code::TimestampMalformed, "a day that does not exist")?;
    ensure(
        hour < 24 && minute < 60 && second < 60,
        Code::TimestampMalformed,
        "a time that does not exist",
    )?;
    Ok((((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

/// The text of a time in milliseconds since 1970, without its fraction.
pub fn time_text(millis: i64) -> String {
    let seconds = millis.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let mut year = 1970 + days / 366;
    while days_since_1970(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 12;
    while days_since_1970(year, month, 1) > days {
        month -= 1;
    }
    let day = days - days_since_1970(year, month, 1) + 1;
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z",
        second % 60
    )
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let leaps_before = |year: i64| (year - 1).div_euclid(4) - (year - 1).div_euclid(100) + (year - 1).div_euclid(400);
    let years = (year - 1970) * 365 + leaps_before(year) - leaps_before(1970);
    years + (1..month).map(|month| days_of(year, month)).sum::<i64>() + day - 1
}
