// What somebody sees who is not let in: where the token goes, or why there is no way in from here
// and what to do. Nothing on these pages tells of the host.
import type { Child } from "hono/jsx";
import { Document, type Frame } from "./document.tsx";

export interface OutsideProps {
  readonly assets: string;
}

/** Where there is a way in by a link. */
export interface WayInProps extends OutsideProps {
  /** What prints a link to this page, where saker itself runs. */
  readonly command: string;
}

/** With a token. `next`: the path that was asked for. */
export function SignIn({ assets, command, next, error }: WayInProps & {
  readonly next: string;
  readonly error?: string;
}) {
  return (
    <Document title="Sign in" assets={assets}>
      <h1>Sign in</h1>
      <form class="panel" method="post" action="/page/sign-in">
        {error === undefined ? null : <p class="trouble panel" role="alert">{error}</p>}
        <input type="hidden" name="next" value={next} />
        <p>
          <label>
            Token
            <input
              type="password"
              name="token"
              required
              autofocus
              autocomplete="current-password"
              maxlength={4096}
            />
          </label>
        </p>
        <button type="submit" class="primary">Sign in</button>
      </form>
      <p class="note">
        It is the text of <code>webserver.token_file</code>{" "}
        on the host that saker runs on. Whoever is root there can type{" "}
        <code>{command}</code>, which prints a link that needs no token.
      </p>
    </Document>
  );
}

/** Without a token, on this host, for a user that is neither root nor saker's own. */
export function OtherUser({ assets, command }: WayInProps) {
  return (
    <Document title="Not for this user" assets={assets}>
      <h1>Not for this user</h1>
      <section class="panel">
        <p>
          Alerts hold command lines and names of files of all users of this host. So they are shown
          to root and to the user that saker runs as, and your browser is neither.
        </p>
        <h2>What you can do</h2>
        <ol>
          <li>
            Type <code>{`sudo ${command}`}</code>{" "}
            on this host and open the link that it prints. It is good for two minutes, once.
          </li>
          <li>
            Or give saker a token (<code>webserver.token_file</code>): then this page asks for it.
          </li>
          <li>
            Or, where everybody on this host may read the alerts, set{" "}
            <code>webserver.alerts_for: anyone</code>.
          </li>
        </ol>
      </section>
    </Document>
  );
}

/** Without a token, from another host. */
export function OtherHost({ assets, command, port }: WayInProps & { readonly port: string }) {
  return (
    <Document title="Not from another host" assets={assets}>
      <h1>Not from another host</h1>
      <section class="panel">
        <p>
          This saker has no token, so it shows its page to browsers on its own host alone.
        </p>
        <h2>What you can do</h2>
        <ol>
          <li>
            Bring the page to you: <code>{`ssh -L ${port}:localhost:${port} HOST`}</code>, then open
            {" "}
            <code>{`http://localhost:${port}/`}</code>. If you are not root there, type{" "}
            <code>{`sudo ${command}`}</code> on that host for a link that lets you in.
          </li>
          <li>
            Or give saker a token (<code>webserver.token_file</code>), and TLS (<code>
              webserver.ssl_enabled
            </code>): then this page asks for it.
          </li>
        </ol>
      </section>
    </Document>
  );
}

/** A page of few words: what went wrong, or that all is well. */
export function Notice({ assets, title, frame, goTo, children }: OutsideProps & {
  readonly title: string;
  readonly frame?: Frame;
  readonly goTo?: string;
  readonly children?: Child;
}) {
  return (
    <Document
      title={title}
      assets={assets}
      {...(goTo === undefined ? {} : { goTo })}
      {...(frame === undefined ? {} : { frame })}
    >
      <h1>{title}</h1>
      <div class="panel">{children}</div>
    </Document>
  );
}
