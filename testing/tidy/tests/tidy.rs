//! The shape of the workspace, held by tests.

use parvis_tidy::{
    banned_words, forbidden_arrows, foreign_packages, impure_lines, long_files, orphan_files,
    snippets_differ, unsafe_outside, workspace_root,
};

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn crates_depend_only_along_the_allowed_arrows() {
    assert_none(
        "arrows the architecture does not allow",
        &forbidden_arrows(&workspace_root()),
    );
}

#[test]
fn foreign_packages_stay_in_their_crate() {
    assert_none(
        "packages named elsewhere",
        &foreign_packages(&workspace_root()),
    );
}

#[test]
fn no_file_is_too_long() {
    assert_none("files to split", &long_files(&workspace_root()));
}

#[test]
fn every_file_belongs_to_a_module() {
    assert_none("files no module names", &orphan_files(&workspace_root()));
}

#[test]
fn no_banned_words() {
    assert_none(
        "words that must not be there",
        &banned_words(&workspace_root()),
    );
}

#[test]
fn pure_crates_touch_no_world() {
    assert_none("world in a pure crate", &impure_lines(&workspace_root()));
}

#[test]
fn unsafe_stays_where_it_may() {
    assert_none("unsafe", &unsafe_outside(&workspace_root()));
}

#[test]
fn pages_for_apps_show_what_compiles() {
    for page in ["README.md", "docs/embed.md"] {
        assert_none("snippets", &snippets_differ(&workspace_root(), page));
    }
}
