/** The ends of an interval such as `3` or `3-5`, all below `completions`; or what is wrong with it. */
function intervalOf(text: string, completions: number): readonly [first: number, last: number] | string {
  const ends = text.split("-");
  if (ends.length > 2) {
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  }
  const numbers: number[] = [];
  for (const end of ends) {
    if (!/^[+-]?\d+$/.test(end)) return `cannot convert string to integer for index: ${JSON.stringify(end)}`;
    const number = Number(end);
    if (number >= completions) return `too large index: ${JSON.stringify(end)}`;
    numbers.push(number);
  }
  const [first = 0, last = first] = numbers;
  if (ends.length === 2 && first >= last) return `non-increasing order, previous: ${first}, current: ${last}`;
  return [first, last];
}

/** How many indexes a text such as `1,3-5` names, all below `completions`; or what is wrong with it. */
export function countIndexes(text: string, completions: number): { readonly count: number } | { readonly why: string } {
  let count = 0;
  let previous: number | undefined;
  for (const part of text === "" ? [] : text.split(",")) {
    const interval = intervalOf(part, completions);
    if (typeof interval === "string") return { why: interval };
    const [first, last] = interval;
    if (previous !== undefined && previous >= first) {
      return { why: `non-increasing order, previous: ${previous}, current: ${first}` };
    }
    count += last - first + 1;
    previous = last;
  }
  return { count };
}

/** An index that both texts name, when there is one; parts that cannot be read are passed over. */
export function sharedIndex(one: string, other: string, completions: number): number | undefined {
  const intervals = (text: string): (readonly [number, number])[] =>
    text.split(",").flatMap((part) => {
      const interval = intervalOf(part, completions);
      return typeof interval === "string" ? [] : [interval];
    });
  const [left, right] = [intervals(one), intervals(other)];
  for (let mine = 0, theirs = 0; mine < left.length && theirs < right.length;) {
    const [first, last] = left[mine]!;
    const [otherFirst, otherLast] = right[theirs]!;
    if (first <= otherLast && otherFirst <= last) return Math.max(first, otherFirst);
    if (first <= otherFirst) mine += 1;
    else theirs += 1;
  }
  return undefined;
}
