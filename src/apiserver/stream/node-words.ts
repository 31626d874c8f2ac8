/** What went wrong, in the node's words; a Status is told by its message. */
export async function nodeWords(body: AsyncIterable<Buffer | string>): Promise<string> {
  const maximum = 4096;
  let text = "";
  for await (const chunk of body) {
    text += chunk.toString();
    if (text.length > maximum) break;
  }
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === "string" ? message : text;
  } catch {
    return text.slice(0, maximum).trim();
  }
}
