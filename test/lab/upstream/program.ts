/**
 * A resolver as a company has one: `node program.ts ADDRESS` answers there by UDP and TCP, on port 53, for the zone below, and says
 * NXDOMAIN for everything else. Writes a line of JSON for each question it gets, and `ready` before.
 */
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import * as packets from "dns-packet";
import type { UpstreamQuestion } from "./upstream.ts";

const address = process.argv[2]!;

/** Any name below it has an address of each family, but those that begin with `nobody`, `four` or `alias`; and so has `late.corner`. */
const ZONE = "outside.test";
const SOA: packets.SoaAnswer = {
  type: "SOA",
  name: ZONE,
  ttl: 60,
  data: {
    mname: `ns.${ZONE}`,
    rname: `hostmaster.${ZONE}`,
    serial: 1,
    refresh: 3600,
    retry: 600,
    expire: 86400,
    minimum: 30,
  },
};

/** Names of a company's own domain: of one family. */
const INTRANET: readonly string[] = ["wiki.corp.test", "wiki.team.corp.test"];
const ADDRESSES: Readonly<Record<string, string>> = { A: "192.0.2.10", AAAA: "2001:db8::10" };

function answersFor(name: string, type: string): packets.Answer[] | "NXDOMAIN" {
  if (INTRANET.includes(name)) return type === "A" ? [{ type: "A", name, ttl: 60, data: "192.0.2.20" }] : [];
  if ((!name.endsWith(`.${ZONE}`) && name !== "late.corner") || name.startsWith("nobody")) return "NXDOMAIN";
  if (name.startsWith("four") && type !== "A") return [];
  if (name.startsWith("alias")) {
    const target = `www.${ZONE}`;
    const records = answersFor(target, type);
    return [{ type: "CNAME", name, ttl: 60, data: target }, ...(records === "NXDOMAIN" ? [] : records)];
  }
  const data = ADDRESSES[type];
  return data === undefined ? [] : [{ type: type as "A" | "AAAA", name, ttl: 60, data }];
}

function answer(packet: Buffer, transport: UpstreamQuestion["transport"]): Buffer {
  const query = packets.decode(packet);
  const { name, type } = query.questions![0]!;
  console.log(JSON.stringify({ name: name.toLowerCase(), type, transport } satisfies UpstreamQuestion));
  const found = answersFor(name.toLowerCase(), type);
  const isMissing = found === "NXDOMAIN";
  const answers = isMissing ? [] : found;
  return packets.encode({
    type: "response",
    id: query.id!,
    // The response code has no field of its own in this library.
    flags: packets.RECURSION_DESIRED | packets.RECURSION_AVAILABLE | (isMissing ? 3 : 0),
    questions: query.questions!,
    answers: answers.map((each) => (each.name.toLowerCase() === name.toLowerCase() ? { ...each, name } : each)),
    authorities: answers.length === 0 ? [SOA] : [],
    ...((query.additionals ?? []).some((each) => each.type === "OPT")
      ? {
          additionals: [
            { type: "OPT", name: ".", udpPayloadSize: 1232, flags: 0, options: [] } as unknown as packets.Answer,
          ],
        }
      : {}),
  });
}

const udp = createSocket("udp4");
udp.on("message", (packet, from) => udp.send(answer(packet, "udp"), from.port, from.address));
udp.bind(53, address, () =>
  createServer((socket: Socket) => {
    let held: Buffer = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0);
        const reply = answer(held.subarray(2, end), "tcp");
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([length, reply]));
        held = held.subarray(end);
      }
    });
  }).listen(53, address, () => console.log("ready")),
);
