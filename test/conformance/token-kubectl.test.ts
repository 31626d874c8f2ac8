import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { kubectls } from "../lab/kubectls.ts";
import { startSubject, type Answered, type Subject } from "./subject.ts";
import { claimsOf, ISSUER, tokensOf } from "./tokens.ts";

let subject: Subject;
let folder: string;
let bot: Answered["body"];
let pod: Answered["body"];
before(async () => {
  subject = await startSubject();
  const tokens = tokensOf(subject);
  bot = await tokens.account("bot");
  pod = await tokens.pod("p", "bot");
  folder = mkdtempSync(join(tmpdir(), "fairlead-token-kubectl-"));
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const cluster = {
    server: `https://127.0.0.1:${subject.port}`,
    "certificate-authority-data": base64(subject.ca),
  };
  const { cert, key } = subject.admin;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "admin",
    clusters: [{ name: "c", cluster }],
    contexts: ["admin", "nobody"].map((user) => ({ name: user, context: { cluster: "c", user } })),
    users: [
      { name: "admin", user: { "client-certificate-data": base64(cert), "client-key-data": base64(key) } },
      { name: "nobody", user: {} },
    ],
  };
  writeFileSync(join(folder, "kubeconfig"), JSON.stringify(config), { mode: 0o600 });
});
after(async () => {
  await subject.close();
  rmSync(folder, { recursive: true });
});

/** `kubectl create token` came with 1.24, `kubectl auth whoami` for good with 1.28. */
const capable = kubectls().filter(({ minor }) => minor >= 28);

void test("there is a kubectl to test with", () => assert.notEqual(capable.length, 0));

// Since 1.32 kubectl sends what it makes itself as protobuf.
for (const { path, version } of capable) {
  const run = (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const env = { ...process.env, KUBECONFIG: join(folder, "kubeconfig"), HOME: folder };
      execFile(path, args, { env, timeout: 60_000 }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      });
    });
  const works = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await run(...args);
    assert.equal(code, 0, `${args.join(" ")}: ${err}`);
    return out.trim();
  };
  const fails = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await run(...args);
    assert.notEqual(code, 0, `${args.join(" ")}: ${out}`);
    return err.trim();
  };

  void test(`kubectl ${version}: create token, with audience, duration and bound object`, async () => {
    const plain = claimsOf(await works("create", "token", "bot"));
    assert.deepEqual([plain.aud, plain.exp - plain.iat], [[ISSUER], 3600]);
    const asked = ["--audience", "vault", "--audience", "store", "--duration", "20m"];
    const other = claimsOf(await works("create", "token", "bot", ...asked));
    assert.deepEqual([other.aud, other.exp - other.iat], [["vault", "store"], 1200]);
    const bound = ["--bound-object-kind", "Pod", "--bound-object-name", "p", "--bound-object-uid", pod.metadata.uid];
    const own = claimsOf(await works("create", "token", "bot", ...bound))["kubernetes.io"];
    assert.deepEqual(own.pod, { name: "p", uid: pod.metadata.uid });
    assert.equal(own.serviceaccount.uid, bot.metadata.uid);
    const yaml = await works("create", "token", "bot", "-o", "yaml");
    assert.match(yaml, /^kind: TokenRequest$/m);
    assert.match(
      await fails("create", "token", "bot", "--duration", "5m"),
      /may not specify a duration less than 10 minutes/,
    );
    assert.match(await fails("create", "token", "none"), /serviceaccounts "none" not found/);
  });

  void test(`kubectl ${version}: auth whoami by certificate, by token, and for others`, async () => {
    const whoami = async (...args: readonly string[]): Promise<Answered["body"]> =>
      JSON.parse(await works("auth", "whoami", "-o", "json", ...args)).status.userInfo;
    assert.equal((await whoami()).username, "admin");
    const token = await works("create", "token", "bot", "--bound-object-kind", "Pod", "--bound-object-name", "p");
    const account = await whoami("--context", "nobody", "--token", token);
    assert.equal(account.username, "system:serviceaccount:default:bot");
    assert.deepEqual(account.extra["authentication.kubernetes.io/pod-name"], ["p"]);
    const table = await works("auth", "whoami", "--context", "nobody", "--token", token);
    assert.match(table, /Extra: authentication\.kubernetes\.io\/pod-uid +\[[0-9a-f-]{36}\]/);
    assert.deepEqual(await whoami("--as", "bob", "--as-group", "a", "--as-group", "b", "--as-uid", "u"), {
      username: "bob",
      uid: "u",
      groups: ["a", "b", "system:authenticated"],
    });
    assert.equal((await whoami("--as", "system:serviceaccount:default:bot")).groups[0], "system:serviceaccounts");
    assert.match(
      await fails("auth", "whoami", "--context", "nobody", "--token", `${token}x`),
      /Unauthorized|logged in/,
    );
  });
}
