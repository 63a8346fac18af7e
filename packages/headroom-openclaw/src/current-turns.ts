import type { AgentMessage } from "openclaw/plugin-sdk/plugin-entry";

const MOST_SESSIONS = 64;

/** A turn under way: what the model has read so far, for judging what matters in the next output. */
export interface Turn {
  model: string;
  /** Whether the model can call `headroom_retrieve`: only then may something be left out. */
  retrieves: boolean;
  history: AgentMessage[];
  /** Calls and results since. */
  since: AgentMessage[];
}

/** The turns under way in this process, by session; the oldest is forgotten when there are many. */
export class CurrentTurns {
  private readonly turns = new Map<string, Turn & { prompt: string | undefined }>();

  /** A turn begins, or goes on: OpenClaw assembles again after tools were called, with the same history. */
  assembled(sessionId: string, turn: Omit<Turn, "since">, prompt: string | undefined): void {
    const before = this.turns.get(sessionId);
    const goesOn = before?.history.length === turn.history.length && (prompt === undefined || before.prompt === prompt);
    this.turns.delete(sessionId);
    this.turns.set(sessionId, { ...turn, prompt: goesOn ? before.prompt : prompt, since: goesOn ? before.since : [] });
    for (const oldest of this.turns.keys()) {
      if (this.turns.size <= MOST_SESSIONS) break;
      this.turns.delete(oldest);
    }
  }

  get(sessionId: string | undefined): Turn | undefined {
    return sessionId === undefined ? undefined : this.turns.get(sessionId);
  }

  /** All that the model has read in this session's turn. */
  conversation(sessionId: string | undefined): AgentMessage[] {
    const turn = sessionId === undefined ? undefined : this.turns.get(sessionId);
    if (turn === undefined) return [];
    const asked = turn.prompt ? [{ role: "user", content: turn.prompt }] : [];
    return [...turn.history, ...asked, ...turn.since];
  }

  add(sessionId: string | undefined, messages: AgentMessage[]): void {
    this.get(sessionId)?.since.push(...messages);
  }

  ended(sessionId: string): void {
    this.turns.delete(sessionId);
  }
}
