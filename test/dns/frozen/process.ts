import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Client } from "../../../src/client/client.ts";
import { createClient } from "../../../src/client/connect.ts";
import type { Connection } from "../../../src/client/connection.ts";
import { createAuthority, type Pair } from "../../apiserver/certificates.ts";

/** An API server that is a process of its own, over a store in a file. Ends with the test. */
export interface ServerProcess {
  readonly port: number;
  readonly ca: string;
  readonly server: Pair;
  readonly admin: Pair;
  /** Of someone who notices sooner than usual that the server stands still. */
  client(options?: Partial<Connection>): Client;
  /** SIGSTOP: it stands still, and so do its connections. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL, and another one at the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

const PROGRAM = join(import.meta.dirname, "server.ts");

export async function serverProcess(t: TestContext): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), "fl-frozen-"));
  const authority = await createAuthority();
  const [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  await writeFile(join(folder, "ca.crt"), authority.cert);
  await writeFile(join(folder, "server.crt"), server.cert);
  await writeFile(join(folder, "server.key"), server.key, { mode: 0o600 });
  let port = 0;
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const begun = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", PROGRAM, folder, `${port}`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child = begun;
    const [said] = (await Promise.race([
      once(begun.stdout, "data"),
      once(begun, "exit").then(() => [Buffer.from("it ended")]),
    ])) as [Buffer];
    const match = /^ready (\d+)/.exec(said.toString());
    if (match === null) throw new Error(`starting an API server: ${said.toString()}`);
    port = Number(match[1]);
  };
  const kill = async (): Promise<void> => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, "exit");
    ending.kill("SIGKILL");
    await ended;
  };
  const clients: Client[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await kill();
    await rm(folder, { recursive: true, force: true });
  });
  await start();
  return {
    get port() {
      return port;
    },
    ca: authority.cert,
    server,
    admin,
    client(options = {}) {
      const client = createClient({
        server: `https://127.0.0.1:${port}`,
        ca: authority.cert,
        ...admin,
        silence: 1000,
        signDeadline: 750,
        ...options,
      });
      clients.push(client);
      return client;
    },
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    kill,
    start,
  };
}
