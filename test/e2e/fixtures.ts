import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { LabHost } from "../lab/lab.ts";

/** A pod that answers its name over HTTP, and is ready when it listens. */
export const webPod = (name: string, labels: Record<string, string>, namespace?: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels, ...(namespace === undefined ? {} : { namespace }) },
  spec: {
    terminationGracePeriodSeconds: 2,
    containers: [
      {
        name: "web",
        command: [
          "node",
          "-e",
          `const { createServer } = require("node:http");
           console.log("started " + process.env.HOSTNAME);
           createServer((request, response) => response.end(process.env.HOSTNAME + "\\n")).listen(8080, "::");
           process.on("SIGTERM", () => process.exit(0));`,
        ],
        ports: [{ name: "http", containerPort: 8080 }],
        readinessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 1 },
      },
    ],
  },
});

export const service = (name: string, spec: object, namespace?: string): object => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }], ...spec },
});

export const namespace = (name: string): object => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

/** Writes objects as one manifest of several documents and answers its path. */
export function manifest(host: LabHost, name: string, objects: readonly object[]): string {
  const path = join(host.scratch, name);
  writeFileSync(path, objects.map((object) => stringify(object, { version: "1.1" })).join("---\n"));
  return path;
}
