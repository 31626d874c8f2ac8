/** Resolves with the first signal that asks a program to end, and `again` with the second. */
export function askedToEnd(): { readonly asked: Promise<void>; readonly again: Promise<void> } {
  const asked = Promise.withResolvers<void>();
  const again = Promise.withResolvers<void>();
  let count = 0;
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => {
      count += 1;
      (count === 1 ? asked : again).resolve();
    });
  }
  return { asked: asked.promise, again: again.promise };
}
