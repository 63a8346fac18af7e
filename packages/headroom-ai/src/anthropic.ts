import type Anthropic from "@anthropic-ai/sdk";
import { type WrapOptions, withShorterMessages } from "./request-body.js";

export type { WrapOptions } from "./request-body.js";

type Middleware = Anthropic["middleware"][number];
type Request = Parameters<Middleware>[0];
const MOST_REMEMBERED = 16;

/**
 * The same client, sending shorter messages: `messages.create`, streams, helpers and the beta namespace.
 *
 * Returns a copy; the client given is not changed. What `withOptions` makes of the copy compresses too, unless it
 * replaces `middleware`. Add `retrieveTool("anthropic")` to a request's tools to let the model get back what was
 * left out; without it nothing is left out.
 */
export function withHeadroom<Given extends Anthropic>(client: Given, options: WrapOptions = {}): Given {
  return client.withOptions({ middleware: [...client.middleware, headroomMiddleware(options)] });
}

/** The middleware itself, for `new Anthropic({ middleware: [headroomMiddleware()] })`. */
export function headroomMiddleware(options: WrapOptions = {}): Middleware {
  const shortened = new Map<string, Promise<string>>(); // a retry sends the same body once more
  return async (request, next) => {
    if (!isMessages(request)) return next(request);
    const body = request.body as string;
    let shorter = shortened.get(body);
    if (shorter === undefined) {
      shorter = withShorterText(body, options);
      shortened.set(body, shorter);
      for (const oldest of shortened.keys()) {
        if (shortened.size <= MOST_REMEMBERED) break;
        shortened.delete(oldest);
      }
    }
    return next({ ...request, body: await shorter });
  };
}

function isMessages(request: Request): boolean {
  const path = new URL(request.url).pathname;
  return request.method?.toUpperCase() === "POST" && path.endsWith("/v1/messages") && typeof request.body === "string";
}

async function withShorterText(text: string, options: WrapOptions): Promise<string> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return text;
  }
  if (body === null || typeof body !== "object" || Array.isArray(body)) return text;
  const shorter = await withShorterMessages(body as Record<string, unknown>, "messages", options);
  return shorter === body ? text : JSON.stringify(shorter);
}
