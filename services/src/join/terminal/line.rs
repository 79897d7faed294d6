/// A line that is typed, with a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EditLine {
    text: String,
    /// In letters from the start.
    cursor: usize,
}

/// A change of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// This is typed, or pasted.
    Insert(String),
    /// The letter before the cursor goes.
    Backspace,
    /// The letter under the cursor goes.
    Delete,
    /// The cursor moves.
    Left,
    /// The cursor moves.
    Right,
    /// The cursor moves to the start.
    Home,
    /// The cursor moves to the end.
    End,
    /// Everything goes.
    Clear,
}

/// The most letters; a chat message has fewer.
const MOST: usize = 4096;

impl EditLine {
    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The letters before the cursor.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Takes it, and begins another one.
    pub fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Changes it.
    pub fn edit(&mut self, edit: Edit) {
        let letters = self.text.chars().count();
        match edit {
            Edit::Insert(text) => {
                let kept = text.chars().map(|c| if c.is_control() { ' ' } else { c });
                let kept: String = kept.take(MOST.saturating_sub(letters)).collect();
                self.text.insert_str(self.at(self.cursor), &kept);
                self.cursor += kept.chars().count();
            }
            Edit::Backspace => {
                if self.cursor > 0 {
                    self.cursor -= 1;
                    self.text.remove(self.at(self.cursor));
                }
            }
            Edit::Delete => {
                if self.cursor < letters {
                    self.text.remove(self.at(self.cursor));
                }
            }
            Edit::Left => self.cursor = self.cursor.saturating_sub(1),
            Edit::Right => self.cursor = (self.cursor + 1).min(letters),
            Edit::Home => self.cursor = 0,
            Edit::End => self.cursor = letters,
            Edit::Clear => drop(self.take()),
        }
    }

    /// The byte where a letter begins.
    fn at(&self, letter: usize) -> usize {
        let found = self.text.char_indices().nth(letter);
        found.map_or(self.text.len(), |(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_several_bytes_are_typed_and_taken_away() {
        let mut line = EditLine::default();
        line.edit(Edit::Insert("Zoé\n👏".to_owned()));
        assert_eq!((line.text(), line.cursor()), ("Zoé 👏", 5));
        line.edit(Edit::Left);
        line.edit(Edit::Backspace);
        line.edit(Edit::Backspace);
        assert_eq!((line.text(), line.cursor()), ("Zo👏", 2));
        line.edit(Edit::Insert("é".to_owned()));
        line.edit(Edit::Delete);
        line.edit(Edit::Delete);
        assert_eq!(line.text(), "Zoé");
        line.edit(Edit::Home);
        line.edit(Edit::Backspace);
        line.edit(Edit::Insert("à ".to_owned()));
        line.edit(Edit::End);
        line.edit(Edit::Right);
        assert_eq!((line.text(), line.cursor()), ("à Zoé", 5));
        assert_eq!(line.take(), "à Zoé");
        assert_eq!((line.text(), line.cursor()), ("", 0));
    }

    #[test]
    fn a_line_does_not_grow_without_end() {
        let mut line = EditLine::default();
        line.edit(Edit::Insert("x".repeat(MOST + 7)));
        line.edit(Edit::Insert("y".to_owned()));
        assert_eq!(line.text().len(), MOST);
    }
}
