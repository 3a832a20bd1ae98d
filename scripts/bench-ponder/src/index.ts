import { ponder } from "ponder:registry";
import { transfers } from "ponder:schema";

ponder.on("Token:Transfer", async ({ event, context }) => {
  await context.db.insert(transfers).values({
    block_number: event.block.number,
    log_index: event.log.logIndex,
    tx_hash: event.transaction.hash,
    from_address: event.args.from,
    to_address: event.args.to,
    amount: event.args.amount,
  });
});
