// Stands where OpenClaw's plugin SDK would: hands back what it is given, and remembers what was delegated.
export const definePluginEntry = <Entry>(entry: Entry): Entry => entry;

export const compactions: unknown[] = [];
export async function delegateCompactionToRuntime(params: unknown) {
  compactions.push(params);
  return { ok: true, compacted: true, reason: "by the runtime" };
}
