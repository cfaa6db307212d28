//! Reads members of an object, and refuses what is missing or of another type with the code of the structure.
use super::forms;
use crate::problem::{ensure, Code, Result};
use serde_json::{Map, Value};

#[derive(Clone, Copy)]
pub struct Members<'a> {
    map: &'a Map<String, Value>,
    code: Code,
}

impl<'a> Members<'a> {
    pub fn new(map: &'a Map<String, Value>, code: Code) -> Self {
        Self { map, code }
    }

    pub fn of(value: &'a Value, code: Code) -> Result<Self> {
        value
            .as_object()
            .map(|map| Self { map, code })
            .ok_or_else(|| code.because("not an object"))
    }

    pub fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// Refuses members other than these.
    pub fn only(&self, names: &[&str]) -> Result<()> {
        match self.map.keys().find(|key| !names.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(self.code.because(format!("an unknown member {key:?}"))),
        }
    }

    pub fn get(&self, name: &str) -> Result<&'a Value> {
        self.map
            .get(name)
            .ok_or_else(|| self.code.because(format!("no member {name}")))
    }

    fn typed<T>(&self, name: &str, value: Option<T>, form: &str) -> Result<T> {
        value.ok_or_else(|| self.code.because(format!("{name} is not {form}")))
    }

    pub fn text(&self, name: &str) -> Result<&'a str> {
        self.typed(name, self.get(name)?.as_str(), "a string")
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>> {
        self.has(name).then(|| self.text(name)).transpose()
    }

    pub fn integer(&self, name: &str) -> Result<u64> {
        self.typed(name, self.get(name)?.as_u64(), "an integer >= 0")
    }

    pub fn flag(&self, name: &str) -> Result<bool> {
        self.typed(name, self.get(name)?.as_bool(), "true or false")
    }

    pub fn array(&self, name: &str) -> Result<&'a [Value]> {
        self.typed(name, self.get(name)?.as_array().map(Vec::as_slice), "an array")
    }

    pub fn object(&self, name: &str) -> Result<Members<'a>> {
        let map = self.typed(name, self.get(name)?.as_object(), "an object")?;
        Ok(Members { map, code: self.code })
    }

    pub fn map(&self) -> &'a Map<String, Value> {
        self.map
    }

    pub fn time(&self, name: &str) -> Result<i64> {
        forms::time(self.text(name)?)
    }

    /// A text of 1 to `limit` characters.
    pub fn bounded(&self, name: &str, limit: usize) -> Result<&'a str> {
        let text = self.text(name)?;
        ensure(
            !text.is_empty() && text.chars().count() <= limit,
            self.code,
            "a text that is empty or too long",
        )?;
        Ok(text)
    }

    /// Bytes as base64url: a wrong encoding has its own code, a wrong length that of the structure.
    pub fn bytes<const N: usize>(&self, name: &str) -> Result<[u8; N]> {
        let bytes = forms::from_base64url(self.text(name)?)?;
        self.typed(name, bytes.try_into().ok(), "of its length")
    }

    /// A prefix such as `sha256:` and 64 hexadecimal digits.
    pub fn hash(&self, name: &str, prefix: &str) -> Result<&'a str> {
        let text = self.text(name)?;
        ensure(forms::is_hash(text, prefix), self.code, "not a hash in its form")?;
        Ok(text)
    }
}
