import { HeadroomConnectionError, HeadroomResponseError } from "./errors.js";

/** How to reach a running Headroom (`headroom proxy`). */
export interface ConnectionOptions {
  /** Default: HEADROOM_BASE_URL where there is an environment, else http://127.0.0.1:8787. */
  baseUrl?: string;
  /** The server's token (`headroom proxy --token`). Default: HEADROOM_TOKEN where there is an environment. */
  apiKey?: string;
  /** Milliseconds until an attempt is given up. Default: 10,000. */
  timeout?: number;
  /** How often to try again after a failure that may pass. Default: 1. */
  retries?: number;
  /** Default: the runtime's own. */
  fetch?: typeof globalThis.fetch;
  /** Gives up at once when it fires. */
  signal?: AbortSignal;
}

const DEFAULT_URL = "http://127.0.0.1:8787";
const DEFAULT_TIMEOUT = 10_000;
const FIRST_PAUSE = 100;

/** POST `body` as JSON and read the JSON that comes back. Throws HeadroomConnectionError or HeadroomResponseError. */
export async function post<Answer>(path: string, body: unknown, options: ConnectionOptions): Promise<Answer> {
  const text = JSON.stringify(body);
  const retries = options.retries ?? 1;
  for (let attempt = 0; ; attempt++) {
    try {
      return await postOnce<Answer>(path, text, options);
    } catch (error) {
      if (attempt >= retries || !mayPass(error) || options.signal?.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE * 2 ** attempt));
    }
  }
}

async function postOnce<Answer>(path: string, text: string, options: ConnectionOptions): Promise<Answer> {
  const url = (options.baseUrl ?? fromEnvironment("HEADROOM_BASE_URL") ?? DEFAULT_URL).replace(/\/+$/, "");
  const headers: Record<string, string> = { "content-type": "application/json" };
  const token = options.apiKey ?? fromEnvironment("HEADROOM_TOKEN");
  if (token) headers.authorization = `Bearer ${token}`;
  const timeout = AbortSignal.timeout(options.timeout ?? DEFAULT_TIMEOUT);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  let response: Response;
  let answer: unknown;
  try {
    response = await (options.fetch ?? fetch)(url + path, { method: "POST", headers, body: text, signal });
    answer = await response.json().catch((error: unknown) => {
      if (signal.aborted) throw error;
    });
  } catch (error) {
    const why = timeout.aborted ? "did not answer in time" : "cannot be reached";
    throw new HeadroomConnectionError(`Headroom at ${url} ${why}: start it with \`headroom proxy\``, { cause: error });
  }
  if (response.ok && answer !== null && typeof answer === "object") return answer as Answer;
  const problem = (answer as { error?: { message?: string; type?: string } } | undefined)?.error;
  const message = problem?.message ?? `Headroom at ${url} answered ${response.status} and no JSON`;
  throw new HeadroomResponseError(message, response.status, problem?.type ?? "unknown");
}

function mayPass(error: unknown): boolean {
  if (error instanceof HeadroomResponseError) return error.status === 429 || error.status >= 500;
  return error instanceof HeadroomConnectionError;
}

/** Edge runtimes have no environment, and a browser no process. */
function fromEnvironment(name: string): string | undefined {
  const runtime = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return runtime.process?.env?.[name] || undefined;
}
