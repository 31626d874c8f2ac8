/** What may stand in a URL or a request line as it is. */
const UNSAFE = /[^\x21-\x7e]/gu;

const ofByte = (code: number): string => `%${code.toString(16).toUpperCase().padStart(2, "0")}`;

/** Text of somebody's configuration: spaces, line ends and what is not ASCII become percent signs (UTF-8). */
export const encodedText = (text: string): string => text.toWellFormed().replace(UNSAFE, encodeURIComponent);

/** A part of a request, in which each character is a byte, as Node gives it. */
export const encodedBytes = (text: string): string =>
  text.toWellFormed().replace(UNSAFE, (character) => {
    const code = character.codePointAt(0)!;
    return code < 256 ? ofByte(code) : encodeURIComponent(character);
  });
