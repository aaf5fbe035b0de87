/** Dates, times and sizes in the reader's language and zone. */

import { locale, t } from "./strings.js";

const DAY = 86400000;

const dateOf = (seconds) => new Date(seconds * 1000);
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
const daysAgo = (date) => Math.round((midnight(new Date()) - midnight(date)) / DAY);

export function dayKey(seconds) {
  const date = dateOf(seconds);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

export function time(seconds) {
  return new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", hour12: false }).format(dateOf(seconds));
}

export function fullTime(seconds) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "full", timeStyle: "short", hour12: false }).format(dateOf(seconds));
}

export function day(seconds) {
  const date = dateOf(seconds);
  const ago = daysAgo(date);
  if (ago === 0) {
    return t("day.today");
  }
  if (ago === 1) {
    return t("day.yesterday");
  }
  const sameYear = date.getFullYear() === new Date().getFullYear();
  const parts = { month: "long", day: "numeric", weekday: sameYear ? "long" : undefined };
  return new Intl.DateTimeFormat(locale(), sameYear ? parts : { ...parts, year: "numeric" }).format(date);
}

export function shortWhen(seconds) {
  const date = dateOf(seconds);
  const ago = daysAgo(date);
  if (ago === 0) {
    return time(seconds);
  }
  if (ago < 7) {
    return new Intl.DateTimeFormat(locale(), { weekday: "short" }).format(date);
  }
  return new Intl.DateTimeFormat(locale(), { month: "numeric", day: "numeric" }).format(date);
}

export function size(bytes) {
  if (!Number.isFinite(bytes)) {
    return "";
  }
  const units = ["B", "KB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
