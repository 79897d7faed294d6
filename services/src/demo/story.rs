use super::person::{ALICE, BRUNO, CHLOE, DAVID, EMMA};

/// Something that one of them does or sees, as in a script of `parvis join`, and what it shows.
pub struct Beat {
    /// Who.
    pub who: &'static str,
    /// What.
    pub line: &'static str,
    /// What is said when it is so; empty: nothing, the next one says it.
    pub shows: &'static str,
}

const fn beat(who: &'static str, line: &'static str, shows: &'static str) -> Beat {
    Beat { who, line, shows }
}

/// Two guests have come before anybody with an account.
pub const GATE: &[Beat] = &[
    beat(CHLOE, "wait waiting-for-host", ""),
    beat(
        DAVID,
        "wait waiting-for-host",
        "Chloé and David, guests, wait for the host: no agent is in",
    ),
];

/// The agents come.
pub const LOBBY: &[Beat] = &[
    beat(
        ALICE,
        "wait connected",
        "Alice is in, and with her the host gate is open",
    ),
    beat(CHLOE, "wait waiting", ""),
    beat(DAVID, "wait waiting", ""),
    beat(ALICE, "wait lobby Chloé", ""),
    beat(
        ALICE,
        "wait lobby David",
        "Chloé and David are in the lobby, and Alice sees them",
    ),
    beat(
        BRUNO,
        "wait connected",
        "Bruno, who has an account, enters without knocking",
    ),
    beat(ALICE, "admit Chloé", ""),
    beat(CHLOE, "wait connected", ""),
    beat(BRUNO, "wait present Chloé", "Alice lets Chloé in"),
    beat(ALICE, "admit David", ""),
    beat(DAVID, "wait connected", "Alice lets David in"),
    beat(ALICE, "say Bienvenue à tous !", ""),
    beat(BRUNO, "wait chat Bienvenue", ""),
    beat(CHLOE, "wait chat Bienvenue", ""),
    beat(
        DAVID,
        "wait chat Bienvenue",
        "Alice writes \"Bienvenue à tous !\", and the others read it",
    ),
    beat(ALICE, "wait hears David", ""),
    beat(DAVID, "wait hears Alice", ""),
    beat(
        CHLOE,
        "wait speaks Alice",
        "Everybody is heard; who speaks is shown",
    ),
];

/// Somebody comes late.
pub const LATE: &[Beat] = &[
    beat(EMMA, "wait waiting", ""),
    beat(ALICE, "wait lobby Emma", ""),
    beat(ALICE, "admit all", ""),
    beat(EMMA, "wait connected", ""),
    beat(
        EMMA,
        "wait participants 5",
        "Emma comes late, and is let in: five are in",
    ),
    beat(
        EMMA,
        "wait chat Bienvenue",
        "Emma reads what was written before she came",
    ),
    beat(EMMA, "wait hears Bruno", ""),
    beat(ALICE, "wait hears Emma", ""),
    beat(CHLOE, "say @Alice psst", ""),
    beat(ALICE, "wait private psst", "Chloé writes to Alice alone"),
    beat(
        DAVID,
        "refused Forbidden mute all",
        "David tries to mute everybody: Forbidden",
    ),
    beat(CHLOE, "raise", ""),
    beat(EMMA, "raise", ""),
    beat(DAVID, "raise", ""),
    beat(ALICE, "wait hand Chloé 1", ""),
    beat(BRUNO, "wait hand Emma 2", ""),
    beat(
        EMMA,
        "wait hand David 3",
        "Hands are up, the same for all: 1. Chloé, 2. Emma, 3. David",
    ),
    beat(ALICE, "lower Chloé", ""),
    beat(
        DAVID,
        "wait hand Emma 1",
        "Alice lowers Chloé's hand: now Emma is first",
    ),
    beat(BRUNO, "react clapping-hands", ""),
    beat(EMMA, "wait reaction clapping-hands", "Bruno claps 👏"),
    beat(BRUNO, "screen on", ""),
    beat(EMMA, "wait screen on Bruno", ""),
    beat(
        EMMA,
        "wait sees Bruno screen",
        "Bruno shares his screen, and Emma sees it",
    ),
];

/// After a while of talking.
pub const END: &[Beat] = &[
    beat(ALICE, "mute David", ""),
    beat(EMMA, "wait within 5s silence David", ""),
    beat(
        DAVID,
        "wait mic off David",
        "Alice mutes David: the relay lets no sound of him through",
    ),
    beat(DAVID, "mic on", ""),
    beat(
        EMMA,
        "wait hears David",
        "David, and nobody else, turns it on again",
    ),
    beat(ALICE, "role Bruno administrator", ""),
    beat(
        BRUNO,
        "wait role Bruno administrator",
        "Alice makes Bruno an administrator",
    ),
    beat(BRUNO, "remove David", ""),
    beat(DAVID, "wait removed", ""),
    beat(EMMA, "wait absent David", "Bruno removes David"),
    beat(ALICE, "end", ""),
    beat(BRUNO, "wait ended", ""),
    beat(CHLOE, "wait ended", ""),
    beat(EMMA, "wait ended", "Alice ends the meeting for everybody"),
];
