import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { withDefaults } from "../configuration/defaults.ts";
import { encode } from "../configuration/encode.ts";
import { page } from "./pages.ts";

const TOLD = {
  startedAt: Date.UTC(2026, 0, 1),
  now: Date.UTC(2026, 0, 1, 1, 2, 3),
  configz: encode(withDefaults({ mode: "nftables", nodePortAddresses: ["10.0.0.0/8", "fd00::/8"] })),
  paths: ["/configz", "/metrics"],
};

test("PRX-120: /statusz says since when, how long and by what it runs, and what else answers", () => {
  const { code, body } = page("statusz", undefined, TOLD);
  equal(code, 200);
  match(body, /^kube-proxy statusz\n/);
  match(
    body,
    /^Started: 2026-01-01T00:00:00Z\nUp: 1 hr 02 min 03 sec\nGo version: node26\.[\d.]+\nBinary version: 1\.36\n/m,
  );
  match(body, /^Paths: \/configz \/metrics$/m);
  const object = page("statusz", "application/json;v=v1beta1;g=config.k8s.io;as=Statusz, */*", TOLD);
  equal(object.type, "application/json");
  const { kind, apiVersion, metadata, uptimeSeconds, paths } = JSON.parse(object.body);
  deepEqual(
    [kind, apiVersion, metadata.name, uptimeSeconds, paths],
    ["Statusz", "config.k8s.io/v1beta1", "kube-proxy", 3723, TOLD.paths],
  );
});

test("PRX-120: /flagz says every flag with what is in force, in their order", () => {
  const { body } = page("flagz", "text/*", TOLD);
  match(body, /^kube-proxy flagz\n/);
  match(body, /^nodeport-addresses: 10\.0\.0\.0\/8,fd00::\/8$/m);
  match(body, /^iptables-sync-period: 30s$/m);
  match(body, /^proxy-mode: nftables$/m);
  const names = body
    .split("\n\n")[1]!
    .trimEnd()
    .split("\n")
    .map((line) => line.split(":")[0]!);
  deepEqual(names, names.toSorted());
  const object = JSON.parse(page("flagz", "application/json;as=Flagz;v=v1beta1;g=config.k8s.io", TOLD).body);
  equal(object.flags["proxy-mode"], "nftables");
});

test("PRX-120: a form that there is not is 406, and says which there are", () => {
  for (const accept of ["application/json", "image/png", "application/json;as=Flagz;v=v1;g=config.k8s.io"]) {
    const { code, body } = page("flagz", accept, TOLD);
    equal(code, 406, accept);
    match(body, /application\/json;v=v1beta1;g=config\.k8s\.io;as=Flagz/);
  }
});
