//! Strict JSON (KEZ-CAN-005 to KEZ-CAN-009) on serde_json's grammar, and JCS (KEZ-CAN-012).
use crate::problem::{problem, Result};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

const DEPTH_LIMIT: usize = 16;
const NUMBER_LIMIT: u64 = (1 << 53) - 1;
const CODES: [&str; 4] = ["json_duplicate_name", "json_number", "json_string", "json_depth"];

/// Parses exactly one value.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = Strict(0)
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|error| {
        let message = error.to_string();
        let code = CODES.into_iter().find(|code| message.starts_with(code));
        let surrogate = message.contains("surrogate") || message.contains("hex escape");
        problem(
            code.unwrap_or(if surrogate { "json_string" } else { "json_malformed" }),
            message,
        )
    })
}

/// A value inside this many objects and arrays. What it refuses is a serde error that begins with the code.
struct Strict(usize);

impl Strict {
    fn inside<E: Error>(&self) -> std::result::Result<Strict, E> {
        if self.0 < DEPTH_LIMIT {
            Ok(Strict(self.0 + 1))
        } else {
            Err(E::custom("json_depth"))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> std::result::Result<Value, E> {
        if value > NUMBER_LIMIT {
            return Err(E::custom("json_number"));
        }
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> std::result::Result<Value, E> {
        if value.unsigned_abs() > NUMBER_LIMIT {
            return Err(E::custom("json_number"));
        }
        Ok(value.into())
    }

    /// Fractions, exponents, `-0` and what is too large for an integer.
    fn visit_f64<E: Error>(self, _: f64) -> std::result::Result<Value, E> {
        Err(E::custom("json_number"))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.inside()?)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Value, A::Error> {
        let mut object = Map::new();
        let inside = self.inside::<A::Error>()?.0;
        while let Some(name) = members.next_key::<String>()? {
            if name == "__proto__" {
                return Err(A::Error::custom("json_string"));
            }
            if object.contains_key(&name) {
                return Err(A::Error::custom("json_duplicate_name"));
            }
            let value = members.next_value_seed(Strict(inside))?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// RFC 8785 for values whose numbers are integers: serde_json writes strings as it wants them, but sorts by UTF-8.
pub fn jcs(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(jcs).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            let written = sorted
                .iter()
                .map(|(name, member)| format!("{}:{}", Value::from(name.as_str()), jcs(member)));
            format!("{{{}}}", written.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}
