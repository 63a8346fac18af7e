// The cases of tests/contract, which pytest asks the server: the SDK gives the same results, and the same refusals as errors.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CompressOptions, compress, HeadroomResponseError, type RetrieveOptions, retrieve } from "../src/index.js";
import { HEADROOM } from "./shop.js";

interface Case {
  name: string;
  before?: string[];
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every form, wrong ones among them
  request: { headers: Record<string, string>; body: any };
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: and their answers
  response: any;
}

const read = (name: string): Case[] => JSON.parse(readFileSync(join(import.meta.dirname, "../../../tests/contract", name), "utf8"));
const compressing = read("compress.json");
const retrieving = read("retrieve.json");

/** What only a hand-written request can say. */
const NOT_BY_THE_SDK = [
  "OpenAI Responses input that is one string",
  "neither messages nor input",
  "both messages and input",
  "an unknown field",
  "an unknown option",
  "options that are none",
  "messages that are none",
  "a body that is no JSON",
  "a body that is no object",
];
const bySdk = ({ name }: Case) => !NOT_BY_THE_SDK.includes(name);
const keyOf = ({ request }: Case) => ({ ...HEADROOM, apiKey: request.headers.authorization?.replace("Bearer ", "") as string });

const camel = (object: object) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key.replace(/_(.)/g, (_, letter) => letter.toUpperCase()), value]));

function compressed(asked: Case) {
  const { messages, input, model, options } = asked.request.body;
  const given: CompressOptions = { ...keyOf(asked), ...camel(options ?? {}), ...(model === undefined ? {} : { model }), fallback: "throw" };
  return compress<unknown>(messages ?? input, given);
}

function retrieved(asked: Case) {
  const { ref, query, lines, offset, page_tokens } = asked.request.body;
  const given = { lines: lines ?? undefined, offset: offset ?? undefined, pageTokens: page_tokens } as RetrieveOptions;
  return retrieve(ref, query ?? undefined, { ...keyOf(asked), ...given });
}

async function refusal(work: Promise<unknown>) {
  const error = await work.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(HeadroomResponseError);
  const { status, type, message } = error as HeadroomResponseError;
  return { status, type, message };
}

const refused = ({ status, response }: Case) => ({ status, type: response.error.type, message: response.error.message });

test.each(compressing.filter(bySdk).map((asked) => [asked.name, asked] as const))("compress: %s", async (_, asked) => {
  if (asked.status !== 200) {
    expect(await refusal(compressed(asked))).toEqual(refused(asked));
    return;
  }
  const { messages, input, ...figures } = asked.response;
  // With no messages there is nothing to tell the two keys by: an empty list goes out as messages.
  expect(await compressed(asked)).toEqual({ messages: messages ?? input, compressed: true, reason: "", ...camel(figures) });
});

test.each(retrieving.filter(bySdk).map((asked) => [asked.name, asked] as const))("retrieve: %s", async (_, asked) => {
  for (const name of asked.before ?? []) await compressed(compressing.find((known) => known.name === name) as Case);
  if (asked.status === 200) expect(await retrieved(asked)).toBe(asked.response.text);
  else expect(await refusal(retrieved(asked))).toEqual(refused(asked));
});

test("what is left out here exists", () => {
  const names = new Set([...compressing, ...retrieving].map(({ name }) => name));
  for (const name of NOT_BY_THE_SDK) expect(names).toContain(name);
});
