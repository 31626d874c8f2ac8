import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { Running } from "../../src/host/host.ts";
import { nftablesEngine } from "../../src/proxy/engines/nftables/engine.ts";
import { userspaceEngine } from "../../src/proxy/engines/userspace/engine.ts";
import { holdTranslation } from "../../src/proxy/translation.ts";
import { until } from "../lab/until.ts";
import { Carried } from "./lab/carried.ts";
import { openNetwork } from "./lab/network.ts";
import { service, slices } from "./lab/objects.ts";

const PORT = 8090;
const ECHO = `require("node:net")
  .createServer((socket) => socket.on("error", () => {}).pipe(socket))
  .listen(${PORT}, "::", () => console.log("ready"));`;
const CALLER = `const socket = require("node:net").connect(80, "10.96.0.1");
socket.on("connect", () => process.stdout.write("connected "));
socket.on("data", (text) => process.stdout.write(String(text)));
socket.on("error", (error) => process.stdout.write(error.code + " "));
process.stdin.on("data", (text) => socket.write(text));`;

test("PRX-170: connections that nftables began go on when userspace carries alone, and those of userspace when nftables does", async () => {
  const network = await openNetwork();
  const host = network.at("node");
  const started: Running[] = [];
  const heard = new Map<Running, string>();
  const run = async (place: Parameters<typeof network.at>[0], script: string, word: string): Promise<Running> => {
    const running = await network.at(place).open(process.execPath, ["-e", script], { stderr: "inherit" });
    started.push(running);
    heard.set(running, "");
    running.stdout.on("data", (text) => heard.set(running, `${heard.get(running)}${String(text)}`));
    await until(`${place} to be ${word}`, () => heard.get(running)!.includes(word));
    return running;
  };
  const signal = new AbortController().signal;
  const nftables = new Carried(nftablesEngine(host));
  const userspace = new Carried(userspaceEngine(host));
  const again = new Carried(nftablesEngine(host));
  const ports = [{ name: "tcp", port: PORT, protocol: "TCP" }];
  const ends = slices("web", ["pod1"], ["tcp"]).map((slice) => ({ ...slice, ports }));
  for (const carried of [nftables, userspace, again]) carried.set(service("web", 1), ends);
  try {
    await run("pod1", ECHO, "ready");
    const callers: Running[] = [];
    const all = async (word: string): Promise<void> => {
      for (const caller of callers) caller.stdin.write(`${word} `);
      const waited = until(`all connections to answer ${word}`, () =>
        callers.every((caller) => heard.get(caller)!.includes(`${word} `)),
      );
      await waited.catch(() =>
        deepEqual(
          callers.map((caller) => heard.get(caller)),
          "all answered",
        ),
      );
    };
    await nftables.apply();
    for (const place of ["node", "client", "pod2"] as const) callers.push(await run(place, CALLER, "connected"));
    await all("nftables");
    await userspace.apply();
    await all("both");
    await holdTranslation(host, signal);
    await nftables.engine.cleanup(signal);
    await all("held");
    callers.push(await run("node", CALLER, "connected"), await run("client", CALLER, "connected"));
    await all("userspace");
    await again.apply();
    await all("again");
  } finally {
    for (const running of started) running.kill();
    for (const { engine } of [nftables, userspace, again]) await engine.close();
    await network.close();
  }
});
