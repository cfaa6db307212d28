//! Strict JSON (KEZ-CAN-005 to KEZ-CAN-010).
use crate::problem::{ensure, Code, Problem, Result};
use serde_json::{Map, Value};

const DEPTH_LIMIT: usize = 16;
const NUMBER_LIMIT: i64 = (1 << 53) - 1;

/// Parses exactly one JSON value of at most `max_bytes` bytes.
pub fn parse(bytes: &[u8], max_bytes: usize) -> Result<Value> {
    ensure(
        bytes.len() <= max_bytes,
        Code::TooLarge,
        "more bytes than the limit of the context",
    )?;
    let text = std::str::from_utf8(bytes).map_err(|_| Code::JsonMalformed.because("not UTF-8"))?;
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    parser.white_space();
    ensure(
        parser.at == text.len(),
        Code::JsonMalformed,
        "something follows the value",
    )?;
    Ok(value)
}

/// Applies the rules to a value that another parser has read already.
pub fn recheck(value: &Value, max_bytes: usize) -> Result<Value> {
    parse(value.to_string().as_bytes(), max_bytes)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn malformed(&self, message: &str) -> Problem {
        Code::JsonMalformed.because(format!("{message} at byte {}", self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// The next byte after white space, if it is this one.
    fn take_next(&mut self, byte: u8) -> bool {
        self.white_space();
        self.take(byte)
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        self.white_space();
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.literal(),
        }
    }

    fn literal(&mut self) -> Result<Value> {
        let rest = &self.text[self.at..];
        for (word, value) in [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.malformed("no value"))
    }

    fn open(&mut self, depth: usize) -> Result<()> {
        ensure(depth <= DEPTH_LIMIT, Code::JsonDepth, "nested deeper than 16")?;
        self.at += 1;
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<Value> {
        self.open(depth)?;
        let mut members = Map::new();
        if self.take_next(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.white_space();
            if self.peek() != Some(b'"') {
                return Err(self.malformed("no member name"));
            }
            let name = self.string()?;
            ensure(name != "__proto__", Code::JsonString, "a member named __proto__")?;
            ensure(
                !members.contains_key(&name),
                Code::JsonDuplicateName,
                "a member is named twice",
            )?;
            if !self.take_next(b':') {
                return Err(self.malformed("no colon"));
            }
            let value = self.value(depth)?;
            members.insert(name, value);
            if self.take_next(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.malformed("neither comma nor end of object"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value> {
        self.open(depth)?;
        let mut items = Vec::new();
        if self.take_next(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.take_next(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.malformed("neither comma nor end of array"));
            }
        }
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.malformed("no digit"));
        }
        Ok(())
    }

    /// A number by the grammar of JSON, so that `1.0` is a wrong number and `01` is no JSON.
    fn number(&mut self) -> Result<Value> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let end = self.at;
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let token = &self.text[start..self.at];
        ensure(
            self.at == end && token != "-0",
            Code::JsonNumber,
            "a number is no integer in plain form",
        )?;
        match token.parse::<i64>() {
            Ok(number) if number.abs() <= NUMBER_LIMIT => Ok(Value::from(number)),
            _ => Err(Code::JsonNumber.because("an integer beyond 2^53 - 1")),
        }
    }

    fn string(&mut self) -> Result<String> {
        self.at += 1;
        let mut result = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .find(|c: char| c == '"' || c == '\\' || c < ' ')
                .unwrap_or(rest.len());
            result.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(result);
                }
                Some(b'\\') => {
                    self.at += 1;
                    result.push(self.escape()?);
                }
                _ => return Err(self.malformed("a control character or the end in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let letter = self.peek().ok_or_else(|| self.malformed("an open escape"))?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.malformed("an unknown escape")),
        })
    }

    fn unicode_escape(&mut self) -> Result<char> {
        let unit = self.code_unit()?;
        let scalar = match unit {
            0xd800..=0xdbff => {
                let low = if self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    self.code_unit()?
                } else {
                    0
                };
                ensure((0xdc00..=0xdfff).contains(&low), Code::JsonString, "a lone surrogate")?;
                0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
            }
            _ => unit,
        };
        char::from_u32(scalar).ok_or_else(|| Code::JsonString.because("a lone surrogate"))
    }

    fn code_unit(&mut self) -> Result<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).unwrap_or_default();
        if digits.len() < 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.malformed("an escape without four hexadecimal digits"));
        }
        self.at += 4;
        Ok(digits.iter().fold(0, |sum, digit| {
            sum * 16 + char::from(*digit).to_digit(16).unwrap_or_default()
        }))
    }
}
