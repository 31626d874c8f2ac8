import assert from "node:assert/strict";
import { onStage } from "../contract/stage.ts";
import { openHttp2, openRaw } from "../lab/clients.ts";
import type { EngineSubject, Door } from "../lab/door.ts";
import { closedAdmin, RIGHT } from "./closed.ts";

/** Spellings that some server reads as `/admin`, or as something in it. */
const SPELLINGS = [
  "/admin",
  "/admin/",
  "/admin/users",
  "/admin?x",
  "/%61dmin",
  "/%61%64%6d%69%6e",
  "//admin",
  "///admin",
  "/./admin",
  "/././/admin",
  "/admin/.",
  "/x/../admin",
  "/x/%2e%2e/admin",
  "/x/.%2e/admin",
  "/x/..;/admin",
  "/x/..;a=b/admin",
  "/x/..%3b/admin",
  "/x/..%2fadmin",
  "/x%2f..%2fadmin",
  "/x/..\\admin",
  "/x/..%5cadmin",
  "/admin%2f",
  "/admin%2fusers",
  "/%2fadmin",
  "/%2e/admin",
  "/\\admin",
  "/%5cadmin",
  "/admin\\users",
  "/admin%5cusers",
  "/admin;jsessionid=1",
  "/admin;/users",
  "/;/admin",
  "/;x=1/admin",
  "/admin%3bx",
  "/ADMIN",
  "/Admin/Users",
  "/%41dmin",
  "/admin%00",
  "/admin%00.css",
  "/admin%3fx",
  "/admin%23x",
  "/admin.",
  "/admin%20",
  "/admin%09",
  "/admin%0a",
  "/%c1%a1dmin",
  "/%c0%afadmin",
  "/%e0%80%afadmin",
  "/%2561dmin",
  "/%252fadmin",
  "/x/%252e%252e/admin",
  "/%u0061dmin",
  "/x/%c0%ae%c0%ae/admin",
];

/** Bytes of a request line that are no path. */
const TARGETS = (host: string): readonly string[] => [
  `http://${host}/admin`,
  `HTTP://${host}/admin`,
  `http://${host}//admin`,
  `http://${host}/ADMIN`,
  `http://${host}\\admin`,
  `http://${host}/x/../admin`,
  `https://${host}/admin`,
  `http://other.test/admin`,
  `http://${host}@other.test/admin`,
  "*",
  "admin",
  "\\admin",
  `//${host}/admin`,
  "?/admin",
  "#/admin",
  "/#/../admin",
  "/?/../admin#",
  "/\u00c1\u00a1dmin",
  "/admin\t",
  "/admin\u0000",
  "/admin\u00a0",
];

const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);

async function raw(door: Door, line: string, host: string, more = ""): Promise<number> {
  const connection = await openRaw(door.plain);
  connection.write(`GET ${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`);
  try {
    return statusOf(await connection.over());
  } finally {
    connection.close();
  }
}

/** Whether a pod's server could take the target for something in `/admin`: by every leniency at once, written anew and bluntly. */
function isAdmin(target: string): boolean {
  let path = target.split(/[?#]/)[0]!;
  for (let round = 0; round < 3; round += 1)
    path = path
      .replace(/%u00([0-9a-f]{2})/gi, "%$1")
      .replace(/%c1%a1/gi, "a")
      .replace(/%(?:c0%af|e0%80%af)/gi, "/")
      .replace(/%c0%ae/gi, ".")
      .replace(/\u00c1\u00a1/g, "a")
      .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  path = path.replaceAll("\\", "/").replace(/;[^/]*/g, "");
  return /(?:^|\/)admin(?![a-z0-9_-])/i.test(path);
}

/** Nobody gets into a closed path by another name of it. */
export const pathAttacks = (subject: EngineSubject): void =>
  onStage(subject, "attacks by paths", (add) => {
    add("no spelling of a closed path gets past its password", async (stage) => {
      const { door, lab } = stage;
      const { host } = await closedAdmin(stage);
      await lab.forget();
      for (const path of SPELLINGS) {
        const status = await raw(door, path, host);
        assert.ok(status === 401 || status === 400, `${path}: ${status}`);
      }
      for (const target of TARGETS(host)) await raw(door, target, host);
      const seen = (await lab.seen()).map(({ target }) => target);
      assert.deepEqual(seen.filter(isAdmin), []);
      assert.equal(await raw(door, "/open", host), 200, "all else is open");
      assert.equal(await raw(door, "/Open%2fplan;v=1", host), 200, "spellings of all else, too");
      assert.equal(await raw(door, "/administrator", host), 200);
      assert.equal(await raw(door, "/admin/users", host, `authorization: ${RIGHT.authorization}\r\n`), 200);
    });

    add("nor over HTTP/2, whatever its pseudo-headers", async (stage) => {
      const { door, lab } = stage;
      const { host } = await closedAdmin(stage);
      await lab.forget();
      for (const path of [...SPELLINGS, ...TARGETS(host)]) {
        const session = await openHttp2(door.plain, host);
        try {
          const stream = session.request({ ":path": path, ":authority": host });
          const status = await new Promise<number>((resolve) => {
            stream.on("response", (headers) => resolve(headers[":status"] ?? 0));
            stream.on("error", () => resolve(-1));
            stream.on("close", () => resolve(-1));
            stream.resume();
            stream.end();
          });
          if (SPELLINGS.includes(path)) assert.ok([401, 400, -1].includes(status), `${path}: ${status}`);
        } catch (error) {
          // Node's own client says no.
          assert.match((error as NodeJS.ErrnoException).code ?? "", /^ERR_/);
        } finally {
          session.destroy();
        }
      }
      const seen = (await lab.seen()).map(({ target }) => target);
      assert.deepEqual(seen.filter(isAdmin), []);
    });

    add("what is sent on of an odd path that was let in is what came", async (stage) => {
      const { ask, lab } = stage;
      const { host } = await closedAdmin(stage);
      for (const path of ["/%61dmin/x", "//admin//x", "/ADMIN%2fx;y", "/admin/./x?a=/../b"]) {
        await lab.forget();
        assert.equal((await ask({ host, path, headers: RIGHT })).seen.target, path);
      }
    });

    add("a closed path with an open one in it, and an open host with a closed root", async (stage) => {
      const { cluster, follow, ask, name, pods } = stage;
      const own = name("inside");
      const host = `${own}.test`;
      cluster.service(own, [pods[0]!]);
      const closed = { "whitelist-source-range": "192.0.2.1/32" };
      cluster.ingress(own, { nginx: closed, paths: [{ host, service: own, path: "/" }] });
      cluster.ingress(`${own}-open`, { paths: [{ host, service: own, path: "/public" }] });
      await follow();
      const statusOfPath = async (path: string) => (await ask({ host, path })).status;
      assert.equal(await statusOfPath("/public/x"), 200);
      assert.equal(await statusOfPath("/"), 403);
      for (const path of ["/public/%252e%252e/x", "/public%2f..;/x", "/PUBLIC/x", "/public%2fx", "/publicx"])
        assert.ok([403, 400].includes(await statusOfPath(path)), path);
      assert.equal(await statusOfPath("/public;v=1/x"), 403, "what is open is open by its own name alone");
    });
  });
