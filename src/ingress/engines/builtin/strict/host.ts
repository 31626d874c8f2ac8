/** A name or an IPv4 address, or an IPv6 address in brackets; a port may follow. Wider than DNS by the underscore alone. */
const HOST = /^(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_.-])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;
const LONGEST = 262;

/** Whether it can be what a request is for: `a.example`, `192.0.2.1:8080`, `[2001:db8::1]`. */
export const isHost = (text: string): boolean => text.length <= LONGEST && HOST.test(text) && !text.includes("..");
