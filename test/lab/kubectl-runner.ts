import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Who kubectl speaks as (by a certificate or a token), and to which server. */
export interface KubectlAccess {
  readonly port: number;
  readonly ca: string;
  readonly pair?: { readonly cert: string; readonly key: string };
  readonly token?: string;
}

export interface Ran {
  readonly code: number;
  /** What it printed, errors included. */
  readonly text: string;
}

export interface KubectlRunner {
  /** Runs kubectl to its end, whatever that is. */
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** As `run`, and fails when kubectl does; answers what it printed. */
  works(args: readonly string[], options?: RunOptions): Promise<string>;
  /** As `run`, and fails when kubectl does not. */
  fails(args: readonly string[], options?: RunOptions): Promise<string>;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A home of its own for kubectl, with a kubeconfig. */
export function kubectlHome({ port, ca, pair, token }: KubectlAccess): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-kubectl-"));
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [
      { name: "test", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority-data": base64(ca) } },
    ],
    users: [
      {
        name: "test",
        user: {
          ...(pair === undefined
            ? {}
            : { "client-certificate-data": base64(pair.cert), "client-key-data": base64(pair.key) }),
          ...(token === undefined ? {} : { token }),
        },
      },
    ],
  };
  writeFileSync(join(folder, "kubeconfig"), JSON.stringify(config), { mode: 0o600 });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs the kubectl at `path` from that home, in a namespace. */
export function kubectlRunner(path: string, home: string, namespace: string): KubectlRunner {
  const run = (args: readonly string[], { input, env }: RunOptions = {}): Promise<Ran> =>
    new Promise((resolve) => {
      const child = execFile(
        path,
        ["--namespace", namespace, ...args],
        {
          env: { ...process.env, KUBECONFIG: join(home, "kubeconfig"), HOME: home, ...env },
          timeout: 60_000,
          maxBuffer: 64 * 1024 * 1024,
        },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
          resolve({ code, text: stdout + stderr });
        },
      );
      child.stdin?.on("error", () => {});
      child.stdin?.end(input);
    });
  return {
    run,
    async works(args, options) {
      const { code, text } = await run(args, options);
      assert.equal(code, 0, `kubectl ${args.join(" ")}: ${text}`);
      return text;
    },
    async fails(args, options) {
      const { code, text } = await run(args, options);
      assert.notEqual(code, 0, `kubectl ${args.join(" ")} should have failed: ${text}`);
      return text;
    },
  };
}
