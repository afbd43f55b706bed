// Moved to the events room, so that fields and state can use it too: import it from there.
export * from "../events/event_fixture.ts";
