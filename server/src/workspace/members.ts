/** Files as those see them that import from them. What changes replaces the neighbourhoods of all it can be seen from. */
import type { PythonDocument } from "../python/document";
import { headOf, type Neighbourhood } from "../python/names/neighbourhood";
import type { Outline } from "../python/outline";
import { Scope } from "../python/names/scope";

/** The outline of a file, the text of an open document: files with the same content say the same. */
export type Content = Outline | string;

/** By file, then by module as that file writes it: the address of what it imports from. */
export type Links = ReadonlyMap<string, ReadonlyMap<string, string>>;

export class Member {
  /** Set where the file is open: as it was when its importers were last told. */
  python: PythonDocument | undefined;
  private scope: Scope | undefined;

  constructor(
    readonly content: Content,
    readonly links: ReadonlyMap<string, string>,
    readonly neighbourhood: Neighbours,
  ) {}

  get names(): Scope {
    if (this.python) return this.python.names;
    const placed = typeof this.content === "string" ? [] : this.content.placed;
    return (this.scope ??= new Scope(placed, this.neighbourhood));
  }
}

class Neighbours implements Neighbourhood {
  readonly heads: ReadonlySet<string>;
  /** By module as the file writes it. */
  readonly members = new Map<string, Member>();

  constructor(
    readonly uri: string,
    links: ReadonlyMap<string, string>,
  ) {
    this.heads = new Set([...links.keys()].map(headOf));
  }

  module(name: string): Scope | undefined {
    return this.members.get(name)?.names;
  }
}

const noLinks: ReadonlyMap<string, string> = new Map();

export interface Membership {
  readonly members: ReadonlyMap<string, Member>;
  /** Files with another neighbourhood than before. */
  readonly replaced: ReadonlySet<string>;
}

/** The members after `before`: those from which no change can be seen are the same. */
export function membersAfter(
  before: ReadonlyMap<string, Member>,
  contents: ReadonlyMap<string, Content>,
  links: Links,
): Membership {
  const linksOf = (uri: string) => links.get(uri) ?? noLinks;
  const changed = new Set<string>();
  const replaced = new Set<string>();
  for (const [uri, content] of contents) {
    const known = before.get(uri);
    if (known?.content !== content) changed.add(uri);
    if (!sameLinks(linksOf(uri), known?.links ?? noLinks)) replaced.add(uri);
  }
  const sees = (uri: string): boolean => {
    for (const target of linksOf(uri).values()) if (changed.has(target) || replaced.has(target)) return true;
    return false;
  };
  for (let size = -1; size !== replaced.size;) {
    size = replaced.size;
    for (const uri of contents.keys()) if (sees(uri)) replaced.add(uri);
  }
  const members = new Map<string, Member>();
  for (const [uri, content] of contents) {
    const known = before.get(uri);
    const own = linksOf(uri);
    if (known && !replaced.has(uri) && !changed.has(uri)) members.set(uri, known);
    else {
      const kept = replaced.has(uri) ? undefined : known?.neighbourhood;
      members.set(uri, new Member(content, own, kept ?? new Neighbours(uri, own)));
    }
  }
  for (const uri of replaced) {
    const { links: own = noLinks, neighbourhood } = members.get(uri) ?? {};
    for (const [module, target] of own) {
      const member = members.get(target);
      if (member) neighbourhood?.members.set(module, member);
    }
  }
  return { members, replaced };
}

function sameLinks(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  if (one.size !== other.size) return false;
  for (const [module, uri] of one) if (other.get(module) !== uri) return false;
  return true;
}
