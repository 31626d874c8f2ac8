import { spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pair } from "../apiserver/certificates.ts";
import { until } from "../lab/until.ts";
import type { Endpoint, SubjectOptions } from "./subject.ts";

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

function run(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  if (process.env["SUBJECT_LOG"] !== undefined) child.stderr?.pipe(process.stderr);
  else child.stderr?.resume();
  return child;
}

const ended = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGKILL");
      });

/**
 * The real kube-apiserver (`KUBE_APISERVER`) over a real etcd (`ETCD`, else the one in PATH), and kube-controller-manager
 * (`KUBE_CONTROLLER_MANAGER`) where controllers are asked for. Everything on loopback, in a folder that goes with it.
 */
export async function startKubernetes(
  given: SubjectOptions & {
    readonly ca: string;
    readonly server: Pair;
    readonly admin: Pair;
    /** More flags of kube-controller-manager. */
    readonly managerFlags?: readonly string[];
  },
): Promise<Endpoint & { readonly pid: number; readonly managerPid: number | undefined }> {
  const binary = process.env["KUBE_APISERVER"];
  if (binary === undefined) throw new Error("SUBJECT=kubernetes: KUBE_APISERVER should name a kube-apiserver");
  const folder = mkdtempSync(join(tmpdir(), "fairlead-kubernetes-"));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const [clientPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${clientPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(children.map(ended));
    rmSync(folder, { recursive: true, force: true });
  };
  children.push(
    run(process.env["ETCD"] ?? "etcd", [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
    ]),
  );
  const signer = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  // The address of the API server must be of the primary family.
  const isIPv6 = given.serviceRanges?.[0]?.includes(":") === true;
  const range = given.nodePortRange ?? { first: 30000, last: 32767 };
  const flags: Record<string, string> = {
    "etcd-servers": etcdUrl,
    "bind-address": "127.0.0.1",
    "advertise-address": isIPv6 ? "fd00:244::1" : "10.244.0.1",
    "secure-port": String(port),
    "service-cluster-ip-range": (given.serviceRanges ?? ["10.96.0.0/16", "fd00:10:96::/112"]).join(","),
    "service-node-port-range": `${range.first}-${range.last}`,
    "client-ca-file": file("ca.crt", given.ca),
    "tls-cert-file": file("server.crt", given.server.cert),
    "tls-private-key-file": file("server.key", given.server.key),
    "service-account-key-file": file("sa.pub", signer.publicKey),
    "service-account-signing-key-file": file("sa.key", signer.privateKey),
    "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": `NodeRestriction${given.denyExternalIPs === true ? ",DenyServiceExternalIPs" : ""}`,
    ...(given.serviceAccounts === true ? {} : { "disable-admission-plugins": "ServiceAccount" }),
    "endpoint-reconciler-type": "lease",
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const server = run(binary, args);
  children.push(server);
  const isReady = (): Promise<boolean> =>
    new Promise((resolve) => {
      const asked = request(
        { host: "127.0.0.1", port, path: "/readyz", ca: given.ca, ...given.admin, agent: false },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode === 200);
        },
      );
      asked.on("error", () => resolve(false));
      asked.end();
    });
  await until("kube-apiserver to be ready", isReady, { seconds: 120, every: 200 }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const manager = process.env["KUBE_CONTROLLER_MANAGER"];
  let managerPid: number | undefined;
  if (given.controllers === true && manager !== undefined) {
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    const kubeconfig = file(
      "kubeconfig",
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": "t",
        contexts: [{ name: "t", context: { cluster: "t", user: "t" } }],
        clusters: [
          {
            name: "t",
            cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority-data": base64(given.ca) },
          },
        ],
        users: [
          {
            name: "t",
            user: {
              "client-certificate-data": base64(given.admin.cert),
              "client-key-data": base64(given.admin.key),
            },
          },
        ],
      }),
    );
    const controllers = run(manager, [
      `--kubeconfig=${kubeconfig}`,
      "--leader-elect=false",
      "--secure-port=0",
      `--root-ca-file=${join(folder, "ca.crt")}`,
      `--service-account-private-key-file=${join(folder, "sa.key")}`,
      ...(given.managerFlags ?? []),
    ]);
    children.push(controllers);
    managerPid = controllers.pid;
  }
  return { port, pid: server.pid!, managerPid, close };
}
