// Builds every browser/src/pages/*.ts into a minified ES module with a source map in browser/dist/.
// What pages share goes into chunk-*.js files that they import, so that a visitor loads it once.

import { build } from "esbuild";
import { mkdir, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const pages = join(here, "src", "pages");
const dist = join(here, "dist");

const entryPoints = (await readdir(pages).catch(() => []))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .sort()
    .map((name) => join(pages, name));

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
if (entryPoints.length === 0) {
    console.log("browser/src/pages has no .ts file: nothing to build");
    process.exit(0);
}

const { metafile } = await build({
    entryPoints,
    outdir: dist,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: ["es2022"],
    minify: true,
    sourcemap: true,
    legalComments: "linked",
    entryNames: "[name]",
    chunkNames: "chunk-[hash]",
    charset: "utf8",
    metafile: true,
    logLevel: "warning",
});

for (const [path, { bytes }] of Object.entries(metafile.outputs)) {
    if (path.endsWith(".js")) console.log(`${basename(path)} ${(bytes / 1024).toFixed(1)} KiB`);
}
