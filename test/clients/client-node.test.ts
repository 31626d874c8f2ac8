import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { CoreV1Api, KubeConfig, Watch, type V1Service } from "@kubernetes/client-node";
import { kubectlHome } from "../lab/kubectl-runner.ts";
import { until } from "../lab/until.ts";
import { byName, makeChanges, startRestartingServer, type Heard } from "./changes.ts";

const CHANGES = 10_000;
const WORDS: Readonly<Record<string, Heard["type"]>> = { ADDED: "ADD", MODIFIED: "UPDATE", DELETED: "DELETE" };

void test(`@kubernetes/client-node lists, watches and resumes: each of ${CHANGES} changes once, over two restarts`, async () => {
  const server = await startRestartingServer();
  const home = kubectlHome({ ...server, pair: server.admin });
  const config = new KubeConfig();
  config.loadFromFile(join(home.folder, "kubeconfig"));
  const heard: Heard[] = [];
  const ends: unknown[] = [];
  const over = new AbortController();
  let stop: AbortController | undefined;
  const list = await config.makeApiClient(CoreV1Api).listNamespacedService({ namespace: "default" });
  let last = list.metadata?.resourceVersion ?? "";
  /** Watches from the version seen last, again and again: what every client of the API does. */
  const follow = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await new Promise<void>((resolve) => {
        const take = (type: string, object: V1Service): void => {
          const { name = "", resourceVersion = "", annotations } = object.metadata ?? {};
          assert.ok(type in WORDS, `${type}: ${JSON.stringify(object)}`);
          assert.ok(
            Number(resourceVersion) > Number(last),
            `told twice, or backwards: ${type} ${name} ${resourceVersion}`,
          );
          last = resourceVersion;
          heard.push({ type: WORDS[type]!, name, count: annotations?.["count"] ?? "" });
        };
        new Watch(config)
          .watch("/api/v1/namespaces/default/services", { resourceVersion: last }, take, (error) => {
            ends.push(error);
            resolve();
          })
          .then(
            (controller) => (stop = controller),
            (error: unknown) => {
              ends.push(error);
              // The server is away: asked again soon.
              setTimeout(resolve, 20);
            },
          );
      });
    }
  };
  const following = follow();
  try {
    const made = await makeChanges(server, "default", CHANGES, 2);
    const total = [...made.values()].flat().length;
    await until(`${total} events`, () => heard.length >= total, { seconds: 90 });
    assert.deepEqual(Object.fromEntries(byName(heard)), Object.fromEntries(made));
    assert.ok(ends.length >= 2, "the watch was cut by each restart");
  } finally {
    over.abort();
    stop?.abort();
    await server.close();
    await following;
    home.remove();
  }
});
