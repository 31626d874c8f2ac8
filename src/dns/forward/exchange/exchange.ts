/** Hears how a query went: one of the two is called once, unless the query is forgotten before. */
export interface Asker {
  /** What was sent last, and where its question section ends. */
  readonly query: Buffer;
  readonly end: number;
  /** A response with the query's id and question; the bytes are the asker's own. */
  heard(response: Buffer, from: Exchange): void;
  failed(error: Error, from: Exchange): void;
}

/** Carries queries to one upstream resolver by one transport. It keeps no time: whoever has waited long enough forgets. */
export interface Exchange {
  readonly protocol: "udp" | "tcp" | "tcp-tls";
  /** Sends the asker's query under a fresh random id, which is written into it. The returned function forgets it. */
  send(asker: Asker): () => void;
  /** Closes every socket; whoever waits hears nothing any more. */
  close(): void;
}

/** A number to put into a query that no other one waiting for the same socket has, and that nobody can guess (RFC 5452 §4.3). */
export function freshId(taken: { has(id: number): boolean }, random: () => number): number {
  let id = Math.floor(random() * 65_536);
  // So few wait at once that the next one free is near.
  while (taken.has(id)) id = (id + 1) & 0xffff;
  return id;
}
