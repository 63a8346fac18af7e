import { answerRetrieve, RETRIEVE_TOOL, type RetrieveArguments, retrieveTool } from "headroom-ai";
import type { Tool } from "openclaw/plugin-sdk/plugin-entry";
import type { Headroom } from "./headroom.js";

/** `headroom_retrieve`, in the model's sight from the first request on: a tool list that changes costs the prompt cache. */
export function retrieveToolFor(headroom: Headroom): Tool {
  const { description, parameters } = retrieveTool("openai").function;
  return {
    name: RETRIEVE_TOOL,
    label: "Headroom: get back",
    description,
    parameters,
    catalogMode: "direct-only",
    async execute(_callId, params, signal) {
      const text = await answerRetrieve(params as RetrieveArguments, { ...headroom.connection, ...(signal ? { signal } : {}) });
      return { content: [{ type: "text", text }], details: {} };
    },
  };
}
