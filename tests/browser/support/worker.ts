import { serveClients } from "@telequick/sdk/browser/worker";

serveClients();
