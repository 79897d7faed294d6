use std::time::{Duration, Instant};

use parvis::meeting::{Emoji, MeetingEvent, MeetingState, Source, Waiter};
use parvis_meeting::UnixMillis;
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
};

use super::{
    Key, Prompt, Wish, keys,
    line::Edit,
    picture::{Scene, level, wrap},
};
use crate::join::{
    board::{Board, ChatLine},
    hearing::Hearing,
    media::Media,
    scenes::{id, meeting, people, person},
    script::{Act, Who},
};

fn drawn(state: &MeetingState, board: &Board, hearing: &Hearing, prompt: &Prompt) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(100, 16)).unwrap();
    let scene = Scene {
        state,
        board,
        hearing,
        prompt,
    };
    terminal.draw(|frame| scene.render(frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let row = |y: u16| {
        let cells = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    (0..buffer.area.height).map(row).collect()
}

#[tokio::test]
async fn the_picture_has_people_lobby_chat_reactions_and_keys() {
    let mut state = meeting(people());
    state.speakers = vec![id("palice")];
    state.lobby = vec![Waiter {
        participant: id("phugo"),
        name: "Hugo".to_owned(),
        verified: false,
        signed_in: false,
        since: UnixMillis(2),
    }];
    let now = Instant::now();
    let mut board = Board::default();
    for who in people() {
        board.take(&MeetingEvent::Joined(who), now);
    }
    let reaction = MeetingEvent::Reaction {
        participant: id("pgil"),
        emoji: Emoji::ClappingHands,
    };
    board.take(&reaction, now);
    board.chat.push_back(ChatLine {
        from: Some("Alice".to_owned()),
        private: false,
        text: "Bonjour\u{1b}[2J".to_owned(),
        place: None,
    });
    let hearing = Hearing::default();
    hearing.heard(&id("palice"), now, 20);
    let mut prompt = Prompt::default();
    prompt.press(
        Key::Edit(Edit::Insert("Salut".to_owned())),
        &state,
        &media(),
    );

    let rows = drawn(&state, &board, &hearing, &prompt);
    let text = rows.join("\n");
    assert!(
        rows[0].starts_with("abc-defg-hij  Connected  3 in  connection excellent"),
        "{text}"
    );
    // Hands first, then oneself, then by name.
    assert!(rows[2].contains("✋"), "{text}");
    assert!(rows[2].contains("1 muted poor Gil (unverified)"), "{text}");
    assert!(rows[3].contains("mic Zoé (you, owner)"), "{text}");
    assert!(
        rows[4].contains("mic ▮▮▮▮▯ speaking Alice screen"),
        "{text}"
    );
    assert!(text.contains("Lobby: 1 wait"), "{text}");
    assert!(text.contains("Hugo (unverified)"), "{text}");
    assert!(text.contains("Alice: Bonjour [2J"), "{text}");
    assert!(text.contains("Gil"), "{text}");
    assert!(text.contains("Salut"), "{text}");
    assert!(rows[15].contains("^R hand"), "{text}");
    assert!(rows[15].starts_with("^C leave"), "{text}");
    // There is nothing so far back: the next key goes down again from where it ends.
    for _ in 0..9 {
        prompt.press(Key::PageUp, &state, &media());
    }
    drawn(&state, &board, &hearing, &prompt);
    assert_eq!(prompt.back(), 0);
    board.forget(now + Duration::from_secs(3));
    assert!(board.reactions.is_empty());
}

#[tokio::test]
async fn who_speaks_is_seen_where_there_is_no_row_for_everybody() {
    let others = (0..30).map(|n| person(&format!("pn{n:02}"), &format!("Nina {n:02}")));
    let mut state = meeting(people().into_iter().chain(others).collect());
    state.speakers = vec![id("pn29")];
    let (board, hearing) = (Board::default(), Hearing::default());
    let rows = drawn(&state, &board, &hearing, &Prompt::default());
    let text = rows.join("\n");
    assert!(rows[2].contains("speaking Nina 29"), "{text}");
    assert!(rows[3].contains("Gil"), "{text}");
    let seen = rows.iter().filter(|row| row.contains("Nina")).count();
    let named = ["Zoé", "Alice", "Gil"].into_iter();
    let named = named.filter(|name| text.contains(name)).count();
    let more = format!("and {} more", 33 - seen - named);
    assert!(text.contains(&more), "{text}");
}

#[test]
fn what_is_typed_while_something_is_done_is_seen_and_said_and_one_can_leave() {
    let mut prompt = Prompt::default();
    prompt.press_meanwhile(Key::Edit(Edit::Insert("typed later".to_owned())));
    assert_eq!(prompt.text(), "typed later");
    assert_eq!(prompt.press_meanwhile(Key::Hand), Wish::Later(Key::Hand));
    let said = Act::Say {
        to: None,
        text: "typed later".to_owned(),
    };
    assert_eq!(prompt.press_meanwhile(Key::Enter), Wish::Do(said));
    assert_eq!(prompt.press_meanwhile(Key::Leave), Wish::Leave);
}

#[test]
fn a_long_name_hides_neither_level_nor_who_speaks() {
    let mut people = people();
    people[1].name = "Marie-Claire de la Tour d’Auvergne-Lauraguais".to_owned();
    let mut state = meeting(people);
    state.speakers = vec![id("palice")];
    let hearing = Hearing::default();
    hearing.heard(&id("palice"), Instant::now(), 20);
    let rows = drawn(&state, &Board::default(), &hearing, &Prompt::default());
    let has = |row: &String| row.contains("mic ▮▮▮▮▯ speaking Marie-Claire");
    assert!(rows.iter().any(has), "{}", rows.join("\n"));
}

fn media() -> Media {
    Media::new(crate::join::media::MediaArgs::default()).unwrap()
}

fn typed(prompt: &mut Prompt, state: &MeetingState, text: &str) -> Wish {
    prompt.press(Key::Edit(Edit::Insert(text.to_owned())), state, &media());
    prompt.press(Key::Enter, state, &media())
}

#[test]
fn a_line_is_said_and_one_with_a_slash_is_done() {
    let state = meeting(people());
    let mut prompt = Prompt::default();
    let say = |text: &str| {
        Wish::Do(Act::Say {
            to: None,
            text: text.to_owned(),
        })
    };
    assert_eq!(typed(&mut prompt, &state, " raise "), say("raise"));
    assert_eq!(typed(&mut prompt, &state, "/raise"), Wish::Do(Act::Raise));
    assert_eq!(typed(&mut prompt, &state, "/leave"), Wish::Leave);
    assert_eq!(typed(&mut prompt, &state, "/dance"), Wish::Nothing);
    assert!(prompt.problem().unwrap().starts_with("expected a command"));
    assert_eq!(typed(&mut prompt, &state, "/sleep 5s"), Wish::Nothing);
    assert_eq!(prompt.problem(), Some("that is for scripts"));
    assert_eq!(typed(&mut prompt, &state, ""), Wish::Nothing);
    assert_eq!(prompt.problem(), None);
}

#[test]
fn keys_do_what_the_hints_say() {
    let mut state = meeting(people());
    let mut prompt = Prompt::default();
    let control =
        |letter| keys::of_key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL));
    let plain = |code| keys::of_key(KeyEvent::new(code, KeyModifiers::NONE));
    let mut press =
        |key: Option<Key>, state: &MeetingState| prompt.press(key.unwrap(), state, &media());
    assert_eq!(press(control('r'), &state), Wish::Do(Act::Raise));
    let off = Wish::Do(Act::Media(Source::Microphone, false));
    assert_eq!(press(control('t'), &state), off);
    // No file stands for a camera.
    assert_eq!(press(control('o'), &state), Wish::Nothing);
    assert_eq!(press(control('a'), &state), Wish::Nothing);
    state.lobby = vec![Waiter {
        participant: id("phugo"),
        name: "Hugo".to_owned(),
        verified: false,
        signed_in: false,
        since: UnixMillis(2),
    }];
    let who = || Who::One("phugo".to_owned());
    assert_eq!(press(control('a'), &state), Wish::Do(Act::Admit(who())));
    assert_eq!(press(control('d'), &state), Wish::Do(Act::Deny(who())));
    assert_eq!(
        press(plain(KeyCode::F(3)), &state),
        Wish::Do(Act::React(Emoji::ClappingHands))
    );
    assert_eq!(plain(KeyCode::F(9)), None);
    assert_eq!(press(plain(KeyCode::PageUp), &state), Wish::Earlier(10));
    assert_eq!(press(plain(KeyCode::PageUp), &state), Wish::Earlier(20));
    assert_eq!(press(plain(KeyCode::PageDown), &state), Wish::Nothing);
    assert_eq!(press(control('c'), &state), Wish::Leave);
}

#[test]
fn levels_are_boxes_from_quiet_to_loud() {
    assert_eq!(level(None), "▯▯▯▯▯");
    assert_eq!(level(Some(127)), "▯▯▯▯▯");
    assert_eq!(level(Some(35)), "▮▮▮▯▯");
    assert_eq!(level(Some(0)), "▮▮▮▮▮");
}

#[test]
fn messages_are_broken_at_blanks_and_inside_of_long_words() {
    let said = |text: &str| ChatLine {
        from: Some("Zoé".to_owned()),
        private: false,
        text: text.to_owned(),
        place: None,
    };
    let lines = |text: &str| -> Vec<String> {
        wrap(&said(text), 12)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(lines("un deux trois"), ["Zoé: un deux", "trois"]);
    assert_eq!(
        lines("abcdefghijklmnopqrstuvwxyz"),
        ["Zoé:", "abcdefghijkl", "mnopqrstuvwx", "yz"]
    );
    assert_eq!(lines("a\nb"), ["Zoé: a", "b"]);
}
