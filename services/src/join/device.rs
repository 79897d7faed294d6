use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
};

use anyhow::Context;

use crate::api::config_folder;

/// The id of this device: random, made once and kept.
pub fn id() -> anyhow::Result<String> {
    let Some(folder) = config_folder() else {
        return random();
    };
    let file = folder.join("device");
    let cannot = || format!("cannot keep {}: give --device", file.display());
    match fs::read_to_string(&file) {
        Ok(id) if !id.trim().is_empty() => return Ok(id.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(cannot),
    }
    let id = random()?;
    fs::create_dir_all(&folder).with_context(cannot)?;
    let made = OpenOptions::new().write(true).create_new(true).open(&file);
    match made {
        Ok(mut out) => writeln!(out, "{id}").with_context(cannot)?,
        // Another one was faster: next time it is the same.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(cannot),
    }
    Ok(id)
}

fn random() -> anyhow::Result<String> {
    let random: [u8; 16] = crate::token::random()?;
    Ok(format!("{:032x}", u128::from_be_bytes(random)))
}
