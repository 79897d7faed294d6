use clap::{Args, FromArgMatches};

use super::{
    ServeArgs,
    configs::{provider, relay_config},
    folder::DataFolder,
};

const ISSUER: &str = "https://id.example";

fn parsed(line: &str) -> ServeArgs {
    let command = ServeArgs::augment_args(clap::Command::new("serve"));
    let matches = command.try_get_matches_from(line.split(' ')).unwrap();
    ServeArgs::from_arg_matches(&matches).unwrap()
}

#[test]
fn a_provider_is_asked_for_what_the_operator_says() {
    let known = "serve --oidc-issuer https://id.example --oidc-client-id parvis";
    let usual = provider(&parsed(known), ISSUER).unwrap();
    assert_eq!(usual.scopes, ["email", "profile"]);
    assert!(!usual.trust_email);
    let more = "--oidc-scope email,given_name --oidc-scope usual_name --oidc-trust-email";
    let other = provider(&parsed(&format!("{known} {more}")), ISSUER).unwrap();
    assert_eq!(other.scopes, ["email", "given_name", "usual_name"]);
    assert!(other.trust_email);
}

#[test]
fn a_participant_may_subscribe_to_everybody_in_a_full_room() {
    let folder = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(folder.path()).unwrap();
    let secret = folder.control_secret().unwrap();
    let key = folder.reset_key().unwrap();
    let relay = relay_config(&parsed("serve"), &folder, None, secret, key);
    // Control tracks, and of each a catalog, a voice and a picture.
    let wanted = 4 + 3 * parvis_meeting::Settings::default().room_size;
    assert!(relay.max_subscriptions >= wanted, "{wanted}");
}

#[test]
fn the_operators_page_tells_every_flag() {
    let page = include_str!("../../../docs/services.md");
    let command = ServeArgs::augment_args(clap::Command::new("serve"));
    for arg in command.get_arguments() {
        let flag = format!("`--{}`", arg.get_long().expect("every argument is a flag"));
        let is_row = |line: &str| line.starts_with('|') && line.contains(&flag);
        assert!(page.lines().any(is_row), "no row for {flag}");
    }
}
