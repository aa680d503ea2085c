import { findBlocks } from "../checks/support/blocks.ts";
