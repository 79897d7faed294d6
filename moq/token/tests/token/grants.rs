//! What a verified token allows, and what it does not.

use parvis_token::{Action, Grant, GrantError};

use crate::fixture::namespace;

const DO: [Action; 3] = [Action::Publish, Action::Subscribe, Action::Discover];

#[test]
fn an_exact_grant_ends_where_it_ends() {
    let mine = namespace(&["parvis", "room", "zoe"]);
    let grant = Grant::exact([Action::Publish, Action::Subscribe], mine.clone()).unwrap();
    for action in [Action::Publish, Action::Subscribe] {
        assert!(grant.allows(action, &mine));
        for other in [
            &["parvis", "room"][..],
            &["parvis", "room", "zoe", "x"],
            &["parvis", "room", "zoe2"],
            &["parvis", "room", "zo"],
            &["parvis", "room", "max"],
            &["parvis", "other", "zoe"],
            &["tenant", "room", "zoe"],
            &["room", "zoe"],
        ] {
            assert!(!grant.allows(action, &namespace(other)), "{other:?}");
        }
    }
    assert!(!grant.allows(Action::Discover, &mine));
    for action in DO {
        assert!(!grant.allows_under(action, &mine), "nothing longer");
    }
}

#[test]
fn a_prefix_is_one_of_fields_not_of_bytes() {
    let grant = Grant::prefix([Action::Subscribe], namespace(&["parvis", "foo"])).unwrap();
    for inside in [&["parvis", "foo"][..], &["parvis", "foo", "zoe"]] {
        assert!(grant.allows(Action::Subscribe, &namespace(inside)));
        assert!(grant.allows_under(Action::Subscribe, &namespace(inside)));
    }
    for outside in [
        &["parvis", "foobar"][..],
        &["parvis", "foobar", "zoe"],
        &["parvis", "fo"],
        &["parvis"],
        &["parvisfoo"],
        &["parvis", "bar", "foo"],
        &[],
    ] {
        assert!(
            !grant.allows(Action::Subscribe, &namespace(outside)),
            "{outside:?}"
        );
        assert!(
            !grant.allows_under(Action::Subscribe, &namespace(outside)),
            "{outside:?}"
        );
    }
}

#[test]
fn case_and_unicode_forms_are_different_names() {
    let composed = namespace(&["parvis", "caf\u{e9}"]);
    let grant = Grant::prefix([Action::Subscribe], composed.clone()).unwrap();
    assert!(grant.allows(Action::Subscribe, &composed));
    for other in [
        "cafe\u{301}",
        "CAF\u{c9}",
        "Caf\u{e9}",
        "caf\u{e9}\u{200b}",
        "caf\u{435}",
    ] {
        assert!(
            !grant.allows(Action::Subscribe, &namespace(&["parvis", other])),
            "{other:?}"
        );
    }
}

#[test]
fn a_subscriber_neither_publishes_nor_discovers() {
    let room = namespace(&["parvis", "room"]);
    let grant = Grant::prefix([Action::Subscribe], room.clone()).unwrap();
    for action in [Action::Publish, Action::Discover] {
        assert!(!grant.allows(action, &room));
        assert!(!grant.allows_under(action, &room));
    }
}

#[test]
fn grants_that_would_be_too_much_or_nothing_are_none() {
    let room = namespace(&["parvis", "room"]);
    assert_eq!(
        Grant::prefix([Action::Publish], room.clone()),
        Err(GrantError::PublishUnderPrefix)
    );
    assert_eq!(Grant::exact([], room), Err(GrantError::NoAction));
    assert_eq!(
        Grant::prefix([Action::Subscribe], namespace(&[])),
        Err(GrantError::Unbounded)
    );
}

#[test]
fn grants_survive_json() {
    for grant in [
        Grant::exact(DO, namespace(&["parvis", "room", "Zoé"])).unwrap(),
        Grant::prefix([Action::Discover], namespace(&["parvis", "a/b"])).unwrap(),
    ] {
        let json = serde_json::to_string(&grant).unwrap();
        assert_eq!(
            serde_json::from_str::<Grant>(&json).unwrap(),
            grant,
            "{json}"
        );
    }
    let json = r#"{"actions":["subscribe"],"prefix":["parvis","room"]}"#;
    let grant: Grant = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&grant).unwrap(), json);
}
