//! The command line: words, and options of the form `--name value`.
use anyhow::{anyhow, bail};

pub struct Arguments {
    words: std::vec::IntoIter<String>,
    options: Vec<(String, String)>,
}

impl Arguments {
    pub fn new(arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut arguments = arguments.into_iter();
        let (mut words, mut options) = (Vec::new(), Vec::new());
        while let Some(argument) = arguments.next() {
            match argument.strip_prefix("--") {
                Some(name) => {
                    let value = arguments.next().ok_or_else(|| anyhow!("--{name} needs a value"))?;
                    options.push((name.to_string(), value));
                }
                None => words.push(argument),
            }
        }
        Ok(Self {
            words: words.into_iter(),
            options,
        })
    }

    pub fn word(&mut self, what: &str) -> anyhow::Result<String> {
        self.words.next().ok_or_else(|| anyhow!("{what} is missing"))
    }

    pub fn optional_word(&mut self) -> Option<String> {
        self.words.next()
    }

    pub fn option(&mut self, name: &str) -> Option<String> {
        let at = self.options.iter().position(|(known, _)| known == name)?;
        Some(self.options.remove(at).1)
    }

    pub fn end(mut self) -> anyhow::Result<()> {
        if let Some(word) = self.words.next() {
            bail!("{word} is one word too many");
        }
        if let Some((name, _)) = self.options.first() {
            bail!("there is no option --{name} here");
        }
        Ok(())
    }
}

/// Numbers by commas; nothing is an empty list.
pub fn numbers(text: &str) -> anyhow::Result<Vec<u64>> {
    text.split(',')
        .filter(|n| !n.is_empty())
        .map(|n| Ok(n.parse()?))
        .collect()
}
