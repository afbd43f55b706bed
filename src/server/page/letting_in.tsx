// Who is let in to the page: those that may follow alerts. A browser that may not is told what to
// do, at the path that it asked for; a form takes the token, a link from `saker page` does without.
import type { Asked } from "../asker.ts";
import { askerOf, sessionCookie } from "../asker.ts";
import type { BodyBounds } from "../body.ts";
import { isLoopbackAddress, type Rights } from "../rights.ts";
import type { Sessions } from "../sessions.ts";
import { ASSETS_PATH } from "./assets.ts";
import { documentText } from "./document.tsx";
import { Notice, OtherHost, OtherUser, SignIn } from "./outside.tsx";

export interface EntryOptions {
  readonly rights: Rights;
  readonly sessions: Sessions;
}

/** Of a form with a token. */
const FORM: BodyBounds = { bytesMax: 16 << 10, mayHold: () => true };
/** Paths that a form may lead to: those of pages. */
const INSIDE = /^\/(?:page\/(?:alerts|rules|config|hosts|search)(?:[/?][\w/?=&%+.~*()!'-]*)?)?$/;
const REFUSED = { "www-authenticate": "Bearer" };

/** A request that no page of ours made: from a page of others, or of another port of this host. */
export function isForeign(context: Asked): boolean {
  const site = context.req.header("sec-fetch-site");
  return site === "cross-site" || site === "same-site";
}

export function isNavigation(context: Asked): boolean {
  return context.req.method === "GET" && context.req.header("sec-fetch-mode") === "navigate";
}

/** What a browser is shown that is not let in; undefined where it is. */
export function refusedPage(context: Asked, { rights }: EntryOptions): Response | undefined {
  const asker = askerOf(context);
  if (rights.refusalToFollow(asker) === undefined) return undefined;
  const assets = ASSETS_PATH;
  const { pathname, search } = new URL(context.req.url);
  const path = pathname + search;
  // A link in somebody's message: browsers keep the cookie back (SameSite=Strict) until the page
  // itself asks again.
  if (isForeign(context) && isNavigation(context) && INSIDE.test(path)) {
    return context.html(
      documentText(
        <Notice assets={assets} title="Opening" goTo={path}>
          <a href={path}>Open the page</a>
        </Notice>,
      ),
      401,
      REFUSED,
    );
  }
  const { command, port } = linkCommand(context);
  const shown = rights.hasToken
    ? <SignIn {...{ assets, command }} next={INSIDE.test(path) ? path : "/"} />
    : isLoopbackAddress(asker.remoteAddress)
    ? <OtherUser {...{ assets, command }} />
    : <OtherHost {...{ assets, command, port }} />;
  return context.html(documentText(shown), 401, REFUSED);
}

/** What is typed where saker runs for a link to the page that was asked for, and its port. */
function linkCommand(context: Asked): { readonly command: string; readonly port: string } {
  const { protocol } = new URL(context.req.url);
  const host = context.req.header("host") ?? "";
  const port = /:(\d{1,5})$/.exec(host)?.[1] ?? (protocol === "http:" ? "80" : "443");
  if (protocol === "http:" && port === "8765") return { command: "saker page", port };
  // Its certificate has the name that was asked for.
  const own = protocol === "http:" ? `127.0.0.1:${port}` : host;
  return { command: `saker page --url ${protocol}//${own}`, port };
}

/** POST /page/sign-in: the token in a form. */
export async function signIn(context: Asked, { rights }: EntryOptions): Promise<Response> {
  const form = await formOf(context);
  if (form === undefined) return context.text("a form is wanted", 400);
  const given = form.get("next") ?? "/";
  const next = INSIDE.test(given) ? given : "/";
  const session = rights.signIn((form.get("token") ?? "").trim());
  if (session !== undefined) {
    context.header("set-cookie", cookieOf(context, session));
    return context.redirect(next, 303);
  }
  const error = rights.hasToken ? "This is not the token." : "This saker has no token.";
  const { command } = linkCommand(context);
  const again = <SignIn assets={ASSETS_PATH} {...{ command, next, error }} />;
  return context.html(documentText(again), 401, REFUSED);
}

/** GET /page/open?code=…: a link that `saker page` printed. */
export function openLink(context: Asked, { rights }: EntryOptions): Response {
  const session = rights.signInByLink(context.req.query("code") ?? "");
  if (session === undefined) {
    return context.html(
      documentText(
        <Notice assets={ASSETS_PATH} title="This link is over">
          <p>
            A link opens the page once, within two minutes.{" "}
            <code>{linkCommand(context).command}</code> prints another one.
          </p>
          <p>
            <a href="/">To the page</a>
          </p>
        </Notice>,
      ),
      401,
      REFUSED,
    );
  }
  context.header("set-cookie", cookieOf(context, session));
  // Not a redirection: the cookie would be kept back if the link stood on a page of others.
  return context.html(documentText(
    <Notice assets={ASSETS_PATH} title="Welcome" goTo="/">
      <a href="/">Open the page</a>
    </Notice>,
  ));
}

/** POST /page/sign-out. */
export async function signOut(
  context: Asked,
  { rights, sessions }: EntryOptions,
): Promise<Response> {
  const asker = askerOf(context);
  const session = rights.session(asker);
  const form = await formOf(context);
  if (session !== undefined && asker.session !== undefined) {
    if (form?.get("csrf") !== session.csrf) {
      return context.text("this form is not of this session", 403);
    }
    sessions.end(asker.session);
  }
  context.header("set-cookie", cookieOf(context, "", "; Max-Age=0"));
  return context.html(documentText(
    <Notice assets={ASSETS_PATH} title="Signed out">
      <a href="/">Sign in again</a>
    </Notice>,
  ));
}

function cookieOf(context: Asked, value: string, more = ""): string {
  const secure = context.req.url.startsWith("https:") ? "; Secure" : "";
  return `${sessionCookie(context)}=${value}; Path=/; HttpOnly; SameSite=Strict${secure}${more}`;
}

async function formOf(context: Asked): Promise<URLSearchParams | undefined> {
  const type = context.req.header("content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded\b/i.test(type)) return undefined;
  const body = await context.env.body(FORM);
  return "bytes" in body ? new URLSearchParams(new TextDecoder().decode(body.bytes)) : undefined;
}
