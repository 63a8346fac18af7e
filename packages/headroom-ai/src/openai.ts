import type OpenAI from "openai";
import { type WrapOptions, withShorterMessages } from "./request-body.js";

export type { WrapOptions } from "./request-body.js";

interface RequestOptions {
  method?: string;
  path?: string;
  body?: unknown;
}
type Client = { prepareOptions(options: RequestOptions): Promise<void> };
type ClientClass = new (...given: never[]) => Client;

const KEYS: Record<string, "messages" | "input"> = { "/chat/completions": "messages", "/responses": "input" };

/**
 * The same client, sending shorter messages: chat completions and Responses, streams and helpers too.
 *
 * Returns a copy; the client given is not changed. What `withOptions` makes of the copy compresses too. Add
 * `retrieveTool("openai")` or `retrieveTool("responses")` to a request's tools to let the model get back what was
 * left out; without it nothing is left out.
 */
export function withHeadroom<Given extends OpenAI>(client: Given, options: WrapOptions = {}): Given {
  const copy = client.withOptions({});
  Object.setPrototypeOf(copy, compressing(client.constructor as unknown as ClientClass, options).prototype);
  return copy;
}

function compressing(Base: ClientClass, options: WrapOptions): ClientClass {
  const done = new WeakSet<object>(); // a retry prepares the same request once more
  const Compressing = class extends Base {
    override async prepareOptions(request: RequestOptions): Promise<void> {
      await super.prepareOptions(request);
      const key = request.method?.toLowerCase() === "post" ? KEYS[request.path ?? ""] : undefined;
      const body = request.body;
      if (key === undefined || body === null || typeof body !== "object" || done.has(body)) return;
      const shorter = await withShorterMessages(body as Record<string, unknown>, key, options);
      done.add(shorter);
      request.body = shorter;
    }
  };
  Object.defineProperty(Compressing, "name", { value: Base.name });
  return Compressing;
}
