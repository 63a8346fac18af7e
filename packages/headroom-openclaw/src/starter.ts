import type { Logger, RunCommand } from "openclaw/plugin-sdk/plugin-entry";
import { localAddress, type Settings } from "./settings.js";

const PATIENCE = 20_000;
const POLL = 100;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;
const LIVED_WELL = 60_000;

/**
 * Starts a Headroom where none answers, through OpenClaw's own way of running commands; starts it again, later and
 * later, when it ends; stops what it started and nothing else.
 */
export class Starter {
  private watch: { stop: AbortController; done: Promise<void> } | undefined;
  private starting: Promise<void> | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly run: RunCommand,
    private readonly logger: Logger,
    private readonly firstPause = FIRST_PAUSE,
  ) {}

  /** Resolves when a Headroom answers, or when waiting for one makes no sense. Calls at the same time share one start. */
  async ensure(): Promise<void> {
    if (this.watch !== undefined && this.starting === undefined) return; // started: while it is away, it comes back by itself
    this.starting ??= this.start().finally(() => {
      this.starting = undefined;
    });
    await this.starting;
  }

  /** Ends the process, if it is ours, and waits until it has ended. */
  async stop(): Promise<void> {
    this.watch?.stop.abort();
    await this.starting;
    const watch = this.watch;
    this.watch = undefined;
    watch?.stop.abort();
    await watch?.done;
  }

  private async start(): Promise<void> {
    if (await this.answers("/health")) return;
    const address = localAddress(this.settings.baseUrl);
    if (address === undefined) {
      this.logger.warn(`headroom: autoStart can start a Headroom on this machine only, not at ${this.settings.baseUrl}`);
      return;
    }
    const stop = new AbortController();
    const ended = new AbortController();
    const argv = [this.settings.command, "proxy", "--host", address.host, "--port", address.port];
    this.logger.info(`headroom: starting \`${argv.join(" ")}\``);
    this.watch = { stop, done: this.keepRunning(argv, stop.signal, () => ended.abort()) };
    const until = Date.now() + PATIENCE;
    while (Date.now() < until && !ended.signal.aborted && !(await this.answers("/ready"))) await pause(POLL, ended.signal);
  }

  private async keepRunning(argv: string[], stop: AbortSignal, ended: () => void): Promise<void> {
    for (let wait = this.firstPause; !stop.aborted; wait = Math.min(wait * 2, LONGEST_PAUSE)) {
      const begun = Date.now();
      const how = await this.run(argv, { signal: stop, killGraceMs: 5_000, maxOutputBytes: 65_536 }).then(
        ({ code, stderr }) => `exit code ${code}${stderr ? `: ${stderr.trim().split("\n").at(-1)}` : ""}`,
        (error: unknown) => String(error),
      );
      ended();
      if (stop.aborted) return;
      if (Date.now() - begun > LIVED_WELL) wait = this.firstPause;
      this.logger.warn(`headroom: the Headroom that was started has ended (${how}); starting it again in ${wait / 1000} s`);
      await pause(wait, stop);
    }
  }

  private async answers(path: string): Promise<boolean> {
    try {
      const url = this.settings.baseUrl.replace(/\/+$/, "") + path;
      return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
    } catch {
      return false;
    }
  }
}

function pause(milliseconds: number, cut: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (cut.aborted) return resolve();
    const over = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    cut.addEventListener("abort", over, { once: true });
  });
}
