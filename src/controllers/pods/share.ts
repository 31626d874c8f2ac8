/** `3`, or `25%` of `total` rounded up or down, as `maxUnavailable` and its like mean it. What cannot be read is 0. */
export function shareOf(value: number | string | undefined, total: number, rounded: "up" | "down"): number {
  if (value === undefined || typeof value === "number") return value ?? 0;
  const percent = Number(/^(\d+)%$/.exec(value)?.[1] ?? 0);
  return rounded === "up" ? Math.ceil((percent * total) / 100) : Math.floor((percent * total) / 100);
}
