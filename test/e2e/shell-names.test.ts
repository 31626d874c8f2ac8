import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bringUp, type Fairlead, type UpOptions } from "../lab/fairlead.ts";
import { isRealRoot } from "../lab/ground.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest, namespace, service } from "./fixtures.ts";

const SITES: readonly { readonly name: string; readonly options: UpOptions }[] = [
  { name: "host site", options: { flags: [] } },
  { name: "private site", options: { flags: ["--private"] } },
  { name: "private site without root", options: { ordinary: true } },
];

/** Addresses as the C library finds them, each once. */
const FIND = `
import socket, sys
try: print(*sorted({entry[4][0] for entry in socket.getaddrinfo(sys.argv[1], 80)}))
except socket.gaierror as error: print(error.errno)
`;
/** An error of getaddrinfo: outside the cluster the name is nobody's, and who would be asked there cannot be reached. */
const NO_NAME = /^-[23]\n$/;

for (const { name, options } of SITES) {
  const skip = options.ordinary === true && !isRealRoot() ? "needs root, to be the same ordinary user twice" : false;
  describe(`names in fairlead shell, ${name}`, { skip }, () => {
    let lab: Lab;
    let host: LabHost;
    let fairlead: Fairlead;
    before(async () => {
      lab = await createLab();
      host = await lab.add("h1");
      const both = {
        ipFamilyPolicy: "RequireDualStack",
        clusterIPs: ["10.96.7.1", "fd00:10:96::71"],
        clusterIP: "10.96.7.1",
      };
      const file = manifest(host, "names.yaml", [
        namespace("team"),
        service("both", both),
        service("theirs", { clusterIP: "10.96.7.2" }, "team"),
      ]);
      fairlead = await bringUp(host, { ...options, files: [file] });
      await until("the Services", async () => (await find("theirs.team")) === "10.96.7.2\n");
    });
    after(async () => {
      await fairlead?.end();
      await lab?.close();
    });
    const find = async (wanted: string, inNamespace?: string): Promise<string> =>
      (
        await fairlead.shell(
          "python3",
          ["-c", FIND, wanted],
          inNamespace === undefined ? {} : { namespace: inNamespace },
        )
      ).stdout;

    test("DNS-120, DNS-121: glibc finds both families by a short name, by each longer one, and by an absolute one", async () => {
      for (const wanted of [
        "both",
        "both.default",
        "both.default.svc",
        "both.default.svc.cluster.local",
        "both.default.svc.cluster.local.",
      ])
        assert.equal(await find(wanted), "10.96.7.1 fd00:10:96::71\n", wanted);
      assert.match(await find("both."), NO_NAME);
    });

    test("-n says whose Services have short names", async () => {
      assert.match(await find("theirs"), NO_NAME);
      assert.equal(await find("theirs", "team"), "10.96.7.2\n");
      assert.match(await find("both", "team"), NO_NAME);
      assert.equal(await find("both.default", "team"), "10.96.7.1 fd00:10:96::71\n");
    });

    test("cluster DNS is asked over both families", async () => {
      const { stdout } = await fairlead.shell("cat", ["/etc/resolv.conf"]);
      assert.match(stdout, /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local$/m);
      const servers = [...stdout.matchAll(/^nameserver (\S+)$/gm)].map((match) => match[1]!);
      assert.deepEqual(servers, ["10.96.0.10", "fd00:10:96::a"]);
      for (const server of servers) {
        for (const transport of ["+notcp", "+tcp"]) {
          const asked = await fairlead.shell("dig", [
            `@${server}`,
            transport,
            "+short",
            "both.default.svc.cluster.local",
            "AAAA",
          ]);
          assert.equal(asked.stdout, "fd00:10:96::71\n", `${server} ${transport}`);
        }
      }
    });
  });
}
