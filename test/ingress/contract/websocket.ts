import assert from "node:assert/strict";
import { once } from "node:events";
import { ask, openRaw, openWebSocket, said } from "../lab/clients.ts";
import { headerOf } from "../lab/behaviour.ts";
import type { EngineSubject } from "../lab/door.ts";
import { onStage } from "./stage.ts";

/** Connections that become something else. */
export const webSocketExamples = (subject: EngineSubject): void =>
  onStage(subject, "WebSocket", (add) => {
    for (const by of ["plain", "secure"] as const) {
      add(`messages go to and fro by ${by}, of text, bytes and one megabyte`, async ({ site, door }) => {
        const { host, pods } = await site({ pods: 3 });
        const socket = await openWebSocket(door[by], { host, path: "/ws?x=1" });
        const pod = await said(socket, "who");
        assert.ok(pods.some(({ name }) => name === pod));
        for (const text of ["hello", "", "é€😀", "x".repeat(1 << 20)]) assert.equal(await said(socket, text), text);
        const bytes = once(socket, "message") as Promise<[Buffer, boolean]>;
        socket.send(Buffer.from([0, 1, 254, 255]));
        const [data, isBinary] = await bytes;
        assert.deepEqual([data, isBinary], [Buffer.from([0, 1, 254, 255]), true]);
        const pong = once(socket, "pong");
        socket.ping("are you there");
        assert.equal(String((await pong)[0]), "are you there");
        const closed = once(socket, "close");
        socket.close(4000, "enough");
        assert.deepEqual([(await closed)[0], String((await closed)[1])], [4000, "enough"]);
      });
    }

    add("the pod's own close reaches the client, with its code", async ({ site, door }) => {
      const { host } = await site();
      const socket = await openWebSocket(door.plain, { host });
      const closed = once(socket, "close");
      socket.send("close");
      assert.deepEqual([(await closed)[0], String((await closed)[1])], [4001, "as you wish"]);
    });

    add("headers of the upgrade reach the pod, protocols and extensions too", async ({ site, door, lab }) => {
      const { host } = await site();
      const socket = await openWebSocket(door.plain, {
        host,
        path: "/upgrade-headers",
        headers: { origin: "https://a.test", authorization: "Bearer x" },
        protocols: ["chat.v2"],
        perMessageDeflate: true,
      });
      const seen = await lab.sees("/upgrade-headers");
      assert.equal(headerOf(seen, "origin"), "https://a.test");
      assert.equal(headerOf(seen, "authorization"), "Bearer x");
      assert.equal(headerOf(seen, "sec-websocket-protocol"), "chat.v2");
      assert.match(headerOf(seen, "sec-websocket-extensions") ?? "", /permessage-deflate/);
      assert.equal(headerOf(seen, "x-forwarded-for"), "127.0.0.1");
      assert.match(headerOf(seen, "connection") ?? "", /upgrade/i);
      assert.equal(socket.protocol, "chat.v2");
      socket.terminate();
    });

    add("a refused upgrade is the client's, with its status and body, and the door stays", async ({ site, door }) => {
      const { host } = await site();
      await assert.rejects(
        openWebSocket(door.plain, { host, how: { upgrade: "refused", status: 401 } }),
        /refused with 401/,
      );
      const answered = await ask(door.plain, {
        host,
        headers: {
          connection: "upgrade",
          upgrade: "websocket",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
          "sec-websocket-version": "13",
        },
        how: { upgrade: "refused", status: 403, body: "not you" },
      });
      assert.deepEqual([answered.status, answered.text], [403, "not you"]);
      assert.equal((await ask(door.plain, { host })).status, 200);
    });

    add("an upgrade where no route is, or no pod: 404 and 503", async ({ site, door }) => {
      const { host, endpoints } = await site();
      await assert.rejects(openWebSocket(door.plain, { host: "nowhere.ws.test" }), /refused with 404/);
      await endpoints([]);
      await assert.rejects(openWebSocket(door.plain, { host }), /refused with 503/);
    });

    add("another protocol than WebSocket, and its half close", async ({ site, door, pods }) => {
      const { host } = await site();
      const raw = await openRaw(door.plain);
      raw.write(
        `GET /bare HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: bare\r\nx-do: {"upgrade":"bare"}\r\n\r\nearly `,
      );
      await raw.has("101 Switching Protocols");
      await raw.has("early ");
      raw.write("late");
      await raw.has("late");
      raw.socket.end();
      assert.match(await raw.over(), new RegExp(`bye from ${pods[0]!.name}`));
    });

    add("a WebSocket client that vanishes is closed at the pod", async ({ site, door, lab, name }) => {
      const { host } = await site();
      const path = `/${name("vanish")}-`;
      const socket = await openWebSocket(door.plain, { host, path });
      await said(socket, "who");
      socket.terminate();
      await lab.sees(path, ({ outcome }) => outcome !== "under way");
    });

    add("a pod that is gone closes its WebSockets", async ({ site, door, lab }) => {
      const pod = await lab.pod();
      const { host } = await site({ pods: [pod] });
      const socket = await openWebSocket(door.plain, { host });
      await said(socket, "who");
      const closed = once(socket, "close");
      await pod.kill();
      await closed;
    });

    add("WebSocket keeps to its session's pod, and sets the cookie where there is none", async ({ site, door }) => {
      const { host } = await site({ pods: 3, nginx: { affinity: "cookie" } });
      const first = await openWebSocket(door.plain, { host });
      const cookie = (first.upgradeHeaders["set-cookie"]?.[0] ?? "").split(";")[0]!;
      assert.match(cookie, /^INGRESSCOOKIE=./);
      const pod = await said(first, "who");
      for (let i = 0; i < 4; i++) {
        const again = await openWebSocket(door.plain, { host, headers: { cookie } });
        assert.equal(await said(again, "who"), pod);
        assert.equal(again.upgradeHeaders["set-cookie"], undefined);
        again.terminate();
      }
      first.terminate();
    });

    add("a pod that refuses connections is passed over for WebSocket, too", async ({ site, door, lab }) => {
      const [good, bad] = [await lab.pod(), await lab.pod()];
      const { host } = await site({ pods: [good, bad] });
      await bad.kill();
      for (let i = 0; i < 4; i++) {
        const socket = await openWebSocket(door.plain, { host });
        assert.equal(await said(socket, "who"), good.name);
        socket.terminate();
      }
    });
  });
