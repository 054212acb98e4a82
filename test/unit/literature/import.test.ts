import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { ImportError, importPapers } from "../../../server/src/literature/import";
import { createStore } from "../../../server/src/literature/store";

const page = readFileSync("test/fixtures/papers/daily-papers.txt", "utf8");

/** What the page says of each paper, without its abstract. */
const told = (text: string) =>
  importPapers(text).papers.map(({ title, authorCount, organisation, year, listed }) => ({
    title,
    authorCount,
    organisation,
    year,
    listed,
  }));

describe("a saved Hugging Face papers page", () => {
  it("gives titles, authors or organisation, dates as printed and votes", () => {
    assert.deepEqual(told(page), [
      {
        title: "GardenTune: Tuning Watering Schedules with Few Parameters",
        authorCount: 5,
        organisation: undefined,
        year: 2024,
        listed: { date: "Mar 3, 2024", votes: 12 },
      },
      {
        title: "Q^{2}: What Happens When a Question Is Asked Twice",
        authorCount: 1,
        organisation: undefined,
        year: undefined,
        listed: { date: "May 21" },
      },
      {
        title: "Straßen und Brücken: Naming Bridges with Graph Adapters",
        authorCount: undefined,
        organisation: "Tinkerers Guild",
        year: 2023,
        listed: { date: "Jun 30, 2023" },
      },
      {
        title: "A Survey of Surveys of Kettles",
        authorCount: 12,
        organisation: undefined,
        year: 2021,
        listed: { date: "Dec 9, 2021", votes: 1 },
      },
    ]);
    assert.deepEqual(importPapers(page).skipped, []);
  });

  it("keeps abstracts whole", () => {
    const [first] = importPapers(page).papers;
    assert.match(first!.summary, /^Watering schedules are long,/);
    assert.match(first!.summary, /did not like the third one at all\.$/);
  });

  it("reads Windows line ends and a byte order mark alike", () => {
    assert.deepEqual(told(`\uFEFF${page.replaceAll("\n", "\r\n")}`), told(page));
  });

  it("tells a record without a title by its line, and keeps the others", () => {
    const broken = page
      .replace("A Survey of Surveys of Kettles\n\n", "")
      .replace(/^Kettles have been surveyed/m, `${"Kettles boil. ".repeat(30)}Kettles have been surveyed`);
    const line = broken.split("\n").findIndex((text) => text.startsWith("Kettles boil")) + 1;
    const { papers, skipped } = importPapers(broken);
    assert.equal(papers.length, 3);
    assert.deepEqual(skipped, [{ line, reason: `record at line ${line} has no title` }]);
  });

  it("tells where a cut file ends in the middle of a record", () => {
    const cut = page.slice(0, page.indexOf("and find that none of them"));
    const { papers, skipped } = importPapers(cut);
    assert.equal(papers.length, 3);
    assert.equal(skipped.length, 1);
    assert.match(
      skipped[0]!.reason,
      /^record at line 37 is cut off before its authors and date: save the whole page/,
    );
  });

  it("parts two records whose footer is lost", () => {
    const long = page.replace("A schedule tuned", `${"It rains. ".repeat(20)}A schedule tuned`);
    const next = long
      .replace("No other", "")
      .replace("corrects half", `${"It thinks. ".repeat(20)}corrects half`);
    const { papers } = importPapers(next.replace("  • 5 authors\n·\nMar 3, 2024 12\n", ""));
    assert.deepEqual(
      papers.map(({ title, authorCount }) => [title.slice(0, 10), authorCount]),
      [
        ["GardenTune", undefined],
        ["Q^{2}: Wha", 1],
        ["Straßen un", undefined],
        ["A Survey o", 12],
      ],
    );
  });

  it("says what is wrong with a foreign, an empty and a binary file", () => {
    const message = (text: string): string => {
      try {
        importPapers(text);
        return "";
      } catch (error) {
        assert.ok(error instanceof ImportError);
        return error.message;
      }
    };
    assert.match(message("Dear diary,\n\ntoday I read nothing at all.\n"), /^No papers were found: /);
    assert.match(message(" \n"), /^The text is empty/);
    assert.match(message("\0\0PNG"), /^This is not a text file/);
  });

  it("changes nothing when imported twice", async () => {
    const files = new Map<string, string>();
    const store = createStore({
      read: (name) => Promise.resolve(files.get(name) ?? null),
      write: (name, text) => Promise.resolve(void files.set(name, text)),
    });
    await store.load();
    const first = store.merged(importPapers(page).papers);
    await store.save(first.all);
    const before = files.get("library.json");
    const second = store.merged(importPapers(page).papers);
    assert.deepEqual(
      { added: second.added, updated: second.updated, unchanged: second.unchanged },
      { added: 0, updated: 0, unchanged: 4 },
    );
    await store.save(second.all);
    assert.equal(files.get("library.json"), before);
  });

  const seeds = "../shared/seeds/daily-papers.txt";
  const whole = (): void => {
    const text = readFileSync(seeds, "utf8");
    const { papers, skipped } = importPapers(text);
    assert.deepEqual(skipped, []);
    assert.equal(papers.length, 55);
    assert.equal(new Set(papers.map(({ id }) => id)).size, 55);
    assert.match(papers[0]!.title, /^SCEdit: /);
    assert.match(papers[54]!.title, /^Layer-wise Importance Matters: /);
    // counted in the text with grep: 54 author lines, one organisation, 42 dates with a year, 38 votes over 17 papers
    assert.equal(papers.filter(({ authorCount }) => authorCount !== undefined).length, 54);
    assert.deepEqual(
      papers.flatMap(({ organisation }) => organisation ?? []),
      ["CodeFuse AI"],
    );
    assert.equal(papers.filter(({ listed }) => /, \d{4}$/.test(listed?.date ?? "")).length, 42);
    assert.equal(papers.filter(({ year }) => year !== undefined).length, 42);
    const votes = papers.flatMap(({ listed }) => listed?.votes ?? []);
    assert.equal(votes.length, 17);
    assert.equal(
      votes.reduce((sum, each) => sum + each),
      38,
    );
    const lines = new Set(text.split("\n"));
    for (const { title, summary } of papers) {
      assert.ok(lines.has(title), title);
      assert.ok(lines.has(summary), title);
    }
  };
  if (existsSync(seeds)) it("reads the owner's page whole", whole);
});

describe("BibTeX", () => {
  it("gives title, authors, year, venue and arXiv identifier without TeX", () => {
    const { papers, skipped } = importPapers(`% my papers
@inproceedings{ny2025, title = {{NyT}uning: a N{\\"u}tzliche \\& kind method},
  author = "M{\\"u}ller, Jos\\'{e} and Li Wei and others", booktitle={Proc. of X}, year = 2025 }
@misc{b, title={Beds}, eprint={2401.00001}, archivePrefix={arXiv}, abstract={Two
  lines.}}
@article{broken, author = {Nobody}}
@article{cut, title={Never closed`);
    assert.deepEqual(
      papers.map(({ title, authors, year, venue, arxiv, summary }) => ({
        title,
        authors,
        year,
        venue,
        arxiv,
        summary,
      })),
      [
        {
          title: "NyTuning: a Nützliche & kind method",
          authors: ["José Müller", "Li Wei"],
          year: 2025,
          venue: "Proc. of X",
          arxiv: undefined,
          summary: "",
        },
        {
          title: "Beds",
          authors: [],
          year: undefined,
          venue: undefined,
          arxiv: "2401.00001",
          summary: "Two lines.",
        },
      ],
    );
    assert.deepEqual(skipped, [
      { line: 6, reason: "entry at line 6 has no title" },
      { line: 7, reason: "entry at line 7 is cut off: its closing brace is missing" },
    ]);
  });
});
