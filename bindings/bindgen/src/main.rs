//! Generates the Kotlin and Swift sides of `parvis-ffi` from the built library:
//!
//! ```text
//! parvis-bindgen --sources bindings/ffi kotlin target/debug/libparvis_ffi.so generated/kotlin
//! ```
//!
//! A crate of its own, so that the generator is no part of what apps ship.

mod kotlin;

use camino::Utf8PathBuf;
use clap::{Parser, ValueEnum};
use uniffi_bindgen::{
    BindgenPaths, BindgenPathsLayer,
    bindings::{GenerateOptions, TargetLanguage, generate_with_bindgen_paths},
};

/// Generates the foreign side of the bindings
#[derive(Debug, Parser)]
struct Arguments {
    /// The language
    language: Language,
    /// The built library
    library: Utf8PathBuf,
    /// The folder to write to
    out: Utf8PathBuf,
    /// The folder of parvis-ffi, with its uniffi.toml
    #[arg(long)]
    sources: Utf8PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Kotlin,
    Swift,
}

/// Where the configuration is.
struct Sources(Utf8PathBuf);

impl BindgenPathsLayer for Sources {
    fn get_crate_root(&self, crate_name: &str) -> Option<Utf8PathBuf> {
        (crate_name == "parvis_ffi").then(|| self.0.clone())
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut paths = BindgenPaths::default();
    paths.add_layer(Sources(arguments.sources));
    let language = match arguments.language {
        Language::Kotlin => TargetLanguage::Kotlin,
        Language::Swift => TargetLanguage::Swift,
    };
    let options = GenerateOptions {
        languages: vec![language],
        source: arguments.library,
        out_dir: arguments.out.clone(),
        ..GenerateOptions::default()
    };
    generate_with_bindgen_paths(options, paths)?;
    if arguments.language == Language::Kotlin {
        kotlin::free_answers(&arguments.out)?;
    }
    Ok(())
}
