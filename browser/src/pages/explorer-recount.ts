// The worker of explorer-result.ts: one order, reports, one result.

import { Failure } from "../explorer/failure.ts";
import type { Order, Report } from "../explorer/recount-view.ts";
import { recount } from "../explorer/recount.ts";
import { nodeAt } from "../explorer/rpc.ts";

function say(report: Report): void {
    postMessage(report);
}

addEventListener("message", async ({ data }: MessageEvent<Order>) => {
    try {
        say({ recount: await recount(nodeAt(data.rpc), data, (progress) => say({ progress })) });
    } catch (error) {
        const { code, values } = error instanceof Failure ? error : new Failure("internal", { detail: String(error) });
        say({ failure: { code, values } });
    }
});
