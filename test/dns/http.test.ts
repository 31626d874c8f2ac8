import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { createHttp } from "../../src/dns/http/http.ts";

const free = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  assert.ok(typeof at === "object" && at !== null);
  await new Promise((resolve) => server.close(resolve));
  return at.port;
};

const ask = async (port: number, path: string): Promise<[number, string]> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
};

describe("/health, /ready and /metrics", () => {
  test("DNS-129: they say how it is: not ready, ready, and ending, while /health stays OK", async (t) => {
    let missing: string[] = ["kubernetes"];
    let isEnding = false;
    const http = createHttp({
      notReady: () => missing,
      isEnding: () => isEnding,
      metrics: async () => "coredns_build_info 1\n",
    });
    t.after(() => http.close());
    const [one, other] = [await free(), await free()];
    const at = (port: number) => ({ host: "127.0.0.1", port });
    await http.serve({ health: { ...at(one), lameduck: 0 }, ready: at(one), prometheus: at(other) });
    assert.deepEqual(await ask(one, "/health"), [200, "OK"]);
    assert.deepEqual(await ask(one, "/ready"), [503, "kubernetes"]);
    missing = [];
    assert.deepEqual(await ask(one, "/ready?x"), [200, "OK"]);
    isEnding = true;
    assert.deepEqual(await ask(one, "/ready"), [503, "Shutting down"]);
    assert.deepEqual(await ask(one, "/health"), [200, "OK"]);
    assert.deepEqual(await ask(other, "/metrics"), [200, "coredns_build_info 1\n"]);
    assert.equal((await ask(one, "/metrics"))[0], 404);

    await http.serve({ health: { ...at(one), lameduck: 0 } });
    assert.deepEqual(await ask(one, "/health"), [200, "OK"]);
    assert.equal((await ask(one, "/ready"))[0], 404);
    await assert.rejects(ask(other, "/metrics"), "its address is closed");
  });

  test("an address that is taken is named, and what was open stays open", async (t) => {
    const http = createHttp({ notReady: () => [], isEnding: () => false, metrics: async () => "" });
    t.after(() => http.close());
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    t.after(() => taken.close());
    const at = taken.address();
    assert.ok(typeof at === "object" && at !== null);
    const one = await free();
    await http.serve({ ready: { host: "127.0.0.1", port: one } });
    await assert.rejects(
      http.serve({ prometheus: { host: "127.0.0.1", port: at.port } }),
      new RegExp(`opening /metrics of DNS: listening on 127\\.0\\.0\\.1:${at.port}`),
    );
    assert.deepEqual(await ask(one, "/ready"), [200, "OK"]);
  });
});
