use std::{collections::BTreeMap, fs, path::Path};

use crate::{files, relative};

/// Folder -> the workspace folders it may depend on, outside of its tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("moq/wire", &[]),
    ("moq/session", &["moq/wire"]),
    ("moq/token", &["moq/wire"]),
    ("moq/quic", &["moq/session", "moq/wire"]),
    ("relay/forwarding", &["moq/wire"]),
    (
        "relay/server",
        &[
            "moq/quic",
            "relay/forwarding",
            "moq/token",
            "moq/session",
            "moq/wire",
        ],
    ),
    ("meeting", &["moq/wire"]),
    ("media/format", &["moq/wire"]),
    ("media/playout", &["media/format"]),
    ("media/codec", &["media/format"]),
    ("media/device", &["media/format"]),
    (
        "sdk",
        &[
            "moq/quic",
            "moq/session",
            "moq/wire",
            "meeting",
            "media/playout",
            "media/format",
            "media/codec",
            "media/device",
        ],
    ),
    ("services/store", &["meeting"]),
    (
        "services/http",
        &["services/store", "meeting", "moq/token", "moq/wire"],
    ),
    (
        "services/authority",
        &["services/store", "sdk", "meeting", "moq/token"],
    ),
    (
        "services",
        &[
            "services/authority",
            "services/http",
            "services/store",
            "sdk",
            "meeting",
            "moq/token",
            "relay/server",
        ],
    ),
    ("bindings/ffi", &["sdk"]),
];

/// Folders whose crates may name anything of ours but bindings.
const FREE: &[&str] = &["testing/", "fuzz"];

/// Foreign package -> the only folders whose crates may depend on it.
const OWNED: &[(&str, &[&str])] = &[
    ("quinn", &["moq/quic"]),
    // The floor is quinn's core without a session.
    ("quinn-proto", &["moq/quic", "testing/load"]),
    ("quinn-udp", &["moq/quic"]),
    ("uniffi", &["bindings/ffi"]),
    ("uniffi_bindgen", &["bindings/bindgen"]),
    ("jni-sys", &["bindings/ffi"]),
];

struct Manifest {
    folder: String,
    package: String,
    dependencies: Vec<String>,
}

fn manifests(root: &Path) -> Vec<Manifest> {
    let mut found = Vec::new();
    for path in files(root, "toml") {
        if path.file_name().is_none_or(|name| name != "Cargo.toml") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a manifest can be read");
        let table: toml::Table = text.parse().expect("a manifest is TOML");
        let Some(package) = table.get("package").and_then(|p| p.get("name")?.as_str()) else {
            continue;
        };
        let mut dependencies = Vec::new();
        let mut collect = |table: &toml::Table| {
            for section in ["dependencies", "build-dependencies"] {
                if let Some(list) = table.get(section).and_then(toml::Value::as_table) {
                    dependencies.extend(list.keys().cloned());
                }
            }
        };
        collect(&table);
        for target in table
            .get("target")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten()
        {
            if let Some(target) = target.1.as_table() {
                collect(target);
            }
        }
        let folder = path
            .parent()
            .map(|folder| relative(root, folder))
            .unwrap_or_default();
        found.push(Manifest {
            folder,
            package: package.to_owned(),
            dependencies,
        });
    }
    found
}

/// Dependencies between crates of the workspace that the architecture does not allow.
pub fn forbidden_arrows(root: &Path) -> Vec<String> {
    let manifests = manifests(root);
    let folder_of: BTreeMap<&str, &str> = manifests
        .iter()
        .map(|m| (m.package.as_str(), m.folder.as_str()))
        .collect();
    let mut found = Vec::new();
    for manifest in &manifests {
        let folder = manifest.folder.as_str();
        for dependency in &manifest.dependencies {
            let Some(&target) = folder_of.get(dependency.as_str()) else {
                continue;
            };
            let allowed = if FREE.iter().any(|free| folder.starts_with(free)) {
                !target.starts_with("bindings")
            } else if folder.starts_with("bindings/") || folder.starts_with("examples/") {
                target == "sdk" || target == "bindings/ffi"
            } else {
                ALLOWED
                    .iter()
                    .any(|(from, to)| *from == folder && to.contains(&target))
            };
            if !allowed {
                found.push(format!("{folder} -> {target}"));
            }
        }
    }
    found
}

/// Crates that name a package which only another folder may name.
pub fn foreign_packages(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for manifest in manifests(root) {
        for (package, owners) in OWNED {
            if manifest.dependencies.iter().any(|d| d == package)
                && !owners.contains(&manifest.folder.as_str())
            {
                found.push(format!("{} names {package}", manifest.folder));
            }
        }
    }
    found
}
