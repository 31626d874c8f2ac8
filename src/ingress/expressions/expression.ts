import { setFlagsFromString } from "node:v8";
import { anyCase } from "./any-case.ts";
import { stepsOf } from "./bound.ts";

/** Of a path or of a header, in characters: what a request's head may have. */
const LONGEST = 16 * 1024;
/** What an expression may take for one text: a few milliseconds. */
const MOST_STEPS = 2_000_000;

// V8 has a second engine, whose time is linear, for an expression that went back on its choices so often. It is there for expressions that are
// made from now on; those of other parts lose nothing by it.
setFlagsFromString("--enable-experimental-regexp-engine");
setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");
setFlagsFromString("--regexp-backtracks-before-fallback=10000");

/** A flag of V8's own: with it no expression is taken that the engine with linear time cannot do. */
const LINEAR: string = "l";

function isLinear(source: string): boolean {
  try {
    void new RegExp(source, LINEAR);
    return true;
  } catch {
    return false;
  }
}

/** Whether it comes to its end soon with any engine, whatever the text is. */
export const endsAnywhere = (source: string, isAnchored: boolean): boolean =>
  stepsOf(source, LONGEST, isAnchored) <= MOST_STEPS;

const TOO_LONG =
  "it could take for ever with some texts, and should do without looking around, references and large counts, or without one repetition in or after another";

/**
 * An expression that a user wrote, as JavaScript has them, which comes to its end soon whatever it is asked about: by V8's engine with linear
 * time, and where that cannot do it, because few steps are enough. Throws for what is none, and for what could take for ever.
 */
function expression(source: string, isAnchored: boolean, ignoresCase: boolean): RegExp {
  const plain = new RegExp(source, ignoresCase ? "i" : "");
  // That engine knows no flag `i`.
  const linear = ignoresCase ? anyCase(source) : source;
  if (linear !== undefined && isLinear(linear)) return new RegExp(linear);
  if (!endsAnywhere(source, isAnchored)) throw new Error(TOO_LONG);
  return plain;
}

/** The expression of a route, in any case, from the path's beginning. */
export function pathExpression(source: string): RegExp {
  // What closes a group of ours is none by itself.
  void new RegExp(source);
  return expression(`^(?:${source})`, true, true);
}

/** An expression for the value of a header, anywhere in it. */
export const headerExpression = (source: string): RegExp => expression(source, false, false);
