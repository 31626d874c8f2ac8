import assert from "node:assert/strict";
import { test } from "node:test";
import { service, slice } from "../../../test/dns/testns.ts";
import { createContents } from "./contents.ts";
import { nameServersIn } from "./name-servers.ts";

const OWN = ["10.244.0.20", "fd00::20"];
const AS_POD = (of: string) => slice(of, ["10.244.0.20", "10.244.0.21"], [], "IPv4", "kube-system");
const inKubeSystem = (name: string, clusterIPs: string[]) =>
  service(name, { clusterIP: clusterIPs[0], clusterIPs }, "kube-system");

void test("DNS-062: the Services whose endpoint this server is, else kube-dns, else its own addresses", () => {
  const contents = createContents(() => 0);
  const now = (): readonly string[] => nameServersIn(contents, OWN).addresses;
  assert.deepEqual(now(), OWN);

  contents.setService("kube-system/kube-dns", inKubeSystem("kube-dns", ["10.96.0.10"]), []);
  assert.deepEqual(now(), ["10.96.0.10"]);

  contents.setService("kube-system/own", inKubeSystem("own", ["10.96.0.53", "fd00:96::53"]), [AS_POD("own")]);
  assert.deepEqual(now(), ["10.96.0.53", "fd00:96::53"]);

  contents.setService("kube-system/hdls", inKubeSystem("hdls", ["None"]), [AS_POD("hdls")]);
  assert.deepEqual(now(), ["10.96.0.53", "fd00:96::53"]);
});

void test("DNS-062: what the answer depends on is in its words, before and after", () => {
  const contents = createContents(() => 0);
  const words = new Set(nameServersIn(contents, OWN).depends);
  const touched = (changed: readonly string[]): boolean => changed.some((word) => words.has(word));
  assert.ok(touched(contents.setService("kube-system/own", inKubeSystem("own", ["10.96.0.53"]), [AS_POD("own")])));
  assert.ok(touched(contents.setService("kube-system/kube-dns", inKubeSystem("kube-dns", ["10.96.0.10"]), [])));
  assert.ok(!touched(contents.setService("kube-system/other", inKubeSystem("other", ["10.96.0.11"]), [])));
  for (const word of nameServersIn(contents, OWN).depends) words.add(word);
  assert.ok(touched(contents.setService("kube-system/own", inKubeSystem("own", ["10.96.0.54"]), [])));
});
