import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { until } from "../lab/until.ts";
import { endpoint, openDoor } from "./exchange-door.ts";
import { ask, askHttp2, openHttp2 } from "./lab/clients.ts";

const host = "a.example";

test("a request goes to an endpoint and its answer comes back, over HTTP/1.1 and HTTP/2", async () => {
  await using shop = await endpoint(
    createServer((request, response) => {
      response.setHeader("x-seen", `${request.method} ${request.url} ${request.headers.host}`);
      request.pipe(response);
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const answered = await ask(door.place, { host, path: "/cart?full=1", method: "POST", body: "two shirts" });
  assert.equal(answered.status, 200);
  assert.equal(answered.text, "two shirts");
  assert.equal(answered.headers["x-seen"], "POST /cart?full=1 a.example");
  const session = await openHttp2(door.second, host);
  const second = await askHttp2(session, { host, path: "/cart", method: "PUT", body: "three" });
  assert.equal(second.status, 200);
  assert.equal(String(second.body), "three");
  assert.equal(second.headers["x-seen"], "PUT /cart a.example");
  session.close();
  await until("two lines in the access log", () => door.log.length === 2);
  assert.deepEqual(
    door.log.map(({ protocol, status, received, sent }) => ({ protocol, status, received, sent })),
    [
      { protocol: "HTTP/1.1", status: 200, received: 10, sent: 10 },
      { protocol: "HTTP/2.0", status: 200, received: 5, sent: 5 },
    ],
  );
  assert.equal(door.handler.underWay, 0);
});
