import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { haproxy, WITHOUT_HAPROXY } from "../lab/haproxy.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backend, endpoint, get, host, plan, route, stand, worker, type Stand } from "./haproxy-ground.ts";

const skip = haproxy === undefined ? WITHOUT_HAPROXY : false;

void describe("HAProxy carries routes", { skip }, () => {
  let at: Stand;
  let a: Awaited<ReturnType<typeof worker>>;
  let b: Awaited<ReturnType<typeof worker>>;
  before(async () => {
    a = await worker("a");
    b = await worker("b");
    at = await stand(await mkdtemp(join(tmpdir(), "fl-hp-")));
  });
  after(async () => {
    await at.engine.stop(0);
    await a.close();
    await b.close();
    await rm(at.directory, { recursive: true, force: true });
  });

  void test("hosts and paths", async () => {
    await at.engine.apply(
      plan(
        [
          host("a.example", route("a.example", { type: "prefix", path: "" }, "a")),
          host(
            "b.example",
            route("b.example", { type: "exact", path: "/foo" }, "b"),
            route("b.example", { type: "prefix", path: "/foo" }, "a"),
          ),
          host("*.example", route("*.example", { type: "prefix", path: "" }, "b")),
        ],
        [backend("a", [endpoint("a", a.port)]), backend("b", [endpoint("b", b.port)])],
      ),
    );
    const who = async (name: string, path: string): Promise<string> => {
      const { status, headers } = await get(at.port, name, path);
      return status === 200 ? String(headers["x-worker"]) : String(status);
    };
    assert.equal(await who("a.example", "/x"), "a");
    assert.equal(await who("A.Example:80", "/x"), "a");
    assert.equal(await who("b.example", "/foo"), "b");
    assert.equal(await who("b.example", "/foo/bar"), "a");
    assert.equal(await who("b.example", "/foobar"), "404");
    assert.equal(await who("c.example", "/"), "b");
    assert.equal(await who("d.c.example", "/"), "404");
    assert.equal(await who("example", "/"), "404");
  });
});
