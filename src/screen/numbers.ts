// Numbers as people read them: short, with their unit.

/** `1,234,567`; from ten million on `12.3 M`. */
export function count(value: number): string {
  if (value >= 1e10) return `${(value / 1e9).toFixed(1)} G`;
  if (value >= 1e7) return `${(value / 1e6).toFixed(1)} M`;
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Something in a second; one decimal where it is rare. `-`: not known yet. */
export function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return "-";
  if (perSecond <= 0) return "0";
  if (perSecond < 0.1) return "<0.1";
  return perSecond < 10 ? perSecond.toFixed(1) : count(perSecond);
}

export function milliseconds(ms: number): string {
  if (ms >= 10_000) return `${count(ms / 1000)} s`;
  return `${ms >= 10 || ms === 0 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

export function bytes(value: number): string {
  return value >= 1 << 30
    ? `${(value / (1 << 30)).toFixed(1)} GB`
    : `${Math.round(value / (1 << 20))} MB`;
}

/** `3 d 4 h`, `2 h 5 min`, `12 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24];
  const minutes = Math.floor(whole / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${whole} s`;
}
