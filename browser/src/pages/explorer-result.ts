// The page of a round's result: the recount, whose work explorer-recount.ts does in a thread of its own.

import { enableCopying } from "../explorer/copy.ts";
import { enableRecount, type Report } from "../explorer/recount-view.ts";

enableCopying(document);
enableRecount(document, (order, hear) => {
    // Built into the same folder as this script.
    const worker = new Worker(new URL("explorer-recount.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<Report>) => {
        if (!("progress" in data)) worker.terminate();
        hear(data);
    });
    worker.addEventListener("error", ({ message }) => {
        worker.terminate();
        hear({ failure: { code: "internal", values: { detail: message ?? "" } } });
    });
    worker.postMessage(order);
    return () => worker.terminate();
});
