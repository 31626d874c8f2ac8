import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fields } from "../../src/api/generated/fields.ts";
import { kinds } from "../../src/api/kinds.ts";
import { kubectls } from "../lab/kubectls.ts";
import { createCluster, type Cluster } from "./cluster.ts";

let cluster: Cluster;
let folder: string;
before(async () => {
  cluster = await createCluster();
  folder = mkdtempSync(join(tmpdir(), "fairlead-explain-"));
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const server = `https://127.0.0.1:${cluster.port}`;
  const { cert, key } = cluster.admin;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [{ name: "test", cluster: { server, "certificate-authority-data": base64(cluster.ca) } }],
    users: [{ name: "test", user: { "client-certificate-data": base64(cert), "client-key-data": base64(key) } }],
  };
  writeFileSync(join(folder, "kubeconfig"), JSON.stringify(config), { mode: 0o600 });
});
after(async () => {
  await cluster.close();
  rmSync(folder, { recursive: true });
});

/** One of each that asks in a way of its own: protobuf OpenAPI 2 alone, then with 3, aggregated discovery, protobuf bodies. */
const WANTED = [20, 27, 30, 32, 33, 36];
const all = kubectls();
const tried = all.filter(({ minor }, at) => WANTED.includes(minor) || at === all.length - 1);

void test("kubectl is there to be tried", { skip: tried.length > 0 ? false : "no kubectl in PATH or KUBECTLS" }, () => {
  assert.ok(tried.length > 0);
});

for (const { path, version, minor } of tried) {
  const run = (...args: string[]): Promise<{ code: number; text: string }> =>
    new Promise((resolve) => {
      const env = { ...process.env, KUBECONFIG: join(folder, "kubeconfig"), HOME: join(folder, String(minor)) };
      const child = execFile(path, args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : 1, text: stdout + stderr });
      });
      child.stdin?.end();
    });
  const works = async (...args: string[]): Promise<string> => {
    const { code, text } = await run(...args);
    assert.equal(code, 0, `${args.join(" ")}: ${text}`);
    return text;
  };

  void test(`kubectl ${version} explains every kind with all its fields`, async () => {
    const explained = await Promise.all(
      kinds.map(async (kind) => ({ kind, text: await works("explain", kind.plural, "--recursive") })),
    );
    for (const { kind, text } of explained) {
      assert.match(text, /FIELDS:/, kind.plural);
      for (const field of Object.keys(fields[kind.type]!)) {
        assert.match(text, new RegExp(`^ +${field}\\t<`, "m"), `${kind.plural}: ${field}`);
      }
    }
    const service = explained.find(({ kind }) => kind.plural === "services")!.text;
    for (const field of [...Object.keys(fields["ServiceSpec"]!), ...Object.keys(fields["ServicePort"]!)]) {
      assert.match(service, new RegExp(`^ +${field}\\t<`, "m"), field);
    }
    const port = (await works("explain", "service.spec.ports.targetPort")).replaceAll(/\s+/g, " ");
    assert.match(port, /The port on the pods: a number, or the name of a container's port\./);
    if (minor >= 29) assert.match(await works("explain", "service.spec.type"), /ENUM:\n +ClusterIP\n +ExternalName\n/);
  });

  void test(`SVC-348: kubectl ${version} lists kinds with their short names, and finds objects by them`, async () => {
    const rows = (await works("api-resources", "-o", "wide")).split("\n").map((line) => line.split(/ +/));
    const shortNamesOf = (plural: string): string | undefined => rows.find(([name]) => name === plural)?.[1];
    for (const kind of kinds) {
      const shown =
        kind.shortNames.length > 0 ? kind.shortNames.join(",") : `${kind.group === "" ? "" : `${kind.group}/`}v1`;
      // Before 1.21 the group stands there without its version.
      if (kind.shortNames.length > 0 || minor > 20) assert.equal(shortNamesOf(kind.plural), shown, kind.plural);
    }
    assert.match(await works("api-versions"), /^discovery\.k8s\.io\/v1$/m);
    await works("get", "svc,ep,ns,cm", "-A");
  });

  void test(`kubectl ${version} creates, and tells a misspelt field`, async () => {
    const namespace = `create-${minor}`;
    await works("create", "namespace", namespace);
    const into = ["-n", namespace];
    await works("create", "configmap", "c", "--from-literal=a=b", ...into);
    await works("create", "secret", "generic", "s", "--from-literal=a=b", ...into);
    await works("create", "serviceaccount", "robot", ...into);
    await works("create", "service", "nodeport", "web", "--tcp=80:8080", ...into);
    await works("create", "service", "externalname", "out", "--external-name=example.com", ...into);
    const port = await works(
      "get",
      "service",
      "web",
      "-o",
      "jsonpath={.spec.type} {.spec.ports[0].targetPort}",
      ...into,
    );
    assert.equal(port, "NodePort 8080");
    const data = await works("get", "configmap,secret", "-o", "jsonpath={.items[*].data.a}", ...into);
    assert.equal(data, "b Yg==");
    const file = join(folder, `${minor}.json`);
    const spec = { ports: [{ prt: 80, port: 80 }] };
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name: "typo" }, spec }));
    for (const verb of ["create", "apply"]) {
      const { code, text } = await run(verb, "-f", file, ...into);
      assert.notEqual(code, 0);
      assert.match(text, /unknown field "(spec\.ports\[0\]\.)?prt"/, verb);
    }
  });
}
