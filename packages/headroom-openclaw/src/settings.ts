/** What `plugins.entries.headroom.config` says, with defaults. OpenClaw has checked it against the manifest's schema. */
export interface Settings {
  baseUrl: string;
  apiKey?: string;
  timeout: number;
  preset?: "gentle" | "balanced" | "firm";
  lossless: boolean;
  autoStart: boolean;
  command: string;
}

export const DEFAULT_URL = "http://127.0.0.1:8787";

export function settingsFrom(given: Record<string, unknown> = {}): Settings {
  return { baseUrl: DEFAULT_URL, timeout: 5000, lossless: false, autoStart: false, command: "headroom", ...(given as Partial<Settings>) };
}

/** What to listen on so that `baseUrl` leads there; undefined if that is not this machine. */
export function localAddress(baseUrl: string): { host: string; port: string } | undefined {
  const { hostname, port, protocol } = new URL(baseUrl);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (protocol !== "http:" || !(host === "localhost" || host === "::1" || host.startsWith("127."))) return undefined;
  return { host, port: port || "80" };
}
