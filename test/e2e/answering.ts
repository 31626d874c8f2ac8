import { NS } from "./serving.ts";

const PROGRAM = `
  const { createServer } = require("node:http");
  let ready = true;
  for (const port of [8080, 8081])
    createServer((request, response) => {
      if (request.url === "/fail") ready = false;
      if (request.url === "/heal") ready = true;
      if (request.url === "/ready" && !ready) response.statusCode = 503;
      response.setHeader("connection", "close");
      response.end(JSON.stringify({ pod: process.env.HOSTNAME, seen: request.socket.remoteAddress, port }));
    }).listen(port, "::");
  process.on("SIGTERM", () => process.exit(0));
`;

/**
 * A pod that tells its name and the caller's address on ports 8080 (`http`) and 8081 (`other`). Told `/fail` it
 * fails its readiness probe from then on, until `/heal`; it answers calls all the while.
 */
export const answeringPod = (name: string, labels: Record<string, string> = { app: "web" }): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: NS, labels },
  spec: {
    terminationGracePeriodSeconds: 2,
    containers: [
      {
        name: "answering",
        command: ["node", "-e", PROGRAM],
        ports: [
          { name: "http", containerPort: 8080 },
          { name: "other", containerPort: 8081 },
        ],
        readinessProbe: { httpGet: { path: "/ready", port: "http" }, periodSeconds: 1, failureThreshold: 1 },
      },
    ],
  },
});

export const webService = (name: string, spec: object = {}): object => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: NS },
  spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }], ...spec },
});
