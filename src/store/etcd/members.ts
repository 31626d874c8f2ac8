import { Metadata } from "@grpc/grpc-js";
import type { Client } from "@grpc/grpc-js";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { Unavailable } from "../store.ts";
import type { Call, Calls } from "./calls.ts";
import { Lost, NO_ANSWER, Refusal } from "./failure.ts";
import type { Member } from "./member.ts";

/** Milliseconds between two rounds over all members, none of which could be reached. */
const ROUND_PAUSE = 100;

export interface User {
  readonly name: string;
  readonly password: string;
}

export interface MembersOptions {
  readonly members: readonly Member[];
  readonly calls: Calls;
  readonly user: User | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** All members of an etcd. Requests go to one of them for as long as it answers, then to the next. */
export interface Members {
  /** Their endpoints, for sentences. */
  readonly names: string;
  /** A request that may be repeated. Throws {@link Refusal}, or {@link Unavailable} when no member answered in time. */
  ask<Request, Answer>(call: Call<Request, Answer>, request: Request): Promise<Answer>;
  /** A request that must not be: throws {@link Lost} when it was sent and no answer came. */
  send<Request, Answer>(call: Call<Request, Answer>, request: Request): Promise<Answer>;
  /** A client of a member that can be reached, its connection its own, and what calls by it have to say. */
  open(): Promise<{ readonly client: Client; readonly metadata: Metadata; readonly endpoint: string }>;
  /** The member of this endpoint does not serve well: another one shall. */
  avoid(endpoint: string): void;
  close(): void;
}

export function createMembers({ members, calls, user, timeoutMs, clock, log }: MembersOptions): Members {
  const names = members.map(({ endpoint }) => endpoint).join(",");
  let current = 0;
  let closed = false;
  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => void clock.after(milliseconds, resolve));

  const avoid = (endpoint: string): void => {
    if (members.length > 1 && members[current]!.endpoint === endpoint) current = (current + 1) % members.length;
  };

  const unavailable = (why: string): Unavailable =>
    new Unavailable(`etcd at ${names} does not answer: ${closed ? "the store is closed" : why}`);

  /** A member with a connection, tried in turn from the current one. */
  const reachable = async (until: number): Promise<Member> => {
    let why = "";
    for (let turn = 1; ; turn++) {
      const member = members[current]!;
      const share = Math.max(until - clock.now(), 1) / members.length;
      const reason = await member.unreachable(clock.now() + share);
      if (reason === undefined) return member;
      if (why === "" || reason !== NO_ANSWER) why = reason;
      avoid(member.endpoint);
      if (clock.now() >= until || closed) throw unavailable(why);
      if (turn % members.length === 0) await pause(ROUND_PAUSE);
    }
  };

  /* Tokens of etcd's users: given for a name and password, they end by time, and with the member that gave them. */
  let token: Promise<string> | undefined;
  const login = async ({ name, password }: User): Promise<string> => {
    const answer = await ask(calls.authenticate, { name, password }, new Metadata());
    return answer.token ?? "";
  };
  const metadataNow = async (): Promise<Metadata> => {
    const metadata = new Metadata();
    if (user === undefined) return metadata;
    const fresh = (token ??= login(user));
    try {
      metadata.set("token", await fresh);
    } catch (error) {
      if (token === fresh) token = undefined;
      throw error;
    }
    return metadata;
  };

  /** One call; when only the token was wrong, once more with another. */
  const attempt = async <Request, Answer>(
    member: Member,
    call: Call<Request, Answer>,
    request: Request,
    by: number,
    given: Metadata | undefined,
  ): Promise<Answer> => {
    const used = token;
    try {
      return await member.call(call, request, given ?? (await metadataNow()), by);
    } catch (error) {
      const isOld = given === undefined && user !== undefined && error instanceof Refusal && error.wantsNewToken;
      if (!isOld) throw error;
      if (token === used) token = undefined;
      log.debug({ endpoint: member.endpoint, why: error.message }, "etcd wants a new token");
      return member.call(call, request, await metadataNow(), by);
    }
  };

  const ask = async <Request, Answer>(
    call: Call<Request, Answer>,
    request: Request,
    given?: Metadata,
  ): Promise<Answer> => {
    const until = clock.now() + timeoutMs;
    for (;;) {
      const member = await reachable(until);
      try {
        // One that hangs must leave time for another.
        const by = members.length > 1 ? Math.min(until, clock.now() + timeoutMs / 2) : until;
        return await attempt(member, call, request, by, given);
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        avoid(member.endpoint);
        if (clock.now() >= until - ROUND_PAUSE || closed) throw unavailable(error.message);
        await pause(ROUND_PAUSE);
      }
    }
  };

  return {
    names,
    ask: (call, request) => ask(call, request),
    send: async (call, request) => {
      const member = await reachable(clock.now() + timeoutMs);
      try {
        return await attempt(member, call, request, clock.now() + timeoutMs, undefined);
      } catch (error) {
        if (error instanceof Lost) avoid(member.endpoint);
        throw error;
      }
    },
    open: async () => {
      const member = await reachable(clock.now() + timeoutMs);
      return { client: member.openClient(), metadata: await metadataNow(), endpoint: member.endpoint };
    },
    avoid,
    close: () => {
      closed = true;
      for (const member of members) member.close();
    },
  };
}
