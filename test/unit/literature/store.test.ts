import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { userPaper } from "../../../server/src/literature/import/imported";
import { createStore } from "../../../server/src/literature/store";

/** A storage in memory; `fails` names files that cannot be written. */
function memory(files: Record<string, string> = {}, fails: readonly string[] = []) {
  const held = new Map(Object.entries(files));
  return {
    held,
    read: (name: string) => Promise.resolve(held.get(name) ?? null),
    write: (name: string, text: string) => {
      if (fails.some((part) => name.includes(part))) return Promise.reject(new Error("disk full"));
      held.set(name, text);
      return Promise.resolve();
    },
  };
}

const kettles = userPaper({ title: "A Survey of Surveys of Kettles", authorCount: 12, arxiv: "2112.00001" });

describe("the user's library", () => {
  it("is found again after a restart", async () => {
    const storage = memory();
    await createStore(storage).save([kettles]);
    assert.deepEqual(await createStore(storage).load(), { papers: [kettles] });
  });

  it("is empty where there is no file", async () => {
    assert.deepEqual(await createStore(memory()).load(), { papers: [] });
  });

  it("keeps an unreadable file aside under a free name and says so", async () => {
    const storage = memory({ "library.json": "{ half a fi", "library.unreadable-1.json": "older" });
    const store = createStore(storage);
    const { papers, problem } = await store.load();
    assert.deepEqual(papers, []);
    assert.equal(
      problem,
      "Your library (library.json) is not a Litlens library; it is kept as library.unreadable-2.json.",
    );
    await store.save([kettles]);
    assert.equal(storage.held.get("library.unreadable-2.json"), "{ half a fi");
    assert.equal(storage.held.get("library.unreadable-1.json"), "older");
    assert.equal((await createStore(storage).load()).papers.length, 1);
  });

  it("does not save over what it could neither read nor keep", async () => {
    const storage = memory({ "library.json": "[]" }, ["unreadable"]);
    const store = createStore(storage);
    assert.match((await store.load()).problem ?? "", /no copy of it could be written/);
    await assert.rejects(store.save([kettles]), /no copy of it could be written/);
    assert.equal(storage.held.get("library.json"), "[]");
  });

  it("keeps the good papers of a file with bad ones, and a copy of all", async () => {
    const text = JSON.stringify({ format: 1, papers: [kettles, { title: "no id" }] });
    const storage = memory({ "library.json": text });
    const { papers, problem } = await createStore(storage).load();
    assert.deepEqual(papers, [kettles]);
    assert.match(problem ?? "", /has 1 unreadable of 2 papers; it is kept as library\.unreadable-1\.json/);
    assert.equal(storage.held.get("library.unreadable-1.json"), text);
  });

  it("leaves the file of a newer version alone", async () => {
    const text = JSON.stringify({ format: 99, papers: [] });
    const storage = memory({ "library.json": text });
    const store = createStore(storage);
    assert.match((await store.load()).problem ?? "", /newer Litlens/);
    await assert.rejects(store.save([kettles]), /newer Litlens/);
    assert.equal(storage.held.get("library.json"), text);
  });

  it("still holds the old papers when saving fails", async () => {
    const storage = memory({}, ["library.json"]);
    const store = createStore(storage);
    await store.load();
    await assert.rejects(store.save([kettles]), /disk full/);
    assert.equal(store.merged([kettles]).added, 1);
  });

  it("knows a paper by arXiv identifier whatever its version, and by title whatever its case", async () => {
    const store = createStore(memory());
    await store.save([kettles]);
    const merged = store.merged([
      userPaper({ title: "Other title", arxiv: "2112.00001v3", year: 2021 }),
      userPaper({ title: "A survey of surveys — of kettles!", summary: "Kettles." }),
    ]);
    assert.deepEqual([merged.added, merged.updated, merged.unchanged], [0, 1, 0]);
    assert.equal(merged.all.length, 1);
    const [paper] = merged.all;
    assert.ok(paper);
    assert.deepEqual(
      { summary: paper.summary, year: paper.year, authorCount: paper.authorCount, id: paper.id },
      { summary: "Kettles.", year: 2021, authorCount: 12, id: kettles.id },
    );
  });
});
