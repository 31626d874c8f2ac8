import type { Deployment } from "../../src/api/generated/types.ts";

/** Ends as servers do: it takes no more connections, and answers those it has. */
const SERVER = `
  const { createServer } = require("node:http");
  const server = createServer((request, response) => {
    response.setHeader("content-length", process.env.VERSION.length + 1);
    response.end(process.env.VERSION + "\\n");
  });
  server.listen({ port: 8080, host: "::", backlog: 511 });
  process.on("SIGTERM", () => server.close(() => process.exit(0)));
`;

/** A Deployment `web` of a small server that answers its VERSION, which is `v0` at first. `marker` is found in its command line. */
export const smallServer = (replicas: number, marker = ""): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        containers: [
          {
            name: "web",
            command: ["node", "-e", SERVER, marker],
            env: [{ name: "VERSION", value: "v0" }],
            ports: [{ name: "http", containerPort: 8080 }],
            readinessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
});
