/**
 * A Hugging Face papers page saved as text. A record is a title, the abstract, a line with the authors' count
 * ("• 5 authors") or an organisation, a line with a middle dot, and the date with the votes ("Dec 18, 2023 3").
 */
import type { Paper } from "../model";
import { type Imported, userPaper } from "./imported";

interface Line {
  readonly number: number;
  readonly text: string;
}

const authorsLine = /^[•·]?\s*(\d+) authors?$/;
const separator = /^[·•]$/;
const dateLine =
  /^((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{1,2}(?:, (\d{4}))?)(?:\s+(\d+))?$/;
/** Lines of the page around the records. */
const pageLine =
  /^(new|Subscribe|Daily Papers|Upvote|Submitted by.*|by\s*AK\b.*|Get trending papers.*|[-+]?\d+)$/;
const longestTitle = 300;
const longestOrganisation = 80;

/** Every record of the page, in its order. */
export function huggingFacePapers(text: string): Imported {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r\n?|\n/)
    .map((line, index) => ({ number: index + 1, text: line.trim() }))
    .filter((line) => line.text !== "");
  const papers: Paper[] = [];
  const skipped: { line: number; reason: string }[] = [];
  const skip = (line: number, what: string): void => {
    skipped.push({ line, reason: `record at line ${line} ${what}` });
  };
  let body: Line[] = [];

  for (let index = 0; index < lines.length; index++) {
    const line = lines[index];
    if (line === undefined) break;
    const count = authorsLine.exec(line.text)?.[1];
    if (count === undefined && !separator.test(line.text)) {
      // above the first record stand the page's own lines and its date
      const ofPage = pageLine.test(line.text) || (body.length === 0 && dateLine.test(line.text));
      if (!ofPage) body.push(line);
      continue;
    }
    if (count !== undefined && separator.test(lines[index + 1]?.text ?? "")) index++;
    const organisation = count === undefined ? takeOrganisation(body) : undefined;
    const date = dateLine.exec(lines[index + 1]?.text ?? "");
    if (date !== null) index++;
    const listed = {
      ...(date?.[1] === undefined ? {} : { date: date[1] }),
      ...(date?.[3] === undefined ? {} : { votes: Number(date[3]) }),
    };
    const footer = {
      ...(count === undefined ? {} : { authorCount: Number(count) }),
      ...(organisation === undefined ? {} : { organisation }),
      ...(date?.[2] === undefined ? {} : { year: Number(date[2]) }),
      ...(Object.keys(listed).length === 0 ? {} : { listed }),
    };
    const records = splitRecords(body);
    records.forEach((record, position) => {
      const [title, ...abstract] = record;
      if (title === undefined || title.text.length > longestTitle) {
        skip(title?.number ?? line.number, "has no title");
        return;
      }
      const summary = abstract.map((paragraph) => paragraph.text).join("\n\n");
      // only the last of several knows the authors and the date that stand here
      const known = position < records.length - 1 ? {} : footer;
      papers.push(userPaper({ title: title.text, summary, ...known }));
    });
    body = [];
  }
  const [rest] = body;
  if (rest !== undefined && papers.length + skipped.length > 0 && body.some(isProse))
    skip(rest.number, "is cut off before its authors and date: save the whole page and import it again");
  return { papers, skipped };
}

/** A line of several words; what stands below the last record otherwise are the page's links. */
const isProse = ({ text }: Line): boolean => text.split(/\s+/).length >= 4;

/** The last line of a record without an authors' count: "codefuse-ai CodeFuse AI", the account and its name. */
function takeOrganisation(body: Line[]): string | undefined {
  const last = body.at(-1);
  if (last === undefined || last.text.length > longestOrganisation || /[.!?]$/.test(last.text))
    return undefined;
  if (body.length < 2) return undefined;
  body.pop();
  const [account = "", ...name] = last.text.split(/\s+/);
  const letters = (word: string): string => word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const named = name.length > 0 && letters(account).startsWith(letters(name[0] ?? ""));
  return named ? name.join(" ") : last.text;
}

/** Two records whose parting lines are missing: a short line without a full stop between two abstracts is a title. */
function splitRecords(body: readonly Line[]): readonly (readonly Line[])[] {
  const next = body.findIndex(
    ({ text }, index) =>
      index >= 2 &&
      text.length <= longestTitle &&
      !/[.!?:]$|https?:/.test(text) &&
      isAbstract(body[index - 1]) &&
      isAbstract(body[index + 1]),
  );
  return next === -1 ? [body] : [body.slice(0, next), ...splitRecords(body.slice(next))];
}

const isAbstract = (line: Line | undefined): boolean => line !== undefined && line.text.length > longestTitle;
