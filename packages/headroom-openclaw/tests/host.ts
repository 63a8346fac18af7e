// A host as OpenClaw is one to the plugin: takes its registrations, and calls what was registered.
import { spawn } from "node:child_process";
import type { AgentMessage, ContextEngine, PluginApi, RunCommand, Service, Tool, ToolResultMiddleware } from "openclaw/plugin-sdk/plugin-entry";
import plugin from "../src/index.js";

export interface Host {
  engine: ContextEngine;
  tool: Tool;
  services: Service[];
  warnings: string[];
  infos: string[];
  middleware: ToolResultMiddleware;
  runtimes: string[];
}

let number = 0;

/** The plugin, registered with `config`; each host has its own state, as a process would. */
export function hosted(config: Record<string, unknown>): Host {
  const host = { services: [], warnings: [], infos: [], runtimes: [] } as unknown as Host;
  const api: PluginApi = {
    pluginConfig: { ...config, test: number++ },
    logger: { info: (words) => host.infos.push(words), warn: (words) => host.warnings.push(words) },
    runtime: { system: { runCommandWithTimeout: run } },
    registerContextEngine: (_, factory) => {
      host.engine = factory();
    },
    registerAgentToolResultMiddleware: (middleware, { runtimes }) => Object.assign(host, { middleware, runtimes }),
    registerTool: (tool) => {
      host.tool = tool;
    },
    registerService: (service) => host.services.push(service),
  };
  plugin.register(api);
  return host;
}

export const run: RunCommand = ([command = "", ...args], { signal }) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...(signal ? { signal } : {}), stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", (error) => error.name !== "AbortError" && reject(error));
    child.on("close", (code) => resolve({ code, stderr }));
  });

// biome-ignore lint/suspicious/noExplicitAny: messages of every role
export type Any = any;

export const user = (text: string): AgentMessage => ({ role: "user", content: [{ type: "text", text }], timestamp: 1 }) as AgentMessage;
export const says = (text: string): AgentMessage => ({ role: "assistant", content: [{ type: "text", text }], timestamp: 2 }) as AgentMessage;
export const call = (id: string, name = "list_orders"): AgentMessage =>
  ({ role: "assistant", content: [{ type: "toolCall", id, name, arguments: {} }], timestamp: 3 }) as AgentMessage;
export const output = (id: string, text: string, toolName = "list_orders"): AgentMessage =>
  ({ role: "toolResult", toolCallId: id, toolName, content: [{ type: "text", text }], details: { count: 1 }, isError: false, timestamp: 4 }) as AgentMessage;
export const tools = new Set(["list_orders", "headroom_retrieve"]);
