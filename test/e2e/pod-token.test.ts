import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Pod } from "../../src/api/generated/types.ts";
import { bringUp, type Fairlead, type UpOptions } from "../lab/fairlead.ts";
import { kubectls } from "../lab/kubectls.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest, namespace } from "./fixtures.ts";

const kubectl = kubectls().findLast(({ minor }) => minor >= 27);
const SITES: readonly { readonly name: string; readonly options: UpOptions }[] = [
  { name: "host site", options: { flags: [] } },
  { name: "private site without root", options: { ordinary: true } },
];

/** A program that asks the API server by its name who it is, as client libraries in pods do. */
const PROGRAM = `
const { readFileSync: read } = require("node:fs");
const at = (name) => read("/var/run/secrets/kubernetes.io/serviceaccount/" + name, "utf8");
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
const ask = (hostname) => new Promise((resolve) => {
  const request = require("node:https").request({
    hostname, port, ca: at("ca.crt"), method: "POST", path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    headers: { authorization: "Bearer " + at("token"), "content-type": "application/json" },
  }, (answer) => { let text = ""; answer.on("data", (part) => text += part); answer.on("end", () => resolve(text)); });
  request.on("error", (error) => resolve(error.message));
  request.end("{}");
});
(async () => {
  const said = [await ask("kubernetes.default.svc"), await ask(host)];
  console.log(JSON.stringify({ namespace: at("namespace"), said }));
})();`;

const asker = (name: string, inNamespace: string): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: inNamespace },
  spec: { restartPolicy: "Never", containers: [{ name: "asker", command: ["node", "-e", PROGRAM] }] },
});

for (const { name, options } of SITES) {
  describe(
    `tokens of pods: ${name}`,
    { skip: kubectl === undefined ? "there is no kubectl of 1.27 or newer" : false },
    () => {
      let lab: Lab;
      let host: LabHost;
      let fairlead: Fairlead;
      before(async () => {
        lab = await createLab();
        host = await lab.add("h1");
        fairlead = await bringUp(host, options);
      });
      after(async () => {
        await fairlead.end();
        await lab.close();
      });

      test("a program in a pod is its ServiceAccount to the API server, also in a namespace made the moment before", async () => {
        // Both in one request after the other: nothing waits for what a new namespace is given.
        const file = manifest(host, "askers.yaml", [
          namespace("fresh"),
          asker("asker", "fresh"),
          asker("asker", "default"),
        ]);
        const { code, stderr } = await fairlead.kubectl(kubectl!.path, ["create", "-f", file]);
        assert.equal(code, 0, stderr);
        for (const inNamespace of ["fresh", "default"]) {
          const said = await until(`the program in ${inNamespace} to have asked`, async () => {
            const { stdout } = await fairlead.kubectl(kubectl!.path, ["logs", "-n", inNamespace, "asker"]);
            return stdout.endsWith("\n") ? stdout : undefined;
          });
          const answer = JSON.parse(said) as { namespace: string; said: string[] };
          assert.equal(answer.namespace, inNamespace);
          for (const text of answer.said) {
            const review = JSON.parse(text) as {
              status: { userInfo: { username: string; extra: Record<string, string[]> } };
            };
            const { username, extra } = review.status.userInfo;
            assert.equal(username, `system:serviceaccount:${inNamespace}:default`);
            assert.deepEqual(extra["authentication.kubernetes.io/pod-name"], ["asker"]);
          }
        }
      });

      test("a volume follows its ConfigMap, which the node may watch because its pod names it", async () => {
        const map = (text: string): object => ({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "settings", namespace: "default" },
          data: { text },
        });
        const pod: Pod = {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name: "follower", namespace: "default" },
          spec: {
            terminationGracePeriodSeconds: 1,
            volumes: [{ name: "s", configMap: { name: "settings" } }],
            containers: [
              {
                name: "follower",
                command: [
                  "node",
                  "-e",
                  `let last; setInterval(() => {
                     const text = require("node:fs").readFileSync("/s/text", "utf8");
                     if (text !== last) console.log(last = text);
                   }, 20)`,
                ],
                volumeMounts: [{ name: "s", mountPath: "/s" }],
              },
            ],
          },
        };
        const said = (): Promise<string> =>
          fairlead.kubectl(kubectl!.path, ["logs", "follower"]).then(({ stdout }) => stdout);
        const apply = async (name: string, ...objects: object[]): Promise<void> => {
          const file = manifest(host, name, objects);
          const { code, stderr } = await fairlead.kubectl(kubectl!.path, ["apply", "-f", file]);
          assert.equal(code, 0, stderr);
        };
        await apply("first.yaml", map("one"), pod);
        await until("the first text", async () => (await said()) === "one\n");
        await apply("second.yaml", map("two"));
        await until("the second text", async () => (await said()) === "one\ntwo\n");
        const told = await fairlead.kubectl(kubectl!.path, ["get", "events", "-A"]);
        assert.doesNotMatch(told.stdout, /FailedMount|Forbidden/);
      });
    },
  );
}
