import { createHmac, randomBytes } from "node:crypto";
import { Worker } from "node:worker_threads";
import type { PasswordAnswer, PasswordQuestion } from "./protocol.ts";

/** Passwords that are waited for: of all clients, and of one. */
const MOST_WAITING = 128;
const MOST_WAITING_OF_ONE = 8;
/** Right ones that are remembered. */
const REMEMBERED = 10_000;
/** Bytes; crypt(3) takes no more either. */
const LONGEST = 512;

/** Too many passwords are being checked: of this client (429), or of all (503). */
export class PasswordsBusy extends Error {
  override readonly name = "PasswordsBusy";
  readonly status: 429 | 503;
  constructor(status: 429 | 503) {
    super("too many passwords are being checked");
    this.status = status;
  }
}

export interface PasswordCheck {
  /** Address. */
  readonly client: string;
  readonly user: string;
  readonly password: Buffer;
  readonly hash: string;
}

/** Checks passwords in a thread of its own, so that those who guess cannot keep anybody else waiting at the door. */
export interface Passwords {
  /** At once where the same was right lately. Rejects with {@link PasswordsBusy}, or where it could not be checked. */
  verify(check: PasswordCheck): boolean | Promise<boolean>;
  close(): Promise<void>;
}

interface Waiting {
  readonly client: string;
  readonly resolve: (isRight: boolean) => void;
  readonly reject: (error: Error) => void;
}

export function createPasswords(): Passwords {
  // A key of this process alone: what is remembered says nothing of a password.
  const secret = randomBytes(32);
  const right = new Set<string>();
  const underWay = new Map<string, Promise<boolean>>();
  const waiting = new Map<number, Waiting>();
  const ofClient = new Map<string, number>();
  let worker: Worker | undefined;
  let ids = 0;

  /** Changes with the hash, so that a changed password is forgotten. */
  const keyOf = ({ user, password, hash }: PasswordCheck): string =>
    createHmac("sha256", secret)
      .update(`${Buffer.byteLength(user)}:${user}${Buffer.byteLength(hash)}:${hash}`)
      .update(password)
      .digest("base64");
  const remember = (key: string): void => {
    right.delete(key);
    right.add(key);
    if (right.size > REMEMBERED) right.delete(right.values().next().value!);
  };
  const take = (id: number): Waiting | undefined => {
    const one = waiting.get(id);
    if (one === undefined) return undefined;
    waiting.delete(id);
    const count = (ofClient.get(one.client) ?? 1) - 1;
    if (count > 0) ofClient.set(one.client, count);
    else ofClient.delete(one.client);
    return one;
  };
  const open = (): Worker => {
    const made = new Worker(new URL("./passwords.worker.ts", import.meta.url), { name: "passwords" });
    let why = new Error("checking a password: its thread has ended");
    made.on("message", (answer: PasswordAnswer) => {
      const one = take(answer.id);
      if ("fault" in answer) one?.reject(new Error(answer.fault));
      else one?.resolve(answer.isRight);
      if (waiting.size === 0) made.unref();
    });
    made.on("error", (error) => {
      why = new Error(`checking a password: ${(error as Error).message}`, { cause: error });
    });
    made.on("exit", () => {
      if (worker === made) worker = undefined;
      for (const id of waiting.keys()) take(id)?.reject(why);
    });
    return made;
  };
  const ask = ({ client, password, hash }: PasswordCheck): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const id = ++ids;
      const count = ofClient.get(client) ?? 0;
      if (count >= MOST_WAITING_OF_ONE) return reject(new PasswordsBusy(429));
      if (waiting.size >= MOST_WAITING) return reject(new PasswordsBusy(503));
      ofClient.set(client, count + 1);
      waiting.set(id, { client, resolve, reject });
      worker ??= open();
      // Only while somebody waits does it keep the process alive.
      worker.ref();
      worker.postMessage({ id, password, hash } satisfies PasswordQuestion);
    });

  return {
    verify(check) {
      if (check.password.length > LONGEST || check.password.includes(0)) return false;
      const key = keyOf(check);
      if (right.has(key)) {
        remember(key);
        return true;
      }
      const asked = underWay.get(key);
      if (asked !== undefined) return asked;
      const asking = ask(check)
        .then((isRight) => {
          if (isRight) remember(key);
          return isRight;
        })
        .finally(() => underWay.delete(key));
      underWay.set(key, asking);
      return asking;
    },
    async close() {
      await worker?.terminate();
    },
  };
}
