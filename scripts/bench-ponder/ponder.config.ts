import { createConfig } from "ponder";

const { BENCH_RPC_URL, BENCH_TOKEN, BENCH_FIRST_BLOCK } = process.env;

const transfer = {
  type: "event",
  name: "Transfer",
  inputs: [
    { name: "from", type: "address", indexed: true },
    { name: "to", type: "address", indexed: true },
    { name: "amount", type: "uint256", indexed: false },
  ],
} as const;

export default createConfig({
  // The same address many times: with one, its own throttle for each address would be measured.
  chains: { bench: { id: 31337, rpc: Array(25).fill(BENCH_RPC_URL), pollingInterval: 100 } },
  contracts: {
    Token: {
      abi: [transfer],
      chain: "bench",
      address: BENCH_TOKEN as `0x${string}`,
      startBlock: Number(BENCH_FIRST_BLOCK),
    },
  },
});
