// One file that needs nothing but OpenClaw: the SDK is bundled into it, so that installing the plugin asks no registry.
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
rmSync(join(root, "dist"), { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: [join(root, "src/index.ts")],
  outfile: join(root, "dist/index.js"),
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node22",
  external: ["openclaw/*"],
  metafile: true,
});
for (const { bytes } of Object.values(metafile.outputs)) console.log(`headroom-openclaw: ${bytes} bytes`);
