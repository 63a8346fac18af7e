import { RETRIEVE_TOOL } from "headroom-ai";
import { delegateCompactionToRuntime } from "openclaw/plugin-sdk/core";
import type { AgentMessage, Assembled, AssembleParams, ContextEngine } from "openclaw/plugin-sdk/plugin-entry";
import type { CurrentTurns } from "./current-turns.js";
import type { Headroom } from "./headroom.js";

export const ENGINE = "headroom";
const CHARACTERS_PER_TOKEN = 4;
const NOT_TEXT = new Set(["data", "details", "usage"]);
const MOST_KEYS = 10_000;

/**
 * The context engine. It keeps no transcript of its own: OpenClaw's is the truth, and each assembly follows from it.
 * That makes every method idempotent, and there is nothing to lose when the process ends.
 */
export function contextEngine(headroom: Headroom, turns: CurrentTurns, committed: Set<string>, dispose: () => Promise<void>): ContextEngine {
  return {
    info: {
      id: ENGINE,
      name: "Headroom",
      acceptedHostParams: ["sessionKey", "prompt", "sessionTarget", "runtimeContext", "runtimeSettings", "abortSignal"],
      ownsCompaction: false,
      transcriptSemantics: { currentTurnFence: "before-current-turn-entry-v1", turnAdvancementIdempotency: "atomic-idempotent-v1" },
    },
    ingest: async () => ({ ingested: false }),
    assemble: (params) => assembled(params, headroom, turns),
    compact: (params) => delegateCompactionToRuntime(params),
    commitTurn: async ({ advancementKey, sessionId }) => {
      turns.ended(sessionId);
      if (committed.has(advancementKey)) return { status: "duplicate" };
      if (committed.size >= MOST_KEYS) committed.clear();
      committed.add(advancementKey);
      return { status: "committed" };
    },
    dispose,
  };
}

async function assembled(params: AssembleParams, headroom: Headroom, turns: CurrentTurns): Promise<Assembled> {
  const { sessionId, messages, tokenBudget, availableTools, model = "", prompt } = params;
  const retrieves = availableTools?.has(RETRIEVE_TOOL) ?? false;
  const answer = await headroom.assemble(messages, {
    model,
    lossless: !retrieves,
    ...(tokenBudget === undefined ? {} : { tokenBudget: Math.floor(tokenBudget) }),
  });
  const history = answer === undefined ? messages : answer.notice ? withNotice(answer.messages, answer.leftOut[0], answer.notice) : answer.messages;
  turns.assembled(sessionId, { model, retrieves, history }, prompt);
  if (answer === undefined) return { messages, estimatedTokens: roughTokens(messages) };
  // Turns that left may hide that the transcript overflows: OpenClaw should look at it, and compact it in its own way.
  const promptAuthority = answer.notice ? "preassembly_may_overflow" : "assembled";
  return { messages: history, estimatedTokens: answer.estimatedTokens, promptAuthority };
}

/** For when nobody counts: pictures and what the model never sees must not look like a context that overflows. */
function roughTokens(messages: AgentMessage[]): number {
  const seen = JSON.stringify(messages, (key, value) => (NOT_TEXT.has(key) ? undefined : value));
  return Math.ceil(seen.length / CHARACTERS_PER_TOKEN);
}

function withNotice(messages: AgentMessage[], at: number, notice: string): AgentMessage[] {
  const timestamp = messages[at]?.timestamp ?? messages[at - 1]?.timestamp;
  const said = { role: "user", content: [{ type: "text", text: notice }], ...(timestamp === undefined ? {} : { timestamp }) };
  return [...messages.slice(0, at), said, ...messages.slice(at)];
}
