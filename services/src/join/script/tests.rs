use super::*;

fn step(line: &str) -> Step {
    Step::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn refusal(line: &str) -> String {
    Step::parse(line).unwrap_err().to_string()
}

fn one(name: &str) -> Who {
    Who::One(name.to_owned())
}

#[test]
fn commands_are_read() {
    let say = |to: Option<&str>, text: &str| {
        Step::Act(Act::Say {
            to: to.map(str::to_owned),
            text: text.to_owned(),
        })
    };
    assert_eq!(step("say Bonjour  à tous"), say(None, "Bonjour  à tous"));
    assert_eq!(
        step("say \"quoted\" and not"),
        say(None, "\"quoted\" and not")
    );
    assert_eq!(
        step("say @Bruno psst, you"),
        say(Some("Bruno"), "psst, you")
    );
    assert_eq!(
        step("say @\"Zoé Martin\" psst"),
        say(Some("Zoé Martin"), "psst")
    );
    let data = |to: Option<&str>, text: &str| {
        Step::Act(Act::Data {
            topic: "cursor".to_owned(),
            to: to.map(str::to_owned),
            text: text.to_owned(),
        })
    };
    assert_eq!(step("data cursor 3 7"), data(None, "3 7"));
    assert_eq!(step("data cursor @Bruno 3 7"), data(Some("Bruno"), "3 7"));
    let rename = |whose: Option<&str>, name: &str| {
        Step::Act(Act::Rename {
            whose: whose.map(str::to_owned),
            name: name.to_owned(),
        })
    };
    assert_eq!(step("rename Zoé M."), rename(None, "Zoé M."));
    assert_eq!(
        step("rename @\"Hal 9000\" Hal"),
        rename(Some("Hal 9000"), "Hal")
    );
    assert_eq!(step("lower"), Step::Act(Act::Lower(Hands::Own)));
    assert_eq!(step("lower all"), Step::Act(Act::Lower(Hands::All)));
    assert_eq!(
        step("lower Zoé Martin"),
        Step::Act(Act::Lower(Hands::One("Zoé Martin".into())))
    );
    assert_eq!(
        step("admit \"Zoé Martin\""),
        Step::Act(Act::Admit(one("Zoé Martin")))
    );
    assert_eq!(step("mute all"), Step::Act(Act::Mute(Who::All)));
    assert_eq!(step("react 👏"), step("react clapping-hands"));
    assert_eq!(
        step("screen on"),
        Step::Act(Act::Media(Source::Screen, true))
    );
    assert_eq!(
        step("forbid camera off"),
        Step::Act(Act::Forbid(Source::Camera, false))
    );
    let trusted = |agents| Step::Act(Act::Access(AccessLevel::Trusted, agents));
    assert_eq!(step("access trusted"), trusted(None));
    assert_eq!(
        step("access trusted --organisation all"),
        trusted(Some(Agents::All))
    );
    let acme = Agents::Of(OrganisationId::new("acme").unwrap());
    assert_eq!(
        step("access trusted --organisation acme"),
        trusted(Some(acme))
    );
    let role = Act::Role("Zoé Martin".into(), Role::Administrator);
    assert_eq!(step("role \"Zoé Martin\" administrator"), Step::Act(role));
    assert_eq!(
        step("refused Forbidden remove Zoé"),
        Step::Refused(ErrorKind::Forbidden, Act::Remove("Zoé".into()))
    );
    assert_eq!(
        step("sleep 1500ms"),
        Step::Sleep(Duration::from_millis(1500))
    );
}

#[test]
fn conditions_are_read_with_and_without_a_time() {
    let wait = |until, within| Step::Wait { until, within };
    assert_eq!(step("wait in-lobby"), wait(Condition::InLobby, None));
    let five = Some(Duration::from_secs(5));
    assert_eq!(
        step("wait within 5s connected"),
        wait(Condition::Connected, five)
    );
    let participants = |count, or_more| wait(Condition::Participants { count, or_more }, None);
    assert_eq!(step("wait participants 3"), participants(3, false));
    assert_eq!(step("wait participants 3+"), participants(3, true));
    assert_eq!(
        step("wait hand Zoé 2"),
        wait(Condition::Hand("Zoé".into(), Some(2)), None)
    );
    assert_eq!(
        step("wait mic off Zoé Martin"),
        wait(
            Condition::Media(Source::Microphone, false, "Zoé Martin".into()),
            None
        )
    );
    assert_eq!(
        step("wait sees \"Zoé Martin\" screen"),
        wait(Condition::Sees("Zoé Martin".into(), Source::Screen), None)
    );
}

#[test]
fn what_is_wrong_is_said_with_what_is_expected() {
    assert!(refusal("dance").starts_with("expected a command: access, admit, "));
    assert!(refusal("dance").ends_with("got \"dance\""));
    assert!(refusal("wait dinner").starts_with("expected something to wait for: absent, "));
    assert_eq!(
        refusal("mic loud"),
        "expected a state: on, off, got \"loud\""
    );
    assert_eq!(refusal("mic"), "expected a state: on, off, got \"\"");
    assert_eq!(refusal("raise both"), "expected nothing more, got \"both\"");
    assert_eq!(
        refusal("say"),
        "expected a text, or @NAME and a text, got \"\""
    );
    assert_eq!(
        refusal("say @Zoé"),
        "expected a text for that person, got \"\""
    );
    assert_eq!(
        refusal("sleep long"),
        "expected a time, as in 500ms or 10s, got \"long\""
    );
    assert_eq!(
        refusal("access trusted acme"),
        "expected nothing more, or: --organisation, got \"acme\""
    );
    assert!(refusal("wait participants none").starts_with("expected how many"));
    assert!(refusal("refused Maybe raise").starts_with("expected the reason of a refusal"));
    assert!(refusal("react sneeze").starts_with("expected a reaction: thumbs-up"));
}

#[test]
fn a_script_says_which_line_is_wrong_and_passes_over_comments() {
    let script = Script::parse("# hello\n\nraise\n  lower  \n").unwrap();
    let numbers: Vec<usize> = script.lines.iter().map(|line| line.number).collect();
    assert_eq!(numbers, [3, 4]);
    let error = Script::parse("raise\n\nwave").unwrap_err();
    assert_eq!(error.number, 3);
    assert!(error.to_string().starts_with("line 3: expected a command"));
}

#[test]
fn a_script_knows_the_topics_that_it_waits_for() {
    let text = "data mine 1\nwait data cursor 3 7\nwait within 1s data note for you\n";
    let script = Script::parse(text).unwrap();
    assert_eq!(script.topics(), ["cursor", "note"]);
    let heard = Condition::HearsScreen("Zoé Martin".to_owned());
    let wait = Step::Wait {
        until: heard,
        within: None,
    };
    assert_eq!(step("wait hears-screen Zoé Martin"), wait);
    assert!(refusal("data").contains("a topic"));
    assert!(refusal("data cursor").contains("a text"));
}
