import assert from "node:assert/strict";
import type { EngineSubject } from "../lab/door.ts";
import { onStage } from "./stage.ts";

/** Which host's rules decide. */
export const hostExamples = (subject: EngineSubject): void =>
  onStage(subject, "hosts", (add) => {
    add("CTL-130 a host is compared without regard to case and port", async ({ site, ask }) => {
      const { host, pods } = await site({ host: "Exact.Test".toLowerCase() });
      for (const written of [host, "EXACT.test", "exact.test:80", "Exact.Test:8443"]) {
        assert.equal((await ask({ host: written })).pod, pods[0]!.name, written);
      }
      assert.equal((await ask({ host: "exact.test.other" })).status, 404);
      assert.equal((await ask({ host: "other.test" })).status, 404);
    });

    add("CTL-130 a host that ends with a dot is the same host", async ({ site, ask }) => {
      const { pods } = await site({ host: "dotted.test" });
      assert.equal((await ask({ host: "dotted.test." })).pod, pods[0]!.name);
    });

    add("CTL-130 a wildcard matches exactly one more label", async ({ site, ask }) => {
      const { pods } = await site({ host: "*.wild.test" });
      assert.equal((await ask({ host: "bar.wild.test" })).pod, pods[0]!.name);
      assert.equal((await ask({ host: "BAR.Wild.test:81" })).pod, pods[0]!.name);
      for (const host of ["baz.bar.wild.test", "wild.test", ".wild.test", "barwild.test"]) {
        assert.ok([400, 404].includes((await ask({ host })).status), host);
      }
    });

    add("CTL-130 a rule without a host is for all of them", async ({ cluster, pods, follow, ask }) => {
      cluster.service("any-host", pods.slice(0, 1));
      cluster.ingress("any-host", { paths: [{ path: "/any", service: "any-host" }] });
      await follow();
      for (const host of ["whatever.example", "10.1.2.3", "[::1]:80", "localhost:8080"]) {
        assert.equal((await ask({ host, path: "/any" })).pod, pods[0]!.name, host);
      }
      assert.equal((await ask({ host: "whatever.example", path: "/none" })).status, 404);
      cluster.remove("Ingress", "default/any-host");
      await follow();
    });

    add(
      "CTL-131 the most specific host decides: exact, then wildcard, then none",
      async ({ cluster, pods, follow, ask }) => {
        const [exact, wild, any] = pods;
        cluster.service("exact", [exact!]);
        cluster.service("wild", [wild!]);
        cluster.service("any", [any!]);
        cluster.ingress("order", {
          paths: [
            { path: "/", service: "any" },
            { host: "*.order.test", path: "/", service: "wild" },
            { host: "a.order.test", path: "/only", service: "exact" },
          ],
        });
        await follow();
        assert.equal((await ask({ host: "a.order.test", path: "/only" })).pod, exact!.name);
        assert.equal((await ask({ host: "b.order.test", path: "/only" })).pod, wild!.name);
        assert.equal((await ask({ host: "c.b.order.test", path: "/only" })).pod, any!.name);
        // The exact host's rules stand alone: what they do not have is not looked for in a less specific one.
        assert.equal((await ask({ host: "a.order.test", path: "/other" })).status, 404);
        cluster.remove("Ingress", "default/order");
        await follow();
      },
    );

    add(
      "CTL-136 what no rule has goes to the default backend of the Ingress, or is answered 404",
      async ({ cluster, pods, follow, ask }) => {
        cluster.service("ruled", [pods[0]!]);
        cluster.service("fallen", [pods[1]!]);
        cluster.ingress("with-default", {
          paths: [{ host: "default.test", path: "/ruled", service: "ruled" }],
          defaultBackend: "fallen",
        });
        await follow();
        assert.equal((await ask({ host: "default.test", path: "/ruled/x" })).pod, pods[0]!.name);
        assert.equal((await ask({ host: "default.test", path: "/else" })).pod, pods[1]!.name);
        assert.equal((await ask({ host: "stranger.test", path: "/else" })).pod, pods[1]!.name);
        cluster.remove("Ingress", "default/with-default");
        await follow();
        const missed = await ask({ host: "stranger.test", path: "/else" });
        assert.equal(missed.status, 404);
        assert.equal(missed.pod, undefined);
      },
    );

    add(
      "CTL-137 a rule without paths sends all of its host to the default backend",
      async ({ cluster, pods, follow, ask }) => {
        cluster.service("bare", [pods[2]!]);
        cluster.ingress("bare", { bareHosts: ["bare.test"], defaultBackend: "bare" });
        await follow();
        for (const path of ["/", "/any/thing", "/x?y=z"]) {
          assert.equal((await ask({ host: "bare.test", path })).pod, pods[2]!.name, path);
        }
        cluster.remove("Ingress", "default/bare");
        await follow();
      },
    );

    add("CTL-168 a server alias is served as the host that it is an alias of", async ({ site, ask, askTls }) => {
      const { pods } = await site({ nginx: { "server-alias": "alias-one.test, alias-two.test" } });
      for (const host of ["alias-one.test", "alias-two.test"]) {
        assert.equal((await ask({ host })).pod, pods[0]!.name);
        assert.equal((await askTls({ host })).pod, pods[0]!.name);
      }
    });
  });
