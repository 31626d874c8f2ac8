import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import * as packets from "dns-packet";
import { framed } from "../running.ts";

/** A resolver for all that is not the cluster's, which answers a question always alike. */
export interface Upstream {
  readonly port: number;
  /** What it was asked so far, in lower case: `NAME TYPE`. */
  readonly asked: string[];
  close(): Promise<void>;
}

const NXDOMAIN = 3;
const SERVFAIL = 2;
const SOA = { mname: "ns.test", rname: "root.test", serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 25 };

function reply(packet: Buffer, asked: string[]): Buffer {
  const query = packets.decode(packet);
  const question = query.questions![0]!;
  const name = question.name.toLowerCase();
  asked.push(`${name} ${question.type}`);
  const answers: packets.Answer[] = [];
  const authorities: packets.Answer[] = [];
  let code = 0;
  if (name === "ext.interwebs.test") {
    if (question.type === "A") answers.push({ type: "A", name: question.name, ttl: 60, data: "192.0.2.80" });
    if (question.type === "AAAA") answers.push({ type: "AAAA", name: question.name, ttl: 60, data: "2001:db8::80" });
  } else if (name.startsWith("failing.")) {
    code = SERVFAIL;
  } else if (name.startsWith("some.") && question.type === "A") {
    for (let each = 1; each < 4; each += 1) {
      answers.push({ type: "A", name: question.name, ttl: 7, data: `198.51.100.${each}` });
    }
  } else if (name === "alias.example.test" && question.type === "A") {
    answers.push({ type: "CNAME", name: question.name, ttl: 9, data: "some.example.test" });
    answers.push({ type: "A", name: "some.example.test", ttl: 8, data: "198.51.100.1" });
  } else if (!name.startsWith("void.")) {
    code = NXDOMAIN;
  }
  if (answers.length === 0 && code !== SERVFAIL) authorities.push({ type: "SOA", name: "test", ttl: 20, data: SOA });
  return packets.encode({
    type: "response",
    ...(query.id === undefined ? {} : { id: query.id }),
    flags: packets.RECURSION_DESIRED | packets.RECURSION_AVAILABLE | code,
    questions: [question],
    answers,
    authorities,
  });
}

export async function openUpstream(): Promise<Upstream> {
  const asked: string[] = [];
  const tcp = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => socket.write(framed(reply(chunk.subarray(2), asked))));
  });
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const { port } = tcp.address() as { port: number };
  const udp = createSocket("udp4");
  udp.on("message", (packet, from) => udp.send(reply(packet, asked), from.port, from.address));
  udp.bind(port, "127.0.0.1");
  await once(udp, "listening");
  return {
    port,
    asked,
    async close() {
      udp.close();
      await new Promise((resolve) => tcp.close(resolve));
    },
  };
}
