import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { isFairlead, startSubject, type Subject } from "./subject.ts";

const SERVICES = "/api/v1/namespaces/default/services";
const RANGE = "10.96.0.0/24";

let subject: Subject;
before(async () => {
  subject = await startSubject({ serviceRanges: [RANGE], nodePortRange: { first: 30_000, last: 30_099 } });
  // The real one makes its own Service after it says that it is ready.
  await until("default/kubernetes", async () => (await subject.ask("GET", `${SERVICES}/kubernetes`)).code === 200);
});
after(() => subject.close());

/** Samples by name and labels, labels in order of their names. */
async function scrape(): Promise<Map<string, number>> {
  const { code, text } = await subject.ask("GET", "/metrics");
  assert.equal(code, 200);
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    const found = /^([a-z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (found === null) continue;
    const labels = [...(found[2] ?? "").matchAll(/([a-z_]+)="([^"]*)"/g)].map(([pair]) => pair).sort();
    const [, name = ""] = found;
    samples.set(labels.length === 0 ? name : `${name}{${labels.join()}}`, Number(found[3]));
  }
  return samples;
}
const create = (name: string, spec: object = {}) =>
  subject.ask("POST", SERVICES, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });

/** How much each of these grew while something was done. */
async function growth(names: readonly string[], work: () => Promise<unknown>): Promise<number[]> {
  const before = await scrape();
  await work();
  const now = await scrape();
  return names.map((name) => (now.get(name) ?? 0) - (before.get(name) ?? 0));
}

void test("the text format of Prometheus: type, help and samples of each metric", async () => {
  const { headers, text } = await subject.ask("GET", "/metrics");
  assert.match(headers["content-type"] ?? "", /^text\/plain; version=0\.0\.4; charset=utf-8/);
  for (const [name = "", type = ""] of [
    ["apiserver_request_total", "counter"],
    ["apiserver_request_duration_seconds", "histogram"],
    ["apiserver_current_inflight_requests", "gauge"],
    ["apiserver_storage_objects", "gauge"],
    ["apiserver_resource_objects", "gauge"],
    ["process_cpu_seconds_total", "counter"],
    ["process_resident_memory_bytes", "gauge"],
    ["process_start_time_seconds", "gauge"],
    ["process_open_fds", "gauge"],
    ["process_max_fds", "gauge"],
    ["process_virtual_memory_bytes", "gauge"],
  ]) {
    assert.match(text, new RegExp(`^# HELP ${name} .+\\n# TYPE ${name} ${type}\\n${name}`, "m"), name);
  }
});

void test("SVC-279: cluster IPs: how many are held and free, and how many were taken, by range and scope", async () => {
  const of = (name: string, ...labels: string[]): string =>
    `kube_apiserver_clusterip_allocator_${name}{${[`cidr="${RANGE}"`, ...labels].join()}}`;
  const names = [
    of("allocated_ips"),
    of("available_ips"),
    of("allocation_total", 'scope="dynamic"'),
    of("allocation_total", 'scope="static"'),
    of("allocation_errors_total", 'scope="static"'),
    of("allocation_duration_seconds_count"),
  ];
  // How many are held and free, the real one learns from its own watch, which may come after the answer.
  const grows = async (act: () => Promise<unknown>, by: number[]): Promise<void> => {
    const first = isFairlead ? 0 : 2;
    assert.deepEqual((await growth(names, act)).slice(first), by.slice(first));
  };
  await grows(() => create("any"), [1, -1, 1, 0, 0, 1]);
  await grows(() => create("one", { clusterIP: "10.96.0.9" }), [1, -1, 0, 1, 0, 1]);
  await grows(() => create("two", { clusterIP: "10.96.0.9" }), [0, 0, 0, 0, 1, 0]);
  const dry = () =>
    subject.ask("POST", `${SERVICES}?dryRun=All`, { metadata: { name: "dry" }, spec: { ports: [{ port: 1 }] } });
  await grows(dry, [0, 0, 0, 0, 0, 0]);
  await until("held and free to be all", async () => {
    const samples = await scrape();
    return (samples.get(names[0]!) ?? 0) + (samples.get(names[1]!) ?? 0) === 254;
  });
});

const LAGS = "the real one counts a freed address when the next one is taken";
void test("SVC-279: an address that is given back is free at once", { skip: isFairlead ? false : LAGS }, async () => {
  await create("short");
  const names = ["allocated_ips", "available_ips"].map(
    (name) => `kube_apiserver_clusterip_allocator_${name}{cidr="${RANGE}"}`,
  );
  assert.deepEqual(await growth(names, () => subject.ask("DELETE", `${SERVICES}/short`)), [-1, 1]);
});

void test("SVC-279: node ports: how many are held and free, and how many were taken, by scope", async () => {
  const of = (name: string, ...labels: string[]): string =>
    `kube_apiserver_nodeport_allocator_${name}${labels.length === 0 ? "" : `{${labels.join()}}`}`;
  const names = [
    of("allocated_ports"),
    of("available_ports"),
    of("allocation_total", 'scope="dynamic"'),
    of("allocation_total", 'scope="static"'),
    of("allocation_errors_total", 'scope="static"'),
  ];
  const type = "NodePort";
  assert.deepEqual(
    (await growth(names, () => create("port", { type, ports: [{ port: 1, nodePort: 30_050 }] }))).slice(2),
    [0, 1, 0],
  );
  assert.deepEqual(await growth(names, () => create("any-port", { type })), [1, -1, 1, 0, 0]);
  assert.deepEqual(
    await growth(names, () => create("again", { type, ports: [{ port: 1, nodePort: 30_050 }] })),
    [0, 0, 0, 0, 1],
  );
  assert.deepEqual(
    await growth(names, () => create("out", { type, ports: [{ port: 1, nodePort: 99 }] })),
    [0, 0, 0, 0, 1],
  );
  const samples = await scrape();
  assert.equal(samples.get(names[0]!)! + samples.get(names[1]!)!, 100);
});

void test("requests are counted and timed by verb, resource, scope and code", async () => {
  const labels = (verb: string, scope: string, subresource = "", dryRun = ""): string =>
    [
      'component="apiserver"',
      `dry_run="${dryRun}"`,
      'group=""',
      'resource="services"',
      `scope="${scope}"`,
      `subresource="${subresource}"`,
      `verb="${verb}"`,
      'version="v1"',
    ].join();
  const total = (code: number, ...of: Parameters<typeof labels>): string =>
    `apiserver_request_total{code="${code}",${labels(...of)}}`;
  const cases: [string, string, unknown, string, Parameters<typeof labels>, number][] = [
    ["GET", SERVICES, undefined, "list", ["LIST", "namespace"], 200],
    ["GET", "/api/v1/services", undefined, "all", ["LIST", "cluster"], 200],
    ["GET", `${SERVICES}/nobody`, undefined, "get", ["GET", "resource"], 404],
    [
      "POST",
      SERVICES,
      { metadata: { name: "counted" }, spec: { ports: [{ port: 1 }] } },
      "post",
      ["POST", "resource"],
      201,
    ],
    [
      "POST",
      `${SERVICES}?dryRun=All`,
      { metadata: { name: "dry" }, spec: { ports: [{ port: 1 }] } },
      "dry",
      ["POST", "resource", "", "All"],
      201,
    ],
    ["GET", `${SERVICES}/counted/status`, undefined, "status", ["GET", "resource", "status"], 200],
    ["DELETE", `${SERVICES}/counted`, undefined, "delete", ["DELETE", "resource"], 200],
  ];
  for (const [method, path, body, what, of, code] of cases) {
    const names = [total(code, ...of), `apiserver_request_duration_seconds_count{${labels(...of)}}`];
    assert.deepEqual(await growth(names, () => subject.ask(method, path, body)), [1, 1], what);
  }
  const bounds = [...(await scrape()).keys()]
    .filter(
      (name) =>
        name.startsWith("apiserver_request_duration_seconds_bucket") &&
        name.includes('resource="services"') &&
        name.includes('verb="DELETE"'),
    )
    .map((name) => /le="([^"]+)"/.exec(name)![1]);
  assert.deepEqual(
    bounds.sort((one, other) => Number(one) - Number(other)).join(" "),
    "0.005 0.025 0.05 0.1 0.2 0.4 0.6 0.8 1 1.25 1.5 2 3 4 5 6 8 10 15 20 30 45 60 +Inf",
  );
});

void test("events sent to watchers are counted by resource", async () => {
  const name = 'apiserver_watch_events_total{group="",resource="configmaps",version="v1"}';
  const path = "/api/v1/namespaces/kube-public/configmaps";
  const watching = await subject.open("GET", `${path}?watch=true&resourceVersion=0`);
  let heard = "";
  watching.on("data", (chunk) => (heard += String(chunk)));
  const grown = await growth([name], async () => {
    await subject.ask("POST", path, { metadata: { name: "watched" } });
    await until("the watcher hears of it", () => heard.includes('"watched"'));
  });
  watching.destroy();
  assert.ok(grown[0]! >= 1, String(grown));
});
