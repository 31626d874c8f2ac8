import { createSocket } from "node:dgram";
import * as packets from "dns-packet";

export interface Question {
  readonly name: string;
  /** `A`, …; `TYPE65` and the like by number. */
  readonly type: string;
}

/** A response as it is compared: without ids, serial numbers, the order of records, and the spelling of names. */
export interface Answer {
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly answers: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
}

/** At most so many questions at one time: sockets have room for so many. */
const AT_ONCE = 64;
const AGAIN_AFTER = 1500;
const TRIES = 6;

interface Soa {
  readonly mname: string;
  readonly rname: string;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

function dataOf(record: packets.Answer): string {
  if (record.type === "SRV") {
    const { priority, weight, port, target } = record.data;
    return `${priority} ${weight} ${port} ${target.toLowerCase()}`;
  }
  if (record.type === "SOA") {
    const { mname, rname, refresh, retry, expire, minimum } = record.data as Soa;
    return `${mname} ${rname} ${refresh} ${retry} ${expire} ${minimum}`.toLowerCase();
  }
  const data: unknown = "data" in record ? record.data : "";
  if (record.type === "TXT") return String(data);
  return Buffer.isBuffer(data) ? data.toString("hex") : String(data).toLowerCase();
}

const textOf = (record: packets.Answer): string =>
  `${record.name.toLowerCase()} ${"ttl" in record ? record.ttl : 0} ${record.type} ${dataOf(record)}`;

const textsOf = (records: readonly packets.Answer[] | undefined): string[] =>
  (records ?? [])
    .filter(({ type }) => type !== "OPT")
    .map(textOf)
    .toSorted();

export function answerOf(response: Buffer): Answer {
  const decoded = packets.decode(response);
  return {
    rcode: (decoded as { rcode?: string }).rcode ?? "?",
    authoritative: decoded.flag_aa,
    truncated: decoded.flag_tc,
    answers: textsOf(decoded.answers),
    authority: textsOf(decoded.authorities),
    additional: textsOf(decoded.additionals),
  };
}

/** The question's bytes: by hand, as a mutated name may be one that no library writes. */
function packetOf({ name, type }: Question, id: number): Buffer {
  const number = type.startsWith("TYPE") ? Number(type.slice(4)) : NUMBERS[type];
  if (number === undefined) throw new Error(`asking for ${name}: no number is known for type ${type}`);
  const labels = name === "" ? [] : name.split(".");
  const bytes = [...labels.flatMap((label) => [label.length, ...Buffer.from(label, "latin1")]), 0];
  const tail = [number >> 8, number & 255, 0, 1];
  // With EDNS, for answers of up to 4,096 bytes.
  const opt = [0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0];
  const head = [id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
  return Buffer.from([...head, ...bytes, ...tail, ...opt]);
}

const NUMBERS: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  AXFR: 252,
  ANY: 255,
};

/** Asks all questions of one server over UDP, several at a time, again where a packet was lost. */
export async function askAll(address: string, port: number, questions: readonly Question[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  const socket = createSocket("udp4");
  const waiting = new Map<number, (response: Buffer) => void>();
  socket.on("message", (response) => waiting.get(response.readUInt16BE(0))?.(response));
  let next = 0;
  const askOne = async (index: number): Promise<void> => {
    const question = questions[index]!;
    const id = index & 0xffff;
    const packet = packetOf(question, id);
    for (let turn = 0; turn < TRIES; turn += 1) {
      const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
      waiting.set(id, (response) => {
        // The question comes back as it was written, in its own spelling (DNS-018).
        const end = packet.length - 11;
        if (response.subarray(12, end).equals(packet.subarray(12, end))) resolve(response);
      });
      const timer = setTimeout(() => resolve(undefined), AGAIN_AFTER * (turn + 1));
      socket.send(packet, port, address);
      const response = await promise;
      clearTimeout(timer);
      waiting.delete(id);
      if (response === undefined) continue;
      answers[index] = answerOf(response);
      return;
    }
    throw new Error(`asking port ${port} for ${question.name} ${question.type}: no answer after ${TRIES} tries`);
  };
  const worker = async (): Promise<void> => {
    while (next < questions.length) await askOne(next++);
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    socket.close();
  }
  return answers;
}
