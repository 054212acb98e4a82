// What a person does in a VS Code of host.mjs, for pictures and for tests: looks, clicks and types. No API of VS Code.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const themes = {
  light: "Default Light Modern",
  dark: "Default Dark Modern",
  "high-contrast": "Default High Contrast",
  "high-contrast-light": "Default High Contrast Light",
};

/**
 * A server with the built extension, a browser, and a window for each folder and file asked for.
 * @param {string} examples the folder that windows open
 * @param {{settings?: object, flags?: string[]}} options
 */
export async function openVsCode(host, examples, { settings: common = {}, flags = [] } = {}) {
  const scratch = host.temporaryFolder("window");
  const extensions = join(scratch.path, "extensions");
  host.installExtension(extensions);
  const settingsFile = join(scratch.path, "data/data/User/settings.json");
  const settings = { ...host.quietSettings, "security.workspace.trust.enabled": false, ...common };
  const server = await host.startServer({
    data: join(scratch.path, "data"),
    extensions,
    settings,
    environment: { XDG_DATA_HOME: join(scratch.path, "share") },
  });
  const browser = await host.launchBrowser(...flags);
  return {
    /** Settings of windows opened from now on. */
    set: (more) => writeFileSync(settingsFile, JSON.stringify({ ...settings, ...more })),
    async openWindow(file, { size, scale = 1 } = {}) {
      const context = await browser.newContext({
        viewport: size,
        deviceScaleFactor: scale,
        permissions: ["clipboard-read", "clipboard-write"],
      });
      context.setDefaultTimeout(120_000);
      const page = await context.newPage();
      // A window with unsaved text asks before it goes
      page.on("dialog", (dialog) => void dialog.accept());
      const openFile = host.remote(server.port, join(examples, file));
      await page.goto(host.workbenchAddress(server.port, examples, { openFile }));
      await page.locator(".monaco-editor .view-line").first().waitFor();
      return page;
    },
    async close() {
      await browser.close();
      await server.stop();
      scratch.remove();
    },
  };
}

/** Screen rectangle of a text in the editor; its nth occurrence among the lines in view. */
export async function rectangleOf(page, text, occurrence = 0) {
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

export async function clickOn(page, text, occurrence) {
  const { x, y, height } = await rectangleOf(page, text, occurrence);
  await page.mouse.click(x + 4, y + height / 2);
}

/** What the webview of a paper holds: VS Code puts a frame in a frame. */
export const inPage = (page) => page.frameLocator("iframe.webview.ready").frameLocator("iframe");

/** Runs a command by its title, as a person would; other rows match too. */
export async function command(page, title) {
  const label = page.locator(".label-name").getByText(title, { exact: true });
  const row = page.locator(".quick-input-list .monaco-list-row", { has: label }).first();
  // A list that opened before the extensions were known does not learn of them
  const open = async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("F1");
    await page.locator(".quick-input-widget input[type=text]").fill(`>${title}`);
  };
  await until(row, open, { attempts: 30, patience: 3000 });
  await row.click();
}

/** Does something again and again until what it brings is there: the language server may still be starting. */
export async function until(wanted, act, { attempts = 10, patience = 10_000 } = {}) {
  for (let attempt = 1; ; attempt++) {
    await act();
    try {
      return await wanted.waitFor({ timeout: patience });
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}

/** Scrolls until the first line with a text stands near the top. */
export async function goTo(page, file, text) {
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

export async function openLightbulb(page) {
  await clickOn(page, "Linear(");
  const menu = page.locator(".action-widget .monaco-list-row").first();
  await until(menu, async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+.");
  });
}

/** Opens a list of papers by its command and types into it. */
export async function typeInto(page, title, text) {
  const list = page.locator(".quick-input-widget");
  await until(
    list.locator(".quick-input-title", { hasText: title }),
    async () => {
      await page.keyboard.press("Escape");
      await command(page, `Litlens: ${title}`);
    },
    { patience: 15_000 },
  );
  await list.locator("input[type=text]").fill(text);
}

/** Insert Adapter at the cursor, step by step up to the diff; `wanted` finds one row of the list. */
export async function previewInsertion(page, wanted) {
  const title = page.locator(".quick-input-widget .quick-input-title");
  await until(title.filter({ hasText: "Insert Adapter" }), async () => {
    await page.keyboard.press("Escape");
    await command(page, "Litlens: Insert Adapter");
  });
  await page.locator(".quick-input-widget input[type=text]").fill(wanted);
  await page.locator(".quick-input-list .monaco-list-row.focused", { hasText: wanted }).waitFor();
  for (const step of ["Layers to Adapt", "in the Same Edit", "Preview"]) {
    await page.keyboard.press("Enter");
    await title.filter({ hasText: step }).waitFor();
  }
}
