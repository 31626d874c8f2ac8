const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/**
 * Values that a Cookie header gives for a name, in its order: a client may have several, of different paths. Lenient as servers are (RFC 6265
 * §5.4): blanks around names and values, and quotes, do not count; what has no `=` is passed over. One pass, whatever the length.
 */
export function readCookies(header: string | undefined, name: string): readonly string[] {
  const values: string[] = [];
  // Most requests have no such cookie, and this is the quickest way to know.
  if (header === undefined || !header.includes(name)) return values;
  for (let start = 0; start < header.length;) {
    const semicolon = header.indexOf(";", start);
    const end = semicolon === -1 ? header.length : semicolon;
    while (start < end && isBlank(header.charCodeAt(start))) start += 1;
    if (header.startsWith(name, start)) {
      let at = start + name.length;
      while (at < end && isBlank(header.charCodeAt(at))) at += 1;
      if (at < end && header[at] === "=") values.push(unquoted(header.slice(at + 1, end).trim()));
    }
    start = end + 1;
  }
  return values;
}

const unquoted = (value: string): string =>
  value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
