import assert from "node:assert/strict";
import { createCertificate } from "../lab/certificates.ts";
import type { EngineSubject } from "../lab/door.ts";
import { knowName } from "../lab/hosts.ts";
import { onStage } from "./stage.ts";

/** What is behind a path: Services, their ports, endpoints, names elsewhere, TLS. */
export const serviceExamples = (subject: EngineSubject): void =>
  onStage(subject, "services", (add) => {
    add(
      "CTL-138 a port of the Service by name or by number, not the target port",
      async ({ cluster, lab, follow, ask, name }) => {
        const [first, second] = [await lab.pod({ port: 8080 }), await lab.pod({ port: 8080 })];
        const service = name("ports");
        cluster.service(service, [first], {
          spec: { ports: [{ name: "web", port: 8000, protocol: "TCP", targetPort: 8080 }] },
        });
        const another = name("ports");
        cluster.service(another, [second], { spec: { ports: [{ port: 8000, protocol: "TCP", targetPort: 8080 }] } });
        cluster.ingress(service, {
          paths: [
            { host: "ports.test", path: "/name", service: `${service}:web` },
            { host: "ports.test", path: "/number", service: `${service}:8000` },
            { host: "ports.test", path: "/target", service: `${service}:8080` },
            { host: "ports.test", path: "/no-name", service: `${service}:admin` },
            { host: "ports.test", path: "/unnamed", service: `${another}:8000` },
          ],
        });
        await follow();
        assert.equal((await ask({ host: "ports.test", path: "/name" })).pod, first.name);
        assert.equal((await ask({ host: "ports.test", path: "/number" })).pod, first.name);
        assert.equal((await ask({ host: "ports.test", path: "/unnamed" })).pod, second.name);
        assert.equal((await ask({ host: "ports.test", path: "/target" })).status, 503);
        assert.equal((await ask({ host: "ports.test", path: "/no-name" })).status, 503);
      },
    );

    add("CTL-138 a named target port is each pod's own", async ({ cluster, lab, follow, ask, name }) => {
      const [first, second] = [await lab.pod({ port: 8081 }), await lab.pod({ port: 8082 })];
      const service = name("named");
      cluster.service(service, [first]);
      // As the controller writes it: one slice for each number that the name stands for.
      for (const [i, pod] of [first, second].entries()) {
        cluster.put({
          apiVersion: "discovery.k8s.io/v1",
          kind: "EndpointSlice",
          addressType: "IPv4",
          metadata: {
            name: `${service}-${i + 1}`,
            namespace: "default",
            labels: { "kubernetes.io/service-name": service },
          },
          endpoints: [
            {
              addresses: [pod.address],
              conditions: { ready: true, serving: true, terminating: false },
              targetRef: { kind: "Pod", name: pod.name, namespace: "default", uid: pod.uid },
            },
          ],
          ports: [{ name: "http", port: pod.port, protocol: "TCP" }],
        });
      }
      cluster.ingress(service, { paths: [{ host: "named.test", service }] });
      await follow();
      const pods = new Set<string | undefined>();
      for (let i = 0; i < 6; i++) pods.add((await ask({ host: "named.test" })).pod);
      assert.deepEqual(pods, new Set([first.name, second.name]));
    });

    add(
      "CTL-138 an ExternalName Service is asked by its name; one that is this machine itself is not",
      async ({ cluster, lab, follow, ask, name }) => {
        const pod = await lab.pod();
        const forget = await knowName("elsewhere.example", pod.address);
        try {
          const external = (externalName: string): string => {
            const service = name("external");
            const ports = [{ name: "http", port: pod.port, protocol: "TCP", targetPort: pod.port }];
            cluster.service(service, [], { spec: { type: "ExternalName", externalName, ports } });
            cluster.ingress(service, { paths: [{ host: `${service}.test`, service: `${service}:${pod.port}` }] });
            return `${service}.test`;
          };
          const [elsewhere, near] = [external("elsewhere.example"), external("localhost")];
          await follow();
          assert.equal((await ask({ host: elsewhere })).pod, pod.name);
          assert.equal((await ask({ host: near })).status, 503);
        } finally {
          await forget();
        }
      },
    );

    add(
      "CTL-139 a Service that is missing, or has no endpoint, is answered 503",
      async ({ cluster, follow, ask, site, name }) => {
        const absent = name("absent");
        cluster.ingress(absent, { paths: [{ host: "absent.test", service: absent }] });
        await follow();
        assert.equal((await ask({ host: "absent.test" })).status, 503);
        const { host, endpoints, pods } = await site();
        await endpoints([]);
        assert.equal((await ask({ host })).status, 503);
        await endpoints([{ ...pods[0]!, ready: false, serving: false }]);
        assert.equal((await ask({ host })).status, 503);
        await endpoints(pods);
        assert.equal((await ask({ host })).status, 200);
      },
    );

    add("CTL-139 a missing Service is served once it is there", async ({ cluster, pods, follow, ask, name }) => {
      const late = name("late");
      cluster.ingress(late, { paths: [{ host: "late.test", service: late }] });
      await follow();
      assert.equal((await ask({ host: "late.test" })).status, 503);
      cluster.service(late, pods.slice(0, 1));
      await follow();
      assert.equal((await ask({ host: "late.test" })).status, 200);
    });

    add("default-backend answers where a Service has no endpoint", async ({ cluster, pods, site }) => {
      cluster.service("spare", pods.slice(1, 2));
      const { ask, endpoints } = await site({ nginx: { "default-backend": "spare" } });
      assert.equal((await ask()).pod, pods[0]!.name);
      await endpoints([]);
      assert.equal((await ask()).pod, pods[1]!.name);
    });

    add("pods are asked in turn, each as often", async ({ site }) => {
      const { ask, pods } = await site({ pods: 3 });
      const counts = new Map<string | undefined, number>();
      for (let i = 0; i < 30; i++) {
        const { pod } = await ask();
        counts.set(pod, (counts.get(pod) ?? 0) + 1);
      }
      for (const { name } of pods) {
        const count = counts.get(name) ?? 0;
        assert.ok(count >= 8 && count <= 12, `${name}: ${count} of 30`);
      }
    });

    add("a draining pod gets no new requests while others are there", async ({ site, pods }) => {
      const { ask, endpoints } = await site({ pods: 2 });
      await endpoints([pods[0]!, { ...pods[1]!, terminating: true, serving: true }]);
      for (let i = 0; i < 10; i++) assert.equal((await ask()).pod, pods[0]!.name);
    });

    add("a Service of which all pods are draining is still served", async ({ site, pods }) => {
      const { ask, endpoints } = await site({ pods: 1 });
      await endpoints([{ ...pods[0]!, terminating: true, serving: true }]);
      assert.equal((await ask()).pod, pods[0]!.name);
    });

    add(
      "backend-protocol HTTPS: pods are spoken to by TLS, and not checked unless it is told",
      async ({ lab, site }) => {
        const pod = await lab.pod({ protocol: "https", ...(await createCertificate(["whoever.test"])) });
        const { ask } = await site({ pods: [pod], nginx: { "backend-protocol": "HTTPS" } });
        const { status, seen } = await ask();
        assert.equal(status, 200);
        assert.equal(seen.pod, pod.name);
        assert.equal((await ask({ method: "POST", body: "x".repeat(100_000) })).seen.length, 100_000);
      },
    );

    add(
      "proxy-ssl-*: the pod's certificate is checked, its name is asked for, ours is shown",
      async ({ cluster, lab, site }) => {
        const ca = await createCertificate(["ca.test"], { isCa: true });
        const stranger = await createCertificate(["ca.test"], { isCa: true });
        const [server, client] = await Promise.all([
          createCertificate(["backend.test"], { ca }),
          createCertificate(["the-door.test"], { ca }),
        ]);
        const pod = await lab.pod({ protocol: "https", ...server, clientCa: ca.certificate });
        const secret = (trusted: string) => ({
          "tls.crt": client.certificate,
          "tls.key": client.key,
          "ca.crt": trusted,
        });
        cluster.secret("upstream", secret(ca.certificate), { type: "kubernetes.io/tls" });
        cluster.secret("upstream-wrong", secret(stranger.certificate), { type: "kubernetes.io/tls" });
        const annotations = {
          "backend-protocol": "HTTPS",
          "proxy-ssl-secret": "default/upstream",
          "proxy-ssl-verify": "on",
          "proxy-ssl-name": "backend.test",
          "proxy-ssl-server-name": "on",
        };
        const { ask, annotate } = await site({ pods: [pod], nginx: annotations });
        const { status, seen } = await ask();
        assert.equal(status, 200);
        assert.equal(seen.serverName, "backend.test");
        assert.equal(seen.peer, "the-door.test");
        await annotate({ ...annotations, "proxy-ssl-name": "other.test" });
        assert.equal((await ask()).status, 502);
        await annotate({ ...annotations, "proxy-ssl-secret": "default/upstream-wrong" });
        assert.equal((await ask()).status, 502);
      },
    );

    add("an Ingress of another namespace has its own Services", async ({ cluster, pods, follow, ask }) => {
      cluster.service("same", [pods[0]!], { namespace: "one" });
      cluster.service("same", [pods[1]!], { namespace: "two" });
      cluster.ingress("same", { namespace: "one", paths: [{ host: "one.test", service: "same" }] });
      cluster.ingress("same", { namespace: "two", paths: [{ host: "two.test", service: "same" }] });
      await follow();
      assert.equal((await ask({ host: "one.test" })).pod, pods[0]!.name);
      assert.equal((await ask({ host: "two.test" })).pod, pods[1]!.name);
    });
  });
