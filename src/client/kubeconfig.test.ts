import assert from "node:assert/strict";
import { test } from "node:test";
import { readKubeconfig } from "./kubeconfig.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const missing = (path: string): Error => Object.assign(new Error(`${path}: no such file`), { code: "ENOENT" });

const read = (
  files: Record<string, string>,
  options: { path?: string; context?: string; environment?: Record<string, string> } = { path: "/c/config" },
) =>
  readKubeconfig({
    environment: {},
    ...options,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw missing(path);
      return text;
    },
  });

const CONFIG = `
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c
  cluster: { server: "https://10.0.0.1:6443", certificate-authority-data: ${base64("CA")}, tls-server-name: api }
contexts:
- name: one
  context: { cluster: c, user: u, namespace: web }
- name: two
  context: { cluster: c, user: files }
- name: three
  context: { cluster: c, user: plugin }
users:
- name: u
  user: { client-certificate-data: ${base64("CERT")}, client-key-data: ${base64("KEY")} }
- name: files
  user: { client-certificate: cert.pem, client-key: /k/key.pem, tokenFile: token, token: stale }
- name: plugin
  user: { exec: { command: aws } }
`;

test("reads server, authority, certificate and namespace of the current context", () => {
  assert.deepEqual(read({ "/c/config": CONFIG }), {
    connection: { server: "https://10.0.0.1:6443", ca: "CA", cert: "CERT", key: "KEY", serverName: "api" },
    namespace: "web",
    source: "/c/config",
  });
});

test("files are found beside the kubeconfig, and a token file is read anew each time", () => {
  const files: Record<string, string> = {
    "/c/config": CONFIG,
    "/c/cert.pem": "C2",
    "/k/key.pem": "K2",
    "/c/token": "first\n",
  };
  const { connection, namespace } = read(files, { path: "/c/config", context: "two" });
  assert.deepEqual([connection.cert, connection.key, namespace], ["C2", "K2", "default"]);
  assert.ok(typeof connection.token === "function");
  assert.equal(connection.token(), "first");
  files["/c/token"] = "second\n";
  assert.equal(connection.token(), "second");
});

test("KUBECONFIG lists files: missing ones are passed over, and the first to say a thing wins", () => {
  const other =
    'current-context: two\nusers: [{name: u, user: {token: mine}}]\nclusters: [{name: c, cluster: {server: "https://x"}}]';
  const { connection, source } = read(
    { "/c/config": CONFIG, "/o": other },
    { context: "one", environment: { KUBECONFIG: "/none:/o:/c/config" } },
  );
  assert.deepEqual(connection, { server: "https://x", token: "mine" });
  assert.equal(source, "/o:/c/config");
});

test("without KUBECONFIG the file in the home directory is read", () => {
  assert.equal(read({ "/h/.kube/config": CONFIG }, { environment: { HOME: "/h" } }).source, "/h/.kube/config");
});

test("in a pod the service account's files are used", () => {
  const folder = "/var/run/secrets/kubernetes.io/serviceaccount";
  const { connection, namespace } = read(
    { [`${folder}/ca.crt`]: "CA", [`${folder}/token`]: "T\n", [`${folder}/namespace`]: "kube-system" },
    { environment: { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443", HOME: "/h" } },
  );
  assert.equal(connection.server, "https://[fd00::1]:443");
  assert.ok(typeof connection.token === "function");
  assert.deepEqual([connection.token(), connection.ca, namespace], ["T", "CA", "kube-system"]);
});

for (const [why, options, files, sentence] of [
  ["a file that a flag names does not exist", { path: "/x" }, {}, /\/x: no such file/],
  ["there is no file at all", { environment: { HOME: "/h" } }, {}, /\/h\/\.kube\/config does not exist.*--kubeconfig/],
  [
    "an exec plugin",
    { path: "/c", context: "three" },
    { "/c": CONFIG },
    /user plugin uses exec, which is not supported/,
  ],
  [
    "an unknown context",
    { path: "/c", context: "four" },
    { "/c": CONFIG },
    /no context "four"; it has: one, two, three/,
  ],
  ["no YAML", { path: "/c" }, { "/c": "a: [" }, /\/c is no YAML/],
  ["no current context", { path: "/c" }, { "/c": "kind: Config" }, /has no current-context/],
] as const) {
  test(`refuses with a sentence: ${why}`, () => {
    assert.throws(() => read(files, options), sentence);
  });
}
