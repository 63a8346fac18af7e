import { type ConnectionOptions, HeadroomResponseError } from "headroom-ai";
import { type AssembleOptions, type AssembleResult, assemble } from "headroom-ai/openclaw";
import type { Logger } from "openclaw/plugin-sdk/plugin-entry";
import type { Settings } from "./settings.js";
import type { Starter } from "./starter.js";

const REST = 10_000;

/** The Headroom that the plugin talks to. Nothing here throws: when it is away, answers are undefined, and one warning says so. */
export class Headroom {
  readonly connection: ConnectionOptions;
  private away = false;
  private restsUntil = 0;

  constructor(
    private readonly settings: Settings,
    private readonly logger: Logger,
    private readonly starter?: Starter,
    private readonly rest = REST,
  ) {
    const { baseUrl, apiKey, timeout } = settings;
    this.connection = { baseUrl, timeout, retries: 0, ...(apiKey === undefined ? {} : { apiKey }) };
  }

  /** The history, shorter and within the budget; undefined if it goes out as it is. */
  async assemble<Message>(
    messages: readonly Message[],
    options: Pick<AssembleOptions, "model" | "tokenBudget" | "lossless">,
  ): Promise<AssembleResult<Message> | undefined> {
    if (Date.now() < this.restsUntil) return undefined; // a server that hangs must not hold up every call
    try {
      await this.starter?.ensure();
      const { preset } = this.settings;
      const lossless = this.settings.lossless || options.lossless === true;
      const answer = await assemble(messages, { ...this.connection, ...options, ...(preset ? { preset } : {}), lossless });
      this.answered();
      return answer;
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  private answered(): void {
    if (this.away) this.logger.info("headroom: answers again, tool outputs are shortened again");
    this.away = false;
  }

  private failed(error: unknown): void {
    if (!(error instanceof HeadroomResponseError)) this.restsUntil = Date.now() + this.rest;
    if (this.away) return;
    this.away = true;
    const reason = error instanceof Error ? error.message : String(error);
    const help = this.settings.autoStart ? "" : " (or set plugins.entries.headroom.config.autoStart to true to have OpenClaw start it)";
    this.logger.warn(`headroom: OpenClaw goes on without it, nothing is shortened: ${reason}${help}`);
  }
}
