//! Checks that hold the shape of the workspace: the allowed arrows between crates, the size of a
//! file, the words that must not be there. Each check returns what it found, one line a finding.

mod arrows;
mod source;

pub use arrows::{forbidden_arrows, foreign_packages};
pub use source::{
    banned_words, impure_lines, long_files, orphan_files, snippets_differ, unsafe_outside,
};

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The root of the workspace whose tests run: one that shares its target folder may have built them.
pub fn workspace_root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs it");
    Path::new(&package)
        .join("../..")
        .canonicalize()
        .expect("the workspace exists")
}

/// Every file under `root` with this extension, without build output and hidden folders.
pub fn files(root: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be read") {
            let path = entry.expect("an entry can be read").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// `path` as it reads from `root`.
fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

fn is_test(relative: &str) -> bool {
    relative.contains("/tests/")
        || relative.ends_with("/tests.rs")
        || relative.ends_with("_tests.rs")
        || relative.starts_with("testing/")
        || relative.starts_with("fuzz/")
}
