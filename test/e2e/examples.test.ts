import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Deployment, Ingress, Pod, StatefulSet } from "../../src/api/generated/types.ts";
import { deployments, ingresses, pods, statefulSets } from "../../src/api/resources.ts";
import { withClient } from "../lab/inside.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { kubectls } from "../lab/kubectls.ts";
import { CHECKOUT, createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";

/** What the READMEs of the examples promise. */
describe("examples", () => {
  let lab: Lab;
  let host: LabHost;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
  });
  after(() => lab.close());

  const start = (file: string): Promise<Fairlead> =>
    bringUp(host, { flags: ["--private"], files: [`${CHECKOUT}/examples/${file}`] });

  /** What a command line of a README says inside the site. */
  const inside = async (fairlead: Fairlead, command: string, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await fairlead.shell(command, args);
    return code === 0 ? stdout : `exit code ${code}: ${stderr}`;
  };

  test(
    "statefulset: each pod answers at its own name, the Service's name leads to all, a deleted one comes again under its name",
    { timeout: 200_000 },
    async () => {
      const fairlead = await start("statefulset/web.yaml");
      try {
        await withClient(fairlead.data, async (client) => {
          await until(
            "three ready pods",
            async () => {
              const set = await client.get<StatefulSet>(statefulSets, { namespace: "default", name: "web" });
              return set.status?.readyReplicas === 3;
            },
            { seconds: 90 },
          );
          const says = (name: string): Promise<boolean> =>
            until(
              `http://${name}.nginx to answer`,
              async () =>
                (await inside(fairlead, "curl", "-s", "--max-time", "5", `http://${name}.nginx`)) === `${name}\n`,
              { seconds: 60 },
            );
          for (const name of ["web-0", "web-1", "web-2"]) await says(name);
          const ips = (await client.list<Pod>(pods, { namespace: "default" })).items.map(({ status }) => status?.podIP);
          const lookup = async (): Promise<string[]> => [
            ...new Set(
              (await inside(fairlead, "getent", "ahostsv4", "nginx"))
                .split("\n")
                .flatMap((line) => line.split(" ")[0] || []),
            ),
          ];
          assert.deepEqual((await lookup()).sort(), ips.map(String).sort());

          const old = await client.get<Pod>(pods, { namespace: "default", name: "web-0" });
          await client.delete(pods, { namespace: "default", name: "web-0" });
          await until(
            "web-0 to be another, and ready",
            async () => {
              const pod = await client.get<Pod>(pods, { namespace: "default", name: "web-0" });
              const ready = pod.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
              return pod.metadata.uid !== old.metadata.uid && ready;
            },
            { seconds: 60 },
          );
          await says("web-0");
        });
      } finally {
        await fairlead.end();
      }
    },
  );

  test(
    "sticky: who has the cookie comes back to the same pod, also of ten; who has none goes round",
    { timeout: 200_000 },
    async () => {
      const fairlead = await start("sticky/web.yaml");
      const web = ["-H", "Host: web.example"];
      const seat = ["-c", "/tmp/seat", "-b", "/tmp/seat"];
      const says = (...args: string[]): Promise<string> =>
        inside(fairlead, "curl", "-s", "--max-time", "5", ...args, ...web, "http://127.0.0.1/");
      /** Who is new meets all of them. */
      const met = async (count: number): Promise<void> => {
        const seen = new Set<string>();
        await until(
          `${count} pods to answer`,
          async () => {
            const pod = await says();
            if (/^web-\S+\n$/.test(pod)) seen.add(pod);
            return seen.size === count;
          },
          { seconds: 90 },
        );
      };
      try {
        await met(3);
        const pod = await says(...seat);
        assert.equal(await says(...seat), pod);
        await withClient(fairlead.data, (client) =>
          client.patch(deployments, { namespace: "default", name: "web" }, "merge", { spec: { replicas: 10 } }),
        );
        await met(10);
        for (let count = 0; count < 5; count++) assert.equal(await says(...seat), pod);
        assert.match(await inside(fairlead, "curl", "-sk", "-H", "Host: web.example", "https://127.0.0.1/"), /^web-/);
        const { status } = await withClient(fairlead.data, (client) =>
          client.get<Ingress>(ingresses, { namespace: "default", name: "web" }),
        );
        assert.notEqual(status?.loadBalancer?.ingress?.[0]?.ip, undefined);
      } finally {
        await host.run("rm", ["-f", "/tmp/seat"]);
        await fairlead.end();
      }
    },
  );

  const kubectl = kubectls().findLast(({ minor }) => minor >= 27);
  test(
    "rollout: another version is rolled out and taken back, and the name answers with it",
    { timeout: 200_000, skip: kubectl === undefined ? "no kubectl of 1.27 or newer" : false },
    async () => {
      const fairlead = await start("rollout/web.yaml");
      const ok = async (...args: string[]): Promise<void> => {
        const { code, stdout, stderr } = await fairlead.kubectl(kubectl!.path, args, { timeout: 120_000 });
        assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stdout}${stderr}`);
      };
      /** Old pods may still be sent what was begun; after them every answer is the new one's. */
      const says = (version: string): Promise<boolean> =>
        until(
          `http://web to say version ${version}`,
          async () =>
            new RegExp(`^version ${version} in web-`).test(
              await inside(fairlead, "curl", "-s", "--max-time", "5", "http://web"),
            ),
          { seconds: 60 },
        );
      try {
        // The manifests are applied once everything is ready.
        await until("the Deployment to be there", async () => {
          const { code } = await fairlead.kubectl(kubectl!.path, ["get", "deployment/web"]);
          return code === 0;
        });
        await ok("rollout", "status", "deployment/web");
        await says("1");
        await ok("set", "env", "deployment/web", "VERSION=2");
        await ok("rollout", "status", "deployment/web");
        await says("2");
        await ok("rollout", "undo", "deployment/web");
        await ok("rollout", "status", "deployment/web");
        await says("1");
        await withClient(fairlead.data, async (client) => {
          const { status } = await client.get<Deployment>(deployments, { namespace: "default", name: "web" });
          assert.equal(status?.availableReplicas, 3);
        });
      } finally {
        await fairlead.end();
      }
    },
  );
});
