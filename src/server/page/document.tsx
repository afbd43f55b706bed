// What all pages have in common: the document around them, the bar at the top, and the last step
// from elements to bytes.
import type { Child } from "hono/jsx";
import { visibleText } from "../../words/visible.ts";
import { short } from "./shown.ts";

/** What every page is told besides its own. */
export interface Frame {
  readonly hostname: string;
  /** `ok`, `degraded`, … as in /healthz. */
  readonly state: string;
  /** Present for a browser that has signed in: what its forms carry. */
  readonly csrf: string | undefined;
  /** Below which the script and the style sheet are found; they change with their texts. */
  readonly assets: string;
  /** The bar's entries where they are not those of one host. */
  readonly pages?: Pages;
}

export type Pages = readonly (readonly [path: string, name: string])[];

export interface DocumentProps {
  readonly title: string;
  readonly frame?: Frame;
  readonly assets: string;
  /** The path of the entry of the bar that this page belongs to. */
  readonly here?: string;
  /** Goes there at once, or after so many seconds. */
  readonly goTo?: string;
  readonly goToS?: number;
  /** It has parts that a script renews (renewed.tsx). */
  readonly renews?: boolean;
  readonly children?: Child;
}

const PAGES: Pages = [
  ["/", "Overview"],
  ["/page/alerts", "Alerts"],
  ["/page/rules", "Rules"],
  ["/page/config", "Configuration"],
];

/** What the script says, and the server where it knows as well. */
export const STATE_WORDS: Readonly<Record<string, string>> = {
  ok: "watching",
  starting: "starting",
  degraded: "degraded",
  failing: "alerts fail",
  blind: "blind",
  gone: "no connection",
};

export function Document(props: DocumentProps) {
  const { title, frame, assets, here, goTo, goToS = 0, renews = false, children } = props;
  const where = frame === undefined ? "saker" : `${short(frame.hostname, 80)} – saker`;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {goTo === undefined
          ? null
          : <meta http-equiv="refresh" content={`${goToS}; url=${goTo}`} />}
        <title>{`${title} – ${where}`}</title>
        <link rel="stylesheet" href={`${assets}/style.css`} />
        <link rel="icon" href={`${assets}/icon.svg`} type="image/svg+xml" />
        {frame === undefined ? null : <script src={`${assets}/live.js`} defer></script>}
        {renews ? <script src={`${assets}/renew.js`} defer></script> : null}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="bar">
          <div>
            <div class="brand">
              <a href="/">saker</a>
              {frame === undefined ? null : <Host frame={frame} />}
            </div>
            {frame === undefined ? null : <Bar here={here} pages={frame.pages ?? PAGES} />}
            {frame?.csrf === undefined ? null : (
              <form method="post" action="/page/sign-out">
                <input type="hidden" name="csrf" value={frame.csrf} />
                <button type="submit">Sign out</button>
              </form>
            )}
          </div>
        </header>
        <main id="main" tabindex={-1}>{children}</main>
      </body>
    </html>
  );
}

function Host({ frame }: { readonly frame: Frame }) {
  return (
    <>
      <span class="host value-text">{short(frame.hostname, 80)}</span>
      <span class="pill" data-state={frame.state} id="state" role="status">
        {STATE_WORDS[frame.state] ?? frame.state}
      </span>
    </>
  );
}

function Bar({ here, pages }: { readonly here: string | undefined; readonly pages: Pages }) {
  return (
    <nav aria-label="Pages">
      <ul>
        {pages.map(([path, name]) => (
          <li>
            {path === here
              ? <a href={path} aria-current="page">{name}</a>
              : <a href={path}>{name}</a>}
          </li>
        ))}
      </ul>
    </nav>
  );
}

/**
 * The document as text. Elements escape what they hold; what would turn the direction of reading or
 * is no character at all is made visible here, wherever it stands, so that no page can forget it.
 */
export function documentText(document: { toString(): string | Promise<string> }): string {
  return `<!doctype html>\n${visibleText(String(document))}`;
}
