// How many codes the event table has, for who needs nothing else of it: table_test.ts holds the two
// equal. The table itself takes its time to load.
export const EVENT_COUNT = 454;
