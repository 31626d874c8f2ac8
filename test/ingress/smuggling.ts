/** Shapes of bytes that have deceived proxies, for any engine: a test makes a {@link Door} to it, and runs each. */
import { http1Shapes } from "./smuggling/http1.ts";
import { http2Shapes } from "./smuggling/http2.ts";
import type { Shape } from "./smuggling/shape.ts";

export { startRecorder, type Recorder } from "./smuggling/recorder.ts";
export { runShape, type Door } from "./smuggling/run.ts";

export const shapes: readonly Shape[] = [...http1Shapes, ...http2Shapes];
