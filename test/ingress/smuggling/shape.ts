/** Bytes that two servers could read in two ways, or that nobody should send, and what is to become of them. */
export interface Shape {
  readonly name: string;
  /** `http2`: frames after the preface and settings. */
  readonly over: "http1" | "http2";
  /** What a client sends; `host` is one that has a route to the recorder. */
  readonly bytes: (host: string) => Buffer;
  /**
   * `refused`: the backend gets nothing whole, and the client an error or the end of the connection. `once`: the backend gets one request as
   * it should be, and the client its answer; of anything else that was sent the backend gets nothing. `refused or once`: either; servers
   * mend or refuse as they like.
   */
  readonly end: "refused" | "once" | "refused or once";
  /** Where a certain answer is due: its status. */
  readonly status?: number;
  /** What the backend must not get, in any letter case. */
  readonly never?: readonly string[];
}
