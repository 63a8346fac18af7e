import { type ConnectionOptions, post } from "./connection.js";
import { HeadroomError } from "./errors.js";
import { readable, withTexts } from "./texts.js";

/** How many estimated tokens of a long output stay in sight: `tokens`, and `share` of it on top, at most `most`. */
export interface Budget {
  tokens: number;
  share: number;
  most?: number;
}

export interface CompressOptions extends ConnectionOptions {
  /** Whose tokens to count. Changes nothing about the text. */
  model?: string;
  /** How much stays in sight: "gentle" shows about twice as much as "balanced", "firm" about half. */
  preset?: "gentle" | "balanced" | "firm";
  /** Fold only: nothing is left out, no tool is needed. */
  lossless?: boolean;
  budget?: Budget;
  /** Smaller outputs are left alone. */
  minTokens?: number;
  /** Machine-made spans in a user's message are touched only above this size. */
  userSpanTokens?: number;
  /** A call repeated because its output was shortened is answered whole, up to this size. */
  wholeLimitTokens?: number;
  /** What to do when no server answers: send everything as it is, and say so (the default), or throw. */
  fallback?: "passthrough" | "throw";
  /** Where the one warning goes when the server is away. Default: console.warn. */
  onWarning?: (message: string) => void;
}

export interface CompressResult<Message> {
  /** Same format, length and order as the input; unchanged messages are the same objects. */
  messages: Message[];
  /** Whether a server did its work. If false, `reason` says why not, and `messages` is what came. */
  compressed: boolean;
  reason: string;
  tokensBefore: number;
  tokensAfter: number;
  tokensSaved: number;
  /** Share of tokens removed: 0 nothing, 1 everything. */
  compressionRatio: number;
  /** What ran, e.g. ["router:json_records:0.35"]. */
  transformsApplied: string[];
  /** The references of the originals behind every shortened text: what `retrieve` takes. */
  references: string[];
}

/** @internal */
export interface Answer {
  messages?: never[];
  input?: never[];
  tokens_before: number;
  tokens_after: number;
  tokens_saved: number;
  compression_ratio: number;
  transforms_applied: string[];
  references: string[];
}

let warned = false;

/**
 * Shorten what the tools said in `messages`: OpenAI chat messages, Responses items, Anthropic messages, an AI SDK
 * prompt, or OpenClaw messages. Inputs are never changed.
 *
 * Throws HeadroomError if the server refuses the messages (they are malformed), and, with `fallback: "throw"`, if
 * no server answers.
 */
export async function compress<Message>(messages: readonly Message[], options: CompressOptions = {}): Promise<CompressResult<Message>> {
  const given = [...messages];
  try {
    const sent = given.map(readable);
    const key = given.some(isItem) ? "input" : "messages";
    const answer = await post<Answer>("/v1/compress", { model: options.model ?? "", [key]: sent, options: serverOptions(options) }, options);
    const received = answer[key];
    if (!Array.isArray(received) || received.length !== given.length) throw new HeadroomError("Headroom answered with other messages than were sent");
    return { messages: withTexts(given, sent, received), compressed: true, reason: "", ...figures(answer) };
  } catch (error) {
    if (options.fallback === "throw" || options.signal?.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    warnOnce(`headroom: messages go out uncompressed: ${reason}`, options.onWarning);
    return { messages: given, compressed: false, reason, ...NOTHING, transformsApplied: [], references: [] };
  }
}

/** Forget that the warning was given: for tests. */
export function resetWarning(): void {
  warned = false;
}

const NOTHING = { tokensBefore: 0, tokensAfter: 0, tokensSaved: 0, compressionRatio: 0 };

function warnOnce(message: string, warn: (message: string) => void = console.warn): void {
  if (warned) return;
  warned = true;
  warn(message);
}

/** @internal */
export function serverOptions(options: CompressOptions): Record<string, unknown> {
  return {
    preset: options.preset,
    lossless: options.lossless,
    budget: options.budget,
    min_tokens: options.minTokens,
    user_span_tokens: options.userSpanTokens,
    whole_limit_tokens: options.wholeLimitTokens,
  };
}

/** @internal */
export function figures(answer: Answer): Omit<CompressResult<never>, "messages" | "compressed" | "reason"> {
  return {
    tokensBefore: answer.tokens_before,
    tokensAfter: answer.tokens_after,
    tokensSaved: answer.tokens_saved,
    compressionRatio: answer.compression_ratio,
    transformsApplied: answer.transforms_applied,
    references: answer.references,
  };
}

/** Responses items carry their type at the top; messages do not. */
function isItem(message: unknown): boolean {
  return typeof (message as { type?: unknown } | null)?.type === "string";
}
