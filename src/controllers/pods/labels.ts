/** Whether two sets of labels, or of annotations, are the same; none is the same as an empty one. */
export function sameLabels(
  a: Readonly<Record<string, string>> | undefined,
  b: Readonly<Record<string, string>>,
): boolean {
  const held = a ?? {};
  const names = Object.keys(b);
  return names.length === Object.keys(held).length && names.every((name) => held[name] === b[name]);
}
