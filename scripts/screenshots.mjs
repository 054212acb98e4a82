// `npm run screenshots`: takes the README's pictures with the product in a real VS Code. `-- hover-dark paper` takes some.
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureChromium, ensureHost, ensureNodePackages } from "./install.mjs";
import { explain, must, repository, step } from "./steps.mjs";

const pictures = join(repository, "docs/images");
const themes = {
  light: "Default Light Modern",
  dark: "Default Dark Modern",
  "high-contrast": "Default High Contrast",
  "high-contrast-light": "Default High Contrast Light",
};

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
  "security.workspace.trust.enabled": false,
  "window.commandCenter": false,
  "window.menuBarVisibility": "hidden",
  "workbench.activityBar.location": "hidden",
  "workbench.layoutControl.enabled": false,
  "workbench.navigationControl.enabled": false,
  "workbench.statusBar.visible": false,
};

/** Screen rectangle of a text in the editor; its nth occurrence among the lines in view. */
async function rectangleOf(page, text, occurrence = 0) {
  const find = ([wanted, index]) => {
    const seen = [];
    for (const line of document.querySelectorAll(".monaco-editor .view-line")) {
      const at = (line.textContent ?? "").replaceAll("\u00a0", " ").indexOf(wanted);
      if (at < 0) continue;
      const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
      const range = document.createRange();
      let before = 0;
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const { length } = node.textContent;
        if (at >= before && at < before + length) range.setStart(node, at - before);
        const end = at + wanted.length;
        if (end > before && end <= before + length) range.setEnd(node, end - before);
        before += length;
      }
      seen.push(range.getBoundingClientRect().toJSON());
    }
    return seen.sort((a, b) => a.y - b.y)[index];
  };
  await page.waitForFunction(find, [text, occurrence]);
  return page.evaluate(find, [text, occurrence]);
}

async function clickOn(page, text, occurrence) {
  const { x, y, height } = await rectangleOf(page, text, occurrence);
  await page.mouse.click(x + 4, y + height / 2);
}

/** Runs a command by its title, as a person would. */
async function command(page, title) {
  await page.keyboard.press("F1");
  await page.locator(".quick-input-widget input[type=text]").fill(`>${title}`);
  await page.locator(".quick-input-list .monaco-list-row").first().waitFor();
  await page.waitForTimeout(300);
  await page.keyboard.press("Enter");
}

/** Scrolls until the first line with a text stands near the top. */
async function goTo(page, file, text) {
  const line =
    1 +
    readFileSync(file, "utf8")
      .split("\n")
      .findIndex((content) => content.includes(text));
  await page.keyboard.press("Control+g");
  await page.locator(".quick-input-widget input[type=text]").fill(`:${line}`);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(500);
  const { x, y } = await rectangleOf(page, text);
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, y - 100);
  await page.waitForTimeout(500);
}

/** Each picture: the file it opens, what is done, and which part of the window is kept. */
const scenes = {
  ...Object.fromEntries(
    Object.keys(themes).map((theme) => [
      `hover-${theme}`,
      {
        theme,
        file: "finetune_peft.py",
        top: "LoraConfig(",
        size: { width: 900, height: 640 },
        async play(page) {
          const { x, y, width, height } = await rectangleOf(page, "LoraConfig(");
          const formula = page.locator(".monaco-hover .hover-contents img").first();
          // The server may still be starting: point again until it answers
          for (let attempt = 0; attempt < 8 && !(await formula.isVisible()); attempt++) {
            await page.mouse.move(x + width / 2, y + height * 8);
            await page.mouse.move(x + width / 2, y + height / 2, { steps: 3 });
            await page.waitForTimeout(4000);
          }
          await formula.waitFor({ timeout: 1000 });
        },
      },
    ]),
  ),
  lightbulb: {
    theme: "dark",
    file: "gpt.py",
    top: "class CausalSelfAttention",
    size: { width: 900, height: 520 },
    async play(page) {
      await clickOn(page, "Linear(");
      await page.waitForTimeout(2500);
      await page.keyboard.press("Control+.");
      await page
        .locator(".action-widget .action-list-item, .action-widget .monaco-list-row")
        .first()
        .waitFor();
    },
  },
  insertion: {
    theme: "light",
    file: "gpt.py",
    top: "class CausalSelfAttention",
    size: { width: 1000, height: 760 },
    async play(page) {
      await clickOn(page, "Linear(");
      await page.waitForTimeout(2500);
      await page.keyboard.press("Control+.");
      await page
        .locator(".action-widget")
        .getByText(/with LoRA/)
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
    size: { width: 1200, height: 640 },
    async play(page) {
      await command(page, "Litlens: Search Papers");
      await page.waitForTimeout(500);
      await page.keyboard.type("kronecker adapters", { delay: 40 });
      await page.locator(".quick-input-list").getByText("Compacter").first().waitFor();
    },
  },
  paper: {
    theme: "light",
    file: "gpt.py",
    top: "class CausalSelfAttention",
    size: { width: 1200, height: 800 },
    async play(page) {
      await command(page, "Litlens: Show Paper");
      await page.waitForTimeout(500);
      await page.keyboard.type("low-rank adaptation of large language models", { delay: 20 });
      await page.locator(".quick-input-list").getByText("LoRA: Low-Rank").first().waitFor();
      await page.waitForTimeout(400);
      await page.keyboard.press("Enter");
      await page.locator("iframe.webview.ready").first().waitFor();
    },
  },
};

async function take(host, name, { theme, file, size, play, top }) {
  const scratch = host.temporaryFolder("pictures");
  const examples = join(repository, "examples");
  const extensions = join(scratch.path, "extensions");
  host.installExtension(extensions);
  const server = await host.startServer({
    data: join(scratch.path, "data"),
    extensions,
    settings: { ...host.quietSettings, ...windowSettings, "workbench.colorTheme": themes[theme] },
    environment: { XDG_DATA_HOME: join(scratch.path, "share") },
  });
  const browser = await host.launchBrowser("--force-color-profile=srgb");
  const page = await browser.newPage({ viewport: size, deviceScaleFactor: 1.5 });
  const target = join(pictures, `${name}.png`);
  try {
    const openFile = host.remote(server.port, join(examples, file));
    await page.goto(host.workbenchAddress(server.port, examples, { openFile }));
    await page.locator(".monaco-editor .view-line").first().waitFor({ timeout: 60_000 });
    await page
      .locator(".part.sidebar")
      .waitFor({ state: "visible", timeout: 5000 })
      .catch(() => undefined);
    if (await page.locator(".part.sidebar").isVisible()) await page.keyboard.press("Control+b");
    await goTo(page, join(examples, file), top);
    // The language server starts in the meantime
    await page.waitForTimeout(3000);
    await play(page);
    await page.waitForTimeout(1500);
    await page.screenshot({ path: target });
    return statSync(target).size;
  } catch (error) {
    writeFileSync(join(repository, `out/${name}-failed.png`), await page.screenshot());
    throw new Error(`${error.message}\nThe window as it was: out/${name}-failed.png`);
  } finally {
    await browser.close();
    await server.stop();
    scratch.remove();
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
  for (const [name, scene] of Object.entries(scenes))
    if (wanted.length === 0 || wanted.includes(name))
      await step(`docs/images/${name}.png`, async () => {
        const bytes = await take(host, name, scene);
        console.log(`  ${(bytes / 1000).toFixed(0)} kB`);
      });
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
