import type { Answer, OutgoingHead, RequestHead, ResponseHead } from "../request.ts";

/** An answer, or undefined: go on. */
export type Admission = Answer | undefined;
export type Admit = (request: RequestHead) => Admission | Promise<Admission>;
export type Forward = (outgoing: OutgoingHead, request: RequestHead) => void;
export type Respond = (response: ResponseHead, request: RequestHead) => void;
