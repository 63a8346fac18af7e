import { type CompressOptions, compress } from "./compress.js";
import { isRetrieveTool } from "./retrieve-tool.js";

/** What `withHeadroom` and `headroomMiddleware` take: all of `compress` but the model, which the request names. */
export type WrapOptions = Omit<CompressOptions, "model" | "signal" | "fallback">;

interface Tool {
  name?: string;
  function?: { name?: string };
}

/**
 * Whether something may be left out: only where the model can get it back, which is when the application offers
 * `headroom_retrieve`. Otherwise texts are folded and nothing is lost.
 */
export function isLossless(tools: unknown, options: WrapOptions): boolean {
  const offered = Array.isArray(tools) && tools.some((tool: Tool) => isRetrieveTool(tool?.name ?? tool?.function?.name));
  return options.lossless === true || !offered;
}

/** A request body with shorter messages; the very same object if there is nothing to save. Never throws. */
export async function withShorterMessages(body: Record<string, unknown>, key: "messages" | "input", options: WrapOptions): Promise<Record<string, unknown>> {
  const messages = body[key];
  if (!Array.isArray(messages)) return body;
  const model = typeof body.model === "string" ? body.model : "";
  try {
    const result = await compress(messages, { ...options, model, lossless: isLossless(body.tools, options) });
    return result.messages.every((message, index) => message === messages[index]) ? body : { ...body, [key]: result.messages };
  } catch {
    return body; // only an abort throws here, and the request itself will see it
  }
}
