// Every page of the explorer: copying, and amounts that stay fresh.

import { enableCopying } from "../explorer/copy.ts";
import { enableLive } from "../explorer/live.ts";

enableCopying(document);
enableLive(document);
