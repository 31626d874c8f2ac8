import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest, service, webPod } from "./fixtures.ts";

/** Answers each datagram with its name, the datagram, and the port it came from. */
const udpPod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "udp-1", labels: { app: "udp" } },
  spec: {
    terminationGracePeriodSeconds: 2,
    containers: [
      {
        name: "udp",
        command: [
          "node",
          "-e",
          `const socket = require("node:dgram").createSocket("udp6");
           socket.on("message", (text, from) => socket.send(process.env.HOSTNAME + " " + text + " " + from.port, from.port, from.address));
           socket.bind(8053, "::");
           process.on("SIGTERM", () => process.exit(0));`,
        ],
      },
    ],
  },
};

/** Sends three datagrams by one socket, prints each answer on a line. */
const CALLER = `const socket = require("node:dgram").createSocket("udp4");
let left = 3;
socket.on("message", (text, from) => { console.log(from.address + " " + text); left -= 1; left > 0 ? socket.send("x" + left) : socket.close(); });
socket.on("error", () => process.exit(1));
socket.connect(Number(process.argv[1]), "127.0.0.1", () => socket.send("x3"));
setTimeout(() => process.exit(1), 2000).unref();`;

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
      udpPod,
      service("datagrams", {
        type: "LoadBalancer",
        selector: { app: "udp" },
        ports: [{ name: "udp", port: 5353, targetPort: 8053, protocol: "UDP", nodePort: 30053 }],
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

  for (const [what, port] of [
    ["node port", 30_053],
    ["load balancer", 5353],
  ] as const) {
    test(`datagrams reach the ${what} of a Service too, those of one caller as one flow`, async () => {
      const answer = await until("an answer by datagrams", async () => {
        const { code, stdout } = await host.run(process.execPath, ["-e", CALLER, String(port)]);
        return code === 0 && stdout;
      });
      const lines = answer.trim().split("\n");
      const words = lines.map((line) => line.split(" "));
      assert.deepEqual(
        words.map(([from, pod, text]) => `${from} ${pod} ${text}`),
        ["127.0.0.1 udp-1 x3", "127.0.0.1 udp-1 x2", "127.0.0.1 udp-1 x1"],
      );
      assert.equal(new Set(words.map((line) => line[3])).size, 1, "the pod sees one port");
    });
  }

  test("a load balancer's port answers there too", async () => {
    const answer = await until("the published load balancer", async () => {
      const { code, stdout } = await host.run("curl", ["-s", "-m", "2", "http://127.0.0.1:8880/"]);
      return code === 0 && stdout;
    });
    assert.equal(answer, "web-1\n");
  });
});
