// A worker at the edge. `ours.mjs` stands for the program that is measured.
import { firstToken } from "./ours.mjs";

export default { test: (_controller, { account }) => firstToken(account) };
