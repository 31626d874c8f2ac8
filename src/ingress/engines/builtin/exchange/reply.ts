import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/** Who answers by it. */
export interface ReplyOwner {
  /** More can be written. */
  drained(): void;
  /**
   * Nothing can be written any more.
   *
   * @param isWell all that was to be said was said
   */
  closed(isWell: boolean): void;
}

/** What comes after the head of an answer. */
export type Follows = "nothing" | "body" | "body, perhaps trailers";

/** The way back to a client, by whichever protocol it came. Once closed, it takes everything and does nothing. */
export interface Reply {
  owner: ReplyOwner | undefined;
  readonly hasBegun: boolean;
  /** `100 Continue`: the body may come. */
  goOn(): void;
  /** 1xx, where the protocol and its library can say it. */
  inform(status: number, headers: IncomingHttpHeaders): void;
  /** `end` is to be called even if nothing follows. */
  begin(status: number, headers: OutgoingHttpHeaders, follows: Follows): void;
  /** False: wait for `drained`. */
  write(chunk: Buffer | string): boolean;
  end(chunk?: Buffer | string, trailers?: OutgoingHttpHeaders): void;
  /** Breaks it off, so that the client cannot take what it has for all of it. `rst`: why, as HTTP/2 says it. */
  cut(rst?: number): void;
  /** What the client still says is not wanted; `end` was called. */
  hangUp(): void;
}
