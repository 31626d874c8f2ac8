/**
 * From the API's answer to a write until HTTP is answered accordingly: a new Ingress, whose host answered 404 until then, and an Ingress that names
 * another Service. Both of Fairlead's engines as `fairlead ingress` beside a Fairlead API server, with 1 and with 5,000 Ingresses; 200 samples each, one after the
 * other, asked without a pause over kept connections. Beside them what nginx takes for a new host: from the word to read its configuration again until it
 * answers, which is what controllers that write configurations for it wait for at the least.
 *
 * SIZES=1,5000; SAMPLES=200.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EndpointSlice, Ingress, IngressClass, Service } from "../src/api/generated/types.ts";
import { endpointSlices, ingressClasses, ingresses, namespaces, services } from "../src/api/resources.ts";
import type { Client } from "../src/client/client.ts";
import { standOnOwnGround } from "../test/lab/ground.ts";
import { clientOf, kubeconfigOf, serveApiFor } from "./api-process.ts";
import { startProgram, type Contender } from "./contender.ts";
import { freePort } from "./free-port.ts";
import { hostOf, makeCertificate } from "./ingress/site.ts";
import { changedNginx, serves, startAnswering } from "./ingress/rivals.ts";
import { inMilliseconds } from "./percentiles.ts";
import { programs } from "./programs.ts";

const SIZES = (process.env["SIZES"] ?? "1,5000").split(",").map(Number);
const SAMPLES = Number(process.env["SAMPLES"] ?? 200);
const WARM = 10;
const PATIENCE = 60_000;
const NAMESPACE = "shop";
const NAMES = ["one", "two"] as const;

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** Connections that broke off, by port. */
const broken = new Map<number, number>();

/** What a host answers now: its status and body. */
const ask = (port: number, host: string): Promise<string> =>
  new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, path: "/", headers: { host }, agent }, (response) => {
      let text = `${response.statusCode} `;
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(text));
    })
      .on("error", reject)
      .end();
  });

/** Milliseconds until a host answers so. */
async function untilAnswer(port: number, host: string, wanted: string): Promise<number> {
  const from = performance.now();
  for (;;) {
    // A connection that ends as it is asked over says nothing of the change: nginx does so each time it reads its configuration.
    const answer = await ask(port, host).catch((error: Error) => {
      broken.set(port, (broken.get(port) ?? 0) + 1);
      return error.message;
    });
    if (answer.startsWith(wanted)) return performance.now() - from;
    if (performance.now() - from > PATIENCE) throw new Error(`asking ${host}: still ${answer} after ${PATIENCE} ms`);
  }
}

const ingressOf = (host: string, service: string): Ingress => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: host, namespace: NAMESPACE },
  spec: {
    ingressClassName: "fairlead",
    rules: [
      {
        host,
        http: {
          paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: service, port: { number: 80 } } } }],
        },
      },
    ],
  },
});

/** Two Services, each of an endpoint that answers its name, and so many Ingresses. */
async function fill(client: Client, ports: Readonly<Record<string, number>>, size: number): Promise<void> {
  const ingressClass: IngressClass = {
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    metadata: { name: "fairlead" },
    spec: { controller: "fairlead.dev/ingress" },
  };
  await client.create(ingressClasses, ingressClass);
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  for (const name of NAMES) {
    const service: Service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace: NAMESPACE },
      spec: { ports: [{ name: "http", port: 80 }] },
    };
    const slice: EndpointSlice = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name, namespace: NAMESPACE, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true } }],
      ports: [{ name: "http", protocol: "TCP", port: ports[name]! }],
    };
    await client.create(services, service);
    await client.create(endpointSlices, slice);
  }
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < size) await client.create(ingresses, ingressOf(hostOf(next++), NAMES[0]));
  };
  await Promise.all(Array.from({ length: 50 }, work));
}

async function samplesOf(count: number, take: (at: number) => Promise<number>): Promise<number[]> {
  for (let at = 0; at < WARM; at += 1) await take(-1 - at);
  const samples: number[] = [];
  for (let at = 0; at < count; at += 1) samples.push(await take(at));
  return samples;
}

async function measure(client: Client, port: number): Promise<Record<string, string>> {
  let made = 0;
  const appears = async (): Promise<number> => {
    const host = `new${(made += 1)}.port${port}.example`;
    await untilAnswer(port, host, "404");
    await client.create(ingresses, ingressOf(host, NAMES[0]));
    const took = await untilAnswer(port, host, "200 one");
    return took;
  };
  const host = hostOf(0);
  let turn = 0;
  const changes = async (): Promise<number> => {
    const name = NAMES[(turn += 1) % 2]!;
    const now = await client.get<Ingress>(ingresses, { namespace: NAMESPACE, name: host });
    await client.update(ingresses, { ...now, spec: ingressOf(host, name).spec! });
    return untilAnswer(port, host, `200 ${name}`);
  };
  const fresh = await samplesOf(SAMPLES, appears);
  for (let at = 1; at <= made; at += 1) {
    await client.delete(ingresses, { namespace: NAMESPACE, name: `new${at}.port${port}.example` });
  }
  return {
    "a new route answers": inMilliseconds(fresh),
    "it leads to another Service": inMilliseconds(await samplesOf(SAMPLES, changes)),
  };
}

standOnOwnGround();
const folder = mkdtempSync(join(tmpdir(), "fl-bench-"));
const running: Contender[] = [];
try {
  const files = makeCertificate(folder);
  for (const size of SIZES) {
    const own = mkdtempSync(join(folder, "size-"));
    const api = await serveApiFor(own);
    const client = clientOf(api);
    const kubeconfig = join(own, "kubeconfig");
    writeFileSync(kubeconfig, kubeconfigOf(api), { mode: 0o600 });
    const answering = await startAnswering(own, NAMES);
    if (answering !== undefined) running.push(answering.contender);
    await fill(client, answering?.ports ?? {}, size);
    const table: Record<string, Record<string, string>> = {};
    for (const engine of ["builtin", "haproxy"] as const) {
      const name = `Fairlead, ${engine}`;
      if (engine === "haproxy" && programs.haproxy === undefined) {
        table[name] = { "a new route answers": "not measured: there is no haproxy" };
        continue;
      }
      const [port, tlsPort, pages] = [freePort(), freePort(), freePort()];
      const door = await startProgram({
        name,
        program: join(import.meta.dirname, "../bin/fairlead"),
        args: `ingress --engine ${engine} --bind 127.0.0.1 --http-port ${port} --https-port ${tlsPort} --healthz-port ${pages} --access-log off`
          .split(" ")
          .concat("--kubeconfig", kubeconfig),
        env: { FAIRLEAD_HAPROXY: programs.haproxy },
        port,
        isServing: serves(port, hostOf(0)),
      });
      if (door === undefined) continue;
      running.push(door);
      table[name] = { ...(await measure(client, port)), "broken connections": `${broken.get(port) ?? 0}` };
      await door.stop();
    }
    const nginx = await changedNginx(files, size, answering?.ports[NAMES[0]] ?? 0);
    if (nginx === undefined) table["nginx, its configuration read again"] = { "a new route answers": "not measured" };
    else {
      running.push(nginx.contender);
      const take = async (at: number): Promise<number> => {
        const host = `new${at}.nginx.example`;
        nginx.add(host);
        return untilAnswer(nginx.contender.port, host, "200 one");
      };
      table["nginx, its configuration read again"] = {
        "a new route answers": inMilliseconds(await samplesOf(SAMPLES, take)),
        "broken connections": `${broken.get(nginx.contender.port) ?? 0}`,
      };
      await nginx.contender.stop();
    }
    console.log(`\n### ${size} ${size === 1 ? "Ingress" : "Ingresses"}`);
    console.table(table);
    client.close();
    await api.close();
  }
} finally {
  agent.destroy();
  for (const one of running) await one.stop();
  rmSync(folder, { recursive: true, force: true });
}
