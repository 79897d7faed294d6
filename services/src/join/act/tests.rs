use parvis::meeting::Waiter;
use parvis_meeting::UnixMillis;

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
    let bob = |name: &str| waiting(&state, &Who::One(name.to_owned()));
    let refused = bob("Bob").unwrap_err().to_string();
    assert!(refused.contains("pbob1, pbob2"), "{refused}");
    assert!(matches!(bob("pbob1"), Ok(Target::One(found)) if found == id("pbob1")));
}
