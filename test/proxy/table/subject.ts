import type { Host } from "../../../src/host/host.ts";
import type { EngineAbilities, ProxyEngine } from "../../../src/proxy/engine.ts";
import type { Balance } from "../../../src/proxy/plan/plan.ts";
import type { Cell, Expected } from "./row.ts";

export type AbilityName = Exclude<keyof EngineAbilities, "balance">;

/** What happens in the place of what an engine cannot do: one end for all cells, or one a cell. */
export type Instead = Expected | ((cell: Cell, was: Expected) => Expected);

/** An engine and how it is to be looked at. */
export interface Subject<P, F, A> {
  readonly name: string;
  /** An engine whose programs run in the network of `host`. Called again for a restart. */
  readonly open: (host: Host) => ProxyEngine<P, F, A>;
  /** The tests have a machine of their own, and it is the node. */
  readonly nodeIsHere?: boolean;
  /** What happens where the engine lacks an ability; what is not named is as in `USUAL`. */
  readonly instead?: { readonly [name in AbilityName]?: Instead };
  /**
   * Single rows that end in another way, by the number that their name begins with: why, and how. A test with its own way of looking has its
   * own word for what happens instead, or is skipped with the reason.
   */
  readonly exceptions?: { readonly [row: string]: { readonly why: string; readonly instead?: Instead } };
  /** What the kernel holds of the engine's, in a text that says the same where the same is carried; without it there are no sequences. */
  readonly snapshot?: (host: Host) => Promise<string>;
  /** The same to the letter, as a restart leaves it; else `snapshot`. */
  readonly exact?: (host: Host) => Promise<string>;
}

/** What a client usually meets where an engine lacks an ability. */
const USUAL: { readonly [name in AbilityName]?: Instead } = {
  refusalWithoutEndpoints: "closed",
  dropWithoutLocalEndpoints: "refused",
  refusalOfWrongPorts: "unanswered",
  dropOfUnassignedAddresses: "refused",
  dropOutsideSourceRanges: "closed",
};

/** Why an engine lacks an ability; undefined: it has it. */
export function lack(abilities: EngineAbilities, name: AbilityName | Balance): string | undefined {
  const ability = name in abilities ? abilities[name as AbilityName] : abilities.balance[name as Balance];
  return ability === true ? undefined : ability.not;
}

/** Without the ability and without a word for what happens, the table itself has a hole. */
export function insteadOf(subject: Subject<never, never, never>, name: AbilityName, row: string): Instead {
  const found = subject.instead?.[name] ?? USUAL[name];
  if (found === undefined) {
    throw new Error(`${subject.name} has no ${name}, and its packet table does not say what happens instead: ${row}`);
  }
  return found;
}
