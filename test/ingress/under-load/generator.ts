/** The load, in a process of its own: begins requests at their times, whether or not those before were answered, and tells what became of them. */
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect as connectHttp2, constants, type ClientHttp2Session } from "node:http2";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { WebSocket } from "ws";
import { openWebSocket } from "../lab/clients.ts";
import {
  KEPT,
  KINDS,
  now,
  RATES,
  SOURCES,
  type Kind,
  type LoadPlaces,
  type Outcome,
  type Said,
  type Sockets,
  type Told,
} from "./words.ts";

const PATIENCE = 10_000;
const BODY = "ok";
const ASKED = JSON.stringify({ body: BODY });
const say = (said: Said): void => void process.send?.(said);

let outcomes: Outcome[] = [];
const hosts: string[] = [];
const underWay = new Map<string, number>();
const dropping = new Set<string>();
let again = 0;
let late = 0;
let turn = 0;
let places: LoadPlaces;
let sessions: (ClientHttp2Session | undefined)[] = [undefined, undefined, undefined, undefined];
const agent = new Agent({ keepAlive: true, maxSockets: KEPT });

interface Answer {
  readonly pod: string;
  readonly certificate?: string;
}

/** Reads an answer to the end of its connection. */
function readAnswer(text: string): string {
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1]);
  const pod = /^x-pod: (\S+)/im.exec(head)?.[1];
  if (!head.startsWith("HTTP/1.1 200") || body !== BODY || body.length !== length || pod === undefined)
    throw new Error(`not a pod's whole answer: ${JSON.stringify(text.slice(0, 100))}`);
  return pod;
}

const head = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\nx-do: ${ASKED}\r\nConnection: close\r\n\r\n`;

async function overNew(host: string, tls: boolean): Promise<Answer> {
  const localAddress = SOURCES[turn++ % SOURCES.length]!;
  const common = { host: places.address, localAddress };
  const secured = tls
    ? connectTls({
        ...common,
        port: places.secure,
        servername: host,
        rejectUnauthorized: false,
        ALPNProtocols: ["http/1.1"],
      })
    : undefined;
  const socket = secured ?? connect({ ...common, port: places.plain });
  let text = "";
  let certificate: string | undefined;
  secured?.once("secureConnect", () => (certificate = secured.getPeerCertificate().fingerprint256));
  socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`no answer within ${PATIENCE} ms`)));
  socket.setEncoding("latin1");
  socket.on("data", (piece: string) => (text += piece));
  socket.write(head(host));
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => resolve());
  });
  return { pod: readAnswer(text), ...(certificate === undefined ? {} : { certificate }) };
}

async function overKept(host: string): Promise<Answer> {
  for (;;) {
    const sent = request({
      host: places.address,
      port: places.plain,
      agent,
      headers: { host, "x-do": ASKED },
      timeout: PATIENCE,
    });
    let hasBytes = false;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        sent.on("timeout", () => sent.destroy(new Error(`no answer within ${PATIENCE} ms`)));
        sent.on("error", reject);
        sent.on("response", (response) => {
          hasBytes = true;
          let text = "";
          response.setEncoding("latin1");
          response.on("data", (piece: string) => (text += piece));
          response.on("error", reject);
          response.on("end", () => {
            const pod = response.headers["x-pod"];
            if (response.statusCode === 200 && text === BODY && typeof pod === "string") resolve({ pod });
            else
              reject(
                new Error(`kept: not a pod's answer: ${response.statusCode} ${JSON.stringify(text.slice(0, 80))}`),
              );
          });
        });
        sent.end();
      });
    } catch (error) {
      // RFC 9110 §9.2.2: as every client does.
      if (!sent.reusedSocket || hasBytes) throw error;
      again += 1;
    }
  }
}

async function overHttp2(host: string): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const at = turn++ % sessions.length;
    let session = sessions[at];
    if (session === undefined || session.closed || session.destroyed) {
      session = connectHttp2(`https://${places.address}:${places.secure}`, {
        servername: host,
        rejectUnauthorized: false,
      });
      session.on("error", () => undefined);
      sessions[at] = session;
    }
    let wasRefused = false;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const stream = session.request({ ":path": "/", ":authority": host, "x-do": ASKED });
        let text = "";
        let answer: Record<string, unknown> = {};
        stream.setEncoding("latin1");
        stream.setTimeout(PATIENCE, () => stream.destroy(new Error(`no answer within ${PATIENCE} ms`)));
        stream.on("response", (given) => (answer = given));
        stream.on("data", (piece: string) => (text += piece));
        stream.on("error", reject);
        stream.on("close", () => {
          wasRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
          const pod = answer["x-pod"];
          if (answer[":status"] === 200 && text === BODY && typeof pod === "string") resolve({ pod });
          else
            reject(
              new Error(
                `HTTP/2: not a pod's answer: ${String(answer[":status"])} ${JSON.stringify(text.slice(0, 80))}, ${stream.rstCode}`,
              ),
            );
        });
      });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // RFC 9113 §8.7: these were not touched.
      if (tries > 4 || !(wasRefused || code === "ERR_HTTP2_GOAWAY_SESSION" || code === "ERR_HTTP2_INVALID_SESSION"))
        throw error;
      again += 1;
    }
  }
}

const ways: Readonly<Record<Kind, (host: string) => Promise<Answer>>> = {
  new: async (host) => overNew(host, false),
  tls: async (host) => overNew(host, true),
  kept: overKept,
  http2: overHttp2,
};

async function call(kind: Kind, host: string): Promise<void> {
  underWay.set(host, (underWay.get(host) ?? 0) + 1);
  const from = now();
  const outcome = await ways[kind](host).then(
    (answer) => answer,
    (error: NodeJS.ErrnoException) => ({ fault: `${error.code ?? ""} ${error.message}` }),
  );
  outcomes.push({ kind, host, from, to: now(), ...outcome });
  const left = (underWay.get(host) ?? 1) - 1;
  underWay.set(host, left);
  if (left === 0 && dropping.delete(host)) say({ say: "dropped", host });
}

interface Held {
  readonly socket: WebSocket;
  readonly pod: string;
  readonly tls: boolean;
  waits: { readonly text: string; readonly since: number } | undefined;
}
let held: Held[] = [];
let echoes = 0;
const lost: Sockets["lost"][number][] = [];
const lose = (one: Held, fault: string): void => {
  if (!held.includes(one)) return;
  held = held.filter((other) => other !== one);
  lost.push({ pod: one.pod, at: now(), tls: one.tls, fault });
};

async function openSockets(host: string, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const tls = at % 2 === 1;
    const socket = await openWebSocket(
      { address: places.address, port: tls ? places.secure : places.plain, tls },
      { host },
    );
    const asked = once(socket, "message");
    socket.send("who");
    const one: Held = { socket, tls, pod: String((await asked)[0]), waits: undefined };
    held.push(one);
    socket.on("message", (data: Buffer) => {
      if (data.toString() !== one.waits?.text) return lose(one, `it said ${data.toString()}`);
      one.waits = undefined;
      echoes += 1;
    });
    socket.on("close", (code) => lose(one, `closed with ${code}`));
  }
}

const sayAgain = (): void => {
  for (const one of held) {
    if (one.waits !== undefined) {
      if (now() - one.waits.since > PATIENCE) lose(one, "no echo");
      continue;
    }
    one.waits = { text: `${Math.random()}`, since: now() };
    one.socket.send(one.waits.text);
  }
};
const sockets = (): Sockets => ({ open: held.length, echoes, lost });

const timers: NodeJS.Timeout[] = [];
let began = 0;
const begun: Record<Kind, number> = { new: 0, kept: 0, tls: 0, http2: 0 };

async function begin(told: Told & { do: "begin" }): Promise<void> {
  ({ places } = told);
  await openSockets(told.host, told.sockets);
  began = now();
  const pace = (): void => {
    if (hosts.length === 0) return;
    const elapsed = now() - began;
    for (const kind of KINDS) {
      late = Math.max(late, elapsed - ((begun[kind] + 1) * 1000) / RATES[kind]);
      for (const due = Math.floor((elapsed * RATES[kind]) / 1000); begun[kind] < due; begun[kind] += 1)
        void call(kind, hosts[begun[kind] % hosts.length]!);
    }
  };
  timers.push(setInterval(pace, 2), setInterval(sayAgain, 200), setInterval(report, 200));
  say({ say: "begun", pods: held.map(({ pod }) => pod) });
}

const report = (): void => {
  if (outcomes.length > 0) say({ say: "outcomes", outcomes });
  outcomes = [];
};

async function end(): Promise<void> {
  const seconds = (now() - began) / 1000;
  for (const timer of timers) clearInterval(timer);
  while ([...underWay.values()].some((count) => count > 0)) await new Promise((resolve) => setTimeout(resolve, 5));
  report();
  say({ say: "ended", sockets: sockets(), seconds, late, again });
  for (const { socket } of held.splice(0)) socket.close();
  agent.destroy();
  for (const session of sessions) session?.close();
  sessions = [];
}

process.on("message", (told: Told) => {
  switch (told.do) {
    case "begin":
      return void begin(told);
    case "add":
      return void hosts.push(told.host);
    case "drop":
      hosts.splice(hosts.indexOf(told.host), 1);
      if ((underWay.get(told.host) ?? 0) === 0) return say({ say: "dropped", host: told.host });
      return void dropping.add(told.host);
    case "sockets":
      return say({ say: "sockets", sockets: sockets() });
    case "end":
      return void end();
  }
});
process.on("disconnect", () => process.exit());
