import { onchainTable, primaryKey } from "ponder";

export const transfers = onchainTable(
  "transfers",
  (t) => ({
    block_number: t.bigint().notNull(),
    log_index: t.integer().notNull(),
    tx_hash: t.hex().notNull(),
    from_address: t.hex().notNull(),
    to_address: t.hex().notNull(),
    amount: t.bigint().notNull(),
  }),
  (table) => ({ key: primaryKey({ columns: [table.block_number, table.log_index] }) }),
);
