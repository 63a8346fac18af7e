import { type Answer, type CompressOptions, type CompressResult, figures, serverOptions } from "./compress.js";
import { post } from "./connection.js";
import { HeadroomError } from "./errors.js";
import { readable, withTexts } from "./texts.js";

export interface AssembleOptions extends Omit<CompressOptions, "fallback" | "onWarning"> {
  /** Tokens that the history may take: whole oldest turns are left out if it is longer. Default: whatever it takes. */
  tokenBudget?: number;
}

export interface AssembleResult<Message> extends Omit<CompressResult<Message>, "compressed" | "reason"> {
  /** Which of the messages given are not among `messages`: from one index up to another; equal if all stay. */
  leftOut: [start: number, end: number];
  /** What to tell the model in place of those, at `leftOut[0]`; empty if all stay. */
  notice: string;
  /** Of all that stays, roughly. */
  estimatedTokens: number;
}

interface AssembleAnswer extends Answer {
  messages: never[];
  left_out: [number, number];
  notice: string;
  estimated_tokens: number;
}

/**
 * An OpenClaw history, shortened and within a token budget: what the plugin `headroom-openclaw` gives the model.
 * The messages given are never changed; what is unchanged comes back as the same object.
 *
 * Throws HeadroomConnectionError if no server answers, HeadroomResponseError if it refuses.
 */
export async function assemble<Message>(messages: readonly Message[], options: AssembleOptions = {}): Promise<AssembleResult<Message>> {
  const sent = messages.map(readable);
  const body = { model: options.model ?? "", messages: sent, token_budget: options.tokenBudget, options: serverOptions(options) };
  const answer = await post<AssembleAnswer>("/v1/openclaw/assemble", body, options);
  const [start, end] = answer.left_out;
  const stays = (_: unknown, index: number) => index < start || index >= end;
  const kept = messages.filter(stays);
  const read = sent.filter(stays);
  if (answer.messages.length !== kept.length) throw new HeadroomError("Headroom answered with other messages than were sent");
  return {
    messages: withTexts(kept, read, answer.messages),
    leftOut: [start, end],
    notice: answer.notice,
    estimatedTokens: answer.estimated_tokens,
    ...figures(answer),
  };
}
