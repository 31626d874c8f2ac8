/** Why a name is not answered, beside the response code (RFC 8914 §4). */

/** This server is not set up to answer for the name. */
export const NOT_AUTHORITATIVE = 20;
/** The server cannot answer yet. */
export const NOT_READY = 14;
