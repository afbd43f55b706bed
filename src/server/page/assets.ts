// What a browser is given besides pages: the style sheet, the scripts and the icon, as they lie in
// assets/. Their address changes with what they say, so that browsers may keep them for ever.
import { createHash } from "node:crypto";
import icon from "./assets/icon.svg" with { type: "text" };
import script from "./assets/live.js" with { type: "text" };
import renew from "./assets/renew.js" with { type: "text" };
import style from "./assets/style.css" with { type: "text" };

export interface Asset {
  readonly type: string;
  readonly text: string;
}

export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["style.css", { type: "text/css; charset=utf-8", text: style }],
  ["live.js", { type: "text/javascript; charset=utf-8", text: script }],
  ["renew.js", { type: "text/javascript; charset=utf-8", text: renew }],
  ["icon.svg", { type: "image/svg+xml", text: icon }],
]);

const SUM = createHash("sha256").update(style).update(script).update(renew).update(icon)
  .digest("hex");

/** Below which they are found. */
export const ASSETS_PATH = `/page/assets/${SUM.slice(0, 16)}`;
