import { arch, platform } from "node:os";
import { reviews } from "../reviews/reviews.ts";
import type { Context } from "../context.ts";
import { methodNotAllowed } from "../errors.ts";
import { negotiate } from "../http/accept.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendJson, sendText } from "../http/respond.ts";
import { aggregatedDiscovery, apiGroupDocument, apiGroupList, apiResourceList, apiVersions } from "./documents.ts";

const AGGREGATED = { APIGroupDiscoveryList: { group: "apidiscovery.k8s.io", versions: ["v2", "v2beta1"] } };

/** `/version`: the Kubernetes version whose rules are followed, with our own behind the plus. */
function versionDocument(gitVersion: string): object {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  return {
    major,
    minor,
    gitVersion,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "none",
    compiler: `node ${process.version}`,
    platform: `${platform()}/${arch() === "x64" ? "amd64" : arch()}`,
  };
}

/** Says what the server serves. False when the path is none of discovery's. */
export async function sendDiscovery(context: Context, exchange: Exchange, version: string): Promise<boolean> {
  const path = exchange.path.replace(/\/$/, "");
  const kinds = [...context.kinds.all, ...reviews];
  const segments = path.split("/").slice(1);
  const isRoot = path === "/api" || path === "/apis";
  let document: object | undefined;
  if (path === "/version") document = versionDocument(version);
  else if (path === "/api") document = apiVersions(kinds, exchange.request.headers.host ?? "");
  else if (path === "/apis") document = apiGroupList(kinds);
  else if (segments[0] === "api" && segments.length === 2) document = apiResourceList(kinds, "", segments[1]!);
  else if (segments[0] === "apis" && segments.length === 2) document = apiGroupDocument(kinds, segments[1]!);
  else if (segments[0] === "apis" && segments.length === 3)
    document = apiResourceList(kinds, segments[1]!, segments[2]!);
  if (document === undefined) return false;
  if (exchange.method !== "GET") throw methodNotAllowed();
  const shape = negotiate(exchange.request.headers.accept, isRoot ? AGGREGATED : {});
  if (shape.as === "") {
    await sendJson(exchange, 200, document);
    return true;
  }
  const aggregated = aggregatedDiscovery(kinds, path === "/api", shape.version);
  // Clients read the type of the answer to know that this server aggregates.
  const type = `application/json;g=apidiscovery.k8s.io;v=${shape.version};as=APIGroupDiscoveryList`;
  exchange.answer.setHeader("vary", "Accept");
  await sendText(exchange, 200, JSON.stringify(aggregated), type);
  return true;
}
