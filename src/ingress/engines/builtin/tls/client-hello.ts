/** What the first bytes of a connection say, as far as they have come. `none`: a hello that names no server. */
export type Hello =
  | { readonly state: "more" }
  | { readonly state: "not-tls" }
  | { readonly state: "done"; readonly serverName: string | undefined };

const MORE: Hello = { state: "more" };
const NO_NAME: Hello = { state: "done", serverName: undefined };
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
/** Of a record (RFC 8446 §5.1). */
const LONGEST_RECORD = 1 << 14;
/** A hello that is longer is read by TLS itself, and gets the certificate for no name. */
const LONGEST_HELLO = 1 << 16;
/** Names are of ASCII and have no dot at their end (RFC 6066 §3). */
const NAME = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/**
 * Finds the name that a client asks for, before TLS is begun: whatever is kept for a name (certificate, keys of session tickets) can then be
 * kept apart from others'. Faults in the hello are TLS's to tell. Pure.
 */
export function readHello(bytes: Buffer): Hello {
  if (bytes.length === 0) return MORE;
  if (bytes[0] !== HANDSHAKE || (bytes.length > 1 && bytes[1] !== 3)) return { state: "not-tls" };
  const parts: Buffer[] = [];
  let gathered = 0;
  let wanted = 4;
  for (let at = 0; gathered < wanted;) {
    if (bytes.length - at < 5) return MORE;
    const size = bytes.readUInt16BE(at + 3);
    if (bytes[at] !== HANDSHAKE || size === 0 || size > LONGEST_RECORD) return NO_NAME;
    const part = bytes.subarray(at + 5, at + 5 + size);
    parts.push(part);
    gathered += part.length;
    if (gathered >= 4 && wanted === 4) {
      const head = Buffer.concat(parts);
      if (head[0] !== CLIENT_HELLO) return NO_NAME;
      wanted = 4 + head.readUIntBE(1, 3);
      if (wanted > LONGEST_HELLO) return NO_NAME;
    }
    if (part.length < size) {
      if (gathered < wanted) return MORE;
      break;
    }
    at += 5 + size;
  }
  const hello = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  return { state: "done", serverName: nameIn(hello.subarray(4, wanted)) };
}

/** The name in a hello's extension `server_name`; undefined also where the hello is not as it should be. */
function nameIn(hello: Buffer): string | undefined {
  // Version and random, then three vectors: session, ciphers, compression (RFC 8446 §4.1.2).
  let at = 34;
  if (at >= hello.length) return undefined;
  at += 1 + hello[at]!;
  if (at + 2 > hello.length) return undefined;
  at += 2 + hello.readUInt16BE(at);
  if (at >= hello.length) return undefined;
  at += 1 + hello[at]!;
  if (at + 2 > hello.length) return undefined;
  const end = Math.min(hello.length, at + 2 + hello.readUInt16BE(at));
  at += 2;
  while (at + 4 <= end) {
    const type = hello.readUInt16BE(at);
    const size = hello.readUInt16BE(at + 2);
    at += 4;
    if (type === SERVER_NAME) return at + size > end ? undefined : hostNameIn(hello.subarray(at, at + size));
    at += size;
  }
  return undefined;
}

function hostNameIn(list: Buffer): string | undefined {
  if (list.length < 5 || list[2] !== HOST_NAME) return undefined;
  const size = list.readUInt16BE(3);
  if (5 + size > list.length || size > 255) return undefined;
  const name = list.toString("latin1", 5, 5 + size).toLowerCase();
  return NAME.test(name) ? name : undefined;
}
