//! What invites people: mail with an entry for their calendars, and a text for those who write it themselves.

use chrono::{DateTime, Utc};
use icalendar::{
    Calendar as ICalendar, CalendarDateTime, Component, Event, EventLike, EventStatus, Property,
};
use parvis_meeting::{RoomCode, UnixMillis};
use parvis_store::{Account, NewMail, Schedule};

use crate::{
    Config, Language,
    mail::{Calendar, Mail},
};

/// A meeting that people are invited to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Invitation<'a> {
    pub(crate) config: &'a Config,
    pub(crate) code: &'a RoomCode,
    pub(crate) title: &'a str,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) organizer: &'a Account,
    pub(crate) invitees: &'a [String],
    /// How often something about it was sent before.
    pub(crate) sequence: u64,
    pub(crate) now: UnixMillis,
}

/// Whether people shall come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// RFC 5546, 3.2.2.
    Request,
    /// RFC 5546, 3.2.5.
    Cancel,
}

impl Invitation<'_> {
    /// One mail for each of `to`; none without a mail server, which would send it when it is out of date.
    pub(crate) fn mails(&self, method: Method, to: &[String]) -> Vec<NewMail> {
        if self.config.mail.is_none() {
            return Vec::new();
        }
        let calendar = self.schedule.map(|schedule| Calendar {
            method: method.name().to_owned(),
            body: self.calendar(schedule, Some(method)),
        });
        let mail = |to: &String| {
            let mail = Mail {
                to: to.clone(),
                reply_to: self.organizer.email.clone(),
                subject: self.subject(method),
                text: self.mail_text(method),
                calendar: calendar.clone(),
            };
            mail.under(format!(
                "{}:{}:{}:{to}",
                self.code.compact(),
                method.name(),
                self.sequence
            ))
        };
        to.iter().map(mail).collect()
    }

    /// The block that a calendar's add-on pastes into an entry.
    pub(crate) fn text_block(&self) -> String {
        let link = self.link();
        match self.config.language {
            Language::English => format!("Join the video meeting:\n{link}\nCode: {}\n", self.code),
            Language::French => {
                format!(
                    "Rejoindre la visioconférence :\n{link}\nCode : {}\n",
                    self.code
                )
            }
        }
    }

    /// The entry for a calendar. Without a method it is for whoever downloads it.
    pub(crate) fn calendar(&self, schedule: Schedule, method: Option<Method>) -> String {
        let starts = time(schedule.starts_at);
        let ends = time(schedule.starts_at.plus(schedule.lasts));
        let host = self.config.site.host_str().unwrap_or("localhost");
        let mut event = Event::new();
        event
            .uid(&format!("{}@{host}", self.code.compact()))
            .sequence(u32::try_from(self.sequence).unwrap_or(u32::MAX))
            .timestamp(time(self.now))
            .summary(self.title)
            .description(&self.text_block())
            .location(&self.link())
            .url(&self.link())
            .starts(CalendarDateTime::Utc(starts))
            .ends(CalendarDateTime::Utc(ends));
        event.status(match method {
            Some(Method::Cancel) => EventStatus::Cancelled,
            Some(Method::Request) | None => EventStatus::Confirmed,
        });
        if let Some(email) = &self.organizer.email {
            let mut organizer = Property::new("ORGANIZER", format!("mailto:{email}"));
            organizer.add_parameter("CN", &parameter(&self.organizer.name));
            event.append_property(organizer.done());
        }
        for invitee in self.invitees {
            let mut attendee = Property::new("ATTENDEE", format!("mailto:{invitee}"));
            attendee
                .add_parameter("ROLE", "REQ-PARTICIPANT")
                .add_parameter("PARTSTAT", "NEEDS-ACTION")
                .add_parameter("RSVP", "TRUE");
            event.append_multi_property(attendee.done());
        }
        let mut calendar = ICalendar::empty();
        calendar.append_property(("VERSION", "2.0"));
        calendar.append_property(("PRODID", "-//Parvis//Parvis//EN"));
        calendar.append_property(("CALSCALE", "GREGORIAN"));
        if let Some(method) = method {
            calendar.append_property(("METHOD", method.name()));
        }
        calendar.push(event.done());
        calendar.to_string()
    }

    fn link(&self) -> String {
        self.code.link(self.config.site.as_str())
    }

    fn subject(&self, method: Method) -> String {
        match (self.config.language, method) {
            (Language::English, Method::Request) => format!("Invitation: {}", self.title),
            (Language::English, Method::Cancel) => format!("Cancelled: {}", self.title),
            (Language::French, Method::Request) => format!("Invitation : {}", self.title),
            (Language::French, Method::Cancel) => format!("Annulé : {}", self.title),
        }
    }

    fn mail_text(&self, method: Method) -> String {
        let (who, title) = (&self.organizer.name, self.title);
        let when = self.schedule.map(|schedule| {
            let starts = time(schedule.starts_at);
            match self.config.language {
                Language::English => starts.format("%-d %B %Y, %H:%M UTC").to_string(),
                Language::French => starts.format("%d/%m/%Y à %H:%M UTC").to_string(),
            }
        });
        let when = when.map_or_else(String::new, |when| format!("{when}\n"));
        match (self.config.language, method) {
            (Language::English, Method::Request) => {
                format!(
                    "{who} invites you to a video meeting: {title}\n{when}\n{}",
                    self.text_block()
                )
            }
            (Language::English, Method::Cancel) => {
                format!("{who} has cancelled the video meeting: {title}\n{when}")
            }
            (Language::French, Method::Request) => {
                let block = self.text_block();
                format!("{who} vous invite à une visioconférence : {title}\n{when}\n{block}")
            }
            (Language::French, Method::Cancel) => {
                format!("{who} a annulé la visioconférence : {title}\n{when}")
            }
        }
    }
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// A time as calendars have it.
pub(crate) fn time(at: UnixMillis) -> DateTime<Utc> {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A quoted value of a parameter, which has no quotes of its own. RFC 5545, 3.1.
fn parameter(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| *c != '"' && !c.is_control())
        .collect();
    format!("\"{text}\"")
}
