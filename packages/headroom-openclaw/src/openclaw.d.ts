// The part of OpenClaw's plugin SDK that is used here, as its own types have it (2026.9.6). Installing all of OpenClaw
// for its types takes half a minute; tests/integrations/openclaw runs the plugin inside the real one.

declare module "openclaw/plugin-sdk/plugin-entry" {
  export interface TextBlock {
    type: "text";
    text: string;
  }
  export interface OtherBlock {
    type: string;
  }
  export interface ToolResult {
    content: (TextBlock | OtherBlock)[];
    details?: unknown;
  }
  export interface AgentMessage {
    role: string;
    timestamp?: number;
  }

  export interface SessionParams {
    sessionId: string;
    sessionKey?: string;
  }
  export interface AssembleParams extends SessionParams {
    messages: AgentMessage[];
    tokenBudget?: number;
    availableTools?: Set<string>;
    model?: string;
    prompt?: string;
  }
  export interface Assembled {
    messages: AgentMessage[];
    estimatedTokens: number;
    promptAuthority?: "assembled" | "preassembly_may_overflow";
  }
  export interface CompactParams extends SessionParams {
    sessionKey: string;
  }
  export interface Compacted {
    ok: boolean;
    compacted: boolean;
    reason?: string;
  }
  export interface ContextEngine {
    readonly info: {
      id: string;
      name: string;
      version?: string;
      acceptedHostParams?: string[];
      ownsCompaction?: boolean;
      transcriptSemantics?: {
        currentTurnFence: "before-current-turn-entry-v1";
        turnAdvancementIdempotency: "atomic-idempotent-v1";
      };
    };
    ingest(params: SessionParams & { message: AgentMessage }): Promise<{ ingested: boolean }>;
    assemble(params: AssembleParams): Promise<Assembled>;
    compact(params: CompactParams): Promise<Compacted>;
    commitTurn(params: SessionParams & { advancementKey: string }): Promise<{ status: "committed" | "duplicate" }>;
    dispose(): Promise<void>;
  }

  export interface ToolResultEvent {
    toolCallId: string;
    toolName: string;
    args: Record<string, unknown>;
    isError?: boolean;
    result: ToolResult;
  }
  export type ToolResultMiddleware = (event: ToolResultEvent, context: { sessionId?: string }) => Promise<{ result: ToolResult } | undefined>;

  export interface Tool {
    name: string;
    label: string;
    description: string;
    parameters: object;
    catalogMode?: "direct-only";
    execute(callId: string, params: unknown, signal?: AbortSignal): Promise<ToolResult>;
  }
  export interface Service {
    id: string;
    start(): Promise<void>;
    stop(): Promise<void>;
  }

  export interface Logger {
    info(message: string): void;
    warn(message: string): void;
  }
  export interface CommandOptions {
    signal?: AbortSignal;
    killGraceMs?: number;
    maxOutputBytes?: number;
  }
  export type RunCommand = (argv: string[], options: CommandOptions) => Promise<{ code: number | null; stderr: string }>;

  export interface PluginApi {
    pluginConfig?: Record<string, unknown>;
    logger: Logger;
    runtime: { system: { runCommandWithTimeout: RunCommand } };
    registerContextEngine(id: string, factory: () => ContextEngine): void;
    registerAgentToolResultMiddleware(middleware: ToolResultMiddleware, options: { runtimes: string[] }): void;
    registerTool(tool: Tool): void;
    registerService(service: Service): void;
  }
  export function definePluginEntry<Entry extends { id: string; name: string; description: string; register(api: PluginApi): void }>(entry: Entry): Entry;
}

declare module "openclaw/plugin-sdk/core" {
  import type { Compacted, CompactParams } from "openclaw/plugin-sdk/plugin-entry";
  export function delegateCompactionToRuntime(params: CompactParams): Promise<Compacted>;
}
