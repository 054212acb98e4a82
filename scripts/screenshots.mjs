// `npm run screenshots`: takes the README's pictures with the product in a real VS Code. `-- hover-dark paper` takes some.
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  clickOn,
  command,
  goTo,
  inPage,
  openLightbulb,
  openVsCode,
  previewInsertion,
  rectangleOf,
  themes,
  typeInto,
  until,
} from "../test/vscode/window.mjs";
import { ensureChromium, ensureHost, ensureNodePackages } from "./install.mjs";
import { StepError, explain, must, repository, step } from "./steps.mjs";

const pictures = join(repository, "docs/images");
const examples = join(repository, "examples");
/** Bytes that a picture may have. */
const largest = 350_000;
/** Nothing in the window but the editor. */
const windowSettings = {
  "breadcrumbs.enabled": false,
  "diffEditor.hideUnchangedRegions.enabled": true,
  "diffEditor.renderSideBySide": false,
  "editor.fontSize": 14,
  "editor.hover.above": false,
  "editor.hover.delay": 100,
  "editor.lineHeight": 21,
  "editor.occurrencesHighlight": "off",
  "editor.renderLineHighlight": "none",
  "editor.stickyScroll.enabled": false,
  "window.commandCenter": false,
  "window.menuBarVisibility": "hidden",
  "workbench.activityBar.location": "hidden",
  "workbench.layoutControl.enabled": false,
  "workbench.navigationControl.enabled": false,
  "workbench.statusBar.visible": false,
};

/** The page of LoRA beside the code, found as a person finds it. */
const paperPage = {
  file: "gpt.py",
  top: "class CausalSelfAttention",
  size: { width: 1200, height: 800 },
  async play(page) {
    await typeInto(page, "Show Paper", "Low-Rank Adaptation of Large Language Models");
    await page
      .locator(".quick-input-list .monaco-list-row.focused", { hasText: "LoRA: Low-Rank Adapt" })
      .waitFor();
    await page.keyboard.press("Enter");
    await inPage(page).getByRole("heading", { level: 1 }).waitFor();
  },
};

/** What fits the class at the cursor, beside the code. */
const comparison = {
  file: "gpt.py",
  top: "class CausalSelfAttention",
  size: { width: 1500, height: 1180 },
  scale: 1,
  async play(page) {
    await clickOn(page, "Linear(");
    const heading = inPage(page).getByRole("heading", { level: 1 });
    await until(heading, async () => {
      await page.keyboard.press("Escape");
      await command(page, "Litlens: Compare Adapters");
    });
    await page.keyboard.press("Escape");
  },
};

/** The diff of LoRA all over the model, before it is applied. */
const preview = {
  file: "gpt.py",
  top: "class CausalSelfAttention",
  size: { width: 1200, height: 900 },
  scale: 1,
  async play(page) {
    await clickOn(page, "Linear(");
    await previewInsertion(page, "across GPT with LoRA");
    await page.locator(".monaco-diff-editor").first().waitFor();
  },
};

const inThemes = (name, scene) =>
  Object.fromEntries(
    ["dark", "light", "high-contrast"].map((theme) => [`${name}-${theme}`, { ...scene, theme }]),
  );

/** Each picture: the file it opens, what is done, and from where to where down the window is kept. */
const scenes = {
  ...Object.fromEntries(
    Object.keys(themes).map((theme) => [
      `hover-${theme}`,
      {
        theme,
        file: "finetune_peft.py",
        top: "LoraConfig(",
        // VS Code gives a hover a quarter of the editor's height: the window is a tall one
        size: { width: 900, height: 2000 },
        async part(page) {
          const token = await rectangleOf(page, "LoraConfig(");
          const hover = await page.locator(".monaco-hover").first().boundingBox();
          return [token.y - 60, hover.y + hover.height + 30];
        },
        async play(page) {
          const { x, y, width, height } = await rectangleOf(page, "LoraConfig(");
          const formula = page.locator(".monaco-hover .hover-contents img").first();
          await until(formula, async () => {
            await page.mouse.move(x + width / 2, y - height * 8);
            await page.mouse.move(x + width / 2, y + height / 2, { steps: 3 });
          });
        },
      },
    ]),
  ),
  lightbulb: {
    theme: "dark",
    file: "gpt.py",
    top: "class CausalSelfAttention",
    size: { width: 900, height: 520 },
    play: openLightbulb,
  },
  diff: {
    theme: "light",
    file: "gpt.py",
    top: "class CausalSelfAttention",
    // The whole class and the line that uses it
    size: { width: 1120, height: 1560 },
    scale: 1,
    async part(page) {
      const below = await page
        .getByText(/hidden lines/)
        .last()
        .boundingBox();
      return [0, below.y + below.height + 8];
    },
    async play(page) {
      await openLightbulb(page);
      await page
        .locator(".action-widget")
        .getByText(/with LoRA /)
        .first()
        .click();
      await page.waitForFunction(() => document.body.textContent.includes("LoRALinear"));
      await page.keyboard.press("Escape");
      await command(page, "File: Compare Active File with Saved");
      await page.locator(".diff-editor, .monaco-diff-editor").first().waitFor();
      await page.waitForTimeout(1500);
    },
  },
  search: {
    theme: "dark",
    file: "gpt.py",
    top: "class CausalSelfAttention",
    size: { width: 1300, height: 640 },
    async play(page) {
      await typeInto(page, "Search Papers", "hypercomplex kronecker layers");
      await page.locator(".quick-input-list").getByText("Compacter").first().waitFor();
      await inPage(page).getByRole("heading", { level: 1 }).waitFor();
      // The list opens in the middle; it can be moved off the preview
      const title = await page.locator(".quick-input-title").first().boundingBox();
      await page.mouse.move(title.x + title.width / 2, title.y + title.height / 2);
      await page.mouse.down();
      await page.mouse.move(340, 60, { steps: 10 });
      await page.mouse.up();
    },
  },
  paper: { ...paperPage, theme: "dark" },
  "paper-light": { ...paperPage, theme: "light" },
  ...inThemes("comparison", comparison),
  ...inThemes("preview", preview),
};

async function take(vscode, name, { theme, file, size, play, top, scale = 1.5, part }) {
  vscode.set({ ...windowSettings, "workbench.colorTheme": themes[theme] });
  const page = await vscode.openWindow(file, { size, scale });
  const target = join(pictures, `${name}.png`);
  try {
    await page
      .locator(".part.sidebar")
      .waitFor({ state: "visible", timeout: 5000 })
      .catch(() => undefined);
    if (await page.locator(".part.sidebar").isVisible()) await page.keyboard.press("Control+b");
    await goTo(page, join(examples, file), top);
    await play(page);
    await page.waitForTimeout(1500);
    const [from, to] = part ? await part(page) : [0, size.height];
    await page.screenshot({ path: target, clip: { x: 0, y: from, width: size.width, height: to - from } });
    return statSync(target).size;
  } catch (error) {
    writeFileSync(join(repository, `out/${name}-failed.png`), await page.screenshot());
    throw new Error(`${error.message}\nThe window as it was: out/${name}-failed.png`);
  } finally {
    await page.context().close();
  }
}

try {
  await ensureNodePackages();
  await ensureHost();
  await ensureChromium();
  const host = await import("../test/vscode/host.mjs");
  await step("Building Litlens", () =>
    must("read the message above; it names the file.", process.execPath, ["scripts/build.mjs"]),
  );
  mkdirSync(pictures, { recursive: true });
  mkdirSync(join(repository, "out"), { recursive: true });
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !(name in scenes));
  if (unknown.length > 0)
    throw new StepError(
      `no picture is called ${unknown.join(", ")}`,
      `choose among ${Object.keys(scenes).join(", ")}.`,
    );
  for (const [name, scene] of Object.entries(scenes)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    // one of its own for each: a window finds what the one before left unsaved
    const vscode = await openVsCode(host, examples, { flags: ["--force-color-profile=srgb"] });
    try {
      await step(`docs/images/${name}.png`, async () => {
        const bytes = await take(vscode, name, scene);
        console.log(`  ${(bytes / 1000).toFixed(0)} kB`);
        if (bytes > largest)
          throw new StepError(
            `it has ${(bytes / 1000).toFixed(0)} kB of ${largest / 1000}`,
            "show a smaller part.",
          );
      });
    } catch (error) {
      // The other pictures are worth having all the same
      console.error(explain(error));
      process.exitCode = 1;
    } finally {
      await vscode.close();
    }
  }
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
