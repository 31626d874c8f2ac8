import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { createCluster, type Cluster } from "./cluster.ts";

/** The kubectls named in `KUBECTLS`, else every versioned one beside those of PATH, else the plain ones. */
function findKubectls(): string[] {
  const named = (process.env["KUBECTLS"] ?? "").split(delimiter).filter((path) => path !== "");
  if (named.length > 0) return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const versioned = folders.flatMap((folder) => globSync(join(folder, "kubectl.1.*")));
  return versioned.length > 0
    ? versioned.sort()
    : folders.map((folder) => join(folder, "kubectl")).filter((path) => existsSync(path));
}

let cluster: Cluster;
let folder: string;
let kubeconfig: string;
before(async () => {
  cluster = await createCluster();
  folder = mkdtempSync(join(tmpdir(), "fairlead-kubectl-"));
  kubeconfig = join(folder, "kubeconfig");
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [
      {
        name: "test",
        cluster: { server: `https://127.0.0.1:${cluster.port}`, "certificate-authority-data": base64(cluster.ca) },
      },
    ],
    users: [
      {
        name: "test",
        user: { "client-certificate-data": base64(cluster.admin.cert), "client-key-data": base64(cluster.admin.key) },
      },
    ],
  };
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
});
after(async () => {
  await cluster.close();
  rmSync(folder, { recursive: true });
});

const kubectls = findKubectls();

for (const kubectl of kubectls) {
  /** Runs kubectl to its end; the answer holds both its outputs. */
  const run = (
    args: readonly string[],
    environment: Record<string, string> = {},
  ): Promise<{ code: number; text: string }> =>
    new Promise((resolve) => {
      const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder, ...environment };
      execFile(kubectl, args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, text: stdout + stderr });
      });
    });
  const works = async (args: readonly string[], environment: Record<string, string> = {}): Promise<string> => {
    const { code, text } = await run(args, environment);
    assert.equal(code, 0, `${args.join(" ")}: ${text}`);
    return text;
  };

  void test(`${kubectl}: apply, get, label, edit, explain, describe, delete`, async (context) => {
    const version = await works(["version", "--client"]);
    context.diagnostic(/v\d+\.\d+\.\d+/.exec(version)?.[0] ?? version);
    const namespace = `n${kubectls.indexOf(kubectl)}`;
    const manifest = (port: number, field = "targetPort"): string => `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: ${namespace}}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, ${field}: 8080}, {name: more, port: ${port}}]
`;
    const apply = (text: string) => {
      const file = join(folder, `${namespace}.yaml`);
      writeFileSync(file, text);
      return ["apply", "-f", file];
    };
    assert.match(await works(apply(manifest(443))), /service\/web created/);
    assert.match(await works(apply(manifest(443))), /service\/web unchanged/);
    assert.match(await works(apply(manifest(444))), /service\/web configured/);
    const refused = await run(apply(manifest(444, "targtPort")));
    assert.notEqual(refused.code, 0);
    assert.match(refused.text, /unknown field "spec.ports\[0\].targtPort"/);

    const wide = await works(["get", "services", "-n", namespace, "-o", "wide"]);
    assert.match(wide, /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE +SELECTOR\n/);
    assert.match(wide, /80\/TCP,444\/TCP/);
    await works(["get", "all,endpointslices", "-A"]);
    await works(["label", "service", "web", "tier=front", "-n", namespace]);
    assert.match(
      await works(["get", "services", "-n", namespace, "-l", "tier in (front)", "-o", "name"]),
      /service\/web/,
    );
    await works(["edit", "service", "web", "-n", namespace], { EDITOR: "sed -i s/8080/8081/" });
    const edited = await works([
      "get",
      "service",
      "web",
      "-n",
      namespace,
      "-o",
      "jsonpath={.spec.ports[0].targetPort}",
    ]);
    assert.equal(edited, "8081");
    assert.match(await works(["explain", "service.spec.ports"]), /ServicePort/);
    assert.match(await works(["describe", "service", "web", "-n", namespace]), /Selector: +app=web/);
    assert.match(await works(["delete", "service", "web", "-n", namespace]), /deleted/);
    assert.match((await run(["get", "service", "web", "-n", namespace])).text, /NotFound/);
  });
}

void test(
  "kubectl is there to be tried",
  { skip: kubectls.length > 0 ? false : "no kubectl in PATH or KUBECTLS" },
  () => {
    assert.ok(kubectls.length > 0);
  },
);
