import assert from "node:assert/strict";
import * as https from "node:https";
import type { ServerResponse } from "node:http";
import { test, type TestContext } from "node:test";
import * as packets from "dns-packet";
import { namespaces, services } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { startDns, type Dns } from "../../src/dns/dns.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { until } from "../lab/until.ts";
import { serverProcess, type ServerProcess } from "./frozen/process.ts";
import { ask, configurationOf, overUdp } from "./running.ts";
import { service } from "./testns.ts";

const SVC = "testns.svc.cluster.local";

/** Cluster DNS as a client of a real API server. */
async function dnsOf(t: TestContext, client: Client): Promise<{ dns: Dns; answer: (name: string) => Promise<string> }> {
  const dns = await startDns({
    client,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    configuration: configurationOf({ kubernetes: { startupTimeout: 0 } }),
  });
  t.after(() => dns.stop());
  return {
    dns,
    async answer(name) {
      const response = await overUdp(dns.listening[0]!.port, ask(`${name}.${SVC}`));
      assert.ok(response, `${name} is answered`);
      const decoded = packets.decode(response);
      const found = (decoded.answers ?? []).map((each) => (each.type === "A" ? each.data : each.type));
      return found.length > 0 ? found.join(" ") : ((decoded as { rcode?: string }).rcode ?? "");
    },
  };
}

const add = (client: Client, name: string, clusterIP: string): Promise<unknown> =>
  client.create(
    services,
    service(name, {
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ port: 80 }],
    }),
  );

async function filled(server: ServerProcess): Promise<Client> {
  const client = server.client();
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "testns" } });
  await add(client, "svc1", "10.0.0.1");
  return client;
}

void test("a frozen API server: names are answered from what is known, whose age grows; thawed, it is current and changes arrive", async (t) => {
  const server = await serverProcess(t);
  const writing = await filled(server);
  const { dns, answer } = await dnsOf(t, server.client());
  await dns.synced();
  assert.equal(await answer("svc1"), "10.0.0.1");
  assert.equal(await answer("svc2"), "NXDOMAIN");
  // In quiet times it is as old as the server's last sign of life.
  await until("a sign of life in quiet times", () => (dns.age() ?? 9) < 0.5);

  server.freeze();
  // Somebody's write waits for the server; its connection may have grown too old meanwhile, and then it is sent again.
  const writes = add(writing, "svc2", "10.0.0.2").catch(() => add(server.client(), "svc2", "10.0.0.2"));
  let oldest = 0;
  await until("its age to be over 6 seconds", async () => {
    assert.equal(await answer("svc1"), "10.0.0.1");
    assert.equal(await answer("svc2"), "NXDOMAIN");
    const age = dns.age() ?? -1;
    assert.equal(age >= oldest, true, `its age fell from ${oldest} to ${age}`);
    oldest = age;
    return age > 6;
  });
  server.thaw();
  await writes;
  await until("what was written meanwhile to be answered", async () => (await answer("svc2")) === "10.0.0.2");
  await until("its age to be that of quiet times again", () => (dns.age() ?? 9) < 2.5);
});

void test("a killed API server: names are answered; started again, changes arrive", async (t) => {
  const server = await serverProcess(t);
  await filled(server);
  const { dns, answer } = await dnsOf(t, server.client());
  await dns.synced();
  await server.kill();
  await until("its age to be over 2 seconds", async () => {
    assert.equal(await answer("svc1"), "10.0.0.1");
    return (dns.age() ?? 0) > 2;
  });
  await server.start();
  await add(server.client(), "svc3", "10.0.0.3");
  await until("what was written after the restart to be answered", async () => (await answer("svc3")) === "10.0.0.3");
  await until("its age to be that of quiet times again", () => (dns.age() ?? 9) < 2.5);
  assert.equal(await answer("svc1"), "10.0.0.1");
});

void test("DNS-080: before the first list there are failures, no false denials; then answers", async (t) => {
  const server = await serverProcess(t);
  await filled(server);
  const client = server.client();
  server.freeze();
  const { dns, answer } = await dnsOf(t, client);
  for (let turn = 0; turn < 20; turn += 1) {
    assert.equal(await answer("svc1"), "SERVFAIL");
    assert.equal(await answer("nothing"), "SERVFAIL");
  }
  assert.equal(dns.age(), undefined);
  server.thaw();
  await until("the first answer", async () => (await answer("svc1")) === "10.0.0.1");
  assert.equal(await answer("nothing"), "NXDOMAIN");
});

type Fault = (response: ServerResponse) => void;

const gone = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", reason: "Expired", code: 410 };
const FAULTS: Readonly<Record<string, Fault>> = {
  "410": (response) => response.writeHead(410, { "content-type": "application/json" }).end(JSON.stringify(gone)),
  "410 as an event": (response) => response.end(`${JSON.stringify({ type: "ERROR", object: gone })}\n`),
  "500": (response) => response.writeHead(500).end("oops"),
  "garbage instead of events": (response) => response.end("<html>\u0000\n{}\n[]\n"),
  "an event of nothing": (response) => response.end(`${JSON.stringify({ type: "ADDED", object: {} })}\n`),
  "half an event": (response) => response.end('{"type":"DELETED","object":{"kind":"Service","metad'),
  "nothing at all": (response) => response.end(),
  "a reset": (response) => response.destroy(),
};

void test("an API server whose watches fail in every way: names stay, and every change arrives", async (t) => {
  const server = await serverProcess(t);
  const writing = await filled(server);
  const faults: Fault[] = [];
  const open = new Set<ServerResponse>();
  const front = https.createServer({ ...server.server, ca: server.ca }, (request, response) => {
    const isWatch = request.url?.includes("watch=true") === true;
    const fault = isWatch ? faults.shift() : undefined;
    if (fault !== undefined) return fault(response);
    const passed = https.request(
      {
        host: "127.0.0.1",
        port: server.port,
        path: request.url,
        method: request.method,
        ca: server.ca,
        ...server.admin,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
        answer.on("error", () => response.destroy());
      },
    );
    passed.on("error", () => response.destroy());
    response.on("close", () => {
      open.delete(response);
      passed.destroy();
    });
    if (isWatch) open.add(response);
    request.pipe(passed);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    front.closeAllConnections();
    front.close();
  });
  const { port } = front.address() as { port: number };
  const { dns, answer } = await dnsOf(t, server.client({ server: `https://127.0.0.1:${port}` }));
  await dns.synced();
  for (const [turn, [what, fault]] of Object.entries(FAULTS).entries()) {
    await until("all watches to be open", () => open.size === 3);
    // Each of the three meets it.
    faults.push(...Array.from({ length: 3 }, () => fault));
    for (const response of open) response.destroy();
    const name = `after-${turn}`;
    await add(writing, name, `10.0.1.${turn}`);
    await until(`a change to be answered after ${what}`, async () => {
      assert.equal(await answer("svc1"), "10.0.0.1", what);
      return (await answer(name)) === `10.0.1.${turn}`;
    });
    await until("the faults to have been met", () => faults.length === 0);
  }
});
