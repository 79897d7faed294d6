use parvis::meeting::{Policy, View, Waiter};
use parvis_meeting::{SessionId, UnixMillis};

use super::*;
use crate::join::scenes::{id, meeting, people, person};

fn waiter(id_of: &str, name: &str) -> Waiter {
    Waiter {
        participant: id(id_of),
        name: name.to_owned(),
        verified: false,
        signed_in: false,
        since: UnixMillis(2),
    }
}

#[test]
fn whoever_waited_is_asked_for_and_whoever_never_did_is_not_present() {
    let mut state = meeting(people());
    state.lobby = vec![waiter("pbob", "Bob")];
    let mut memory = Memory::default();
    memory.note(&state);
    state.lobby.clear();
    let bob = waiting(&state, &memory, &Who::One("Bob".to_owned()));
    assert!(matches!(bob, Ok(Target::One(found)) if found == id("pbob")));
    let eve = waiting(&state, &memory, &Who::One("Eve".to_owned())).unwrap_err();
    assert_eq!(eve.kind(), Some(ErrorKind::NotPresent));
    assert_eq!(eve.to_string(), "NotPresent: nobody here is called \"Eve\"");
    let absent = present(&state, "Eve").unwrap_err();
    assert_eq!(absent.kind(), Some(ErrorKind::NotPresent));
}

#[test]
fn trusted_access_keeps_the_organisation_that_it_had() {
    let acme = OrganisationId::new("acme").unwrap();
    let (trusted, public) = (AccessLevel::Trusted, AccessLevel::Public);
    let state = |access: AccessLevel, organisation: Option<&OrganisationId>| {
        let policy = Policy {
            access,
            organisation: organisation.cloned(),
            ..Policy::default()
        };
        MeetingState {
            view: Some(View::empty(SessionId(1), policy)),
            ..meeting(Vec::new())
        }
    };
    let mut memory = Memory::default();
    memory.note(&state(trusted, Some(&acme)));
    memory.note(&state(AccessLevel::Restricted, None));
    assert_eq!(memory.organisation(trusted, None), Some(acme.clone()));
    assert_eq!(memory.organisation(trusted, Some(&Agents::All)), None);
    assert_eq!(memory.organisation(public, None), None);
    memory.note(&state(trusted, None));
    assert_eq!(memory.organisation(trusted, None), None);
    let named = Agents::Of(acme.clone());
    assert_eq!(memory.organisation(trusted, Some(&named)), Some(acme));
}

#[test]
fn a_name_of_two_is_refused_with_the_ids_of_both() {
    let mut state = meeting(people());
    assert_eq!(present(&state, "Alice").unwrap(), id("palice"));
    state = meeting(vec![person("pbob1", "Bob"), person("pbob2", "Bob")]);
    let refused = present(&state, "Bob").unwrap_err().to_string();
    assert_eq!(
        refused,
        "2 are called \"Bob\", say which by id: pbob1, pbob2"
    );
    assert_eq!(present(&state, "pbob2").unwrap(), id("pbob2"));
}

#[test]
fn a_name_of_two_who_wait_is_refused_with_the_ids_of_both() {
    let mut state = meeting(people());
    state.lobby = vec![waiter("pbob1", "Bob"), waiter("pbob2", "Bob")];
    let memory = Memory::default();
    let bob = |name: &str| waiting(&state, &memory, &Who::One(name.to_owned()));
    let refused = bob("Bob").unwrap_err().to_string();
    assert!(refused.contains("pbob1, pbob2"), "{refused}");
    assert!(matches!(bob("pbob1"), Ok(Target::One(found)) if found == id("pbob1")));
}
