import { isRetrieveTool } from "headroom-ai";
import type { AgentMessage, ToolResult, ToolResultEvent, ToolResultMiddleware } from "openclaw/plugin-sdk/plugin-entry";
import type { CurrentTurns } from "./current-turns.js";
import type { Headroom } from "./headroom.js";

/**
 * Shortens a tool's result before the model reads it, and before OpenClaw writes it into the transcript: the same text
 * stands there in every later turn. Headroom has stored the original when it answers.
 *
 * Never throws: OpenClaw would replace the result by an error.
 */
export function toolResultMiddleware(headroom: Headroom, turns: CurrentTurns): ToolResultMiddleware {
  return async (event, { sessionId }) => {
    try {
      return await shortened(event, sessionId, headroom, turns);
    } catch {
      return undefined;
    }
  };
}

async function shortened(
  event: ToolResultEvent,
  sessionId: string | undefined,
  headroom: Headroom,
  turns: CurrentTurns,
): Promise<{ result: ToolResult } | undefined> {
  const turn = turns.get(sessionId);
  const [call, result] = asMessages(event);
  const before = turns.conversation(sessionId);
  const answer = isRetrieveTool(event.toolName)
    ? undefined
    : await headroom.assemble([...before, call, result], { model: turn?.model ?? "", lossless: turn?.retrieves !== true });
  const content = (answer?.messages.at(-1) as typeof result | undefined)?.content ?? result.content;
  turns.add(sessionId, [call, { ...result, content } as AgentMessage]);
  return content === result.content ? undefined : { result: { ...event.result, content } };
}

function asMessages({ toolCallId, toolName, args, isError, result }: ToolResultEvent) {
  const call = { role: "assistant", content: [{ type: "toolCall", id: toolCallId, name: toolName, arguments: args }] };
  return [call, { role: "toolResult", toolCallId, toolName, content: result.content, isError: isError === true }] as const;
}
