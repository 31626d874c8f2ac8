import { createHash } from "node:crypto";
import { arch, platform } from "node:os";
import type { Context } from "../context.ts";
import { methodNotAllowed } from "../errors.ts";
import { negotiate } from "../http/accept.ts";
import { hasEtag } from "../http/etag.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendBytes, sendEmpty, sendShaped } from "../http/respond.ts";
import {
  aggregatedDiscovery,
  apiGroupDocument,
  apiGroupList,
  apiResourceList,
  apiVersions,
  rootPaths,
} from "./documents.ts";
import { servedBy, type Served } from "./resources.ts";

const AGGREGATED = { APIGroupDiscoveryList: { group: "apidiscovery.k8s.io", versions: ["v2", "v2beta1"] } };

/** `/version`: the Kubernetes version whose rules are followed, with our own behind the plus. */
function versionDocument(gitVersion: string): object {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "none",
    compiler: `node ${process.version}`,
    platform: `${platform()}/${arch() === "x64" ? "amd64" : arch()}`,
  };
}

/** The plain document at a path; undefined when the path is none of discovery's. */
function documentAt(path: string, served: readonly Served[], exchange: Exchange): object | undefined {
  const [first, group = "", version = "", ...more] = path.split("/").slice(1);
  const { headers } = exchange.request;
  if (path === "/api") return apiVersions(served, headers.host ?? (headers[":authority"] as string | undefined) ?? "");
  if (path === "/apis") return apiGroupList(served);
  if (first === "api" && version === "") return apiResourceList(served, "", group);
  if (first !== "apis" || more.length > 0) return undefined;
  return version === "" ? apiGroupDocument(served, group) : apiResourceList(served, group, version);
}

async function sendAggregated(exchange: Exchange, served: readonly Served[], path: string, v: string): Promise<void> {
  const body = Buffer.from(JSON.stringify(aggregatedDiscovery(served, path === "/api", v)));
  const tag = createHash("sha512").update(body).digest("hex").toUpperCase();
  exchange.answer.setHeader("vary", "Accept");
  exchange.answer.setHeader("etag", `"${tag}"`);
  if (hasEtag(exchange.request.headers["if-none-match"], tag)) return sendEmpty(exchange, 304, "public");
  // Clients read the type of the answer to know that this server aggregates.
  const type = `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`;
  return sendBytes(exchange, 200, body, type, "public");
}

/** Says what the server serves. False when the path is none of discovery's. */
export async function sendDiscovery(context: Context, exchange: Exchange, version: string): Promise<boolean> {
  const path = exchange.path.replace(/\/$/, "");
  const served = servedBy(context.kinds.all);
  const isVersion = path === "/version";
  let document: object | undefined;
  if (isVersion) document = versionDocument(version);
  else if (path === "") document = rootPaths(served);
  else document = documentAt(path, served, exchange);
  if (document === undefined) return false;
  if (exchange.method !== "GET" && path !== "" && path !== "/apis") throw methodNotAllowed();
  const isRoot = path === "/api" || path === "/apis";
  // Programs are meant to read the version, so there is one format only.
  const available = isVersion ? ["application/json"] : undefined;
  const shape = negotiate(exchange, isRoot ? AGGREGATED : {}, available);
  if (shape.as !== "") await sendAggregated(exchange, served, path, shape.version);
  else await sendShaped(exchange, 200, JSON.stringify(document), { ...shape, pretty: shape.pretty || isVersion });
  return true;
}
