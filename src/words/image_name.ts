// The name of a container's image taken apart: `HOST:PORT/PATH:TAG@DIGEST`. A registry's port is no
// tag.

export interface ImageName {
  readonly repository: string;
  /** "" where the name has none, as for the digest. */
  readonly tag: string;
  readonly digest: string;
}

export function imageName(name: string): ImageName {
  const at = name.indexOf("@");
  const tagged = at < 0 ? name : name.slice(0, at);
  const colon = tagged.indexOf(":", tagged.lastIndexOf("/") + 1);
  return {
    repository: colon < 0 ? tagged : tagged.slice(0, colon),
    tag: colon < 0 ? "" : tagged.slice(colon + 1),
    digest: at < 0 ? "" : name.slice(at + 1),
  };
}
