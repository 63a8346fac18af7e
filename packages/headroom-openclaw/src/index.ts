import { definePluginEntry, type PluginApi } from "openclaw/plugin-sdk/plugin-entry";
import { CurrentTurns } from "./current-turns.js";
import { contextEngine, ENGINE } from "./engine.js";
import { Headroom } from "./headroom.js";
import { toolResultMiddleware } from "./middleware.js";
import { settingsFrom } from "./settings.js";
import { Starter } from "./starter.js";
import { retrieveToolFor } from "./tool.js";

interface Shared {
  headroom: Headroom;
  turns: CurrentTurns;
  committed: Set<string>;
  starter: Starter | undefined;
  /** Whether OpenClaw runs as a gateway, which says when it stops. A single run only disposes of its engine. */
  served: boolean;
}

/** OpenClaw registers plugins several times in a process: what they share is made once for each configuration. */
const known = new Map<string, Shared>();

function sharedFor(api: PluginApi): Shared {
  const settings = settingsFrom(api.pluginConfig);
  const key = JSON.stringify(settings);
  const before = known.get(key);
  if (before) return before;
  const starter = settings.autoStart ? new Starter(settings, api.runtime.system.runCommandWithTimeout, api.logger) : undefined;
  const made = { headroom: new Headroom(settings, api.logger, starter), turns: new CurrentTurns(), committed: new Set<string>(), starter, served: false };
  known.set(key, made);
  return made;
}

export default definePluginEntry({
  id: ENGINE,
  name: "Headroom",
  description: "Shortens what the agent's tools said before the model reads it, and keeps every original within the model's reach.",
  register(api: PluginApi) {
    const shared = sharedFor(api);
    const { headroom, turns, committed, starter } = shared;
    const dispose = async () => {
      if (!shared.served) await starter?.stop();
    };
    api.registerContextEngine(ENGINE, () => contextEngine(headroom, turns, committed, dispose));
    api.registerAgentToolResultMiddleware(toolResultMiddleware(headroom, turns), { runtimes: ["openclaw"] });
    api.registerTool(retrieveToolFor(headroom));
    if (starter) api.registerService(service(shared, starter));
  },
});

function service(shared: Shared, starter: Starter) {
  return {
    id: "headroom",
    start: async () => {
      shared.served = true;
      void starter.ensure(); // in the background: OpenClaw's start waits for nobody
    },
    stop: async () => {
      shared.served = false;
      await starter.stop();
    },
  };
}
