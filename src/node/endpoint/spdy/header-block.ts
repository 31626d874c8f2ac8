import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib";
import { DICTIONARY } from "./dictionary.ts";

/** Bytes of a header block when it is inflated. */
const MAXIMUM_BLOCK = 64 * 1024;

export type Headers = ReadonlyMap<string, string>;

/** A header block before it is deflated (SPDY draft 3, 2.6.10): names in lower case. */
export function encodeHeaders(headers: Headers): Buffer {
  const parts: Buffer[] = [];
  const number = (value: number): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    parts.push(bytes);
  };
  number(headers.size);
  for (const pair of headers) {
    for (const text of pair) {
      const bytes = Buffer.from(text);
      number(bytes.length);
      parts.push(bytes);
    }
  }
  return Buffer.concat(parts);
}

/** Reads an inflated header block. Throws where lengths do not fit. */
export function decodeHeaders(block: Buffer): Headers {
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw new Error("a SPDY header block ends too early");
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (at + length > block.length) throw new Error("a SPDY header block ends too early");
    at += length;
    return block.toString("utf8", at - length, at);
  };
  const headers = new Map<string, string>();
  for (let left = number(); left > 0; left -= 1) {
    const name = text().toLowerCase();
    headers.set(name, text());
  }
  return headers;
}

/** Sends bytes through a zlib stream and answers all that comes out for them. */
function through(stream: Deflate | Inflate, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    let length = 0;
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= MAXIMUM_BLOCK) out.push(chunk);
      else stream.destroy();
    };
    const done = (error?: Error | null): void => {
      stream.off("data", take);
      stream.off("error", done);
      stream.off("close", done);
      if (length > MAXIMUM_BLOCK) reject(new Error(`a SPDY header block is longer than ${MAXIMUM_BLOCK} bytes`));
      else if (error) reject(error);
      else resolve(Buffer.concat(out));
    };
    stream.on("data", take);
    stream.once("error", done);
    stream.once("close", done);
    stream.write(bytes, done);
  });
}

/** The header blocks of one connection: each direction is one zlib stream from its first block to its last. */
export interface HeaderBlocks {
  /** One block at a time, in the order they came. Throws for what zlib or the format does not allow. */
  read(block: Buffer): Promise<Headers>;
  write(headers: Headers): Promise<Buffer>;
  close(): void;
}

export function headerBlocks(): HeaderBlocks {
  const options = { dictionary: DICTIONARY, flush: constants.Z_SYNC_FLUSH };
  const inflate = createInflate(options);
  const deflate = createDeflate(options);
  for (const stream of [inflate, deflate]) stream.on("error", () => {});
  return {
    read: async (block) => decodeHeaders(await through(inflate, block)),
    write: (headers) => through(deflate, encodeHeaders(headers)),
    close: () => {
      inflate.destroy();
      deflate.destroy();
    },
  };
}
