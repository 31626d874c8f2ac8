import { toNumber } from "../../net/ip.ts";
import { TYPE, type DnsRecord } from "../names/record.ts";

/** An answer as bytes (id and question as in the query it was made for), with the places that differ from one sending to the next. */
export interface Encoded {
  readonly bytes: Buffer;
  /** Records of equal size that may change places: where the first is, how long each is, how many there are. */
  readonly movableAt: number;
  readonly movableSize: number;
  readonly movableCount: number;
  /** Where the serial number of the start of authority is; 0 when there is none. */
  readonly serialAt: number;
}

/** A record whose data is not looked into; names in it are written out. `code` is the number of its type. */
export interface RawRecord {
  readonly name: string;
  readonly ttl: number;
  readonly type: "raw";
  readonly code: number;
  readonly data: Uint8Array;
}

export type WireRecord = DnsRecord | RawRecord;

/** What can be written: an {@link Answer}, or one with records of any type. */
export interface WireAnswer {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly WireRecord[];
  readonly authority: readonly WireRecord[];
  readonly additional: readonly WireRecord[];
}

/** Room behind the largest message for the record that turns out not to fit. */
const scratch = Buffer.alloc(65_535 + 1024);
const HIGHEST_POINTER = 0x3fff;
const TRUNCATED = 0x02;

/** A name that was written out, up to a pointer or to its end: so many characters of it, each at its own place. */
interface Written {
  readonly name: string;
  readonly at: number;
  readonly length: number;
}

const DOT = 0x2e;

/** Writes one answer: the position, and where each name that may be pointed at begins (RFC 1035 §4.1.4). */
class Writer {
  at: number;
  /** Dotted; each of its labels takes as many bytes as its text and the dot before it. */
  readonly #question: string;
  /** Where names begin, by name. */
  #names: Map<string, number> | undefined;
  /** Not in `#names` yet: most answers write no name that could be looked up there. */
  #written: Written[] | undefined;

  /** `labels` is the question's name, which is written already: something to point at. */
  constructor(start: number, labels: readonly string[]) {
    this.at = start;
    // A dot inside a label would make this name look like another one.
    this.#question = labels.some((label) => label.includes(".")) ? "" : labels.join(".");
  }

  /** Where a name begins that the question's ends in; -1 if it does not. */
  #inQuestion(name: string): number {
    const question = this.#question;
    const from = question.length - name.length;
    if (from < 0 || !question.endsWith(name)) return -1;
    return from === 0 || question.charCodeAt(from - 1) === DOT ? 12 + from : -1;
  }

  /** Where a name begins that can be pointed at; -1 if there is none. */
  #find(name: string): number {
    const inQuestion = this.#inQuestion(name);
    if (inQuestion >= 0) return inQuestion;
    if (this.#written !== undefined) {
      for (const written of this.#written) this.#learn(written);
      this.#written = undefined;
    }
    return this.#names?.get(name) ?? -1;
  }

  #learn({ name, at, length }: Written): void {
    const names = (this.#names ??= new Map());
    for (let from = 0; from < length && at + from <= HIGHEST_POINTER;) {
      const rest = from === 0 ? name : name.slice(from);
      // Where a name is known, so are those that it ends in.
      if (names.has(rest) || this.#inQuestion(rest) >= 0) return;
      names.set(rest, at + from);
      const dot = name.indexOf(".", from);
      from = dot < 0 ? length : dot + 1;
    }
  }

  uint8(value: number): void {
    scratch[this.at++] = value;
  }

  uint16(value: number): void {
    scratch[this.at++] = value >>> 8;
    scratch[this.at++] = value;
  }

  uint32(value: number): void {
    scratch[this.at++] = value >>> 24;
    scratch[this.at++] = value >>> 16;
    scratch[this.at++] = value >>> 8;
    scratch[this.at++] = value;
  }

  /** A dotted name; as a pointer to the same ending written before, if `compress`. */
  name(name: string, compress: boolean): void {
    const start = this.at;
    let from = 0;
    let known = -1;
    while (from < name.length) {
      if (compress) known = this.#find(from === 0 ? name : name.slice(from));
      if (known >= 0) break;
      const dot = name.indexOf(".", from);
      const end = dot < 0 ? name.length : dot;
      const length = end - from;
      if (length === 0 || length > 63) {
        throw new RangeError(`writing a DNS answer: a label of ${name} has ${length} bytes, 1 to 63 are allowed`);
      }
      this.uint8(length);
      while (from < end) scratch[this.at++] = name.charCodeAt(from++);
      from += 1;
    }
    if (known >= 0) this.uint16(0xc000 | known);
    else this.uint8(0);
    if (from > 0) (this.#written ??= []).push({ name, at: start, length: from });
  }
}

/** Four numbers with dots between them; what is in records has been checked long before. */
function writeIPv4(writer: Writer, address: string): void {
  let part = 0;
  for (let at = 0; at < address.length; at += 1) {
    const code = address.charCodeAt(at);
    if (code === DOT) {
      writer.uint8(part);
      part = 0;
    } else part = part * 10 + code - 0x30;
  }
  writer.uint8(part);
}

function writeIPv6(writer: Writer, address: string): void {
  const number = toNumber(address);
  for (let shift = 96n; shift >= 0n; shift -= 32n) writer.uint32(Number((number >> shift) & 0xffff_ffffn));
}

/** The data of a record; answers where a serial number was written, or 0. */
function writeData(writer: Writer, record: WireRecord): number {
  switch (record.type) {
    case "A":
      writeIPv4(writer, record.address);
      return 0;
    case "AAAA":
      writeIPv6(writer, record.address);
      return 0;
    case "CNAME":
    case "NS":
    case "PTR":
      writer.name(record.target, true);
      return 0;
    case "SRV":
      writer.uint16(record.priority);
      writer.uint16(record.weight);
      writer.uint16(record.port);
      // RFC 2782: the target is never a pointer.
      writer.name(record.target, false);
      return 0;
    case "raw":
      if (writer.at + record.data.length > scratch.length) {
        throw new RangeError(`writing a DNS answer: a record of ${record.data.length} bytes does not fit`);
      }
      scratch.set(record.data, writer.at);
      writer.at += record.data.length;
      return 0;
    case "TXT":
      writer.uint8(record.text.length);
      writer.at += scratch.write(record.text, writer.at, "latin1");
      return 0;
    case "SOA": {
      writer.name(record.primary, true);
      writer.name(record.mailbox, true);
      const serialAt = writer.at;
      for (const value of [record.serial, record.refresh, record.retry, record.expire, record.minimum]) {
        writer.uint32(value);
      }
      return serialAt;
    }
  }
}

/** Writes a whole record; answers as {@link writeData}. */
function writeRecord(writer: Writer, record: WireRecord): number {
  writer.name(record.name, true);
  writer.uint16(record.type === "raw" ? record.code : TYPE[record.type]);
  writer.uint16(1);
  writer.uint32(record.ttl);
  const lengthAt = writer.at;
  writer.at += 2;
  const serialAt = writeData(writer, record);
  const length = writer.at - lengthAt - 2;
  scratch[lengthAt] = length >>> 8;
  scratch[lengthAt + 1] = length;
  return serialAt;
}

/**
 * Writes an answer of at most `limit` bytes to the question in `query`, whose section ends at `end`.
 * Answers that do not fit set TC (RFC 2181 §9); additional records that do not fit are left out without it.
 * Throws RangeError for names that no message can hold.
 */
export function encode(
  query: Uint8Array,
  end: number,
  labels: readonly string[],
  answer: WireAnswer,
  recursion: boolean,
  limit: number,
): Encoded {
  for (let at = 0; at < end; at += 1) scratch[at] = query[at]!;
  const writer = new Writer(end, labels);
  let serialAt = 0;
  let truncated = false;

  const section = (records: readonly WireRecord[], needed: boolean): number => {
    let count = 0;
    for (const record of truncated ? [] : records) {
      const start = writer.at;
      const serial = writeRecord(writer, record);
      if (writer.at > limit) {
        // Nothing is written behind this, so names known from the record taken back are never pointed at.
        writer.at = start;
        truncated = needed;
        break;
      }
      if (serial > 0) serialAt = serial;
      count += 1;
    }
    return count;
  };
  const answers = section(answer.answers, true);
  const answersEnd = writer.at;
  const authority = section(answer.authority, true);
  const additional = section(answer.additional, false);

  scratch[2] = 0x80 | (answer.authoritative ? 0x04 : 0) | (truncated ? TRUNCATED : 0);
  scratch[3] = (recursion ? 0x80 : 0) | (answer.rcode & 0x0f);
  scratch.writeUInt16BE(1, 4);
  scratch.writeUInt16BE(answers, 6);
  scratch.writeUInt16BE(authority, 8);
  scratch.writeUInt16BE(additional, 10);

  const isMovable = areMovable(answer.answers, answers);
  const bytes = Buffer.allocUnsafe(writer.at);
  scratch.copy(bytes, 0, 0, writer.at);
  return {
    bytes,
    movableAt: end,
    movableSize: isMovable ? (answersEnd - end) / answers : 0,
    movableCount: isMovable ? answers : 0,
    serialAt,
  };
}

/** True for several address records that all point at the question's name: so they have one size. */
function areMovable(records: readonly WireRecord[], count: number): boolean {
  const [first] = records;
  if (count < 2 || (first?.type !== "A" && first?.type !== "AAAA")) return false;
  for (let at = 1; at < count; at += 1) {
    const { name, type } = records[at]!;
    if (type !== first.type || name !== first.name) return false;
  }
  return true;
}
