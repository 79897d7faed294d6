use super::Unknown;

/// What is left of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self(line.trim())
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next word; one in double quotes may hold blanks.
    pub(super) fn next(&mut self) -> Option<&'a str> {
        let (word, rest) = if let Some(quoted) = self.0.strip_prefix('"') {
            quoted.split_once('"').unwrap_or((quoted, ""))
        } else {
            self.0
                .split_once(char::is_whitespace)
                .unwrap_or((self.0, ""))
        };
        if word.is_empty() {
            return None;
        }
        self.0 = rest.trim_start();
        Some(word)
    }

    /// The next word as one of these; says which they are if it is another.
    pub(super) fn one_of<T: Clone>(
        &mut self,
        what: &str,
        values: &[(&str, T)],
    ) -> Result<T, Unknown> {
        let word = self.next().unwrap_or_default();
        let found = values.iter().find(|(name, _)| *name == word);
        found.map(|(_, value)| value.clone()).ok_or_else(|| {
            let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
            unknown(&format!("{what}: {}", names.join(", ")), word)
        })
    }

    pub(super) fn on_off(&mut self) -> Result<bool, Unknown> {
        self.one_of("a state", &[("on", true), ("off", false)])
    }

    /// A name that something follows: one word, or in quotes.
    pub(super) fn name(&mut self) -> Result<String, Unknown> {
        let name = self.next().map(str::to_owned);
        name.ok_or_else(|| unknown("a name", ""))
    }

    /// All that is left, as a name or a text.
    pub(super) fn rest(&mut self, what: &str) -> Result<String, Unknown> {
        let rest = std::mem::take(&mut self.0);
        let inner = rest
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let rest = inner.filter(|inner| !inner.contains('"')).unwrap_or(rest);
        if rest.is_empty() {
            return Err(unknown(what, ""));
        }
        Ok(rest.to_owned())
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), Unknown> {
        if self.is_empty() {
            return Ok(());
        }
        Err(unknown("nothing more", self.0))
    }
}

pub(super) fn unknown(expected: &str, got: &str) -> Unknown {
    Unknown {
        expected: expected.to_owned(),
        got: got.chars().take(64).collect(),
    }
}
