import type { ConnectionOptions } from "./connection.js";
import { retrieve } from "./retrieve.js";

export const RETRIEVE_TOOL = "headroom_retrieve";

/** @internal */
export const DESCRIPTION =
  "Get back what was left out of a shortened tool output. A line such as [412 of 500 rows left out; headroom_retrieve ref=...] " +
  "marks it. Ask with query for matching rows or lines, with lines for a range, or with ref alone for everything.";

/** @internal */
export const PARAMETERS: JsonSchema = {
  type: "object",
  properties: {
    ref: { type: "string", description: "The reference in the marker." },
    query: { type: "string", description: "Words or values to look for, e.g. an id. Plain words, no pattern." },
    lines: { type: "string", description: 'A range as a gap names it: "120-180" for lines, "rows 47-199" for rows.' },
    offset: { type: "integer", description: "Where a long original goes on: the character named by the last page." },
  },
  required: ["ref"],
  additionalProperties: false,
};

const PAGE_TOKENS = 10_000;

/** What a model may ask for. */
export interface RetrieveArguments {
  ref: string;
  query?: string;
  lines?: string;
  offset?: number;
}

interface JsonSchema {
  type: "object";
  properties: Record<string, unknown>;
  required: string[];
  additionalProperties: boolean;
  [key: string]: unknown;
}
export interface OpenAIRetrieveTool {
  type: "function";
  function: { name: string; description: string; parameters: JsonSchema };
}
export interface ResponsesRetrieveTool {
  type: "function";
  name: string;
  description: string;
  parameters: JsonSchema;
  /** Strict knows no optional parameters. */
  strict: false;
}
export interface AnthropicRetrieveTool {
  name: string;
  description: string;
  input_schema: JsonSchema;
}
interface Dialects {
  openai: OpenAIRetrieveTool;
  responses: ResponsesRetrieveTool;
  anthropic: AnthropicRetrieveTool;
}

/**
 * The definition of `headroom_retrieve`, to add to a request's tools. Give it to the model from the first request on:
 * a tool list that changes costs the provider's prompt cache.
 */
export function retrieveTool<Dialect extends keyof Dialects>(dialect: Dialect): Dialects[Dialect] {
  const named = { name: RETRIEVE_TOOL, description: DESCRIPTION };
  const written: Dialects = {
    openai: { type: "function", function: { ...named, parameters: parameters() } },
    responses: { type: "function", ...named, parameters: parameters(), strict: false },
    anthropic: { ...named, input_schema: parameters() },
  };
  if (!Object.hasOwn(written, dialect)) throw new TypeError(`unknown dialect ${JSON.stringify(dialect)} (valid: ${Object.keys(written).join(", ")})`);
  return written[dialect];
}

function parameters(): JsonSchema {
  return structuredClone(PARAMETERS);
}

/** Whether a tool of this name is ours, also behind a prefix that a host adds. */
export function isRetrieveTool(name: string | undefined): boolean {
  return name !== undefined && /(^|__|[./:])headroom_retrieve$/.test(name);
}

/** What to answer the model's call of `headroom_retrieve`: words, whatever it wrote and whatever happens; never throws. */
export async function answerRetrieve(asked: RetrieveArguments | string, options: ConnectionOptions = {}): Promise<string> {
  try {
    const { ref, query, lines, offset } = (typeof asked === "string" ? JSON.parse(asked || "{}") : asked) as RetrieveArguments;
    const range = { ...(lines === undefined ? {} : { lines }), ...(offset === undefined ? {} : { offset }) };
    return await retrieve(ref, query, { ...options, ...range, pageTokens: PAGE_TOKENS });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
