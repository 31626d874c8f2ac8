import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import { assert, property, string } from "fast-check";
import { requestHead } from "../../../../test/ingress/filter-examples.ts";
import { crypt } from "../../../host/crypt.ts";
import { silentLog } from "../../../observe/log.ts";
import type { Answer } from "../../request.ts";
import { basicAuth } from "./basic-auth.ts";
import { checkPassword } from "./check.ts";
import { readCredentials } from "./credentials.ts";
import { hashKind } from "./hash-kind.ts";
import { createPasswords, PasswordsBusy } from "./passwords.ts";

const passwords = createPasswords();
after(() => passwords.close());

const PASSWORD = "pässword:1";
const made = (...args: string[]): string =>
  execFileSync("openssl", ["passwd", ...args, PASSWORD], { encoding: "utf8" }).trim();
const sha = (...parts: (string | Buffer)[]): Buffer => {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const ssha = `{SSHA}${Buffer.concat([sha(PASSWORD, "salt"), Buffer.from("salt")]).toString("base64")}`;

for (const [name, hash, password] of [
  ["apr1", made("-apr1"), PASSWORD],
  ["MD5 of crypt", made("-1"), PASSWORD],
  ["SHA-256 of crypt", made("-5"), PASSWORD],
  ["SHA-512 of crypt", made("-6"), PASSWORD],
  ["SHA-512 of crypt with rounds", crypt(Buffer.from(PASSWORD), "$6$rounds=1000$salt")!, PASSWORD],
  ["SHA", `{SHA}${sha(PASSWORD).toString("base64")}`, PASSWORD],
  ["SSHA", ssha, PASSWORD],
  ["PLAIN", `{PLAIN}${PASSWORD}`, PASSWORD],
  ["DES of crypt", "klGDV42JhmAeM", "password"],
  // Written down, since `openssl passwd` makes none of these kinds: only that libcrypt takes them, and takes them for no other password, is shown.
  ["bcrypt", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"],
  ["bcrypt as Node writes it", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"],
  ["bcrypt of old", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"],
  [
    "yescrypt",
    "$y$j9T$k2XAnEHBqQ1Ct2aMXFKNa/HAmA1BpMnBsYHMWB4NZN4$cTRHHrQy5mukLMVjuMxxN9k5iOn2AeOAV/wVSyrfCs.",
    "password",
  ],
] as const) {
  test(`a password is checked against a hash of ${name}`, async () => {
    ok(hashKind(hash) !== undefined, hash);
    const check = { client: "192.0.2.1", user: "a", hash };
    equal(await passwords.verify({ ...check, password: Buffer.from(password) }), true);
    // And at once from now on.
    equal(passwords.verify({ ...check, password: Buffer.from(password) }), true);
    for (const wrong of [`x${password}`, password.slice(1), "", hash]) {
      equal(await passwords.verify({ ...check, password: Buffer.from(wrong) }), false, wrong);
      equal(await passwords.verify({ ...check, password: Buffer.from(wrong) }), false, wrong);
    }
  });
}

test("hashes that are none, of other kinds, or too costly to check are nobody's password", () => {
  const salt = "a".repeat(53);
  for (const hash of [
    "",
    "secret",
    "*",
    "!",
    "x",
    "$",
    "$9$salt$abc",
    "$3$$8846f7eaee8fb117ad06bdd830b7586c",
    "$1$saltsaltsalt$O3SP939APF3hDIfP7rXqx1",
    "$apr1$saltsalt$short",
    "{SHA}",
    "{SSHA}",
    "{MD5}abc",
    `$2y$31$${salt}`,
    `$2y$15$${salt}`,
    "$6$rounds=999999999$salt$" + "a".repeat(86),
    "$y$jFT$salt$" + "a".repeat(43),
    "$y$j9z$salt$" + "a".repeat(43),
    "$7$CU..../....salt$" + "a".repeat(43),
  ]) {
    equal(hashKind(hash), undefined, hash);
    equal(checkPassword(Buffer.from(hash), hash, crypt), false, hash);
  }
  equal(hashKind(`$2y$14$${salt}`), "crypt");
});

test("what the library says of a hash that it does not know is no hash", () => {
  equal(crypt(Buffer.from("a"), "$9$salt"), undefined);
  equal(crypt(Buffer.from("a"), "*0"), undefined);
});

test("no text is read as a hash, or as credentials, that throws", () => {
  assert(
    property(string(), string(), (hash, text) => {
      hashKind(hash);
      readCredentials(text);
      readCredentials(`Basic ${text}`);
      const credentials = readCredentials(`Basic ${Buffer.from(`user:${text}`).toString("base64")}`);
      deepEqual([credentials?.user, credentials?.password.toString()], ["user", Buffer.from(text).toString()]);
    }),
  );
});

for (const said of [
  undefined,
  "",
  "Basic",
  "Basic ",
  "Bearer YTpi",
  "Basic YQ==",
  "Basic Y!TpiX",
  `Basic ${Buffer.from(`a:${"b".repeat(5000)}`).toString("base64")}`,
  "Basic YTpi\n",
]) {
  test(`Authorization ${JSON.stringify(said?.slice(0, 20))} says nobody`, () =>
    equal(readCredentials(said), undefined));
}

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
const asks = (admit: ReturnType<typeof basicAuth>, authorization: string | undefined, client = "192.0.2.1") =>
  admit(requestHead("/", { client, headers: authorization === undefined ? {} : { authorization } }));

test("without the right password the answer is 401, which names the realm and nothing else", async () => {
  const users = new Map([["a", made("-apr1")]]);
  const admit = basicAuth({ realm: 'The "in"ner\r\nX: y', users }, {}, passwords, silentLog);
  const refusal = {
    status: 401,
    headers: { "www-authenticate": 'Basic realm="The \\"in\\"nerX: y", charset="UTF-8"' },
  };
  deepEqual(await asks(admit, undefined), refusal);
  deepEqual(await asks(admit, basic("a", "wrong")), refusal);
  deepEqual(await asks(admit, basic("b", PASSWORD)), refusal);
  deepEqual(await asks(admit, basic("", "")), refusal);
  equal(await asks(admit, basic("a", PASSWORD)), undefined);
  equal(asks(admit, basic("a", PASSWORD)), undefined);
  // Somebody else's password is nothing to one who is not there.
  deepEqual(await asks(admit, basic("b", PASSWORD)), refusal);
});

test("a password that was right is not when its hash is another", async () => {
  const ask = (hash: string) =>
    passwords.verify({ client: "192.0.2.1", user: "x", password: Buffer.from(PASSWORD), hash });
  equal(await ask(made("-6")), true);
  equal(await ask(execFileSync("openssl", ["passwd", "-6", "another"], { encoding: "utf8" }).trim()), false);
});

test("somebody who is not there is checked as somebody who is", async () => {
  const seen: string[] = [];
  const spy = { verify: (check: { hash: string }) => (seen.push(check.hash), false), close: () => Promise.resolve() };
  const admit = basicAuth({ realm: "r", users: new Map([["a", "{PLAIN}b"]]) }, {}, spy, silentLog);
  await asks(admit, basic("nobody", "b"));
  deepEqual(seen, ["{PLAIN}b"]);
  // And is not let in for having guessed it.
  const always = { verify: () => true, close: () => Promise.resolve() };
  const open = basicAuth({ realm: "r", users: new Map([["a", "{PLAIN}b"]]) }, {}, always, silentLog);
  equal(((await asks(open, basic("nobody", "b"))) as Answer).status, 401);
  equal(await asks(open, basic("a", "b")), undefined);
});

test("a flood of wrong passwords stalls nobody: the thread goes on, the queue is bounded, and who is known gets in at once", async () => {
  const hash = crypt(Buffer.from("right"), `$2y$12$${"C".repeat(21)}.`)!;
  const flooded = createPasswords();
  try {
    const admit = basicAuth({ realm: "r", users: new Map([["a", hash]]) }, {}, flooded, silentLog);
    equal(await asks(admit, basic("a", "right"), "192.0.2.99"), undefined);
    const began = performance.now();
    let longest = 0;
    let last = began;
    const beat = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const answers: Promise<Answer | undefined>[] = [];
    for (let client = 1; client <= 40; client += 1) {
      for (let guess = 0; guess < 10; guess += 1) {
        answers.push(Promise.resolve(asks(admit, basic("a", `wrong ${client} ${guess}`), `192.0.2.${client}`)));
      }
    }
    equal(asks(admit, basic("a", "right"), "192.0.2.99"), undefined);
    // Most are refused in their own turn; those are told at once.
    const busy = await Promise.all(answers.slice(8, 10));
    deepEqual(
      busy.map((answer) => answer?.status),
      [429, 429],
    );
    deepEqual((await answers.at(-1))?.status, 503);
    equal((await answers[0])?.status, 401);
    clearInterval(beat);
    ok(longest < 1000, `nothing else was done for ${longest} ms`);
  } finally {
    await flooded.close();
  }
});

test("equal questions are asked once, and those of a closed door are told", async () => {
  const hash = crypt(Buffer.from("right"), `$2y$10$${"C".repeat(21)}.`)!;
  const own = createPasswords();
  const check = { client: "192.0.2.1", user: "a", password: Buffer.from("right"), hash };
  const all = Array.from({ length: 100 }, () => own.verify(check));
  equal(new Set(all).size, 1);
  deepEqual(new Set(await Promise.all(all.map((one) => Promise.resolve(one)))), new Set([true]));
  const late = own.verify({ ...check, password: Buffer.from("wrong") });
  const refused = rejects(Promise.resolve(late), /its thread has ended/);
  await own.close();
  await refused;
});

test("a password of many bytes, or with a zero in it, is nobody's", () => {
  const check = { client: "192.0.2.1", user: "a", hash: "{PLAIN}a" };
  equal(passwords.verify({ ...check, password: Buffer.alloc(513, "a") }), false);
  equal(passwords.verify({ ...check, password: Buffer.from("a\0b") }), false);
});

test("what cannot be checked lets nobody in", async () => {
  const broken = (why: Error) => ({
    verify: async (): Promise<boolean> => {
      throw why;
    },
    close: async () => {},
  });
  const users = new Map([["a", "{PLAIN}b"]]);
  const ask = (error: Error) => asks(basicAuth({ realm: "r", users }, {}, broken(error), silentLog), basic("a", "b"));
  deepEqual(await ask(new Error("no library")), { status: 503 });
  deepEqual(await ask(new PasswordsBusy(429)), { status: 429, headers: { "retry-after": "1" } });
});
