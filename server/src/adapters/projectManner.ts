/** What a project's configuration says of the manner of its code, and edits that keep to it. */
import type { SourceFile } from "./definitions";
import { withLayout } from "../python/local";
import type { Edit } from "./edits";
import { fitted } from "./wrapping/fitted";

export interface ProjectManner {
  /** Columns that a line may have. */
  readonly width?: number;
  /** Where a file has no strings to go by. */
  readonly quote?: '"' | "'";
  /** One level, where a file has none to go by. */
  readonly indent?: string;
  /** The oldest Python that the code is for, as its minor version: 9 for 3.9. */
  readonly python?: number;
}

/** A file's facts, with the project's manner where the file does not show one of its own. */
export function withProjectManner(file: SourceFile, project: ProjectManner): SourceFile {
  const { text, facts } = file;
  const hasStrings = facts.prose.some(({ kind }) => kind === "string");
  const layout = {
    ...facts.layout,
    ...(hasStrings || project.quote === undefined ? {} : { quote: project.quote }),
    ...(/^[ \t]+\S/m.test(text) || project.indent === undefined ? {} : { indent: project.indent }),
  };
  return { text, facts: withLayout(facts, layout), project };
}

/** Edits of the file, their lines as long as the project's formatter lets them be; as they are where it has none. */
export function inProjectManner(
  { text, facts, project }: SourceFile,
  edits: readonly Edit[],
): readonly Edit[] {
  const width = project?.width;
  return width === undefined ? edits : fitted(text, edits, { width, indent: facts.layout.indent });
}
