import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Deployment } from "../../src/api/generated/types.ts";
import { deployments, pods } from "../../src/api/resources.ts";
import { createCertificate } from "../ingress/lab/certificates.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { haproxy, WITHOUT_HAPROXY } from "../lab/haproxy.ts";
import { withClient } from "../lab/inside.ts";
import { CHECKOUT, createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { browserPath, openBrowser, WITHOUT_BROWSER, type Browser } from "./browsing/browser.ts";
import { manifest, service } from "./fixtures.ts";

const HOST = "web.example";
const WEB = { namespace: "default", name: "web" };
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Three pods with a page, behind an Ingress with a certificate and a session cookie. */
async function objects(): Promise<object[]> {
  const { certificate, key } = await createCertificate([HOST]);
  return [
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "tls" },
      type: "kubernetes.io/tls",
      data: { "tls.crt": base64(certificate), "tls.key": base64(key) },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: {
            terminationGracePeriodSeconds: 2,
            containers: [
              {
                name: "web",
                command: [`${CHECKOUT}/node_modules/.bin/node`, `${CHECKOUT}/test/e2e/browsing/pod.ts`],
                ports: [{ name: "http", containerPort: 8080 }],
                readinessProbe: { httpGet: { path: "/name", port: "http" }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
    service("web", {}),
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "web", annotations: { "nginx.ingress.kubernetes.io/affinity": "cookie" } },
      spec: {
        ingressClassName: "fairlead",
        tls: [{ hosts: [HOST], secretName: "tls" }],
        rules: [
          {
            host: HOST,
            http: {
              paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { name: "http" } } } }],
            },
          },
        ],
      },
    },
  ];
}

for (const engine of ["builtin", "haproxy"] as const) {
  const skip =
    browserPath === undefined
      ? WITHOUT_BROWSER
      : engine === "haproxy" && haproxy === undefined
        ? WITHOUT_HAPROXY
        : false;
  describe(`a browser before Ingress, ${engine}`, { skip }, () => {
    let lab: Lab;
    let host: LabHost;
    let fairlead: Fairlead;
    let browser: Browser;
    before(async () => {
      lab = await createLab();
      host = await lab.add("h1");
      if (haproxy !== undefined) process.env["FAIRLEAD_HAPROXY"] = haproxy;
      fairlead = await bringUp(host, {
        files: [manifest(host, "web.yaml", await objects())],
        flags: ["--ingress", engine],
      });
      browser = await openBrowser(host, `https://${HOST}/`);
    });
    after(async () => {
      await browser?.close();
      await fairlead?.end();
      await lab?.close();
    });

    /** A pod that answers somebody new. */
    const somePod = async (): Promise<string> => {
      const url = ["--resolve", `${HOST}:443:127.0.0.1`, `https://${HOST}/name`];
      const { code, stdout } = await host.run("curl", ["-sk", "--max-time", "5", ...url]);
      if (!/^web-[-a-z0-9]+$/.test(stdout)) throw new Error(`curl ${code}: ${stdout}`);
      return stdout;
    };
    const answered = (count: number): Promise<unknown> => {
      const seen = new Set<string>();
      return until(
        `${count} pods to answer at the door`,
        async () => {
          seen.add(await somePod());
          return seen.size === count;
        },
        { seconds: 90 },
      );
    };
    /** Visits so often; the pods that answered. */
    const visits = async (count: number): Promise<string[]> => {
      const seen: string[] = [];
      for (let at = 0; at < count; at++) {
        const shown = await browser.does("visit");
        assert.deepEqual([shown.status, shown.protocol], [200, "h2"]);
        seen.push(shown.pod);
      }
      return [...new Set(seen)];
    };

    test("over TLS and HTTP/2 it keeps its session and its WebSocket while pods are added, and when its pod is gone it gets another, for good", async () => {
      await answered(3);
      const first = await browser.does("open");
      assert.deepEqual([first.status, first.protocol, first.certificate], [200, "h2", HOST]);
      const { pod } = first;
      assert.match(pod, /^web-/);
      assert.equal(await browser.does("say", "hello"), `${pod} hello`);
      const cookies = await browser.does("cookies");
      assert.deepEqual(
        cookies.map(({ name, secure }) => [name, secure]),
        [["INGRESSCOOKIE", true]],
      );
      assert.deepEqual(await visits(20), [pod]);

      await withClient(fairlead.data, (client) => {
        const ten = { spec: { replicas: 10 } };
        return client.patch<Deployment>(deployments, WEB, "merge", ten);
      });
      assert.deepEqual(await visits(10), [pod]);
      await answered(10);
      assert.deepEqual(await visits(20), [pod]);
      assert.equal(await browser.does("closed"), false);
      assert.equal(await browser.does("say", "still there"), `${pod} still there`);
      assert.deepEqual(await browser.does("cookies"), cookies);

      await withClient(fairlead.data, (client) => client.delete(pods, { namespace: "default", name: pod }));
      await until("its WebSocket to end with its pod", () => browser.does("closed"));
      // As long as its pod is there, if only in its end, the session is its: others answer for it, and take nobody over.
      await until("another session", async () => {
        assert.equal((await browser.does("visit")).status, 200);
        const [cookie] = await browser.does("cookies");
        return cookie?.value !== cookies[0]?.value;
      });
      const [other, ...more] = await visits(20);
      assert.notEqual(other, pod);
      assert.deepEqual(more, []);
      assert.equal((await browser.does("open")).pod, other);
      assert.equal(await browser.does("say", "hello again"), `${other} hello again`);
    });
  });
}
