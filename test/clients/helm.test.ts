import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { goProgram } from "../lab/go-program.ts";
import { kubectlHome } from "../lab/kubectl-runner.ts";
import { startSubject, type Subject } from "../conformance/subject.ts";

const chart = join(import.meta.dirname, "chart");
const built = goProgram("HELM", "helm");
const skip = "missing" in built ? built.missing : false;

let subject: Subject;
let home: ReturnType<typeof kubectlHome>;
before(async () => {
  subject = await startSubject({ controllers: true });
  home = kubectlHome({ port: subject.port, ca: subject.ca, pair: subject.admin });
});
after(async () => {
  await subject.close();
  home.remove();
});

const helm = (...args: string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      KUBECONFIG: join(home.folder, "kubeconfig"),
      HOME: home.folder,
      HELM_CACHE_HOME: join(home.folder, "cache"),
      HELM_CONFIG_HOME: join(home.folder, "config"),
      HELM_DATA_HOME: join(home.folder, "data"),
    };
    execFile("path" in built ? built.path : "helm", args, { env, timeout: 120_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`helm ${args.join(" ")}: ${stdout}${stderr}`, { cause: error }));
    });
  });
const get = async (path: string) => (await subject.ask("GET", path)).body;
const SERVICE = "/api/v1/namespaces/shop/services/web";

void test("Helm installs a chart with a Service and an Ingress", { skip }, async () => {
  const said = await helm(
    "install",
    "web",
    chart,
    "--namespace",
    "shop",
    "--create-namespace",
    "--wait",
    "--timeout",
    "60s",
  );
  assert.match(said, /STATUS: deployed/);
  const service = await get(SERVICE);
  assert.equal(service.spec.ports[0].targetPort, "http");
  assert.equal(service.metadata.annotations["meta.helm.sh/release-name"], "web");
  const ingress = await get("/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web");
  assert.equal(ingress.spec.rules[0].host, "web.example.com");
  assert.equal((await get("/api/v1/namespaces/shop/configmaps/web-page")).data.upgraded, "no");
});

void test("Helm upgrades it in place: the address stays, what changed changes", { skip }, async () => {
  const { clusterIP } = (await get(SERVICE)).spec;
  const said = await helm("upgrade", "web", chart, "--namespace", "shop", "--set", "type=NodePort,port=81", "--wait");
  assert.match(said, /REVISION: 2/);
  const { spec } = await get(SERVICE);
  assert.equal(spec.clusterIP, clusterIP);
  assert.equal(spec.type, "NodePort");
  assert.equal(spec.ports.length, 1);
  assert.equal(spec.ports[0].port, 81);
  assert.equal(
    (await get("/api/v1/namespaces/shop/configmaps/web-page")).data.upgraded,
    "yes",
    "templates can look up",
  );
});

void test("Helm rolls back, tells its history and its values, and uninstalls", { skip }, async () => {
  await helm("rollback", "web", "1", "--namespace", "shop", "--wait");
  assert.equal((await get(SERVICE)).spec.type, "ClusterIP");
  const history = JSON.parse(await helm("history", "web", "--namespace", "shop", "-o", "json")) as { status: string }[];
  assert.deepEqual(
    history.map(({ status }) => status),
    ["superseded", "superseded", "deployed"],
  );
  assert.match(await helm("get", "manifest", "web", "--namespace", "shop"), /kind: Ingress/);
  assert.match(await helm("list", "--all-namespaces"), /web/);
  await helm("uninstall", "web", "--namespace", "shop", "--wait");
  assert.equal((await subject.ask("GET", SERVICE)).code, 404);
});
