import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { bringUp, FAIRLEAD, type Fairlead } from "../lab/fairlead.ts";
import { isRealRoot } from "../lab/ground.ts";
import { endAll, processesOf } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { RESOLVED_TOOLS, resolvedMissing, startResolved } from "../lab/resolved.ts";
import { until } from "../lab/until.ts";

const NAME = "kubernetes.default.svc.cluster.local";
/** Two resolvers of the world outside, each with one answer for every name. */
const [THEIRS, OURS] = ["127.0.0.9", "127.0.0.10"];
const [THEIR_ANSWER, OUR_ANSWER] = ["192.0.2.7", "192.0.2.8"];

/** Answers each question with the one address it is given. */
const RESOLVER = `
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (query, from) => {
  let end = 12;
  while (query[end] !== 0) end += query[end] + 1;
  end += 5;
  const isA = query.readUInt16BE(end - 4) === 1;
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(isA ? 1 : 0, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...process.argv[2].split(".").map(Number)]);
  socket.send(isA ? Buffer.concat([head, answer]) : head, from.port, from.address);
});
socket.bind(53, process.argv[1], () => console.log("ready"));
`;

const skip = isRealRoot() ? false : "needs root, to be a host site";

describe("up --host-dns where systemd-resolved runs", { skip: skip || resolvedMissing() }, () => {
  let lab: Lab;
  let host: LabHost;
  before(async () => {
    process.env["PATH"] = `${RESOLVED_TOOLS}:${process.env["PATH"]}`;
    lab = await createLab();
    host = await lab.add("h1");
    for (const [address, answer] of [
      [THEIRS, THEIR_ANSWER],
      [OURS, OUR_ANSWER],
    ] as const) {
      const running = await host.open(process.execPath, ["-e", RESOLVER, address, answer]);
      await once(running.stdout, "data");
      host.atClose(async () => {
        running.kill("SIGKILL");
        await running.ended;
      });
    }
    await startResolved(host, THEIRS);
  });
  after(() => lab?.close());

  const query = async (name: string): Promise<string> => {
    const { stdout, stderr } = await host.run("resolvectl", ["query", "--legend=no", name]);
    return `${stdout}${stderr}`;
  };
  /** What is set for each link, without the links' numbers. */
  const settings = async (): Promise<string[]> => {
    const said = await Promise.all(["dns", "domain", "default-route"].map((what) => host.check("resolvectl", [what])));
    return said.flatMap(({ stdout }) => stdout.split("\n").filter((line) => line.startsWith("Link ")));
  };
  /** Where the kernel has no dummy interfaces the site's is a bridge: a port gives it a carrier. */
  const giveCarrier = (): Promise<unknown> =>
    host.run("sh", [
      "-c",
      "ip link del hostdns0; ip link add hostdns0 type veth peer name hostdns1 && ip link set hostdns1 up && ip link set hostdns0 master fairlead0 up",
    ]);
  const takeCarrier = (): Promise<unknown> => host.run("ip", ["link", "del", "hostdns0"]);
  const started = async (data?: string): Promise<Fairlead> => {
    const flags = ["--host-dns", "--dns-upstream", OURS];
    const fairlead = await bringUp(host, { flags, ...(data === undefined ? {} : { data }) });
    await giveCarrier();
    await until("the cluster's name", async () => (await query(NAME)).includes("10.96.0.1"));
    return fairlead;
  };

  test("the machine's resolver finds the cluster's names, forward and reverse, asks its own resolver for all others, and is as before after Ctrl-C", async () => {
    const was = await settings();
    assert.match(await query(NAME), /No appropriate name servers/);
    const fairlead = await started();
    assert.match(await query("10.96.0.1"), /kubernetes\.default\.svc\.cluster\.local/);
    assert.match(await query("somewhere.example"), new RegExp(THEIR_ANSWER));
    const said = await until("what it says", () => fairlead.events.find(({ event }) => event === "host-dns"));
    assert.match(String(said["says"]), /systemd-resolved/);
    const outside = await fairlead.shell("dig", ["+short", "somewhere.example"]);
    assert.equal(outside.stdout, `${OUR_ANSWER}\n`, "--dns-upstream is who Fairlead itself asks");
    await takeCarrier();
    assert.equal(await fairlead.end("SIGINT"), 0, fairlead.complaints());
    assert.deepEqual(await settings(), was);
    assert.match(await query(NAME), /No appropriate name servers/);
  });

  test("after SIGKILL of everything, down leaves the resolver as it was", async () => {
    const was = await settings();
    const fairlead = await started(join(await mkdtemp(join(host.scratch, "data-")), "d"));
    await takeCarrier();
    await endAll(await processesOf(fairlead), "SIGKILL");
    const down = await host.run(FAIRLEAD, ["down", "--data", fairlead.data], { timeout: 60_000 });
    assert.equal(down.code, 0, down.stderr);
    assert.deepEqual(await settings(), was);
    assert.match(await query(NAME), /No appropriate name servers/);
  });
});

describe("up --host-dns elsewhere", { skip }, () => {
  let lab: Lab;
  let host: LabHost;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
  });
  after(() => lab?.close());

  test("without systemd-resolved it says what to set by hand", async () => {
    const fairlead = await bringUp(host, { flags: ["--host-dns"] });
    const said = await until("what it says", () => fairlead.events.find(({ event }) => event === "host-dns"));
    assert.match(
      String(said["says"]),
      /not told of cluster\.local .*10\.244\.0\.1.*server=\/cluster\.local\/10\.244\.0\.1/,
    );
    const asked = await host.check("dig", ["+short", "@10.244.0.1", NAME]);
    assert.equal(asked.stdout, "10.96.0.1\n");
    await fairlead.end();
  });

  test("port 53 that another program has is said at once, with its name and id", async () => {
    const program = await host.open("python3", [
      "-c",
      "import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', 53)); print('ready', flush=True); sys.stdin.read()",
    ]);
    await once(program.stdout, "data");
    const words = ["up", "--data", join(host.scratch, "taken"), "--listen", "127.0.0.1:6443"];
    const { code, stderr } = await host.run(FAIRLEAD, words, { timeout: 60_000 });
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(
        `listening for DNS on UDP 10\\.244\\.0\\.1 port 53: taken by python3[.0-9]* \\(pid ${program.pid}\\); .*--private`,
      ),
    );
    program.stdin.end();
    await program.ended;
  });
});
