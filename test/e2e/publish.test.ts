import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest, service, webPod } from "./fixtures.ts";

describe("up --private --publish", () => {
  let lab: Lab;
  let host: LabHost;
  let fairlead: Fairlead;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
    const file = manifest(host, "publish.yaml", [
      webPod("web-1", { app: "web" }),
      service("outside", {
        type: "NodePort",
        ports: [{ name: "http", port: 80, targetPort: "http", nodePort: 30080 }],
      }),
      service("balanced", { type: "LoadBalancer", ports: [{ port: 8880, targetPort: "http" }] }),
    ]);
    fairlead = await bringUp(host, { flags: ["--private", "--publish"], files: [file] });
  });
  after(async () => {
    await fairlead.end();
    await lab.close();
  });

  test("a node port answers on the host's 127.0.0.1 and on no other address of it", async () => {
    const answer = await until("the published port", async () => {
      const { code, stdout } = await host.run("curl", ["-s", "-m", "2", "http://127.0.0.1:30080/"]);
      return code === 0 && stdout;
    });
    assert.equal(answer, "web-1\n");
    const elsewhere = await host.run("curl", ["-s", "-m", "2", `http://${host.address}:30080/`]);
    assert.equal(elsewhere.code, 7, "connection refused is curl's exit code 7");
  });

  test("a load balancer's port answers there too", async () => {
    const answer = await until("the published load balancer", async () => {
      const { code, stdout } = await host.run("curl", ["-s", "-m", "2", "http://127.0.0.1:8880/"]);
      return code === 0 && stdout;
    });
    assert.equal(answer, "web-1\n");
  });
});
