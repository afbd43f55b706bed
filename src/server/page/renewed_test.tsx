import { deepStrictEqual, doesNotMatch, throws } from "node:assert";
import { documentText } from "./document.tsx";
import { partsOf, Renewed } from "./renewed.tsx";

Deno.test("parts of a page: texts, elements and attributes come out as they went in", () => {
  const text = documentText(
    <main>
      <p>not renewed</p>
      <Renewed name="first">
        {"<b>&amp;</b> \u202e"}
        <a href="/?a=1&b=%22" title={`'"<>&`}>{3}</a>
        {null}
      </Renewed>
      <form action="/">
        <input name="search" value="x" />
      </form>
      <Renewed name="second">
        <ul>
          <li data-key="k">one</li>
          <li hidden></li>
        </ul>
      </Renewed>
    </main>,
  );
  doesNotMatch(text, /<b>/);
  deepStrictEqual(partsOf(text), {
    first: [
      "<b>&amp;</b> \\u202e",
      ["a", { href: "/?a=1&b=%22", title: `'"<>&` }, ["3"]],
    ],
    second: [["ul", {}, [["li", { "data-key": "k" }, ["one"]], ["li", { hidden: "" }, []]]]],
  });
});

Deno.test("parts of a page: one that does not end is a mistake of ours, and no answer", () => {
  for (const rest of ["<p>", "<p></a>", "<p a=b></p>", ""]) {
    throws(() => partsOf(`<div class="renewed" data-renew="x">${rest}`), /a page /);
  }
});
