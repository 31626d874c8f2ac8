import assert from "node:assert/strict";
import { createServer } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { bringUp, type UpOptions } from "../lab/fairlead.ts";
import { podNamed, readThroughApi } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest } from "./fixtures.ts";

/** In a user namespace the kernel refuses overlays over such files: then pods see sockets too, as the log warns. */
const SITES: readonly [name: string, options: UpOptions][] = [
  ["a host site", {}],
  ["a private site without root", { ordinary: true }],
];

/** As Docker and its kind do: a container's hosts, host name and resolver are files of another file system, mounted one by one. */
describe("on a machine where single files of /etc are mounted", () => {
  let lab: Lab;
  let host: LabHost;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
    for (const name of ["hosts", "hostname", "resolv.conf", "issue", "debian_version"]) {
      const path = join(host.scratch, name);
      if (name === "debian_version") await new Promise<void>((resolve) => createServer().unref().listen(path, resolve));
      else
        writeFileSync(path, name === "resolv.conf" ? "nameserver 192.0.2.53\n" : `mounted ${name}\n`, { mode: 0o644 });
      await host.check("mount", ["--bind", path, `/etc/${name}`]);
    }
  });
  after(() => lab?.close());

  for (const [name, options] of SITES) {
    test(`a pod of ${name} starts, has files of its own, and sees the mounted one`, async () => {
      const script =
        "tail -n 1 /etc/hosts; cat /etc/issue; head -c 4 /etc/passwd; echo; ls /etc/ssl >/dev/null && ([ -S /etc/debian_version ] && echo socket || echo none)";
      const pod = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "files" },
        spec: { restartPolicy: "Never", containers: [{ name: "files", command: ["sh", "-c", script] }] },
      };
      const fairlead = await bringUp(host, { ...options, files: [manifest(host, "files.yaml", [pod])] });
      try {
        await until("the pod to end", async () =>
          /Succeeded|Failed/.test((await podNamed(fairlead.data, "files")).status?.phase ?? ""),
        );
        const log = await readThroughApi(fairlead.data, "/api/v1/namespaces/default/pods/files/log");
        const [own, ...others] = log.trimEnd().split("\n");
        assert.match(own!, /^(10\.244\.|fd00:)\S+\tfiles$/);
        assert.deepEqual(others, ["mounted issue", "root", options.ordinary === true ? "socket" : "none"]);
      } finally {
        await fairlead.end();
      }
    });
  }
});
