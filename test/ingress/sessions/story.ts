import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { tokensOf } from "../../../src/ingress/affinity/token.ts";
import { cookieKeys } from "../plans.ts";
import { askAll, together, type AskPod, type Round, type SessionClient } from "./clients.ts";

export interface SessionPod {
  readonly uid: string;
  readonly address: string;
}

export interface StagePod {
  readonly pod: SessionPod;
  readonly isDraining?: boolean;
}

/** Whatever carries sessions: pods, two replicas of a controller, and a way to ask. */
export interface SessionStage {
  /** Opens a pod, at an address of its own or at one that another had. */
  open(address?: string): Promise<SessionPod>;
  /** These are the pods from now on, for both replicas. */
  carry(pods: readonly StagePod[]): Promise<void>;
  /** Ends a pod that no plan leads to any more. */
  end(pod: SessionPod): Promise<void>;
  /** Both replicas use these keys from now on. */
  rotate(seeds: readonly number[]): Promise<void>;
  /** The first replica ends and begins anew: nothing is remembered but what the cluster says. */
  restart(): Promise<void>;
  /** The first replica carries by its other engine from now on; absent: there is none. */
  readonly switchEngine?: () => Promise<string>;
  readonly ask: AskPod;
}

const CLIENTS = 1000;
const NAME = "INGRESSCOOKIE";

/**
 * 1,000 clients with cookies live through all that happens to pods and controllers; what moves is counted, told, and must be exactly the
 * sessions of pods that are gone.
 */
export async function tellSessions(t: TestContext, stage: SessionStage): Promise<void> {
  const clients: SessionClient[] = Array.from({ length: CLIENTS }, () => ({ cookie: undefined, home: undefined }));
  const gone = new Set<string>();
  const { ask } = stage;
  let pods: SessionPod[] = [];

  const at = (pod: SessionPod): number => clients.filter(({ home }) => home === pod.uid).length;
  const carry = async (next: readonly SessionPod[], draining: readonly SessionPod[] = []): Promise<void> => {
    await stage.carry([...next.map((pod) => ({ pod })), ...draining.map((pod) => ({ pod, isDraining: true }))]);
    pods = [...next];
  };
  const remove = async (some: readonly SessionPod[]): Promise<void> => {
    for (const { uid } of some) gone.add(uid);
    await carry(pods.filter((pod) => !some.includes(pod)));
    await Promise.all(some.map(async (pod) => stage.end(pod)));
  };
  const tell = (what: string, round: Round, want: { readonly moved: number; readonly cookies?: number }): void => {
    const { asked, moved, elsewhere, needlessly, lost, insteadOf200, cookies } = round;
    t.diagnostic(
      `${what}: ${asked} asked, ${moved} moved (${want.moved} had to), ${elsewhere} answered elsewhere once, ${lost} lost${lost > 0 ? ` (${insteadOf200})` : ""}, ${cookies} cookies`,
    );
    assert.deepEqual(
      { moved, needlessly, lost, cookies },
      { moved: want.moved, needlessly: 0, lost: 0, cookies: want.cookies ?? want.moved },
      what,
    );
  };
  const everyone = async (options?: Parameters<typeof askAll>[3]): Promise<Round> =>
    askAll(clients, ask, gone, options);

  await carry(await Promise.all([stage.open(), stage.open(), stage.open()]));
  tell("3 pods, all clients are new", await everyone(), { moved: 0, cookies: CLIENTS });
  tell("3 pods, they come again", await everyone(), { moved: 0 });
  for (const pod of pods) assert.ok(at(pod) > CLIENTS / 6, "each pod has its part of the sessions");

  const more = await Promise.all(Array.from({ length: 7 }, async () => stage.open()));
  const growing = everyone();
  await carry([...pods, ...more]);
  tell("3 → 10 pods, meanwhile", await growing, { moved: 0 });
  tell("3 → 10 pods", await everyone(), { moved: 0 });

  // New clients come to the new ones, so that something is to be lost.
  const newcomers = Array.from({ length: CLIENTS / 2 }, () => ({ cookie: undefined, home: undefined }));
  clients.splice(CLIENTS / 2, CLIENTS / 2, ...newcomers);
  tell("half of the clients are others", await everyone(), { moved: 0, cookies: CLIENTS / 2 });
  for (const pod of pods) assert.ok(at(pod) > 0, "each of the ten has sessions");

  const lost = pods.filter((_, index) => index % 5 > 1);
  assert.equal(lost.length, 6);
  const had = lost.reduce((sum, pod) => sum + at(pod), 0);
  await remove(lost);
  tell("10 → 4 pods", await everyone(), { moved: had });
  tell("10 → 4 pods, they come again", await everyone(), { moved: 0 });

  let replaced = 0;
  let movedInRollout = 0;
  for (const old of pods) {
    const young = await stage.open();
    const others = pods.filter((pod) => pod !== old);
    // As a rollout goes: the new one is ready, the old one drains, and ends when nobody is led to it any more.
    const coming = everyone();
    await carry([...others, young], [old]);
    tell(`rollout ${replaced + 1} of 4, the old one drains`, await coming, { moved: 0 });
    tell(`rollout ${replaced + 1} of 4, it drains still`, await everyone(), { moved: 0 });
    const mine = at(old);
    gone.add(old.uid);
    const going = everyone();
    await carry(pods);
    await stage.end(old);
    const both = together(await going, await everyone());
    movedInRollout += both.moved;
    tell(`rollout ${replaced + 1} of 4, the old one is gone`, both, { moved: mine });
    replaced += 1;
  }
  t.diagnostic(`rollout of ${replaced} pods: ${movedInRollout} moves, each client once for each loss of its pod`);

  tell("two replicas of the controller, each in turn", await everyone({ door: "each in turn" }), { moved: 0 });
  tell("the other replica alone", await everyone({ door: "second" }), { moved: 0 });
  await stage.restart();
  tell("the controller was started again", await everyone(), { moved: 0 });

  if (stage.switchEngine !== undefined) {
    for (let turn = 0; turn < 2; turn++) {
      const during = everyone();
      const name = await stage.switchEngine();
      tell(`the engine is being switched to ${name}`, await during, { moved: 0 });
      tell(`the engine is ${name}`, await everyone(), { moved: 0 });
    }
  }

  await stage.rotate([2, 1]);
  tell("the key was rotated", await everyone(), { moved: 0, cookies: CLIENTS });
  tell("the key was rotated, at the other replica", await everyone({ door: "second" }), { moved: 0 });
  await stage.rotate([2]);
  tell("the former key is forgotten", await everyone(), { moved: 0 });

  const [unlucky, ...fortunate] = pods as [SessionPod, ...SessionPod[]];
  const orphans = at(unlucky);
  await remove([unlucky]);
  const heir = await stage.open(unlucky.address);
  assert.equal(heir.address, unlucky.address);
  await carry([...fortunate, heir]);
  tell("a pod is deleted and its address another's", await everyone(), { moved: orphans });

  const stranger = tokensOf(cookieKeys(2));
  const forged: readonly (readonly [string, string])[] = [
    ["a token by chance", "AAAAAAAAAAAAAAAAAAAAAA"],
    ["a token of a pod that is gone", stranger(unlucky.uid)[0]!],
    ["a token of another backend's pod", stranger("f0e1d2c3-0000-4000-8000-000000000000")[0]!],
    ["a token with a key of one's own", tokensOf(cookieKeys(66))(heir.uid)[0]!],
    ["a value of 8 kB", "x".repeat(8192)],
  ];
  for (const [what, value] of forged) {
    const cookie = `${NAME}=${value}`;
    const liars: SessionClient[] = Array.from({ length: 40 }, () => ({ cookie, home: undefined }));
    const round = await askAll(liars, ask, gone);
    t.diagnostic(
      `${what}: ${round.cookies} of ${round.asked} got a session of their own, with ${round.byPod.size} pods`,
    );
    assert.deepEqual([round.cookies, round.lost, round.byPod.size], [40, 0, pods.length], what);
    assert.equal((await askAll(liars, ask, gone)).moved, 0, what);
  }
  tell("after all that", await everyone(), { moved: 0 });
}
