// Bundles browser/test/*.test.ts into a temporary folder and runs node's test runner on them.
// `node browser/test.mjs words` runs only the files whose name contains "words".

import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..");
const wanted = process.argv.slice(2);

const names = (await readdir(join(here, "test")))
    .filter((name) => name.endsWith(".test.ts"))
    .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
    .sort();
if (names.length === 0) {
    console.error(`no test file matches: ${wanted.join(", ")}`);
    process.exit(1);
}

const folder = await mkdtemp(join(tmpdir(), "kopilka-browser-test-"));
let status = 1;
try {
    await build({
        entryPoints: names.map((name) => join(here, "test", name)),
        outdir: folder,
        outExtension: { ".js": ".mjs" },
        bundle: true,
        format: "esm",
        platform: "node",
        target: ["node20"],
        sourcemap: "inline",
        // Packages written for CommonJS ask for node's own modules.
        banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
        logLevel: "warning",
    });
    const files = names.map((name) => join(folder, name.replace(/\.ts$/, ".mjs")));
    // Tests find the repository's files from the working directory.
    const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { cwd: root, stdio: "inherit" });
    status = run.status ?? 1;
} finally {
    await rm(folder, { recursive: true, force: true });
}
process.exit(status);
