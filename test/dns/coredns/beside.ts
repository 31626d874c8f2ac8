import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import * as packets from "dns-packet";
import { ROOT } from "../../lab/lab.ts";
import { eventually, overUdp } from "../running.ts";
import { resolver } from "../resolver.ts";
import { startCoreDns } from "./coredns.ts";
import { worldReply } from "./world.ts";

/** Where a server listens, and whom it asks; all on loopback. */
export interface Ground {
  readonly port: number;
  readonly metrics: number;
  /** The resolver for everything, as `ADDRESS:PORT`, and the one of a stub domain: they answer alike. */
  readonly world: string;
  readonly stub: string;
  /** A directory of its own. */
  readonly folder: string;
}

/** A server that was started with a Corefile. */
export interface Side {
  readonly port: number;
  readonly metrics: number;
  /** What the resolvers behind it were asked, in lower case: `NAME TYPE`, with `stub ` or `world ` before. */
  readonly asked: readonly string[];
  readonly said: () => string;
}

export interface Beside {
  readonly ours: Side;
  /** Undefined where COREDNS names no binary. */
  readonly theirs: Side | undefined;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function groundOf(t: TestContext): Promise<Ground & { readonly asked: string[] }> {
  const asked: string[] = [];
  const counting = async (which: string): Promise<string> => {
    const { address } = await resolver(t, (query, transport) => {
      const [question] = query.questions!;
      const name = question!.name.toLowerCase();
      // Health checks ask for the root, and only when something went wrong.
      if (name !== "" && name !== ".") asked.push(`${which} ${name} ${question!.type}`);
      return worldReply(query, transport);
    });
    return address;
  };
  const folder = await mkdtemp(join(tmpdir(), "fl-beside-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [world, stub] = [await counting("world"), await counting("stub")];
  return { port: await freePort(), metrics: await freePort(), world, stub, folder, asked };
}

/** The command line, as it is. */
async function startOurs(t: TestContext, file: string): Promise<() => string> {
  const child: ChildProcess = spawn(join(ROOT, "bin/fairlead"), ["dns", "--corefile", file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr!.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, "exit");
  t.after(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  return () => said;
}

/** Starts `fairlead dns` and CoreDNS with one and the same Corefile, but for ports; both answer when it resolves, and end with the test. */
export async function beside(
  t: TestContext,
  corefile: (ground: Ground) => string | Promise<string>,
  binary: string | undefined = process.env["COREDNS"],
): Promise<Beside> {
  const probe = packets.encode({ type: "query", id: 1, questions: [{ name: "probe.test", type: "A" }] });
  const answering = async (side: Side): Promise<Side> => {
    await eventually(`an answer of the server at port ${side.port}`, () => overUdp(side.port, probe, 200)).catch(
      (cause: unknown) => {
        throw new Error(side.said(), { cause });
      },
    );
    return side;
  };
  const ourGround = await groundOf(t);
  const file = join(ourGround.folder, "Corefile");
  await writeFile(file, await corefile(ourGround));
  const ours = await answering({ ...ourGround, said: await startOurs(t, file) });
  if (binary === undefined) return { ours, theirs: undefined };
  const ground = await groundOf(t);
  const coreDns = await startCoreDns(binary, await corefile(ground), ground.folder);
  t.after(() => coreDns.close());
  return { ours, theirs: await answering({ ...ground, said: coreDns.said }) };
}
