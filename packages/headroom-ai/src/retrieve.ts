import { type ConnectionOptions, post } from "./connection.js";

export interface RetrieveOptions extends ConnectionOptions {
  /** A range of lines ("120-180") or rows ("rows 47-199"), as a marker names it. */
  lines?: string;
  /** From this character on. */
  offset?: number;
  /** Answer as `headroom_retrieve` answers a model: long originals come in pages of about this many tokens. */
  pageTokens?: number;
}

/**
 * The original behind a reference, whole and exact; with `query`, its best-matching rows, lines or sections.
 *
 * Throws HeadroomResponseError (status 404) for an unknown or expired reference, HeadroomConnectionError if no server
 * answers: there is nothing to pass through.
 */
export async function retrieve(ref: string, query?: string, options: RetrieveOptions = {}): Promise<string> {
  const { lines, offset, pageTokens } = options;
  const answer = await post<{ text: string }>("/v1/retrieve", { ref, query, lines, offset, page_tokens: pageTokens }, options);
  return answer.text;
}
