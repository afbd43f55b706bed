// The contract of a handler: what one kind of event does to the tables.
import type { Context } from "../contract/context.ts";
import type { Tables } from "../tables/tables.ts";

export type Handler = (tables: Tables, context: Context) => void;
