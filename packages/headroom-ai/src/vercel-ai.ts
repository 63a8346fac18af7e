import type { LanguageModelV4Middleware } from "@ai-sdk/provider";
import { jsonSchema, type Tool, tool } from "ai";
import { compress } from "./compress.js";
import type { ConnectionOptions } from "./connection.js";
import { isLossless, type WrapOptions } from "./request-body.js";
import { answerRetrieve, DESCRIPTION, PARAMETERS, RETRIEVE_TOOL, type RetrieveArguments } from "./retrieve-tool.js";

export type { WrapOptions } from "./request-body.js";

/**
 * For `wrapLanguageModel({ model, middleware: headroomMiddleware() })`: each call of the model gets shorter tool
 * outputs, in `generateText`, `streamText` and everything built on them. Results of steps keep their full outputs.
 *
 * Pass `headroomTools()` among the tools to let the model get back what was left out; without it nothing is left out.
 */
export function headroomMiddleware(options: WrapOptions = {}): LanguageModelV4Middleware {
  return {
    specificationVersion: "v4",
    transformParams: async ({ params, model }) => {
      const lossless = isLossless(params.tools, options);
      const signal = params.abortSignal ? { signal: params.abortSignal } : {};
      try {
        const { messages } = await compress(params.prompt, { ...options, ...signal, model: model.modelId, lossless });
        return messages.every((message, index) => message === params.prompt[index]) ? params : { ...params, prompt: messages };
      } catch {
        return params; // only an abort throws here, and the call itself will see it
      }
    },
  };
}

/** `{ headroom_retrieve }`, to spread among a call's tools: the AI SDK's own loop answers it. */
export function headroomTools(options: ConnectionOptions = {}): { headroom_retrieve: Tool<RetrieveArguments, string> } {
  const retrieve = tool({
    description: DESCRIPTION,
    inputSchema: jsonSchema<RetrieveArguments>(PARAMETERS as Parameters<typeof jsonSchema>[0]),
    execute: (asked: RetrieveArguments): Promise<string> => answerRetrieve(asked, options),
  });
  return { [RETRIEVE_TOOL]: retrieve } as { headroom_retrieve: Tool<RetrieveArguments, string> };
}
