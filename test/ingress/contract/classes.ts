import assert from "node:assert/strict";
import type { EngineSubject } from "../lab/door.ts";
import { onStage } from "./stage.ts";

/** Which Ingresses are served at all. */
export const classExamples = (subject: EngineSubject): void =>
  onStage(subject, "classes", (add) => {
    add("CTL-149 Ingresses of a class of ours are served, and of others not", async ({ cluster, site }) => {
      cluster.ingressClass("also-ours");
      cluster.ingressClass("theirs", { controller: "k8s.io/ingress-nginx" });
      const ours = await site({ className: "also-ours" });
      const theirs = await site({ className: "theirs" });
      assert.equal((await ours.ask()).status, 200);
      assert.equal((await theirs.ask()).status, 404);
    });

    add("CTL-149 the annotation of old names a class of ours, too", async ({ site }) => {
      const ours = await site({ className: null, annotations: { "kubernetes.io/ingress.class": "fairlead" } });
      const theirs = await site({ className: null, annotations: { "kubernetes.io/ingress.class": "nginx" } });
      assert.equal((await ours.ask()).status, 200);
      assert.equal((await theirs.ask()).status, 404);
    });

    add(
      "CTL-150 an Ingress of an unknown class is ignored until the class is ours",
      async ({ cluster, site, follow }) => {
        const { ask } = await site({ className: "not-yet" });
        assert.equal((await ask()).status, 404);
        cluster.ingressClass("not-yet");
        await follow();
        assert.equal((await ask()).status, 200);
        cluster.remove("IngressClass", "not-yet");
        await follow();
        assert.equal((await ask()).status, 404);
      },
    );

    add("CTL-151 an Ingress without a class is taken only where that was told", async ({ planner, site, follow }) => {
      const { ask } = await site({ className: null });
      assert.equal((await ask()).status, 404);
      planner.takeWithoutClass(true);
      await follow();
      assert.equal((await ask()).status, 200);
      planner.takeWithoutClass(false);
      await follow();
      assert.equal((await ask()).status, 404);
    });
  });
