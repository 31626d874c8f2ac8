import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Pair } from "../apiserver/certificates.ts";
import { kubectls } from "../lab/kubectls.ts";
import { until } from "../lab/until.ts";
import { isFairlead, startSubject, type Subject } from "./subject.ts";

/** From this minor version on kubectl writes protobuf, which Fairlead does not read. */
const PROTOBUF = 32;

let subject: Subject;
let folder: string;

function kubeconfig(name: string, pair: Pair): void {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const cluster = { server: `https://127.0.0.1:${subject.port}`, "certificate-authority-data": base64(subject.ca) };
  const user = { "client-certificate-data": base64(pair.cert), "client-key-data": base64(pair.key) };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "t",
    contexts: [{ name: "t", context: { cluster: "t", user: "t" } }],
    clusters: [{ name: "t", cluster }],
    users: [{ name: "t", user }],
  };
  writeFileSync(join(folder, name), JSON.stringify(config), { mode: 0o600 });
}

before(async () => {
  subject = await startSubject();
  folder = mkdtempSync(join(tmpdir(), "fairlead-kubectl-auth-"));
  kubeconfig("admin", subject.admin);
  kubeconfig("jane", await subject.client("O=team, CN=jane"));
});
after(async () => {
  await subject.close();
  rmSync(folder, { recursive: true, force: true });
});

const usable = kubectls().filter(({ minor }) => !isFairlead || minor < PROTOBUF);
for (const kubectl of usable.filter((_, index) => index === 0 || index >= usable.length - 2)) {
  const { path, version } = kubectl;
  const run = (as: string, ...args: string[]): Promise<{ code: number; out: string }> =>
    new Promise((resolve) => {
      const env = { PATH: process.env["PATH"], HOME: folder, KUBECONFIG: join(folder, as) };
      execFile(path, args, { env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), out: `${stdout}${stderr}` }),
      );
    });
  const did = async (...args: string[]): Promise<string> => {
    const { code, out } = await run("admin", ...args);
    assert.equal(code, 0, `${args.join(" ")}: ${out}`);
    return out;
  };
  const says = async (as: string, answer: "yes" | "no", ...args: string[]): Promise<void> => {
    const { code, out } = await run(as, "auth", "can-i", ...args);
    assert.equal(out.trim().split("\n").at(-1), answer, out);
    assert.equal(code, answer === "yes" ? 0 : 1);
  };
  const namespace = `n${version.replaceAll(/[^0-9]/g, "-")}`;

  void test(`kubectl ${version} makes roles and bindings, and auth can-i tells what they allow`, async () => {
    await did("create", "namespace", namespace);
    await did("create", "role", "reader", "--verb=get,list", "--resource=pods,pods/log", "-n", namespace);
    await did("create", "rolebinding", "readers", "--role=reader", "--group=team", "-n", namespace);
    const can = (answer: "yes" | "no", ...args: string[]): Promise<void> =>
      says("jane", answer, ...args, "-n", namespace);
    await until(
      "the binding to count",
      async () => (await run("jane", "auth", "can-i", "get", "pods", "-n", namespace)).code === 0,
    );
    await can("yes", "get", "pods");
    await can("yes", "get", "pods", "--subresource=log");
    await can("yes", "get", "/api");
    await can("no", "delete", "pods");
    await can("no", "get", "/metrics");
    await says("jane", "no", "get", "pods", "-n", "default");
    await says("jane", "no", "list", "pods", "--all-namespaces");
    await says("admin", "yes", "*", "*", "--all-namespaces");
    const { out } = await run("jane", "auth", "can-i", "--list", "-n", namespace);
    assert.match(out, /^pods\/log\s+\[\]\s+\[\]\s+\[get list\]$/m);
    assert.match(out, /^selfsubjectaccessreviews\.authorization\.k8s\.io\s+\[\]\s+\[\]\s+\[create\]$/m);
    assert.match(out, /^\s+\[\/healthz\]\s+\[\]\s+\[get\]$/m);
    const refused = await run("jane", "get", "secrets", "-n", namespace);
    assert.match(
      refused.out,
      /^Error from server \(Forbidden\): secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace/m,
    );
    const wide = await did("get", "rolebindings", "-o", "wide", "-n", namespace);
    assert.match(wide, /^NAME\s+ROLE\s+AGE\s+USERS\s+GROUPS\s+SERVICEACCOUNTS$/m);
    assert.match(wide, /^readers\s+Role\/reader\s+\d+\w\s+team\s*$/m);
    assert.match(await did("get", "roles", "-n", namespace), /^NAME\s+CREATED AT$/m);
    assert.match(await did("describe", "clusterrole", "cluster-admin"), /\*\.\*\s+\[\]\s+\[\]\s+\[\*\]/);
  });

  void test(`kubectl ${version} auth reconcile makes what is missing and keeps what others added`, async () => {
    const file = join(folder, `${namespace}.yaml`);
    const role = `${namespace}-role`;
    const manifest = (verbs: string): string => `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: ${role} }
rules:
- { apiGroups: [""], resources: [services], verbs: [${verbs}] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: ${role} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${role} }
subjects:
- { apiGroup: rbac.authorization.k8s.io, kind: User, name: jane }
`;
    const verbs = async (): Promise<string[]> => {
      const { body } = await subject.ask("GET", `/apis/rbac.authorization.k8s.io/v1/clusterroles/${role}`);
      return body.rules.flatMap((rule: { verbs: string[] }) => rule.verbs).sort();
    };
    writeFileSync(file, manifest("get"));
    const made = await did("auth", "reconcile", "-f", file);
    assert.match(made, new RegExp(`clusterrole.rbac.authorization.k8s.io/${role} reconciled`));
    assert.deepEqual(await verbs(), ["get"]);
    writeFileSync(file, manifest("list"));
    await did("auth", "reconcile", "-f", file);
    assert.deepEqual(await verbs(), ["get", "list"]);
    await did("auth", "reconcile", "-f", file, "--remove-extra-permissions");
    assert.deepEqual(await verbs(), ["list"]);
    await did("delete", "-f", file);
  });
}
