use parvis::meeting::{
    ConnectionQuality, MediaState, MeetingState, Participant, Role, Source, View,
};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Position, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Paragraph},
};

use super::Prompt;
use crate::join::{
    board::{Board, ChatLine},
    hearing::Hearing,
    told::{describe_phase, describe_quality, plain},
};

/// All that is drawn.
pub struct Scene<'a> {
    /// The meeting.
    pub state: &'a MeetingState,
    /// Chat and reactions.
    pub board: &'a Board,
    /// How loud everybody is.
    pub hearing: &'a Hearing,
    /// What is typed.
    pub prompt: &'a Prompt,
}

const HINTS: &str = "^C leave · Enter say · /command · ^R hand · ^T mic · ^O camera · ^S screen · F1-F8 react · \
    ^A admit · ^D deny · PgUp/PgDn chat";

/// The width of the list of people.
const PEOPLE: u16 = 44;
/// The boxes of a level.
const LEVEL: usize = 5;
/// The quietest level that is shown: dB below the loudest.
const QUIETEST: u8 = 60;
/// The loudest one.
const LOUDEST: u8 = 10;

impl Scene<'_> {
    /// Draws it.
    pub fn render(&self, frame: &mut Frame<'_>) {
        let [title, middle, reactions, input, hints] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Min(3),
            Constraint::Length(1),
            Constraint::Length(3),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        frame.render_widget(Paragraph::new(self.title()), title);
        let [left, right] =
            Layout::horizontal([Constraint::Max(PEOPLE), Constraint::Min(20)]).areas(middle);
        self.draw_people(frame, left);
        self.draw_chat(frame, right);
        frame.render_widget(Paragraph::new(self.reactions()), reactions);
        self.draw_prompt(frame, input);
        let dim = Style::new().add_modifier(Modifier::DIM);
        frame.render_widget(Paragraph::new(HINTS).style(dim), hints);
    }

    fn title(&self) -> Line<'static> {
        let state = self.state;
        let mut text = format!("{}  {}", state.code, describe_phase(&state.phase));
        if let Some(view) = &state.view {
            text = format!("{text}  {} in", view.len());
            if view.is_locked() {
                text.push_str("  locked");
            }
            if view
                .recording()
                .is_some_and(|capture| capture.status.is_running())
            {
                text.push_str("  ● recording");
            }
        }
        text = format!("{text}  connection {}", describe_quality(state.quality));
        Line::styled(text, Style::new().add_modifier(Modifier::BOLD))
    }

    fn draw_people(&self, frame: &mut Frame<'_>, area: Rect) {
        let waiting = self.state.lobby.len();
        // A lobby is never shown in full where it would leave no place for who is in.
        let lobby = match waiting {
            0 => 0,
            n => {
                u16::try_from(n)
                    .unwrap_or(u16::MAX)
                    .min(area.height / 3)
                    .max(1)
                    + 2
            }
        };
        let [people, lobby] =
            Layout::vertical([Constraint::Min(3), Constraint::Length(lobby)]).areas(area);
        let lines: Vec<Line<'_>> = match &self.state.view {
            Some(view) => self.everybody(view, people.height.saturating_sub(2).into()),
            None => vec![Line::raw(describe_phase(&self.state.phase))],
        };
        let block = Block::bordered().title("Participants");
        frame.render_widget(Paragraph::new(lines).block(block), people);
        if waiting > 0 {
            let lines: Vec<Line<'_>> = self
                .state
                .lobby
                .iter()
                .map(|waiter| {
                    let badge = if waiter.verified { "" } else { " (unverified)" };
                    Line::raw(format!("{}{badge}", plain(&waiter.name)))
                })
                .collect();
            let title = format!("Lobby: {waiting} wait, ^A lets the first in");
            let block = Block::bordered()
                .title(title)
                .style(Style::new().fg(Color::Yellow));
            frame.render_widget(Paragraph::new(lines).block(block), lobby);
        }
    }

    /// In so many rows; where not all have one, who speaks has.
    fn everybody(&self, view: &View, rows: usize) -> Vec<Line<'static>> {
        let mut listed = view.listed(Some(&self.state.me));
        let more = listed.len().saturating_sub(rows);
        if more > 0 {
            listed.sort_by_key(|who| !self.state.speakers.contains(&who.id));
            listed.truncate(rows.saturating_sub(1));
        }
        let mut lines: Vec<Line<'_>> = listed.iter().map(|who| self.person(view, who)).collect();
        if more > 0 {
            lines.push(Line::raw(format!("and {} more", more + 1)));
        }
        lines
    }

    /// As in `✋1 mic ▮▮▮▯▯ Zoé (you, owner) cam screen`: what may be cut off is last.
    fn person(&self, view: &View, who: &Participant) -> Line<'static> {
        let hand = view
            .hand_position(&who.id)
            .map_or_else(String::new, |at| format!("✋{at} "));
        let speaks = self.state.speakers.contains(&who.id);
        let mut style = Style::new();
        if speaks {
            style = style.fg(Color::Green).add_modifier(Modifier::BOLD);
        }
        let mut remarks = Vec::new();
        if who.id == self.state.me {
            remarks.push("you");
        }
        match who.role {
            Role::Owner => remarks.push("owner"),
            Role::Administrator => remarks.push("admin"),
            Role::Member | Role::Guest => {}
        }
        if !who.verified {
            remarks.push("unverified");
        }
        let remarks = match remarks.as_slice() {
            [] => String::new(),
            remarks => format!(" ({})", remarks.join(", ")),
        };
        let mut spans = vec![Span::raw(hand)];
        spans.extend(media(Source::Microphone, who));
        if *who.media.of(Source::Microphone) == MediaState::On && who.id != self.state.me {
            let level = format!("{} ", level(self.hearing.level(&who.id)));
            spans.push(Span::styled(level, Style::new().fg(Color::Green)));
        }
        if speaks {
            spans.push(Span::raw("speaking "));
        }
        if who.quality != ConnectionQuality::Excellent && who.quality != ConnectionQuality::Good {
            let quality = format!("{} ", describe_quality(who.quality));
            spans.push(Span::styled(quality, Style::new().fg(Color::Red)));
        }
        let name = format!("{}{remarks} ", plain(&who.name));
        spans.push(Span::styled(name, style));
        let pictures = [Source::Camera, Source::Screen];
        spans.extend(pictures.into_iter().filter_map(|source| media(source, who)));
        Line::from(spans)
    }

    fn draw_chat(&self, frame: &mut Frame<'_>, area: Rect) {
        let inside = area.width.saturating_sub(2).max(1);
        let rows = usize::from(area.height.saturating_sub(2));
        let mut lines: Vec<Line<'static>> = Vec::new();
        // From the newest back, no more than can be seen.
        for said in self.board.chat.iter().rev() {
            if lines.len() >= rows + self.prompt.back() {
                break;
            }
            let mut wrapped = wrap(said, usize::from(inside));
            wrapped.reverse();
            lines.append(&mut wrapped);
        }
        let back = self.prompt.back().min(lines.len().saturating_sub(rows));
        // Beyond the first line there is nothing to go back to, and nothing to come back from.
        self.prompt.is_back_at(back);
        let mut shown: Vec<Line<'static>> = lines.into_iter().skip(back).take(rows).collect();
        shown.reverse();
        let title = if back > 0 { "Chat (earlier)" } else { "Chat" };
        frame.render_widget(
            Paragraph::new(shown).block(Block::bordered().title(title)),
            area,
        );
    }

    fn reactions(&self) -> Line<'static> {
        let shown = self.board.reactions.iter().rev();
        let each = shown.map(|shown| format!("{} {}", shown.emoji.sign(), shown.who));
        Line::raw(each.collect::<Vec<_>>().join("   "))
    }

    fn draw_prompt(&self, frame: &mut Frame<'_>, area: Rect) {
        let block = match self.prompt.problem() {
            Some(problem) => Block::bordered()
                .title(plain(problem))
                .style(Style::new().fg(Color::Red)),
            None => Block::bordered().title("Say"),
        };
        let width = usize::from(area.width.saturating_sub(3)).max(1);
        let text: Vec<char> = self.prompt.text().chars().collect();
        // The part with the cursor in it, by the columns that letters take.
        let cursor = self.prompt.cursor().min(text.len());
        let mut start = cursor;
        let mut columns = 0;
        while start > 0 {
            let wide = columns_of(text[start - 1]);
            if columns + wide > width {
                break;
            }
            columns += wide;
            start -= 1;
        }
        let visible: String = text[start..].iter().collect();
        frame.render_widget(Paragraph::new(visible).block(block), area);
        let column = area.x + 1 + u16::try_from(columns).unwrap_or(0);
        frame.set_cursor_position(Position::new(column, area.y + 1));
    }
}

fn columns_of(letter: char) -> usize {
    Span::raw(letter.to_string()).width()
}

fn media(source: Source, who: &Participant) -> Option<Span<'static>> {
    let (name, style) = match (source, who.media.of(source)) {
        (_, MediaState::Off) | (Source::Camera | Source::Screen, MediaState::Muted) => return None,
        (Source::Microphone, MediaState::On) => ("mic ", Style::new().fg(Color::Green)),
        (Source::Microphone, MediaState::Muted) => ("muted ", Style::new().fg(Color::Red)),
        (Source::Camera, MediaState::On) => ("cam ", Style::new()),
        (Source::Screen, MediaState::On) => ("screen ", Style::new().fg(Color::Cyan)),
    };
    Some(Span::styled(name, style))
}

/// A level as boxes.
pub(super) fn level(below: Option<u8>) -> String {
    let below = below.unwrap_or(QUIETEST).clamp(LOUDEST, QUIETEST);
    let range = usize::from(QUIETEST - LOUDEST);
    let full = (usize::from(QUIETEST - below) * LEVEL + range / 2) / range;
    format!("{}{}", "▮".repeat(full), "▯".repeat(LEVEL - full))
}

/// A message, broken at blanks to a width.
pub(super) fn wrap(said: &ChatLine, width: usize) -> Vec<Line<'static>> {
    let (head, style) = match &said.from {
        Some(name) if said.private => (
            format!("{} (to you): ", plain(name)),
            Style::new().fg(Color::Magenta),
        ),
        Some(name) => (format!("{}: ", plain(name)), Style::new()),
        None => (String::new(), Style::new().add_modifier(Modifier::DIM)),
    };
    let text = format!(
        "{head}{}",
        said.text
            .replace(|c: char| c.is_control() && c != '\n', " ")
    );
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let (mut line, mut columns) = (String::new(), 0);
        for word in paragraph.split_inclusive(' ') {
            if columns > 0 && columns + Span::raw(word.trim_end()).width() > width {
                lines.push(std::mem::take(&mut line));
                columns = 0;
            }
            for letter in word.chars() {
                let wide = columns_of(letter);
                if columns + wide > width && columns > 0 {
                    if letter == ' ' {
                        continue;
                    }
                    lines.push(std::mem::take(&mut line));
                    columns = 0;
                }
                line.push(letter);
                columns += wide;
            }
        }
        lines.push(line);
    }
    let lines = lines.into_iter().map(|line| line.trim_end().to_owned());
    lines.map(|line| Line::styled(line, style)).collect()
}
