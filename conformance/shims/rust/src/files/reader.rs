//! Reads the binary forms of iroh, postcard's: bytes, and numbers in as few bytes as they need.
use crate::problem::{ensure, Code, Problem, Result};

pub struct Reader<'a> {
    rest: &'a [u8],
    code: Code,
}

impl<'a> Reader<'a> {
    /// What is wrong is refused with `code`.
    pub fn new(bytes: &'a [u8], code: Code) -> Self {
        Self { rest: bytes, code }
    }

    pub fn problem(&self, message: &'static str) -> Problem {
        self.code.because(message)
    }

    pub fn bytes(&mut self, length: u64) -> Result<&'a [u8]> {
        let split = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length));
        let (head, rest) = split.ok_or_else(|| self.problem("it ends early"))?;
        self.rest = rest;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| self.problem("it ends early"))?;
        self.rest = rest;
        Ok(*head)
    }

    pub fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// A number of at most 64 bits, seven bits a byte, the lowest first.
    pub fn varint(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            ensure(
                bits << shift >> shift == bits,
                self.code,
                "a number of more than 64 bits",
            )?;
            number |= bits << shift;
            if byte < 0x80 {
                ensure(
                    byte > 0 || shift == 0,
                    self.code,
                    "a number in more bytes than it needs",
                )?;
                return Ok(number);
            }
        }
        Err(self.problem("a number of more than 64 bits"))
    }

    pub fn end(&self) -> Result<()> {
        ensure(self.rest.is_empty(), self.code, "something follows the end")
    }
}

pub fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
