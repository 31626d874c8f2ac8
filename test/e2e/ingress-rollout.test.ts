import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Deployment } from "../../src/api/generated/types.ts";
import { deployments } from "../../src/api/resources.ts";
import type { IngressEngineName } from "../../src/ingress/engine.ts";
import { times } from "../lab/counts.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { haproxy, WITHOUT_HAPROXY } from "../lab/haproxy.ts";
import { withClient } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { startSteadyLoad, type SteadyLoad } from "../lab/steady-load.ts";
import { until } from "../lab/until.ts";
import { manifest, service } from "./fixtures.ts";
import { smallServer } from "./small-server.ts";
import { held, unfailed } from "./under-load.ts";

const PER_SECOND = 1000;
const ROLLOUTS = times(2, 20);
const RESTARTS = times(1, 10);
/** Seconds that a client waits: nobody is there while Fairlead is started again, and a busy machine takes its time. */
const PATIENCE = 60;
const WEB = { namespace: "default", name: "web" };

const ingress = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "web" },
  spec: {
    rules: [
      {
        host: "web",
        http: {
          paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }],
        },
      },
    ],
  },
};

const ENGINES: readonly { readonly engine: IngressEngineName; readonly skip: string | false }[] = [
  { engine: "builtin", skip: false },
  { engine: "haproxy", skip: haproxy === undefined ? WITHOUT_HAPROXY : false },
];

for (const { engine, skip } of ENGINES) {
  describe(`Ingress of up under load, ${engine}`, { skip }, () => {
    const flags = ["--ingress", engine];
    let lab: Lab;
    let host: LabHost;
    let fairlead: Fairlead;

    const complete = (): Promise<unknown> =>
      until(
        "the Deployment to be complete",
        async () => {
          const { metadata, spec, status } = await withClient(fairlead.data, (client) =>
            client.get<Deployment>(deployments, WEB),
          );
          return (
            status?.observedGeneration === metadata.generation &&
            [status?.updatedReplicas, status?.availableReplicas, status?.replicas].every(
              (count) => count === spec?.replicas,
            )
          );
        },
        { seconds: 120, every: 100 },
      );
    const rollout = async (version: string): Promise<void> => {
      const spec = {
        template: { spec: { containers: [{ name: "web", env: [{ name: "VERSION", value: version }] }] } },
      };
      await withClient(fairlead.data, (client) => client.patch<Deployment>(deployments, WEB, "strategic", { spec }));
      await complete();
    };
    const begin = async (): Promise<SteadyLoad> => {
      const load = await startSteadyLoad(host, [], {
        ip: host.address,
        port: 80,
        perSecond: PER_SECOND,
        patience: PATIENCE,
        halfCloses: false,
      });
      await load.more(PER_SECOND);
      return load;
    };

    before(async () => {
      process.env["FAIRLEAD_HAPROXY"] = haproxy;
      lab = await createLab();
      host = await lab.add("h1");
      fairlead = await bringUp(host, {
        flags,
        files: [manifest(host, "web.yaml", [service("web", {}), smallServer(3), ingress])],
      });
      await until("an answer through the Ingress", async () => {
        const { stdout } = await host.run("curl", ["-sf", "-m", "2", "-H", "Host: web", `http://${host.address}/`]);
        return stdout.trim() === "v0";
      });
      await complete();
    });
    after(async () => {
      await fairlead?.end();
      await lab?.close();
    });

    test(`CTL-153: ${ROLLOUTS} rollouts of a Deployment at ${PER_SECOND} new connections a second through the Ingress lose none`, async (t) => {
      const opened = await until("the engine to be said", () =>
        fairlead.events.find(({ event }) => event === "ingress"),
      );
      assert.equal(opened["http"], 80);
      const load = await begin();
      t.after(() => load.end());
      for (let count = 1; count <= ROLLOUTS; count += 1) {
        await rollout(`v${count}`);
        unfailed(`rollout ${count}`, await load.more(200));
      }
      await until("the last version to answer", () => (load.seen().by[`v${ROLLOUTS}`] ?? 0) > 0);
      held(`${ROLLOUTS} rollouts, ${engine}`, PER_SECOND, await load.end());
    });

    test(`Fairlead ends and is started again under load, ${RESTARTS} times: who comes meanwhile waits, and is answered`, async (t) => {
      const load = await begin();
      t.after(() => load.end());
      for (let count = 1; count <= RESTARTS; count += 1) {
        assert.equal(await fairlead.end("SIGTERM"), 0);
        fairlead = await bringUp(host, { flags, data: fairlead.data });
        const seen = await load.more(5 * PER_SECOND);
        unfailed(`restart ${count}`, seen);
        t.diagnostic(`after restart ${count}: at most ${seen.most} waited at once, the longest ${seen.longest} ms`);
      }
      held(`${RESTARTS} restarts, ${engine}`, PER_SECOND, await load.end());
    });
  });
}
