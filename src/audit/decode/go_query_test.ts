// The parameters of requests' URIs.
import { strictEqual } from "node:assert";
import { queryOf } from "./go_query.ts";

Deno.test("a parameter's first value is decoded", () => {
  const uri = "/api/v1/pods?command=ls&command=-l&a=1%2B1&b=x+y&empty=&bare&%61b=c&e=%C3%A9#part";
  const query = queryOf(uri)!;
  strictEqual(query.get("command"), "ls");
  strictEqual(query.get("a"), "1+1");
  strictEqual(query.get("b"), "x y");
  strictEqual(query.get("empty"), "");
  strictEqual(query.get("bare"), "");
  strictEqual(query.get("ab"), "c");
  strictEqual(query.get("e"), "é");
  strictEqual(query.get("part"), undefined);
});

Deno.test("one part that is wrong makes all of a query unreadable", () => {
  for (const uri of ["/a?x=%zz&y=1", "/a?x=1;y=2", "/%zz?x=1", "/a?x=1\n", ":a?x=1", "/a?x=%f"]) {
    strictEqual(queryOf(uri), undefined, uri);
  }
  strictEqual(queryOf("//host:1/a?x=1")?.get("x"), "1");
  strictEqual(queryOf("//host:z/a?x=1"), undefined);
  strictEqual(queryOf("a:b?x=1")?.get("x"), "1");
});
