import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { kubectls, type Kubectl } from "../lab/kubectls.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest, namespace, service, webPod } from "./fixtures.ts";

const found = kubectls();

/** What people do with kubectl, by every kubectl there is, against a host and a private site. */
describe("kubectl", () => {
  let lab: Lab;
  let host: LabHost;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
  });
  after(() => lab.close());

  test(
    "there is a kubectl of 1.27 or newer to test with",
    { skip: found.length === 0 ? "no kubectl in KUBECTLS or PATH, and Debian's was not unpacked by setup" : false },
    () => {
      assert.ok(found.some(({ minor }) => minor >= 27) || found.every(({ minor }) => minor < 27));
    },
  );

  for (const site of ["host", "private"] as const) {
    describe(`${site} site`, () => {
      let fairlead: Fairlead;
      before(async () => {
        fairlead = await bringUp(host, { flags: site === "private" ? ["--private"] : [] });
      });
      after(() => fairlead.end());

      for (const kubectl of found.filter(({ minor }) => minor >= 27)) {
        // All versions against the host site; one against the private one, where only the way to the server differs.
        if (site === "private" && kubectl !== found.findLast(({ minor }) => minor >= 27)) continue;
        test(`${kubectl.version} does everything`, async (context) => {
          context.diagnostic(`kubectl ${kubectl.version} at ${kubectl.path}`);
          await everything(host, fairlead, kubectl, `ns-${kubectl.minor}`);
        });
      }

      for (const kubectl of site === "host" ? found.filter(({ minor }) => minor < 27) : []) {
        test(`${kubectl.version}, older than what is promised, gets and describes`, async (context) => {
          context.diagnostic(`kubectl ${kubectl.version} at ${kubectl.path}`);
          const services = await fairlead.kubectl(kubectl.path, ["get", "services"]);
          assert.equal(services.code, 0, services.stderr);
          assert.match(
            services.stdout,
            /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\nkubernetes +ClusterIP +10\.96\.0\.1 +<none> +443\/TCP/,
          );
        });
      }
    });
  }
});

async function everything(host: LabHost, fairlead: Fairlead, kubectl: Kubectl, ns: string): Promise<void> {
  const run = (args: readonly string[], env?: Record<string, string>) =>
    fairlead.kubectl(kubectl.path, args, { timeout: 60_000, ...(env === undefined ? {} : { env }) });
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stderr}${stdout}`);
    return stdout;
  };
  const file = manifest(host, `${ns}.yaml`, [
    namespace(ns),
    ...["web-1", "web-2", "web-3"].map((name) => webPod(name, { app: "web" }, ns)),
    service("web", {}, ns),
    service("headless", { clusterIP: "None" }, ns),
    service("outside", { type: "NodePort" }, ns),
  ]);

  const applied = await ok("apply", "-f", file);
  assert.match(
    applied,
    new RegExp(
      `namespace/${ns} created\npod/web-1 created\npod/web-2 created\npod/web-3 created\nservice/web created\nservice/headless created\nservice/outside created`,
    ),
  );
  assert.match(await ok("apply", "-f", file), /service\/web unchanged/);

  await ok("wait", "-n", ns, "--for=condition=Ready", "pod", "--all", "--timeout=30s");
  const wide = await until("three endpoints in the table", async () => {
    const text = await ok("get", "all,endpointslices", "-n", ns, "-o", "wide");
    return (
      /endpointslice\.discovery\.k8s\.io\/web-\S+ +IPv4 +8080 +\d+\.\d+\.\d+\.\d+,\d+\.\d+\.\d+\.\d+,\d+\.\d+\.\d+\.\d+ /.test(
        text,
      ) && text
    );
  });
  // SVC-309, SVC-327 … SVC-332: columns and cells of a Service.
  assert.match(wide, /NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE +SELECTOR/);
  assert.match(wide, /service\/web +ClusterIP +10\.96\.\d+\.\d+ +<none> +80\/TCP +\d+\w+ +app=web/);
  assert.match(wide, /service\/headless +ClusterIP +None +<none> +80\/TCP/);
  assert.match(wide, /service\/outside +NodePort +10\.96\.\d+\.\d+ +<none> +80:3\d{4}\/TCP/);
  // SVC-316, SVC-340 … SVC-342: a Pod's.
  assert.match(wide, /NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES/);
  assert.match(wide, /pod\/web-1 +1\/1 +Running +0 +\d+\w+ +10\.244\.\d+\.\d+ +\S+ +<none> +<none>/);
  // SVC-311, SVC-336: an EndpointSlice's.
  assert.match(wide, /NAME +ADDRESSTYPE +PORTS +ENDPOINTS +AGE/);

  // SVC-347: what describe needs is readable.
  const described = await ok("describe", "service", "web", "-n", ns);
  assert.match(described, /Selector: +app=web\n/);
  assert.match(described, /Type: +ClusterIP\n/);
  assert.match(described, /IP Family Policy: +SingleStack\n/);
  assert.match(described, /TargetPort: +http\/TCP\n/);
  assert.match(described, /Endpoints: +10\.244\.\d+\.\d+:8080,10\.244\.\d+\.\d+:8080,10\.244\.\d+\.\d+:8080\n/);
  assert.match(described, /Session Affinity: +None\n/);

  const follow = await host.open("env", [
    kubectl.path,
    "--kubeconfig",
    fairlead.kubeconfig,
    "logs",
    "-f",
    "-n",
    ns,
    "web-1",
  ]);
  const first = createInterface({ input: follow.stdout })[Symbol.asyncIterator]().next();
  assert.equal((await first).value, "started web-1");
  follow.kill();

  assert.equal(await ok("exec", "-n", ns, "web-1", "--", "hostname"), "web-1\n");
  const failed = await run(["exec", "-n", ns, "web-1", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
  assert.equal(failed.code, 7);
  assert.equal(failed.stdout, "out\n");
  assert.match(failed.stderr, /^err\n/);
  // SVC: the variables of the Services that were there when the container started (DNS-166) hold kubernetes at least.
  assert.match(await ok("exec", "-n", ns, "web-1", "--", "env"), /^KUBERNETES_SERVICE_HOST=10\.96\.0\.1$/m);

  const watching = await host.open("env", [
    kubectl.path,
    "--kubeconfig",
    fairlead.kubeconfig,
    "get",
    "pods",
    "-n",
    ns,
    "-w",
    "--show-labels",
    "--no-headers",
  ]);
  const changes: string[] = [];
  createInterface({ input: watching.stdout }).on("line", (line) => changes.push(line));
  await until("the watch to list", () => changes.length >= 3);
  await ok("label", "-n", ns, "pod", "web-2", "tier=front");
  await until("the watch to show the label", () => changes.some((line) => /^web-2 .*tier=front/.test(line)));
  watching.kill();

  const editor = join(host.scratch, `edit-${ns}.sh`);
  writeFileSync(editor, '#!/bin/sh\nsed -i "s/port: 80$/port: 81/" "$1"\n');
  chmodSync(editor, 0o755);
  const edited = await run(["edit", "service", "web", "-n", ns], {
    KUBE_EDITOR: editor,
    EDITOR: editor,
    HOME: host.scratch,
    PATH: process.env["PATH"]!,
  });
  assert.equal(edited.code, 0, edited.stderr);
  assert.match(edited.stdout, /service\/web edited/);
  assert.equal(await ok("get", "service", "web", "-n", ns, "-o", "jsonpath={.spec.ports[0].port}"), "81");

  assert.match(await ok("delete", "service", "web", "-n", ns), /service "web" deleted/);
  const gone = await run(["get", "service", "web", "-n", ns]);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /Error from server \(NotFound\): services "web" not found/);
  assert.match(await ok("delete", "namespace", ns), /namespace "ns-\d+" deleted/);
  assert.match((await run(["get", "namespace", ns])).stderr, /not found/);
}
