import type { IPFamily } from "../../../net/ip.ts";
import type { NftPart } from "./compile.ts";
import { Stage } from "./diff.ts";
import type { Desired } from "../../engine.ts";
import { TABLE, TABLE_FAMILY, type Element, type SetName } from "./elements.ts";
import { LAYOUT, type NftFrame } from "./frame.ts";
import { priorityText } from "./listid.ts";
import { numberPort, type PortNumbers } from "./numbering.ts";
import { shapeLines, shapeName } from "./shape.ts";
import type { AppliedPart, NftState } from "./state.ts";

const RANGE_SETS: ReadonlySet<SetName> = new Set([
  "fer",
  "feor",
  "rejr",
  "drpr",
  "fw_fer",
  "fw_allow",
  "fw_allowr",
  "pods",
  "svc_cidrs",
]);

/** Fewer free numbers than this are few. */
const SPARE_SHAPES = 512;

const sameText = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((line, at) => line === other[at]);

/** One transaction: what it says to nft, and what is true once nft has taken it. */
export class Transaction {
  readonly #state: NftState;
  readonly #elements: Stage;
  readonly #head: string[] = [];
  readonly #then: (() => void)[] = [];
  readonly #families: readonly IPFamily[];

  /** Rules of the fixed chains are among the lines: where they are must be learned. */
  writesRules = false;

  constructor(state: NftState, families: readonly IPFamily[]) {
    this.#state = state;
    this.#families = families;
    this.#elements = new Stage(state.table);
  }

  /** Tables, sets and fixed chains, and the elements of the node. */
  frame(next: NftFrame): void {
    for (const family of this.#state.foreignLayouts) {
      const table = `${TABLE_FAMILY[family]} ${TABLE}`;
      this.#head.push(`add table ${table}`, `delete table ${table}`);
    }
    if (!sameText(this.#state.frame?.lines ?? [], next.lines)) {
      this.#head.push(...next.lines);
      this.writesRules = true;
    }
    this.#replace(this.#state.frame?.elements ?? [], next.elements);
    this.#then.push(() => this.#state.foreignLayouts.clear());
  }

  /** Ranges of unassigned addresses. */
  last(next: NftFrame): void {
    this.#replace(this.#state.frame?.last ?? [], next.last);
    this.#then.push(() => (this.#state.frame = next));
  }

  /**
   * Takes away the ranges that an earlier run left and nobody wants: a set of ranges refuses one that overlaps with
   * another, so they cannot wait for the sweep.
   */
  sweepRanges({ frame, parts }: Desired<NftPart, NftFrame>): void {
    const wanted = new Set<string>();
    const want = ({ family, set, key }: Pick<Element, "family" | "set" | "key">): void => {
      if (RANGE_SETS.has(set)) wanted.add(`${family} ${set} ${key}`);
    };
    for (const element of [...frame.elements, ...frame.last]) want(element);
    for (const part of parts.values()) {
      part.elements.forEach(want);
      for (const { family, entrances } of part.ports)
        for (const { map, key } of entrances) want({ family, set: map, key });
    }
    for (const family of this.#families) {
      for (const set of RANGE_SETS) {
        for (const key of this.#state.table.of(family, set).keys()) {
          if (!wanted.has(`${family} ${set} ${key}`)) this.#elements.sweep({ family, set, key });
        }
      }
    }
  }

  /** Takes away what an earlier run left and nobody has wanted since. */
  sweep(): void {
    for (const { family, set, key, count } of this.#state.table.all()) {
      if (count === 0 && this.#families.includes(family)) this.#elements.sweep({ family, set, key });
    }
    this.#then.push(() => this.#state.forgetFound());
  }

  /** Makes room for new shapes where it is short. Alone in its transaction: it knows nothing of what is under way. */
  retireShapes(): void {
    for (const family of this.#families) {
      if (this.#state.shapesLeft(family) >= SPARE_SHAPES) continue;
      const idle = this.#state.idleShapes(family);
      const table = `${TABLE_FAMILY[family]} ${TABLE}`;
      for (const { shape, number } of idle) {
        this.#head.push(`delete element ${table} shapes { ${priorityText(number << 2)} }`);
        this.#head.push(`delete chain ${table} ${shapeName(shape)}`);
      }
      this.#state.forgetShapes(idle);
    }
  }

  /** A Service as it shall be, or undefined for one that goes. */
  service(key: string, part: NftPart | undefined): void {
    const was = this.#state.parts.get(key);
    const numbers = new Map<string, PortNumbers>();
    const elements: Element[] = [...(part?.elements ?? [])];
    for (const port of part?.ports ?? []) {
      const numbered = numberPort(port, was?.numbers.get(port.id), this.#state);
      if (numbered.numbers !== undefined) numbers.set(port.id, numbered.numbers);
      elements.push(...numbered.elements);
    }
    this.#replace(was?.elements ?? [], elements);
    this.#then.push(() => this.#settle(key, was, part === undefined ? undefined : { part, numbers, elements }));
  }

  #settle(key: string, was: AppliedPart | undefined, is: AppliedPart | undefined): void {
    for (const port of was?.part.ports ?? []) {
      const numbers = was!.numbers.get(port.id);
      if (numbers !== undefined && !is?.numbers.has(port.id)) this.#state.release(port.family, numbers.port);
    }
    if (is === undefined) this.#state.parts.delete(key);
    else this.#state.parts.set(key, is);
  }

  #replace(was: readonly Element[], is: readonly Element[]): void {
    for (const element of was) this.#elements.release(element);
    for (const element of is) this.#elements.acquire(element);
  }

  /** nft's lines; none when nothing changes. `generation` is written beside, to tell later whether they were taken. */
  lines(generation: number): string[] {
    const shapes: string[] = [];
    for (const { family, shape, number } of this.#state.dueShapes) {
      const table = `${TABLE_FAMILY[family]} ${TABLE}`;
      shapes.push(...shapeLines(shape, family));
      shapes.push(`add element ${table} shapes { ${priorityText(number << 2)} : goto ${shapeName(shape)} }`);
    }
    const lines = [...this.#head, ...shapes, ...this.#elements.lines()];
    if (lines.length === 0) return [];
    for (const family of this.#families) {
      const state = `${TABLE_FAMILY[family]} ${TABLE} state`;
      const was = this.#state.foreignLayouts.has(family) ? undefined : this.#state.generations.get(family);
      if (was !== undefined) lines.push(`delete element ${state} { 0 }`);
      lines.push(`add element ${state} { 0 : ${generation}, 1 : ${LAYOUT} }`);
    }
    return lines;
  }

  commit(generation: number | undefined): void {
    this.#elements.commit();
    this.#state.shapesMade();
    for (const action of this.#then) action();
    if (generation === undefined) return;
    for (const family of this.#families) this.#state.generations.set(family, generation);
  }
}
