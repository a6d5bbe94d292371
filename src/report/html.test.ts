import { expect, test } from "vitest";
import { html, json } from "./html.ts";

test("what is filled in is text, whatever it holds", () => {
  const evil = `"><script>alert('1')</script>&`;
  expect(html`<p title="${evil}">${evil}</p>`.text).toBe(
    '<p title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;">&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;</p>',
  );
});

test("markup goes in as it is, lists are joined, and nothing leaves nothing", () => {
  const items = [1, 2].map((n) => html`<b>${n}</b>`);
  expect(html`<i>${items}${undefined}${false}</i>`.text).toBe("<i><b>1</b><b>2</b></i>");
});

test("JSON cannot end its script element, and stays JSON", () => {
  const value = { prompt: "</script><!--" };
  expect(json(value).text).not.toContain("<");
  expect(JSON.parse(json(value).text)).toEqual(value);
});
