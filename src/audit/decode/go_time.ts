// Times of audit events: a text as RFC 3339 has it, in what Go's parser takes for that, to seconds
// and nanoseconds. Nothing is made: the time stands in the object that is handed in.

export interface Moment {
  /** Since the epoch; negative before it. */
  seconds: number;
  nanoseconds: number;
}

const DAYS_BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const MINUS = 0x2d;
const PLUS = 0x2b;
const COLON = 0x3a;
const POINT = 0x2e;
const COMMA = 0x2c;

/** Whether the text from `from` to `to` is a time, which `moment` is then. */
export function readTime(text: Uint8Array, from: number, to: number, moment: Moment): boolean {
  const year = 100 * two(text, from, to) + two(text, from + 2, to);
  const month = two(text, from + 5, to);
  const day = two(text, from + 8, to);
  if (!(year >= 0 && month >= 1 && day >= 1) || month > 12) return false;
  if (text[from + 4] !== MINUS || text[from + 7] !== MINUS || text[from + 10] !== 0x54) {
    return false;
  }
  // The hour alone may have one digit.
  let at = from + 11;
  let hour = two(text, at, to);
  at += 2;
  if (!(hour >= 0)) {
    hour = one(text, from + 11, to);
    at = from + 12;
  }
  const minute = two(text, at + 1, to);
  const second = two(text, at + 4, to);
  if (!(hour >= 0 && minute >= 0 && second >= 0) || hour > 23 || minute > 59 || second > 59) {
    return false;
  }
  if (text[at] !== COLON || text[at + 3] !== COLON) return false;
  at += 6;
  let nanoseconds = 0;
  if ((text[at] === POINT || text[at] === COMMA) && one(text, at + 1, to) >= 0) {
    let scale = 100_000_000;
    for (at++; one(text, at, to) >= 0; at++) {
      nanoseconds += one(text, at, to) * scale;
      scale = Math.floor(scale / 10);
    }
  }
  const offset = offsetOf(text, at, to);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && leap ? 29 : DAYS[month - 1]!;
  if (offset === undefined || day > days) return false;
  const daysOf = dayOfYear(year) + DAYS_BEFORE[month - 1]! + (month > 2 && leap ? 1 : 0) + day - 1;
  moment.seconds = daysOf * 86_400 + hour * 3600 + minute * 60 + second - offset;
  moment.nanoseconds = nanoseconds;
  return true;
}

/** Days from the epoch to the year's first; negative before it. */
function dayOfYear(year: number): number {
  const before = year - 1;
  return year * 365 + Math.floor(before / 4) - Math.floor(before / 100) +
    Math.floor(before / 400) - 719_527;
}

/** Seconds east of Greenwich; undefined where the text does not end so. */
function offsetOf(text: Uint8Array, at: number, to: number): number | undefined {
  if (at < to && text[at] === 0x5a) return at + 1 === to ? 0 : undefined;
  const sign = text[at] === PLUS ? 1 : text[at] === MINUS ? -1 : 0;
  const hours = two(text, at + 1, to);
  const minutes = two(text, at + 4, to);
  if (sign === 0 || at + 6 !== to || text[at + 3] !== COLON) return undefined;
  // As in Go, 24 and 60 are within the range.
  if (!(hours >= 0 && minutes >= 0) || hours > 24 || minutes > 60) return undefined;
  return sign * (hours * 3600 + minutes * 60);
}

/** The number that a digit stands for; NaN for none. */
function one(text: Uint8Array, at: number, to: number): number {
  const digit = at < to ? text[at]! - 0x30 : -1;
  return digit >= 0 && digit <= 9 ? digit : NaN;
}

function two(text: Uint8Array, at: number, to: number): number {
  return 10 * one(text, at, to) + one(text, at + 1, to);
}
