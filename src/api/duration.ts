const SECOND = 1000;

/** Age as kubectl prints it: two units while the number is small, then one: `5s`, `2m3s`, `3h5m`, `2d3h`, `45d`, `2y3d`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND);
  // A clock that is a second ahead is not worth alarming anybody; more than that shows.
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 8 * 24) return two(days, "d", hours % 24, "h");
  if (hours < 2 * 365 * 24) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (hours < 8 * 365 * 24) return two(years, "y", days % 365, "d");
  return `${years}y`;
}

const two = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;

/** How long ago a time was, or `<unknown>` where none is given. */
export const ageOf = (time: string | undefined, nowMs: number): string =>
  time === undefined ? "<unknown>" : humanDuration(nowMs - Date.parse(time));
