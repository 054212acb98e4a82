import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fullName, shortAuthors } from "../../../client/src/names";

describe("names of authors", () => {
  it("puts the given name first where the corpus tells the family name", () => {
    assert.equal(fullName("Karimi Mahabadi, Rabeeh"), "Rabeeh Karimi Mahabadi");
    assert.equal(fullName("Edward J. Hu"), "Edward J. Hu");
  });

  it("shortens to the family name of the first", () => {
    assert.equal(shortAuthors(["Karimi Mahabadi, Rabeeh", "James Henderson"]), "Karimi Mahabadi et al.");
    assert.equal(shortAuthors(["Edward J. Hu"]), "Hu");
    assert.equal(shortAuthors([]), undefined);
  });
});
