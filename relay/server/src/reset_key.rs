use std::{fs, path::Path};

use parvis_quic::ResetKey;

use crate::{Config, StartError};

/// The key that the configuration names; `None`: there is none, or another relay may share the port.
pub(crate) fn load(config: &Config) -> Result<Option<ResetKey>, StartError> {
    let Some(path) = config.reset_key.as_ref().filter(|_| !config.hand_over) else {
        return Ok(None);
    };
    let unusable = |reason: String| StartError::ResetKey {
        path: path.clone(),
        reason,
    };
    let text = read(path).map_err(unusable)?;
    let key = parse(text.trim());
    let key = key.ok_or_else(|| {
        let digits = 2 * ResetKey::LENGTH;
        unusable(format!(
            "it has {digits} hexadecimal digits, as `openssl rand -hex {}` makes them",
            ResetKey::LENGTH
        ))
    })?;
    Ok(Some(ResetKey::new(&key)))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| error.to_string())
}

fn parse(text: &str) -> Option<[u8; ResetKey::LENGTH]> {
    let mut key = [0; ResetKey::LENGTH];
    let digits: Vec<char> = text.chars().collect();
    if digits.len() != 2 * key.len() {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let value = digits[0].to_digit(16)? << 4 | digits[1].to_digit(16)?;
        *byte = value as u8;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_so_many_digits_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reset-key");
        let load = |text: &str, hand_over| {
            fs::write(&path, text).unwrap();
            load(&Config {
                reset_key: Some(path.clone()),
                hand_over,
                ..Config::default()
            })
        };
        let digits = "0f".repeat(64);
        assert!(load(&format!("{digits}\n"), false).unwrap().is_some());
        assert!(load(&digits, true).unwrap().is_none());
        for text in [
            "",
            "0f",
            &"0g".repeat(64),
            &format!("{digits}0"),
            &"é".repeat(64),
        ] {
            let error = load(text, false).unwrap_err().to_string();
            assert!(error.contains("`openssl rand -hex 64`"), "{error}");
        }
        assert!(super::load(&Config::default()).unwrap().is_none());
    }
}
