import type { Issued } from "./issue.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A kubeconfig with everything in it: kubectl needs no other file. Written as JSON, which is YAML too and costs no writer. */
export const kubeconfig = (server: string, authority: Pick<Issued, "cert">, client: Issued): string =>
  `${JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "fairlead", cluster: { server, "certificate-authority-data": base64(authority.cert) } }],
      users: [
        {
          name: "admin",
          user: { "client-certificate-data": base64(client.cert), "client-key-data": base64(client.key) },
        },
      ],
      contexts: [{ name: "fairlead", context: { cluster: "fairlead", user: "admin" } }],
      "current-context": "fairlead",
    },
    undefined,
    2,
  )}\n`;
