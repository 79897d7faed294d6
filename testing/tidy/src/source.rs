use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{files, is_test, relative};

const MAX_LINES: usize = 600;

/// Crates that see no clock, file, lock, runtime or global random source.
const PURE: &[&str] = &[
    "moq/wire/src",
    "moq/session/src",
    "moq/token/src",
    "relay/forwarding/src",
    "meeting/src",
    "media/format/src",
    "media/playout/src",
];

const IMPURE: &[&str] = &[
    "tokio",
    "Instant::now",
    "SystemTime::now",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "Mutex",
    "RwLock",
    "std::thread",
    "thread_rng",
    "rand::rng(",
    "getrandom",
];

/// Where `unsafe` may stand.
const UNSAFE: &[&str] = &["media/codec/", "media/device/", "bindings/"];

/// How it can stand there.
const UNSAFE_FORMS: &[&str] = &["unsafe {", "unsafe impl", "unsafe fn", "unsafe trait"];

/// Each word in two parts, so that this file does not find itself.
const BANNED: &[(&str, &str)] = &[
    ("todo", "!("),
    ("unimplemented", "!("),
    ("FIX", "ME"),
    ("// XX", "X"),
    ("not yet ", "implemented"),
    ("place", "holder"),
    ("for ", "now"),
    ("/wo", "rk/"),
    ("crates", ".io"),
    ("npmjs", ".org"),
    ("repo1.maven", ".org"),
    ("deb.debian", ".org"),
    ("pypi", ".org"),
];

/// Source files longer than the limit, tests apart.
pub fn long_files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in sources(root) {
        let name = relative(root, &path);
        let lines = read(&path).lines().count();
        if lines > MAX_LINES && !is_test(&name) {
            found.push(format!(
                "{name} has {lines} lines, the limit is {MAX_LINES}"
            ));
        }
    }
    found
}

/// Rust files under a `src` folder, or in a folder of tests, that no `mod` line names.
pub fn orphan_files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(root, "rs") {
        let name = relative(root, &path);
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let in_bin = path.parent().is_some_and(|p| p.ends_with("src/bin"));
        let is_module = name.contains("/src/")
            || name
                .split_once("/tests/")
                .is_some_and(|(_, rest)| rest.contains('/'));
        if !is_module || in_bin || ["lib", "main", "mod"].contains(&stem.as_str()) {
            continue;
        }
        let folder = path.parent().expect("a file has a folder");
        let mut parents: Vec<PathBuf> = ["lib.rs", "main.rs", "mod.rs"]
            .iter()
            .map(|file| folder.join(file))
            .collect();
        parents.push(folder.with_extension("rs"));
        let named = parents.iter().filter(|p| p.exists()).any(|parent| {
            read(parent).lines().any(|line| {
                let line = line.trim();
                line.ends_with(&format!("mod {stem};"))
                    || line.contains(&format!("mod {stem} {{"))
                    || line.contains(&format!("\"{stem}.rs\""))
            })
        });
        if !named {
            found.push(name);
        }
    }
    found
}

/// Lines with words that mark unfinished work, a workplace or a registry.
pub fn banned_words(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let others = ["md", "sh", "py", "toml", "json", "js", "mjs", "html"];
    let others = others.iter().flat_map(|extension| files(root, extension));
    let makefile = [root.join("Makefile"), root.join(".ci/run")];
    for path in sources(root).into_iter().chain(others).chain(makefile) {
        let name = relative(root, &path);
        for (number, line) in read(&path).lines().enumerate() {
            for (head, tail) in BANNED {
                if line.contains(&format!("{head}{tail}")) {
                    found.push(format!("{name}:{}: {head}{tail}", number + 1));
                }
            }
        }
    }
    found
}

/// Lines of pure crates that name a runtime, clock, file, lock or global random source.
pub fn impure_lines(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(root, "rs") {
        let name = relative(root, &path);
        if is_test(&name) || !PURE.iter().any(|pure| name.starts_with(pure)) {
            continue;
        }
        for (number, line) in read(&path).lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for word in IMPURE {
                if line.contains(word) {
                    found.push(format!("{name}:{}: {word}", number + 1));
                }
            }
        }
    }
    found
}

/// `unsafe` outside the folders that may have it, or inside them without a SAFETY comment near.
pub fn unsafe_outside(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(root, "rs") {
        let name = relative(root, &path);
        if name.starts_with("testing/tidy") {
            continue;
        }
        let text = read(&path);
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if !UNSAFE_FORMS.iter().any(|form| code.contains(form)) {
                continue;
            }
            if !UNSAFE.iter().any(|folder| name.starts_with(folder)) {
                found.push(format!(
                    "{name}:{}: unsafe outside the crates that may",
                    number + 1
                ));
            } else if !lines[number.saturating_sub(6)..=number]
                .iter()
                .any(|l| l.contains("SAFETY"))
            {
                found.push(format!(
                    "{name}:{}: unsafe without a SAFETY comment",
                    number + 1
                ));
            }
        }
    }
    found
}

/// Snippets of a page that differ from what is between `// embed: begin` and `// embed: end` in the
/// compiled file that the comment before them names; layout apart, since formatters own the files'.
pub fn snippets_differ(root: &Path, page: &str) -> Vec<String> {
    let text = read(&root.join(page));
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    let mut found = Vec::new();
    let mut snippets = 0;
    for block in text.split("<!-- ").skip(1) {
        let Some((file, rest)) = block.split_once(" -->") else {
            continue;
        };
        snippets += 1;
        let shown = rest.split("```").nth(1).unwrap_or_default();
        // The language stands behind the fence.
        let shown = shown.split_once('\n').map_or("", |(_, code)| code);
        let compiled = embedded(&read(&root.join(file)));
        if compiled.is_empty() || dense(shown) != dense(&compiled) {
            found.push(format!("{page} and {file} say different things"));
        }
    }
    if snippets == 0 {
        found.push(format!("{page} shows nothing"));
    }
    found
}

fn embedded(source: &str) -> String {
    let mut lines = String::new();
    let mut on = false;
    for line in source.lines() {
        match line.trim() {
            "// embed: begin" => on = true,
            "// embed: end" => on = false,
            _ if on => {
                lines.push_str(line);
                lines.push('\n');
            }
            _ => {}
        }
    }
    lines
}

fn sources(root: &Path) -> Vec<PathBuf> {
    let mut all = files(root, "rs");
    for extension in ["kt", "swift", "ts"] {
        all.extend(files(root, extension));
    }
    all
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
