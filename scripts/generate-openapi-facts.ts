/**
 * Writes test/conformance/fixtures/{openapi,discovery}.json from a running Kubernetes API server: what its documents say of the groups
 * we serve, without its sentences. Run by hand when the baseline release of Kubernetes changes:
 * `KUBE_APISERVER=PATH node scripts/generate-openapi-facts.ts` (etcd is taken from `ETCD` or from PATH).
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { discoveryFacts, GROUPS, openApiFacts } from "../test/conformance/documents.ts";

process.env["SUBJECT"] = "kubernetes";
const { startSubject } = await import("../test/conformance/subject.ts");

const out = join(import.meta.dirname, "../test/conformance/fixtures");
const subject = await startSubject();
try {
  const openApi: Record<string, unknown> = {};
  const discovery: Record<string, unknown> = {};
  for (const path of GROUPS) {
    const document = await subject.ask("GET", `/openapi/v3/${path}`);
    openApi[path] = openApiFacts(document.body);
    const resources = await subject.ask("GET", `/${path}`);
    discovery[path] = discoveryFacts(resources.body);
  }
  writeFileSync(join(out, "openapi.json"), JSON.stringify(openApi));
  writeFileSync(join(out, "discovery.json"), JSON.stringify(discovery));
} finally {
  await subject.close();
}
execFileSync("oxfmt", [out], { stdio: "inherit" });
