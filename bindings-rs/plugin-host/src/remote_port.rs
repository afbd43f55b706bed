//! Batches, columns and texts of a plugin in a process of its own. In: what saker asks of it. Out:
//! what the process answered, copied and held against what it must be.
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::blocks::{events_of, is_large, is_plugin_event, u32_at};
use crate::column::{COLUMN_MAX, Column, is_column};
use crate::extraction::Asked;
use crate::instance::Metric;
use crate::lent::{At, Columns, Lent};
use crate::port::{Lending, Now, Port, Span, State, Told};
use crate::record::Record;
use crate::remote::{ANSWER_WITHIN, Remote, START_WITHIN};
use crate::said::one_line;
use crate::wire::{
    ANSWER, Area, BATCHES, COLUMN, COLUMNS, DONE, ENDED, EVENT_TEXT, EVENT_TYPES, INIT, LENT,
    LENT_LIST, METRICS, Message, NEXT, NOTHING, OPEN, OPEN_PARAMS, PROGRESS, SET_CONFIG,
    asked_text,
};

/// A source that answers quicker has more at once: its next batch is fetched ahead.
const QUICK_US: u64 = 2_000;

impl Remote {
    /// Asks for the next batch, into the place that saker does not look at.
    fn fetch(&mut self) {
        let changed = self.watched.next(self.given);
        self.fetching_of = Arc::clone(&self.watched.now);
        let text = if changed {
            asked_text(&self.watched.now.iter().collect::<Vec<_>>())
        } else {
            String::new()
        };
        let Some(mut question) = self.question(NEXT, &text) else { return };
        let place = 1 - self.place;
        question[4..8].copy_from_slice(&[
            place as u64,
            u64::from(changed),
            self.room as u64,
            self.number + self.given as u64,
        ]);
        match self.child.as_ref().map(|child| child.send(&question)) {
            Some(Ok(())) => self.fetching = Some((Instant::now(), place, false)),
            _ => self.fail("its process ended"),
        }
    }

    /// Hands over the batch that came.
    fn hand_over(&mut self, answer: &Message, place: usize, out: &mut [u8]) -> i64 {
        self.number += self.given as u64;
        (self.given, self.place, self.quick) = (0, place, false);
        let Some(child) = &self.child else { return 0 };
        let length = usize::try_from(answer[4]).unwrap_or(usize::MAX);
        match answer[1] {
            NOTHING => return 0,
            ENDED => {
                self.has_ended = true;
                return -1;
            }
            DONE => {}
            _ => {
                let why = child.shared.text(BATCHES[place], answer[4].min(4096));
                self.fail(&one_line(&why.unwrap_or_default()));
                return 0;
            }
        }
        self.found.clear();
        let copied =
            out.get_mut(..length).and_then(|out| child.shared.take(BATCHES[place], 0, out));
        let is_sound = copied.is_some()
            && events_of(&out[..length], &mut self.found)
            && self.found.len() as u64 == answer[5]
            && self.found.iter().all(|(start, end)| {
                let event = &out[*start..*end];
                self.id == 0 || (is_plugin_event(event) && u32_at(event, 34) == self.id)
            });
        if !is_sound {
            self.fail("its process gave what are no events");
            return 0;
        }
        self.given = self.found.len();
        self.take_columns(answer, place);
        self.quick = answer[6] < QUICK_US;
        length as i64
    }

    /// Copies the columns that came with a batch.
    fn take_columns(&mut self, answer: &Message, place: usize) {
        let asked = Arc::clone(&self.fetching_of);
        let columns = std::mem::take(&mut self.columns);
        self.columns = self.unpack(answer, COLUMNS[place], (asked, self.given), columns);
    }

    /// Copies the columns of an answer, each of that many events.
    fn unpack(
        &self,
        answer: &Message,
        area: Area,
        (of, events): (Arc<[Asked]>, usize),
        mut columns: Columns,
    ) -> Columns {
        columns.bytes.resize_with(of.len(), Vec::new);
        columns.of = of;
        let mut at = 0;
        for (slot, column) in columns.bytes.iter_mut().enumerate() {
            let length = usize::try_from(answer[8 + slot]).unwrap_or(0).min(COLUMN_MAX);
            column.resize(length, 0);
            let copied = self.child.as_ref().and_then(|c| c.shared.take(area, at, column));
            let is_sound = copied.is_some() && is_column(column, events);
            if !is_sound || u32_at(column, 0) as usize != events {
                column.clear();
            }
            at += length;
        }
        columns
    }

    /// Asks for columns of events at hand, and waits for the answer.
    fn ask_columns(&mut self, asked: &[&Asked], at: At, span: Span) -> Option<Message> {
        if !self.is_free(ANSWER_WITHIN) {
            return None;
        }
        let text = asked_text(asked);
        let lent = if span.lent { self.lent.as_ref() } else { None };
        let source = lent.map_or("", |lent| &lent.source);
        let mut question = self.question(COLUMN, &format!("{text}{source}"))?;
        question[1] = text.len() as u64;
        let list = if span.lent { LENT_LIST } else { self.place };
        question[4..7].copy_from_slice(&[list as u64, span.first as u64, span.count as u64]);
        if let Some(lent) = lent {
            let is_single = u64::from(at == At::Single);
            let source = source.len() as u64;
            question[7..11].copy_from_slice(&[lent.number, lent.bytes as u64, is_single, source]);
        }
        self.ask(&question, ANSWER_WITHIN).ok()
    }

    /// Asks for one column; the answer is in `scratch`, or there is none.
    fn ask_column(&mut self, asked: &Asked, at: At, span: Span) -> bool {
        let Some(answer) = self.ask_columns(&[asked], at, span) else { return false };
        let length = usize::try_from(answer[8]).unwrap_or(0).min(COLUMN_MAX);
        self.scratch.resize(length, 0);
        let copied = self.child.as_ref().and_then(|c| c.shared.take(ANSWER, 0, &mut self.scratch));
        let is_sound = copied.is_some() && is_column(&self.scratch, span.count.max(1));
        if !is_sound {
            self.fail("its process gave what is no column of values");
        }
        is_sound
    }

    /// A column of events that were lent, with those of all fields that are asked of most events.
    fn lent_column(&mut self, asked: &Asked, span: Span, out: &mut [u8]) -> i64 {
        let Some(events) = self.lent.as_ref().map(|lent| lent.events) else {
            return self.put_scratch(false, span.count, out);
        };
        self.lent_watched.ask(asked, span.count.min(events));
        let now = Arc::clone(&self.lent_watched.now);
        if self.lent_columns.of.is_empty() && now.contains(asked) {
            let all = Span { lent: true, first: 0, count: events };
            let list: Vec<&Asked> = now.iter().collect();
            if let Some(answer) = self.ask_columns(&list, At::List, all) {
                let columns = std::mem::take(&mut self.lent_columns);
                self.lent_columns = self.unpack(&answer, ANSWER, (now, events), columns);
            }
        }
        if let Some(column) = self.lent_columns.find(asked) {
            return Column::write_part(column, span.first, span.count, out);
        }
        let is_there = self.lent.is_some() && self.ask_column(asked, At::List, span);
        self.put_scratch(is_there, span.count, out)
    }

    fn put_scratch(&self, is_there: bool, count: usize, out: &mut [u8]) -> i64 {
        if is_there {
            Column::write_part(&self.scratch, 0, usize::MAX, out)
        } else {
            Column::none(count).write(out)
        }
    }
}

impl Port for Remote {
    fn info(&self) -> String {
        self.info.clone()
    }

    fn init(&mut self, config: &str) -> Told<()> {
        self.words(INIT, config, START_WITHIN)?;
        self.config = Some(config.to_owned());
        Ok(())
    }

    fn event_types(&mut self) -> String {
        let none = || json!({ "extractEventTypes": [], "parseEventTypes": [] }).to_string();
        self.words(EVENT_TYPES, "", ANSWER_WITHIN).ok().flatten().unwrap_or_else(none)
    }

    fn open_params(&mut self) -> Told<String> {
        Ok(self.words(OPEN_PARAMS, "", START_WITHIN)?.unwrap_or_else(|| "[]".into()))
    }

    fn open(&mut self, params: &str) -> Told<()> {
        if !self.is_free(ANSWER_WITHIN) {
            return Err("it does not run".into());
        }
        if let Err(why) = self.words(OPEN, params, START_WITHIN) {
            // Who opens it is told how its process ended, and what it printed before.
            let ended = self.record.last_error().filter(|_| self.child.is_none());
            return Err(ended.map_or(why, |how| how + &self.last_words()));
        }
        self.params = Some(params.to_owned());
        (self.has_ended, self.ready, self.given) = (false, None, 0);
        Ok(())
    }

    fn read(&mut self, out: &mut [u8]) -> i64 {
        if self.has_ended {
            return -1;
        }
        self.advance();
        if self.child.is_none() || self.starting.is_some() || self.params.is_none() {
            return 0;
        }
        self.room = out.len();
        if self.fetching.is_none() && self.ready.is_none() {
            self.fetch();
        }
        self.take_batch(Duration::ZERO);
        let Some((answer, place)) = self.ready.take() else { return 0 };
        let bytes = self.hand_over(&answer, place, out);
        // It fetches while these are judged.
        if bytes > 0 && self.quick {
            self.fetch();
        }
        bytes
    }

    fn wait(&mut self, most: Duration) {
        let left = self.pause.left(Instant::now());
        match &self.child {
            Some(child) if self.ready.is_none() => child.wait(most),
            Some(_) => {}
            None => sleep(if self.pause.is_on() { left.min(most) } else { most }),
        }
    }

    fn lend(&mut self, blocks: &[u8], lending: &Lending<'_>) -> usize {
        self.found.clear();
        events_of(blocks, &mut self.found);
        let before = self.lent.take().map_or(0, |lent| lent.events);
        self.lent_watched.next(before);
        self.lent_columns.forget();
        let events = self.found.len();
        if self.is_free(ANSWER_WITHIN)
            && self.child.as_ref().is_some_and(|child| child.shared.put(LENT, blocks))
        {
            let Lending { source, number } = *lending;
            self.lent = Some(Lent { source: source.into(), number, bytes: blocks.len(), events });
        }
        events
    }

    fn column(&mut self, asked: &Asked, span: Span, out: &mut [u8]) -> i64 {
        if span.lent {
            return self.lent_column(asked, span, out);
        }
        let count = span.count.min(self.given.saturating_sub(span.first));
        let span = Span { count, ..span };
        self.watched.ask(asked, count);
        if let Some(column) = self.columns.find(asked) {
            return Column::write_part(column, span.first, span.count, out);
        }
        let is_there = self.ask_column(asked, At::List, span);
        self.put_scratch(is_there, count, out)
    }

    fn column_of(
        &mut self,
        event: &[u8],
        lending: &Lending<'_>,
        asked: &Asked,
        out: &mut [u8],
    ) -> i64 {
        let span = Span { lent: true, first: 0, count: 1 };
        let is_lent = is_large(event).is_some()
            && self.is_free(ANSWER_WITHIN)
            && self.child.as_ref().is_some_and(|child| child.shared.put(LENT, event));
        let Lending { source, number } = *lending;
        self.lent = Some(Lent { source: source.into(), number, bytes: event.len(), events: 1 });
        let is_there = is_lent && self.ask_column(asked, At::Single, span);
        // What was lent before is overwritten.
        self.lent = None;
        self.put_scratch(is_there, 1, out)
    }

    fn event_text(&mut self, event: &[u8], number: u64) -> Option<String> {
        if !self.is_free(ANSWER_WITHIN) || !self.child.as_ref()?.shared.put(LENT, event) {
            return None;
        }
        let mut question = self.question(EVENT_TEXT, "")?;
        (question[4], question[5]) = (event.len() as u64, number);
        let answer = self.ask(&question, ANSWER_WITHIN).ok()?;
        self.answer_text(&answer).ok()?
    }

    fn progress(&mut self) -> Option<(u32, String)> {
        let told = self.words(PROGRESS, "", ANSWER_WITHIN).ok()??;
        let told: Value = serde_json::from_str(&told).ok()?;
        let part = told[0].as_u64()?.min(10_000) as u32;
        Some((part, one_line(told[1].as_str().unwrap_or_default())))
    }

    fn set_config(&mut self, config: &str) -> Told<()> {
        self.words(SET_CONFIG, config, ANSWER_WITHIN)?;
        self.config = Some(config.to_owned());
        Ok(())
    }

    fn metrics(&mut self) -> Vec<Metric> {
        let told = self.words(METRICS, "", ANSWER_WITHIN).ok().flatten().unwrap_or_default();
        let told: Vec<Value> = serde_json::from_str(&told).unwrap_or_default();
        let metric = |told: &Value| {
            let (name, rises) = (one_line(told[0].as_str()?), told[1].as_bool()?);
            Some(Metric { name, rises, value: told[2].as_f64()? })
        };
        told.iter().filter_map(metric).collect()
    }

    fn now(&mut self) -> Now {
        if let Some(child) = &mut self.child {
            child.take_printed(&self.record);
        }
        self.advance();
        let state = match (self.has_ended, &self.child, &self.starting) {
            (true, ..) => State::Ended,
            (_, Some(_), None) => State::Running,
            _ => State::Pausing,
        };
        let resident_bytes = self.sized.filter(|_| self.child.is_some()).map_or(0, |sized| sized.1);
        let blocked = self.fetching.map_or(Duration::ZERO, |(since, ..)| since.elapsed());
        Now { state, resident_bytes, blocked }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
