import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubeconfig } from "../../../src/apiserver/pki/kubeconfig.ts";
import type { Running } from "../../../src/host/host.ts";
import { systemHost } from "../../../src/host/processes.ts";
import { makeTerminal, runOnTerminal, type TerminalProgram } from "../../../src/host/terminal.ts";
import { kubectls } from "../../lab/kubectls.ts";
import type { ClusterScene } from "./scene.ts";

/** A kubectl and the protocol that it is made to speak. */
export interface Way {
  readonly path: string;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** What it asks to upgrade to for exec and attach, and for port-forward. */
  readonly upgrade: string;
  readonly forward: string;
}

const FORCED = ["KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "KUBECTL_PORT_FORWARD_WEBSOCKETS"];
const all = (value: string): Record<string, string> => Object.fromEntries(FORCED.map((name) => [name, value]));
const WEB_SOCKETS = { upgrade: "websocket", forward: "websocket" };
const SPDY = { upgrade: "SPDY/3.1", forward: "SPDY/3.1" };

/** Every kubectl there is, in every way that it knows. */
export const ways: readonly Way[] = kubectls().flatMap(({ path, version, minor }) => {
  if (minor < 29) return [{ path, name: version, env: {}, ...SPDY }];
  const byDefault = { ...(minor < 30 ? SPDY : WEB_SOCKETS), ...(minor < 31 ? { forward: "SPDY/3.1" } : {}) };
  const otherwise =
    minor < 30
      ? { name: `${version} with WebSockets`, env: all("true"), ...SPDY, upgrade: "websocket" }
      : { name: `${version} with SPDY`, env: all("false"), ...SPDY };
  return [
    { path, name: version, env: {}, ...byDefault },
    { path, ...otherwise },
  ];
});

/** The oldest and the newest kubectl that is promised to work: 1.20 with SPDY, 1.32 with both. */
export const promised = ways.filter(({ name }) => /^v1\.(20|32)\./.test(name));

/** kubectl with a kubeconfig for the scene's API server. */
export interface KubectlPlace {
  start(way: Way, args: readonly string[]): Promise<Running>;
  /** On a terminal of its own, as a person would have it. */
  onTerminal(
    way: Way,
    args: readonly string[],
    size?: readonly [columns: number, rows: number],
  ): Promise<TerminalProgram>;
  remove(): void;
}

export function kubectlPlace({ cluster: { port, ca, admin } }: Pick<ClusterScene, "cluster">): KubectlPlace {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-stream-"));
  const text = kubeconfig({ server: `https://127.0.0.1:${port}`, ca, cert: admin.cert, key: admin.key });
  writeFileSync(join(folder, "kubeconfig"), text, { mode: 0o600 });
  const env = { HOME: folder, KUBECONFIG: join(folder, "kubeconfig") };
  return {
    start: (way, args) => systemHost().open(way.path, args, { env: { ...way.env, ...env } }),
    onTerminal: async (way, args, size = [80, 24]) => {
      const terminal = makeTerminal("/dev/ptmx", { user: -1, group: -1 });
      const program = await runOnTerminal("setsid", ["--ctty", way.path, ...args], terminal, {
        env: { PATH: process.env["PATH"] ?? "", TERM: "xterm", ...way.env, ...env },
        inputs: [],
      });
      program.resize(...size);
      return program;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
