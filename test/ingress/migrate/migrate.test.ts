import { deepEqual, equal, match } from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import type { MigrationReport } from "../../../src/ingress/migrate/report.ts";
import { ROOT } from "../../lab/lab.ts";

const MANIFESTS = join(import.meta.dirname, "manifests");
/** Where published manifests may lie beside a checkout, unchanged. */
const PUBLISHED = ["../shared/manifests", "../../shared/manifests"].map((path) => join(ROOT, path)).find(existsSync);

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** `fairlead ingress --migrate …` as a person runs it. */
function run(args: readonly string[], input = ""): Promise<Ran> {
  return new Promise((resolve) => {
    const main = join(ROOT, "src/cli/main.ts");
    const child = execFile(process.execPath, [main, "ingress", "--migrate", ...args], (error, out, said) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, error: said });
    });
    child.stdin?.end(input);
  });
}

type Report = MigrationReport & { readonly unread: readonly { file: string; line: number; why: string }[] };

async function reportOf(...files: readonly string[]): Promise<Report & { readonly code: number }> {
  const { code, out } = await run(["-o", "json", ...files.flatMap((file) => ["-f", file])]);
  return { code, ...(JSON.parse(out) as Report) };
}

/** An object and what of it is not plainly the same, in a few words each. */
const told = ({ objects }: MigrationReport): string[] =>
  objects.map(({ name, outcome, refused, findings }) => {
    const tail = findings
      .filter((finding) => finding.outcome !== "same")
      .map((finding) => {
        const field = finding.field
          .replace(/^metadata\.annotations\[(?:nginx\.ingress\.kubernetes\.io\/)?(.*)\]$/, "$1")
          .replace(/^spec\.rules\[0\]\.http\.paths\[0\]\./, "");
        return `${field} ${finding.outcome}`;
      });
    return [`${name}: ${outcome}${refused === undefined ? "" : ", 503"}`, ...tail].join("; ");
  });

/** Manifests as people have them, and what is told of each. */
const CORPUS: Readonly<Record<string, readonly string[]>> = {
  "allow-list.yaml": ["default/office: same", "default/branch: not, 503; whitelist-source-range not"],
  "argo-cd.yaml": ["argocd/argocd-passthrough: not, 503; ssl-passthrough not", "argocd/argocd-grpc: same"],
  "basic-auth.yaml": [
    "monitoring/prometheus: same",
    "monitoring/alertmanager: same",
    "monitoring/thanos: not, 503; auth-secret not",
  ],
  "canary.yaml": ["default/shop: same", "default/shop-next: same"],
  "chat.yaml": [
    "default/chat: differently; proxy-read-timeout differently; proxy-send-timeout differently; upstream-hash-by differently",
  ],
  "client-certificates.yaml": [
    "default/open: same",
    "default/partners: not, 503; auth-tls-secret not; auth-tls-verify-client not; auth-tls-verify-depth not; auth-tls-pass-certificate-to-upstream not",
  ],
  "controller.yaml": [
    "ingress-nginx/ingress-nginx-controller: not; data[use-forwarded-headers] differently; data[proxy-body-size] differently; data[whitelist-source-range] not",
    "default/internal: same",
    "default/cloud: same",
    "default/legacy: same",
    "default/nobodys: same",
    "default/ours: same",
  ],
  "cors.yaml": ["default/api: same"],
  "dashboard.yaml": [
    "kubernetes-dashboard/dashboard: same",
    "default/vault: not, 503; proxy-ssl-verify not; proxy-ssl-name differently",
  ],
  "error-pages.yaml": ["default/site: differently; custom-headers differently; mirror-target differently"],
  "firewall.yaml": [
    "default/bank: not, 503; enable-modsecurity not; enable-owasp-core-rules not; modsecurity-snippet not",
  ],
  "grpc.yaml": ["default/greeter: same"],
  "keycloak.yaml": ["default/keycloak: same", "default/account: differently; affinity-mode differently"],
  "list.json": ["prod/exported: same"],
  "nextcloud.yaml": [
    "default/nextcloud-headers: not; configuration-snippet not",
    "default/nextcloud-rules: not, 503; server-snippet not",
  ],
  "oauth2-proxy.yaml": ["monitoring/grafana: differently; auth-cache-key differently", "monitoring/oauth2-proxy: same"],
  "php.yaml": ["default/php: not, 503; backend-protocol not; fastcgi-index not"],
  "redirects.yaml": ["default/moved: same", "default/root: differently; server-alias differently"],
  "registry.yaml": ["default/registry: same"],
  "rewrite.yaml": [
    "default/caught: differently; use-regex differently; rewrite-target differently",
    "default/with-sessions: differently; rewrite-target differently; session-cookie-path differently",
    "default/pcre: not; use-regex differently; path not",
    "default/by-letters: differently; path differently",
  ],
  "unserved.yaml": [
    "default/old: not; apiVersion not",
    "default/bucket: not; spec.defaultBackend.resource not",
    "default/slip: not; pathtype not; pathType not",
  ],
  "wordpress.yaml": ["blog/wordpress: same"],
};

void test("manifests as people have them: each Ingress, with what is served otherwise or not", async () => {
  const report = await reportOf(MANIFESTS);
  deepEqual(report.unread, []);
  for (const [file, expected] of Object.entries(CORPUS)) {
    const objects = report.objects.filter((one) => basename(one.file) === file);
    deepEqual(told({ ...report, objects }), expected, file);
    const counts = report.files.find((one) => basename(one.file) === file)!;
    equal(counts.same + counts.differently + counts.not, expected.length, file);
  }
  equal(report.files.length, Object.keys(CORPUS).length);
  equal(report.code, 1);
  // What is not the same is explained, and what is not served says what to do or what is wrong.
  for (const { findings } of report.objects) {
    for (const { outcome, why, field } of findings) equal(outcome === "same" || (why ?? "") !== "", true, field);
  }
});

void test("the exit code is 1 only where something is not served", async () => {
  for (const [file, expected] of Object.entries(CORPUS)) {
    const { code } = await reportOf(join(MANIFESTS, file));
    equal(code, expected.some((line) => / not\b|: not/.test(line)) ? 1 : 0, file);
  }
});

void test("classes that are not ours are told with what to do, once each; those of other controllers are left to them", async () => {
  const { classes, objects } = await reportOf(join(MANIFESTS, "controller.yaml"));
  deepEqual(
    classes.map(({ name, ingresses }) => [name, ingresses]),
    [
      ["nginx-internal", 1],
      ["nginx", 1],
      ["", 1],
    ],
  );
  for (const { name, remedy } of classes) {
    match(remedy, name === "" ? /--watch-ingress-without-class/ : /--controller-class k8s\.io\/ingress-nginx/);
  }
  const cloud = objects.find(({ name }) => name === "default/cloud")!;
  match(cloud.findings[0]?.why ?? "", /another controller, ingress\.k8s\.aws\/alb/);
  const { out } = await run([
    "-f",
    join(MANIFESTS, "controller.yaml"),
    "-o",
    "json",
    "--controller-class=k8s.io/ingress-nginx",
  ]);
  deepEqual(
    (JSON.parse(out) as Report).classes.map(({ name }) => name),
    [""],
  );
});

void test("as text, of standard input: lines that a person can follow to the manifest", async () => {
  const text = readFileSync(join(MANIFESTS, "basic-auth.yaml"), "utf8");
  const { code, out } = await run(["-f", "-"], text);
  equal(code, 1);
  const lines = out.split("\n");
  const at = lines.indexOf("standard input:42: Ingress monitoring/thanos: not, and its requests are answered 503");
  deepEqual(lines.slice(at + 1, at + 4), [
    "  same         nginx.ingress.kubernetes.io/auth-type: basic",
    "  not          nginx.ingress.kubernetes.io/auth-secret: kube-system/users",
    '               Secret kube-system/users is in another namespace than the Ingress; it must be in "monitoring"; requests are answered 503',
  ]);
  match(out, /Secret monitoring\/in-the-cluster is not among these manifests, and must be in the cluster/);
  match(out, /\n {2}3 Ingresses of class nginx: say ingressClassName: fairlead, or /);
  match(out, /\nstandard input: 2 the same, 0 differently, 1 not; 1 other object not looked at\n$/);
});

void test("what is no manifest is told with its line, and a chart's template with what to give instead", async () => {
  const template = "kind: Ingress\nmetadata:\n  name: {{ .Values.name }}\n  {{- with .x }}\n  a: [\n";
  const { code, out } = await run(["-f", "-"], `---\na: 1\n---\n${template}`);
  equal(code, 1);
  match(
    out,
    /^standard input:\d+: this cannot be read as YAML: .*it looks like a chart's template: give what helm template prints$/m,
  );
  const missing = await run(["-f", "/nowhere.yaml"]);
  equal(missing.code, 1);
  match(missing.error, /reading the manifest \/nowhere\.yaml: there is no such file/);
  const nothing = await run(["-f", "-"], "");
  deepEqual([nothing.code, nothing.error], [0, ""]);
});

void test(
  "published manifests without an Ingress are passed over",
  { skip: PUBLISHED === undefined ? "the folder shared/manifests is not beside this checkout" : false },
  async () => {
    const { code, objects, files, unread } = await reportOf(PUBLISHED!);
    deepEqual([code, objects.length, unread.length], [0, 0, 0]);
    equal(
      files.every(({ others }) => others > 0),
      true,
    );
  },
);
