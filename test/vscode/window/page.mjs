// What a page of Litlens looks like to those who see little or do without a mouse.
import { inPage } from "../window.mjs";

/** The frame of the page in view. */
export async function frameOf(page) {
  const main = await inPage(page).locator("#page").elementHandle();
  return main.ownerFrame();
}

/** Texts that stand out too little: below 4.5 to 1 of WCAG 2.2, as "text 3.9". */
export function faintTexts(frame) {
  return frame.evaluate(() => {
    const rgb = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = ([red, green, blue]) => {
      const [r, g, b] = [red, green, blue].map((each) => {
        const share = each / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const over = ([r, g, b, opacity = 1], below) =>
      [r, g, b].map((each, index) => each * opacity + below[index] * (1 - opacity));
    const background = (element) => {
      if (!element) return [255, 255, 255];
      const own = rgb(getComputedStyle(element).backgroundColor);
      const [, , , opacity = 1] = own;
      return opacity === 1 ? own : over(own, background(element.parentElement));
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faint = new Set();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.textContent.trim();
      const element = node.parentElement;
      if (text === "" || !element.checkVisibility() || /^(SCRIPT|STYLE|TITLE)$/i.test(element.tagName))
        continue;
      const style = getComputedStyle(element);
      const below = background(element);
      const ink = over(rgb(element instanceof SVGElement ? style.fill : style.color), below);
      const [light, dark] = [luminance(ink), luminance(below)].sort((a, b) => b - a);
      const ratio = (light + 0.05) / (dark + 0.05);
      if (ratio < 4.5) faint.add(`${text.slice(0, 30)} ${ratio.toFixed(1)}`);
    }
    return [...faint];
  });
}

/** Pixels by which a page is wider than its panel. */
export const overflow = (frame) =>
  frame.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** What Tab reaches, from the top on: the accessible name of each, "!" where the focus cannot be seen. */
export async function tabStops(page, frame, most = 60) {
  await frame.evaluate(() => document.getElementById("page").focus());
  const names = [];
  for (let count = 0; count < most; count++) {
    await page.keyboard.press("Tab");
    const name = await frame.evaluate(() => {
      const focused = document.activeElement;
      if (!focused || focused === document.body) return undefined;
      const text = (
        focused.getAttribute("aria-label") ??
        focused.labels?.[0]?.textContent ??
        focused.textContent
      ).trim();
      const { outlineStyle, outlineWidth } = getComputedStyle(focused);
      return `${outlineStyle === "none" || outlineWidth === "0px" ? "!" : ""}${text}`;
    });
    if (name === undefined) break;
    names.push(name);
  }
  return names;
}
