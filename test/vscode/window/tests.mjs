// Each test has a window of its own on a copy of examples/.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  clickOn,
  command,
  goTo,
  inPage,
  openLightbulb,
  previewInsertion,
  rectangleOf,
  typeInto,
  until,
} from "../window.mjs";
import { faintTexts, frameOf, overflow, tabStops } from "./page.mjs";

const list = (page) => page.locator(".quick-input-widget");
const titled = (page, text) => list(page).locator(".quick-input-title", { hasText: text });
const input = (page) => list(page).locator("input[type=text]");
/** What a screen reader says of the rows in view. */
const rows = (page) =>
  list(page)
    .locator(".monaco-list-row")
    .evaluateAll((all) => all.map((row) => row.getAttribute("aria-label") ?? row.textContent));
const notification = (page) => page.locator(".notification-toast .notification-list-item-message").last();

/** Runs a command at a text of the file until `wanted` is there: the language server may still be starting. */
async function commandAt(page, file, text, title, wanted) {
  await goTo(page, file, text);
  await clickOn(page, text);
  await until(
    wanted,
    async () => {
      await page.keyboard.press("Escape");
      await command(page, `Litlens: ${title}`);
    },
    { patience: 10_000 },
  );
}

/** The hover at a text, once it has what it must. */
async function hoverAt(page, file, line, text, wanted) {
  await goTo(page, file, line);
  const { x, y, height } = await rectangleOf(page, text);
  const hover = page.locator(".monaco-hover", { hasText: wanted }).first();
  await until(hover, async () => {
    await page.mouse.move(x + 20, y - height * 3);
    await page.mouse.move(x + 20, y + height / 2, { steps: 3 });
  });
  return hover;
}

const gpt = "self.c_attn = nn.Linear(";

export const tests = {
  "the links of a hover open the paper, find related ones, insert, and copy BibTeX": {
    file: "finetune_peft.py",
    async run(page, { folder }) {
      const hover = () =>
        hoverAt(page, join(folder, "finetune_peft.py"), "config = LoraConfig(", "LoraConfig(", "Low-Rank");
      const follow = async (link) => (await hover()).getByRole("link", { name: link, exact: true }).click();
      await follow("Copy BibTeX");
      const copied = () => page.evaluate(() => navigator.clipboard.readText());
      for (let tries = 0; tries < 300 && (await copied()) === ""; tries++) await page.waitForTimeout(200);
      assert.match(await copied(), /^@\w+\{\w+,[^]*Low-Rank/);
      await follow("Insert into a model");
      await titled(page, "Insert Adapter").or(notification(page)).first().waitFor();
      await page.keyboard.press("Escape");
      await follow("Related");
      await titled(page, "Search Papers").waitFor();
      await page.waitForFunction(
        () => document.querySelectorAll(".quick-input-list .monaco-list-row").length > 3,
      );
      await page.keyboard.press("Escape");
      await follow("Paper");
      const heading = inPage(page).getByRole("heading", { level: 1 });
      await heading.waitFor();
      assert.equal(await heading.textContent(), "LoRA: Low-Rank Adaptation of Large Language Models");
    },
  },

  "the page of a paper has its parts, for those who hear it and without a mouse, in every theme": {
    file: "gpt.py",
    async run(page) {
      const heading = inPage(page).getByRole("heading", { level: 1, name: /^LoRA: Low-Rank/ });
      await typeInto(page, "Show Paper", "Low-Rank Adaptation of Large Language Models");
      await list(page).locator(".monaco-list-row.focused", { hasText: "LoRA: Low-Rank Adapt" }).waitFor();
      await page.keyboard.press("Enter");
      await heading.waitFor();
      const snapshot = await inPage(page).locator("#page").ariaSnapshot();
      for (const part of [
        /heading "LoRA: Low-Rank Adaptation[^\n]*" \[level=1\]/,
        /link "arXiv:2106.09685"/,
        /region "Summary"/,
        /article "LoRA"/,
        /img "h = [^\n]+"/,
        /table "Hyperparameters of LoRA"/,
        /rowheader "rank"/,
        /button "Insert LoRA into the model at the cursor"/,
        /region "Related papers"/,
        /button "Copy the BibTeX entry of LoRA[^\n]*"/,
      ])
        assert.match(snapshot, part);
      const frame = await frameOf(page);
      const stops = await tabStops(page, frame);
      assert.ok(
        stops.includes("arXiv:2106.09685") && stops.includes("Insert LoRA into the model at the cursor"),
      );
      assert.deepEqual(
        stops.filter((each) => each.startsWith("!")),
        [],
        "focus that cannot be seen",
      );
      await inThemes(page, frame);
    },
  },

  "the comparison sorts and inserts by keyboard, says what it shows, and fits, in every theme": {
    file: "gpt.py",
    async run(page, { folder }) {
      const heading = inPage(page).getByRole("heading", { level: 1, name: "Compare adapters" });
      await commandAt(page, join(folder, "gpt.py"), gpt, "Compare Adapters", heading);
      await page.keyboard.press("Escape");
      const snapshot = await inPage(page).locator("#page").ariaSnapshot();
      assert.match(snapshot, /combobox "At"/);
      assert.match(
        snapshot,
        /img "Trainable parameters at c_attn across GPT as bars[^\n]*FourierFT with 12,000/,
      );
      assert.match(snapshot, /table "A row inserts its method/);
      assert.match(snapshot, /rowheader "Adapt c_attn across GPT with LoRA"/);
      const frame = await frameOf(page);
      const sortOf = (name) =>
        inPage(page)
          .getByRole("columnheader", { name })
          .evaluate((head) => [
            head.getAttribute("aria-sort"),
            head.ownerDocument.activeElement?.textContent,
          ]);
      assert.equal((await sortOf("Trainable"))[0], "ascending");
      await inPage(page).getByRole("button", { name: "Trainable" }).press("Enter");
      assert.deepEqual(await sortOf("Trainable"), ["descending", "Trainable ▼"]);
      assert.equal(await inPage(page).getByRole("status").textContent(), "Sorted by Trainable, descending");
      await inPage(page).getByRole("button", { name: "Method" }).press("Space");
      assert.deepEqual(await sortOf("Method"), ["ascending", "Method ▲"]);
      assert.equal(await inPage(page).getByRole("rowheader").first().textContent(), "(IA)³");
      await inPage(page).getByRole("combobox").selectOption("c_attn");
      assert.match(await inPage(page).getByRole("status").textContent(), /^32 methods · /);
      const stops = await tabStops(page, frame, 12);
      assert.deepEqual(
        stops.filter((each) => each.startsWith("!")),
        [],
        "focus that cannot be seen",
      );
      await inThemes(page, frame);
      await page.setViewportSize({ width: 800, height: 900 });
      // the panel follows the window a moment later, and its page the panel
      for (let tries = 0; tries < 50 && (await overflow(frame)) !== 0; tries++)
        await page.waitForTimeout(100);
      assert.equal(await overflow(frame), 0, "wider than its panel of 400 pixels");
      await inPage(page).getByRole("button", { name: "Adapt c_attn with LoRA", exact: true }).press("Enter");
      await titled(page, /What Goes with LoRA|Preview/).waitFor();
    },
  },

  "the list of adapters shows each place, finds and sorts, and keeps keys out of the code": {
    file: "gpt.py",
    async run(page, { folder }) {
      const title = titled(page, "Insert Adapter");
      await commandAt(page, join(folder, "gpt.py"), gpt, "Insert Adapter", title);
      const [first, , , more] = await rows(page);
      assert.equal(
        first,
        "Adapt c_attn with LoRA, 24,576 trainable · 1 % of the class, mergeable · starts as the base model · reference · LoRA: Low-Rank Adaptation of Large Language Models, c_attn",
      );
      assert.match(more, /^ellipsis {1,2}\d+ more for c_attn/);
      await list(page).locator(".monaco-list-row", { hasText: "more for c_attn" }).first().click();
      await list(page).locator(".monaco-list-row", { hasText: "c_attn with Bone" }).first().waitFor();
      assert.match((await rows(page))[3], /^Adapt c_attn with Bone/);
      await list(page).getByRole("button", { name: "Sort by…" }).click();
      await list(page).locator(".monaco-list-row", { hasText: "by trainable parameters" }).click();
      await titled(page, "Insert Adapter (by trainable parameters)").waitFor();
      assert.match((await rows(page))[0], /^Adapt c_attn with FourierFT, 1,000 trainable/);
      await input(page).fill("across GPT with LoRA");
      await list(page).locator(".monaco-list-row.focused", { hasText: "across GPT with LoRA" }).waitFor();
      await page.keyboard.press("Enter");
      await titled(page, "Layers to Adapt with LoRA across the model: 294,912 trainable").waitFor();
      await list(page).getByRole("button", { name: "Back" }).click();
      await titled(page, "Insert Adapter").waitFor();
      await input(page).fill("across GPT with LoRA");
      await list(page).locator(".monaco-list-row.focused", { hasText: "across GPT with LoRA" }).waitFor();
      // Faster than the steps come
      for (const key of ["Enter", "Enter", "Enter"]) await page.keyboard.press(key);
      await titled(page, /Layers to Adapt|in the Same Edit|Preview/).waitFor();
      await previewInsertion(page, "across GPT with LoRA");
      const call = 'apply_lora(self, targets=("c_attn",), rank=8, alpha=16)'.slice(0, 30);
      await rectangleOf(page, call);
      await page.keyboard.press("Escape");
      await page.locator(".tab.active", { hasText: /^gpt\.py/ }).waitFor();
      assert.equal(await page.locator(".tab.dirty").count(), 0, "changed");
    },
  },

  "what cannot be adapted stands first with the reason, once": {
    file: "finetune_peft.py",
    async run(page, { folder }) {
      const title = titled(page, "Insert Adapter");
      const file = join(folder, "finetune_peft.py");
      await commandAt(page, file, "AutoModelForCausalLM.from_pretrained(", "Insert Adapter", title);
      const [first] = await rows(page);
      assert.match(
        first,
        /q_proj, v_proj across model, cannot be adapted, `model` is loaded with quantization/,
      );
      await page.keyboard.press("Enter");
      await notification(page).waitFor();
      assert.match(await notification(page).textContent(), /^Litlens: `model` is loaded with quantization/);
    },
  },

  "the lightbulb has few actions, and more of them": {
    file: "gpt.py",
    async run(page, { folder }) {
      await goTo(page, join(folder, "gpt.py"), gpt);
      await openLightbulb(page);
      const actions = page.locator(".action-widget .monaco-list-row.action");
      const titles = (await actions.allTextContents()).map((each) => each.trim());
      assert.deepEqual(titles.slice(0, 2), [
        "Adapt `c_attn` with LoRA (24,576 trainable)",
        "Adapt `c_attn` with DoRA (26,880 trainable)",
      ]);
      assert.ok(titles.length <= 8, titles.join("\n"));
      assert.equal(
        titles.filter((each) => each.startsWith("More adapters")).join(),
        "More adapters for `c_attn`…",
      );
      await actions.filter({ hasText: "More adapters" }).click();
      await titled(page, "Insert Adapter").waitFor();
    },
  },

  "what cannot be done is told with file, line and remedy": {
    file: "axolotl.yaml",
    async run(page) {
      const message = notification(page);
      await until(message, () => command(page, "Litlens: Insert Adapter"), { patience: 10_000 });
      assert.equal(
        await message.textContent(),
        "Litlens: Adapters go into Python model code; axolotl.yaml is yaml. Put the cursor in a class derived from nn.Module.",
      );
    },
  },
};

/** By the name that VS Code's list of themes has; what a page is told of its kind. */
const themes = {
  "Light Modern": "vscode-light",
  "Light High Contrast": "vscode-high-contrast-light",
  "Dark High Contrast": "vscode-high-contrast",
  "Dark Modern": "vscode-dark",
};

/** A page as it stands, in each theme: nothing faint. */
async function inThemes(page, frame) {
  for (const [theme, kind] of Object.entries(themes)) {
    await command(page, "Preferences: Color Theme");
    await list(page).locator(".monaco-list-row", { hasText: "Dark Modern" }).waitFor();
    await input(page).fill(theme);
    await list(page).locator(".monaco-list-row.focused", { hasText: theme }).waitFor();
    await page.keyboard.press("Enter");
    await frame.waitForFunction((wanted) => document.body.dataset.vscodeThemeKind === wanted, kind);
    assert.deepEqual(await faintTexts(frame), [], `${theme}: faint`);
  }
}
