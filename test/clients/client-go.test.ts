import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { goProgram } from "../lab/go-program.ts";
import { kubectlHome } from "../lab/kubectl-runner.ts";
import { until } from "../lab/until.ts";
import { byName, makeChanges, startRestartingServer, type Heard } from "./changes.ts";

const built = goProgram("INFORMER", "informer");
const CHANGES = 10_000;

void test(
  `client-go's informer hears each of ${CHANGES} changes once, over two restarts of the server`,
  { skip: "missing" in built ? built.missing : false },
  async (context) => {
    assert.ok("path" in built);
    const server = await startRestartingServer();
    const home = kubectlHome({ ...server, pair: server.admin });
    const informer = spawn(built.path, [join(home.folder, "kubeconfig"), "default"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    try {
      const heard: Heard[] = [];
      const revisions = new Map<string, number>();
      let isSynced = false;
      let complaints = "";
      informer.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
      createInterface({ input: informer.stdout }).on("line", (line) => {
        const [type = "", name = "", revision = "", count = ""] = line.split(" ");
        if (type === "SYNCED") isSynced = true;
        else if (name !== "kubernetes") {
          assert.ok(type !== "DELETE-UNSEEN", `a deletion was missed: ${line}`);
          assert.ok(Number(revision) > (revisions.get(name) ?? 0), `told twice, or backwards: ${line}`);
          revisions.set(name, Number(revision));
          heard.push({ type: type as Heard["type"], name, count });
        }
      });
      await until("the informer's first list", () => isSynced);
      const made = await makeChanges(server, "default", CHANGES, 2);
      const total = [...made.values()].flat().length;
      await until(`${total} events`, () => heard.length >= total, { seconds: 90 }).catch((error: unknown) => {
        throw new Error(`${heard.length} of ${total} events came; the informer says: ${complaints.slice(-2000)}`, {
          cause: error,
        });
      });
      assert.deepEqual(Object.fromEntries(byName(heard)), Object.fromEntries(made));
      context.diagnostic(`${total} changes`);
    } finally {
      informer.kill();
      await server.close();
      home.remove();
    }
  },
);
